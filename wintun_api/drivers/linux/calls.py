"""The system calls of a packet: a loop around os.read and os.write, which runs everywhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice, repeat
from typing import Protocol


class PacketCalls(Protocol):
    """Reads and writes packets of one non-blocking descriptor. One thread at a time.

    Neither call raises for what the kernel says: the error is a value beside the packets that went
    before it, EAGAIN too; 0 is none.
    """

    def read(self, descriptor: int, limit: int, size: int) -> tuple[Sequence[bytes], int, bool]:
        """Read up to `limit` packets of at most `size` bytes.

        Returns them, the error, and whether one has all `size` bytes: it may have lost its end.
        """

    def write(self, descriptor: int, packets: Sequence[bytes], start: int) -> tuple[int, int]:
        """Write packets from `start` on; return how many were taken and the next one's error."""


class PythonCalls:
    """A Python call per packet."""

    def read(self, descriptor: int, limit: int, size: int) -> tuple[Sequence[bytes], int, bool]:
        """Read up to `limit` packets of at most `size` bytes."""
        packets: list[bytes] = []
        failure = 0
        try:
            # What was read before the one that raises stays in the list.
            packets.extend(map(os.read, repeat(descriptor, limit), repeat(size)))
        except OSError as error:
            failure = error.errno or 0
        return packets, failure, size in map(len, packets)

    def write(self, descriptor: int, packets: Sequence[bytes], start: int) -> tuple[int, int]:
        """Write packets from `start` on; return how many were taken and the next one's error."""
        write, taken = os.write, 0
        try:
            for packet in islice(packets, start, None) if start else packets:
                write(descriptor, packet)
                taken += 1
        except OSError as error:
            return taken, error.errno or 0
        return taken, 0
