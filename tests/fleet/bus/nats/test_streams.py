"""Streams of a real server: much more than fits into a window, and readers that are slow."""

from __future__ import annotations

import asyncio

from tests.fleet.bus.contract import LAB, Taken, run
from tests.fleet.bus.nats.making import make_network
from tests.fleet.nats_server import NatsServer
from wintun_api.fleet.bus.nats import NatsBus

SIZE = 1 << 17
COUNT = 400  # more than the 32 MiB that a server sends before it waits for the reader


def test_a_slow_reader_gets_everything(nats_server: NatsServer) -> None:
    """Far more than the window is read once and in order, though the reader pauses."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line, pending=1 << 22)
        await make_network(bus, LAB, lasts=30)
        stream = await bus.stream(LAB.captures)
        for number in range(COUNT):
            while not await bus.publish(LAB.capture("h", "s"), number.to_bytes(4) * (SIZE // 4)):
                await bus.room()
        await bus.flush()
        await stream.publish(LAB.capture("h", "s"), COUNT.to_bytes(4))
        found = []
        nothing = Taken()
        now = await bus.server_time_ns()
        async for message, _ in stream.read(LAB.capture("h", "*"), until_ns=now):
            found.append(int.from_bytes(message.data[:4]))
            if len(found) % 100 == 1:
                await nothing.more()  # more comes meanwhile
        assert found == list(range(COUNT + 1))
        await bus.aclose()

    run(work())


def test_a_reading_that_is_given_up(nats_server: NatsServer) -> None:
    """Nothing goes on, and the server forgets its consumer."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        await make_network(bus, LAB, lasts=30)
        stream = await bus.stream(LAB.captures)
        await stream.publish(LAB.capture("h", "s"), b"1")
        tasks = asyncio.all_tasks()
        reading = stream.read(LAB.capture("h", "*"))
        await anext(reading)
        await reading.aclose()
        await bus.flush()
        assert asyncio.all_tasks() == tasks
        answer = await bus.request(f"$JS.API.STREAM.INFO.{LAB.captures}", b"", patience=5)
        assert b'"consumer_count":0' in answer
        await bus.aclose()

    run(work())
