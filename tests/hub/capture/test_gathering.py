"""hub.capture.gathering: the packets of sessions that come and go, in the order of time."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.hub.capture.reading import Taker, number_of, packet
from tests.hub.running import hub, received, soon
from wintun_api.choices import EventType
from wintun_api.errors import SessionNotFound
from wintun_api.hub.capture import gathering as module
from wintun_api.hub.capture.selection import Selection
from wintun_api.hub.losses import Cause
from wintun_api.hub.session import ManagedSession, SessionView


def is_of(session: ManagedSession, view: SessionView) -> bool:
    return view.id == session.id


def test_sessions_that_run_and_that_come_are_gathered() -> None:
    """The packets of both are taken, each with its own session and adapter."""

    async def body() -> None:
        async with hub() as one:
            first, ring = await one.session("A")
            taker = Taker()
            taker.gather(one)
            ring.deliver(packet(1))
            await taker.until(1)
            second, ring = await one.session("B")
            ring.deliver(packet(2))
            await taker.until(2)
            got = [(g.source, len(g.bursts)) for g in taker.told if g.bursts]
            assert [(source.session, source.name, bursts) for source, bursts in got] == [
                (first.id, "A", 1),
                (second.id, "B", 1),
            ]
            taker.gathering.close()

    asyncio.run(body())


def test_the_first_packet_of_a_new_session_is_gathered() -> None:
    """A session that has packets before anything else runs loses none of them."""

    async def body() -> None:
        async with hub() as one:
            taker = Taker()
            taker.gather(one)
            session, ring = await one.session("A")
            ring.deliver(*map(packet, range(100)))
            await taker.until(100)
            assert list(map(number_of, taker.packets)) == list(range(100))
            assert session.counters.lost["unclaimed"] == 0
            taker.gathering.close()

    asyncio.run(body())


def test_packets_of_several_sessions_are_in_the_order_of_time() -> None:
    """What waits when it is taken is sorted by time over all sessions."""

    async def body() -> None:
        async with hub() as one:
            rings = [(await one.session(name)) for name in "ABC"]
            taker = Taker()
            taker.gather(one)
            taker.take()
            for number in range(30):
                session, ring = rings[number % 3]
                before = session.counters.received_packets
                ring.deliver(packet(number))
                await received(session, before + 1)
            taker.take()
            assert list(map(number_of, taker.packets)) == list(range(30))
            taker.gathering.close()

    asyncio.run(body())


@pytest.mark.parametrize("size", [1, 50, 100, 10**6])
def test_no_more_is_taken_than_asked_for(size: int) -> None:
    """A take has up to so many bytes, or one burst that has more."""

    async def body() -> None:
        async with hub() as one:
            pairs = [await one.session(name) for name in "AB"]
            taker = Taker()
            taker.gather(one)
            taker.take()
            for number in range(10):
                session, ring = pairs[number % 2]
                ring.deliver(packet(number))
                await received(session, 1 + number // 2)
            while taken := taker.take(size):
                sizes = [burst.size for g in taken for burst in g.bursts]
                assert sum(sizes) <= size or len(sizes) == 1
            assert len(taker.packets) == 10
            taker.gathering.close()

    asyncio.run(body())


def test_only_the_selection_is_gathered() -> None:
    """An adapter that is not chosen, by GUID or by pool, is left out."""

    async def body() -> None:
        async with hub() as one:
            first, _ = await one.session("A")
            by_guid, by_pool = Taker(), Taker()
            by_guid.gather(one, Selection(adapters=frozenset({first.adapter})))
            by_pool.gather(one, Selection(pool="Other"))
            await one.session("B")
            view = await one.registry.create_adapter("C", "Other")
            await one.registry.sessions.start(view.info.guid)
            assert [g.source.name for g in by_guid.take()] == ["A"]
            assert [g.source.name for g in by_pool.take()] == ["C"]
            by_guid.gathering.close()
            by_pool.gathering.close()

    asyncio.run(body())


def test_a_session_that_ends_is_told_after_its_last_packet() -> None:
    """Its end comes once, behind its packets; a new session of the adapter is another source."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session("A")
            taker = Taker()
            taker.gather(one)
            ring.deliver(packet(1))
            ending = asyncio.ensure_future(one.registry.sessions.end(session.id))
            await taker.until(1, ended=1)
            view = await ending
            assert [g.ended for g in taker.told if g.bursts or g.ended] == [False, True]
            assert view.counters.lost["ended"] == 0
            assert not taker.take()
            again = await one.registry.sessions.start(session.adapter)
            one.ring("A").deliver(packet(2))
            await taker.until(2)
            assert [g.source.session for g in taker.told if g.bursts] == [session.id, again.id]
            taker.gathering.close()

    asyncio.run(body())


