"""Read and write packets of a descriptor: one Python call per packet, or one C call per burst."""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from time import time_ns
from typing import Final, NamedTuple, Protocol

from wintun_api.drivers.linux.failure import EBADFD
from wintun_api.native import Speedups
from wintun_api.packet.block import Block
from wintun_api.packet.stamps import Stamps

# One more than the largest IP packet. Every read asks for this much, so that no packet is cut even
# if the MTU has changed: the allocator reclaims the unused part at no cost.
LARGEST = 65536

MAX_COUNT: Final = 4096  # the largest number of packets that a C call reads
ENOUGH: Final = 128 * 1024  # the approximate bytes that it reads: as much as the caches hold

# The queue has no room now, or the descriptor is unusable: no later packet may be written.
STOPS = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EBADF, EBADFD))


class Read(NamedTuple):
    """Hold the result of a read.

    Attributes:
        packets: The packets in order.
        failure: The error that ended it, including EAGAIN; 0 if the limit was reached.
        cut: Number of packets that were larger than any IP packet and are left out.
    """

    packets: Sequence[bytes]
    failure: int
    cut: int = 0


class Written(NamedTuple):
    """Hold the result of a write.

    Attributes:
        taken: Number of packets, from the first on, that need not be written again.
        failure: The error of the packet after them, one of `STOPS`; 0 if there is none.
        link_down: How many of those taken were refused because the link is down (EIO).
        refused: How many of those taken were refused for another reason.
        reason: The last such reason, an errno number.
    """

    taken: int
    failure: int
    link_down: int = 0
    refused: int = 0
    reason: int = 0


class PacketCalls(Protocol):
    """Read and write packets of one non-blocking descriptor. One thread at a time.

    Neither call raises the kernel's errors: an error is a value beside the packets before it.
    """

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets."""

    def read_stamped(self, descriptor: int, limit: int) -> tuple[Read, Stamps | None]:
        """Read up to `limit` packets, and note when each was read; None if there is none."""

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""


class PythonCalls:
    """Make one Python call per packet."""

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets."""
        packets: list[bytes] = []
        failure = 0
        try:
            # Packets read before the call that raises stay in the list.
            packets.extend(map(os.read, repeat(descriptor, limit), repeat(LARGEST)))
        except OSError as error:
            failure = error.errno or 0
        if LARGEST in map(len, packets):
            whole = [packet for packet in packets if len(packet) < LARGEST]
            return Read(whole, failure, len(packets) - len(whole))
        return Read(packets, failure)

    def read_stamped(self, descriptor: int, limit: int) -> tuple[Read, Stamps | None]:
        """Read up to `limit` packets, and the clock after each."""
        packets: list[bytes] = []
        readings: list[int] = []
        failure = cut = 0
        try:
            for _ in repeat(None, limit):
                packet = os.read(descriptor, LARGEST)
                if len(packet) < LARGEST:
                    readings.append(time_ns())
                    packets.append(packet)
                else:
                    cut += 1
        except OSError as error:
            failure = error.errno or 0
        return Read(packets, failure, cut), Stamps.of(readings) if readings else None

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""
        write, taken, link_down, refused, reason = os.write, 0, 0, 0, 0
        rest = iter(packets)
        while True:
            try:
                for packet in rest:
                    write(descriptor, packet)
                    taken += 1
            except OSError as error:
                code = error.errno or 0
                if code in STOPS:
                    return Written(taken, code, link_down, refused, reason)
                taken += 1
                if code == errno.EIO:
                    link_down += 1
                else:
                    refused, reason = refused + 1, code
            else:
                return Written(taken, 0, link_down, refused, reason)


class NativeCalls:
    """Read or write a burst with one call of the C extension, which is short.

    For a single packet that is not in a block, the Python calls are faster and are used instead.
    """

    def __init__(self, speedups: Speedups) -> None:
        self._read, self._write = speedups.read_burst, speedups.write_burst
        self._lengths = array("H", bytes(2 * MAX_COUNT))
        self._times = array("I", bytes(4 * MAX_COUNT))
        self._alone = PythonCalls()

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets, or only a few if they are large."""
        lengths = self._lengths
        memory, count, size, failure, cut, _ = self._read(
            descriptor, min(limit, MAX_COUNT), ENOUGH, lengths, None
        )
        if not count:
            return Read([], failure, cut)
        return Read(Block(memory, lengths[:count], size), failure, cut)

    def read_stamped(self, descriptor: int, limit: int) -> tuple[Read, Stamps | None]:
        """Read as `read` does, and the clock after each packet."""
        lengths, times = self._lengths, self._times
        memory, count, size, failure, cut, first = self._read(
            descriptor, min(limit, MAX_COUNT), ENOUGH, lengths, times
        )
        if not count:
            return Read([], failure, cut), None
        block = Block(memory, lengths[:count], size)
        return Read(block, failure, cut), Stamps(first, times[:count])

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""
        if type(packets) is not Block and len(packets) == 1:
            return self._alone.write(descriptor, packets)
        block = Block.of(packets)
        return Written(*self._write(descriptor, block.memory, block.start, block.lengths))


def calls_with(speedups: Speedups | None) -> Callable[[], PacketCalls]:
    """Return what creates the calls of a session: in C if there is an extension."""
    return PythonCalls if speedups is None else partial(NativeCalls, speedups)
