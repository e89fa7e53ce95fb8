"""The bus in memory keeps what every bus promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.fleet.bus.contract import (
    BOUND,
    BOUND_PUBLISH,
    BOUND_SUBSCRIBE,
    HOST_TTL,
    LAB,
    PENDING,
    Contract,
    Ground,
)
from tests.fleet.memory import ANYTHING, MemoryBus, MemoryServer
from wintun_api.fleet.bus.seam import Bus


class MemoryGround:
    """A server in memory."""

    def __init__(self) -> None:
        self.server = MemoryServer()
        self.server.prepare(LAB, host_ttl=HOST_TTL)

    async def connect(self, host: str) -> Bus:
        bound = host == BOUND
        return self.server.connect(
            host,
            pending=PENDING,
            may_publish=BOUND_PUBLISH if bound else ANYTHING,
            may_subscribe=BOUND_SUBSCRIBE if bound else ANYTHING,
        )

    async def cut(self, host: str) -> None:
        for bus in self.server.buses:
            if bus.host == host:
                bus.lose()

    async def mend(self, host: str) -> None:
        for bus in self.server.buses:
            if bus.host == host:
                bus.regain()

    async def kill(self) -> None:
        self.server.stop()

    async def restart(self) -> None:
        self.server.start()

    async def stall(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.stall()

    async def flow(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.flow()


@asynccontextmanager
async def memory() -> AsyncIterator[Ground]:
    ground = MemoryGround()
    yield ground
    for bus in tuple(ground.server.buses):
        await bus.aclose()


class TestMemory(Contract):
    """The bus in memory."""

    @pytest.fixture
    def ground(self) -> Callable[[], AbstractAsyncContextManager[Ground]]:
        return memory
