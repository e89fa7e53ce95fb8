"""A registry over the memory driver, and what its suites wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from tests.hub.memory_driver import Gate, MemoryDriver, MemorySession
from tests.waiting import let_pass
from wintun_api.choices import Direction, EventType, Overflow, Tap
from wintun_api.drivers.base import Driver
from wintun_api.errors import DriverBusy
from wintun_api.hub.burst import Burst
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.events import Event, EventSubscription
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.registry import Registry
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.subscriber import Subscriber

T = TypeVar("T")
PATIENCE = 30.0  # seconds for what comes at once unless something is broken
# Seconds that a request waits for the driver, in tests that let them pass. Until then everything
# has time, on a busy machine too.
LIMIT = 10.0


async def soon(work: Awaitable[T]) -> T:
    """Wait for what must come."""
    return await asyncio.wait_for(work, PATIENCE)


async def holds(condition: Callable[[], object]) -> None:
    """Let the loop run until something that gives no sign is so."""

    async def look() -> None:
        while not condition():
            await asyncio.to_thread(let_pass, 0.001)

    await soon(look())


async def reached(gate: Gate) -> None:
    """Wait until a held call has begun."""
    assert await asyncio.to_thread(gate.reached.wait, PATIENCE)


class PassingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time a test lets pass at once, for what waits with a time limit."""

    passed = 0.0

    def time(self) -> float:
        """Return the time in seconds, which is ahead by what has passed at once."""
        return super().time() + self.passed


def run_passing(work: Coroutine[Any, Any, T]) -> T:
    """Run a test in which time passes at once (`pass_at_once`)."""
    with asyncio.Runner(loop_factory=PassingLoop) as runner:
        return runner.run(work)


def pass_at_once(seconds: float) -> None:
    """Let a little more than so many seconds pass on the running loop, a `PassingLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PassingLoop)
    loop.passed += seconds + 1


async def times_out(request: Coroutine[Any, Any, object], gate: Gate) -> DriverBusy:
    """Let a request wait while a call is held, and its time pass; return its error."""
    waiting = asyncio.ensure_future(request)
    await reached(gate)
    pass_at_once(LIMIT)
    with pytest.raises(DriverBusy) as caught:
        await soon(waiting)
    return caught.value


@dataclass(slots=True)
class Hub:
    """The registry under test, its driver, and the events since it was made."""

    driver: MemoryDriver
    registry: Registry
    subscription: EventSubscription
    seen: list[Event]

    async def event(self, kind: EventType, match: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for the next event of this kind, and return its data; earlier ones are dropped."""
        while True:
            while self.seen:
                event = self.seen.pop(0)
                if event.type is kind and match(event.data):
                    return event.data
            self.seen += await soon(self.subscription.next())

    async def session(self, name: str = "A") -> tuple[ManagedSession, MemorySession]:
        """Create an adapter, start its session, and return it with the driver's side of it."""
        view = await self.registry.create_adapter(name, "Test")
        session = await self.registry.sessions.start(view.info.guid)
        return session, self.ring(name)

    def ring(self, name: str = "A") -> MemorySession:
        """Return the driver's side of the session of an adapter."""
        session = self.driver.device(name).session
        assert session is not None
        return session


def registry_over(
    driver: Driver, seconds: float = PATIENCE, held: HoldMemory | None = None
) -> Registry:
    """Return a registry that waits so long for the driver."""
    limit = BurstLimit(packets=1024, size=131072)
    return Registry(driver, burst=limit, management_timeout=seconds, event_history=1000, held=held)


@asynccontextmanager
async def hub(
    seconds: float = PATIENCE, over: MemoryDriver | None = None, held: HoldMemory | None = None
) -> AsyncIterator[Hub]:
    """Run a registry over a new memory driver, or one that is there; stop it on leaving."""
    driver = over or MemoryDriver()
    registry = registry_over(driver, seconds, held)
    subscription, _ = registry.events.subscribe()
    try:
        yield Hub(driver, registry, subscription, [])
    finally:
        await soon(registry.stop())


class Reader:
    """A subscriber that keeps what it gets."""

    def __init__(
        self,
        session: ManagedSession,
        *,
        direction: Direction = Direction.RECEIVED,
        tap: Tap = Tap.AFTER,
        overflow: Overflow = Overflow.DROP_OLDEST,
        packets: int = 1000,
    ) -> None:
        self._woken = asyncio.Event()
        self.queue = Subscriber(
            direction=direction,
            tap=tap,
            overflow=overflow,
            limit_packets=packets,
            limit_bytes=1 << 20,
            wake=self._woken.set,
        )
        session.subscribe(self.queue)

    async def bursts(self, packets: int) -> list[Burst]:
        """Wait until so many packets have come, and return their bursts."""
        bursts: list[Burst] = []
        while sum(burst.count for burst in bursts) < packets:
            self._woken.clear()
            taken = self.queue.take(1 << 20)
            if not taken:
                await soon(self._woken.wait())
            bursts += taken
        return bursts

    async def packets(self, count: int) -> list[bytes]:
        """Wait until so many packets have come, and return them."""
        return [packet for burst in await self.bursts(count) for packet in burst.packets]


async def received(session: ManagedSession, count: int) -> None:
    """Wait until the session has read so many packets."""
    await holds(lambda: session.counters.received_packets >= count)


async def delivered(session: ManagedSession, ring: MemorySession, *packets: bytes) -> None:
    """Let the host send packets, and wait until clients have got them."""
    reader = Reader(session, packets=len(packets))
    ring.deliver(*packets)
    await reader.packets(len(packets))
    session.unsubscribe(reader.queue)
