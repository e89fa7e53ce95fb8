"""Count what a pcapng of the service has, to end it properly where it breaks off."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Final

from wintun_api.capture import pcapng
from wintun_api.capture.reader.blocks import BEFORE_PACKET, STATISTICS
from wintun_api.capture.reader.options import about_packet, options

_BLOCK: Final = struct.Struct("<III")  # the kind, the length, and the interface of a packet
_LENGTHS: Final = struct.Struct("<II")  # of a packet: what is there, and what was


@dataclass(slots=True)
class Totals:
    """Count packets, their bytes before they were cut, and the packets lost between them."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0


@dataclass(slots=True)
class _Interface:
    """Count the packets of an interface, and those that it lost."""

    start_ns: int
    packets: int = 0
    dropped: int = 0
    ended: bool = False


class Tally:
    """Count the packets of each interface while a file is written.

    Attributes:
        totals: The packets of all interfaces. What statistics say was lost replaces what was lost
            before the packets of their interface.
    """

    def __init__(self) -> None:
        self.totals = Totals()
        self._interfaces: list[_Interface] = []

    def note(self, blocks: bytes) -> None:
        """Count whole little-endian blocks that follow each other."""
        totals = self.totals
        offset, end = 0, len(blocks)
        while offset < end:
            kind, length, number = _BLOCK.unpack_from(blocks, offset)
            if kind == pcapng.ENHANCED_PACKET:
                interface = self._interfaces[number]
                original, dropped = _about(blocks, offset, length)
                interface.packets += 1
                interface.dropped += dropped
                totals.packets += 1
                totals.bytes += original
                totals.lost += dropped
            elif kind == pcapng.INTERFACE_DESCRIPTION:
                self._interfaces.append(_Interface(time.time_ns()))
            elif kind == pcapng.INTERFACE_STATISTICS:
                interface = self._interfaces[number]
                dropped = _lost(blocks[offset : offset + length], interface.dropped)
                totals.lost += dropped - interface.dropped
                interface.dropped = dropped
                interface.ended = True
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


def _about(blocks: bytes, at: int, length: int) -> tuple[int, int]:
    """Return the bytes of a packet before it was cut, and how many were lost before it."""
    captured, original = _LENGTHS.unpack_from(blocks, at + 20)
    options_at = at + BEFORE_PACKET + captured + -captured % 4
    _, dropped, _ = about_packet(blocks[options_at : at + length - 4], "<")
    return original, dropped


def _lost(block: bytes, otherwise: int) -> int:
    """Return how many packets were lost according to statistics, if they say so."""
    found = dict(options(block[STATISTICS:-4], "<")).get(pcapng.DROPPED)
    return otherwise if found is None else int.from_bytes(found, "little")
