"""Buckets of a real server: keys that have expired, marks of the server, missing changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fleet.bus.contract import LAB, Taken, run
from tests.fleet.bus.nats.making import make_bucket
from tests.fleet.nats_server import NatsServer
from tests.waiting import answers
from wintun_api.fleet.bus.nats import NatsBus, jetstream
from wintun_api.fleet.problems import BusDenied, BusUnavailable

MARKED: dict[str, Any] = {"allow_msg_ttl": True, "subject_delete_marker_ttl": 60_000_000_000}


@pytest.mark.parametrize("more", [{}, MARKED])
def test_a_key_that_has_expired_can_be_created(
    more: dict[str, Any], nats_server: NatsServer
) -> None:
    """It can, also where the server leaves a mark in its place, and it is told once as gone."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus, taken = await NatsBus.connect(line), Taken()
        await make_bucket(bus, LAB.hosts, lasts=1, **more)
        bucket = await bus.bucket(LAB.hosts)
        await bucket.watch(taken.entry)
        first = await bucket.create("key", b"1")
        await taken.until(lambda: ("key", None) in taken.values)
        assert await bucket.create("key", b"2") > first
        await taken.until(lambda: len(taken.values) == 3)
        assert taken.values == [("key", b"1"), ("key", None), ("key", b"2")]
        await bus.aclose()

    run(work())


def test_a_value_that_the_server_does_not_take(nats_server: NatsServer) -> None:
    """What is too large for a bucket is refused with what the server says."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        await make_bucket(bus, LAB.routes, max_msg_size=100)
        bucket = await bus.bucket(LAB.routes)
        with pytest.raises(BusUnavailable, match="message size exceeds maximum"):
            await bucket.put("key", bytes(200))
        assert await bucket.put("key", bytes(10))
        await bus.aclose()

    run(work())


def test_a_server_that_keeps_no_streams(nats_server: NatsServer) -> None:
    """Where JetStream is off, a bucket is not there, and the error says why."""
    nats_server.more = {"jetstream": False, "accounts": {"lab": {"users": nats_server.users}}}
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        with pytest.raises(BusUnavailable):
            await bus.bucket(LAB.routes)
        await bus.aclose()

    run(work())


def test_a_watch_whose_consumer_is_lost(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch whose bucket was made anew begins again, and tells that its keys are gone."""
    monkeypatch.setattr(jetstream, "HEARTBEAT", 0.2)
    monkeypatch.setattr(jetstream, "SILENCE", 0.6)
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus, taken = await NatsBus.connect(line), Taken()
        await make_bucket(bus, LAB.routes)
        bucket = await bus.bucket(LAB.routes)
        await bucket.put("old", b"1")
        await (await bucket.watch(taken.entry)).caught_up()
        await bus.request(f"$JS.API.STREAM.DELETE.KV_{LAB.routes}", b"", patience=5)
        await make_bucket(bus, LAB.routes)
        await bucket.put("new", b"2")
        await taken.until(lambda: ("new", b"2") in taken.values)
        assert ("old", None) in taken.values
        await bus.aclose()

    run(work())


def test_a_closed_watch_leaves_nothing(nats_server: NatsServer) -> None:
    """No task goes on, and the server forgets its consumer."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        await make_bucket(bus, LAB.routes)
        bucket = await bus.bucket(LAB.routes)
        tasks = asyncio.all_tasks()
        watch = await bucket.watch(print)
        await watch.aclose()
        await bus.flush()
        assert asyncio.all_tasks() == tasks
        about = f"$JS.API.STREAM.INFO.KV_{LAB.routes}"
        await answers(lambda: bus.request(about, b"", patience=5), b'"consumer_count":0')
        await bus.aclose()

    run(work())


def test_a_watch_that_is_denied_leaves_nothing(nats_server: NatsServer) -> None:
    """A host that may not read a bucket is told so once, and no task goes on."""
    line, other = nats_server.line(), nats_server.line(publish=[], subscribe=[])
    nats_server.users[1]["permissions"]["publish"] = [f"$JS.API.STREAM.INFO.KV_{LAB.routes}"]
    nats_server.start()

    async def work() -> None:
        told = Taken()
        bus, denied = await NatsBus.connect(line), await NatsBus.connect(other)
        await make_bucket(bus, LAB.routes)
        denied.notify(told.change)
        bucket = await denied.bucket(LAB.routes)
        tasks = asyncio.all_tasks()
        with pytest.raises(BusDenied):
            await bucket.watch(print)
        await denied.flush()
        assert told.kinds == []  # the error has said it
        assert asyncio.all_tasks() == tasks
        await denied.aclose()
        await bus.aclose()

    run(work())


def test_nothing_expires_after_the_end(nats_server: NatsServer) -> None:
    """A watch of a closed bus tells nothing more, also where its keys expire."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus, taken = await NatsBus.connect(line), Taken()
        await make_bucket(bus, LAB.hosts, lasts=0.2)
        bucket = await bus.bucket(LAB.hosts)
        await (await bucket.watch(taken.entry)).caught_up()
        await bucket.put("key", b"1")
        await taken.until(lambda: taken.entries)
        await bus.aclose()
        for _ in range(12):
            await taken.more()
        assert taken.values == [("key", b"1")]

    run(work())
