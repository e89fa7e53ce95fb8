"""The packet view: what comes is seen, filtered, taken apart and saved."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.packet_table import HOST, PEER, Table, datagram
from tests.browser.screen import Screen
from tests.needs import need
from tests.running import running
from wintun_api.client.burst import Burst

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy


@pytest.fixture
def table(screen: Screen) -> Table:
    return Table(screen)


def test_both_directions_are_rows(table: Table) -> None:
    """An injected request and the host's reply show with addresses, protocol, length and line."""
    from playwright.sync_api import expect

    table.ping()
    request, reply = table.row("Echo (ping) request"), table.row("Echo (ping) reply")
    for row, cells in (
        (request, ["← To host", PEER, HOST, "ICMP", "41"]),
        (reply, ["→ From host", HOST, PEER, "ICMP", "41"]),
    ):
        expect(row).to_have_count(1)
        assert [row.get_by_role("gridcell").nth(at).inner_text() for at in range(2, 7)] == cells


def test_each_packet_has_its_time(table: Table) -> None:
    """Those of one burst differ, and are what another client of the service is told."""
    service = table.screen.service
    with service.packets(table.session, times="packet") as stream:
        table.ping(20)
        told: list[int] = []
        while len(told) < 20:
            item = next(stream)
            assert isinstance(item, Burst)
            told += item.times_ns or ()
    assert len(set(told)) > 10
    rows = table.row(re.compile("From host.*reply"))
    shown = [row.get_by_role("gridcell").nth(1).inner_text() for row in rows.all()]
    # Without the hour, which is that of the browser's zone.
    ends = [
        f"{datetime.fromtimestamp(ns // 10**9, UTC):%M:%S}.{ns % 10**9 // 1000:06}" for ns in told
    ]
    assert [text.partition(":")[2] for text in shown] == ends


def test_fields_and_bytes_point_at_each_other(table: Table) -> None:
    """A field marks its bytes; a byte names its field, and a click opens the layer it lies in."""
    from playwright.sync_api import expect

    table.inject(datagram())
    table.row("Len=19").first.click()
    layers = table.detail.locator(".node.layer .name")
    expect(layers).to_have_text(["Internet Protocol Version 4", "User Datagram Protocol", "Data"])
    table.fold("User Datagram Protocol").click()
    table.node("Destination port").hover()
    expect(table.detail.locator(".digits mark")).to_have_text("27 0f")
    digits = table.detail.locator(".hex-row").first.locator(".digits")
    box = digits.bounding_box()
    assert box is not None
    x, y = box["width"] / 48 * 26, box["height"] / 2  # byte 8: TTL
    digits.hover(position={"x": x, "y": y})
    expect(table.detail.locator(".byte-about")).to_contain_text("Byte 8: Time to live (ip.ttl)")
    expect(table.detail.locator(".node.marked")).to_contain_text("Internet Protocol Version 4")
    digits.click(position={"x": x, "y": y})
    expect(table.node("Time to live")).to_have_attribute("aria-selected", "true")
    expect(table.node("Time to live")).to_be_in_viewport()


def test_a_filter_shows_what_passes(table: Table) -> None:
    """Typed, completed, wrong, taken from a field, and taken away again."""
    from playwright.sync_api import expect

    table.ping()
    table.inject(datagram())
    table.filter.fill("udp and port 9999")
    expect(table.row("ICMP")).to_have_count(0)
    expect(table.row("40000 → 9999")).to_have_count(1)
    table.filter.fill("ip.src == 10.6.7.0/33")
    expect(table.screen.page.locator("#filter-note")).to_contain_text(
        '"10.6.7.0/33" is not an address'
    )
    expect(table.row("40000 → 9999")).to_have_count(1)
    table.filter.fill("")
    table.filter.press_sequentially("icm")
    table.filter.press("ArrowDown")
    table.filter.press("Tab")
    expect(table.filter).to_have_value("icmp ")
    table.filter.press("Enter")
    expect(table.row("40000 → 9999")).to_have_count(0)
    table.row("(ping) reply").click()
    table.fold("Internet Control Message Protocol").click()
    table.node("Type").click(button="right")
    table.screen.page.get_by_role("menuitem", name="Show only this").click()
    expect(table.filter).to_have_value("icmp.type == 0")
    expect(table.row("(ping) request")).to_have_count(0)
    table.screen.button("Clear the filter").click()
    expect(table.row("40000 → 9999")).to_have_count(1)


