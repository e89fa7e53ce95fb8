"""hub.pool_memory: pools on the disk, in step with adapters that come and go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub.running import PATIENCE, soon
from wintun_api import files
from wintun_api.errors import StorageFailed
from wintun_api.hub.pool_memory import PoolMemory
from wintun_api.hub.pools import KnownPools


class Disk:
    """A disk of which each write waits for a permit, or fails."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began = threading.Semaphore(0)
        self.permits = threading.Semaphore(0)
        self.full = False

    def write(self, path: Path, text: str) -> None:
        """Write when it is permitted."""
        self.began.release()
        assert self.permits.acquire(timeout=PATIENCE)
        if self.full:
            raise OSError("No space left on device")
        files.replace(path, text.encode())

    def memory(self, used: Callable[[str], bool] = lambda _: False) -> PoolMemory:
        """Return the memory over this disk."""
        return PoolMemory(KnownPools(self.path, write=self.write), used)

    def stored(self) -> list[str]:
        """Return the pools that a restarted service knows."""
        return KnownPools(self.path).names


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Return an empty disk."""
    return Disk(tmp_path / "pools.json")


def test_a_pool_is_on_the_disk_when_it_is_remembered(disk: Disk) -> None:
    """A second adapter of the pool writes nothing."""

    async def body() -> None:
        memory = disk.memory()
        disk.permits.release()
        await soon(memory.remember("Test", "The adapter was not created"))
        assert disk.stored() == memory.names == ["Test"]
        await soon(memory.remember("Test", "The adapter was not created"))

    asyncio.run(body())


def test_a_pool_that_cannot_be_written_is_not_known(disk: Disk) -> None:
    """The error begins with the consequence for the request."""

    async def body() -> None:
        memory = disk.memory()
        disk.full = True
        disk.permits.release()
        with pytest.raises(StorageFailed, match="The adapter was not created"):
            await soon(memory.remember("Test", "The adapter was not created"))
        assert memory.names == []

    asyncio.run(body())


def test_a_pool_in_use_is_not_forgotten(disk: Disk) -> None:
    """Neither with an adapter in it, nor while one is being created."""

    async def body() -> None:
        used = {"Test"}
        memory = disk.memory(used.__contains__)
        disk.permits.release()
        await soon(memory.remember("Test", ""))
        await soon(memory.forget("Test"))
        used.clear()
        with memory.creating("Test"):
            await soon(memory.forget("Test"))
        assert memory.names == ["Test"]
        disk.permits.release()
        await soon(memory.forget("Test"))
        assert disk.stored() == memory.names == []

    asyncio.run(body())


def test_a_pool_that_is_wanted_while_it_is_being_forgotten(disk: Disk) -> None:
    """The new adapter waits until it is forgotten, and then remembers it again."""

    async def body() -> None:
        memory = disk.memory()
        disk.permits.release()
        await soon(memory.remember("Test", ""))
        assert disk.began.acquire(timeout=PATIENCE)
        forgetting = asyncio.ensure_future(memory.forget("Test"))
        assert await asyncio.to_thread(disk.began.acquire, timeout=PATIENCE)
        with memory.creating("Test"):
            remembering = asyncio.ensure_future(memory.remember("Test", ""))
            disk.permits.release(2)
            await soon(asyncio.gather(forgetting, remembering))
        assert disk.stored() == memory.names == ["Test"]

    asyncio.run(body())


def test_a_pool_that_is_wanted_before_its_turn_to_be_forgotten_stays(disk: Disk) -> None:
    """While the forgetting waits for another write, an adapter in the pool prevents it."""

    async def body() -> None:
        memory = disk.memory()
        disk.permits.release()
        await soon(memory.remember("Test", ""))
        assert disk.began.acquire(timeout=PATIENCE)
        other = asyncio.ensure_future(memory.remember("Other", ""))
        assert await asyncio.to_thread(disk.began.acquire, timeout=PATIENCE)
        forgetting = asyncio.ensure_future(memory.forget("Test"))
        await asyncio.sleep(0)
        with memory.creating("Test"):
            remembering = asyncio.ensure_future(memory.remember("Test", ""))
            disk.permits.release(3)
            await soon(asyncio.gather(other, forgetting, remembering))
        assert disk.stored() == memory.names == ["Other", "Test"]

    asyncio.run(body())
