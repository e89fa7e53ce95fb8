"""The capture reader: against our own encoder, and against what Wireshark's tools write."""

from __future__ import annotations

import gzip
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.samples import HEADER, LENGTHS, PACKETS, TIME
from tests.needs import needs
from wintun_api.capture import links, pcapng
from wintun_api.capture.reader import Captured, Reader
from wintun_api.packet import build

END = pcapng.statistics(start_ns=TIME, end_ns=TIME, received=20, dropped=6)
FILE = (
    HEADER
    + pcapng.packets(PACKETS, LENGTHS, TIME, injected=False, dropped=6)
    + pcapng.packets(
        [packet[:24] for packet in PACKETS],
        [24] * len(PACKETS),
        TIME + 1,
        injected=True,
        original_lengths=LENGTHS,
    )
    + END
)
EXPECTED = [
    *(
        Captured(packet, 0, TIME, False, 0 if at else 6, interface="OfficeNet")
        for at, packet in enumerate(PACKETS)
    ),
    *(
        Captured(packet[:24], len(packet) - 24, TIME + 1, True, interface="OfficeNet")
        for packet in PACKETS
    ),
]


@pytest.mark.parametrize("size", [1, 7, 4096, len(FILE)])
def test_it_reads_what_was_written(size: int) -> None:
    """The same packets come back, however the bytes are cut into chunks."""
    reader = Reader(FILE[at : at + size] for at in range(0, len(FILE), size))
    assert list(reader) == EXPECTED
    assert (reader.lost, reader.truncated) == (6, False)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap(order: str, magic: int, fraction: int) -> None:
    """Both byte orders and both resolutions of the older format."""
    file = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, links.RAW)
    for packet in PACKETS:
        size = len(packet)
        file += struct.pack(f"{order}IIII", 1_764_043_200, 123_000 // fraction, size, size) + packet
    expected = 1_764_043_200_000_123_000
    assert list(Reader([file])) == [Captured(packet, 0, expected) for packet in PACKETS]


@needs("editcap")
@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "pcapng"])
def test_what_wireshark_writes(tmp_path: Path, kind: str) -> None:
    """A file that went through Wireshark's own writer has the same packets."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(FILE)
    subprocess.run(
        ["editcap", "-F", kind, str(ours), str(theirs)], check=True, capture_output=True, timeout=60
    )
    found = list(Reader([theirs.read_bytes()]))
    assert [packet.data for packet in found] == [packet.data for packet in EXPECTED]
    assert [packet.missing for packet in found] == [packet.missing for packet in EXPECTED]
    if kind == "pcapng":
        assert found == EXPECTED
    elif kind == "nsecpcap":
        assert [packet.time_ns for packet in found] == [packet.time_ns for packet in EXPECTED]


PACKET = PACKETS[0]


def obsolete(packet: bytes, order: str, drops: int = 0xFFFF) -> bytes:
    """Return a packet block of pcapng files written before 2010."""
    body = struct.pack(f"{order}2H4I", 0, drops, 0, 5_000_000, len(packet), len(packet))
    body += packet + bytes(-len(packet) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", 2) + size + body + size


@pytest.mark.parametrize(("drops", "dropped"), [(0xFFFF, 0), (7, 7)])
def test_an_obsolete_packet_block(drops: int, dropped: int) -> None:
    """The packet block that newer files replace by the enhanced one is read too."""
    (packet,) = Reader([HEADER + obsolete(PACKET, "<", drops)])
    assert (packet.data, packet.time_ns, packet.dropped) == (PACKET, 5_000_000, dropped)


def test_the_reason_why_there_is_no_packet() -> None:
    """A frame without IP, and a link type that is not known, are told apart."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147)
    (unknown,) = Reader([file + struct.pack("<4I", 1, 1, 28, 28) + PACKET[:28].ljust(28, b"x")])
    assert unknown.reason == "of link type 147 (USER0), which is not supported"
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, links.ETHERNET)
    (arp,) = Reader([file + struct.pack("<4I", 1, 1, 42, 42) + bytes(12) + b"\x08\6" + bytes(28)])
    assert arp.reason == "not IP"


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh9", "bzip2"),
        pytest.param(gzip.compress(gzip.compress(b"")), "more than once", id="gzip"),
        (b"\x5d\0\0\x80\0", "lzma"),
        (b"LZIP", "lzip"),
        (b"\x89LZO", "lzop"),
        (b"Rar!", "RAR"),
        (b"\xfd7zXZ", "xz"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"snoop", "snoop"),
        (b"\x1c\x00\x01\xac", "IXIA"),
    ],
)
def test_other_formats_are_named(start: bytes, word: str) -> None:
    """The error says what the file is and what makes a capture of it."""
    with pytest.raises(ValueError, match=word):
        list(Reader([start + bytes(100)]))


