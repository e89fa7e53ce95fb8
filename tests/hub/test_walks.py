"""The rooms that a packet and a creation enter are those that the package's docstring names."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.hub.running import Hub, hub, soon
from wintun_api import hub as package
from wintun_api.errors import DriverError
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.subscriber import Subscriber
from wintun_api.packet import build

FOLDER = Path(package.__file__).parent
MODULES = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))


def named(start: str) -> list[str]:
    """Return the modules in the order in which the steps under this sentence first name them."""
    text = (package.__doc__ or "").split(start, 1)[1].split("\n\n", 2)[1]
    assert text.lstrip().startswith("1. ")
    words = (word for word in re.findall(r"`[^`]*`|\w+", text) if word in MODULES)
    return list(dict.fromkeys(words))


@contextmanager
def entered(on: str = "") -> Iterator[list[str]]:
    """Record the modules of the hub that are entered, in the order of their first calls.

    `on` is the thread, by its name; without it, all threads count.
    """
    rooms: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or path.parent != FOLDER or path.stem in rooms:
            return
        if on in ("", threading.current_thread().name):
            rooms.append(path.stem)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield rooms
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def _packet(one: Hub, rooms: list[str]) -> None:
    session, ring = await one.session()
    woken = asyncio.Event()
    session.subscribe(Subscriber(limit_packets=10, limit_bytes=10_000, wake=woken.set))
    rooms.clear()
    ring.deliver(PACKET)
    await soon(woken.wait())
    expected = [room for room in named("A received packet enters") if room != "watch"]
    assert len(expected) == 6
    assert [room for room in rooms if room in expected] == expected


async def _creation(one: Hub, rooms: list[str]) -> None:
    rooms.clear()
    await one.registry.create_adapter("A", "Test")
    expected = [room for room in named("A call that creates an adapter") if room != "late"]
    assert len(expected) == 14
    assert [room for room in rooms if room in expected] == expected


async def _run(walk: Callable[[Hub, list[str]], Awaitable[None]]) -> None:
    with entered() as rooms:  # also on the threads that the hub starts
        async with hub() as one:
            await walk(one, rooms)


def test_a_received_packet_enters_these_rooms() -> None:
    """From the notice that the ring is readable to the subscriber, in this order."""
    asyncio.run(_run(_packet))


def test_a_creation_enters_these_rooms() -> None:
    """From the request to the event, in this order."""
    asyncio.run(_run(_creation))


def test_the_drivers_thread_enters_only_what_is_meant_for_it() -> None:
    """Whatever is asked, the steps on that thread touch nothing that belongs to the event loop."""

    async def body() -> set[str]:
        with entered("driver-management") as rooms:
            async with hub() as one:
                one.driver.add("Other")
                registry, mtu = one.registry, NetworkSettings(mtu=1300)
                guid = (await registry.create_adapter("A", "Test", settings=mtu)).info.guid
                await registry.open_adapter("Other", "Test")
                await registry.update_adapter(guid, name="B", settings=NetworkSettings(mtu=1400))
                one.driver.fail("set_mtu", DriverError("SetMtu", 87))
                with pytest.raises(DriverError):
                    await registry.update_adapter(guid, settings=mtu)
                one.driver.fail("set_mtu", DriverError("SetMtu", 87))
                with pytest.raises(DriverError):
                    await registry.create_adapter("C", "Test", settings=mtu)
                await registry.restore_adapter(guid)
                await registry.sessions.start(guid)
                one.driver.device("Other").remove()
                await registry.adapters()
                await registry.delete_adapter(guid)
                await registry.create_adapter("D", "Test")
                await registry.delete_pool("Test")
                await registry.delete_driver()
        return set(rooms)

    expected = {"threads", "calls", "network", "alteration", "management"}
    assert asyncio.run(body()) == expected


def test_the_docstring_names_every_module() -> None:
    """The map has each module of the package once."""
    rows = re.findall(r"^    (\w+) {2,}\w", package.__doc__ or "", re.MULTILINE)
    assert sorted(rows) == sorted(MODULES)
