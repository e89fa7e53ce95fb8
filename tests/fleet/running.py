"""What tests of `fleet` share: a network on a bus in memory, and how they wait in the loop."""

from __future__ import annotations

from collections.abc import Callable

from tests import waiting
from tests.fleet.memory import MemoryBus, MemoryServer
from wintun_api.fleet.members.card import Card
from wintun_api.fleet.network import Network

LAB = Network("lab")
A, B, C = (letter * 12 for letter in "abc")
PATIENCE = 20.0


def prepared() -> MemoryServer:
    """Return a server that has the network."""
    server = MemoryServer()
    server.prepare(LAB)
    return server


async def eventually(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Let the loop run until something holds."""
    await waiting.eventually(holds, patience)


async def put_card(bus: MemoryBus, name: str = "", epoch: int = 1) -> None:
    """Let a host say that it is there."""
    bucket = await bus.bucket(LAB.hosts)
    await bucket.put(bus.host, Card(name=name or bus.host, epoch=epoch).encoded())
