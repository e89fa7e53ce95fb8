"""hub.session: one session's life over a driver of plain memory."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.hub.memory_driver import corrupt
from tests.hub.running import PATIENCE, Reader, hub, reached, soon
from wintun_api.choices import EventType, Full, SessionState
from wintun_api.errors import DriverError, SessionEnded, SessionNotFound
from wintun_api.hub import pump
from wintun_api.packet import build
from wintun_api.packet.check import sift

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))


def test_packets_reach_a_subscriber_in_order() -> None:
    """What the host sends arrives once, in order, and is counted."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            sent = [PACKET + bytes((number,)) for number in range(100)]
            ring.deliver(*sent)
            assert await reader.packets(100) == sent
            assert session.counters.received_packets == 100
            assert session.counters.received_bytes == sum(map(len, sent))

    asyncio.run(body())


def test_a_session_says_what_the_host_had_handed_over_before() -> None:
    """What an earlier session got, or was lost without one, is told by the next one."""

    async def body() -> None:
        async with hub() as one:
            first, ring = await one.session()
            assert first.view().handed_before == 0
            reader = Reader(first)
            ring.deliver(PACKET, PACKET)
            await reader.packets(2)
            await one.registry.sessions.end(first.id)
            one.driver.device("A").dropped += 3
            second = await one.registry.sessions.start(first.adapter)
            assert second.view().handed_before == 5

    asyncio.run(body())


def test_a_corrupt_ring_is_restarted_once() -> None:
    """The first corruption starts a new driver session under the same id; packets go on."""

    async def body() -> None:
        async with hub() as one:
            session, first = await one.session()
            reader = Reader(session)
            first.deliver(PACKET, corrupt())
            view = await one.event(EventType.SESSION_RESTARTED)
            assert (view.id, view.restarts, view.state) == (session.id, 1, SessionState.RUNNING)
            second = one.ring()
            assert second is not first
            assert first.ended
            second.deliver(PACKET)
            assert len(await reader.packets(2)) == 2

    asyncio.run(body())


def test_a_ring_that_is_corrupt_again_fails_the_session() -> None:
    """The second corruption ends it as failed, with the driver's code."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.deliver(corrupt())
            await one.event(EventType.SESSION_RESTARTED)
            one.ring().deliver(corrupt())
            view = await one.event(EventType.SESSION_FAILED)
            assert (view.state, view.code, view.restarts) == (SessionState.FAILED, 13, 1)
            assert view.counters.ring_corrupt == 2
            assert session.state is SessionState.FAILED

    asyncio.run(body())


def test_a_restart_that_fails_fails_the_session() -> None:
    """When the driver refuses the new session, the old one's end says both errors."""

    async def body() -> None:
        async with hub() as one:
            _, ring = await one.session()
            one.driver.fail("start_session", DriverError("StartSession", 8))
            ring.deliver(corrupt())
            view = await one.event(EventType.SESSION_FAILED)
            assert view.code == 8
            assert "could not be restarted" in view.reason

    asyncio.run(body())


def test_packets_of_clients_wait_while_the_ring_is_restarted() -> None:
    """Between two driver sessions the send ring counts as full, not as gone."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            with one.driver.hold("start_session") as gate:
                ring.deliver(corrupt())
                await reached(gate)
                injection = session.inject(sift([PACKET]))
                assert (injection.accepted, injection.ring_full) == (0, 1)
                gate.open()
                await one.event(EventType.SESSION_RESTARTED)
            assert session.inject(sift([PACKET])).accepted == 1

    asyncio.run(body())


def test_a_removed_adapter_ends_the_session() -> None:
    """The session ends with the driver's reason once the ring has been read to its end."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            ring.deliver(PACKET)
            one.driver.device("A").remove()
            view = await one.event(EventType.SESSION_ENDED)
            assert (view.state, view.reason) == (SessionState.ENDED, "The adapter is gone.")
            assert session.lost
            assert len(await reader.packets(1)) == 1

    asyncio.run(body())


def test_any_other_error_fails_the_session() -> None:
    """An error that is neither an end nor a corrupt ring is not retried."""

    async def body() -> None:
        async with hub() as one:
            _, ring = await one.session()
            ring.deliver(DriverError("ReceivePacket", 87))
            view = await one.event(EventType.SESSION_FAILED)
            assert (view.code, view.restarts) == (87, 0)

    asyncio.run(body())


def test_a_wait_that_fails_fails_the_session() -> None:
    """A waiter thread that cannot wait does not leave a session that runs and hears nothing."""

    async def body() -> None:
        async with hub() as one:
            one.driver.fail("wait_readable", DriverError("WaitForMultipleObjects", 6))
            await one.session()
            view = await one.event(EventType.SESSION_FAILED)
            assert view.code == 6

    asyncio.run(body())


def test_a_start_that_fails_leaves_nothing() -> None:
    """The error reaches the caller, and the adapter can start another session."""

    async def body() -> None:
        async with hub() as one:
            view = await one.registry.create_adapter("A", "Test")
            one.driver.fail("start_session", DriverError("StartSession", 8))
            with pytest.raises(DriverError, match="StartSession"):
                await one.registry.sessions.start(view.info.guid)
            assert not one.registry.sessions
            await one.registry.sessions.start(view.info.guid)

    asyncio.run(body())


