"""The packet view in detail: filter bar, columns, details, search, files, small screens."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.axe import violations
from tests.browser.packet_table import HOST, PEER, Table, datagram, echo
from tests.browser.screen import Screen
from tests.running import running
from wintun_api.packet import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy

ETHERNET = 1
MACS = bytes(12)


@pytest.fixture
def table(screen: Screen) -> Table:
    return Table(screen)


@contextmanager
def sized(browser: Browser, folder: Path, width: int, height: int) -> Iterator[Table]:
    """The table of a service of its own, in a window of this size."""
    with (
        running(folder) as service,
        Screen(browser, service, viewport={"width": width, "height": height}) as screen,
    ):
        screen.sign_in()
        yield Table(screen)


def pcap(*frames: bytes) -> bytes:
    """Return a file as a program on Ethernet writes it."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, ETHERNET)
    for number, frame in enumerate(frames):
        file += struct.pack("<IIII", 1_700_000_000, number, len(frame), len(frame)) + frame
    return file


def open_file(screen: Screen, path: Path) -> None:
    with screen.page.expect_file_chooser() as chooser:
        screen.button("Open file…").click()
    chooser.value.set_files(path)


def test_tab_writes_nothing_and_goes_on(table: Table) -> None:
    """Neither an empty filter nor a typed one is a trap; Escape deletes nothing."""
    from playwright.sync_api import expect

    keyboard = table.screen.page.keyboard
    table.filter.focus()
    keyboard.press("Tab")
    expect(table.filter).not_to_be_focused()
    expect(table.filter).to_have_value("")
    table.filter.press_sequentially("tc")
    expect(table.screen.page.get_by_role("listbox")).to_be_visible()
    keyboard.press("Tab")
    expect(table.filter).not_to_be_focused()
    expect(table.filter).to_have_value("tc")
    table.filter.fill("tcp")
    keyboard.press("Escape")
    expect(table.screen.page.get_by_role("listbox")).to_have_count(0)
    keyboard.press("Escape")
    expect(table.filter).to_have_value("tcp")


def test_down_leaves_the_filter_for_the_table(table: Table) -> None:
    """Where suggestions are open it chooses one of them; with Alt it opens them."""
    from playwright.sync_api import expect

    table.ping(2)
    keyboard = table.screen.page.keyboard
    suggestions = table.screen.page.get_by_role("listbox")
    table.filter.press_sequentially("icm")
    keyboard.press("ArrowDown")
    expect(suggestions.get_by_role("option", selected=True)).to_have_count(1)
    keyboard.press("Enter")
    expect(table.filter).to_have_value("icmp ")
    keyboard.press("Escape")
    keyboard.press("Alt+ArrowDown")
    expect(suggestions).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("ArrowDown")
    expect(table.grid).to_be_focused()
    expect(table.grid.locator(".row.current .number")).to_have_text("1")


def test_an_error_does_not_move_the_table(table: Table) -> None:
    """Its line is there before, and a count takes its place once the filter is mended."""
    from playwright.sync_api import expect

    table.ping()
    before = table.grid.bounding_box()
    table.filter.fill("ip.src == ")
    note = table.screen.page.locator("#filter-note")
    expect(note.get_by_role("alert")).to_be_visible()
    assert table.grid.bounding_box() == before
    table.filter.fill("icmp")
    expect(note).to_have_text("2 of 2 packets match")
    assert table.grid.bounding_box() == before


def test_an_unknown_word_is_offered_as_text(table: Table) -> None:
    """The offer is a button that searches for the word."""
    from playwright.sync_api import expect

    table.ping()
    table.inject(datagram())
    table.filter.fill("brown")
    table.screen.button("Search the text for “brown”").click()
    expect(table.filter).to_have_value('"brown"')
    expect(table.row("40000 → 9999")).to_have_count(1)
    expect(table.row("ICMP")).to_have_count(0)


