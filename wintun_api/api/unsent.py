"""Track which packets written to a transport the kernel has not taken yet.

Data reaches the kernel in the order it was written, so the bytes that still wait are the last ones.
If a connection is aborted, they are lost, and with them all packets that are incomplete without
them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from wintun_api.hub.burst import Burst

# Returns how many whole packets so many bytes contain, given the packets' lengths.
Whole = Callable[[Sequence[int], int], int]


@dataclass(frozen=True, slots=True)
class Span:
    """Describe packets of one burst, by how many they are and the first and last number.

    Attributes:
        burst: The burst, for a writer of several sessions; None if it is not known.
    """

    count: int
    first: int
    last: int
    injected: bool
    burst: Burst | None = None

    @classmethod
    def of(cls, burst: Burst, start: int = 0) -> Span:
        """Return the span of a burst's packets from `start` on."""
        return cls(burst.count - start, burst.number(start), burst.last, burst.injected, burst)


# The position behind a write, its size, and the arguments of `Unsent.wrote`. A plain tuple, because
# one is made for every write.
_Write: TypeAlias = tuple[int, int, Sequence[Burst], Whole | None]


def frames_whole(lengths: Sequence[int], size: int) -> int:
    """Return how many whole frames, of one packet each, `size` bytes contain (RFC 6455, 5.2)."""
    for count, length in enumerate(lengths):
        size -= length + (2 if length < 126 else 4 if length <= 0xFFFF else 10)
        if size < 0:
            return count
    return len(lengths)


def tell_when_empty(transport: asyncio.Transport) -> None:
    """Pause the transport's protocol until everything that was written has left the transport."""
    if not transport.is_closing():
        # A TLS transport pauses at the mark, all others above it.
        high = 0 if transport.get_extra_info("ssl_object") is None else 1
        transport.set_write_buffer_limits(high, 0)


class Unsent:
    """Record a connection's writes since its buffer was last empty. Event loop thread only."""

    __slots__ = ("_cut", "_left", "_position", "_writes")

    def __init__(self) -> None:
        self._position = 0
        self._cut = False
        self._left: int | None = None
        self._writes: deque[_Write] = deque()

    def wrote(
        self, size: int, buffered: int, bursts: Sequence[Burst] = (), whole: Whole | None = None
    ) -> None:
        """Note bytes that are being written or have just been written.

        Args:
            size: Number of bytes.
            buffered: Bytes that waited in the transport before; 0 if no bytes wait.
            bursts: The bursts that these bytes carry.
            whole: Counts the whole packets of a single burst in part of the bytes; None if they
                are one message, which is delivered or lost as a whole.
        """
        writes = self._writes
        if not buffered:
            writes.clear()
        self._position += size
        if bursts:
            writes.append((self._position, size, bursts, whole))

    def taken(self) -> None:
        """Note that no byte waits in the transport, and forget the bursts that were written."""
        self._writes.clear()

    def cut(self, left: int | None) -> None:
        """Note that the connection is cut off, before the transport discards its buffer.

        Args:
            left: Bytes that wait in the transport; None if it has already discarded them, so that
                everything that may have been among them is lost. Only the first call counts.
        """
        if not self._cut:
            self._cut, self._left = True, left

    def take(self, buffered: int) -> list[Span]:
        """Return the packets that need the last `buffered` bytes, and forget them.

        If the connection was cut off, the bytes that waited then are used instead of `buffered`.
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
                    spans.append(Span.of(burst, got))
        return spans
