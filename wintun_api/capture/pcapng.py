"""pcapng, the capture format of Wireshark: bare IP packets with nanoseconds and directions.

Source: draft-ietf-opsawg-pcapng. One little-endian section with any number of interfaces, all of
LINKTYPE_RAW (101), which are numbered from 0 in the order in which their blocks come:

    section         what wrote the file
    interface       name, nanoseconds, snap length, filter; before its first packet
    packets         one enhanced packet block each, with flags; after a loss with a drop count
    statistics      an interface statistics block, after the last packet of an interface

Directions in pcapng are seen from the host that captures. A *received* packet is one that the host
sends into the adapter: it leaves the host, so it is outbound (2). An *injected* packet reaches the
host through the adapter, so it is inbound (1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Final

from wintun_api.capture import links

SECTION_HEADER: Final = 0x0A0D0D0A
INTERFACE_DESCRIPTION: Final = 1
OBSOLETE_PACKET: Final = 2  # of files written before 2010; draft-ietf-opsawg-pcapng, appendix A
SIMPLE_PACKET: Final = 3
INTERFACE_STATISTICS: Final = 5
ENHANCED_PACKET: Final = 6
BYTE_ORDER: Final = 0x1A2B3C4D
MEDIA_TYPE: Final = "application/x-pcapng"

INBOUND: Final = 1
OUTBOUND: Final = 2

COMMENT = 1  # of every block
OS, APPLICATION = 3, 4  # of a section
NAME, DESCRIPTION, RESOLUTION, FILTER, OFFSET = 2, 3, 9, 11, 14  # of an interface
FLAGS, DROP_COUNT = 2, 4  # of a packet
START, END, RECEIVED, DROPPED = 2, 3, 4, 5  # of statistics
NANOSECONDS: Final = b"\x09"
FILTER_IS_TEXT: Final = b"\x00"  # the first byte of a filter

UNKNOWN_DROPS: Final = 0xFFFF  # of an obsolete packet block

_UNKNOWN_LENGTH: Final = -1
_END_OF_OPTIONS: Final = bytes(4)
_PACKET: Final = struct.Struct("<7I")
_FLAGS: Final = struct.Struct("<HHI")
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


def section(*, os: str, application: str, comment: str = "") -> bytes:
    """Return the beginning of a file; `comment` is a text about it."""
    body = struct.pack("<IHHq", BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    body += _option(OS, os.encode()) + _option(APPLICATION, application.encode())
    if comment:
        body += _option(COMMENT, comment.encode())
    return _block(SECTION_HEADER, body + _END_OF_OPTIONS)


def interface(
    name: str,
    *,
    snaplen: int = 0,
    description: str = "",
    filter: str = "",  # noqa: A002 - the field's word
    comment: str = "",
) -> bytes:
    """Return the block of the next interface.

    Args:
        name: The name that Wireshark shows for each of its packets.
        snaplen: Bytes to which its packets are cut; 0 means no limit.
        description: A text about it.
        filter: The filter in libpcap's language that chose its packets; empty without one.
        comment: Another text about it.
    """
    body = struct.pack("<HHI", links.RAW, 0, snaplen) + _option(NAME, name.encode())
    if description:
        body += _option(DESCRIPTION, description.encode())
    body += _option(RESOLUTION, NANOSECONDS)
    if filter:
        body += _option(FILTER, FILTER_IS_TEXT + filter.encode())
    if comment:
        body += _option(COMMENT, comment.encode())
    return _block(INTERFACE_DESCRIPTION, body + _END_OF_OPTIONS)


def packets(
    packets: Sequence[bytes],
    lengths: Sequence[int],
    time_ns: int,
    *,
    injected: bool,
    original_lengths: Sequence[int] | None = None,
    times: Sequence[int] | None = None,
    interface: int = 0,
    dropped: int = 0,
    comments: Mapping[int, Sequence[str]] | None = None,
) -> bytes:
    """Return the packets of a burst as blocks.

    Packets that share their length and time also share all bytes around them, so a block is a
    look-up and a join.

    Args:
        packets: The packets.
        lengths: Bytes of each packet.
        time_ns: Nanoseconds since 1970.
        injected: Whether they came from the application.
        original_lengths: Bytes of each before it was cut; None if none was.
        times: How many nanoseconds after `time_ns` each packet came; None if all came then.
        interface: The number of their interface.
        dropped: How many packets were lost before the first one.
        comments: Comments by the index of a packet; None if there are none.
    """
    if not packets:
        return b""
    flags = _FLAGS.pack(FLAGS, 4, INBOUND if injected else OUTBOUND)
    originals = lengths if original_lengths is None else original_lengths
    around: list[tuple[bytes, bytes]]
    if times is None:
        kinds = list(zip(lengths, originals))  # noqa: B905
        made = {kind: _around(*kind, time_ns, interface, flags) for kind in set(kinds)}
        around = list(map(made.__getitem__, kinds))
    else:
        around = _around_timed(lengths, originals, (time_ns, times), interface, flags)
    commented = dict(comments or {})
    if dropped:
        commented.setdefault(0, ())
    for index, texts in commented.items():
        options = flags + b"".join(_option(COMMENT, text.encode()) for text in texts)
        if dropped and not index:
            options += _option(DROP_COUNT, struct.pack("<Q", dropped))
        at = time_ns + (0 if times is None else times[index])
        around[index] = _around(lengths[index], originals[index], at, interface, options)
    return b"".join(
        [
            part
            for packet, (before, after) in zip(packets, around)  # noqa: B905
            for part in (before, packet, after)
        ]
    )


def statistics(
    *,
    start_ns: int,
    end_ns: int,
    received: int,
    dropped: int,
    interface: int = 0,
    comment: str = "",
) -> bytes:
    """Return the end of an interface.

    `received` counts the packets that reached the capture, `dropped` those of them that it lost.
    """
    body = struct.pack("<III", interface, end_ns >> 32, end_ns & 0xFFFFFFFF)
    for code, time_ns in ((START, start_ns), (END, end_ns)):
        body += _option(code, struct.pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF))
    for code, count in ((RECEIVED, received), (DROPPED, dropped)):
        body += _option(code, struct.pack("<Q", count))
    if comment:
        body += _option(COMMENT, comment.encode())
    return _block(INTERFACE_STATISTICS, body + _END_OF_OPTIONS)


def whole(data: bytes | bytearray) -> int:
    """Return how many bytes at the start of little-endian `data` form whole blocks."""
    offset, end = 0, len(data)
    while end - offset >= 8:
        length = int.from_bytes(data[offset + 4 : offset + 8], "little")
        if length < 12 or offset + length > end:
            break
        offset += length
    return offset


def _around(
    length: int, original: int, time_ns: int, interface: int, options: bytes
) -> tuple[bytes, bytes]:
    """Return the bytes before and after a packet in its block."""
    total, after = _after(length, options)
    before = _PACKET.pack(
        ENHANCED_PACKET, total, interface, time_ns >> 32, time_ns & 0xFFFFFFFF, length, original
    )
    return before, after


def _around_timed(
    lengths: Sequence[int],
    originals: Sequence[int],
    stamps: tuple[int, Sequence[int]],
    interface: int,
    options: bytes,
) -> list[tuple[bytes, bytes]]:
    """Return the bytes around each packet, if each has a time of its own."""
    time_ns, times = stamps
    made = {length: _after(length, options) for length in set(lengths)}
    totals, afters = zip(*map(made.__getitem__, lengths))  # noqa: B905
    high: Iterable[int] = repeat(time_ns >> 32)
    start = time_ns & 0xFFFFFFFF
    low = [start + time for time in times]
    if max(low) > 0xFFFFFFFF:  # every four seconds
        high = [(time_ns + time) >> 32 for time in times]
        low = [number & 0xFFFFFFFF for number in low]
    before = map(
        _PACKET.pack,
        repeat(ENHANCED_PACKET),
        totals,
        repeat(interface),
        high,
        low,
        lengths,
        originals,
    )
    return list(zip(before, afters))  # noqa: B905


def _after(length: int, options: bytes) -> tuple[int, bytes]:
    """Return the length of a packet's block, and the bytes after the packet."""
    after = _PADDING[length % 4] + options + _END_OF_OPTIONS
    total = _PACKET.size + length + len(after) + 4
    return total, after + total.to_bytes(4, "little")


def _option(code: int, value: bytes) -> bytes:
    value = value[:0xFFFF]
    return struct.pack("<HH", code, len(value)) + value + _PADDING[len(value) % 4]


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