def test_clearing_keeps_the_selected_packet_in_view(table: Table) -> None:
    """What was found is seen among what was around it."""
    from playwright.sync_api import expect

    table.ping(30)
    table.inject(datagram())
    table.ping(60)
    table.filter.fill("udp")
    table.filter.press("Enter")
    table.row("40000 → 9999").click()
    table.screen.button("Clear the filter").click()
    expect(table.row("ICMP").first).to_be_visible()
    selected = table.grid.locator(".row.current")
    expect(selected).to_contain_text("40000 → 9999")
    expect(selected).to_be_in_viewport()


def test_terms_are_put_together(table: Table) -> None:
    """From a cell and from a field: and, or, not."""
    from playwright.sync_api import expect

    menu = table.screen.page.get_by_role("menuitem")
    table.ping()
    table.inject(datagram())
    table.row("(ping) request").locator(".source").click(button="right")
    menu.filter(has_text="Show only this").click()
    expect(table.filter).to_have_value(f"ip.src == {PEER}")
    expect(table.row("(ping) reply")).to_have_count(0)  # rows change their place
    table.row("40000 → 9999").locator(".protocol").click(button="right")
    menu.filter(has_text="And not this").click()
    expect(table.filter).to_have_value(f"ip.src == {PEER} and not udp")
    expect(table.row("40000 → 9999")).to_have_count(0)
    table.row("(ping) request").click()
    table.fold("Internet Control Message Protocol").click()
    table.node("Type").hover()
    table.screen.button("Actions for Type").click()
    menu.filter(has_text="Or this").click()
    expect(table.filter).to_have_value(f"(ip.src == {PEER} and not udp) or icmp.type == 8")


def test_filters_are_remembered_and_saved(table: Table) -> None:
    """Both are there after a reload."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.filter.fill("udp and port 9999")
    table.filter.press("Enter")
    page.get_by_title("Recent and saved filters").click()
    page.get_by_label("Save the filter as").fill("our echo")
    table.screen.button("Save filter").click()
    table.screen.button("Clear the filter").click()
    page.reload()
    table.screen.is_live()
    page.get_by_title("Recent and saved filters").click()
    expect(page.get_by_role("region", name="Recent filters")).to_contain_text("udp and port 9999")
    page.get_by_role("button", name="our echo").first.click()
    expect(table.filter).to_have_value("udp and port 9999")


def test_layers_stay_as_they_were_left(table: Table) -> None:
    """In the next packet, and after a reload."""
    from playwright.sync_api import expect

    table.inject(datagram(), datagram(data=b"another"))
    table.row("Len=19").first.click()
    expect(table.node("Time to live")).to_have_count(0)
    table.fold("Internet Protocol Version 4").click()
    expect(table.node("Time to live")).to_be_visible()
    table.row("Len=7").first.click()
    expect(table.node("Time to live")).to_be_visible()
    table.screen.page.reload()
    table.stream("Live").wait_for()
    table.inject(datagram(data=b"once more"))
    table.row("Len=9").first.click()
    expect(table.node("Time to live")).to_be_visible()


def test_the_details_have_a_few_tab_stops(table: Table) -> None:
    """Arrows move among fields and bytes; Escape goes back to the table."""
    from playwright.sync_api import expect

    table.inject(datagram())
    page, keyboard = table.screen.page, table.screen.page.keyboard
    table.grid.focus()
    keyboard.press("Home")
    keyboard.press("Enter")
    focused = page.locator(":focus")
    expect(focused).to_contain_text("Data")
    keyboard.press("Home")
    expect(focused).to_contain_text("Internet Protocol Version 4")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowDown")
    expect(focused).to_contain_text("Version")
    expect(table.detail.locator(".digits mark").first).to_have_text("45")
    keyboard.press("Tab")
    expect(focused).to_have_class(re.compile("hex"))
    keyboard.press("End")
    expect(table.detail.locator(".byte-about")).to_contain_text("data.len")
    keyboard.press("Escape")
    keyboard.press("Escape")
    expect(table.detail).to_have_count(0)
    expect(table.grid).to_be_focused()


def test_a_large_packet_has_only_the_rows_in_view(table: Table) -> None:
    """Its last byte is a key away."""
    from playwright.sync_api import expect

    table.inject(datagram(data=bytes(60_004) + b"end"))
    table.row("Len=60007").first.click()
    rows = table.detail.locator(".hex-row")
    expect(rows.first).to_be_visible()
    assert rows.count() < 60
    table.detail.locator(".hex").focus()
    table.screen.page.keyboard.press("End")
    expect(rows.last).to_contain_text("end")


def test_copying_needs_no_secure_context(table: Table) -> None:
    """The page says what was copied."""
    from playwright.sync_api import expect

    page = table.screen.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    table.inject(datagram())
    table.row("Len=19").first.click()
    table.screen.button("Copy as hex").click()
    expect(page.get_by_text("47 bytes copied.")).to_be_visible()
    table.filter.focus()
    page.keyboard.press("Control+v")
    expect(table.filter).to_have_value(re.compile("^45 00 00 2f"))


def test_columns_are_chosen(table: Table) -> None:
    """A field is a column, another is hidden; so it stays after a reload."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.inject(datagram())
    table.row("Len=19").first.click()
    table.fold("User Datagram Protocol").click()
    table.node("Destination port").click(button="right")
    page.get_by_role("menuitem", name="Add as a column").click()
    expect(table.row("Len=19").first.locator(".field")).to_have_text(re.compile("9999"))
    page.get_by_title("Columns, times and limits of the table").click()
    page.get_by_role("checkbox", name="Bytes").uncheck()
    page.keyboard.press("Escape")
    heads = table.grid.get_by_role("columnheader")
    names = ["No.", "Time", "Direction", "Source", "Destination", "Protocol"]
    expect(heads).to_have_text([*names, "Destination port", "Info"])
    page.reload()
    expect(heads).to_have_text([*names, "Destination port", "Info"])


