"""Packets and a header to write to captures, and the blocks of those that were written."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wintun_api.capture import pcapng
from wintun_api.packet import build

TIME = 1764043200_123456789


def header(name: str, *, snaplen: int = 0, description: str = "") -> bytes:
    """Return the beginning of a capture of one interface; a snap length of 0 is no limit."""
    section = pcapng.section(os="Linux 6.1", application="wintun-api 1.0")
    return section + pcapng.interface(name, snaplen=snaplen, description=description)


HEADER = header("OfficeNet", description="adapter 1")
PACKETS = [
    build.icmp_echo(*pair, identifier=1, sequence=number, data=bytes(size))
    for pair in (("10.6.7.8", "10.6.7.7"), ("fd06:7::8", "fd06:7::7"))
    for number, size in enumerate((0, 1, 2, 3, 1, 1400, 65000))
]
LENGTHS = list(map(len, PACKETS))


def statistics(file: bytes) -> tuple[int, int]:
    """Packets that came to a capture and those that it lost, as its last block has them."""
    options = file[-int.from_bytes(file[-4:], "little") :]
    kind, _, _, _, _ = struct.unpack_from("<5I", options)
    assert kind == pcapng.INTERFACE_STATISTICS
    received, dropped = struct.unpack_from("<4xQ4xQ", options, 20 + 24)
    return received, dropped


def blocks(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kinds of the whole blocks of a file, and what each has between its lengths."""
    offset, end = 0, pcapng.whole(file)
    while offset < end:
        kind, length = struct.unpack_from("<II", file, offset)
        yield kind, file[offset + 8 : offset + length - 4]
        offset += length


def interface_statistics(file: bytes) -> dict[int, tuple[int, int]]:
    """What each interface received and dropped, as the statistics of a file have it."""
    found = {}
    for kind, body in blocks(file):
        if kind == pcapng.INTERFACE_STATISTICS:
            (number,) = struct.unpack_from("<I", body)
            assert number not in found
            found[number] = struct.unpack_from("<4xQ4xQ", body, 12 + 24)
    return found