def test_free_text_finds_bytes(table: Table) -> None:
    """A word is looked for in the packets themselves."""
    from playwright.sync_api import expect

    table.ping()
    table.inject(datagram())
    table.filter.fill('"brown"')
    expect(table.row("ICMP")).to_have_count(0)
    expect(table.row("40000 → 9999")).to_have_count(1)


def test_the_keyboard_is_enough(table: Table) -> None:
    """Slash, arrows, Home, End, space and Escape do what they say."""
    from playwright.sync_api import expect

    table.ping(30)
    keyboard = table.screen.page.keyboard
    table.grid.focus()
    heading = table.detail.get_by_role("heading")
    for key, number in (("Home", 1), ("ArrowDown", 2), ("End", 60), ("ArrowUp", 59)):
        keyboard.press(key)
        expect(heading).to_have_text(f"Packet {number}")
        expect(table.grid.locator(".row.selected")).to_be_visible()
    keyboard.press("PageUp")
    expect(heading).not_to_have_text("Packet 59")
    keyboard.press("Escape")
    expect(table.detail).to_have_count(0)
    keyboard.press("Space")
    expect(table.screen.button("Resume")).to_be_visible()
    keyboard.press("Space")
    keyboard.press("/")
    expect(table.filter).to_be_focused()


@pytest.mark.parametrize("width", [1366, 1000])
def test_suggestions_leave_the_buttons_free(table: Table, width: int) -> None:
    """What is clicked while they are open is the button, and the filter stays as it was typed."""
    from playwright.sync_api import expect

    page = table.screen.page
    page.set_viewport_size({"width": width, "height": 768})
    table.ping(2)
    table.filter.click()
    page.keyboard.type("ic")
    suggestions = page.get_by_role("listbox", name="Suggestions")
    expect(suggestions).to_be_visible()
    for name in ("Save", "Table"):
        box = page.locator(".packets-bar .button").filter(has_text=name).bounding_box()
        assert box is not None
        over = suggestions.bounding_box()
        assert over is not None
        assert bool(box["y"] + box["height"] <= over["y"])
    with page.expect_file_chooser():
        if width < 1100:
            page.get_by_role("button", name="More").click()
            page.get_by_role("menuitem", name="Open file…").click()
        else:
            table.screen.button("Open file…").click()
    expect(suggestions).to_have_count(0)
    expect(table.filter).to_have_value("ic")


def test_pause_freezes_the_rows(table: Table) -> None:
    """What comes meanwhile is there when the table goes on."""
    from playwright.sync_api import expect

    table.ping(30)
    table.screen.button("Pause").click()
    before = table.grid.inner_text()
    table.inject(datagram())
    status = table.screen.page.locator(".status-line")
    expect(status).to_contain_text("62 arrived")
    expect(status).to_contain_text("60 of 60 packets shown")
    expect(status).to_contain_text("Paused: 2 newer packets are held")
    assert table.grid.inner_text() == before
    table.screen.button("Resume").click()
    expect(table.row("40000 → 9999")).to_be_visible()


def test_clear_begins_anew(table: Table) -> None:
    """Rows go, and the next one is number 1."""
    from playwright.sync_api import expect

    table.ping()
    table.screen.button("Clear").click()
    expect(table.row("ICMP")).to_have_count(0)
    table.inject(datagram())
    expect(table.row("40000 → 9999").get_by_role("gridcell").first).to_have_text("1")