def test_a_popup_closes_with_escape_and_by_a_click_elsewhere(table: Table) -> None:
    """The packet stays selected, and the focus goes back to what opened it."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.inject(datagram())
    table.row("Len=19").first.click()
    opener = page.get_by_title("Columns, times and limits of the table")
    settings = page.get_by_role("region", name="Limits")
    opener.click()
    expect(settings).to_be_visible()
    page.keyboard.press("Escape")
    expect(settings).not_to_be_visible()
    expect(opener).to_be_focused()
    expect(table.detail).to_be_visible()
    opener.click()
    table.row("Len=19").first.click()
    expect(settings).not_to_be_visible()
    expect(table.detail).to_be_visible()


def test_a_popup_is_whole_on_a_small_screen(browser: Browser, tmp_path: Path) -> None:
    """Its labels are inside the screen."""
    with (
        running(tmp_path) as service,
        Screen(browser, service, viewport={"width": 320, "height": 640}) as screen,
    ):
        screen.sign_in()
        Table(screen)
        page = screen.page

        def is_whole() -> bool:
            box = page.locator("details[open] .panel").bounding_box()
            assert box is not None
            return bool(box["x"] >= 0 and box["x"] + box["width"] <= 320)

        for item in ("Legend", "Columns, times, limits"):
            screen.button("More").click()
            page.get_by_role("menuitem", name=item).click()
            assert is_whole(), item
            page.keyboard.press("Escape")
        page.get_by_title("Recent and saved filters").click()
        assert is_whole()


def test_some_packets_are_marked_selected_and_saved(table: Table, tmp_path: Path) -> None:
    """Shift and arrows select, M marks, and only these are in the file."""
    from playwright.sync_api import expect

    page, keyboard = table.screen.page, table.screen.page.keyboard
    table.ping(5)
    table.grid.focus()
    keyboard.press("Home")
    for _ in range(2):
        keyboard.press("Shift+ArrowDown")
    status = page.locator(".status-line")
    expect(status).to_contain_text("3 selected")
    keyboard.press("m")
    expect(status).to_contain_text("★ 3 marked")
    keyboard.press("End")
    keyboard.press("m")
    expect(status).to_contain_text("★ 4 marked")
    table.screen.button("Save").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Save marked packets").click()
    path = tmp_path / "marked.pcapng"
    download.value.save_as(path)
    open_file(table.screen, path)
    expect(page.locator(".file-strip")).to_contain_text("4 packets")


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("Text", "quick BROWN", "Packet 3"),
        ("Bytes", "71 75 69 63", "Packet 3"),
        ("Filter", "udp.dstport == 9999", "Packet 3"),
        ("Number", "2", ""),
        ("Text", "elephant", "Not found in the packets that are shown."),
        ("Bytes", "4", 'A byte has two digits, and "4" has one.'),
        ("Number", "99", "There is no packet 99 yet: the last one is 4."),
    ],
)
def test_packets_are_found(table: Table, kind: str, text: str, said: str) -> None:
    """By text, bytes, filter or number; what cannot be found is said."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.ping()
    table.inject(datagram())
    table.row("9999 → 40000").first.wait_for()
    table.screen.button("Find").click()
    page.get_by_label("Find by").select_option(kind)
    page.get_by_label(f"Find {kind.lower()}", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#find-message")).to_have_text(said)
    if said.startswith("Packet 3") or not said:
        number = 3 if said else 2
        expect(table.detail.get_by_role("heading")).to_have_text(f"Packet {number}")


def test_a_file_is_shown_in_place_of_what_comes(table: Table, tmp_path: Path) -> None:
    """Its packets keep their numbers, no direction is claimed, and closing it leads back."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.ping()
    path = tmp_path / "office.pcap"
    arp = MACS + b"\x08\x06" + bytes(28)
    frame = MACS + b"\x08\x00" + datagram(data=b"from a file")
    path.write_bytes(pcap(frame, arp, frame)[:-3])
    open_file(table.screen, path)
    strip = page.locator(".file-strip")
    expect(strip).to_contain_text("office.pcap · 2 packets · the file has no directions")
    expect(strip).to_contain_text("The file ends inside packet 3")
    expect(strip).to_contain_text("1 of its packets is not IP")
    expect(page).to_have_title(re.compile("office.pcap"))
    cells = table.row("Len=11").get_by_role("gridcell")
    expect(cells.nth(0)).to_have_text("1")
    expect(table.grid.get_by_role("columnheader", name="Direction")).to_have_count(0)
    expect(table.row("ARP").get_by_role("gridcell").first).to_have_text("2")
    table.row("ARP").click()
    expect(table.detail.locator(".empty")).to_have_text(
        "ARP: not an IP packet, so it is not decoded."
    )
    expect(table.row("ICMP")).to_have_count(0)
    table.screen.go("Conversations")
    expect(page.get_by_role("row", name=re.compile("10.6.7.8.*10.6.7.99"))).to_be_visible()
    expect(page.get_by_title("from the opener").first).to_be_visible()
    table.screen.go("Packets")
    table.inject(echo(2))
    table.screen.button("Close the file and go back to live").click()
    expect(table.row("(ping) reply")).to_have_count(2)


@pytest.mark.parametrize("filtered", [False, True])
def test_a_file_begins_with_its_first_packet(table: Table, tmp_path: Path, filtered: bool) -> None:
    """It does so from a table that was scrolled, and through a filter."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.ping(60)
    if filtered:
        table.filter.fill("udp or icmp")
        page.keyboard.press("Enter")
        expect(page.locator("#filter-note")).to_contain_text("120 of 120 packets match")
    table.grid.locator(".scroller").evaluate("element => element.scrollTo(0, 900)")
    expect(table.screen.button("Newest")).to_have_attribute("aria-pressed", "false")
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap(*[MACS + b"\x08\x00" + datagram(port) for port in range(6000, 9000)]))
    open_file(table.screen, path)
    expect(page.locator(".file-strip")).to_contain_text("3,000 packets")
    expect(page.locator(".status-line")).to_contain_text("3,000 of 3,000 packets shown")
    expect(table.row("40000 → 6000")).to_be_in_viewport()
    expect(page.locator(".status .state")).to_have_text("Connected")


