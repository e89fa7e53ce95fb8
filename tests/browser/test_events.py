"""The events and the driver's log."""

from __future__ import annotations

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
    expect(log).to_contain_text("was started")
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
    faulty.page.get_by_label("Least level").select_option("Errors")
    expect(log.locator(".entry.error").first).to_be_visible()
    expect(log.locator(".entry.info")).to_have_count(0)
    faulty.page.get_by_label("Least level").select_option("All levels")
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
    expect(screen.page.get_by_text("1 lines copied.")).to_be_visible()
    copied = screen.page.evaluate("navigator.clipboard.readText()")
    assert "info    adapter.created: Adapter OfficeNet was created" in copied


def test_changes_are_told_with_who_made_them(screen: Screen) -> None:
    """A sentence says which token asked for what, from where, and what was answered."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.go("Events")
    said = "Token admin asked for create_adapter, POST /v1/adapters, from a program at 127.0.0.1"
    expect(screen.page.get_by_role("log")).to_contain_text(f"{said}: 201.")
