"""The system calls of a packet: a loop around os.read and os.write, which runs everywhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple, Protocol

from wintun_api.drivers.linux.failure import EBADFD

# One more than the largest IP packet. Every read offers as much, so that none is cut, whatever the
# MTU has become meanwhile: the allocator takes back what a packet does not fill, at no cost.
LARGEST = 65536

# The queue has no room now, or the descriptor is of no more use: no packet after it may be written.
STOPS = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EBADF, EBADFD))


class Read(NamedTuple):
    """What a call has read.

    Attributes:
        packets: In their order.
        failure: The error that ended it, EAGAIN too; 0 where the limit did.
        cut: How many more came that were larger than any IP packet, and are left out.
    """

    packets: Sequence[bytes]
    failure: int
    cut: int = 0


class Written(NamedTuple):
    """What a call has written.

    Attributes:
        taken: How many packets, from the first on, need not be written again.
        failure: The error of the one after them, of those in `STOPS`; 0 where there is none.
        link_down: How many of those taken found the link set down (EIO).
        refused: How many of those taken were refused for another reason.
        reason: The last such reason, an errno number.
    """

    taken: int
    failure: int
    link_down: int = 0
    refused: int = 0
    reason: int = 0


class PacketCalls(Protocol):
    """Reads and writes packets of one non-blocking descriptor. One thread at a time.

    Neither call raises for what the kernel says: the error is a value beside the packets that went
    before it.
    """

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets."""

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first that may be written later or never."""


class PythonCalls:
    """A Python call per packet."""

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets."""
        packets: list[bytes] = []
        failure = 0
        try:
            # What was read before the one that raises stays in the list.
            packets.extend(map(os.read, repeat(descriptor, limit), repeat(LARGEST)))
        except OSError as error:
            failure = error.errno or 0
        if LARGEST in map(len, packets):
            whole = [packet for packet in packets if len(packet) < LARGEST]
            return Read(whole, failure, len(packets) - len(whole))
        return Read(packets, failure)

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first that may be written later or never."""
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
