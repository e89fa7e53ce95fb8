"""A person who has only used Wireshark finds, filters, follows and saves, by the keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.packet_table import HOST, Table
from wintun_api.packet import build

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.screen import Screen

pytestmark = pytest.mark.heavy

SERVER = "10.6.7.9"
REQUEST = b"GET /walk HTTP/1.1\r\nHost: office.example\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nBack at office"
SYN, RST, PSH_ACK, ACK = 2, 4, 24, 16
# Whatever comes of a pointer, wherever in the page.
WATCH_POINTER = """
window.touches = [];
for (const type of ["pointerdown", "mousedown", "mousemove", "wheel", "touchstart"]) {
  window.addEventListener(type, () => window.touches.push(type), { capture: true });
}
"""


def conversation() -> list[bytes]:
    """Return a request of a web page and its answer, as the host gets them."""

    def segment(flags: int, seq: int, ack: int, data: bytes = b"", *, back: bool = False) -> bytes:
        source, destination = (SERVER, HOST) if back else (HOST, SERVER)
        source_port, destination_port = (80, 50000) if back else (50000, 80)
        return build.tcp(
            source,
            destination,
            source_port,
            destination_port,
            sequence=seq,
            acknowledgement=ack,
            flags=flags,
            payload=data,
        )

    return [
        segment(SYN, 100, 0),
        segment(SYN | ACK, 500, 101, back=True),
        segment(ACK, 101, 501),
        segment(PSH_ACK, 101, 501, REQUEST),
        segment(PSH_ACK, 501, 101 + len(REQUEST), ANSWER, back=True),
    ]


def tab_to(screen: Screen, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until the focus is there, as a person does who looks where it is."""
    for _ in range(40):
        screen.page.keyboard.press(key)
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} cannot be reached with {key}.")


def test_a_walk_with_the_keyboard(screen: Screen, tmp_path: Path) -> None:
    """Nobody touches the mouse from the first key to the saved file."""
    from playwright.sync_api import expect

    table = Table(screen)
    page, keyboard = screen.page, screen.page.keyboard
    screen.service.session(screen.service.adapter(name="Lab"))
    table.ping(3)
    table.inject(*conversation())
    table.row("GET /walk").first.wait_for()
    page.evaluate(WATCH_POINTER)

    # To the view by its digit, to the filter as everywhere with a slash.
    keyboard.press("1")
    expect(page).to_have_title(re.compile("^Overview"))
    keyboard.press("2")
    expect(table.grid).to_be_visible()

    # Whose packets: another adapter, and back.
    picker = page.get_by_label("Packets of")
    tab_to(screen, picker)
    keyboard.press("ArrowUp")
    expect(page).to_have_title(re.compile("Lab"))
    expect(table.row("GET /walk")).to_have_count(0)
    keyboard.press("ArrowDown")
    expect(page).to_have_title(re.compile("OfficeNet"))
    table.row("GET /walk").first.wait_for()
    tab_to(screen, table.grid)
    keyboard.press("/")
    expect(table.filter).to_be_focused()

    # Filter as in Wireshark; what is not finished is said below and moves nothing.
    keyboard.type("tcp.port == ")
    expect(page.get_by_role("alert")).to_be_visible()
    keyboard.type("80")
    keyboard.press("Enter")
    expect(table.row("ICMP")).to_have_count(0)
    expect(page.locator("#filter-note")).to_contain_text("packets match")

    # Into the table, to a packet, into its fields.
    tab_to(screen, table.grid)
    keyboard.press("Home")
    keyboard.press("Control+f")
    keyboard.type("GET /walk")
    keyboard.press("Enter")
    expect(page.locator("#find-message")).to_contain_text("Packet ")
    keyboard.press("F3")
    expect(page.locator("#find-message")).to_contain_text("continued from the start")
    keyboard.press("Escape")
    expect(table.grid).to_be_focused()
    expect(table.grid.locator(".row.current")).to_contain_text("GET /walk HTTP/1.1")
    keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("role", "treeitem")
    keyboard.press("Home")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowDown")
    expect(table.detail.locator(".digits mark").first).to_be_visible()

    # Narrow the filter by a field, with its menu.
    keyboard.press("Shift+F10")
    expect(page.get_by_role("menu")).to_be_visible()
    for _ in range(2):
        keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("And this")
    keyboard.press("Enter")
    expect(table.filter).to_have_value(re.compile(r"^tcp\.port == 80 and ip\.version == 4$"))

    # Follow the stream, and come back.
    tab_to(screen, screen.button("Follow HTTP"), "Shift+Tab")
    keyboard.press("Enter")
    expect(screen.dialog).to_contain_text("Back at office")
    tab_to(screen, screen.button("Save text"))
    with page.expect_download() as download:
        keyboard.press("Enter")
    download.value.save_as(tmp_path / "walk.txt")
    text = (tmp_path / "walk.txt").read_text()
    assert "GET /walk HTTP/1.1" in text
    assert "Back at office" in text
    keyboard.press("Escape")
    expect(screen.dialog).to_have_count(0)

    # Mark the packet; save what is shown, then what is marked.
    tab_to(screen, table.grid, "Shift+Tab")
    keyboard.press("m")
    expect(page.locator(".status-line")).to_contain_text("★ 1 marked")
    tab_to(screen, screen.button("Save"), "Shift+Tab")
    shown = saved(screen, tmp_path / "shown.pcapng", "Home")
    assert REQUEST in shown
    assert ANSWER in shown
    assert b"are you there" not in shown  # the pings, which the filter hides
    marked = saved(screen, tmp_path / "marked.pcapng", "End")
    assert REQUEST in marked
    assert ANSWER not in marked
    assert page.evaluate("window.touches") == []


def saved(screen: Screen, path: Path, key: str) -> bytes:
    """Open the menu, go to its first or last line by a key, and save by that."""
    keyboard = screen.page.keyboard
    keyboard.press("Enter")
    keyboard.press(key)
    with screen.page.expect_download() as download:
        keyboard.press("Enter")
    download.value.save_as(path)
    return path.read_bytes()
