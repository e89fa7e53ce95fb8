"""The conversations of an adapter: listed, found, sorted, shown as packets, followed."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import Screen
from tests.running import RunningService
from wintun_api.choices import Scope
from wintun_api.packet import build
from wintun_api.wire import BATCH_TYPE, Batch, pack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy

# Neither of them is the emulated host, which would answer.
HOST = "10.6.8.7"
PEER = "10.6.8.8"
FIN, SYN, PSH, ACK = 1, 2, 8, 16
PAGE = b"The answer is long enough to be compressed, compressed, compressed."


class Talk:
    """A TCP connection from the peer to another host, every packet of which is injected."""

    def __init__(self, port: int, to: int = 80) -> None:
        self.ports = port, to
        self.numbers = [100, 500]
        self.packets: list[bytes] = []
        self._add(0, SYN, b"")
        self._add(1, SYN | ACK, b"")
        self._add(0, ACK, b"")

    def say(self, side: int, data: bytes) -> None:
        """Let one end say something, the other acknowledge it."""
        self._add(side, PSH | ACK, data)
        self._add(1 - side, ACK, b"")

    def close(self) -> None:
        """Let both ends close it."""
        self._add(0, FIN | ACK, b"")
        self._add(1, FIN | ACK, b"")
        self._add(0, ACK, b"")

    def _add(self, side: int, flags: int, data: bytes) -> None:
        ends = (PEER, HOST) if side == 0 else (HOST, PEER)
        ports = self.ports if side == 0 else self.ports[::-1]
        packet = build.tcp(
            *ends,
            *ports,
            sequence=self.numbers[side],
            acknowledgement=self.numbers[1 - side] if flags & ACK else 0,
            flags=flags,
            payload=data,
        )
        self.packets.append(packet)
        self.numbers[side] += len(data) + (1 if flags & (SYN | FIN) else 0)


class View:
    """The view of the conversations over one session."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        service = screen.service
        adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
        self.session = service.session(adapter)["id"]
        screen.go("Conversations")
        self.grid.wait_for()
        screen.page.locator(".state[data-state=live]").wait_for()

    @property
    def grid(self) -> Locator:
        """The table."""
        return self.screen.page.get_by_role("grid", name="Conversations")

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """Return the rows with this text, without the head."""
        return self.grid.locator(".rows").get_by_role("row").filter(has_text=text)

    @property
    def dialog(self) -> Locator:
        """The conversation that is followed."""
        return self.screen.page.get_by_role("dialog")

    def inject(self, *packets: bytes) -> None:
        """Inject packets, once the page takes them."""
        body = pack(Batch(packets))
        answer = self.screen.service.http.post(
            f"/v1/sessions/{self.session}/packets",
            content=body,
            headers={"Content-Type": BATCH_TYPE},
        )
        assert answer.json()["accepted"] == len(packets), answer.text

    def select(self, text: str) -> None:
        """Select a conversation."""
        self.row(text).click()


def http_talk(port: int = 1000) -> Talk:
    """Return a request and its answer, which is compressed and in chunks."""
    talk = Talk(port)
    talk.say(0, b"GET /page HTTP/1.1\r\nHost: office.example\r\n\r\n")
    body = gzip.compress(PAGE)
    half = len(body) // 2
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk.say(1, head + b"%x\r\n%s\r\n" % (half, body[:half]))
    talk.say(1, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body) - half, body[half:]))
    talk.close()
    return talk


@pytest.fixture
def view(screen: Screen) -> View:
    """The view, over a session."""
    view = View(screen)
    # A ping is answered once the page's stream is open.
    view.screen.page.locator(".conversations").wait_for()
    until_open(view)
    return view


def until_open(view: View) -> None:
    """Wait until packets come to the page."""
    from playwright.sync_api import expect

    view.screen.page.wait_for_function("document.querySelector('.state[data-state=live]')")
    for _ in range(50):
        view.inject(build.udp(PEER, HOST, 9, 9, b"are you there"))
        try:
            expect(view.row("9")).not_to_have_count(0, timeout=400)
        except AssertionError:
            continue
        return
    pytest.fail("No packet came to the page.")


