"""The events of an agent: told at once, and on the bus when it takes them."""

from __future__ import annotations

import asyncio
import json

from tests.client.streams import run
from tests.fleet.running import LAB, A, B, eventually, prepared
from wintun_api.fleet.bus.seam import Message
from wintun_api.fleet.events import MAX_EVENT, MAX_WAITING, Announcements, Event, EventKind


def test_events_that_the_bus_does_not_take_have_a_bound() -> None:
    """The oldest are dropped and counted; the caller has got them all."""

    async def work() -> None:
        server = prepared()
        bus, listener = server.connect(A), server.connect(B)
        got: list[Message] = []
        told: list[Event] = []
        await listener.subscribe(LAB.events("*"), got.append, limit_bytes=1 << 20)
        announcements = Announcements(bus, LAB.events(A), told.append)
        for _ in range(MAX_WAITING + 3):
            announcements.tell(EventKind.HOST_JOINED, "x", {})
        assert announcements.dropped == 3
        publishing = asyncio.ensure_future(announcements.publish())
        await eventually(lambda: len(got) == MAX_WAITING)
        assert [json.loads(one.data)["id"] for one in got] == [one.id for one in told[3:]]
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await listener.aclose()
        await bus.aclose()

    run(work())


def test_an_event_is_never_too_long_for_the_bus() -> None:
    """Data that do not fit are left out, and the sentence is cut."""
    long = Event(EventKind.HOST_JOINED, "x" * 100_000, {"y": "z" * 100_000}, 1)
    assert len(long.encoded()) <= MAX_EVENT
    assert json.loads(long.encoded())["id"] == 1
