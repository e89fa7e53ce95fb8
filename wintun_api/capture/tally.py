"""Count what a pcapng of the service has, to end it properly where it breaks off."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Final

from wintun_api.capture import pcapng
from wintun_api.capture.reader.blocks import BEFORE_PACKET
from wintun_api.capture.reader.options import about_packet

_BLOCK: Final = struct.Struct("<III")  # the kind, the length, and the interface of a packet


@dataclass(slots=True)
class _Interface:
    """Count the packets of an interface, and those that were lost before them."""

    start_ns: int
    packets: int = 0
    dropped: int = 0
    ended: bool = False


class Tally:
    """Count the packets of each interface while a file is written."""

    def __init__(self) -> None:
        self._interfaces: list[_Interface] = []

    def note(self, blocks: bytes) -> None:
        """Count whole little-endian blocks that follow each other."""
        offset, end = 0, len(blocks)
        while offset < end:
            kind, length, number = _BLOCK.unpack_from(blocks, offset)
            if kind == pcapng.ENHANCED_PACKET:
                interface = self._interfaces[number]
                interface.packets += 1
                interface.dropped += _dropped(blocks[offset : offset + length])
            elif kind == pcapng.INTERFACE_DESCRIPTION:
                self._interfaces.append(_Interface(time.time_ns()))
            elif kind == pcapng.INTERFACE_STATISTICS:
                self._interfaces[number].ended = True
            offset += length

    def end(self) -> bytes:
        """Return the statistics of each interface that has none yet, which end the file."""
        now = time.time_ns()
        return b"".join(
            pcapng.statistics(
                start_ns=one.start_ns,
                end_ns=now,
                received=one.packets + one.dropped,
                dropped=one.dropped,
                interface=number,
            )
            for number, one in enumerate(self._interfaces)
            if not one.ended
        )


def _dropped(block: bytes) -> int:
    """Return how many packets were lost before that of a block."""
    length = int.from_bytes(block[20:24], "little")
    _, dropped, _ = about_packet(block[BEFORE_PACKET + length + -length % 4 : -4], "<")
    return dropped