def test_a_file_is_in_the_address(table: Table, tmp_path: Path) -> None:
    """Back shows again what comes, with its packet, Forward the file; a reload says so."""
    from playwright.sync_api import expect

    page = table.screen.page
    table.ping()
    table.row("(ping) reply").click()
    heading = table.detail.get_by_role("heading")
    expect(heading).to_have_text("Packet 2")
    path = tmp_path / "office.pcap"
    head = bytes(12) + b"\x08\0"
    path.write_bytes(pcap(head + datagram(), head + datagram(9998)))
    open_file(table.screen, path)
    strip = page.locator(".file-strip")
    expect(strip).to_contain_text("2 packets")
    expect(table.detail).to_have_count(0)
    table.row("9998").click()
    assert "file=office.pcap" in page.url
    page.go_back()
    expect(strip).to_have_count(0)
    expect(heading).to_have_text("Packet 2")
    expect(table.row("(ping) reply")).to_have_attribute("aria-selected", "true")
    page.go_forward()
    expect(strip).to_contain_text("office.pcap")
    expect(heading).to_have_text("Packet 2")
    expect(table.row("9998")).to_have_attribute("aria-selected", "true")
    page.reload()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("The file office.pcap is no longer open")
    expect(notice).to_contain_text("Open file…")
    assert "file=" not in page.url
    assert "packet=" not in page.url
    table.stream("Live").wait_for()
    table.ping()
    expect(table.detail).to_have_count(0)
    open_file(table.screen, path)
    expect(strip).to_contain_text("2 packets")
    expect(notice).to_have_count(0)


