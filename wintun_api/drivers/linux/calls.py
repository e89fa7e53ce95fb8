"""Read and write packets with os.read and os.write, which works everywhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple, Protocol

from wintun_api.drivers.linux.failure import EBADFD

# One more than the largest IP packet. Every read asks for this much, so that no packet is cut even
# if the MTU has changed: the allocator reclaims the unused part at no cost.
LARGEST = 65536

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