def test_a_session_waits_for_what_was_taken_at_its_end() -> None:
    """Its end is not answered before the taker has come back for more."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session("A")
            taker = Taker()
            taker.gather(one)
            ring.deliver(packet(1))
            await received(session, 1)
            taker.take()
            taker.woken.clear()
            ending = asyncio.ensure_future(one.registry.sessions.end(session.id))
            await soon(taker.woken.wait())  # the session asks whether all was taken
            assert not session.state.over
            assert not ending.done()
            await taker.until(ended=1)
            await ending

    asyncio.run(body())


def test_the_oldest_packets_of_all_sessions_are_lost_at_the_shared_limit() -> None:
    """Each session is told its own losses, and the memory stays within the limit."""

    async def body() -> None:
        async with hub() as one:
            first, slow = await one.session("A")
            second, fast = await one.session("B")
            taker = Taker()
            gathering = taker.gather(one, size=20_000)
            taker.take()
            slow.deliver(packet(0, 1000))
            await received(first, 1)
            for number in range(1, 51):
                fast.deliver(packet(number, 1000))
                await received(second, number)
            taken = taker.take()
            lost = {g.source.name: sum(it.count for it in g.losses) for g in taken if g.losses}
            numbers = list(map(number_of, taker.packets))
            assert numbers == list(range(51 - len(numbers), 51))
            assert 5 < len(numbers) < 20
            assert lost == {"B": 50 - len(numbers)}
            assert gathering.losses()[0][0].name == "A"
            assert first.counters.lost["queue"] == 1
            assert second.counters.lost["queue"] == 50 - len(numbers)
            gathering.close()

    asyncio.run(body())


def test_a_session_loses_at_the_limit_of_its_own_queue() -> None:
    """Packets of the others stay."""

    async def body() -> None:
        async with hub() as one:
            first, slow = await one.session("A")
            second, fast = await one.session("B")
            taker = Taker()
            taker.gather(one, packets=10)
            taker.take()
            slow.deliver(packet(0))
            await received(first, 1)
            fast.deliver(*map(packet, range(1, 31)))
            await received(second, 30)
            taken = taker.take()
            assert list(map(number_of, taker.packets)) == [0, *range(21, 31)]
            losses = [it for g in taken for it in g.losses]
            assert [(it.cause, it.count) for it in losses] == [(Cause.QUEUE, 20)]
            taker.gathering.close()

    asyncio.run(body())


def test_a_renamed_adapter_has_its_new_name() -> None:
    """The source is the same, with the name of now."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session("A")
            taker = Taker()
            taker.gather(one)
            taker.take()
            await one.registry.update_adapter(session.adapter, name="Z")
            ring.deliver(packet(1))
            await taker.until(1)
            assert [g.source.name for g in taker.told if g.bursts] == ["Z"]
            taker.gathering.close()

    asyncio.run(body())


def test_nothing_is_left_behind() -> None:
    """After its end the sessions have no subscriber, no client and no hook of it."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session("A")
            taker = Taker()
            gathering = taker.gather(one)
            ring.deliver(packet(1))
            await received(session, 1)
            gathering.close()
            gathering.close()
            assert not session.fanout.subscribers
            assert not session.clients
            assert not one.registry.sessions.started
            assert session.counters.lost["ended"] == 1

    asyncio.run(body())


def test_an_ended_session_cannot_be_joined() -> None:
    """The caller learns that it is gone."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            await one.registry.sessions.end(session.id)
            taker = Taker()
            gathering = taker.gather(one)
            with pytest.raises(SessionNotFound):
                gathering.join(session)
            gathering.close()

    asyncio.run(body())


def test_ended_sessions_wait_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A taker that takes nothing keeps no more ended sessions than that."""
    monkeypatch.setattr(module, "MAX_ENDED", 3)

    async def body() -> None:
        async with hub() as one:
            taker = Taker()
            gathering = taker.gather(one)
            for _ in range(6):
                session, _ = await one.session("A")
                gathering.release()  # so that its end does not wait for the taker
                one.driver.device("A").remove()
                await one.event(EventType.SESSION_ENDED, partial(is_of, session))
                await one.event(EventType.ADAPTER_DELETED)
            assert sum(gathered.ended for gathered in taker.take()) == 3
            assert gathering.running == 0
            gathering.close()

    asyncio.run(body())


def test_losses_wait_for_the_packets_after_them() -> None:
    """A session whose packets have no room in a take keeps its losses for the next one."""

    async def body() -> None:
        async with hub() as one:
            first, slow = await one.session("A")
            second, fast = await one.session("B")
            taker = Taker()
            taker.gather(one, packets=5)
            taker.take()
            slow.deliver(packet(0, 100))
            await received(first, 1)
            for number in range(1, 11):
                fast.deliver(packet(number, 100))
                await received(second, number)
            (taken,) = taker.take(130)
            assert (taken.source.name, taken.losses) == ("A", [])
            (taken,) = taker.take(130)
            assert (taken.source.name, sum(it.count for it in taken.losses)) == ("B", 5)
            assert list(map(number_of, taker.packets)) == [0, 6]
            taker.gathering.close()

    asyncio.run(body())