def test_what_is_no_capture_file_is_refused(table: Table, tmp_path: Path) -> None:
    """The page says so, and shows what it showed before."""
    from playwright.sync_api import expect

    table.ping()
    path = tmp_path / "letter.pcap"
    path.write_text("Dear Sir or Madam")
    open_file(table.screen, path)
    said = "letter.pcap was not opened. This is not a capture file."
    expect(table.screen.page.get_by_text(said)).to_be_visible()
    expect(table.row("(ping) reply")).to_be_visible()


def test_what_is_followed_has_a_layout_before_conversations_were_open(table: Table) -> None:
    """The dialog over this view has the same style as the one over Conversations."""
    display = table.screen.page.evaluate(
        """() => {
            const dialog = document.createElement("dialog");
            dialog.className = "dialog follow";
            dialog.open = true;
            document.body.append(dialog);
            const { display } = getComputedStyle(dialog);
            dialog.remove();
            return display;
        }"""
    )
    assert display == "flex"


def test_wireshark_is_a_command_away(table: Table) -> None:
    from playwright.sync_api import expect

    table.screen.button("Wireshark…").click()
    expect(table.screen.dialog).to_contain_text(
        "wintun-api capture OfficeNet --write - | wireshark -k -i -"
    )
    expect(table.screen.dialog).to_contain_text("wintun-api:OfficeNet")
    expect(table.screen.button("Done")).to_be_focused()


def test_trouble_stands_out(table: Table) -> None:
    """A reset and a wrong checksum have a colour and a sign, which the legend explains."""
    from playwright.sync_api import expect

    reset = build.tcp(PEER, HOST, 40000, 80, flags=4)
    wrong = bytearray(datagram())
    wrong[26] ^= 0xFF
    table.inject(reset, bytes(wrong))
    expect(table.grid.locator(".row.tint-reset .info")).to_have_text(re.compile("^⊗ "))
    expect(table.grid.locator(".row.tint-checksum .info").first).to_have_text(re.compile("^≠ "))
    table.screen.page.get_by_title("What the arrows, colours and keys mean").click()
    legend = table.screen.page.get_by_role("region", name="Colours and signs")
    expect(legend).to_contain_text("⊗ TCP reset")


def test_an_empty_table_says_what_to_do(table: Table) -> None:
    """While nothing came, when the filter hides all, and after the table was cleared."""
    from playwright.sync_api import expect

    empty = table.screen.page.locator(".empty-table")
    expect(empty).to_contain_text("Waiting for packets of OfficeNet.")
    table.ping()
    expect(empty).to_have_count(0)
    table.filter.fill("tcp")
    table.filter.press("Enter")
    expect(empty).to_contain_text("The filter hides all 2 packets.")
    empty.get_by_role("button", name="Show all packets").click()
    expect(table.row("(ping) reply")).to_be_visible()
    table.screen.button("Clear").click()
    expect(empty).to_contain_text("Waiting for packets of OfficeNet.")


