"""Read and write packets of a device that passes super-packets, as `calls` does for others.

What is read is split into the packets of a network, and consecutive segments that are written
become one super-packet (`packet.segments`). All numbers but those of `merged` are of packets.
"""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Sequence
from threading import Lock
from time import time_ns
from typing import Final, Protocol

from wintun_api.drivers.linux.calls import (
    ENOUGH,
    LARGEST,
    MAX_COUNT,
    STOPS,
    PacketCalls,
    Read,
    Written,
)
from wintun_api.limits import MAX_PACKET
from wintun_api.native import Speedups
from wintun_api.packet.block import Block
from wintun_api.packet.segments import GSO_TCPV4, GSO_TCPV6, GSO_UDP, HEADER, join, split
from wintun_api.packet.stamps import Stamps

TCP_KINDS: Final = 1 << GSO_TCPV4 | 1 << GSO_TCPV6
ALL_KINDS: Final = TCP_KINDS | 1 << GSO_UDP


class SegmentCalls(PacketCalls, Protocol):
    """Read and write packets of one descriptor whose packets have a header each."""

    @property
    def merged(self) -> int:
        """How many more packets were read than the kernel counts. Any thread may ask."""


class _Account:
    """How many more packets were read than the kernel counts.

    A thread that has read the kernel's counters before it asks gets all that they include, because
    the lock is held from before a packet is read until it is counted here.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._merged = 0

    @property
    def merged(self) -> int:
        """How many more packets were read than the kernel counts. Any thread may ask."""
        with self._lock:
            return self._merged


class PythonSegmentCalls(_Account):
    """Make one Python call per packet, and split and join in Python.

    Args:
        kinds: Which super-packets the kernel takes: a bit for each of the GSO_ numbers.
    """

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self._kinds = kinds

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets, and all segments of the last."""
        with self._lock:
            return self._read(descriptor, limit)

    def read_stamped(self, descriptor: int, limit: int) -> tuple[Read, Stamps | None]:
        """Read as `read` does; the segments of a super-packet have the time at which it came."""
        readings: list[int] = []
        with self._lock:
            read = self._read(descriptor, limit, readings)
        return read, Stamps.of(readings) if readings else None

    def _read(self, descriptor: int, limit: int, readings: list[int] | None = None) -> Read:
        packets: list[bytes] = []
        cut = 0
        while len(packets) + cut < limit:
            try:
                content = os.read(descriptor, HEADER.size + LARGEST)
            except OSError as error:
                if error.errno == errno.EINVAL:  # a kind that the header has no word for
                    cut += 1
                    continue
                return Read(packets, error.errno or 0, cut)
            found: list[bytes] = []
            if HEADER.size <= len(content) <= HEADER.size + MAX_PACKET:
                found = split(content[: HEADER.size], content[HEADER.size :])
            if found:
                if readings is not None:
                    readings += [time_ns()] * len(found)
                packets += found
                self._merged += len(found) - 1
            else:
                cut += 1
        return Read(packets, 0, cut)

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""
        block = Block.of(packets)
        taken = link_down = refused = reason = 0
        writes = join(block.memory, block.start, block.lengths, self._kinds)
        writes.reverse()
        while writes:
            count, content = writes.pop()
            try:
                os.write(descriptor, content)
            except OSError as error:
                code = error.errno or 0
                if code in STOPS:
                    return Written(taken, code, link_down, refused, reason)
                if code == errno.EIO:
                    link_down += count
                elif count > 1:  # refused as one
                    apart = block.part(taken, taken + count)
                    writes += reversed(join(apart.memory, apart.start, apart.lengths, 0))
                    continue
                else:
                    refused, reason = refused + 1, code
            taken += count
        return Written(taken, 0, link_down, refused, reason)


class NativeSegmentCalls(_Account):
    """Read or write a burst with one call of the C extension.

    Args:
        speedups: The extension.
        kinds: Which super-packets the kernel takes: a bit for each of the GSO_ numbers.
    """

    def __init__(self, speedups: Speedups, kinds: int) -> None:
        super().__init__()
        self._read, self._write = speedups.read_segments, speedups.write_segments
        self._kinds = kinds
        self._lengths = array("H", bytes(2 * (MAX_COUNT + MAX_PACKET)))
        self._times = array("I")  # many, so they are made when they are first wanted

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets and all segments of the last, or only a few large ones."""
        lengths = self._lengths
        with self._lock:
            memory, start, count, size, failure, cut, reads, _ = self._read(
                descriptor, min(limit, MAX_COUNT), ENOUGH, lengths, None
            )
            self._merged += count - reads
        if not count:
            return Read([], failure, cut)
        return Read(Block(memory, lengths[:count], size, start), failure, cut)

    def read_stamped(self, descriptor: int, limit: int) -> tuple[Read, Stamps | None]:
        """Read as `read` does; the segments of a super-packet have the time at which it came."""
        lengths, times = self._lengths, self._times
        if not times:
            times = self._times = array("I", bytes(4 * len(lengths)))
        with self._lock:
            memory, start, count, size, failure, cut, reads, first = self._read(
                descriptor, min(limit, MAX_COUNT), ENOUGH, lengths, times
            )
            self._merged += count - reads
        if not count:
            return Read([], failure, cut), None
        block = Block(memory, lengths[:count], size, start)
        return Read(block, failure, cut), Stamps(first, times[:count])

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""
        block = Block.of(packets)
        return Written(
            *self._write(descriptor, block.memory, block.start, block.lengths, self._kinds)
        )


def segment_calls(speedups: Speedups | None, kinds: int) -> SegmentCalls:
    """Return the calls of a session whose device passes super-packets."""
    return PythonSegmentCalls(kinds) if speedups is None else NativeSegmentCalls(speedups, kinds)
