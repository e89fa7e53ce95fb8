"""The bus over NATS keeps what every bus promises, and what only a real server can do to it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from tests.fleet.bus.contract import (
    BOUND,
    BOUND_PUBLISH,
    BOUND_SUBSCRIBE,
    HOST_TTL,
    LAB,
    PENDING,
    A,
    B,
    C,
    Contract,
    Ground,
)
from tests.fleet.bus.nats.making import make_network
from tests.fleet.nats_server import NatsServer
from tests.fleet.relay import Relay
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.keys.identity import KeyLine


class NatsGround:
    """A real server."""

    def __init__(self, server: NatsServer) -> None:
        self.server = server
        self.buses: list[NatsBus] = []
        self.relays: dict[str, Relay] = {}
        self.lines: Mapping[str, KeyLine] = {
            A: server.line(),
            B: server.line(),
            C: server.line(),
            BOUND: server.line(publish=BOUND_PUBLISH, subscribe=BOUND_SUBSCRIBE),
        }

    async def begin(self) -> None:
        self.server.start()
        bus = await NatsBus.connect(self.lines[A])
        await make_network(bus, LAB, lasts=HOST_TTL)
        await bus.aclose()

    async def connect(self, host: str) -> Bus:
        relay = self.relays.setdefault(host, Relay(self.server.port))
        await relay.start()
        line = replace(self.lines[host], servers=(f"nats://127.0.0.1:{relay.port}",))
        bus = await NatsBus.connect(line, name=host, pending=PENDING)
        self.buses.append(bus)
        return bus

    async def cut(self, host: str) -> None:
        self.relays[host].cut()

    async def mend(self, host: str) -> None:
        self.relays[host].mend()

    async def end(self) -> None:
        for bus in self.buses:
            await bus.aclose()
        for relay in self.relays.values():
            await relay.close()

    async def kill(self) -> None:
        self.server.kill()

    async def restart(self) -> None:
        self.server.start()

    async def stall(self, bus: Bus) -> None:
        self.server.stand_still()

    async def flow(self, bus: Bus) -> None:
        self.server.go_on()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot make a process stand still")
class TestNats(Contract):
    """The bus over a real server."""

    @pytest.fixture
    def ground(self, nats_server: NatsServer) -> Callable[[], AbstractAsyncContextManager[Ground]]:
        @asynccontextmanager
        async def nats() -> AsyncIterator[Ground]:
            ground = NatsGround(nats_server)
            await ground.begin()
            try:
                yield ground
            finally:
                await ground.end()

        return nats
