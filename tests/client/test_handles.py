"""What handles give besides requests: packets of an adapter and of a session, and events."""

from __future__ import annotations

import asyncio

from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.client import Accounts, AsyncClient, Burst, Client
from wintun_api.packet import build

PACKET = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)


def test_an_adapters_packets_start_the_session(service: RunningService) -> None:
    """The stream starts the session where none runs, and `ends` says what goes with it."""
    with Client(service.url, token=TOKEN) as client:
        with client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter:
            with adapter.packets(capacity=0x20000, ends="session", grace=0) as stream:
                assert stream.send([PACKET]) == Accounts(accepted=1)
                assert isinstance(next(stream), Burst)
                (session,) = client.list_sessions()
                assert (session.adapter, session.capacity) == (adapter.guid, 0x20000)
            until(lambda: client.get_session(session.id).state == "ended")
        assert client.list_adapters() == []


def test_a_sessions_packets_and_the_events(service: RunningService) -> None:
    """A session gives its packets, and the client what happens meanwhile."""

    async def work() -> None:
        async with (
            AsyncClient(service.url, token=TOKEN) as client,
            client.events() as events,
            client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter,
            adapter.session() as session,
            session.packets() as stream,
        ):
            assert (await stream.send([PACKET, PACKET])).accepted == 2
            burst = await anext(stream)
            assert isinstance(burst, Burst)
            assert (await session.refresh()).counters.injected.packets == 2
            snapshot = await anext(events)
            assert [one.name for one in getattr(snapshot, "adapters", ())] == ["Lab"]

    asyncio.run(work())
    assert service.http.get("/v1/adapters").json() == []


def test_a_session_says_what_happened_to_packets(service: RunningService) -> None:
    """A capture with marks has the packets that an impairment lost, with the comment."""
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter("Lab") as adapter,
        adapter.session() as session,
        session.impair(injected={"loss": 1}),
        session.capture(marks=True, packets=1) as chunks,
    ):
        file = next(chunks)
        session.inject([PACKET])
        file += b"".join(chunks)
    assert PACKET in file
    assert b"not delivered: lost" in file
