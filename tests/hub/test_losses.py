"""hub.losses and hub.host_losses: every loss is counted and told, with its cause."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.memory_driver import MemorySession
from tests.hub.running import Hub, Reader, hub, reached, soon
from wintun_api.choices import EventType, Overflow
from wintun_api.drivers.base import LinkCounters
from wintun_api.errors import DriverError, SessionEnded
from wintun_api.hub import session as session_module
from wintun_api.hub.host_losses import HostLosses
from wintun_api.hub.losses import Cause, Loss, Losses
from wintun_api.hub.session import ManagedSession
from wintun_api.packet import build
from wintun_api.packet.check import sift

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
    """Where the system tells nothing, what was lost is not known, nor what came before."""
    account = HostLosses()
    account.begin(None)
    assert account.learn(LinkCounters(received_dropped=9)) == 0
    assert account.lost is None
    assert account.handed_before is None


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
            view = await soon(one.registry.sessions.end(session.id))
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
            view = await soon(one.registry.sessions.end(session.id))
            assert view.counters.received_packets + (view.ring_lost or 0) == 70

    asyncio.run(body())


async def _truncated(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    ring.truncated += 3
    await session.refresh()


async def _ring(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    one.driver.device("A").dropped += 3
    await session.refresh()


async def _queue(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    Reader(session, overflow=Overflow.DROP_NEWEST, packets=2)
    other = Reader(session)
    ring.deliver(*[PACKET] * 5)
    await other.packets(5)


async def _ended(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    reader, other = Reader(session), Reader(session)
    ring.deliver(*[PACKET] * 3)
    await other.packets(3)
    reader.queue.abandon()


async def _ring_full(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    ring.room = 1
    session.inject(sift([PACKET] * 4))


async def _failed(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    one.driver.fail("send_packets", DriverError("SendPacket", 87))
    session.inject(sift([PACKET] * 3))


async def _refused(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    ring.refuse("host", 3)
    session.inject(sift([PACKET] * 4))


async def _rejected(one: Hub, session: ManagedSession, ring: MemorySession) -> None:
    session.inject(sift([PACKET, b"\x55" + PACKET[1:], PACKET, b"\x75" * 30, b"\x75" * 30]))


CAUSES = {
    "truncated": _truncated,
    "ring": _ring,
    "queue": _queue,
    "ended": _ended,
    "ring_full": _ring_full,
    "failed": _failed,
    "refused_host": _refused,
    "rejected_bad_version": _rejected,
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_loss_of_each_cause_is_counted_and_told(cause: str) -> None:
    """Three packets are in the counters at once, and in one event with this cause."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            await CAUSES[cause](one, session, ring)
            lost = {name: count for name, count in session.counters.lost.items() if count}
            assert lost.pop("unclaimed", 0) == 0
            assert lost == {cause: 3}
            told = await one.event(EventType.SESSION_LOSS)
            assert (told.session, told.adapter) == (session.id, session.adapter)
            assert (told.cause, told.count) == (cause, 3)

    asyncio.run(body())


def test_each_cause_has_a_test() -> None:
    """Every cause of the table is tested above; unclaimed packets have a test of their own."""
    tested = {cause for cause in Cause if any(name.startswith(cause) for name in CAUSES)}
    assert tested == set(Cause) - {Cause.UNCLAIMED}


@pytest.mark.parametrize("cause", [Cause.TRUNCATED, Cause.RING])
def test_a_reader_is_told_what_it_could_not_be_offered(cause: Cause) -> None:
    """What the host or the driver lost is a gap in the numbers, with its cause."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            await CAUSES[cause](one, session, ring)
            assert reader.queue.losses.take() == [Loss(3, 0, 2, injected=False, cause=cause)]
            assert session.next_received == 3

    asyncio.run(body())


def test_unclaimed_packets_are_counted_and_no_event() -> None:
    """Without a reader nothing is missed, but it is known how much went by."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.deliver(*[PACKET] * 5)
            await one.registry.sessions.end(session.id)
            assert session.counters.received_unclaimed == 5
            one.registry.events.close()
            events = [*one.seen, *await soon(one.subscription.next())]
            assert EventType.SESSION_LOSS not in {event.type for event in events}

    asyncio.run(body())


def test_a_ring_that_overflows_while_a_reader_blocks_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is read meanwhile, but the losses in the ring do not wait for the reader."""
    monkeypatch.setattr(session_module, "LOOK_INTERVAL", 0.01)

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session, overflow=Overflow.BLOCK, packets=1)
            with one.driver.hold("counters") as gate:
                one.driver.fail("counters", DriverError("Counters", 31))
                ring.deliver(PACKET)
                await reached(gate)  # the reading that follows the packet, which learns nothing
                assert session.fanout.blocked
                one.driver.device("A").dropped += 4
                gate.open()
            told = await one.event(EventType.SESSION_LOSS)
            assert (told.cause, told.count) == (Cause.RING, 4)
            assert session.fanout.blocked
            (loss,) = reader.queue.losses.take()
            assert (loss.cause, loss.count) == (Cause.RING, 4)

    asyncio.run(body())


def test_packets_for_an_ending_session_are_counted_once() -> None:
    """What is not valid is not counted as rejected too, when all of it is refused."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            with one.driver.hold("end_session") as gate:
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await reached(gate)
                packets = [PACKET, PACKET[:5]]
                with pytest.raises(SessionEnded):
                    session.inject(sift(packets))
                with pytest.raises(SessionEnded):
                    session.inject(sift(packets), behind=True)
                session.give_up(len(packets), Cause.FAILED)  # as a client does
                gate.open()
                view = await soon(end)
            assert (view.counters.failed, view.counters.rejected.total()) == (2, 0)

    asyncio.run(body())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(list(CAUSES)), max_size=12))
def test_events_add_up_to_the_counters(causes: list[str]) -> None:
    """Whatever is lost until the session ends, its events tell each packet once."""
    asyncio.run(_add_up(causes))


async def _add_up(causes: list[str]) -> None:
    async with hub() as one:
        session, ring = await one.session()
        for cause in causes:
            ring.room = None
            await CAUSES[cause](one, session, ring)
        await one.registry.sessions.end(session.id)
        one.registry.events.close()
        told: Counter[str] = Counter()
        for event in await soon(one.subscription.next()):
            if event.type is EventType.SESSION_LOSS:
                told[event.data.cause] += event.data.count
        lost = Counter(session.counters.lost)
        del lost["unclaimed"]
        assert told == +lost
