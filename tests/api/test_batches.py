"""api.batches: what readers of a burst get, with gaps in its numbers and times."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from wintun_api.api.batches import batch, batch_frame, timed_batch, timed_batch_frame
from wintun_api.frames import BINARY, frame_header
from wintun_api.hub.burst import Burst
from wintun_api.packet.block import Block
from wintun_api.wire import Batch, unpack

FIRST, TIME = 1000, 1_700_000_000_000_000_000


def burst(offsets: list[int], size: int = 30, *, timed: bool = True) -> Burst:
    """Make a burst of packets with these offsets, each a microsecond after the one before."""
    packets = [index.to_bytes(size, "big") for index in range(len(offsets))]
    return Burst(
        Block.of(packets),
        [size] * len(packets),
        size * len(packets),
        FIRST,
        TIME,
        injected=True,
        offsets=array("I", offsets),
        times=array("I", [1000 * index for index in range(len(offsets))]) if timed else None,
    )


def numbers(batches: list[Batch]) -> list[int]:
    """The numbers of all packets, as a reader of the format finds them."""
    found = []
    for one in batches:
        number = one.sequence
        for delta in one.sequence_deltas or [0] + [1] * (len(one.packets) - 1):
            number += delta
            found.append(number)
    return found


def times(batches: list[Batch]) -> list[int]:
    """The times of all packets."""
    return [one.time_ns + time for one in batches for time in one.times or ()]


@given(
    st.lists(st.one_of(st.integers(1, 4), st.integers(65530, 200_000)), max_size=20),
    st.sampled_from([30, 900]),
)
def test_gaps_of_any_size_are_exact(steps: list[int], size: int) -> None:
    """A gap that a delta cannot tell begins another batch, and every reader finds its numbers."""
    offsets = [sum(steps[:index]) for index in range(len(steps) + 1)]
    whole = burst(offsets, size)
    for message in (batch(whole), timed_batch(whole)):
        batches = unpack(message)
        assert numbers(batches) == [FIRST + offset for offset in offsets]
        assert [packet for one in batches for packet in one.packets] == list(whole.packets)
        assert len(batches) == 1 + sum(step > 0xFFFF for step in steps)
    assert times(unpack(batch(whole))) == []
    assert times(unpack(timed_batch(whole))) == [TIME + 1000 * n for n in range(len(offsets))]


@given(st.lists(st.sampled_from([1, 2, 70_000]), max_size=6), st.sampled_from([30, 900]))
def test_a_frame_is_the_batch_in_one_message(steps: list[int], size: int) -> None:
    """In one piece or in several, a frame carries exactly the batch."""
    whole = burst([sum(steps[:index]) for index in range(len(steps) + 1)], size)
    for frame, message in ((batch_frame, batch), (timed_batch_frame, timed_batch)):
        made, payload = frame(whole), message(whole)
        joined = made if isinstance(made, bytes) else b"".join(made)
        assert joined == frame_header(BINARY, len(payload)) + payload


def test_packets_that_have_the_time_of_their_burst() -> None:
    """A reader that asked for times gets the column also where all times are the same."""
    (one,) = unpack(timed_batch(burst([0, 1, 2], timed=False)))
    assert list(one.times or ()) == [0, 0, 0]
    (other,) = unpack(batch(burst([0, 1, 2], timed=False)))
    assert other.times is None
