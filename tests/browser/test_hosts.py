"""The view of the hosts of a network, as an agent beside the service reports them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.counts import NOTED

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.heavy

LOST = [cause for cause in Cause if cause is not Cause.LINK_LOCAL]  # which is not called lost
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


def rows(screen: Screen, name: str) -> Locator:
    """Return the row of a host, and the one below it with its counts."""
    return screen.page.locator("tbody").filter(
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
    hub = rows(screen, "hub")
    for words in ("this host", "10.6.7.7/32", "OfficeNet (up)", "3 no route", "1.5 ms ahead"):
        expect(hub).to_contain_text(words)
    expect(rows(screen, "rig")).to_contain_text("its service does not answer")
    report(screen, {**HUB, "sent": 1500, "seen": "2026-01-02T03:05:20Z"}, connected=False)
    expect(hub).to_contain_text("50 p/s")
    expect(rows(screen, "rig")).to_have_count(0)
    expect(screen.page.get_by_text("no connection to the bus")).to_have_count(1)


def test_every_count_is_shown(screen: Screen) -> None:
    """All causes of loss, what else is counted and what is left out can be read, and no zeros."""
    from playwright.sync_api import expect

    causes = {cause.value: 1000 + number for number, cause in enumerate(LOST)}
    counts = {name: 2000 + number for number, name in enumerate(NOTED)}
    beyond = {"more_adapters": 3, "more_prefixes": 8}
    report(screen, {**HUB, "lost": causes, "counts": counts, "refused": ["10.6.7.8/32"], **beyond})
    link(screen).click()
    refused, lost, also, left_out = map(screen.page.locator(".notes p").nth, range(4))
    expect(refused).to_have_text("Refused: 10.6.7.8/32")
    for name, number in (causes | counts).items():
        words = f"{number:,} {name.replace('_', ' ')}"
        expect(lost if name in (*causes, "uncounted") else also).to_contain_text(words)
    expect(left_out).to_have_text("Not shown: 3 adapters, 8 addresses and networks")
    for width in (1280, 360):
        screen.page.set_viewport_size({"width": width, "height": 800})
        notes = screen.page.get_by_role("region", name="Hosts of lab")
        assert notes.evaluate("(one) => one.scrollWidth <= one.clientWidth"), width
    report(screen, {**HUB, "lost": {"ring": 0}, "counts": {"late": 0}})
    expect(screen.page.locator(".notes")).to_have_count(0)
    expect(rows(screen, "hub").locator(".lost")).to_have_count(0)


def test_a_name_is_nothing_but_a_name(screen: Screen) -> None:
    """What a stranger calls its host is text, and does not turn what stands beside it around."""
    from playwright.sync_api import expect

    name = "<b>\u202eevil</b>"
    report(screen, {**HUB, "name": name})
    link(screen).click()
    shown = screen.page.locator("bdi", has_text="evil")
    expect(shown).to_have_text("<b>U+202Eevil</b>")
    assert shown.first.evaluate("(one) => getComputedStyle(one).unicodeBidi") == "isolate"
    expect(screen.page.locator(".hosts b")).to_have_count(0)


def test_no_host_is_said(screen: Screen) -> None:
    """A network without a host says so, in place of an empty table."""
    from playwright.sync_api import expect

    report(screen)
    link(screen).click()
    expect(screen.page.get_by_text("No hosts yet.")).to_be_visible()


def test_the_tab_is_in_view_on_a_narrow_screen(screen: Screen) -> None:
    """The tab that is chosen by its key is the last one, and is seen on a narrow screen."""
    from playwright.sync_api import expect

    screen.page.set_viewport_size({"width": 320, "height": 640})
    report(screen, HUB)
    screen.page.keyboard.press("8")
    expect(link(screen)).to_be_in_viewport(ratio=0.99)
