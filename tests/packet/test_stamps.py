"""packet.stamps: when packets were read, beside the packets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet.stamps import LATEST, Stamps

READINGS = st.lists(st.integers(0, LATEST), min_size=1, max_size=30).map(sorted)
BEGIN = 1_700_000_000_000_000_000


def absolute(stamps: Stamps) -> list[int]:
    """The time of each packet, in nanoseconds since 1970."""
    return [stamps.time_ns + time for time in stamps.times]


@given(READINGS)
def test_times_are_kept(readings: list[int]) -> None:
    """The stamps of packets say when each was read."""
    assert absolute(Stamps.of([BEGIN + one for one in readings])) == [
        BEGIN + one for one in readings
    ]


def test_a_clock_that_is_set_back_or_far_forward() -> None:
    """A time that no number of 32 bits can tell becomes the nearest that one can."""
    assert list(Stamps.of([BEGIN, BEGIN - 5, BEGIN + LATEST + 5]).times) == [0, 0, LATEST]


@given(READINGS, st.data())
def test_parts_keep_their_times(readings: list[int], data: st.DataObject) -> None:
    """Parts of a burst have the times that its packets had, and joined they are the whole."""
    stamps = Stamps.of([BEGIN + one for one in readings])
    at = data.draw(st.integers(1, len(readings)))
    parts = [stamps.part(0, at)]
    if at < len(readings):
        parts.append(stamps.part(at, len(readings)))
    assert [time for part in parts for time in absolute(part)] == absolute(stamps)
    assert absolute(Stamps.joined(parts)) == absolute(stamps)
