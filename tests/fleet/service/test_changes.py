"""Waiting for what a service does not have yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.client.streams import run
from tests.fleet.running import eventually
from tests.running import TOKEN, RunningService
from wintun_api.client import AsyncClient
from wintun_api.client.backoff import Backoff
from wintun_api.fleet.service.changes import ServiceChanges

QUICK = Backoff(first=0.02, last=0.1)


@asynccontextmanager
async def changes_of(service: RunningService) -> AsyncIterator[tuple[AsyncClient, ServiceChanges]]:
    """Give a client and what it waits with; the connections are closed when this returns."""
    async with (
        AsyncClient(service.url, token=TOKEN) as client,
        ServiceChanges(client, QUICK) as changes,
    ):
        yield client, changes
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})


def test_the_first_wait_ends_when_the_service_listens(service: RunningService) -> None:
    """What happened before is read after it, so nothing can be missed between the two."""

    async def work() -> None:
        async with changes_of(service) as (client, changes):
            await changes.next()
            waiting = asyncio.ensure_future(changes.next())
            await client.list_adapters()
            assert not waiting.done()
            await asyncio.to_thread(service.adapter, name="Lab")
            await waiting

    run(work())


def test_what_concerns_no_adapter_is_not_told(service: RunningService) -> None:
    """Other events of the service wake nobody."""

    async def work() -> None:
        async with changes_of(service) as (client, changes):
            await changes.next()
            waiting = asyncio.ensure_future(changes.next())
            async with client.events() as events:
                await anext(events)
                await client.create_token(["read"])
                await anext(events)  # of the change, which the other stream has been told before
            assert not waiting.done()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    run(work())


def test_a_wait_after_a_rest_begins_anew(service: RunningService) -> None:
    """It returns with what the service has then, although nothing changes any more."""

    async def work() -> None:
        async with changes_of(service) as (_, changes):
            await changes.next()
            await changes.rest()
            await changes.next()

    run(work())
