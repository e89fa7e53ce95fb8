"""Agents on sites: they run as long as a block, and can be killed in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol, Self

from tests.fleet.memory import MemoryBus, MemoryServer
from tests.fleet.running import LAB, PATIENCE, eventually
from tests.running import TOKEN, RunningService
from wintun_api.client import AsyncClient
from wintun_api.client.backoff import Backoff
from wintun_api.fleet.agent.agent import Agent
from wintun_api.fleet.agent.order import Order, Pace
from wintun_api.fleet.events import Event, EventKind
from wintun_api.fleet.packets.ledger import Ledger

QUICK = Pace(
    renewal=0.2,
    lifetime=0.8,
    patience=0.4,
    telling=0.05,
    clock=5.0,
    service=Backoff(first=0.02, last=0.1),
    restoring=0.1,
)


class Place(Protocol):
    """A service with an adapter for an agent."""

    host: str
    path: Path
    service: RunningService


class Joined:
    """An agent on a site, and what it has told. The block begins when it has told `until`."""

    def __init__(
        self,
        site: Place,
        server: MemoryServer,
        *,
        until: EventKind = EventKind.SERVICE_CONNECTED,
        **options: Any,
    ) -> None:
        self.site = site
        self.until = until
        self.bus: MemoryBus = server.connect(site.host)
        self.told: list[Event] = []
        self.token = options.pop("token", TOKEN)
        self.pace = options.pop("pace", QUICK)
        self.patience = options.pop("patience", PATIENCE)
        self.client = options.pop("client", None) or AsyncClient(site.service.url, token=self.token)
        self.order = Order(LAB, **{"adapter": "Lab", "name": f"host {site.host[0]}", **options})
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.ledger = Ledger.open(self.site.path / f"{self.site.host}.ledger")
        self.agent = Agent(
            self.client,
            self.bus,
            self.site.host,
            self.order,
            self.ledger,
            on_event=self.told.append,
            pace=self.pace,
        )
        self.task = asyncio.ensure_future(self.agent.run(self._stop))
        await eventually(lambda: self.kinds(self.until) or self.task.done(), self.patience)
        if self.task.done():
            await self.__aexit__()
            self.task.result()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.client.aclose()
        await self.bus.aclose()
        self.ledger.close()

    async def kill(self) -> None:
        """End it as `kill -9` would: nothing is said, and the session goes on."""
        self.bus.lose()
        await self.client.aclose()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def kinds(self, kind: EventKind) -> list[Event]:
        """Return what was told of a kind."""
        return [event for event in self.told if event.kind is kind]

    def routes(self) -> int:
        """Return how many prefixes lead somewhere."""
        return len(self.agent.claims.routes)


def settled(first: Joined, second: Joined, least: int) -> bool:
    """Return whether so many packets from the first to the second, or more, have an end at both."""
    accounts = first.ledger.accounts()
    theirs = [one for one in second.ledger.accounts().arrived if not one.group]
    sent = [one for one in accounts.sent if one.to == second.site.host]
    waiting = [*(one.waiting for one in sent), *(one.waiting for one in theirs)]
    if accounts.taken.waiting or any(waiting):
        return False
    counts = [one.sent for one in sent]
    return counts == [one.sent for one in theirs] and sum(counts) >= least
