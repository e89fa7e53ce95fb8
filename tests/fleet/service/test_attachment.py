"""The adapter at the service: waited for, found again, and refused with a reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.client.streams import run
from tests.fleet.joined import QUICK, Joined, settled
from tests.fleet.running import eventually, prepared
from tests.fleet.sites import Site, ping, unanswered
from tests.waiting import pass_by
from wintun_api.choices import Scope
from wintun_api.client.problems import ProblemError
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.problems import TokenTooNarrow

NEEDED = (Scope.READ, Scope.CAPTURE, Scope.INJECT)


def test_an_adapter_that_is_not_there_is_waited_for(sites: tuple[Site, Site]) -> None:
    """What is missing and how it is made is told once, and the host joins when it is there."""

    async def work() -> None:
        one = sites[0]
        waiting = Joined(one, prepared(), adapter="Later", until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await pass_by(0.2)
            (told,) = joined.told
            assert "has no adapter Later. The agent waits for it." in told.text
            assert "wintun-api adapters create Later" in told.text
            assert joined.agent.inventory.hosts == {}
            await asyncio.to_thread(one.service.adapter, name="Later", addresses=["10.7.0.3/24"])
            await eventually(lambda: joined.routes() == 1)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))

    run(work())


def test_an_agent_that_waits_can_be_stopped(sites: tuple[Site, Site]) -> None:
    """It ends without a word on the bus: it has not joined."""

    async def work() -> None:
        server = prepared()
        waiting = Joined(sites[0], server, adapter="Later", until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            pass
        assert joined.task.result() is None
        assert [event.kind for event in joined.told] == [EventKind.SERVICE_WAITING]

    run(work())


def test_a_token_that_is_too_narrow_is_named(sites: tuple[Site, Site]) -> None:
    """An agent needs to read, to capture and to inject, and no more."""

    async def work() -> None:
        one, server = sites[0], prepared()
        narrow = one.service.token(Scope.READ)
        with pytest.raises(TokenTooNarrow, match="capture and inject"):
            async with Joined(one, server, token=narrow):
                pass
        one.service.session(one.adapter)
        async with Joined(one, server, token=one.service.token(*NEEDED)) as joined:
            await eventually(lambda: joined.routes() == 1)

    run(work())


def test_a_session_that_the_token_may_not_start_is_waited_for(sites: tuple[Site, Site]) -> None:
    """The agent says once how it is started, and exchanges packets as soon as it runs."""

    async def work() -> None:
        one, server = sites[0], prepared()
        token = one.service.token(*NEEDED)
        waiting = Joined(one, server, token=token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await asyncio.to_thread(one.service.adapter, name="Another")  # wakes it in vain
            await pass_by(0.2)
            (told,) = joined.kinds(EventKind.SERVICE_WAITING)
            assert told.text.endswith("Start it with: wintun-api sessions start Lab")
            assert joined.routes() == 1
            session = await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))
            await asyncio.to_thread(one.service.api.end_session, session["id"])
            await eventually(lambda: len(joined.kinds(EventKind.SERVICE_WAITING)) == 2)
            await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: len(joined.kinds(EventKind.SERVICE_CONNECTED)) == 2)

    run(work())


def test_an_agent_that_waits_outlives_its_service(sites: tuple[Site, Site]) -> None:
    """It hears again of sessions when the service is back."""

    async def work() -> None:
        one, server = sites[0], prepared()
        token = one.service.token(*NEEDED)
        waiting = Joined(one, server, token=token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            port = one.service.port
            await asyncio.to_thread(one.stop)
            await asyncio.to_thread(one.start, port)
            await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))

    run(work())


def test_an_agent_that_waits_ends_with_its_token(sites: tuple[Site, Site]) -> None:
    """A token that was revoked is no reason to wait any longer."""

    async def work() -> None:
        one, server = sites[0], prepared()
        issued = one.service.api.create_token(scopes=[one.value for one in NEEDED])
        waiting = Joined(one, server, token=issued.token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await asyncio.to_thread(one.service.api.revoke_token, issued.id)
            with pytest.raises(ProblemError) as caught:
                await joined.task
            assert caught.value.status == 401

    run(work())


def test_an_adapter_that_comes_back_was_never_missing(sites: tuple[Site, Site]) -> None:
    """A service that starts again restores its adapters: nobody has to create them."""

    async def work() -> None:
        one, server = sites[0], prepared()
        async with Joined(one, server, pace=replace(QUICK, restoring=3600.0)) as joined:
            await asyncio.to_thread(one.service.api.delete_adapter, one.adapter["guid"])
            await eventually(lambda: joined.kinds(EventKind.SERVICE_LOST))
            await pass_by(0.2)
            await asyncio.to_thread(one.service.adapter, name="Lab", addresses=["10.7.0.9/24"])
            await eventually(lambda: len(joined.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            assert joined.kinds(EventKind.SERVICE_WAITING) == []

    run(work())


def test_an_adapter_that_was_deleted_can_be_created_as_it_was(sites: tuple[Site, Site]) -> None:
    """The agent knows its addresses."""

    async def work() -> None:
        one, server = sites[0], prepared()
        async with Joined(one, server) as joined:
            (address,) = (await joined.client.get_adapter(one.adapter["guid"])).addresses
            await asyncio.to_thread(one.service.api.delete_adapter, one.adapter["guid"])
            await eventually(lambda: joined.kinds(EventKind.SERVICE_WAITING))
            (told,) = joined.kinds(EventKind.SERVICE_WAITING)
            assert told.text.endswith(f"wintun-api adapters create Lab --address {address}")

    run(work())


def test_an_agent_comes_back_to_its_session(sites: tuple[Site, Site]) -> None:
    """A session that somebody ends is started again, and packets flow."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            (session,) = other.service.api.list_sessions()
            await asyncio.to_thread(other.service.api.end_session, session.id)
            await eventually(lambda: len(second.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            assert len(second.kinds(EventKind.SERVICE_LOST)) == 1
            one.send(ping(one, other))
            await eventually(lambda: one.injected() == 1)

    run(work())


def test_an_agent_tells_that_its_service_is_gone(
    sites: tuple[Site, Site],
) -> None:
    """Packets for it are counted as failed meanwhile, and it is found again."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 1))
            port = other.service.port
            await asyncio.to_thread(other.stop)
            await eventually(lambda: second.kinds(EventKind.SERVICE_LOST))
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 2))
            (account,) = second.ledger.accounts().arrived
            assert (account.delivered, account.causes[Cause.FAILED]) == (1, 1)
            await asyncio.to_thread(other.start, port)
            await eventually(lambda: len(second.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 3))
            (account,) = second.ledger.accounts().arrived
            assert account.delivered == 2

    run(work())
