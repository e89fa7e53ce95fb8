"""The page as a whole: accessible, within its policy, of every width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.axe import violations
from tests.browser.screen import Screen
from tests.running import RunningService

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

TABS = [
    "Overview",
    "Packets",
    "Conversations",
    "Captures",
    "Traffic",
    "Compose",
    "Events",
    "Hosts",
    "Access",
]

REPORT: dict[str, Any] = {
    "host": "a" * 12,
    "connected": False,
    "more_hosts": 3,
    "hosts": [
        {
            "id": letter * 12,
            "name": name,
            "state": state,
            "prefixes": ["10.6.7.7/32", "fd06:7::7/128"] * 9,
            "adapters": [{"name": "OfficeNet", "state": "up"}] * 3,
            "lost": {"no_route": 1234567, "ring": 7},
            "counts": {"uncounted": 2, "link_local": 12, "messages_dropped": 1234567},
            "more_adapters": 3,
            "clock_offset_ms": -86_400_000.0,
        }
        for letter, name, state in (
            ("a", "hub", "attached"),
            ("b", "x" * 128, "detached"),
            ("c", "c" * 12, "unknown"),
        )
    ],
}


@pytest.mark.parametrize("width", [320, 640, 768, 2560])
def test_views_fit_every_width(browser: Browser, service: RunningService, width: int) -> None:
    """From small to huge, the page has no scroll bar of its own beside that of the view."""
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"], mtu=1420))
    for number in range(14):
        service.adapter(name=f"Net {number}")
    service.api.set_network("lab", **REPORT)
    with Screen(browser, service, viewport={"width": width, "height": 720}) as screen:
        screen.sign_in()
        for tab in TABS:
            screen.go(tab)
            over = "(({scrollWidth, scrollHeight}) => [scrollWidth, scrollHeight])"
            assert screen.page.evaluate(f"{over}(document.documentElement)") == [width, 720], tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_views_are_accessible(
    browser: Browser, service: RunningService, scheme: str, width: int
) -> None:
    """Every view and every dialog, in both themes, narrow and wide; none is wider than the page."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"], mtu=1420)
    session = service.session(adapter)
    service.http.put(
        f"/v1/sessions/{session['id']}/impairment", json={"received": {"delay_ms": 60}}
    ).raise_for_status()
    service.http.put(f"/v1/sessions/{session['id']}/recorder", json={}).raise_for_status()
    for body in ({"name": "waits", "trigger": {"on": "loss"}}, {"name": "runs", "snaplen": 96}):
        service.http.post("/v1/captures", json=body).raise_for_status()
    service.adapter(name="Idle")
    service.api.set_network("lab", **REPORT)
    viewport = {"width": width, "height": 800}
    with Screen(browser, service, color_scheme=scheme, viewport=viewport) as screen:
        screen.tolerated.append("status of 401")
        screen.page.goto(service.url)
        screen.button("Sign in").wait_for()
        assert violations(screen) == []
        screen.sign_in()
        for tab in TABS:
            screen.go(tab)
            assert violations(screen) == [], tab
            assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, tab
        screen.go("Captures")
        screen.select("waits")
        screen.button("Delete…").click()
        assert violations(screen) == [], "Delete… of a capture"
        screen.page.keyboard.press("Escape")
        screen.button("New capture…").click()
        screen.fill("After packets", "0")
        screen.page.get_by_text(re.compile("^More:")).click()
        screen.fill("Max file size", "much")
        screen.choose("Some")
        screen.button("Start capture").click()
        screen.dialog.get_by_role("alert").first.wait_for()
        assert violations(screen) == [], "New capture…"
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, "New capture…"
        screen.page.keyboard.press("Escape")
        screen.go("Overview")
        screen.select("OfficeNet")
        screen.button("Change…").click()
        assert violations(screen) == [], "Change… of the recorder"
        screen.page.keyboard.press("Escape")
        screen.button("Impair…").click()
        screen.button("Remove").wait_for()
        screen.page.get_by_text(re.compile("^More:")).click()
        assert violations(screen) == [], "Impair…"
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, "Impair…"
        screen.select("Idle")
        for button in ("New adapter…", "Open…", "Edit…", "Delete…", "Start session…"):
            screen.button(button).click()
            assert violations(screen) == [], button
            screen.page.keyboard.press("Escape")
