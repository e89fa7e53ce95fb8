"""hub.impairment.lane: what happens to the packets of one rule, and that all are accounted for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.bounds import PACKETS, near_moments, near_share
from tests.hub.impairment.networks import (
    MS,
    PARAMETERS,
    START,
    Direction,
    holds,
    numbered,
)
from wintun_api.choices import Distribution
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.parameters import GilbertElliott, Parameters

SECOND = 1_000_000_000
MANY = 1_000_000


@st.composite
def actions(draw: st.DrawFn) -> list[Parameters | int | None]:
    """Draw what happens to a lane: a change, a packet of a size, or time that passes."""
    size = st.integers(20, 1500)
    return draw(st.lists(st.one_of(PARAMETERS, size, size, size, size, st.none()), max_size=60))


@given(PARAMETERS, actions(), st.sampled_from([0, 1000, 10 * MS, 100 * SECOND]))
def test_every_packet_is_accounted_for_at_every_moment(
    parameters: Parameters, happening: list[Parameters | int | None], pace: int
) -> None:
    """Whatever is put, changed and taken, all packets and bytes that came are somewhere."""
    direction = Direction(parameters)
    accounts, lane = direction.accounts, direction.lane
    waited = (0, 0)
    for number, action in enumerate(happening):
        if isinstance(action, Parameters):
            direction.change(action)
            assert lane.parameters == action
        elif action is not None:
            size = direction.put(numbered(number, action))
            too_large = lane.parameters.max_size is not None and action > lane.parameters.max_size
            assert size == (action if too_large else 0)
        else:
            direction.now += pace
            direction.take()
        assert holds(accounts)
        assert lane.waits_packets <= accounts.delayed.packets == direction.waiting.packets
        assert lane.waits_bytes <= accounts.delayed.bytes == direction.waiting.bytes
        if lane.waits_packets > waited[0]:
            assert lane.waits_packets <= lane.parameters.limit_packets
        if lane.waits_bytes > waited[1]:
            assert lane.waits_bytes <= lane.parameters.limit_bytes
        waited = lane.waits_packets, lane.waits_bytes
    left = direction.departures()
    assert [due for due, _ in left] == sorted(due for due, _ in left)
    assert holds(accounts)
    assert accounts.delayed == Count()
    assert (lane.waits_packets, lane.waits_bytes) == (0, 0)


@given(PARAMETERS, st.lists(st.integers(20, 1500), max_size=50))
def test_what_waits_is_within_the_limits(parameters: Parameters, sizes: list[int]) -> None:
    """Neither packets nor bytes that wait are ever more than was allowed."""
    direction = Direction(parameters)
    for number, size in enumerate(sizes):
        direction.put(numbered(number, size))
        assert direction.lane.waits_packets <= parameters.limit_packets
        assert direction.lane.waits_bytes <= parameters.limit_bytes


@given(PARAMETERS, st.lists(st.sampled_from([0, 1, MS, SECOND]), min_size=30, max_size=30))
def test_decisions_do_not_depend_on_time_or_on_the_queue(
    parameters: Parameters, pauses: list[int]
) -> None:
    """Packets that come at other times, to another queue, have the same fate."""
    parameters = replace(parameters, limit_packets=MANY, limit_bytes=1 << 30)
    packed, spread = Direction(parameters), Direction(parameters)
    for number, pause in enumerate(pauses):
        packed.put(numbered(number))
        spread.now += pause
        spread.take()
        spread.put(numbered(number))
    for one in (packed, spread):
        one.departures()
    assert packed.accounts == spread.accounts


def test_a_delay_is_exact() -> None:
    """Each packet leaves after the delay, to the nanosecond, in the order in which it came."""
    direction = Direction(Parameters(delay_ms=60))
    for number in range(100):
        direction.put(numbered(number))
        direction.now += 1000
    assert direction.departures() == [
        (60 * MS + 1000 * number, numbered(number)) for number in range(100)
    ]


def test_jitter_lets_packets_overtake_each_other() -> None:
    """Without a rate, packets leave in the order of their times."""
    direction = Direction(Parameters(delay_ms=60, jitter_ms=20))
    for number in range(100):
        direction.put(numbered(number))
    left = [packet for _, packet in direction.departures()]
    assert left != sorted(left)
    assert sorted(left) == [numbered(number) for number in range(100)]


def test_a_rate_keeps_the_order_despite_jitter() -> None:
    """As in sch_netem, packets leave a link of a limited rate in the order in which they came."""
    direction = Direction(Parameters(delay_ms=60, jitter_ms=60, rate_bps=10**9, burst_bytes=5000))
    for number in range(500):
        direction.put(numbered(number))
        direction.now += MS
        direction.take()
    accounts = direction.accounts
    assert accounts.delivered.packets + accounts.delayed.packets == 500
    direction = Direction(direction.lane.parameters)
    for number in range(500):
        direction.put(numbered(number))
    left = [packet for _, packet in direction.departures()]
    assert left == [numbered(number) for number in range(500)]


def test_statistics_of_a_whole_network() -> None:
    """Delay, jitter, loss, duplicates and corruption together are what each one is alone."""
    parameters = Parameters(
        delay_ms=100,
        jitter_ms=10,
        distribution=Distribution.NORMAL,
        loss=0.02,
        duplicate=0.05,
        corrupt=0.03,
        limit_packets=MANY,
        limit_bytes=1 << 40,
    )
    direction = Direction(parameters)
    packet = bytes(40)
    delays: list[float] = []
    for _ in range(PACKETS):
        direction.put(packet)
        left = len(direction.departures())
        delays += [(direction.now - START) / MS] if left == 1 else []
        direction.now = START
    accounts = direction.accounts
    near_share(accounts.lost.packets, PACKETS, 0.02)
    near_share(accounts.duplicated.packets, PACKETS, 0.05)
    near_share(accounts.corrupted.packets, accounts.delivered.packets, 0.03)
    near_moments(delays, 100, 10, 3, 0)
    assert holds(accounts)


def test_tail_drop_is_exact() -> None:
    """Exactly so many packets wait; those that come then are dropped and counted."""
    direction = Direction(Parameters(delay_ms=100, limit_packets=10))
    for number in range(25):
        direction.put(numbered(number))
    assert direction.accounts.limit == Count(15, 15_000)
    assert [packet for _, packet in direction.departures()] == [
        numbered(number) for number in range(10)
    ]


def test_the_limit_in_bytes_is_exact() -> None:
    """A packet is dropped if it and those that wait are larger than the limit; smaller ones fit."""
    direction = Direction(Parameters(delay_ms=100, limit_bytes=2_500))
    for size in (1000, 1000, 1000, 500, 20):
        direction.put(numbered(0, size))
    assert direction.accounts.delayed == Count(3, 2500)
    assert direction.accounts.limit == Count(2, 1020)


def test_a_flood_of_twice_the_rate_counts_exactly() -> None:
    """The link is always busy and the queue full: what passes and what is dropped is arithmetic."""
    rate, size, limit = 10_000_000, 1250, 50
    direction = Direction(Parameters(rate_bps=rate, limit_packets=limit))
    for number in range(20_000):
        direction.now = START + number * SECOND // 2000
        direction.take()
        direction.put(numbered(number, size))
    direction.now = START + 10 * SECOND
    direction.take()
    accounts = direction.accounts
    assert accounts.delivered == Count(10_000, 10_000 * size)
    assert accounts.delayed.packets == limit - 1
    assert accounts.limit.packets == 20_000 - 10_000 - (limit - 1)


@pytest.mark.parametrize("parameters", [Parameters(limit_packets=1), Parameters(limit_bytes=1)])
def test_packets_that_do_not_wait_are_not_limited(parameters: Parameters) -> None:
    """A burst that is delayed by nothing passes, however large it is."""
    direction = Direction(parameters)
    for number in range(5000):
        direction.put(numbered(number))
    assert direction.lane.waits_packets == 0
    assert direction.take() == [numbered(number) for number in range(5000)]


def test_a_huge_limit() -> None:
    """As many packets wait as were asked for, and leave in order."""
    direction = Direction(
        Parameters(delay_ms=600_000, jitter_ms=1000, limit_packets=MANY, limit_bytes=1 << 30)
    )
    packet = bytes(20)
    for _ in range(PACKETS):
        direction.put(packet)
    assert direction.lane.waits_packets == PACKETS
    assert len(direction.waiting.take_all()) == PACKETS
    assert (direction.lane.waits_packets, direction.lane.waits_bytes) == (0, 0)


def test_a_blackout_takes_all_and_draws_all_the_same() -> None:
    """Every packet is lost in it, and those after it have the fates of their numbers."""
    parameters = Parameters(loss=0.5)
    dark, clear = Direction(parameters), Direction(parameters)
    dark.change(replace(parameters, blackout=True))
    for number in range(100):
        dark.put(numbered(number))
        clear.put(numbered(number))
    assert dark.accounts.blackout == Count(100, 100_000)
    assert dark.accounts.lost == Count()
    dark.change(parameters)
    clear.take()
    for number in range(100):
        dark.put(numbered(number))
        clear.put(numbered(number))
    assert dark.take() == clear.take()


def test_large_packets_are_lost_first_and_draw_all_the_same() -> None:
    """A packet is too large before anything else, and the next one has the fate of its number."""
    parameters = Parameters(max_size=1000, blackout=True)
    direction = Direction(parameters)
    assert direction.put(numbered(0, 1001)) == 1001
    assert direction.put(numbered(0, 1000)) == 0
    assert direction.accounts.too_large == Count(1, 1001)
    assert direction.accounts.blackout == Count(1, 1000)
    small, mixed = Direction(Parameters(loss=0.5)), Direction(Parameters(loss=0.5, max_size=1000))
    for number in range(100):
        small.put(numbered(number))
        mixed.put(numbered(number, 1001 if number < 50 else 1000))
    assert mixed.accounts.too_large.packets == 50
    assert mixed.take() == [one for one in small.take() if one >= numbered(50)]


def test_a_packet_both_lost_and_duplicated_leaves_once() -> None:
    """As in sch_netem, the loss takes one of the two; both are counted."""
    direction = Direction(Parameters(loss=1, duplicate=1))
    direction.put(numbered(1))
    assert direction.take() == [numbered(1)]
    assert direction.accounts.lost == direction.accounts.duplicated == Count(1, 1000)


def test_copies_have_a_delay_and_a_bit_of_their_own() -> None:
    """A duplicate is a packet like any other from then on."""
    direction = Direction(Parameters(duplicate=1, corrupt=1, delay_ms=100, jitter_ms=50))
    direction.put(numbered(1))
    (first, one), (second, two) = direction.departures()
    assert first != second
    assert len({one, two, numbered(1)}) == 3
    assert direction.accounts.corrupted == Count(2, 2000)


def test_reordered_packets_leave_before_those_that_wait() -> None:
    """Every fifth packet is sent at once."""
    direction = Direction(Parameters(delay_ms=10, reorder=1, reorder_gap=5))
    for number in range(1, 11):
        direction.put(numbered(number))
    assert [packet for _, packet in direction.departures()] == [
        numbered(number) for number in (5, 10, 1, 2, 3, 4, 6, 7, 8, 9)
    ]
    assert direction.accounts.reordered == Count(2, 2000)


def test_reordered_packets_take_their_time_on_the_link() -> None:
    """What is sent before others makes them later: the rate holds for all of them together."""
    direction = Direction(Parameters(rate_bps=8_000_000, delay_ms=10, reorder=1, reorder_gap=5))
    for number in range(100):
        direction.put(numbered(number))
    left = direction.departures()
    assert [due for due, _ in left[:20]] == [0] * 20
    kept = [packet for _, packet in left[20:]]
    assert kept == sorted(kept)
    # The 99th is the last of them: 19 that were sent at once and 80 took a millisecond each.
    assert left[-1] == (10 * MS + 99 * MS, numbered(98))


def test_those_that_wait_for_a_rate_that_is_taken_away_leave_at_once() -> None:
    """In their order, and before those that come after them."""
    direction = Direction(Parameters(rate_bps=8_000, limit_packets=20))
    for number in range(10):
        direction.put(numbered(number))
    direction.now += 2 * SECOND + 1
    direction.change(Parameters(limit_packets=20))
    for number in range(10, 30):
        direction.put(numbered(number))
    assert direction.take() == [numbered(number) for number in range(30)]
    assert direction.accounts.limit == direction.accounts.delayed == Count()
    assert direction.lane.waits_packets == 0


def test_a_rate_that_is_taken_away_leaves_delays_and_order() -> None:
    """Packets leave when their delay is over, and none before one that came earlier."""
    delayed = Parameters(delay_ms=100, jitter_ms=100, rate_bps=8_000)
    direction = Direction(delayed)
    for number in range(100):
        direction.put(numbered(number))
    same = Direction(replace(delayed, rate_bps=None))
    for number in range(100):
        same.put(numbered(number))
    ready = {packet: due for due, packet in same.departures()}
    direction.now += 50 * MS
    direction.change(Parameters(delay_ms=1))
    left = direction.departures()
    assert [packet for _, packet in left] == [numbered(number) for number in range(100)]
    latest = 50 * MS
    for due, packet in left:
        latest = max(latest, ready[packet])
        assert due == latest


def test_a_queue_drains_at_the_rate_that_is_set_now() -> None:
    """A thousand packets that would have taken minutes leave within milliseconds."""
    direction = Direction(Parameters(rate_bps=100_000))
    for number in range(1000):
        direction.put(numbered(number))
    direction.now += 40 * MS  # half of the first packet has been sent
    direction.change(Parameters(rate_bps=50_000_000))
    sent = [4_000 + 8_000 * number for number in range(1000)]
    assert direction.departures() == [
        (40 * MS + bits * SECOND // 50_000_000, numbered(number))
        for number, bits in enumerate(sent)
    ]


def test_a_lower_rate_makes_those_that_wait_later() -> None:
    """What was sent of the first packet stays sent; the rest takes longer."""
    direction = Direction(Parameters(rate_bps=8_000))
    for number in range(4):
        direction.put(numbered(number))
    direction.now += 3 * SECOND // 2
    assert direction.take() == [numbered(0)]
    direction.change(Parameters(rate_bps=800))
    assert direction.departures() == [
        (3 * SECOND // 2 + (5 + 10 * number) * SECOND, numbered(number + 1)) for number in range(3)
    ]


def test_a_changed_rate_does_not_scale_delays() -> None:
    """Packets that wait for their delay leave a fast link when it is over."""
    direction = Direction(Parameters(delay_ms=200, rate_bps=8_000_000))
    for number in range(3):
        direction.put(numbered(number))
        direction.now += 50 * MS
    direction.change(Parameters(delay_ms=1, rate_bps=80_000_000))
    tenth = MS // 10
    assert direction.departures() == [
        (200 * MS + 50 * MS * number + tenth, numbered(number)) for number in range(3)
    ]


def test_what_waited_before_a_rate_began_does_not_wait_for_it() -> None:
    """Its delay stays, also when that rate changes; the packets of the rate come after it."""
    direction = Direction(Parameters(delay_ms=100))
    direction.put(numbered(1))
    direction.change(Parameters(rate_bps=8_000))
    direction.put(numbered(2))
    direction.put(numbered(3))
    direction.now += 10 * MS
    direction.change(Parameters(rate_bps=8_000_000))
    assert direction.departures() == [
        (100 * MS, numbered(1)),
        (101 * MS, numbered(2)),
        (102 * MS, numbered(3)),
    ]


def test_packets_sent_before_others_still_take_their_time_after_a_change() -> None:
    """What `reorder` sent at once has made the queue later, and a new rate keeps that."""
    direction = Direction(Parameters(rate_bps=8_000, reorder=1, reorder_gap=5))
    for number in range(100):
        direction.put(numbered(number))
    direction.take()
    direction.now += SECOND
    direction.change(Parameters(rate_bps=8_000_000, reorder=1, reorder_gap=5))
    left = direction.departures()
    # One of the 99 before the last has been sent by the old rate, and 20 left at once.
    assert left[-1] == (SECOND + 98 * MS, numbered(98))
    direction.put(numbered(100))
    assert direction.departures() == [(SECOND + 100 * MS, numbered(100))]


@pytest.mark.parametrize("burst", [0, 1_000])
@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("delay", [0, 250])
@pytest.mark.parametrize("limit", [5, 50])
def test_a_slow_ramp_carries_its_mean(burst: int, falls: bool, delay: int, limit: int) -> None:
    """A rate between 100 bit/s and 1 kbit/s that changes ten times a second sends what it should.

    A packet takes longer than the time between two changes, and neither begins anew at each of them
    nor has a burst of its own.
    """
    size, steps = 40, 2_000
    direction = Direction(Parameters(rate_bps=1_000 if falls else 100, burst_bytes=burst))
    number = sent = 0
    for step in range(steps):
        part = (steps - step if falls else step) / steps
        direction.change(
            Parameters(
                rate_bps=100 + round(900 * part),
                burst_bytes=burst,
                delay_ms=delay,
                limit_packets=limit,
            )
        )
        for _ in range(limit // 5):
            number += 1
            direction.put(numbered(number, size))
        direction.now = START + (step + 1) * SECOND // 10
        sent += 8 * size * len(direction.take())
    assert sent == pytest.approx(550 * steps / 10 + 8 * burst, rel=0.01)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([100, 10_000, 999_983, 10**9]),
            st.sampled_from([0, 0, 100, 5_000]),
            st.sampled_from([0, 1, MS, 100 * MS, 10 * SECOND]),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([0, 20, 2000]),
    st.sampled_from([0, 20]),
)
def test_changing_rates_keep_order_and_never_carry_too_much(
    happening: list[tuple[int, int, int, int]], delay: int, jitter: int
) -> None:
    """All that leaves until a moment is no more than the rates and the largest burst allow."""
    jitter = min(jitter, delay)
    direction = Direction(Parameters(rate_bps=100))
    left: list[bytes] = []
    number = 0
    allowed = 0  # bits, times a second
    largest = max(burst for _, burst, _, _ in happening)
    for rate, burst, pause, count in happening:
        direction.change(
            Parameters(delay_ms=delay, jitter_ms=jitter, rate_bps=rate, burst_bytes=burst)
        )
        for _ in range(count):
            number += 1
            direction.put(numbered(number))
        end = direction.now + pause
        while (due := direction.waiting.next_due) is not None and due <= end:
            direction.now = due
            left += direction.take()
        direction.now = end
        allowed += rate * (pause + 2)
        assert 8_000 * len(left) * SECOND <= allowed + 8 * largest * SECOND
        assert holds(direction.accounts)
    left += [packet for _, packet in direction.departures()]
    assert left == [numbered(one) for one in range(1, number + 1)]


def test_a_rate_begins_after_what_waits() -> None:
    """As in sch_netem, the first packet of a new rate leaves after those that are delayed."""
    direction = Direction(Parameters(delay_ms=100))
    direction.put(numbered(1))
    direction.change(Parameters(rate_bps=8_000_000))
    direction.put(numbered(2))
    assert direction.departures() == [(100 * MS, numbered(1)), (101 * MS, numbered(2))]


def test_a_rate_has_its_burst_when_it_is_set() -> None:
    """A bucket begins full, also where packets passed before it was there."""
    direction = Direction(Parameters())
    direction.put(numbered(0))
    direction.change(Parameters(rate_bps=8_000, burst_bytes=3_000))
    for number in range(1, 5):
        direction.put(numbered(number))
    assert [due for due, _ in direction.departures()] == [0, 0, 0, 0, SECOND]


def test_what_waits_keeps_its_time_when_the_delay_changes() -> None:
    """As with `tc qdisc change`, a shorter delay lets later packets leave first."""
    direction = Direction(Parameters(delay_ms=100))
    direction.put(numbered(1))
    direction.change(Parameters(delay_ms=10))
    direction.put(numbered(2))
    assert direction.departures() == [(10 * MS, numbered(2)), (100 * MS, numbered(1))]


def test_a_thousand_changes_lose_nothing_unseen() -> None:
    """A ramp of everything, ten times a second, under load: all packets are accounted for."""
    direction = Direction(Parameters())
    number = 0
    for step in range(1000):
        share = step / 1000
        direction.change(
            Parameters(
                delay_ms=100 * share,
                jitter_ms=30 * (1 - share),
                loss=share / 10,
                gilbert_elliott=GilbertElliott(p=share, r=0.5) if step % 3 == 0 else None,
                duplicate=share / 5 if step % 2 else 0,
                corrupt=share / 5,
                reorder=share / 5,
                rate_bps=1_000_000 + 10_000 * step if step % 5 else None,
                limit_packets=30,
            )
        )
        for _ in range(20):
            number += 1
            direction.put(numbered(number))
            direction.now += 5 * MS
            direction.take()
        assert holds(direction.accounts)
    direction.departures()
    accounts = direction.accounts
    assert accounts.offered.packets == number
    assert holds(accounts)
    assert accounts.delayed == Count()
    for count in (accounts.lost, accounts.limit, accounts.duplicated, accounts.reordered):
        assert count.packets > 0


def test_a_lane_that_does_nothing_passes_all() -> None:
    """Without an impairment, packets leave as they came."""
    direction = Direction(Parameters())
    for number in range(100):
        direction.put(numbered(number))
    assert direction.waiting.next_due == START
    assert direction.take() == [numbered(number) for number in range(100)]
    assert direction.accounts == Accounts(
        offered=Count(100, 100_000), delivered=Count(100, 100_000)
    )
