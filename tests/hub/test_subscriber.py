"""hub.subscriber: bounded queues and what they lose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.hub.bursts import ChoosingFilter, burst, remainder_filter, sequences, subscriber
from wintun_api.choices import Direction, Overflow
from wintun_api.hub.burst import Burst
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.subscriber import Subscriber


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


def test_a_filter_chooses_first() -> None:
    """What a filter does not let through is neither queued, nor counted, nor lost."""
    reader = subscriber(packets=4, filter=remainder_filter(3, 0))
    assert reader.offer(burst(0, 10)) == 0
    assert (reader.offered_packets, reader.queued_packets) == (4, 4)
    assert reader.offer(burst(10, 2)) == 0  # 10 and 11
    assert reader.offer(burst(12, 1)) == 4
    assert reader.losses.take() == [Loss(4, 0, 9, injected=False)]
    assert sequences(reader.take(10**6)) == [12]


def test_a_burst_without_a_match() -> None:
    """A burst of which a filter lets nothing through does not reach its reader."""
    woken: list[Burst | None] = []

    def take(taken: Burst) -> bool:
        woken.append(taken)
        return True

    reader = Subscriber(
        filter=ChoosingFilter(lambda _packet: False),
        limit_packets=10,
        limit_bytes=10**6,
        wake=lambda: woken.append(None),
        take_now=take,
    )
    assert reader.offer(burst(0, 5)) == 0
    assert woken == []
    assert reader.offered_packets == 0


def test_losses_of_a_filtered_reader() -> None:
    """Each loss names the numbers of the first and the last packet that matched."""
    evens = remainder_filter(2, 0)
    reader = subscriber(Overflow.DROP_NEWEST, packets=2, filter=evens)
    assert reader.offer(burst(1, 9)) == 2  # 2, 4, 6 and 8
    assert reader.losses.take() == [Loss(2, 6, 8, injected=False)]
    reader.abandon(keep_last=True)
    assert reader.losses.take() == [Loss(1, 2, 2, injected=False, cause=Cause.ENDED)]
    assert reader.offer(burst(10, 5)) == 3
    assert reader.losses.take() == [Loss(3, 10, 14, injected=False, cause=Cause.ENDED)]
    assert sequences(reader.take(10**6)) == [4]
    reader.give_back(2, 20, injected=False, last=26)
    assert reader.losses.take() == [Loss(2, 20, 26, injected=False, cause=Cause.ENDED)]


def test_losses_of_the_session_are_told_as_they_are() -> None:
    """A filtered reader is told all packets that the host lost: which ones match is not known."""
    reader = subscriber(filter=remainder_filter(2, 0))
    reader.lose_before(Loss(7, 10, 16, injected=False, cause=Cause.RING))
    assert reader.losses.take() == [Loss(7, 10, 16, injected=False, cause=Cause.RING)]
    assert reader.lost == 0


def test_a_filtered_reader_that_raises() -> None:
    """Of a burst that a reader could not take, exactly what had matched is lost."""

    def broken(_burst: Burst) -> bool:
        raise ValueError("a defect of the reader")

    reader = Subscriber(
        filter=remainder_filter(2, 0),
        limit_packets=10,
        limit_bytes=10**6,
        wake=lambda: None,
        take_now=broken,
    )
    offered = burst(0, 5)
    try:
        reader.offer(offered)
    except ValueError as error:
        reader.failed(error, offered)
    assert reader.losses.take() == [Loss(3, 0, 4, injected=False, cause=Cause.ENDED)]
    assert reader.offered_packets == reader.lost == 3


@given(
    st.sampled_from([Overflow.DROP_OLDEST, Overflow.DROP_NEWEST]),
    st.integers(1, 50),
    st.integers(2, 5),
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=20),
)
def test_a_filter_and_its_opposite(
    overflow: Overflow, packets: int, divisor: int, steps: list[tuple[int, bool]]
) -> None:
    """Two readers with opposite filters account, together, for each packet exactly once."""
    readers = [
        subscriber(overflow, packets, filter=remainder_filter(divisor, 0, match=match))
        for match in (True, False)
    ]
    offered = 0
    taken: list[list[int]] = [[], []]
    for count, take in steps:
        whole = burst(offered, count)
        offered += count
        for reader, numbers in zip(readers, taken, strict=True):
            reader.offer(whole)
            assert reader.queued_packets <= packets
            if take:
                numbers.extend(sequences(reader.take(500)))
    for reader, numbers in zip(readers, taken, strict=True):
        numbers.extend(sequences(reader.take(10**9)))
        losses = reader.losses.take()
        assert reader.offered_packets == len(numbers) + sum(loss.count for loss in losses)
    assert sum(reader.offered_packets for reader in readers) == offered
    assert all(number % 256 % divisor == 0 for number in taken[0])
    assert all(number % 256 % divisor for number in taken[1])


def test_another_filter_holds_from_the_next_burst_on() -> None:
    """What was queued under the filter before stays queued."""
    reader = subscriber(filter=remainder_filter(2, 0), direction=Direction.BOTH)
    reader.offer(burst(0, 4))
    reader.filter = remainder_filter(2, 1)
    reader.offer(burst(4, 4))
    reader.filter = None
    reader.offer(burst(8, 2))
    assert sequences(reader.take(10**6)) == [0, 2, 5, 7, 8, 9]
