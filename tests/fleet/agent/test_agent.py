"""An agent from its beginning to its end: what it tells, and what it outlives."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.client.streams import run
from tests.fleet.joined import QUICK, Joined, settled
from tests.fleet.running import LAB, B, eventually, prepared
from tests.fleet.sites import Site, ping
from tests.waiting import pass_by
from wintun_api.fleet.events import EventKind


def test_an_agent_that_ends_takes_its_leave(sites: tuple[Site, Site]) -> None:
    """Its claims and its card are deleted, and the others are told at once."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first:
            async with Joined(other, server) as second:
                await eventually(lambda: first.routes() == second.routes() == 2)
            assert second.told[-1].kind is EventKind.AGENT_ENDED
            await eventually(lambda: first.routes() == 1)
            assert [event.data["host"] for event in first.kinds(EventKind.HOST_LEFT)] == [B]

    run(work())


def test_an_agent_that_ends_says_what_it_has_counted(sites: tuple[Site, Site]) -> None:
    """Its last event has the totals that its card had until then, and newer ones."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(other, server) as second:
            async with Joined(one, server) as first:
                await eventually(lambda: first.routes() == second.routes() == 2)
                assert one.send(ping(one, other))
                await eventually(lambda: settled(first, second, 1))
            assert first.told[-1].data["counts"]["taken"] == 1
            assert first.told[-1].data["counts"]["confirmed"] == 1

    run(work())


def test_a_loss_whose_number_is_not_known_is_told(sites: tuple[Site, Site]) -> None:
    """An adapter that is made anew counts from 0 again: the event has no number."""

    async def work() -> None:
        server, (one, other) = prepared(), sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(ping(one, other))
            await eventually(lambda: settled(first, second, 1))
            await asyncio.to_thread(one.make_anew)
            await eventually(lambda: first.kinds(EventKind.PACKETS_LOST))
            (told,) = first.kinds(EventKind.PACKETS_LOST)
            assert told.data == {"cause": None, "count": None}

    run(work())


def test_an_agent_that_is_killed_goes_on_where_it_was(sites: tuple[Site, Site]) -> None:
    """The others notice its death; its successor goes on with its numbers and its accounts."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(other, server) as second:
            async with Joined(one, server) as first:
                await eventually(lambda: first.routes() == second.routes() == 2)
                one.send(ping(one, other))
                await eventually(lambda: settled(first, second, 1))
                await first.kill()
            await eventually(lambda: second.kinds(EventKind.HOST_DIED))
            await eventually(lambda: second.routes() == 1)
            async with Joined(one, server) as again:
                await eventually(lambda: again.routes() == second.routes() == 2)
                one.send(ping(one, other, 2))
                await eventually(lambda: settled(again, second, 2))
                (arrived,) = second.ledger.accounts().arrived
                assert (arrived.sent, arrived.delivered) == (2, 2)

    run(work())


def test_an_agent_outlives_its_server(sites: tuple[Site, Site]) -> None:
    """After an interruption that outlasts all cards, everything is as it was."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            server.stop()
            await pass_by(2 * QUICK.lifetime)
            server.start()
            await eventually(lambda: first.kinds(EventKind.BUS_CONNECTED))
            # Both claim anew, so the first pings may be refused.
            await eventually(lambda: one.send(ping(one, other)) and one.injected())
            await eventually(lambda: settled(first, second, 1))
            assert first.kinds(EventKind.BUS_DISCONNECTED)

    run(work())


def test_every_change_is_told_on_the_bus(sites: tuple[Site, Site]) -> None:
    """Who listens there gets the same events, in the same order, as the agent's own caller."""

    async def work() -> None:
        server = prepared()
        got: list[dict[str, Any]] = []
        listener = server.connect(B)
        await listener.subscribe(
            LAB.events("*"),
            lambda message: got.append(json.loads(message.data)),
            limit_bytes=1 << 20,
        )
        async with Joined(sites[0], server) as first:
            await eventually(lambda: first.routes() == 1)
        await eventually(lambda: len(got) == len(first.told))
        assert got == [event.document() for event in first.told]
        assert got[0]["type"] == "agent.started"
        assert got[-1]["type"] == "agent.ended"
        await listener.aclose()

    run(work())
