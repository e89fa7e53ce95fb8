"""The events and the driver's log."""

from __future__ import annotations

import re

import pytest

from tests.browser.screen import Screen
from wintun_api.drivers.emulated.library import EmulatedLibrary

pytestmark = pytest.mark.heavy


def test_what_happens_is_there_at_once(screen: Screen) -> None:
    """As is what happened before the page was opened."""
    from playwright.sync_api import expect

    log = screen.page.get_by_role("log")
    made = screen.service.adapter(name="OfficeNet")
    screen.page.reload()
    screen.go("Events")
    expect(log).to_contain_text("Adapter OfficeNet was created")
    screen.service.session(made)
    expect(log).to_contain_text("Session on OfficeNet started.")
    screen.service.http.delete(f"/v1/adapters/{made['guid']}")
    expect(log).to_contain_text("Adapter OfficeNet was deleted.")


def test_levels_sources_and_words_filter(faulty: Screen, library: EmulatedLibrary) -> None:
    """The driver's own lines come with their level."""
    from playwright.sync_api import expect

    log = faulty.page.get_by_role("log")
    faulty.service.adapter(name="OfficeNet")
    library.fail_next("WintunCreateAdapter", 5)
    faulty.service.http.post("/v1/adapters", json={"name": "Other"})
    faulty.go("Events")
    expect(log).to_contain_text("driver.log")
    expect(log).to_contain_text("OfficeNet was created")
    faulty.choose("Driver log")
    expect(log).not_to_contain_text("OfficeNet was created")
    faulty.choose("All")
    faulty.page.get_by_label("Level").select_option("Errors only")
    expect(log.locator(".entry.error").first).to_be_visible()
    expect(log.locator(".entry.info")).to_have_count(0)
    faulty.page.get_by_label("Level").select_option("All levels")
    faulty.page.get_by_label("Search events").fill("officenet")
    expect(log.locator(".entry").first).to_contain_text("OfficeNet")


def test_what_is_shown_is_copied(screen: Screen) -> None:
    """As lines of text, with time, level and kind."""
    from playwright.sync_api import expect

    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.service.adapter(name="OfficeNet")
    screen.go("Events")
    expect(screen.page.get_by_role("log")).to_contain_text("OfficeNet")
    screen.page.get_by_label("Search events").fill("adapter.created")
    screen.button("Copy").click()
    expect(screen.page.get_by_text("Copied 1 line.")).to_be_visible()
    copied = screen.page.evaluate("navigator.clipboard.readText()")
    assert "info    adapter.created: Adapter OfficeNet was created" in copied


def test_changes_are_told_with_who_made_them(screen: Screen) -> None:
    """A sentence says which token did what, from where, and whether it succeeded."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.go("Events")
    used = "Token admin used “create adapter” on adapter OfficeNet from a program at 127.0.0.1"
    log = screen.page.get_by_role("log")
    expect(log).to_contain_text("Adapter OfficeNet was created")
    expect(log).not_to_contain_text(used)
    screen.page.get_by_label(re.compile(r"Requests that succeeded \(\d+ hidden\)")).check()
    expect(log).to_contain_text(f"{used}: succeeded.")


def test_a_renamed_adapter_is_found(screen: Screen) -> None:
    """Where its old name stands, or was chosen, the new one stands beside it."""
    from playwright.sync_api import expect

    made = screen.service.adapter(name="Before")
    screen.service.session(made)
    screen.go("Packets")
    picker = screen.page.get_by_label("Packets of").locator("option:checked")
    expect(picker).to_have_text("Before")
    screen.service.http.patch(f"/v1/adapters/{made['guid']}", json={"name": "After"})
    expect(picker).to_have_text("Before (now After)")
    screen.go("Events")
    log = screen.page.get_by_role("log")
    created = log.get_by_role("row").filter(has_text="adapter.created")
    expect(created.get_by_role("link")).to_have_text("Before (now After)")
    created.get_by_role("link").click()
    expect(screen.page.get_by_role("article", name="Adapter After")).to_be_visible()


def test_what_was_cleared_stays_cleared(screen: Screen) -> None:
    """Also after a reload; the page says so, and shows it again on request."""
    from playwright.sync_api import expect

    log = screen.page.get_by_role("log")
    screen.service.adapter(name="OfficeNet")
    screen.go("Events")
    expect(log).to_contain_text("OfficeNet was created")
    screen.button("Clear").click()
    expect(log).to_contain_text("New events will appear here.")
    screen.page.reload()
    screen.service.adapter(name="Later")
    expect(log).to_contain_text("Later was created")
    expect(log).not_to_contain_text("OfficeNet was created")
    screen.button("Show them").click()
    expect(log).to_contain_text("OfficeNet was created")


def test_an_event_says_what_changed_and_leads_to_its_adapter(screen: Screen) -> None:
    """The values before and after, and a link with the adapter's name."""
    from playwright.sync_api import expect

    made = screen.service.adapter(name="OfficeNet", mtu=1420)
    screen.service.adapter(name="Other")
    screen.go("Events")
    screen.service.http.patch(f"/v1/adapters/{made['guid']}", json={"mtu": 1300}).raise_for_status()
    entry = screen.page.get_by_role("row", name="MTU 1420 → 1300")
    entry.get_by_role("link", name="OfficeNet").click()
    expect(screen.page.get_by_role("article", name="Adapter OfficeNet")).to_be_visible()


def test_filters_that_leave_nothing_say_so(screen: Screen) -> None:
    """And lead back to all events."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.go("Events")
    screen.page.get_by_label("Search events").fill("no such thing")
    expect(screen.page.get_by_role("log")).to_contain_text("No events match “no such thing”")
    screen.button("Show all events").click()
    expect(screen.page.get_by_role("log")).to_contain_text("OfficeNet was created")