def test_conversations_are_listed_with_their_state(view: View) -> None:
    """Who opened it, to whom, what was found in it, how far it is, and how much went which way."""
    from playwright.sync_api import expect

    talk = http_talk()
    view.inject(*talk.packets[:3])
    row = view.row(f"{PEER}:1000")
    expect(row).to_contain_text("Established")
    view.inject(*talk.packets[3:])
    expect(row).to_contain_text(re.compile(rf"HTTP.*{PEER}:1000.*{HOST}:80.*Closed"))
    expect(row.locator(".toPackets")).to_have_text(str(len(talk.packets)))


def test_words_find_conversations(view: View) -> None:
    """All of the words must be in a row; the search is in the address, and can be cleared."""
    from playwright.sync_api import expect

    view.inject(*http_talk(1000).packets, *http_talk(1001).packets)
    expect(view.row("HTTP")).to_have_count(2)
    view.screen.fill("Find conversations", "1001 http closed")
    expect(view.row("HTTP")).to_have_count(1)
    expect(view.screen.page).to_have_url(re.compile("find=1001"))
    view.screen.fill("Find conversations", "nobody")
    expect(view.screen.page.locator("main")).to_contain_text(
        "No conversation matches all of these words."
    )
    view.screen.button("Clear the search").click()
    expect(view.row("HTTP")).to_have_count(2)


def test_columns_sort(view: View) -> None:
    """The head of a column sorts by it, and the other way round the second time."""
    from playwright.sync_api import expect

    small, large = Talk(1000), http_talk(1001)
    view.inject(*small.packets, *large.packets)
    rows = view.row(re.compile("100[01]"))
    expect(rows).to_have_count(2)
    head = view.grid.get_by_role("columnheader", name="Bytes to host")
    head.get_by_role("button").click()
    expect(rows.first).to_contain_text("1001")
    head.get_by_role("button").click()
    expect(rows.last).to_contain_text("1001")
    expect(head).to_have_attribute("aria-sort", "ascending")


def test_a_press_while_conversations_come(view: View) -> None:
    """The list stands still until the release, which selects what was pressed."""
    from playwright.sync_api import expect

    page, shown = view.screen.page, view.row(f"{PEER}:")
    view.inject(*Talk(1000).packets, *Talk(1001).packets)
    view.row(f"{PEER}:1001").hover()
    page.mouse.down()
    view.inject(*Talk(1002).packets)
    expect(page.locator(".conversations")).to_contain_text("4 conversations")
    expect(shown.first).to_contain_text(f"{PEER}:1001")
    page.mouse.up()
    expect(view.row(f"{PEER}:1001")).to_have_attribute("aria-selected", "true")
    expect(shown.first).to_contain_text(f"{PEER}:1002")


def test_a_double_click_while_conversations_come(view: View) -> None:
    """It shows the packets of what the first press was on."""
    from playwright.sync_api import expect

    page, shown = view.screen.page, view.row(f"{PEER}:")
    view.inject(*Talk(1000).packets, *Talk(1001).packets)
    view.row(f"{PEER}:1001").click()
    view.inject(*Talk(1002).packets)
    expect(shown.first).to_contain_text(f"{PEER}:1002")
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(page.get_by_role("combobox", name="Display filter")).to_have_value("tcp.stream == 1")


