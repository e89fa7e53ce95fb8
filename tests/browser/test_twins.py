"""Two services behind one proxy, in one browser: each stays signed in beside the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen
from tests.elsewhere import ServiceElsewhere
from tests.proxies import free_port, nginx
from tests.running import TOKEN, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.heavy


def is_live(page: Page) -> None:
    """Wait until a page is tied to its service."""
    page.locator(".state[data-state=live]").wait_for(timeout=20_000)


def test_both_stay_signed_in(browser: Browser, tmp_path: Path) -> None:
    """Services of one port, published over TLS at two ports of one host, share no cookie."""
    inner, ports = free_port(), (free_port(), free_port())
    told: dict[str, Any] = {"port": inner, "trusted_proxies": ("127.0.0.1",)}
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        running(tmp_path / "one", host="127.0.0.2", **told) as one,
        running(tmp_path / "two", host="127.0.0.3", **told) as two,
        nginx(folder, {ports[0]: f"127.0.0.2:{inner}", ports[1]: f"127.0.0.3:{inner}"}),
    ):
        for service, name in ((one, "First"), (two, "Second")):
            service.url = f"http://{service.settings.host}:{inner}"
            service.adapter(name=name)
        published = ServiceElsewhere(f"https://127.0.0.1:{ports[0]}", TOKEN)
        with Screen(browser, published, ignore_https_errors=True) as screen:
            screen.sign_in()
            other = screen.context.new_page()
            other.goto(f"https://127.0.0.1:{ports[1]}/?token={TOKEN}")
            is_live(other)
            for page, name in ((screen.page, "First"), (other, "Second")) * 2:
                page.reload()
                is_live(page)
                page.get_by_text(name).first.wait_for(timeout=10_000)
            cookies = {one["name"] for one in screen.context.cookies() if "name" in one}
            assert cookies == {f"wintun-api-{port}-{inner}" for port in ports}
        published.stop()


@pytest.mark.parametrize("first", [0, 1])
def test_side_by_side_without_a_proxy(browser: Browser, tmp_path: Path, first: int) -> None:
    """So do two services at two ports of this machine, whichever is opened first."""
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        pair = (one, two) if first == 0 else (two, one)
        with Screen(browser, pair[0]) as screen:
            screen.sign_in()
            other = screen.context.new_page()
            other.goto(f"{pair[1].url}/?token={TOKEN}")
            is_live(other)
            for page in (screen.page, other, screen.page):
                page.reload()
                is_live(page)
