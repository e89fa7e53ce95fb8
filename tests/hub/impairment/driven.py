"""Impaired sessions over every driver there is, and pings that their hosts answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Interface
from typing import Any

import pytest

from tests.drivers.linux import kernel
from tests.hub.running import holds, registry_over, soon
from tests.waiting import let_pass
from wintun_api.choices import EventType, Native, Offload
from wintun_api.drivers.base import Driver
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub.events import EventSubscription
from wintun_api.hub.impairment.impairment import Impairment
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.registry import Registry
from wintun_api.hub.session import ManagedSession
from wintun_api.packet import build

OWN, PEER = "10.6.7.7", "10.6.7.9"
CAPACITY = 0x400000


@contextmanager
def _emulated(generation: Generation) -> Iterator[Driver]:
    library = EmulatedLibrary(generation)
    yield emulated_driver(library)
    assert library.misuse == []


@contextmanager
def _kernel(native: Native, offload: Offload) -> Iterator[Driver]:
    from wintun_api.drivers.linux.driver import open_linux

    with kernel.namespace():
        kernel.keep_quiet()
        yield open_linux(native, offload)


WAYS: dict[str, Callable[[], AbstractContextManager[Driver]]] = {
    f"emulated-{one}": partial(_emulated, one) for one in Generation
}
KERNEL_WAYS: dict[str, Callable[[], AbstractContextManager[Driver]]] = {
    f"linux-{native}-offload-{offload}": partial(_kernel, native, offload)
    for native in Native
    for offload in (Offload.OFF, Offload.ON)
}

EVERY_DRIVER = [
    *(pytest.param(way, id=name) for name, way in WAYS.items()),
    *(pytest.param(way, id=name, marks=kernel.needs_kernel) for name, way in KERNEL_WAYS.items()),
]


@dataclass(slots=True)
class Driven:
    """A registry over a real driver, with a session whose host answers pings to `OWN`."""

    registry: Registry
    session: ManagedSession
    subscription: EventSubscription

    @property
    def network(self) -> Impairment:
        """What stands in the way of the session's packets."""
        return self.session.network

    async def event(self, kind: EventType) -> Any:
        """Wait for the next event of this kind, and return its data; others are dropped."""
        while True:
            for event in await soon(self.subscription.next()):
                if event.type is kind:
                    return event.data

    async def settled(self) -> None:
        """Wait until nothing is delayed, and all that the host has answered was read."""

        def quiet() -> bool:
            both = self.network.received.accounts, self.network.injected.accounts
            return not any(one.delayed.packets for one in both)

        read = -1
        while read != self.session.counters.received_packets:
            read = self.session.counters.received_packets
            await holds(quiet)
            await asyncio.to_thread(let_pass, 0.05)


@asynccontextmanager
async def driven(driver: Driver) -> AsyncIterator[Driven]:
    """Run a registry with a session over a driver for a while."""
    registry = registry_over(driver)
    subscription, _ = registry.events.subscribe()
    try:
        settings = NetworkSettings(mtu=1420, addresses=(IPv4Interface(f"{OWN}/24"),))
        view = await registry.create_adapter("Way", "Test", settings=settings)
        session = await registry.sessions.start(view.info.guid, CAPACITY)
        yield Driven(registry, session, subscription)
    finally:
        await soon(registry.stop())


def ping(number: int, size: int = 64) -> bytes:
    """Make an echo request of this number, which the host answers."""
    data = number.to_bytes(4, "big").ljust(size - 28, b"\0")
    return build.icmp_echo(PEER, OWN, identifier=7, sequence=number & 0xFFFF, data=data)


def pings(count: int, first: int = 0) -> list[bytes]:
    """Make echo requests that the host answers."""
    return [ping(number) for number in range(first, first + count)]


def pong_of(packet: bytes) -> int | None:
    """Return the number of an echo reply to one of `pings`; None for any other packet."""
    if len(packet) < 32 or packet[9] != build.ICMP or packet[20] != build.ECHO_REPLY:
        return None
    return int.from_bytes(packet[28:32], "big")
