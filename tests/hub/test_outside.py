"""hub.outside: one reading for a burst of changes, however the driver tells of them."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import cast

import pytest

from tests.waiting import let_pass
from wintun_api.drivers.base import Driver, Watcher
from wintun_api.errors import DriverError
from wintun_api.hub import outside
from wintun_api.hub.outside import OutsideChanges
from wintun_api.hub.tasks import TaskSet

by_descriptor = pytest.mark.skipif(
    sys.platform == "win32", reason="the loop of Windows watches no descriptors"
)


class Telling:
    """The part of a driver that tells of changes, by a descriptor or by its watcher."""

    def __init__(self, fileno: int | None) -> None:
        self._fileno = fileno
        self.watcher: Watcher | None = None

    def changes_fileno(self) -> int | None:
        return self._fileno

    def set_watcher(self, watcher: Watcher | None) -> None:
        self.watcher = watcher


class Readings:
    """Counts readings; each takes what the descriptor has."""

    def __init__(self, fileno: int | None = None) -> None:
        self.count = 0
        self.failures = 0
        self.available = True
        self.read_one = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self._fileno = fileno

    async def read(self) -> bool:
        self.count += 1
        if self._fileno is not None:
            os.read(self._fileno, 65536)
        self.read_one.set()
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise DriverError("RTM_GETLINK", 105, domain="errno")
        return self.available

    async def one(self) -> None:
        """Wait for the next reading."""
        await asyncio.wait_for(self.read_one.wait(), 5)
        self.read_one.clear()


def run(body: Callable[[], object]) -> None:
    async def main() -> None:
        await body()  # type: ignore[misc]

    asyncio.run(main())


@pytest.mark.parametrize("told", [pytest.param("descriptor", marks=by_descriptor), "watcher"])
def test_a_burst_is_one_reading(told: str) -> None:
    """Many changes within the gathering time are read once, a later one again."""

    async def body() -> None:
        reader, writer = os.pipe()
        driver = Telling(reader if told == "descriptor" else None)
        readings = Readings(reader if told == "descriptor" else None)
        changes = OutsideChanges(cast(Driver, driver), readings.read, TaskSet())
        if told == "descriptor":
            os.write(writer, b"x")  # read once at the start, whatever is there
        changes.listen()

        def change() -> None:
            if told == "descriptor":
                os.write(writer, b"x")
            else:
                assert driver.watcher is not None
                thread = threading.Thread(target=driver.watcher)
                thread.start()
                thread.join()

        for _ in range(100):
            change()
        await readings.one()
        await asyncio.to_thread(let_pass, outside.GATHER * 2)
        assert readings.count == 1
        change()
        await readings.one()
        assert readings.count == 2
        changes.stop()
        assert driver.watcher is None
        os.close(reader)
        os.close(writer)

    run(body)


def test_a_change_during_a_reading_is_read_again() -> None:
    """What happens while the adapters are read is not missed."""

    async def body() -> None:
        driver = Telling(None)
        readings = Readings()
        readings.gate.clear()
        changes = OutsideChanges(cast(Driver, driver), readings.read, TaskSet())
        changes.listen()
        assert driver.watcher is not None
        driver.watcher()
        await readings.one()
        for _ in range(10):
            driver.watcher()
        await asyncio.sleep(0)
        readings.gate.set()
        await readings.one()
        assert readings.count == 2
        changes.stop()

    run(body)


def test_a_reading_that_fails_is_tried_again() -> None:
    """A failing driver does not make changes go unnoticed."""

    async def body() -> None:
        driver = Telling(None)
        readings = Readings()
        readings.failures = 1
        changes = OutsideChanges(cast(Driver, driver), readings.read, TaskSet())
        changes.listen()
        changes.look()
        await readings.one()
        await readings.one()
        assert (readings.count, readings.failures) == (2, 0)
        changes.stop()
        changes.stop()
        changes.look()

    run(body)


@by_descriptor
def test_a_driver_that_cannot_work() -> None:
    """Nothing is read again and again where a reading cannot make the descriptor silent."""

    async def body() -> None:
        reader, writer = os.pipe()
        readings = Readings()
        readings.available = False
        changes = OutsideChanges(cast(Driver, Telling(reader)), readings.read, TaskSet())
        os.write(writer, b"x")
        changes.listen()
        await readings.one()
        await asyncio.to_thread(let_pass, outside.GATHER * 3)
        assert readings.count == 1
        changes.listen()  # somebody asked, and it can work now
        readings.available = True
        await readings.one()
        assert readings.count == 2
        changes.stop()
        os.close(reader)
        os.close(writer)

    run(body)


def test_told_after_the_end() -> None:
    """A thread of the system that is late tells nobody, and fails at nothing."""
    late: list[Watcher] = []

    async def body() -> None:
        driver = Telling(None)
        changes = OutsideChanges(cast(Driver, driver), Readings().read, TaskSet())
        changes.listen()
        assert driver.watcher is not None
        late.append(driver.watcher)
        changes.stop()

    run(body)
    late[0]()
