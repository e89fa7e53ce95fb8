"""A corpus of capture files, made anew: block types, byte orders, times, link types, sections."""

from __future__ import annotations

from itertools import count

from tests.capture.reader.writer import (
    BIG,
    COMMENT,
    IF_NAME,
    LITTLE,
    TSOFFSET,
    TSRESOL,
    Option,
    Writer,
)
from wintun_api.packet import build

_PORTS = count(1000)
TIME = 1_764_043_200  # seconds
ARP = b"\0\1\x08\0\6\4\0\1" + bytes(20)


def packet(size: int = 5, *, six: bool = False) -> bytes:
    """Return a UDP packet that its source port tells from every other one."""
    ends = ("fd06:7::8", "fd06:7::7") if six else ("10.6.7.8", "10.6.7.7")
    return build.udp(*ends, next(_PORTS), 40000, bytes(size))


def frames() -> dict[str, tuple[int, bytes]]:
    """Return a frame of every form of link layer that is read, and its link type."""
    four, six = b"\x08\0", b"\x86\xdd"
    ethernet, cooked = bytes(12), b"\0\0\0\1\0\6" + bytes(8)
    found = {
        "raw": (101, packet()),
        "raw, six": (101, packet(six=True)),
        "ipv4": (228, packet()),
        "ipv6": (229, packet(six=True)),
        "ethernet": (1, ethernet + four + packet()),
        "ethernet, six": (1, ethernet + six + packet(six=True)),
        "ethernet, padded": (1, ethernet + four + packet() + bytes(13)),
        "ethernet, with a check sequence": (1, ethernet + four + packet(40) + b"abcd"),
        "ethernet, arp": (1, ethernet + b"\x08\6" + ARP),
        "vlan": (1, ethernet + b"\x81\0\0\7" + four + packet()),
        "vlan in vlan": (1, ethernet + b"\x88\xa8\0\7\x81\0\0\7" + six + packet(six=True)),
        "snap": (1, ethernet + b"\0\x29\xaa\xaa\3\0\0\0" + four + packet()),
        "cooked": (113, cooked + four + packet()),
        "cooked, six": (113, cooked + six + packet(six=True)),
        "cooked, arp": (113, cooked + b"\x08\6" + ARP),
        "cooked 2": (276, four + bytes(6) + b"\0\1\0\6" + bytes(8) + packet()),
        "cooked 2, six": (276, six + bytes(6) + b"\0\1\0\6" + bytes(8) + packet(six=True)),
        "loop": (108, b"\0\0\0\2" + packet()),
        "ppp": (9, b"\xff\3\0\x21" + packet()),
        "ppp, six": (9, b"\xff\3\0\x57" + packet(six=True)),
        "ppp without framing": (9, b"\0\x21" + packet()),
        "ppp with a short protocol": (9, b"\x21" + packet()),
        "ppp, lcp": (9, b"\xff\3\xc0\x21\1\1\0\4"),
        "ppp in hdlc": (50, b"\xff\3\0\x21" + packet()),
        "cisco hdlc": (104, b"\x0f\0" + four + packet()),
        "cisco hdlc, six": (104, b"\x8f\0" + six + packet(six=True)),
        "cisco hdlc, keepalive": (104, b"\x8f\0\x80\x35" + bytes(18)),
        "cisco hdlc on a line of ppp": (50, b"\x0f\0" + four + packet()),
    }
    for name, family in (("netbsd", 24), ("freebsd", 28), ("macos", 30)):
        found[f"null, {name}"] = (0, family.to_bytes(4, "little") + packet(six=True))
        found[f"null, {name}, big"] = (0, family.to_bytes(4, "big") + packet(six=True))
    found["null"] = (0, b"\2\0\0\0" + packet())
    found["null, big"] = (0, b"\0\0\0\2" + packet())
    return found


def _links(writer: Writer) -> bytes:
    some = frames().items()
    heads = [writer.interface(kind, [(IF_NAME, name.encode())]) for name, (kind, _) in some]
    bodies = [writer.enhanced(frame, number=number) for number, (_, (_, frame)) in enumerate(some)]
    return b"".join((writer.section(), *heads, *bodies))


def _times(writer: Writer) -> bytes:
    cases: list[tuple[list[Option], int]] = [([], TIME * 10**6 + 123_456)]
    cases += [
        ([(TSRESOL, bytes([power]))], TIME * 10**power + 123_456_789_012 % 10**power)
        for power in (0, 1, 3, 6, 7, 9)
    ]
    cases += [
        ([(TSRESOL, bytes([0x80 | power]))], (TIME << power) + (0x5A5A5A5A5A & ((1 << power) - 1)))
        for power in (0, 1, 10, 20, 30)
    ]
    cases += [
        ([(TSOFFSET, writer.pack("q", offset)), (TSRESOL, b"\x09")], TIME * 10**9 + 5)
        for offset in (3600, -3600)
    ]
    heads = [writer.interface(101, options) for options, _ in cases]
    bodies = [
        writer.enhanced(packet(), number=number, ticks=ticks)
        for number, (_, ticks) in enumerate(cases)
    ]
    return b"".join((writer.section(), *heads, *bodies))


