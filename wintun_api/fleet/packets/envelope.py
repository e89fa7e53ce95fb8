"""Packets as messages of the bus, with a number for each packet of a pair of hosts.

A message is one or more batches (`wire`) with the packets for one host: in each, `sequence` is the
number of its first packet among those of this pair, and `time_ns` is when the sender's service got
them. A batch may be empty: it says which number the next packet will have, so that the loss of the
last packets is seen although no others follow. Flags are never set.

The numbers of a pair begin at the time in seconds, times 2**32, and go on with the ledger's when
the agent starts again. If the ledger was lost, they begin anew, far from where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from wintun_api import wire
from wintun_api.errors import FrameError
from wintun_api.fleet.documents import MAX_NUMBER
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.packet.block import Block
from wintun_api.packet.check import TOO_LONG

BEGINNING: Final = 2**31  # a step of so many numbers, or more, is a new beginning and not loss

BAD_NUMBER: Final = "bad_number"

_COLUMN: Final = 2  # bytes of a packet's length
# Bytes of the parts of a message, which may begin with an empty batch besides.
ROOM: Final = MAX_MESSAGE - wire.HEADER_LENGTH


class Part(NamedTuple):
    """Packets for one host that came together.

    Attributes:
        packets: The packets; together with their lengths they fit into one message.
        time_ns: When the sender's service got them, in nanoseconds since 1970.
    """

    packets: Block
    time_ns: int

    @property
    def size(self) -> int:
        """How many bytes they have in a message."""
        return size_of(self.packets)


def size_of(packets: Block) -> int:
    """Return how many bytes packets have in a message."""
    return wire.HEADER_LENGTH + _COLUMN * len(packets) + packets.size


def fitting(packets: Block) -> Iterator[Block]:
    """Divide packets into blocks that each fit into a message; mostly they do already."""
    if size_of(packets) <= ROOM:
        yield packets
        return
    first, used = 0, wire.HEADER_LENGTH
    for index, length in enumerate(packets.lengths):
        if used + length + _COLUMN > ROOM:
            yield packets.part(first, index)
            first, used = index, wire.HEADER_LENGTH
        used += length + _COLUMN
    yield packets.part(first, len(packets))


def message(parts: Sequence[Part], number: int, *, since: int | None = None) -> bytes:
    """Return packets as a message.

    Args:
        parts: The packets, in order; their sizes are at most `ROOM` together.
        number: The number of the first of them.
        since: The number of the very first packet of the pair, until its receiver has told anything
            of it. Without it, a receiver could not know that the first packets were lost.
    """
    pieces: list[bytes | memoryview] = []
    if since is not None and since != number:
        pieces.append(tail(since, parts[0].time_ns))
    for packets, time_ns in parts:
        head = wire.header(packets.lengths, size=packets.size, sequence=number, time_ns=time_ns)
        pieces += (head, packets.payload)
        number += len(packets)
    return b"".join(pieces)


def tail(number: int, time_ns: int) -> bytes:
    """Return a message without packets, which says what number the next one will have."""
    return wire.header((), sequence=number, time_ns=time_ns)


def read(data: bytes) -> list[wire.Batch]:
    """Return the batches of a message of another host, without splitting their packets.

    Raises:
        FrameError: It is not one that `message` makes; all of it is refused.
    """
    if len(data) > MAX_MESSAGE:
        raise FrameError(TOO_LONG, f"The message has {len(data)} bytes, more than {MAX_MESSAGE}.")
    batches = wire.unpack(data)
    for batch in batches:
        if (
            batch.injected
            or batch.original_lengths is not None
            or batch.sequence_deltas is not None
            or batch.times is not None
        ):
            raise FrameError(wire.Fault.UNKNOWN_FLAGS, "A batch between hosts has no flags.")
        if batch.sequence + len(batch.packets) > MAX_NUMBER:
            raise FrameError(BAD_NUMBER, f"The numbers from {batch.sequence} on do not fit.")
    return batches


def first_number(seconds: float) -> int:
    """Return the number with which a pair of hosts begins at a time, in seconds since 1970."""
    return max(1, int(seconds)) << 32


@dataclass(frozen=True, slots=True)
class Step:
    """What the number of a batch says.

    Attributes:
        begins: Whether the pair begins with it: for the first time, or anew.
        lost: How many packets before it did not come.
        late: How many of its first packets were counted as lost before. They are not used, so that
            no packet is counted twice and none overtakes another.
    """

    begins: bool = False
    lost: int = 0
    late: int = 0


def step(expected: int | None, first: int, count: int) -> Step:
    """Return what it means that a batch of `count` packets has the number `first`.

    Args:
        expected: The number after the last packet; None if there was none.
        first: The number of its first packet.
        count: How many packets it has.
    """
    if expected is None or abs(first - expected) >= BEGINNING:
        return Step(begins=True)
    if first >= expected:
        return Step(lost=first - expected)
    return Step(late=min(count, expected - first))
