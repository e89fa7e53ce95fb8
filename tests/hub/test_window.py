"""hub.window: the newest packets, within a time and a number of bytes."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.clock import Clock
from wintun_api.hub.burst import BURST_OVERHEAD, Burst, Form
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.window import ENTRY_OVERHEAD, LINGER, LOSS_OVERHEAD, Window
from wintun_api.packet.block import Block

SECOND = 1_000_000_000
ROOMY = 1 << 20
LATER = 1 << 62


def burst(first: int, count: int = 1, *, size: int = 40, at_ns: int = 0) -> Burst:
    """A burst in one piece; the last byte of each packet is its number."""
    packets = [bytes(size - 1) + bytes([number % 256]) for number in range(first, first + count)]
    block = Block.of(packets)
    return Burst(block, block.lengths, block.size, first, at_ns, injected=False)


def timed(first: int, at_ns: int, times: list[int]) -> Burst:
    """A burst whose packets have times of their own."""
    one = burst(first, len(times), at_ns=at_ns)
    one.times = array("I", times)
    return one


def numbers(window: Window, since_ns: int = 0, until_ns: int = LATER) -> list[int]:
    """The numbers of the packets of a time."""
    return [n for one, _ in window.between(since_ns, until_ns) for n in _numbers(one)]


def _numbers(one: Burst) -> list[int]:
    assert [packet[-1] for packet in one.packets] == [
        n % 256 for n in range(one.sequence, one.sequence + one.count)
    ]
    return list(range(one.sequence, one.sequence + one.count))


def accounted(window: Window) -> bool:
    """Whether each packet that was taken is there, or was counted when it was dropped."""
    return window.recorded == window.packets + window.expired + window.displaced


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([20, 60, 1420, 9000]), st.floats(0, 2)),
        max_size=60,
    ),
    st.integers(65536, 200_000),
)
def test_the_bounds_hold_at_every_moment(
    bursts: list[tuple[int, int, float]], limit_bytes: int
) -> None:
    """Neither bound is exceeded, what remains is the newest, and every packet is accounted for."""
    clock = Clock()
    window = Window(3.0, limit_bytes, clock)
    added: dict[int, float] = {}
    first = 0
    for count, size, pause in bursts:
        window.add(burst(first, count, size=size))
        added.update(dict.fromkeys(range(first, first + count), clock.now))
        first += count
        clock.move(pause)
        window.expire()
        assert window.used <= limit_bytes
        assert accounted(window)
        kept = numbers(window)
        assert len(kept) == window.packets
        assert kept == list(range(first - len(kept), first))
        assert all(clock.now - added[number] < 3.0 for number in kept)
    clock.move(3.0 + LINGER)
    assert (window.packets, window.used) == (0, 0)
    assert not [one for one in clock.planned if not one.cancelled]


@st.composite
def any_burst(draw: st.DrawFn) -> tuple[int, Burst, list[Loss]]:
    """A burst from number 0 on, as any driver gives one, with what was lost before it."""
    lengths = draw(st.lists(st.sampled_from([20, 60, 1420, 9000, 65_535]), min_size=1, max_size=60))
    packets: Sequence[bytes] = [bytes(length) for length in lengths]
    if draw(st.booleans()):
        packets = Block.of(packets)
    steps = draw(st.sampled_from([None, range(len(lengths)), range(0, 3 * len(lengths), 3)]))
    comments = draw(st.sampled_from([None, {0: ("cut",)}]))
    one = Burst(packets, lengths, sum(lengths), 0, 0, injected=False, comments=comments)
    one.times = one.offsets = steps
    lost = draw(st.integers(0, 12))
    return len(lengths), one, [Loss(1, 0, 0, injected=False)] * lost


@given(
    st.lists(
        st.one_of(
            any_burst(),
            st.tuples(st.floats(0.01, 5), st.sampled_from([65_536, 70_001, 131_072, 1 << 22])),
        ),
        max_size=40,
    )
)
def test_any_burst_and_any_change_of_the_limits(
    steps: list[tuple[int, Burst, list[Loss]] | tuple[float, int]],
) -> None:
    """The limits hold for bursts of every form, and while a client changes them."""
    clock = Clock()
    window = Window(3.0, 65_536, clock)
    recorded = 0
    for step in steps:
        if len(step) == 3:
            count, one, losses = step
            window.add(one, losses)
            recorded += count
        else:
            window.resize(*step)
        clock.move(0.1)
        kept = window.between(0, LATER)
        assert (window.recorded, window.used <= window.limit_bytes) == (recorded, True)
        assert accounted(window)
        assert sum(one.count for one, _ in kept) == window.packets
        assert window.used == sum(
            one.kept + ENTRY_OVERHEAD + LOSS_OVERHEAD * len(losses) for one, losses in kept
        )


def test_packets_expire_while_nothing_is_added() -> None:
    """Memory is freed soon after its time, also where no packet comes and nothing reads it."""
    clock = Clock()
    window = Window(10, ROOMY, clock)
    window.add(burst(0, 5))
    clock.move(9.9)
    assert window.packets == 5
    clock.move(0.1 + LINGER)
    assert (window.packets, window.used, window.expired) == (0, 0, 5)


def test_what_is_older_than_the_limit_is_not_read() -> None:
    """A reader gets nothing that is too old, even before its memory is freed."""
    clock = Clock()
    window = Window(0.1, ROOMY, clock)
    window.add(burst(0))
    clock.now += 0.1  # without the timers
    assert window.between(0, LATER) == []
    assert window.expired == 1


def test_displaced_packets_are_the_oldest() -> None:
    """Where the bytes are used up before the time, the oldest bursts are dropped."""
    window = Window(60, 70_000, Clock())
    for number in range(10):
        window.add(burst(number, size=20_000))
    assert numbers(window) == [7, 8, 9]
    assert window.displaced == 7


def test_a_burst_larger_than_the_limit() -> None:
    """Its newest packets are kept, and what was lost before the others is not told of them."""
    window = Window(60, 70_000, Clock())
    window.add(burst(0, 5, size=20_000), [Loss(1, 0, 0, injected=False)])
    ((kept, losses),) = window.between(0, LATER)
    assert (kept.sequence, kept.count, losses) == (2, 3, ())
    assert (window.displaced, window.recorded) == (2, 5)


def test_a_burst_whose_packets_are_objects_with_times() -> None:
    """What a packet uses beside its bytes counts too where only some of a burst fit."""
    window, packets = Window(60, 65_536, Clock()), [bytes(40)] * 1000
    one = Burst(packets, [40] * 1000, 40_000, 0, 0, injected=False, times=range(1000))
    window.add(one)
    assert window.packets == (65_536 - ENTRY_OVERHEAD - BURST_OVERHEAD) // (40 + 80 + 4)
    assert accounted(window)


def test_a_packet_larger_than_the_limit() -> None:
    """Nothing is kept, so that what follows is without a gap."""
    window = Window(60, 65_536, Clock())
    window.add(burst(0, size=60))
    window.add(burst(1, size=65_535))
    window.add(burst(2, size=60))
    assert numbers(window) == [2]
    assert (window.recorded, window.displaced) == (3, 2)


def test_packets_are_not_copied() -> None:
    """The window has the same memory as all other readers."""
    window, one = Window(60, ROOMY, Clock()), burst(0, 3)
    block = one.packets
    window.add(one)
    ((kept, _),) = window.between(0, LATER)
    assert kept is one
    assert kept.packets is block


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=30),
    st.booleans(),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_a_time_is_exact_to_the_packet(
    offsets: list[int], steps_back: bool, since_ns: int, until_ns: int
) -> None:
    """A reader gets the packets of its time, also where the system's clock was set back."""
    window = Window(60, ROOMY, Clock())
    times: dict[int, int] = {}
    first = at_ns = 0
    for offset in offsets:
        at_ns += -offset if steps_back and offset % 5 == 0 else offset
        spread = sorted({0, offset // 3, offset // 2, offset})
        window.add(timed(first, at_ns, spread))
        times.update({first + i: at_ns + after for i, after in enumerate(spread)})
        first += len(spread)
        at_ns += spread[-1]
    assert numbers(window, since_ns, until_ns) == [
        number for number, at in times.items() if since_ns <= at <= until_ns
    ]


def test_the_order_is_found_again_after_a_step() -> None:
    """When the packets from before a step of the clock are gone, the others are in order."""
    window = Window(60, 70_000, Clock())
    window.add(burst(0, size=20_000, at_ns=9 * SECOND))
    for number in range(1, 5):
        window.add(burst(number, size=20_000, at_ns=number * SECOND))
    assert numbers(window, 3 * SECOND, 4 * SECOND) == [3, 4]
    assert numbers(window, 9 * SECOND) == []


def test_losses_are_before_their_burst() -> None:
    """A reader gets what was lost together with the packets that follow, if it gets all of them."""
    window = Window(60, ROOMY, Clock())
    loss = Loss(4, 3, 6, injected=False, cause=Cause.RING)
    window.add(timed(0, 0, [0, 1, 2]))
    window.add(timed(7, 10, [0, 5]), [loss])
    assert [losses for _, losses in window.between(0, LATER)] == [(), [loss]]
    assert [losses for _, losses in window.between(11, LATER)] == [()]


def test_losses_use_memory_too() -> None:
    """A burst with losses counts for more than one without."""
    windows = [Window(60, ROOMY, Clock()) for _ in range(2)]
    windows[0].add(burst(0))
    windows[1].add(burst(0), [Loss(1, 0, 0, injected=False)])
    assert windows[0].used < windows[1].used


def test_smaller_limits_keep_what_fits() -> None:
    """Changed limits hold at once, and what they no longer allow is counted."""
    clock = Clock()
    window = Window(60, ROOMY, clock)
    for number in range(10):
        window.add(burst(number, size=20_000))
        clock.move(1)
    window.resize(5, ROOMY)
    assert numbers(window) == [6, 7, 8, 9]
    window.resize(5, 65_536)
    assert numbers(window) == [7, 8, 9]
    assert (window.expired, window.displaced) == (6, 1)
    clock.move(5 + LINGER)
    assert (window.packets, window.expired) == (0, 9)


def test_a_smaller_limit_cuts_a_large_burst() -> None:
    """The newest packets of the newest burst stay, with their age."""
    clock = Clock()
    window = Window(60, ROOMY, clock)
    window.add(burst(0, 5, size=20_000))
    clock.move(30)
    window.resize(60, 65_536)
    assert numbers(window) == [2, 3, 4]
    assert accounted(window)
    clock.move(30 + LINGER)
    assert window.expired == 3


def test_a_larger_limit_keeps_what_is_there() -> None:
    """Packets that are there expire by the new time."""
    clock = Clock()
    window = Window(5, 65_536, clock)
    window.add(burst(0))
    window.resize(100, ROOMY)
    clock.move(99)
    assert numbers(window) == [0]


def test_a_frozen_ring_keeps_what_it_has() -> None:
    """What a session had at its end does not become too old."""
    clock = Clock()
    window = Window(5, ROOMY, clock)
    window.add(burst(0))
    clock.move(4)
    window.add(burst(1))
    clock.move(1)
    window.freeze()
    clock.move(1000)
    assert numbers(window) == [1]
    window.clear()
    assert (window.packets, window.used, window.oldest_ns) == (0, 0, None)


def test_the_times_of_the_oldest_and_the_newest_packet() -> None:
    """They are those of the packets, not of their bursts."""
    window = Window(60, ROOMY, Clock())
    assert (window.oldest_ns, window.newest_ns) == (None, None)
    window.add(timed(0, 100, [5, 6]))
    window.add(timed(2, 200, [0, 7]))
    assert (window.oldest_ns, window.newest_ns) == (105, 207)


def test_readers_wait_for_nothing() -> None:
    """A reader keeps what it was given, whatever the window drops meanwhile."""
    clock = Clock()
    window = Window(1, ROOMY, clock)
    window.add(burst(0, 3))
    given_ = window.between(0, LATER)
    clock.move(2)
    assert window.packets == 0
    assert [_numbers(one) for one, _ in given_] == [[0, 1, 2]]


@pytest.mark.thorough
@pytest.mark.parametrize("size", [28, 1420])
@pytest.mark.parametrize("form", [None, Form.BATCH])
def test_used_is_the_memory(size: int, form: Form | None) -> None:
    """What it says that it uses is what its packets need, with the forms of other readers."""
    limit = 4 << 20
    window = Window(60, limit, Clock())
    most = 0
    tracemalloc.start()
    try:
        for number in range(20_000):
            one = burst(10**6 + number, size=size)
            if form is not None:
                one.form(form, lambda it: bytes(10_000 + it.size))
            list(one.packets)  # as a reader that splits it
            window.add(one)
            most = max(most, window.used)
        del one
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert window.displaced
    assert most <= limit
    assert 0.5 * limit < kept < 1.1 * limit
