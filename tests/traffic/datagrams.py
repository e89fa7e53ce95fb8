"""What a flood sends: datagrams with a number in each."""

from __future__ import annotations

import struct

DATAGRAM = 1200


def numbered(number: int) -> bytes:
    """Return what the flood sends in a datagram."""
    return struct.pack("<I", number) + bytes(DATAGRAM - 4)


def flooded(packets: list[bytes]) -> list[int]:
    """Return the numbers of the flood's packets; the host says other things too."""
    return [
        struct.unpack_from("<I", packet, 28)[0]
        for packet in packets
        if packet[0] >> 4 == 4 and len(packet) == 28 + DATAGRAM
    ]
