"""Packets and a header to write to captures, and the last block of one that was written."""

from __future__ import annotations

import struct

from wintun_api.capture import pcapng
from wintun_api.packet import build

TIME = 1764043200_123456789
HEADER = pcapng.header(
    "OfficeNet", description="adapter 1", os="Linux 6.1", application="wintun-api 1.0"
)
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
