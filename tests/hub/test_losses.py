"""hub.losses and hub.host_losses: packets that did not arrive, by cause, until they are told."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.hub.running import Reader, hub, soon
from wintun_api.choices import EventType, Overflow
from wintun_api.drivers.base import LinkCounters
from wintun_api.hub.host_losses import HostLosses
from wintun_api.hub.losses import Cause, Loss, Losses
from wintun_api.packet import build

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))

losses = st.builds(
    Loss,
    count=st.integers(1, 50),
    first=st.integers(0, 1000),
    last=st.integers(1000, 2000),
    injected=st.booleans(),
    cause=st.sampled_from(list(Cause)),
)


@given(st.lists(losses, max_size=30), st.integers(0, 30))
def test_every_loss_is_told_once(parts: list[Loss], middle: int) -> None:
    """What is taken, before and after any moment, adds up to what was lost, by cause."""
    account = Losses()
    told: list[Loss] = []
    for part in parts[:middle]:
        account.add(part)
    told += account.take()
    for part in parts[middle:]:
        account.add(part)
    told += account.take()
    assert not account
    for cause in Cause:
        lost = sum(part.count for part in parts if part.cause is cause)
        assert account.by_cause.get(cause, 0) == lost
        assert sum(loss.count for loss in told if loss.cause is cause) == lost


@given(st.lists(losses, min_size=1, max_size=30))
def test_what_waits_to_be_told_is_bounded(parts: list[Loss]) -> None:
    """At most one entry per cause and direction waits, and it spans all of them."""
    account = Losses()
    for part in parts:
        account.add(part)
    told = account.take()
    assert len(told) == len({(part.cause, part.injected) for part in parts})
    for loss in told:
        same = [p for p in parts if (p.cause, p.injected) == (loss.cause, loss.injected)]
        assert (loss.first, loss.last) == (min(p.first for p in same), max(p.last for p in same))


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=20))
def test_the_host_s_losses_never_go_back(steps: list[tuple[int, int]]) -> None:
    """Whatever the counters show, the account grows, and the parts add up to it."""
    account = HostLosses()
    account.begin(LinkCounters(received_dropped=5))
    told = 0
    for dropped, unknown in steps:
        told += account.learn(LinkCounters(received_dropped=dropped))
        if unknown % 2:
            told += account.learn(None)
        assert account.lost == told
    assert told == max([0, *(dropped - 5 for dropped, _ in steps)])


def test_counters_that_cannot_be_read_are_not_zero() -> None:
    """Where the system tells nothing, what was lost is not known."""
    account = HostLosses()
    account.begin(None)
    assert account.learn(LinkCounters(received_dropped=9)) == 0
    assert account.lost is None


def test_ring_losses_are_told_while_the_session_runs() -> None:
    """Losses in the driver's ring reach the event, the reader and the numbers of the packets."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            ring.deliver(PACKET)
            assert (await reader.bursts(1))[0].sequence == 0
            one.driver.device("A").dropped += 7
            await session.refresh()
            assert session.view().ring_lost == 7
            (loss,) = reader.queue.losses.take()
            assert (loss.cause, loss.count, loss.first, loss.last) == (Cause.RING, 7, 1, 7)
            ring.deliver(PACKET)
            assert (await reader.bursts(1))[0].sequence == 8
            told = await one.event(EventType.SESSION_LOSS)
            assert (told.cause, told.count) == (Cause.RING, 7)

    asyncio.run(body())


def test_a_ring_loss_just_before_the_end_is_told() -> None:
    """The last reading of the counters comes before the last event."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.driver.device("A").dropped += 3
            view = await soon(one.registry.end_session(session.id))
            assert view.ring_lost == 3
            told = await one.event(EventType.SESSION_LOSS)
            assert (told.cause, told.count) == (Cause.RING, 3)
            await one.event(EventType.SESSION_ENDED)

    asyncio.run(body())


def test_a_slow_reader_loses_its_own_packets_alone() -> None:
    """The session counts the loss under the reader's cause; the other reader has everything."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            slow = Reader(session, overflow=Overflow.DROP_NEWEST, packets=4)
            quick = Reader(session)
            ring.deliver(*[PACKET] * 10)
            assert len(await quick.packets(10)) == 10
            assert slow.queue.losses.by_cause == {Cause.QUEUE: 6}
            assert quick.queue.losses.by_cause == {}
            assert session.counters.queue_lost == 6
            told = await one.event(EventType.SESSION_LOSS)
            assert (told.cause, told.count) == (Cause.QUEUE, 6)

    asyncio.run(body())


def test_what_the_host_sent_is_delivered_or_lost() -> None:
    """In the end *sent by the host = received + lost in the ring*, to the packet."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            ring.deliver(*[PACKET] * 50)
            await reader.packets(50)
            device = one.driver.device("A")
            device.received += 20  # in the ring when it is freed: nobody can read them any more
            view = await soon(one.registry.end_session(session.id))
            assert view.counters.received_packets + (view.ring_lost or 0) == 70

    asyncio.run(body())