def test_what_is_shown_is_saved(table: Table, tmp_path: Path) -> None:
    """Wireshark reads the file: what passed the filter, with direction, time and interface."""
    from playwright.sync_api import expect

    need("tshark")
    table.ping(3)
    table.inject(datagram())
    table.filter.fill("icmp")
    table.filter.press("Enter")
    expect(table.row("40000")).to_have_count(0)
    with table.screen.page.expect_download() as download:
        table.screen.button("Save").click()
        table.screen.page.get_by_role("menuitem", name="Save shown packets").click()
    assert download.value.suggested_filename.endswith(".pcapng")
    path = tmp_path / "saved.pcapng"
    download.value.save_as(path)
    fields = ("frame.packet_flags_direction", "icmp.type", "icmp.seq", "frame.interface_name")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    command += [part for field in (*fields, "frame.time_epoch") for part in ("-e", field)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == 6
    # The host sees what was injected come in, and its own packets go out.
    kinds = {(int(row[0], 16), row[1]) for row in rows}
    assert kinds == {(1, "8"), (2, "0")}
    assert {row[3] for row in rows} == {"OfficeNet"}
    started = table.screen.service.http.get(f"/v1/sessions/{table.session}").json()["started_at"]
    assert all(float(row[4]) > 1.7e9 for row in rows), started


def test_a_selected_packet_is_edited_and_sent(table: Table) -> None:
    """It stands in the compose view, byte for byte."""
    from playwright.sync_api import expect

    table.inject(datagram(data=b"again"))
    table.row("Len=5").first.click()
    table.detail.get_by_role("button", name="Edit and send").click()
    expect(table.screen.page.locator("textarea.mono")).to_have_value(
        re.compile(datagram(data=b"again").hex(" ", 1)[:40])
    )


def test_loss_is_a_row(browser: Browser, tmp_path: Path) -> None:
    """A page that stood still is told what it missed: a row with cause and range."""
    with running(tmp_path, queue_packets=16) as service, Screen(browser, service) as screen:
        screen.sign_in()
        table = Table(screen)
        stand_still = "const end = Date.now() + 5000; while (Date.now() < end);"
        screen.page.evaluate(f"setTimeout(() => {{ {stand_still} }}, 0), null")
        burst = [datagram(data=bytes(1372))] * 90
        while not service.counters(table.session)["lost"]["queue"]:  # its socket is full
            table.inject(*burst)
        missing = r"\d+ packets \w+ host are missing \(sequence \d+ to \d+\)"
        row = table.row(re.compile(missing)).first
        screen.page.locator(".status-line").filter(has_text="missing").wait_for()
        assert "queue" in row.inner_text()


def test_an_ended_session_says_so(table: Table) -> None:
    """Its packets stay; the next session of the adapter takes its place."""
    from playwright.sync_api import expect

    table.ping()
    service = table.screen.service
    service.http.delete(f"/v1/sessions/{table.session}")
    expect(table.stream("Ended")).to_be_visible()
    expect(table.row("(ping) reply")).to_be_visible()
    table.session = service.session(table.adapter)["id"]
    expect(table.stream("Live")).to_be_visible()
    table.ping()
    expect(table.row("(ping) reply")).to_have_count(2)


def test_narrow_screens_keep_the_essential(browser: Browser, tmp_path: Path) -> None:
    """At 360 pixels nothing is wider than the screen, and a packet can still be read."""
    with (
        running(tmp_path) as service,
        Screen(browser, service, viewport={"width": 360, "height": 640}) as screen,
    ):
        screen.sign_in()
        table = Table(screen)
        table.inject(datagram())
        table.row(PEER).first.click()
        table.detail.locator(".hex-row").first.wait_for()
        assert int(screen.page.evaluate("document.documentElement.scrollWidth")) == 360
