"""hub.named_captures: many small files, which are made faster than a disk takes them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.hub.capture.reading import packet
from tests.hub.clock import Clock
from tests.hub.named_captures.desk import Desk, agree, desk
from tests.hub.named_captures.disk import Disk
from tests.hub.running import delivered, soon
from wintun_api.choices import CaptureState
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate

ASKED = Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=3))


async def behind(one: Desk, disk: Disk) -> str:
    """Start a capture that makes many files while the disk takes only the first one."""
    session, ring = await one.hub.session()
    capture = await one.start(ASKED)
    disk.stick()
    for number in range(500):
        await delivered(session, ring, packet(number, 400))
    assert await asyncio.to_thread(disk.asked.wait, 30)
    return capture


def test_files_that_wait_for_the_disk(tmp_path: Path) -> None:
    """A file is listed from when it is on the disk, and stays until a newer one is there."""

    async def body() -> None:
        disk = Disk()
        async with desk(tmp_path / "c", write=disk.write, clock=Clock()) as one:
            capture = await behind(one, disk)
            view = one.view(capture)
            assert 0 < len(view.files) <= 3
            assert 0 < view.packets < 100
            assert all(file.packets for file in view.files if file.complete)
            assert all(path.exists() for path in one.paths(view))
            disk.free.set()
            view = await one.has(capture, 500)
            assert [file.number for file in view.files][-1] > 40
            view = await one.stop(capture)
            assert (view.state, view.packets, len(view.files)) == (CaptureState.STOPPED, 500, 3)
            agree(one.store, view)

    asyncio.run(body())


def test_what_is_synchronized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of files that end within a second one is written to the disk itself, and the last one."""

    async def body() -> None:
        synced: list[int] = []
        real = os.fsync

        def fsync(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)
            real(descriptor)

        async with desk(tmp_path / "c", clock=Clock()) as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=Rotate(bytes=4096)))
            monkeypatch.setattr(os, "fsync", fsync)
            ring.deliver(*[packet(number, 400) for number in range(1000)])
            await one.has(capture, 1000)
            view = await one.stop(capture)
            paths = one.paths(view)
            assert len(paths) > 100
            assert paths[-1].stat().st_ino in synced
            assert len(synced) < len(paths) / 2

    asyncio.run(body())


def test_requests_that_delete_the_same(tmp_path: Path) -> None:
    """All of them succeed, though one finds nothing left to delete."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=Rotate(bytes=4096)))
            ring.deliver(*[packet(number, 400) for number in range(1000)])
            await one.has(capture, 500)
            views = await asyncio.gather(*[one.captures.delete(capture) for _ in range(4)])
            assert {view.state for view in views} == {CaptureState.STOPPED}
            assert not one.store.directory(capture).exists()
            assert one.captures.room.used == 0

    asyncio.run(body())


def test_a_capture_that_is_deleted_while_the_disk_hangs(tmp_path: Path) -> None:
    """What the disk still does comes before its files are deleted, so nothing of it is left."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            capture = await behind(one, disk)
            deletion = asyncio.ensure_future(one.captures.delete(capture))
            await asyncio.sleep(0)
            clock.move(11)
            view = await one.over(capture)
            assert (view.state, view.packets + view.lost) == (CaptureState.FAILED, 500)
            assert view.unwritten == view.lost > 0
            assert one.store.directory(capture).exists()
            disk.free.set()
            await soon(deletion)
            assert not one.store.directory(capture).exists()
            assert one.captures.room.used == 0

    asyncio.run(body())
