"""hub.burst: numbers and times of packets stay with them, however a burst is divided."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from wintun_api.hub.burst import Burst
from wintun_api.packet.block import Block
from wintun_api.packet.stamps import Stamps

FIRST, BEGIN = 1000, 1_700_000_000_000_000_000
Row: TypeAlias = tuple[bytes, int, int, int]


def rows(burst: Burst) -> list[Row]:
    """Each packet with its number, its time and its original length."""
    times = burst.times or [0] * burst.count
    originals = burst.original_lengths or burst.lengths
    assert len(burst.lengths) == len(times) == len(originals) == burst.count
    assert burst.size == sum(map(len, burst.packets)) == sum(burst.lengths)
    return [
        (packet, burst.number(index), burst.time_ns + time, original)
        for index, (packet, time, original) in enumerate(
            zip(burst.packets, times, originals, strict=True)
        )
    ]


@st.composite
def bursts(draw: st.DrawFn) -> Burst:
    """Draw a burst in one piece or in many, with times or without."""
    sizes = draw(st.lists(st.integers(1, 90), min_size=1, max_size=30))
    packets = [bytes([index]) * size for index, size in enumerate(sizes)]
    times = Stamps.of([BEGIN + 10 * index for index in range(len(sizes))]).times
    return Burst(
        Block.of(packets) if draw(st.booleans()) else packets,
        sizes,
        sum(sizes),
        FIRST,
        BEGIN,
        injected=draw(st.booleans()),
        times=times if draw(st.booleans()) else None,
    )


@st.composite
def places(draw: st.DrawFn, count: int) -> list[int]:
    """Draw the places of at least one packet."""
    return sorted(draw(st.sets(st.integers(0, count - 1), min_size=1)))


@given(bursts(), st.data())
def test_chosen_packets_keep_what_they_have(burst: Burst, data: st.DataObject) -> None:
    """Chosen packets, chosen again, cut off and cut short, keep number, time and length."""
    expected = rows(burst)
    for _ in range(2):
        chosen = data.draw(places(burst.count))
        burst, expected = burst.chosen(chosen), [expected[place] for place in chosen]
        assert rows(burst) == expected
        assert burst.last == expected[-1][1]
        assert burst.sequence == expected[0][1]
    start = data.draw(st.integers(0, burst.count - 1))
    stop = data.draw(st.integers(start + 1, burst.count))
    burst, expected = burst.part(start, stop), expected[start:stop]
    assert rows(burst) == expected
    cut = [(packet[:20], number, time, size) for packet, number, time, size in expected]
    assert rows(burst.cut(20)) == cut
    assert rows(burst.cut(20).cut(50)) == cut


@given(bursts(), st.data())
def test_packets_of_a_time_and_since_a_number(burst: Burst, data: st.DataObject) -> None:
    """Both ends of a time belong to it, and the packet with the number is the first one."""
    burst = burst.chosen(data.draw(places(burst.count)))
    every = rows(burst)
    assert (burst.first_ns, burst.last_ns) == (every[0][2], every[-1][2])
    since = data.draw(st.integers(BEGIN - 5, BEGIN + 305))
    until = data.draw(st.integers(since, BEGIN + 310))
    between = burst.between(since, until)
    expected = [row for row in every if since <= row[2] <= until]
    assert ([] if between is None else rows(between)) == expected
    number = data.draw(st.integers(FIRST - 1, FIRST + 31))
    later = burst.since(number)
    assert ([] if later is None else rows(later)) == [row for row in every if row[1] >= number]


@given(bursts(), st.data())
def test_numbers_without_gaps_need_no_offsets(burst: Burst, data: st.DataObject) -> None:
    """A burst has offsets exactly where its numbers have gaps."""
    chosen = burst.chosen(data.draw(places(burst.count)))
    gaps = chosen.last - chosen.sequence != chosen.count - 1
    assert (chosen.offsets is not None) is gaps


def test_memory_of_numbers_and_times() -> None:
    """What is queued accounts for the numbers and the times that it keeps."""
    packets = [bytes(10)] * 4
    plain = Burst(packets, [10] * 4, 40, 0, 0, injected=False)
    timed = Burst(packets, [10] * 4, 40, 0, 0, injected=False, times=[0] * 4)
    assert timed.kept - plain.kept == 16
    assert timed.chosen([0, 2]).kept - plain.part(0, 2).kept == 16
