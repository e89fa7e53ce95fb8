"""A hundred hosts on one bus."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.client.streams import run
from tests.fleet.joined import Joined
from tests.fleet.one_adapter import OneAdapter
from tests.fleet.running import eventually, prepared
from tests.running import TOKEN, RunningService, running
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.fleet.agent.order import Pace
from wintun_api.packet import build

HOSTS = 100
PATIENCE = 240.0  # seconds; perhaps the machine is busy
PACKETS = 3
SLOW = Pace(renewal=30.0, lifetime=600.0, patience=10.0, telling=0.5)  # they share one event loop
LETTERS = "abcdefghij"


@dataclass
class OneOfMany:
    """One of many adapters of a service, for an agent of its own."""

    host: str
    path: Path
    service: RunningService
    number: int
    guid: str = ""

    @property
    def adapter(self) -> str:
        """The name of the adapter."""
        return f"Lab {self.number}"

    @property
    def address(self) -> str:
        """Its address."""
        return f"10.7.0.{self.number + 1}"


@pytest.mark.heavy
def test_a_hundred_hosts_reach_each_other(tmp_path: Path) -> None:
    """They start together, each learns every route, and the packets of each reach the next one."""
    library = EmulatedLibrary(Generation.TUNNEL_TYPE, Machine())

    async def work(places: list[OneOfMany]) -> None:
        server = prepared()
        agents = [
            Joined(
                one,
                server,
                adapter=one.adapter,
                name=one.host,
                pace=SLOW,
                patience=PATIENCE,
                client=OneAdapter(one.service.url, token=TOKEN, guid=one.guid),
            )
            for one in places
        ]
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(stack.enter_async_context(one) for one in agents))
            await eventually(lambda: all(one.routes() == HOSTS for one in agents), PATIENCE)
            await eventually(
                lambda: all(len(one.agent.inventory.hosts) == HOSTS for one in agents), PATIENCE
            )
            for at, place in enumerate(places):
                packet = build.icmp_echo(
                    place.address, places[(at + 1) % HOSTS].address, identifier=7, sequence=1
                )
                for _ in range(PACKETS):
                    with library.machine.lock:
                        assert library.machine.device(place.adapter).deliver(packet)
            # The peers answer, so that each host sends to both of its neighbours.
            await eventually(lambda: all(delivered(one) == 2 * PACKETS for one in agents), PATIENCE)
            for one in agents:
                for sent in one.ledger.accounts().sent:
                    assert sent.sent == sent.delivered

    with running(tmp_path, emulated_driver(library)) as service:
        places = [
            OneOfMany(f"{LETTERS[n // 10]}{LETTERS[n % 10]}{'a' * 10}", tmp_path, service, n)
            for n in range(HOSTS)
        ]
        for one in places:
            adapter = service.adapter(name=one.adapter, addresses=[f"{one.address}/24"])
            one.guid = adapter["guid"]
        run(work(places))


def delivered(agent: Joined) -> int:
    """Return how many packets of a host were delivered, as it was told."""
    return sum(one.delivered for one in agent.ledger.accounts().sent)
