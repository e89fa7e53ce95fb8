"""Hold packets one after another in one piece of memory.

A batch frame carries packets like this, and native code reads and writes them like this. Code that
only passes them on never splits them; code that asks for one packet gets `bytes`, as everywhere.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import final, overload

# How much larger than its packets a block's memory may be before the packets are copied.
MAX_SPREAD = 2
SPREAD_ALLOWED = 512  # bytes more, so that the header of a small message costs no copy


@final
class Block(Sequence[bytes]):
    """A burst in one piece; immutable.

    Attributes:
        memory: The memory that holds the packets; other bytes may follow them.
        start: Offset of the first packet in it.
        lengths: Bytes of each packet, as 16-bit numbers, as in a batch frame.
        size: Bytes of all packets together.
    """

    __slots__ = ("_packets", "lengths", "memory", "size", "start")

    def __init__(self, memory: bytes, lengths: array[int], size: int, start: int = 0) -> None:
        self.memory = memory
        self.lengths = lengths
        self.size = size
        self.start = start
        self._packets: list[bytes] | None = None

    @classmethod
    def of(cls, packets: Sequence[bytes]) -> Block:
        """Return the packets in one piece; a block is returned unchanged."""
        if type(packets) is Block:
            return packets
        memory = b"".join(packets)
        return cls(memory, array("H", map(len, packets)), len(memory))

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """Return the packets of several blocks as one; a single one is not copied."""
        if len(blocks) == 1:
            return blocks[0]
        lengths = array("H")
        for block in blocks:
            lengths += block.lengths
        memory = b"".join([block.payload for block in blocks])
        return cls(memory, lengths, len(memory))

    def part(self, start: int, stop: int) -> Block:
        """Return the packets from `start` to `stop` as a block with its own memory."""
        lengths = self.lengths[start:stop]
        offset, size = self.start + sum(self.lengths[:start]), sum(lengths)
        return Block(self.memory[offset : offset + size], lengths, size)

    def take(self, indexes: Sequence[int]) -> Block:
        """Return the packets at these places, ascending, as a block with its own memory."""
        memory, lengths = self.memory, self.lengths
        starts = list(accumulate(lengths, initial=self.start))
        taken = b"".join([memory[starts[index] : starts[index + 1]] for index in indexes])
        return Block(taken, array("H", [lengths[index] for index in indexes]), len(taken))

    def compact(self) -> Block:
        """Return the packets in memory that is at most about twice as large as they are.

        Keeping a block keeps all of its memory: the whole message that the packets came in, with a
        header of any length. Packets that fill half of it are not copied.
        """
        size, memory = self.size, self.memory
        if len(memory) <= MAX_SPREAD * size + SPREAD_ALLOWED:
            return self
        return Block(memory[self.start : self.start + size], self.lengths, size)

    def forget(self) -> None:
        """Drop the separate packets and keep only the block in one piece."""
        self._packets = None

    @property
    def split(self) -> bool:
        """Whether it has an object for each packet now."""
        return self._packets is not None

    @property
    def payload(self) -> memoryview:
        """The bytes of the packets and nothing else, without a copy."""
        return memoryview(self.memory)[self.start : self.start + self.size]

    @property
    def packets(self) -> list[bytes]:
        """The packets as a list, split on first use."""
        packets = self._packets
        if packets is None:
            packets = self._packets = self._cut()
        return packets

    @property
    def first_bytes(self) -> set[int]:
        """The values of the packets' first bytes; no packet may be empty."""
        lengths, end = self.lengths, self.start + self.size
        if lengths and self.even:
            return set(self.memory[self.start : end : lengths[0]])
        starts = accumulate(lengths[:-1], initial=self.start)
        return set(map(self.memory.__getitem__, starts)) if lengths else set()

    @property
    def even(self) -> bool:
        """Whether all packets have the same length, as in a bulk transfer."""
        lengths = self.lengths
        return not lengths or lengths.count(lengths[0]) == len(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.packets)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return self.packets[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Block | list | tuple):
            return self.packets == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Block({len(self)} packets, {self.size} bytes)"

    def _cut(self) -> list[bytes]:
        lengths, memory = self.lengths, self.memory
        if lengths and lengths[0] and self.even:
            # struct splits pieces of one size in C, without a Python loop.
            return [packet for (packet,) in struct.iter_unpack(f"{lengths[0]}s", self.payload)]
        edges = accumulate(lengths, initial=self.start)
        return [memory[a:b] for a, b in pairwise(edges)]


def lengths_of(packets: Sequence[bytes]) -> Sequence[int]:
    """Return the length of each packet in bytes, without splitting a block."""
    # isinstance would ask the abstract base class for every list.
    return packets.lengths if type(packets) is Block else list(map(len, packets))


def measured(packets: Sequence[bytes]) -> tuple[Sequence[int], int]:
    """Return the length of each packet and the sum, in bytes; a block knows both."""
    if type(packets) is Block:
        return packets.lengths, packets.size
    lengths = list(map(len, packets))
    return lengths, sum(lengths)
