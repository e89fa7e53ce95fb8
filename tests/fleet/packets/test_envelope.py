"""fleet.envelope: packets as messages, and what their numbers say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api import wire
from wintun_api.errors import FrameError
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.fleet.packets import envelope
from wintun_api.fleet.packets.envelope import BEGINNING, ROOM, Part, Step, step
from wintun_api.packet.block import Block

packets = st.lists(st.binary(max_size=60), min_size=1, max_size=8).map(Block.of)
parts = st.lists(st.builds(Part, packets, st.integers(0, 2**64 - 1)), min_size=1, max_size=4)


@given(made=parts, number=st.integers(0, 2**63), since=st.none() | st.integers(0, 2**63))
def test_a_message_is_read_as_it_was_made(made: list[Part], number: int, since: int | None) -> None:
    """Packets, their times and their numbers come back; the first may follow an empty batch."""
    batches = envelope.read(envelope.message(made, number, since=since))
    if since is not None and since != number:
        first = batches.pop(0)
        assert (len(first.packets), first.sequence) == (0, since)
    for part, batch in zip(made, batches, strict=True):
        assert batch.packets == part.packets
        assert (batch.sequence, batch.time_ns) == (number, part.time_ns)
        number += len(part.packets)


@given(made=parts)
def test_sizes(made: list[Part]) -> None:
    """The sizes of the parts are the bytes of the message."""
    assert len(envelope.message(made, 1)) == sum(part.size for part in made)


def test_tail() -> None:
    """A message without packets says the next number."""
    (batch,) = envelope.read(envelope.tail(77, 5))
    assert (len(batch.packets), batch.sequence, batch.time_ns) == (0, 77, 5)


@given(lengths=st.lists(st.sampled_from([0, 1, 20, 1420, 9000, 65535]), min_size=1, max_size=40))
def test_division(lengths: list[int]) -> None:
    """Blocks that do not fit are divided into some that do, and no more than are needed."""
    block = Block.of([bytes(length) for length in lengths])
    divided = list(envelope.fitting(block))
    assert [one for part in divided for one in part] == block
    assert all(len(part) and envelope.size_of(part) <= ROOM for part in divided)
    for one, following in pairwise(divided):
        assert envelope.size_of(one) + 2 + following.lengths[0] > ROOM


def test_every_part_has_a_header() -> None:
    """The second part of a division has no more room than the first one."""
    full = [65535, ROOM - wire.HEADER_LENGTH - 4 - 65535]
    block = Block.of([bytes(length) for length in (*full, full[0], full[1] + 1)])
    assert [len(part) for part in envelope.fitting(block)] == [2, 1, 1]


def test_what_fits_is_not_divided() -> None:
    """A block that fits is not copied; with the empty batch, the message is not too long."""
    block = Block.of([bytes(1420)] * 92)
    assert list(envelope.fitting(block)) == [block]
    assert next(envelope.fitting(block)) is block
    full = Block.of([bytes(65535), bytes(ROOM - wire.HEADER_LENGTH - 4 - 65535)])
    assert next(envelope.fitting(full)) is full
    assert len(envelope.message([Part(full, 1)], 9, since=5)) == MAX_MESSAGE


def test_packets_are_not_split() -> None:
    """Neither making nor reading a message makes an object for each packet."""
    block = Block.of([b"one", b"two"])
    (batch,) = envelope.read(envelope.message([Part(block, 1)], 1))
    assert isinstance(batch.packets, Block)
    assert not batch.packets.split
    assert not block.split


REFUSED = {
    "empty": b"",
    "long": envelope.message([Part(Block.of([bytes(65000)] * 3), 1)], 1),
    "injected": wire.pack(wire.Batch([b"x"], injected=True)),
    "cut": wire.pack(wire.Batch([b"x"], original_lengths=[9])),
    "gaps": wire.pack(wire.Batch([b"x"], sequence_deltas=[0])),
    "times": wire.pack(wire.Batch([b"x"], times=[0])),
    "number": wire.pack(wire.Batch([b"x"], sequence=2**64 - 1)),
    "rest": wire.pack(wire.Batch([b"x"])) + b"?",
    "second": wire.pack(wire.Batch([b"x"])) + wire.pack(wire.Batch([b"x"], injected=True)),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refusals(data: bytes) -> None:
    """A message that no host makes is refused as a whole."""
    with pytest.raises(FrameError):
        envelope.read(data)


@given(
    st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda rest: wire.pack(wire.Batch([b"x"])) + rest)
    | st.tuples(st.integers(0, 40), st.integers(0, 255)).map(
        lambda change: bytes(
            change[1] if at == change[0] else byte
            for at, byte in enumerate(wire.pack(wire.Batch([b"abc", b"de"], 7)))
        )
    )
)
def test_any_bytes(data: bytes) -> None:
    """Bytes of a stranger are read or refused; nothing else is raised."""
    try:
        batches = envelope.read(data)
    except FrameError:
        return
    assert all(batch.sequence + len(batch.packets) < 2**64 for batch in batches)


NUMBER = 1_800_000_000 << 32


@pytest.mark.parametrize(
    ("expected", "first", "count", "found"),
    [
        (None, NUMBER, 4, Step(begins=True)),
        (NUMBER, NUMBER, 4, Step()),
        (NUMBER, NUMBER, 0, Step()),
        (NUMBER, NUMBER + 3, 4, Step(lost=3)),
        (NUMBER, NUMBER + 3, 0, Step(lost=3)),
        (NUMBER + 3, NUMBER, 0, Step()),
        (NUMBER + 3, NUMBER, 2, Step(late=2)),
        (NUMBER + 3, NUMBER, 5, Step(late=3)),
        (NUMBER, NUMBER + BEGINNING - 1, 1, Step(lost=BEGINNING - 1)),
        (NUMBER, NUMBER + BEGINNING, 1, Step(begins=True)),
        (NUMBER + BEGINNING - 1, NUMBER, 1, Step(late=1)),
        (NUMBER + BEGINNING, NUMBER, 1, Step(begins=True)),
    ],
)
def test_steps(expected: int | None, first: int, count: int, found: Step) -> None:
    """A gap is loss, a number of before is late, and a jump of 2**31 is a new beginning."""
    assert step(expected, first, count) == found


def test_a_lost_ledger_is_a_jump() -> None:
    """A pair that begins anew a second later is 2**32 numbers away."""
    assert step(envelope.first_number(1e9) + 5, envelope.first_number(1e9 + 1), 1).begins
    assert envelope.first_number(0.0) > 0
