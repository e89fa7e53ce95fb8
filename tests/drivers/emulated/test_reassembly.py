from __future__ import annotations

import random

import pytest

from wintun_api.drivers.emulated.reassembly import MAX_PIECES, Reassembly


def test_in_order() -> None:
    """What comes in order is given at once, and nothing is held."""
    reassembly = Reassembly(1)
    assert [reassembly.put(1, b"ab"), reassembly.put(3, b"c")] == [b"ab", b"c"]
    assert (reassembly.next, len(reassembly)) == (4, 0)


def test_gap() -> None:
    """What comes early waits for the gap to be filled."""
    reassembly = Reassembly(0)
    assert reassembly.put(4, b"ef") == b""
    assert reassembly.put(2, b"cd") == b""
    assert len(reassembly) == 6
    assert reassembly.put(0, b"ab") == b"abcdef"
    assert (reassembly.next, len(reassembly)) == (6, 0)


def test_old_data() -> None:
    """What was given before is not given again."""
    reassembly = Reassembly(0)
    reassembly.put(0, b"abcd")
    assert reassembly.put(0, b"abcd") == b""
    assert reassembly.put(2, b"cdef") == b"ef"


@pytest.mark.parametrize("seed", range(20))
def test_any_order(seed: int) -> None:
    """Pieces in any order, doubled and overlapping, come out as the stream that they are of."""
    choose = random.Random(seed)
    stream = choose.randbytes(2000)
    cuts = sorted(choose.sample(range(2000), 40))
    pieces = [
        (first, min(2000, end + choose.randrange(30)))
        for first, end in zip([0, *cuts], [*cuts, 2000], strict=True)
    ]
    pieces += choose.choices(pieces, k=10)
    choose.shuffle(pieces)
    reassembly = Reassembly(0)
    out = b"".join(reassembly.put(first, stream[first:end]) for first, end in pieces)
    assert out == stream
    assert len(reassembly) == 0


def test_bounded() -> None:
    """Only so many gaps are kept; what is dropped is counted, and the stream still goes on."""
    reassembly = Reassembly(0)
    for place in range(2, 4 * MAX_PIECES, 2):
        assert reassembly.put(place, b"x") == b""
    assert reassembly.dropped == 2 * MAX_PIECES - 1 - MAX_PIECES
    stream = bytes(4 * MAX_PIECES)
    assert len(reassembly.put(0, stream)) == 4 * MAX_PIECES
