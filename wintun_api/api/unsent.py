"""Packets on their way through a transport: which of them its kernel has not taken.

What is written goes to the kernel in order, so the bytes that still wait are the last ones. When a
connection is aborted they are lost, and with them the packets that are not whole without them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wintun_api.hub.burst import Burst

# Given the packets' lengths and a number of bytes, returns how many packets these bytes hold whole.
Whole = Callable[[Sequence[int], int], int]


@dataclass(frozen=True, slots=True)
class Span:
    """Packets with numbers that follow on each other."""

    count: int
    first: int
    injected: bool


class _Write(NamedTuple):
    end: int
    size: int
    bursts: Sequence[Burst]
    whole: Whole | None


def frames_whole(lengths: Sequence[int], size: int) -> int:
    """Return how many whole frames of a packet each are in `size` bytes (RFC 6455, 5.2)."""
    for count, length in enumerate(lengths):
        size -= length + (2 if length < 126 else 4 if length <= 0xFFFF else 10)
        if size < 0:
            return count
    return len(lengths)


def tell_when_empty(transport: asyncio.Transport) -> None:
    """Pause the protocol of the transport until nothing of what was written waits in it."""
    if not transport.is_closing():
        # A TLS transport pauses at the mark, every other one above it.
        high = 0 if transport.get_extra_info("ssl_object") is None else 1
        transport.set_write_buffer_limits(high, 0)


class Unsent:
    """The writes of one connection since its buffer was last empty. Event loop thread only."""

    __slots__ = ("_cut", "_left", "_position", "_writes")

    def __init__(self) -> None:
        self._position = 0
        self._cut = False
        self._left: int | None = None
        self._writes: deque[_Write] = deque()

    def wrote(
        self, size: int, buffered: int, bursts: Sequence[Burst] = (), whole: Whole | None = None
    ) -> None:
        """Note bytes that are being written, or were just now.

        Args:
            size: How many.
            buffered: Bytes that waited in the transport before; 0 when none wait any more.
            bursts: Whose packets they are.
            whole: How the packets of a single burst lie in them; None where they are one message,
                which is whole or lost.
        """
        writes = self._writes
        if not buffered:
            writes.clear()
        self._position += size
        if bursts:
            writes.append(_Write(self._position, size, bursts, whole))

    def cut(self, left: int | None) -> None:
        """Note that the connection is cut off, before the transport throws its buffer away.

        Args:
            left: Bytes that wait in the transport; None where it has thrown them away already, and
                all that may have been among them is lost. Only the first call counts.
        """
        if not self._cut:
            self._cut, self._left = True, left

    def take(self, buffered: int) -> list[Span]:
        """Return the packets that need the last `buffered` bytes, and forget them.

        What waited when the connection was cut off, if it was, stands in place of `buffered`.
        """
        left = self._left if self._cut else buffered
        writes, self._writes = self._writes, deque()
        spans: list[Span] = []
        for end, size, bursts, whole in writes:
            sent = 0 if left is None else self._position - left - (end - size)
            if sent >= size:
                continue
            for burst in bursts:
                got = whole(burst.lengths, sent) if whole is not None and sent > 0 else 0
                if got < burst.count:
                    first = burst.sequence + got
                    spans.append(Span(burst.count - got, first, burst.injected))
        return spans