def _blocks(writer: Writer) -> bytes:
    ticks = TIME * 10**6
    return b"".join(
        (
            writer.section([(COMMENT, b"a section"), (3, b"Linux")], minor=2),
            writer.interface(1, [(IF_NAME, b"eth0")]),
            writer.names(),
            writer.enhanced(bytes(12) + b"\x08\0" + packet(), ticks=ticks),
            writer.secrets(),
            writer.interface(101),
            writer.enhanced(packet(1), number=1, ticks=ticks + 1),
            writer.simple(bytes(12) + b"\x08\0" + packet(2)),
            writer.journal(),
            writer.obsolete(packet(3), number=1, ticks=ticks + 2, drops=7),
            writer.custom(0x00000BAD),
            writer.custom(0x40000BAD),
            writer.obsolete(packet(4), [(2, writer.pack("I", 2))], number=1, ticks=ticks + 3),
            writer.block(0x00000B16, b"what no document describes"),
            writer.block(0x80000001, b"of local use"),
            writer.enhanced(b"", number=1, ticks=ticks + 4),
            writer.statistics(0, [(4, writer.pack("Q", 9)), (5, writer.pack("Q", 3))]),
            writer.statistics(1, [(5, writer.pack("Q", 4))]),
        )
    )


def _options(writer: Writer) -> bytes:
    ticks = TIME * 10**6
    comments = [(COMMENT, b"first"), (COMMENT, "zweite Zeile äöü €".encode())]
    some: list[list[Option]] = [
        [(COMMENT, b"one")],
        comments,
        [(2, writer.pack("I", 1)), (3, b"\2abcd"), (4, writer.pack("Q", 77))],
        [(2, writer.pack("I", 0)), (5, writer.pack("Q", 1)), (COMMENT, b"last")],
        [(2988, writer.pack("I", 32473) + b"custom"), (COMMENT, b"x" * 1000)],
        [(2, writer.pack("I", 2))],
    ]
    bodies = [
        writer.enhanced(packet(size), options, ticks=ticks + size, end=size != 5)
        for size, options in enumerate(some)
    ]
    name = (IF_NAME, "Büro".encode())
    return b"".join((writer.section(), writer.interface(101, [name]), *bodies))


def _sections(first: Writer, second: Writer) -> bytes:
    """Return two sections with interfaces of their own, the second with a length."""
    ticks = TIME * 10**6
    rest = (
        second.interface(1, snaplen=60),
        second.interface(101, [(TSRESOL, b"\x09")]),
        second.enhanced(bytes(12) + b"\x08\0" + packet(18), ticks=ticks, length=1500),
        second.enhanced(packet(), number=1, ticks=ticks * 1000 + 1),
        second.simple(bytes(12) + b"\x08\0" + packet(18), length=900),
    )
    return b"".join(
        (
            first.section(),
            first.interface(101),
            first.enhanced(packet(six=True), ticks=ticks),
            second.section(length=sum(map(len, rest))),
            *rest,
            first.section(),
        )
    )


def _uncounted(writer: Writer) -> bytes:
    """Return blocks whose lengths do not count their padding, as some programs write them."""
    bodies = [writer.enhanced(packet(size), ticks=TIME * 10**6, counted=False) for size in range(5)]
    return b"".join((writer.section(), writer.interface(101), *bodies))


def _pcap(writer: Writer, magic: int, added: int = 0, *, linktype: int = 1) -> bytes:
    between = (writer.pack("IHBB", 2, 0x0800, 0, 0) + bytes(4))[:added]
    records = [
        writer.record(
            bytes(12) + b"\x08\0" + packet(size), TIME + size, 999_999 - size, between=between
        )
        for size in range(5)
    ]
    cut = bytes(12) + b"\x08\0" + packet(100)[:40]
    records.append(writer.record(cut, TIME + 9, 0, length=142, between=between))
    return writer.pcap(linktype, magic=magic) + b"".join(records)


WRITERS = {"little": LITTLE, "big": BIG}
# The magic number of each variant of pcap, and the bytes that it adds before a packet.
VARIANTS = {
    "pcap": (0xA1B2C3D4, 0),
    "pcap of nanoseconds": (0xA1B23C4D, 0),
    "modified pcap": (0xA1B2CD34, 8),
    "pcap of Red Hat 6.1": (0xA1B2C3D4, 8),
    "pcap of SuSE 6.3": (0xA1B2CD34, 12),
    "pcap of Nokia": (0xA1B2C3D4, 4),
}
CORPUS = {
    f"{kind}, {order}": make(writer)
    for order, writer in WRITERS.items()
    for kind, make in {
        "link types": _links,
        "times": _times,
        "blocks": _blocks,
        "options": _options,
        "uncounted padding": _uncounted,
    }.items()
}
CORPUS |= {
    f"{kind}, {order}": _pcap(writer, magic, added)
    for order, writer in WRITERS.items()
    for kind, (magic, added) in VARIANTS.items()
}
CORPUS |= {
    "sections, little and big": _sections(LITTLE, BIG),
    "sections, big and little": _sections(BIG, LITTLE),
    "pcap with a check sequence": _pcap(LITTLE, 0xA1B2C3D4, linktype=1 | 0x24000000),
}