def test_an_end_while_the_driver_starts_the_session() -> None:
    """A session that is ended before the driver has started it is ended in the driver too."""

    async def body() -> None:
        async with hub() as one:
            view = await one.registry.create_adapter("A", "Test")
            with one.driver.hold("start_session") as gate:
                start = asyncio.ensure_future(one.registry.sessions.start(view.info.guid))
                await reached(gate)
                stop = asyncio.ensure_future(one.registry.stop())
                await asyncio.sleep(0)
                gate.open()
                with pytest.raises((SessionEnded, DriverError)):
                    await soon(start)
                await soon(stop)
            assert one.driver.device("A").session is None

    asyncio.run(body())


def test_what_waits_in_the_ring_is_read_before_the_end() -> None:
    """An end reads what the host has sent by then, after the host was asked to stop."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session)
            with one.driver.hold("quiesce") as gate:
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await reached(gate)  # the pump has stopped
                ring.deliver(*[PACKET] * 10)
                gate.open()
                view = await soon(end)
            assert view.counters.received_packets == 10
            assert len(await reader.packets(10)) == 10
            assert ring.quiesced

    asyncio.run(body())


def test_an_ending_session_takes_nothing_new() -> None:
    """While it ends, neither packets of clients nor new subscribers are taken."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            with one.driver.hold("end_session") as gate:
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await reached(gate)
                assert session.state is SessionState.ENDING
                with pytest.raises(SessionEnded):
                    session.inject(sift([PACKET]))
                with pytest.raises(SessionNotFound):
                    Reader(session)
                gate.open()
                await soon(end)

    asyncio.run(body())


def test_a_session_is_ended_once() -> None:
    """Two ends at the same time give the same view, and the driver is asked once."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            first, second = await asyncio.gather(
                one.registry.sessions.end(session.id), one.registry.sessions.end(session.id)
            )
            assert first == second
            assert one.driver.calls.count("end_session") == 1

    asyncio.run(body())


def test_a_wait_that_does_not_return_fails_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's session is left to the thread that is inside it, which ends it later."""
    monkeypatch.setattr(pump, "WAITER_PATIENCE", 0.02)

    async def body() -> None:
        async with hub() as one:
            view = await one.registry.create_adapter("A", "Test")
            with one.driver.hold("wait_readable") as gate:
                session = await one.registry.sessions.start(view.info.guid)
                await reached(gate)
                ended = await soon(one.registry.sessions.end(session.id))
                assert ended.state is SessionState.FAILED
                assert "stay in the driver" in (ended.reason or "")
                assert "end_session" not in one.driver.calls
                one.driver.watch("end_session", called := threading.Event())
                gate.open()
                assert await asyncio.to_thread(called.wait, PATIENCE)

    asyncio.run(body())


def test_an_end_on_request_is_not_one_by_the_driver() -> None:
    """Only a session that the driver ended is one whose adapter may be gone."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            await one.registry.sessions.end(session.id)
            assert not session.lost

    asyncio.run(body())


def test_a_driver_that_cannot_say_why_ends_the_session_all_the_same() -> None:
    """Without an answer, the reason is that the adapter is gone."""

    async def body() -> None:
        async with hub() as one:
            await one.session()
            one.driver.fail("end_reason", DriverError("Reason", 31))
            one.driver.device("A").remove()
            view = await one.event(EventType.SESSION_ENDED)
            assert (view.state, view.reason) == (SessionState.ENDED, "The adapter is gone.")

    asyncio.run(body())


def test_an_adapter_that_goes_while_it_is_restarted_fails_the_session() -> None:
    """The restart finds no adapter, and says so with the error of the ring."""

    async def body() -> None:
        async with hub() as one:
            _, ring = await one.session()
            with one.driver.hold("end_session") as gate:
                ring.deliver(corrupt())
                await reached(gate)
                one.driver.device("A").remove()
                gate.open()
            view = await one.event(EventType.SESSION_FAILED)
            assert "could not be restarted" in view.reason

    asyncio.run(body())


def test_an_end_while_the_ring_is_restarted() -> None:
    """The session that the driver starts meanwhile is ended too, and nothing is left."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            with one.driver.hold("start_session") as gate:
                ring.deliver(corrupt())
                await reached(gate)
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await asyncio.sleep(0)
                gate.open()
                view = await soon(end)
            assert view.state is SessionState.ENDED
            assert one.driver.device("A").session is None
            assert (await one.registry.sessions.start(session.adapter)).id != session.id

    asyncio.run(body())


def test_packets_do_not_reach_a_ring_that_is_about_to_be_closed() -> None:
    """From the corruption on, the driver's old session gets nothing more."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            with one.driver.hold("end_session") as gate:
                ring.deliver(corrupt())
                await reached(gate)
                assert session.inject(sift([PACKET]), Full.WAIT).waiting == [PACKET]
                assert ring.sent == []
                gate.open()
                await one.event(EventType.SESSION_RESTARTED)

    asyncio.run(body())