def test_two_files_in_one() -> None:
    """A pcap file behind another one is a sentence, and no packet is made of its header."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, links.RAW)
    file += struct.pack("<4I", 1, 1, len(PACKET), len(PACKET)) + PACKET
    reader = iter(Reader([file, file]))
    assert next(reader).data == PACKET
    with pytest.raises(ValueError, match=f"Another pcap file begins at byte {len(file)};"):
        next(reader)


@pytest.mark.parametrize("size", [7, len(FILE)])
def test_the_position(size: int) -> None:
    """It is behind the packet that was given last, however much was read ahead."""
    reader = Reader(FILE[at : at + size] for at in range(0, len(FILE), size))
    positions = [reader.position for _ in reader]
    assert positions == sorted(set(positions))
    assert positions[0] < len(FILE) // 2
    assert FILE[positions[-1] :] == END


@pytest.mark.parametrize("cut", [1, 15, 16, 17])
def test_a_pcap_cut_off(cut: int) -> None:
    """A record's header without its packet is a cut file too."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, links.RAW)
    record = struct.pack("<4I", 1, 1, len(PACKET), len(PACKET)) + PACKET
    reader = Reader([file + record + record[:cut]])
    assert [packet.data for packet in reader] == [PACKET]
    assert reader.truncated


@pytest.mark.parametrize("cut", [1, 5, 30, len(END) + 1])
def test_a_file_cut_off(cut: int) -> None:
    """What is whole is read; that it was cut off is told."""
    reader = Reader([FILE[:-cut]])
    assert list(reader) == (EXPECTED if cut <= len(END) else EXPECTED[:-1])
    assert reader.truncated


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        HEADER + struct.pack("<II", 6, 13) + bytes(100),
        HEADER + struct.pack("<II", 6, 0xFFFFFFF0),
        HEADER + struct.pack("<10I", 6, 40, 7, 0, 0, 0, 0, 0, 0, 40),
        HEADER + struct.pack("<10I", 6, 40, 0, 0, 0, 900, 0, 0, 0, 40),
    ],
)
def test_no_capture(data: bytes) -> None:
    """Other bytes, and blocks that contradict themselves, are refused."""
    with pytest.raises(ValueError, match=r"\.$"):
        list(Reader([data]))


IP = build.udp("10.6.7.8", "10.6.7.7", 1, 2, b"abcde")
FRAME = bytes(12) + b"\x08\x00" + IP


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(
    linktype: int, *, order: str = "<", snaplen: int = 0, option: tuple[int, bytes] | None = None
) -> bytes:
    body = struct.pack(f"{order}HHI", linktype, 0, snaplen)
    if option is not None:
        code, value = option
        body += struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(order, 1, body)


def enhanced(number: int, frame: bytes, *, order: str = "<", ticks: int = 0) -> bytes:
    ends = struct.pack(f"{order}5I", number, 0, ticks, len(frame), len(frame))
    return block(order, 6, ends + frame)


def of(*parts: bytes) -> list[tuple[bytes | None, int, int]]:
    """Data, time and missing bytes of every packet, read from small chunks."""
    whole = b"".join(parts)
    chunks = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    return [(one.data, one.time_ns, one.missing) for one in Reader(chunks)]


def test_sections_of_two_byte_orders() -> None:
    """A section begins anew: its byte order and its interfaces are its own."""
    first = (section(), interface(101), enhanced(0, IP))
    second = (section(">"), interface(1, order=">"), enhanced(0, FRAME, order=">"))
    assert of(*first, *second) == [(IP, 0, 0)] * 2


