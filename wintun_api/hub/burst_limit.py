"""Limit how many packets are passed on at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

Part: TypeAlias = tuple[Sequence[bytes], Sequence[int], int]

# Takes packets, their lengths and the bytes of all.
OnPackets: TypeAlias = Callable[[Sequence[bytes], Sequence[int], int], None]


@dataclass(frozen=True, slots=True)
class BurstLimit:
    """Limit how much is read or passed on at a time: at most `packets`, and about `size` bytes."""

    packets: int
    size: int

    def parts(self, packets: Sequence[bytes], lengths: Sequence[int], size: int) -> Iterator[Part]:
        """Yield packets, their lengths and the bytes of all, in parts of at most this much.

        A packet that is larger is a part by itself; packets that are few enough stay as they are.
        """
        if len(packets) <= self.packets and size <= self.size:
            yield packets, lengths, size
            return
        ends = list(accumulate(lengths, initial=0))
        start = 0
        while start < len(packets):
            fitting = bisect_right(ends, ends[start] + self.size) - 1
            stop = min(max(start + 1, fitting), start + self.packets)
            yield packets[start:stop], lengths[start:stop], ends[stop] - ends[start]
            start = stop