def test_enter_shows_the_packets(view: View) -> None:
    """With the keys alone: select a conversation, see its packets and no others, come back."""
    from playwright.sync_api import expect

    talk = http_talk()
    view.inject(*talk.packets)
    expect(view.row("HTTP")).to_have_count(1)
    view.grid.focus()
    page = view.screen.page
    page.keyboard.press("Home")
    expect(view.row("HTTP")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    shown = page.locator(".status-line b")
    expect(shown).to_have_text(str(len(talk.packets)))
    expect(page.get_by_role("combobox", name="Display filter")).to_have_value("tcp.stream == 0")
    page.go_back()
    expect(view.row("HTTP")).to_have_attribute("aria-selected", "true")


def test_http_is_followed(view: View) -> None:
    """Messages with their bodies as they were before chunks and compression; words are found."""
    from playwright.sync_api import expect

    view.inject(*http_talk().packets)
    view.select("HTTP")
    view.grid.focus()
    view.screen.page.keyboard.press("f")
    said = view.dialog.get_by_role("region", name="What both ends said")
    expect(said).to_contain_text("GET /page HTTP/1.1")
    expect(said).to_contain_text(PAGE.decode())
    view.dialog.get_by_label("Find in the conversation").fill("compressed")
    expect(view.dialog.get_by_role("status").filter(has_text="of 3")).to_have_text("1 of 3")
    view.screen.page.keyboard.press("Enter")
    expect(view.dialog.locator("mark.current")).to_have_count(1)
    expect(view.dialog.get_by_role("status").filter(has_text="of 3")).to_have_text("2 of 3")
    view.screen.page.keyboard.press("Escape")  # which clears the field
    view.screen.page.keyboard.press("Escape")
    expect(view.dialog).to_have_count(0)
    expect(view.grid).to_be_focused()


def test_the_next_place_is_found_before_the_page_is_painted(view: View) -> None:
    """Enter right after the last letter goes on from the first place, and stays there."""
    from playwright.sync_api import expect

    view.inject(*http_talk().packets)
    view.select("HTTP")
    view.screen.button("Follow stream").click()
    expect(view.dialog).to_contain_text(PAGE.decode())
    view.dialog.get_by_label("Find in the conversation").evaluate(
        """async (field) => {
          field.value = "compressed";
          field.dispatchEvent(new InputEvent("input", { bubbles: true }));
          while (field.form.querySelector("[type=submit]").disabled) await null;
          field.form.requestSubmit();
          const painted = () =>
            new Promise((then) => requestAnimationFrame(() => setTimeout(then)));
          for (let frame = 0; frame < 3; frame++) await painted();
        }"""
    )
    expect(view.dialog.locator(".found")).to_have_text("2 of 3")


def test_bytes_are_saved(view: View, tmp_path: Path) -> None:
    """What one end said, byte by byte."""
    from playwright.sync_api import expect

    talk = Talk(1000, 7)
    talk.say(0, b"\0\1\2")
    talk.say(1, b"hello")
    view.inject(*talk.packets)
    view.select(f"{PEER}:1000")
    view.screen.button("Follow stream").click()
    view.dialog.get_by_role("radio", name="Hex").check(force=True)
    expect(view.dialog).to_contain_text("68 65 6c 6c 6f")
    view.dialog.get_by_role("combobox").select_option(label=f"{HOST}:7")
    expect(view.dialog).not_to_contain_text("00 01 02")
    with view.screen.page.expect_download() as saved:
        view.screen.button("Save raw bytes").click()
    saved.value.save_as(tmp_path / "saved.bin")
    assert (tmp_path / "saved.bin").read_bytes() == b"hello"


def test_a_gap_is_marked(view: View) -> None:
    """What never came is said where it is missing."""
    from playwright.sync_api import expect

    talk = Talk(1000, 7)
    talk.say(0, b"first ")
    del talk.packets[-1]
    talk.numbers[0] += 40
    talk.say(0, b"last")
    view.inject(*talk.packets)
    view.select(f"{PEER}:1000")
    view.screen.button("Follow stream").click()
    expect(view.dialog).to_contain_text("40 bytes are missing here")


def test_back_closes_what_is_followed(view: View) -> None:
    """It has an entry of its own in the history: the view stays, and Forward shows it again."""
    from playwright.sync_api import expect

    page = view.screen.page
    view.screen.go("Packets")
    view.screen.go("Conversations")
    view.inject(*http_talk().packets)
    view.select("HTTP")
    view.screen.button("Follow stream").click()
    view.dialog.wait_for()
    page.go_back()
    expect(view.dialog).to_have_count(0)
    expect(view.grid).to_be_visible()
    page.go_forward()
    expect(view.dialog).to_contain_text("GET /page HTTP/1.1")
    page.keyboard.press("Escape")
    expect(view.dialog).to_have_count(0)
    expect(view.grid).to_be_visible()
    page.go_back()
    expect(page.get_by_role("grid", name="Packets")).to_be_visible()
    expect(view.dialog).to_have_count(0)


def test_what_is_followed_leads_to_its_packets(view: View) -> None:
    """To each packet of a run; Back shows again what was followed."""
    from playwright.sync_api import expect

    page = view.screen.page
    talk = Talk(1000, 7)
    for part in (b"one ", b"two ", b"three"):
        talk.say(0, part)
    view.inject(*talk.packets)
    view.select(f"{PEER}:1000")
    view.screen.button("Follow stream").click()
    expect(view.dialog.locator("article")).to_have_count(1)
    packets = view.dialog.locator("article h3").get_by_role("button")
    expect(packets).to_have_count(3)
    number = int(str(packets.nth(2).inner_text()))
    assert number == int(str(packets.first.inner_text())) + 4
    packets.nth(2).click()
    detail = page.get_by_role("region", name="Packet details")
    expect(detail.get_by_role("heading")).to_have_text(f"Packet {number}")
    expect(view.dialog).to_have_count(0)
    detail.get_by_role("button", name="Follow TCP").click()
    expect(view.dialog).to_contain_text("one two three")
    view.dialog.get_by_role("button", name=str(number), exact=True).click()
    expect(view.dialog).to_have_count(0)
    expect(detail.get_by_role("heading")).to_have_text(f"Packet {number}")
    page.go_back()
    expect(view.dialog).to_contain_text("one two three")
    page.go_back()
    expect(view.dialog).to_have_count(0)
    page.go_back()
    expect(view.dialog).to_contain_text("one two three")
    page.go_back()
    expect(view.dialog).to_have_count(0)
    expect(view.grid).to_be_visible()


def test_the_conversations_of_a_file_are_shown(view: View, tmp_path: Path) -> None:
    """Those of the file and no others; what it does not say, where packets went, is not claimed."""
    from playwright.sync_api import expect

    file = tmp_path / "office.pcap"
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for packet in http_talk().packets:
        size = len(packet)
        parts.append(struct.pack("<4I", 1_700_000_000, 0, size, size) + packet)
    file.write_bytes(b"".join(parts))
    view.screen.go("Packets")
    with view.screen.page.expect_file_chooser() as chosen:
        view.screen.button("Open file…").click()
    chosen.value.set_files(file)
    view.screen.go("Conversations")
    expect(view.grid.locator(".rows").get_by_role("row")).to_have_count(1)
    expect(view.row("HTTP").locator(".fromPackets")).to_have_text("7")
    opener = view.grid.get_by_role("columnheader", name="Packets from the opener")
    expect(opener).to_have_count(1)
    view.select("HTTP")
    view.screen.button("Follow stream").click()
    expect(view.dialog).to_contain_text(PAGE.decode())
    expect(view.dialog).not_to_contain_text("host,")


def test_a_token_that_may_not_see_packets_is_told(
    browser: Browser, service: RunningService
) -> None:
    """Which right is missing; no table stands there as if nobody talked."""
    from playwright.sync_api import expect

    with Screen(browser, service) as screen:
        screen.sign_in(service.token(Scope.READ))
        screen.go("Conversations")
        expect(screen.page.locator("main")).to_contain_text("a token that has the scope “capture”")
        expect(screen.page.get_by_role("grid", name="Conversations")).to_have_count(0)
