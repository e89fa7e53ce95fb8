"""Blocks: packets in one piece of memory, cut apart only when asked for."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet.block import Block, lengths_of

EVEN = [b"abc", b"def", b"ghi"]
UNEVEN = [b"a", b"bcde", b"", b"fg"]


def block(packets: list[bytes], before: bytes = b"", behind: bytes = b"") -> Block:
    """Return a block inside of other bytes."""
    payload = b"".join(packets)
    lengths = array("H", map(len, packets))
    return Block(before + payload + behind, lengths, len(payload), len(before))


@pytest.mark.parametrize("packets", [EVEN, UNEVEN, [b"", b""], []])
def test_cut(packets: list[bytes]) -> None:
    """Packets come back as they lie, whatever is before and behind them."""
    made = block(packets, b"head", b"tail")
    assert list(made) == packets
    assert len(made) == len(packets)
    assert made.payload == b"".join(packets)


@given(st.lists(st.binary(max_size=50), max_size=20), st.binary(max_size=5))
def test_of_any_packets(packets: list[bytes], before: bytes) -> None:
    """A block equals the list that it was made of."""
    assert block(packets, before) == packets
    assert Block.of(packets) == packets


def test_one_and_a_slice() -> None:
    """One packet is bytes, a slice a list of them."""
    made = block(UNEVEN)
    assert made[1] == b"bcde"
    assert made[2:] == [b"", b"fg"]


def test_a_block_is_taken_as_it_is() -> None:
    """What is a block already is not copied, nor is the only one of several."""
    made = block(EVEN)
    assert Block.of(made) is made
    assert Block.joined([made]) is made


def test_joined() -> None:
    """Blocks make one, in order."""
    joined = Block.joined([block(EVEN, b"x"), block(UNEVEN, b"", b"y"), block([])])
    assert joined == [*EVEN, *UNEVEN]
    assert joined.size == sum(joined.lengths) == 16


def test_joined_of_none() -> None:
    """No blocks make an empty one."""
    assert len(Block.joined([])) == 0


@pytest.mark.parametrize("packets", [EVEN, [b"abc", b"d", b"ef"], [b"a"], []])
def test_first_bytes(packets: list[bytes]) -> None:
    """The first bytes are seen without cutting anything apart."""
    made = block(packets, b"zz", b"zz")
    assert made.first_bytes == {packet[0] for packet in packets}


def test_lengths() -> None:
    """Lengths of a block are those it was given; those of a list are counted."""
    made = block(UNEVEN)
    assert lengths_of(made) is made.lengths
    assert list(made.lengths) == [1, 4, 0, 2]
    assert lengths_of(UNEVEN) == [1, 4, 0, 2]


def test_is_not_equal_to_anything_else() -> None:
    """A block is compared with packets only."""
    assert block(EVEN) != EVEN[:2]
    assert block(EVEN) != "abc"
