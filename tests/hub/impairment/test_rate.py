"""hub.impairment.rate: a virtual clock that is exact in bits and keeps the order."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.networks import START
from wintun_api.hub.impairment.rate import Rate
from wintun_api.hub.impairment.waiting import Waits

SECOND = 1_000_000_000
SIZES = st.lists(st.integers(20, 1500), min_size=1, max_size=200)
RATES = st.sampled_from([100, 9_600, 10_000_000, 999_999_937, 10**12])


@given(RATES, SIZES, st.integers(-20, 1500))
def test_a_busy_link_is_exact_in_bits(rate: int, sizes: list[int], overhead: int) -> None:
    """Each packet leaves when the bits of all up to it have been sent, to the nanosecond."""
    link = Rate(0, rate, 0, overhead)
    bits = 0
    for size in sizes:
        bits += 8 * (size + overhead)
        assert link.departure(START, size) == START + bits * SECOND // rate


@pytest.mark.parametrize("rate", [10_000_000, 9_999_991, 2_400_000_000])
@pytest.mark.parametrize("burst", [0, 16_384])
def test_ten_seconds_carry_what_was_asked_for(rate: int, burst: int) -> None:
    """A flood of twice the rate passes at the rate, plus the burst once."""
    link = Rate(0, rate, burst, 0)
    size = max(1000, rate // 100_000)
    sent = 0
    came = START
    while (due := link.departure(came, size)) <= START + 10 * SECOND:
        sent += 8 * size
        came += 8 * size * SECOND // (2 * rate)
        assert due >= came - 8 * size * SECOND
    assert sent <= 10 * rate + 8 * burst < sent + 8 * size


@given(
    RATES,
    st.integers(0, 100_000),
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(20, 1500))),
)
def test_no_span_carries_more_than_rate_and_burst(
    rate: int, burst: int, packets: list[tuple[int, int]]
) -> None:
    """Between any two departures there are no more bits than the rate and one burst allow."""
    link = Rate(0, rate, burst, 0)
    ready = START
    left: list[tuple[int, int]] = []
    for pause, size in packets:
        ready += pause // 100
        left.append((link.departure(ready, size), 8 * size))
    for first, (since, _) in enumerate(left):
        bits = 0
        for due, size_bits in left[first + 1 :]:
            bits += size_bits
            allowed = Fraction((due - since + 3) * rate, SECOND) + 8 * burst
            assert bits <= allowed


@given(RATES, st.integers(0, 100_000), SIZES)
def test_packets_that_are_slower_than_the_rate_are_not_held(
    rate: int, burst: int, sizes: list[int]
) -> None:
    """After a pause, a packet takes its own time on the link, or none if the burst has room."""
    link = Rate(0, rate, burst, 0)
    ready = START
    for size in sizes:
        ready += (8 * (size + burst + 1500) * SECOND) // rate + 1
        alone = max(0, 8 * size * SECOND // rate - 8 * burst * SECOND // rate)
        assert link.departure(ready, size) - ready == alone


@given(
    RATES,
    st.integers(0, 100_000),
    st.lists(st.tuples(st.integers(0, 10 * SECOND), st.integers(20, 1500)), max_size=100),
)
def test_a_rate_keeps_the_order(rate: int, burst: int, packets: list[tuple[int, int]]) -> None:
    """Packets that are ready in another order leave in the order in which they came."""
    link = Rate(START + 5, rate, burst, 0)
    last = START + 5
    for ready, size in packets:
        due = link.departure(START + ready, size)
        assert due >= last
        assert due >= START + ready
        last = due


def test_a_slow_rate_takes_minutes() -> None:
    """100 bit/s need two minutes for a packet of 1500 bytes, and twenty for ten."""
    link = Rate(0, 100, 0, 0)
    times = [link.departure(START, 1500) - START for _ in range(10)]
    assert times == [120 * SECOND * number for number in range(1, 11)]


def test_overhead_that_takes_all_bytes_away() -> None:
    """A packet that header compression makes nothing of leaves at once."""
    link = Rate(0, 100, 0, -64)
    assert [link.departure(START, 64), link.departure(START, 20)] == [START, START]
    assert link.departure(START, 65) == START + 8 * SECOND // 100


def test_what_waits_leaves_at_the_new_rate() -> None:
    """What was sent of a packet stays sent, and the rest of it and all others take the new rate."""
    link = Rate(0, 8_000, 0, 0)
    assert link.departure(START, 1000) == START + SECOND
    waits = [(START + SECOND, 1000, link.turn)]
    assert link.departure(START, 1000) == START + 2 * SECOND
    waits.append((START + 2 * SECOND, 1000, link.turn))
    now = START + SECOND // 2
    times = [due for due, _ in link.change(80_000, 0, 0, now, waits)]
    assert times == [now + SECOND // 20, now + 3 * SECOND // 20]
    assert link.departure(now, 1000) == link.last_ns == now + SECOND // 4


def test_a_packet_goes_on_after_each_change() -> None:
    """Half of it is sent at one rate, a tenth at a slower one and the rest at the first again."""
    link = Rate(0, 8_000, 0, 0)
    waits = [(link.departure(START, 1000), 1000, link.turn)]
    ((due, turn),) = link.change(800, 0, 0, START + SECOND // 2, waits)
    assert due == START + SECOND // 2 + 5 * SECOND
    now = START + SECOND // 2 + SECOND
    ((due, _),) = link.change(8_000, 0, 0, now, [(due, 1000, turn)])
    assert due == now + 4 * SECOND // 10


def test_a_packet_on_its_way_to_the_link_has_not_used_the_burst() -> None:
    """What is still delayed when the rate changes finds the burst as it would have been."""
    link = Rate(0, 8_000, 2_000, 0)
    ready = START + SECOND
    waits = [(link.departure(ready, 1000), 1000, link.turn) for _ in range(3)]
    times = [due for due, _ in link.change(800, 2_000, 0, START, waits)]
    assert times == [ready, ready, ready + 10 * SECOND]


def test_what_the_link_has_sent_stays_sent() -> None:
    """A packet whose time has come keeps it, although nobody has looked yet."""
    link = Rate(0, 8_000, 0, 0)
    waits = [(link.departure(START, 1000), 1000, link.turn) for _ in range(2)]
    now = START + SECOND + 1
    first, second = link.change(800, 0, 0, now, waits)
    assert first == (waits[0][0], waits[0][2])
    assert second[0] == now + 10 * SECOND - 10


def test_another_overhead_holds_for_what_waits() -> None:
    """A packet that becomes smaller than what was sent of it leaves now, and gives nothing back."""
    link = Rate(0, 8_000, 0, 0)
    waits = [(link.departure(START, 1000), 1000, link.turn) for _ in range(2)]
    now = START + SECOND // 2
    times = [due for due, _ in link.change(8_000, 0, -900, now, waits)]
    assert times == [now, now + SECOND // 10]


def test_a_used_burst_does_not_block_a_faster_link() -> None:
    """What a slow link owes for its burst is owed in bits, which a faster one pays sooner."""
    link = Rate(0, 1_000, 16_000, 0)
    assert [link.departure(START, 1000) for _ in range(16)] == [START] * 16
    link.change(10_000_000, 16_000, 0, START, [])
    assert link.departure(START, 1000) == START + 8_000 * SECOND // 10_000_000


def test_a_change_gives_no_burst() -> None:
    """The burst is not refilled by asking again, and not by asking for a larger one."""
    link = Rate(0, 8_000, 2_000, 0)
    assert [link.departure(START, 1000) for _ in range(2)] == [START, START]
    link.change(8_000, 2_000, 0, START, [])
    assert link.departure(START, 1000) == START + SECOND
    link.change(8_000, 10_000, 0, START + SECOND, [])
    assert link.departure(START + SECOND, 1000) == START + 2 * SECOND


def test_a_smaller_burst_holds_at_once() -> None:
    """What is left of a burst is at most the new one."""
    link = Rate(0, 8_000, 10_000, 0)
    assert link.departure(START, 1000) == START
    link.change(8_000, 1_000, 0, START, [])
    assert link.departure(START, 1000) == START
    assert link.departure(START, 1000) == START + SECOND


@pytest.mark.parametrize("burst", [0, 20_000])
def test_a_ramp_carries_its_mean(burst: int) -> None:
    """A rate that changes ten times a second carries the sum of its parts."""
    link = Rate(0, 1_000_000, burst, 0)
    waits: list[Waits] = []
    sent = 0
    for step in range(100):
        now = START + step * SECOND // 10
        times = link.change(1_000_000 + 90_000 * step, burst, 0, now, waits)
        waits = [(due, 500, turn) for due, turn in times]
        waits += [(link.departure(now, 500), 500, link.turn) for _ in range(300 - len(waits))]
        left = [one for one in waits if one[0] <= now + SECOND // 10]
        waits = waits[len(left) :]
        sent += 4000 * len(left)
    expected = sum(100_000 + 9_000 * step for step in range(100)) + 8 * burst
    assert sent == pytest.approx(expected, abs=4000 + 100)
