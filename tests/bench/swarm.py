"""Many agents in one process, each with its own key, connection, claims and counters.

    python -m tests.bench.swarm

It reads what to do as JSON, a line each, and answers each line with one. Times are those of the
steady clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Final

from tests.fleet.one_adapter import OneAdapter
from tests.waiting import eventually, pass_by
from wintun_api.fleet.agent.agent import Agent
from wintun_api.fleet.agent.order import Order
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.keys.identity import KeyLine
from wintun_api.fleet.packets.ledger import Ledger

PATIENCE: Final = 600.0  # seconds; many agents share a process, and this machine with others
RESOLUTION: Final = 0.005  # seconds; it is looked so often whether all agents know something


class Member:
    """One agent."""

    def __init__(self, line: KeyLine, agent: Agent, bus: NatsBus) -> None:
        self.line = line
        self.agent = agent
        self.bus = bus

    def has(self, hosts: int, routes: int, since_ns: int) -> bool:
        """Return whether it knows so many hosts, by cards that are young enough, and prefixes."""
        known = self.agent.inventory.hosts
        return (
            self.bus.connected
            and len(known) == hosts
            and len(self.agent.claims.routes) == routes
            and all(one.renewed_ns >= since_ns for one in known.values())
        )


class Swarm:
    """The agents of this process."""

    def __init__(self, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        self.members: list[Member] = []
        self._stack = stack
        self._group = group
        self._stop = asyncio.Event()

    async def begin(
        self, *, url: str, token: str, directory: str, lines: list[str], guids: list[str]
    ) -> None:
        """Connect all agents at the same time, and let them join."""
        keys = map(KeyLine.parse, lines)
        joining = zip(keys, guids, strict=True)
        await asyncio.gather(*(self._join(one, g, url, token, directory) for one, g in joining))

    async def _join(self, line: KeyLine, guid: str, url: str, token: str, directory: str) -> None:
        host = line.identity.host
        client = await self._stack.enter_async_context(OneAdapter(url, token=token, guid=guid))
        ledger = self._stack.enter_context(closing(Ledger.open(Path(directory) / host)))
        bus = await NatsBus.connect(line, name=host, patient=True)
        await eventually(
            lambda: bus.connected, PATIENCE
        )  # all agents of a process come at the same time
        self._stack.push_async_callback(bus.aclose)
        order = Order(line.network, guid, host)
        agent = Agent(client, bus, host, order, ledger, on_event=lambda _: None)
        self.members.append(Member(line, agent, bus))
        self._group.create_task(agent.run(self._stop))

    async def whole(self, *, hosts: int, routes: int, since_ns: int = 0) -> list[float]:
        """Return when each agent knew so many hosts and prefixes, the first one first."""
        return await self._when(lambda one: one.has(hosts, routes, since_ns))

    async def connected(self, *, there: bool) -> list[float]:
        """Return when each agent had a connection, or none."""
        return await self._when(lambda one: one.bus.connected is there)

    async def end(self) -> None:
        """Let all agents leave."""
        self._stop.set()

    async def _when(self, holds: Callable[[Member], bool]) -> list[float]:
        found: list[float] = []
        left = list(self.members)
        async with asyncio.timeout(PATIENCE):
            while True:
                now, waiting = time.monotonic(), [one for one in left if not holds(one)]
                found += [now] * (len(left) - len(waiting))
                left = waiting
                if not left:
                    return found
                await pass_by(RESOLUTION)


async def lines_of_input() -> asyncio.StreamReader:
    """Return standard input as lines, of any length that keys of many hosts have."""
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main() -> None:
    """Do what the lines say until they end."""
    asked = await lines_of_input()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        swarm = Swarm(stack, group)
        while line := await asked.readline():
            said: dict[str, Any] = json.loads(line)
            answer = await getattr(swarm, said.pop("do"))(**said)
            print(json.dumps(answer), flush=True)
        await swarm.end()


if __name__ == "__main__":
    asyncio.run(main())
