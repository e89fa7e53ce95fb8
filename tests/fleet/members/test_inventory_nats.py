"""The hosts of a network on a real server, whose cards every watch lets expire by itself."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.client.streams import run
from tests.fleet.bus.nats.making import make_network
from tests.fleet.nats_server import LAB, NatsServer
from tests.fleet.running import B, C, eventually
from tests.waiting import pass_by
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.card import Card
from wintun_api.fleet.members.inventory import Appearance, Host, Inventory

LIFETIME = 2.0
PATIENCE = 6.0  # more than it takes until there is a connection again


async def put_card(bus: Bus, host: str) -> None:
    """Put a card, as a host does that lives."""
    await (await bus.bucket(LAB.hosts)).put(host, Card(name=host, epoch=1).encoded())


def test_nobody_dies_while_the_server_is_away(nats_server: NatsServer) -> None:
    """One that comes back lives on, and one that does not is dead when it had the time."""
    line, other_line = nats_server.line(), nats_server.line()
    nats_server.start()
    told: list[tuple[Appearance, str]] = []

    async def work() -> None:
        bus, other = await NatsBus.connect(line), await NatsBus.connect(other_line)
        await make_network(bus, LAB, lasts=LIFETIME)
        clock = Clock(bus)

        def tell(what: Appearance, host: Host) -> None:
            told.append((what, host.id))

        inventory = Inventory(bus, LAB, clock, tell, lifetime=LIFETIME, patience=PATIENCE)
        bus.notify(lambda *_: inventory.returned())
        await clock.measure()
        await inventory.start()
        for host in (B, C):
            await put_card(other, host)
        await eventually(lambda: len(inventory.hosts) == 2)
        await asyncio.to_thread(nats_server.kill)
        await pass_by(2 * LIFETIME)
        assert set(inventory.hosts) == {B, C}
        await asyncio.to_thread(nats_server.start)
        await eventually(lambda: bus.connected and other.connected)
        for _ in range(30):
            await put_card(other, B)
            await pass_by(LIFETIME / 4)
            if C not in inventory.hosts:
                break
        assert [what for what, host in told if host == C] == [Appearance.JOINED, Appearance.DIED]
        assert {what for what, host in told if host == B} == {
            Appearance.JOINED,
            Appearance.RENEWED,
        }
        await inventory.aclose()
        await other.aclose()
        await bus.aclose()

    run(work())
