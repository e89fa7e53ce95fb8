"""hub.hold_memory: adapters that are deleted with their clients, on the disk."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api import files
from wintun_api.errors import StorageFailed
from wintun_api.hub.hold_memory import MAX_HELD, MAX_HELD_FILE, HoldMemory

LAB = uuid4()


class Disk:
    """A disk that may be full, and counts its writes."""

    def __init__(self) -> None:
        self.full = False
        self.writes = 0

    def write(self, path: Path, text: str) -> None:
        """Write a whole file."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.writes += 1
        files.replace(path, text.encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "holds.json"


def held(path: Path) -> dict[UUID, float]:
    """Return what a restarted service reads."""

    async def body() -> dict[UUID, float]:
        return dict(HoldMemory(path).held)

    return asyncio.run(body())


def test_the_file_is_written_when_the_set_changes(path: Path) -> None:
    """The same adapter again writes nothing, unless its grace period becomes longer."""

    async def body() -> None:
        memory = HoldMemory(path, (disk := Disk()).write)
        await memory.add(LAB, 5)
        await memory.add(LAB, 5)
        await memory.add(LAB, 1)
        assert (disk.writes, HoldMemory(path).held) == (1, {LAB: 5})
        await memory.add(LAB, 9)
        assert (disk.writes, HoldMemory(path).held) == (2, {LAB: 9})
        memory.forget(LAB)
        await memory.write()
        memory.forget(LAB)
        await memory.write()
        assert (disk.writes, HoldMemory(path).held) == (3, {})

    asyncio.run(body())


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_file_is_private(path: Path) -> None:
    """Other users can neither read nor write it."""

    async def body() -> None:
        await HoldMemory(path).add(LAB, 5)

    asyncio.run(body())
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_refuses_and_changes_nothing(path: Path) -> None:
    """What could not be written is not remembered; what could not be forgotten is written later."""

    async def body() -> None:
        memory = HoldMemory(path, (disk := Disk()).write)
        await memory.add(LAB, 5)
        disk.full = True
        with pytest.raises(StorageFailed, match="No space left on device"):
            await memory.add(uuid4(), 5)
        with pytest.raises(StorageFailed):
            await memory.add(LAB, 9)
        assert memory.held == {LAB: 5}
        memory.forget(LAB)
        await memory.write()
        assert (memory.held, HoldMemory(path).held) == ({}, {LAB: 5})
        disk.full = False
        await memory.add(other := uuid4(), 1)
        assert HoldMemory(path).held == memory.held == {other: 1}

    asyncio.run(body())


def test_there_is_a_limit(path: Path) -> None:
    """The file of the largest set can be read again, and one adapter more is refused."""
    guids = [uuid4() for _ in range(MAX_HELD)]
    path.write_text(json.dumps([{"adapter": str(one), "grace": 3599.123456789} for one in guids]))
    path.chmod(0o600)
    assert path.stat().st_size < MAX_HELD_FILE

    async def body() -> None:
        memory = HoldMemory(path)
        assert len(memory.held) == MAX_HELD
        with pytest.raises(StorageFailed, match="limit"):
            await memory.add(uuid4(), 5)
        await memory.add(guids[0], 3600)

    asyncio.run(body())


BROKEN = [
    b"",
    b"\xff\xfe",
    b"{}",
    b"null",
    b"[1]",
    b"[{}]",
    b"[[]]",
    b'[{"adapter": "x", "grace": 5}]',
    b'[{"adapter": 5, "grace": 5}]',
    b'[{"adapter": null, "grace": 5}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001"}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001", "grace": "5"}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001", "grace": true}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001", "grace": NaN}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001", "grace": 1e999}]',
    b'[{"adapter": "00000000-0000-0000-0000-000000000001", "grace": -1}]',
    b"[" * 100_000,
    b" " * (MAX_HELD_FILE + 1),
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_holds_nothing(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The service starts, says so, deletes nothing, and the next change writes a good file."""
    path.write_bytes(content)
    path.chmod(0o600)

    async def body() -> None:
        memory = HoldMemory(path)
        assert memory.held == {}
        await memory.add(LAB, 5)

    with caplog.at_level(logging.WARNING):
        asyncio.run(body())
    assert "Adapters that it named are kept." in caplog.text
    assert held(path) == {LAB: 5}


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No content causes an error."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    path.chmod(0o600)
    held(path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_file_that_others_can_write_holds_nothing(path: Path) -> None:
    """Otherwise another user could have adapters deleted."""
    path.write_text(json.dumps([{"adapter": str(LAB), "grace": 5}]))
    path.chmod(0o666)
    assert held(path) == {}
    path.unlink()
    path.mkdir(0o700)
    assert held(path) == {}
