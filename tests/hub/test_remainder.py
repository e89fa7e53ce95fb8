"""hub.remainder: what is left in the ring at the end is delivered, or lost and told."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.memory_driver import corrupt
from tests.hub.running import Hub, Reader, hub, reached, soon
from wintun_api.choices import EventType, Overflow, SessionState
from wintun_api.drivers.limits import RECORD_HEADER
from wintun_api.errors import DriverError
from wintun_api.hub import ending, remainder
from wintun_api.hub.losses import Cause
from wintun_api.hub.session import SessionView
from wintun_api.packet import build

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))


class Client:
    """A client that reads what is queued when the session asks it to, up to a number."""

    def __init__(self, reader: Reader, reads: int = 10**6) -> None:
        self.reader = reader
        self.reads = reads
        self.got = 0
        self.told: asyncio.Future[ending.Ending] = asyncio.get_running_loop().create_future()

    async def flush(self) -> None:
        """Take what is queued; one that has read enough waits until it is given up."""
        while True:
            if self.got >= self.reads:
                await asyncio.Event().wait()
            taken = self.reader.queue.take(1)
            if not taken:
                return
            self.got += sum(burst.count for burst in taken)

    def settle(self) -> None:
        """Count what is left."""
        self.reader.queue.abandon()

    def farewell(self, ending: ending.Ending) -> None:
        """Note how it ended."""
        self.told.set_result(ending)

    async def gone(self) -> None:
        """Nothing is on its way to this client."""


async def _end_with(one: Hub, packets: int, *clients: Client) -> SessionView:
    """End the session of adapter A with so many packets in its ring."""
    (session,) = one.registry.sessions
    session.clients.update(clients)
    with one.driver.hold("quiesce") as gate:
        end = asyncio.ensure_future(one.registry.sessions.end(session.id))
        await reached(gate)  # the pump has stopped
        one.ring().deliver(*[PACKET] * packets)
        gate.open()
        return await soon(end)


def test_clients_that_read_get_the_rest() -> None:
    """All that was in the ring is delivered, and the clients are told how it ended."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            client = Client(Reader(session))
            view = await _end_with(one, 500, client)
            assert client.got == view.counters.received_packets == 500
            assert view.counters.ended == 0
            assert client.told.result() == ending.Ending(
                "ended", "It was ended on request.", stopping=False
            )

    asyncio.run(body())


def test_a_client_that_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time, what is left for it is counted as ended; the other client has everything."""
    monkeypatch.setattr(ending, "FLUSH_PATIENCE", 0.05)

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            quick, slow = Client(Reader(session)), Client(Reader(session), reads=0)
            view = await _end_with(one, 100, quick, slow)
            assert (quick.got, slow.got) == (100, 0)
            assert view.counters.ended == 100

    asyncio.run(body())


def test_a_client_that_blocks_is_given_up_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds up the ring for its time; after that the others get what is still in it."""
    monkeypatch.setattr(ending, "FLUSH_PATIENCE", 0.05)

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            quick = Client(Reader(session))
            blocking = Client(Reader(session, overflow=Overflow.BLOCK, packets=10), reads=0)
            view = await _end_with(one, 500, quick, blocking)
            assert quick.got == view.counters.received_packets == 500
            assert view.counters.ended == 500

    asyncio.run(body())


def test_a_client_that_blocks_and_reads_loses_nothing() -> None:
    """The ring is read on as soon as there is room in its queue."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            client = Client(Reader(session, overflow=Overflow.BLOCK, packets=10))
            woken = asyncio.get_running_loop().create_task(_read_all(client, 300))
            view = await _end_with(one, 300, client)
            await soon(woken)
            assert (client.got, view.counters.ended) == (300, 0)

    asyncio.run(body())


async def _read_all(client: Client, packets: int) -> None:
    client.got += len(await client.reader.packets(packets))


def test_a_host_that_cannot_be_stopped_is_read_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No more is read than a ring can hold, each time; what is left is lost in the ring."""
    monkeypatch.setattr(remainder, "FULL_QUEUE", 0)

    async def body() -> None:
        async with hub() as one:
            guid = (await one.registry.create_adapter("A", "Test")).info.guid
            capacity = 0x20000
            session = await one.registry.sessions.start(guid, capacity)
            total = 20_000
            record = len(PACKET) + RECORD_HEADER
            most = 3 * (capacity + remainder.LAST_READ * record)
            assert total * record > most
            view = await _end_with(one, total, Client(Reader(session)))
            received = view.counters.received_packets
            assert received * record <= most
            assert received + (view.ring_lost or 0) == total

    asyncio.run(body())


@pytest.mark.parametrize("call", ["quiesce", "counters"])
def test_a_driver_that_fails_at_the_end_ends_it_all_the_same(call: str) -> None:
    """These calls are only asked for what they can tell."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            client = Client(Reader(session))
            session.clients.add(client)
            one.driver.fail(call, *[DriverError(call, 31)] * 3)
            view = await soon(one.registry.sessions.end(session.id))
            assert (view.state, ring.ended) == (SessionState.ENDED, True)
            assert client.told.done()

    asyncio.run(body())


@pytest.mark.parametrize("call", ["quiesce", "counters", "end_reason"])
def test_a_driver_that_hangs_at_the_end_is_not_waited_for(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clients are told in time how the session ended, whatever the driver's thread does."""
    monkeypatch.setattr(ending, "DRIVER_PATIENCE", 0.02)

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            client = Client(Reader(session))
            session.clients.add(client)
            with one.driver.hold(call) as gate:
                if call == "end_reason":
                    one.driver.device("A").remove()
                else:
                    end = asyncio.ensure_future(session.end())
                    end.add_done_callback(lambda _: None)
                await reached(gate)
                told = await soon(asyncio.shield(client.told))
                assert told.state == SessionState.ENDED
                assert not gate.opened.is_set()
                gate.open()
            assert (await one.event(EventType.SESSION_ENDED)).id == session.id
            assert ring.ended

    asyncio.run(body())


def test_what_clients_have_queued_is_delivered_when_a_restart_fails() -> None:
    """There is no ring then, but the clients still get what was read from it before."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            client = Client(Reader(session))
            session.clients.add(client)
            one.driver.fail("start_session", DriverError("StartSession", 8))
            ring.deliver(PACKET, PACKET, corrupt())
            view = await one.event(EventType.SESSION_FAILED)
            assert (client.got, view.counters.ended) == (2, 0)
            assert Cause.ENDED not in {loss.cause for loss in client.reader.queue.losses.take()}

    asyncio.run(body())
