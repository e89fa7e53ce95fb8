"""pcapng, the capture format of Wireshark: bare IP packets with nanoseconds and directions.

Source: draft-ietf-opsawg-pcapng. One section, one interface (LINKTYPE_RAW 101), little-endian:

    header          section header, interface description (name, nanoseconds, snap length)
    packets         one enhanced packet block each, with flags; after a loss with a drop count
    statistics      an interface statistics block at the end

Directions in pcapng are seen from the host that captures. A *received* packet is one that the host
sends into the adapter: it leaves the host, so it is outbound (2). An *injected* packet reaches the
host through the adapter, so it is inbound (1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
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

OS, APPLICATION = 3, 4  # of a section
NAME, DESCRIPTION, RESOLUTION, OFFSET = 2, 3, 9, 14  # of an interface
FLAGS, DROP_COUNT = 2, 4  # of a packet
START, END, RECEIVED, DROPPED = 2, 3, 4, 5  # of statistics
NANOSECONDS: Final = b"\x09"

UNKNOWN_DROPS: Final = 0xFFFF  # of an obsolete packet block

_UNKNOWN_LENGTH: Final = -1
_END_OF_OPTIONS: Final = bytes(4)
_PACKET: Final = struct.Struct("<7I")
_FLAGS: Final = struct.Struct("<HHI")
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


def header(
    name: str, *, snaplen: int = 0, description: str = "", os: str, application: str
) -> bytes:
    """Return the beginning of a capture: the section header and its one interface.

    `snaplen` is in bytes; 0 means no limit.
    """
    section = struct.pack("<IHHq", BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    section += _option(OS, os.encode()) + _option(APPLICATION, application.encode())
    interface = struct.pack("<HHI", links.RAW, 0, snaplen) + _option(NAME, name.encode())
    if description:
        interface += _option(DESCRIPTION, description.encode())
    interface += _option(RESOLUTION, NANOSECONDS)
    return _block(SECTION_HEADER, section + _END_OF_OPTIONS) + _block(
        INTERFACE_DESCRIPTION, interface + _END_OF_OPTIONS
    )


def packets(
    packets: Sequence[bytes],
    lengths: Sequence[int],
    time_ns: int,
    *,
    injected: bool,
    original_lengths: Sequence[int] | None = None,
    dropped: int = 0,
) -> bytes:
    """Return the packets of a burst as blocks.

    Packets of the same length share all bytes around them, so a block is a look-up and a join.
    `dropped` packets were lost before the first one.
    """
    flags = _FLAGS.pack(FLAGS, 4, INBOUND if injected else OUTBOUND)
    first = b""
    if dropped and packets:
        original = original_lengths[0] if original_lengths is not None else lengths[0]
        options = flags + _option(DROP_COUNT, struct.pack("<Q", dropped))
        before, after = _around(lengths[0], original, time_ns, options)
        first = before + packets[0] + after
        packets, lengths = packets[1:], lengths[1:]
        original_lengths = original_lengths[1:] if original_lengths is not None else None
    kinds = list(zip(lengths, lengths if original_lengths is None else original_lengths))  # noqa: B905
    around = {kind: _around(*kind, time_ns, flags) for kind in set(kinds)}
    blocks = [
        part
        for packet, (before, after) in zip(packets, map(around.__getitem__, kinds))  # noqa: B905
        for part in (before, packet, after)
    ]
    return b"".join((first, *blocks))


def statistics(*, start_ns: int, end_ns: int, received: int, dropped: int) -> bytes:
    """Return the end of a capture.

    `received` counts the packets that reached the capture, `dropped` those of them that it lost.
    """
    body = struct.pack("<III", 0, end_ns >> 32, end_ns & 0xFFFFFFFF)
    for code, time_ns in ((START, start_ns), (END, end_ns)):
        body += _option(code, struct.pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF))
    for code, count in ((RECEIVED, received), (DROPPED, dropped)):
        body += _option(code, struct.pack("<Q", count))
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


def _around(length: int, original: int, time_ns: int, options: bytes) -> tuple[bytes, bytes]:
    """Return the bytes before and after a packet in its block."""
    after = _PADDING[length % 4] + options + _END_OF_OPTIONS
    total = _PACKET.size + length + len(after) + 4
    before = _PACKET.pack(
        ENHANCED_PACKET, total, 0, time_ns >> 32, time_ns & 0xFFFFFFFF, length, original
    )
    return before, after + total.to_bytes(4, "little")


def _option(code: int, value: bytes) -> bytes:
    value = value[:0xFFFF]
    return struct.pack("<HH", code, len(value)) + value + _PADDING[len(value) % 4]


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