def test_a_request_and_its_answer_lead_to_each_other(table: Table) -> None:
    """The details name the other packet, and a button goes there."""
    from playwright.sync_api import expect

    table.ping(3)
    table.row(re.compile("reply.*seq=2/")).click()
    table.fold("Internet Control Message Protocol").click()
    table.screen.button("Go to packet 2").click()
    expect(table.detail.get_by_role("heading")).to_have_text("Packet 2")
    expect(table.screen.button("Go to packet 5")).to_be_visible()
    expect(table.node("Time to this answer")).to_have_count(0)


def test_sequence_numbers_are_relative_with_the_raw_ones_beside(table: Table) -> None:
    """As Wireshark shows them, in the line and in the details."""
    from playwright.sync_api import expect

    ends = (PEER, HOST, 40000, 80)
    table.inject(
        build.tcp(*ends, sequence=7000),
        build.tcp(*ends, sequence=7001, acknowledgement=1, flags=24, payload=b"hello"),
    )
    row = table.row("[PSH, ACK]")
    expect(row).to_contain_text("Seq=1 ")
    row.click()
    table.fold("Transmission Control Protocol").click()
    names = table.detail.locator(".node .name").all_inner_texts()
    relative = names.index("Sequence number (relative)")
    assert names[relative + 1] == "Sequence number"
    expect(table.node("Sequence number")).to_contain_text("7001")


def test_a_token_that_may_not_capture_is_told_so(screen: Screen) -> None:
    """The table says which right is missing."""
    from playwright.sync_api import expect

    screen.service.session(screen.service.adapter(name="OfficeNet"))
    token = screen.service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()["token"]
    screen.button("Sign out").click()
    screen.button("Sign in").wait_for()
    screen.sign_in(token)
    screen.go("Packets")
    expect(screen.page.locator(".empty-table")).to_contain_text("This token cannot see packets.")


def test_the_view_keeps_the_rules_of_accessibility(table: Table) -> None:
    """With details, a search and each of the parts that open."""
    table.ping(3)
    table.row("(ping) reply").first.click()
    table.screen.page.keyboard.press("Control+f")
    titles = (
        "Recent and saved filters",
        "Columns, times and limits of the table",
        "What the arrows, colours and keys mean",
    )
    for title in titles:
        table.screen.page.get_by_title(title).click()
        assert violations(table.screen) == []
        table.screen.page.keyboard.press("Escape")
    table.row("(ping) reply").first.click(button="right")
    assert violations(table.screen) == []


def test_forced_colours_show_what_is_selected(browser: Browser, tmp_path: Path) -> None:
    """The selected row and field have an outline where colours are the system's."""
    from playwright.sync_api import expect

    with running(tmp_path) as service, Screen(browser, service, forced_colors="active") as screen:
        screen.sign_in()
        table = Table(screen)
        table.inject(datagram())
        table.row("Len=19").first.click()
        expect(table.grid.locator(".row.current")).to_have_css("outline-style", "solid")
        table.node("Data").click()
        expect(table.node("Data")).to_have_css("outline-style", "solid")


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (900, 700), (2560, 1440)])
def test_every_width_shows_all_of_a_packet(
    browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    """Nothing is wider than the screen; time, direction and info are in the row."""
    from playwright.sync_api import expect

    with sized(browser, tmp_path, width, height) as table:
        table.inject(datagram())
        row = table.row(PEER).first
        row.click()
        shown_whole(row)
        expect(table.detail.locator(".hex-row").first).to_be_in_viewport()
        fits(table.screen, width, height)


def shown_whole(row: Locator) -> None:
    """Of a row, time and arrow are not cut, and something is seen of the rest."""
    for name in ("time", "direction", "source", "info"):
        box = row.locator(f".{name}").bounding_box()
        assert box is not None
        assert box["width"] > 15, name
    cut = "cell => cell.scrollWidth - cell.clientWidth"
    assert int(row.locator(".time").evaluate(cut)) <= 0


def fits(screen: Screen, width: int, height: int) -> None:
    """Neither the page nor the view scrolls; both lines of state are in view."""
    from playwright.sync_api import expect

    sizes = """[document.documentElement, document.querySelector("main")].flatMap(
        (one) => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight])"""
    assert screen.page.evaluate(sizes) == [0, 0, 0, 0]
    over = "[document.documentElement.clientWidth, document.documentElement.clientHeight]"
    assert screen.page.evaluate(over) == [width, height]
    expect(screen.page.locator(".status-line")).to_be_in_viewport(ratio=1)
    expect(screen.page.locator(".status")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), [(320, 568), (360, 640), (640, 400)])
