"""hub.subscriber: bounded queues and what they lose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.hub.bursts import burst, sequences, subscriber
from wintun_api.choices import Overflow
from wintun_api.hub.losses import Loss


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
