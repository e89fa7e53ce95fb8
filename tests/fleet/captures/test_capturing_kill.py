"""A capture over a real server that is killed: what is missing is known to the packet."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.client.streams import run
from tests.fleet.excerpts import packet
from tests.fleet.nats_server import NatsServer
from tests.fleet.running import LAB, eventually
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.client import AsyncClient
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.captures.capturing import CaptureOrder, Capturing
from wintun_api.fleet.captures.reading import Choice, Reading
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.server.administration import prepare
from wintun_api.fleet.server.plan import MIB, Bounds


def test_all_packets_have_an_end(service: RunningService, nats_server: NatsServer) -> None:
    """Those that the reader gets and those that it is told to be missing are all that were sent."""
    host, reader = nats_server.line(), nats_server.line()
    nats_server.start()
    session = str(service.session(service.adapter(name="Lab"))["id"])
    sent = [packet(number, 1000) for number in range(900)]

    def begun() -> bool:
        return bool(service.http.get(f"/v1/sessions/{session}").json()["subscribers"])

    async def read(bus: NatsBus) -> tuple[int, int]:
        reading = await Reading.prepare(bus, LAB, Choice(since="-60s", until="-0ms", injected=True))
        found = Reader([chunk async for chunk in reading.chunks(asyncio.Event())])
        return len(list(found)), found.lost or 0

    async def work() -> None:
        bus, other = await NatsBus.connect(host), await NatsBus.connect(reader)
        await prepare(bus, LAB, Bounds(captures_bytes=8 * MIB))
        clock = Clock(bus)
        await clock.measure()
        order = CaptureOrder(limit=100_000)
        async with AsyncClient(service.url, token=TOKEN) as client:
            capturing = Capturing(
                client, bus, LAB, host.identity.host, order, name="one", clock=clock
            )
            task = asyncio.ensure_future(capturing.run(session))
            await asyncio.to_thread(until, begun)
            for at in range(0, 900, 100):
                await client.inject_packets(session, sent[at : at + 100])
                await eventually(lambda at=at: capturing.captured == at + 100)  # type: ignore[misc]
                if at == 200:
                    assert sum(await read(other)) > 0  # some were published before
                    nats_server.kill()
                elif at == 600:
                    nats_server.start()
            assert capturing.dropped > 0
            told = (0, 0)
            async with asyncio.timeout(30):
                while sum(told) < len(sent):
                    await eventually(lambda: bus.connected and other.connected)
                    told = await read(other)
            assert sum(told) == len(sent)
            assert told[1] >= capturing.dropped
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await bus.aclose()
        await other.aclose()

    run(work())