def test_small_screens_show_table_and_details_in_turn(
    browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    """Arrows move in the table, Enter or a click shows the details, Escape and Back lead back."""
    from playwright.sync_api import expect

    with sized(browser, tmp_path, width, height) as table:
        table.ping(20)
        fits(table.screen, width, height)
        assert violations(table.screen) == []
        expect(table.filter).to_be_in_viewport(ratio=1)
        keyboard = table.screen.page.keyboard
        table.filter.press("ArrowDown")
        expect(table.grid).to_be_focused()
        expect(table.grid.locator(".row.current .number")).to_have_text("1")
        keyboard.press("ArrowDown")
        current = table.grid.locator(".row.current")
        expect(current.locator(".number")).to_have_text("2")
        expect(table.detail).to_have_count(0)
        shown_whole(current)
        keyboard.press("Enter")
        expect(table.detail.get_by_role("heading")).to_have_text("Packet 2")
        expect(current).to_be_hidden()
        expect(table.filter).to_be_in_viewport(ratio=1)
        fits(table.screen, width, height)
        table.screen.button("Next packet").click()
        expect(table.detail.get_by_role("heading")).to_have_text("Packet 3")
        show = table.screen.page.get_by_role("radio", name="Bytes")
        if height <= 560:
            show.check()
        else:
            expect(show).to_have_count(0)
        expect(table.detail.locator(".hex-row").first).to_be_in_viewport()
        fits(table.screen, width, height)
        table.screen.button("Back").click()
        expect(current.locator(".number")).to_have_text("3")
        expect(table.grid).to_be_focused()
        current.click()
        expect(table.detail.locator("[role=treeitem]:focus")).to_be_visible()
        keyboard.press("Escape")
        expect(table.detail).to_have_count(0)
        expect(current).to_be_in_viewport()


def test_what_does_not_fit_is_in_a_menu(browser: Browser, tmp_path: Path) -> None:
    """At 200 % every button of the wide page is there, and what opens closes with Escape."""
    from playwright.sync_api import expect

    with (
        running(tmp_path) as service,
        Screen(browser, service, viewport={"width": 640, "height": 400}) as screen,
    ):
        screen.sign_in()
        table = Table(screen)
        table.ping()
        more = screen.page.get_by_role("toolbar", name="Packets").get_by_title("More")
        items = screen.page.get_by_role("menuitem")
        more.click()
        expect(items).to_contain_text(
            [
                *("Find", "Clear", "Save shown packets", "Save selected packets"),
                *("Save marked packets", "Open file…", "Wireshark…", "Record…"),
                *("Legend", "Columns, times, limits"),
            ]
        )
        items.filter(has_text="Legend").click()
        expect(screen.page.get_by_role("region", name="Colours and signs")).to_be_visible()
        screen.page.keyboard.press("Escape")
        expect(screen.page.get_by_role("region", name="Colours and signs")).to_be_hidden()
        expect(more).to_be_focused()
        more.click()
        items.filter(has_text="Columns").click()
        assert violations(screen) == []
        screen.page.keyboard.press("Escape")
        more.click()
        items.filter(has_text="Wireshark…").click()
        expect(screen.dialog).to_contain_text("wintun-api:OfficeNet")
