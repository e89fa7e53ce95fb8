"""Choose the fastest way to run a program, and to take the packets that match."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TypeAlias

from wintun_api.capture.filters import interpreter
from wintun_api.capture.filters.program import Program
from wintun_api.native import Speedups
from wintun_api.packet.block import Block

# Takes a program, packets (a `Block` is not split) and their lengths before they were cut, None
# where they are whole; returns the indexes of those that match, ascending, as numbers of 32 bits.
Match: TypeAlias = Callable[[Program, Sequence[bytes], "Sequence[int] | None"], "array[int]"]

# Takes packets and ascending indexes, and returns the packets at these; those of a `Block` as one.
Take: TypeAlias = Callable[[Sequence[bytes], "array[int]"], Sequence[bytes]]


def matcher_with(speedups: Speedups | None) -> Match:
    """Return what runs programs, on one thread: the extension if it is there, otherwise Python."""
    if speedups is None:
        return interpreter.match
    found = speedups.match_packets
    room = array("I")  # as many as the largest burst had packets

    def match(
        program: Program, packets: Sequence[bytes], originals: Sequence[int] | None
    ) -> array[int]:
        block = Block.of(packets)
        before = None if originals is None else array("H", originals)
        if len(room) < len(block):
            room.extend(range(len(room), len(block)))
        count = found(block.memory, block.start, block.lengths, before, program.code, room)
        return room[:count]

    return match


def taker_with(speedups: Speedups | None) -> Take:
    """Return what takes packets: the extension if it is there, otherwise Python."""
    take_packets = None if speedups is None else speedups.take_packets

    def take(packets: Sequence[bytes], indexes: array[int]) -> Sequence[bytes]:
        if type(packets) is not Block:
            return [packets[index] for index in indexes]
        if take_packets is None:
            return packets.take(indexes)
        taken = array("H", bytes(2 * len(indexes)))
        memory = take_packets(packets.memory, packets.start, packets.lengths, indexes, taken)
        return Block(memory, taken, len(memory))

    return take