def test_interfaces_of_several_link_types() -> None:
    """Each packet is read by the link type of its interface; what is not known is left out."""
    heads = (section(), interface(101), interface(1), interface(147))
    assert of(*heads, enhanced(0, IP), enhanced(1, FRAME), enhanced(2, FRAME)) == [
        (IP, 0, 0),
        (IP, 0, 0),
        (None, 0, 0),
    ]


def test_a_simple_packet_that_the_snap_length_cut() -> None:
    """A simple packet block names no captured length: the interface's snap length cuts it."""
    cut = block("<", 3, struct.pack("<I", len(IP)) + IP[:20])
    assert of(section(), interface(101, snaplen=20), cut) == [(IP[:20], 0, len(IP) - 20)]


@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns"),
    [
        (b"\x94", 1 << 20, 1_000_000_000),
        (b"\x00", 7, 7_000_000_000),
        (b"\x09", 7, 7),
        (b"\x0c", 7000, 7),
        (b"\xff", 7, 0),
        (b"\x7f", 7, 0),
        (b"", 7, 7000),
    ],
)
def test_resolutions(resolution: bytes, ticks: int, time_ns: int) -> None:
    """Powers of ten and of two, however odd; microseconds where there is none."""
    heads = (section(), interface(101, option=(9, resolution)))
    assert of(*heads, enhanced(0, IP, ticks=ticks)) == [(IP, time_ns, 0)]


@pytest.mark.parametrize(
    "data",
    [
        section() + interface(101) + enhanced(0, IP)[:-4] + struct.pack("<I", 12),
        section()[:-4] + bytes(4) + interface(101),
        block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)) + interface(101),
        block(">", 0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 0, 9, -1)) + interface(101),
        section()[:8] + b"abcd" + section()[12:],
        struct.pack("<III", 0x0A0D0D0A, 12, 0x1A2B3C4D) + bytes(40),
        section() + enhanced(0, IP),
        section() + interface(101) + section() + enhanced(0, IP),
        section() + interface(101, option=(14, b"abc")),
    ],
)
def test_blocks_that_contradict_themselves(data: bytes) -> None:
    """A sentence says that the file is broken."""
    with pytest.raises(ValueError, match=r"^The file contains a (block|section) .*\.$"):
        of(data)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_file_without_a_whole_beginning(size: int) -> None:
    """A few bytes, as of a short text, are no capture; an empty file is one without packets."""
    with pytest.raises(ValueError, match="too short"):
        of(b"hi\n"[:size])
    assert of(b"") == []


@pytest.mark.parametrize(("order", "version"), [("<", (1, 0)), (">", (3, 1)), ("<", (543, 4))])
def test_another_version_of_pcap(order: str, version: tuple[int, int]) -> None:
    """A version whose packets may look different is named, not guessed at."""
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, *version, 0, 0, 65535, 101)
    with pytest.raises(ValueError, match=rf"{version[0]}\.{version[1]}"):
        of(head, bytes(100))


def test_a_pcap_header_with_a_frame_check_sequence() -> None:
    """What stands above the link type does not change it."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101 | 0x54000000)
    assert of(head, struct.pack("<4I", 0, 0, len(IP), len(IP)), IP) == [(IP, 0, 0)]


@pytest.mark.parametrize("size", [1, 40, 100])
def test_variants_in_pieces(size: int) -> None:
    """Which variant of pcap a file is does not depend on the pieces in which it is read."""
    odd = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, links.RAW)
    odd += struct.pack("<4I", 1, 1, len(PACKET), len(PACKET)) + PACKET
    odd += b"\xff" * 400  # which is no record of the usual variant
    pieces = [odd[at : at + size] for at in range(0, len(odd), size)]
    assert _read([odd]) == _read(pieces)


def test_a_growing_capture() -> None:
    """Of a capture that is still written, a packet is given when it has come."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, links.RAW)
    record = struct.pack("<4I", 1, 1, len(PACKET), len(PACKET)) + PACKET

    def arriving() -> Iterator[bytes]:
        yield head + record
        raise AssertionError("the packet was not given before more came")

    assert next(iter(Reader(arriving(), growing=True))).data == PACKET


def _read(chunks: list[bytes]) -> tuple[list[Captured], str]:
    found: list[Captured] = []
    try:
        found.extend(Reader(chunks))
    except ValueError as error:
        return found, str(error)
    return found, ""
