"""The batch frame."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import BAD_FRAMES
from wintun_api.errors import FrameError
from wintun_api.wire import Batch, header, pack, unpack

packets = st.lists(st.binary(max_size=200), max_size=20)
u16, u64 = st.integers(0, 2**16 - 1), st.integers(0, 2**64 - 1)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch that can be packed."""
    chosen = draw(packets)
    column = st.lists(u16, min_size=len(chosen), max_size=len(chosen))
    return Batch(
        packets=chosen,
        sequence=draw(u64),
        time_ns=draw(u64),
        injected=draw(st.booleans()),
        original_lengths=draw(st.none() | column),
        sequence_deltas=draw(st.none() | column),
    )


def plain(batch: Batch) -> tuple[object, ...]:
    """A batch as comparable values."""
    return (
        list(batch.packets),
        batch.sequence,
        batch.time_ns,
        batch.injected,
        None if batch.original_lengths is None else list(batch.original_lengths),
        None if batch.sequence_deltas is None else list(batch.sequence_deltas),
    )


@given(st.lists(batches(), min_size=1, max_size=4))
def test_round_trip(chosen: list[Batch]) -> None:
    """What was packed is unpacked, batch after batch."""
    message = b"".join(map(pack, chosen))
    assert list(map(plain, unpack(message))) == list(map(plain, chosen))


def test_layout() -> None:
    """The bytes are those of the table."""
    data = pack(
        Batch([b"ab", b"cde"], 0x0102030405060708, 9, injected=True, original_lengths=[4, 5])
    )
    assert data == (
        b"WTB1"
        + struct.pack("<HHIIQQ", 32, 4 | 1, 2, 5, 0x0102030405060708, 9)
        + struct.pack("<HHHH", 2, 3, 4, 5)
        + b"abcde"
    )


@pytest.mark.parametrize("kind", [list, partial(array, "H")])
@pytest.mark.parametrize("originals", [None, [9, 65535]])
def test_a_header_with_a_known_size(
    kind: Callable[[list[int]], Sequence[int]], originals: list[int] | None
) -> None:
    """Whether the sum of the lengths is given or not, the header is the same."""
    lengths = kind([3, 65535])
    known = header(lengths, size=65538, original_lengths=originals)
    assert known == header(lengths, original_lengths=originals)


def test_a_longer_header_is_skipped() -> None:
    """A header may grow: a reader skips what it does not know."""
    data = bytearray(pack(Batch([b"ab"])))
    data[4:6] = struct.pack("<H", 40)
    data[32:32] = bytes(8)
    assert [list(batch.packets) for batch in unpack(bytes(data))] == [[b"ab"]]


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_bad_frames(frame: bytes) -> None:
    """A frame that lies is refused with a sentence."""
    with pytest.raises(FrameError, match=r"[.]$"):
        unpack(frame)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Whatever comes is a list of batches or a FrameError."""
    for message in (data, pack(Batch([b"x" * 20]))[:32] + data):
        with suppress(FrameError):
            unpack(message)
