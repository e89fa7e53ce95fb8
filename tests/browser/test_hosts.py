"""The view of the hosts of a network, as an agent beside the service reports them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.heavy

HUB: dict[str, Any] = {
    "id": "a" * 12,
    "name": "hub",
    "state": "attached",
    "prefixes": ["10.6.7.7/32"],
    "adapters": [{"name": "OfficeNet", "state": "up"}],
    "sent": 1000,
    "lost": {"no_route": 3},
    "clock_offset_ms": 1.5,
    "since": "2026-01-02T03:04:05Z",
    "seen": "2026-01-02T03:05:10Z",
}


def report(screen: Screen, *hosts: dict[str, Any], **more: Any) -> None:
    """Report a network as an agent does."""
    screen.service.api.set_network("lab", host="a" * 12, hosts=hosts, **more)


def link(screen: Screen) -> Locator:
    """Return the tab of the hosts."""
    return screen.page.get_by_role("navigation", name="Views").get_by_role("link", name="Hosts")


def row(screen: Screen, name: str) -> Locator:
    """Return the row of a host."""
    return screen.page.get_by_role("row").filter(
        has=screen.page.get_by_role("rowheader", name=re.compile(rf"^{re.escape(name)}\b"))
    )


def test_the_tab_is_there_with_a_network(screen: Screen) -> None:
    """A service that stands alone has no such tab; it appears with the first report."""
    from playwright.sync_api import expect

    expect(link(screen)).to_have_count(0)
    report(screen, HUB)
    expect(link(screen)).to_have_count(1)


def test_hosts_are_shown_and_followed(screen: Screen) -> None:
    """Names, losses by cause, clock and rates; the next report changes them."""
    from playwright.sync_api import expect

    report(screen, HUB, {**HUB, "id": "b" * 12, "name": "rig", "state": "detached"})
    link(screen).click()
    hub = row(screen, "hub")
    for words in ("this host", "10.6.7.7/32", "OfficeNet (up)", "3 no route", "1.5 ms ahead"):
        expect(hub).to_contain_text(words)
    expect(row(screen, "rig")).to_contain_text("without its service")
    report(screen, {**HUB, "sent": 1500, "seen": "2026-01-02T03:05:20Z"}, connected=False)
    expect(hub).to_contain_text("50 p/s")
    expect(row(screen, "rig")).to_have_count(0)
    expect(screen.page.get_by_text("no connection to the bus")).to_have_count(1)


def test_a_name_is_nothing_but_a_name(screen: Screen) -> None:
    """What a stranger calls its host is text, and does not turn what stands beside it around."""
    from playwright.sync_api import expect

    name = "<b>\u202eevil</b>"
    report(screen, {**HUB, "name": name})
    link(screen).click()
    shown = screen.page.locator("bdi", has_text="evil")
    expect(shown).to_have_text(name)
    assert shown.first.evaluate("(one) => getComputedStyle(one).unicodeBidi") == "isolate"
    expect(screen.page.locator(".hosts b")).to_have_count(0)


def test_no_host_is_said(screen: Screen) -> None:
    """A network without a host says so, in place of an empty table."""
    from playwright.sync_api import expect

    report(screen)
    link(screen).click()
    expect(screen.page.get_by_text("No host is known yet.")).to_be_visible()


def test_the_tab_is_in_view_on_a_narrow_screen(screen: Screen) -> None:
    """The tab that is chosen by its key is the last one, and is seen on a narrow screen."""
    from playwright.sync_api import expect

    screen.page.set_viewport_size({"width": 320, "height": 640})
    report(screen, HUB)
    screen.page.keyboard.press("7")
    expect(link(screen)).to_be_in_viewport(ratio=0.99)
