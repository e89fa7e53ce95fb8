"""The recorder: what passed before someone looked is saved from the packet view."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen
from tests.capture.capinfos import info_of
from tests.needs import need
from tests.running import RunningService
from tests.samples import ECHO
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy


def panel(screen: Screen) -> Locator:
    """Return what the session's panel says of the recorder."""
    return screen.page.get_by_role("region", name="Recorder")


def recorder(service: RunningService, session: dict[str, Any]) -> dict[str, Any] | None:
    """Return the recorder of a session; None if it has none."""
    found: dict[str, Any] | None = service.http.get(f"/v1/sessions/{session['id']}").json()[
        "recorder"
    ]
    return found


def test_the_last_minute_is_saved_from_the_packet_view(
    screen: Screen, session: dict[str, Any], tmp_path: Path
) -> None:
    """It is switched on there, says what it costs, and the file has what passed since."""
    from playwright.sync_api import expect

    need("capinfos")
    screen.go("Packets")
    screen.button("Record the last minutes…").click()
    expect(screen.dialog).to_contain_text("This uses up to 64 MiB of memory")
    screen.page.get_by_label("Memory", exact=True).select_option("16 MiB")
    expect(screen.dialog).to_contain_text("This uses up to 16 MiB of memory")
    screen.button("Record").click()
    expect(screen.button("Save the last minute")).to_be_visible()
    now = recorder(screen.service, session)
    assert now is not None
    assert (now["seconds"], now["bytes"]) == (120, 16 * 2**20)
    screen.service.api.inject_packets(session["id"], [ECHO] * 4)
    with screen.page.expect_download() as download:
        screen.button("Save the last minute").click()
    assert download.value.suggested_filename.startswith("OfficeNet-last-minute-")
    path = tmp_path / "saved.pcapng"
    download.value.save_as(path)
    assert info_of(path).packets >= 4  # and what the host answered
    expect(screen.page.locator(".notice")).to_contain_text("The last minute of OfficeNet was saved")


def test_the_panel_says_what_it_has(screen: Screen, session: dict[str, Any]) -> None:
    """Packets, memory and limits follow; it is changed and switched off there."""
    from playwright.sync_api import expect

    expect(panel(screen)).to_contain_text("off")
    screen.button("Record…").click()
    screen.button("Record").click()
    expect(panel(screen)).to_contain_text("the last 2 min")
    screen.service.api.inject_packets(session["id"], [ECHO] * 1000)
    expect(panel(screen)).to_contain_text("of 64 MiB")
    expect(panel(screen).get_by_role("definition").first).not_to_have_text(re.compile("^0 packets"))
    screen.button("Change…").click()
    screen.page.get_by_label("Time", exact=True).select_option("30 s")
    screen.button("Change").click()
    expect(panel(screen)).to_contain_text("the last 30 s")
    screen.button("Switch off").click()
    expect(panel(screen)).to_contain_text("off")
    assert recorder(screen.service, session) is None


def test_what_others_switch_is_seen(screen: Screen, session: dict[str, Any]) -> None:
    """On and off by another program, also in the log of events."""
    from playwright.sync_api import expect

    path = f"/v1/sessions/{session['id']}/recorder"
    screen.service.http.put(path, json={"seconds": 45}).raise_for_status()
    expect(panel(screen)).to_contain_text("the last 45 s")
    screen.service.http.delete(path).raise_for_status()
    expect(panel(screen)).to_contain_text("keeps no packets of this session")
    screen.go("Events")
    log = screen.page.get_by_role("log")
    expect(log).to_contain_text("Recording on OfficeNet started: up to 45 s")
    expect(log).to_contain_text("Recording on OfficeNet was switched off.")


def test_a_reader_sees_it_and_switches_nothing(browser: Browser, service: RunningService) -> None:
    """A token without the scope admin has no switch, and without capture no file."""
    from playwright.sync_api import expect

    session = service.session(service.adapter(name="OfficeNet"))
    service.http.put(f"/v1/sessions/{session['id']}/recorder", json={}).raise_for_status()
    with Screen(browser, service) as screen:
        screen.tolerated += ["status of 403", "WebSocket connection"]
        screen.sign_in(service.token(Scope.READ))
        screen.select("OfficeNet")
        expect(panel(screen)).to_contain_text("the last 2 min")
        expect(panel(screen).get_by_role("button")).to_have_count(0)
    with Screen(browser, service) as screen:
        screen.sign_in(service.token(Scope.READ, Scope.CAPTURE))
        screen.select("OfficeNet")
        expect(panel(screen).get_by_role("button")).to_have_text(["Save the last minute"])
