"""Bounded queues and what they lose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.choices import Direction, Overflow
from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.fanout import Fanout, Subscriber
from wintun_api.hub.losses import Loss


def burst(sequence: int, count: int, size: int = 10, *, injected: bool = False) -> Burst:
    """Make a burst of numbered packets."""
    packets = [bytes([n % 256]) * size for n in range(sequence, sequence + count)]
    return Burst(packets, [size] * count, size * count, sequence, 0, injected=injected)


def subscriber(
    overflow: Overflow = Overflow.DROP_OLDEST,
    packets: int = 10,
    size: int = 10**6,
    direction: Direction = Direction.RECEIVED,
) -> Subscriber:
    """Make a subscriber that nobody wakes."""
    return Subscriber(
        direction=direction,
        overflow=overflow,
        limit_packets=packets,
        limit_bytes=size,
        wake=lambda: None,
    )


def sequences(bursts: list[Burst]) -> list[int]:
    """The numbers of all packets in these bursts."""
    return [n for b in bursts for n in range(b.sequence, b.sequence + len(b))]


def test_everybody_gets_the_same_bytes() -> None:
    """A burst is encoded once, however many read it."""
    fanout = Fanout()
    readers = [subscriber() for _ in range(3)]
    for reader in readers:
        fanout.add(reader)
    fanout.publish(burst(0, 3))
    calls: list[Burst] = []

    def encode(one: Burst) -> bytes:
        calls.append(one)
        return b"".join(one.packets)

    encoded = [reader.take(10**6)[0].form(Form.BATCH, encode) for reader in readers]
    assert len(calls) == 1
    assert encoded[0] is encoded[1] is encoded[2]


def test_drop_oldest() -> None:
    """The newest packets stay, and the loss names the span."""
    reader = subscriber()
    assert reader.offer(burst(0, 6)) == 0
    assert reader.offer(burst(6, 6)) == 6
    assert sequences(reader.take(10**6)) == [6, 7, 8, 9, 10, 11]
    assert reader.losses.take() == [Loss(6, 0, 5, injected=False)]
    assert reader.losses.take() == []


def test_drop_newest() -> None:
    """The oldest packets stay; what still fits of a burst is kept."""
    reader = subscriber(Overflow.DROP_NEWEST)
    reader.offer(burst(0, 6))
    assert reader.offer(burst(6, 6)) == 2
    assert sequences(reader.take(10**6)) == list(range(10))
    assert reader.losses.take() == [Loss(2, 10, 11, injected=False)]


def test_a_burst_larger_than_the_queue() -> None:
    """Of a burst that never fits, the policy's end is kept."""
    for overflow, kept in ((Overflow.DROP_OLDEST, [15, 16, 17, 18, 19]),
                           (Overflow.DROP_NEWEST, [0, 1, 2, 3, 4])):  # fmt: skip
        reader = subscriber(overflow, packets=5)
        assert reader.offer(burst(0, 20)) == 15
        assert sequences(reader.take(10**6)) == kept


def test_close_keeps_what_was_queued() -> None:
    """A queue that closes on overflow takes nothing more, and counts it."""
    reader = subscriber(Overflow.CLOSE)
    reader.offer(burst(0, 10))
    assert reader.offer(burst(10, 1)) == 1
    assert reader.overflowed
    assert reader.offer(burst(11, 1)) == 1
    assert reader.losses.take() == [Loss(2, 10, 11, injected=False)]
    assert sequences(reader.take(10**6)) == list(range(10))


def test_block_holds_the_drain() -> None:
    """A full blocking reader blocks the fan-out until it has taken something."""
    resumed: list[bool] = []
    fanout = Fanout(resume=lambda: resumed.append(True))
    reader = subscriber(Overflow.BLOCK)
    fanout.add(reader)
    fanout.publish(burst(0, 10))
    before = fanout.blocked
    assert before
    reader.take(1)
    assert not fanout.blocked
    assert resumed
    assert reader.lost == 0


def test_a_blocking_reader_that_leaves_frees_the_drain() -> None:
    """Whoever goes away blocks nobody."""
    resumed: list[bool] = []
    fanout = Fanout(resume=lambda: resumed.append(True))
    reader = subscriber(Overflow.BLOCK)
    fanout.add(reader)
    fanout.publish(burst(0, 20))
    fanout.discard(reader)
    assert resumed
    assert len(fanout) == 0


@pytest.mark.parametrize(
    ("direction", "received", "injected"),
    [
        (Direction.RECEIVED, True, False),
        (Direction.INJECTED, False, True),
        (Direction.BOTH, True, True),
        (Direction.NONE, False, False),
    ],
)
def test_directions(direction: Direction, received: bool, injected: bool) -> None:
    """A subscriber gets what it asked for."""
    fanout = Fanout()
    reader = subscriber(direction=direction)
    fanout.add(reader)
    fanout.publish(burst(0, 1))
    fanout.publish(burst(0, 1, injected=True))
    got = reader.take(10**6)
    assert [b.injected for b in got] == [False] * received + [True] * injected
    assert fanout.wants(injected=False) is received
    assert fanout.wants(injected=True) is injected


@given(
    st.sampled_from([Overflow.DROP_OLDEST, Overflow.DROP_NEWEST]),
    st.integers(1, 50),
    st.integers(1, 2000),
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 100), st.booleans()), max_size=30),
)
def test_bounds_and_accounts(
    overflow: Overflow, packets: int, size: int, steps: list[tuple[int, int, bool]]
) -> None:
    """No queue exceeds its bounds, and every packet is delivered, queued or counted as lost."""
    reader = subscriber(overflow, packets, size)
    offered = delivered = 0
    seen: list[int] = []
    for count, length, take in steps:
        reader.offer(burst(offered, count, length))
        offered += count
        assert reader.queued_packets <= packets
        assert reader.queued_bytes <= size
        if take:
            taken = reader.take(500)
            delivered += sum(map(len, taken))
            seen += sequences(taken)
    assert offered == delivered + reader.queued_packets + reader.lost
    assert seen == sorted(set(seen))
    assert sum(loss.count for loss in reader.losses.take()) == reader.lost
