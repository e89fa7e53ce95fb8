"""hub.named_captures: disks that are full or hang, and what is known of that afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.disk import fill, mounts
from tests.hub.capture.reading import packet
from tests.hub.clock import Clock
from tests.hub.named_captures.desk import agree, desk
from tests.hub.named_captures.disk import Disk
from tests.hub.running import Reader, delivered, holds, pass_at_once, run_passing, soon
from wintun_api.api.data_directory import make
from wintun_api.capture.reader import Reader as Packets
from wintun_api.choices import CaptureState, EventType, StopReason
from wintun_api.errors import CaptureNotFound, StorageFailed
from wintun_api.hub.named_captures import index
from wintun_api.hub.named_captures.capture import END_PATIENCE
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate
from wintun_api.hub.named_captures.files import INDEX
from wintun_api.hub.named_captures.view import CaptureView

ONE_FILE = Definition(name="a")
ROTATED = Definition(name="a", rotate=Rotate(bytes=8192))


def settled(view: CaptureView, offered: int) -> bool:
    """Return whether a capture has nothing that waits."""
    return view.packets + view.lost == offered


@mounts
@pytest.mark.parametrize("asked", [ONE_FILE, ROTATED], ids=["one file", "rotated"])
def test_a_full_disk_is_known_after_a_restart(small_disk: Path, asked: Definition) -> None:
    """The index says that the capture failed, though there is no room for a second one."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(asked)
            fill(small_disk)
            for number in range(20):
                ring.deliver(packet(number, 1000))
            await one.hub.event(EventType.CAPTURE_FAILED)
            view = one.view(capture)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert view.packets + view.lost == 20
            assert index.load(one.store) == [view]
        async with desk(small_disk / "c") as one:
            assert one.view(capture) == view

    asyncio.run(body())


@mounts
def test_a_file_knows_of_the_full_disk(small_disk: Path) -> None:
    """Where the index still says that the capture runs, its file says why and what was lost."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start()
            older = (one.store.directory(capture) / INDEX).read_text()
            ring.deliver(*[packet(number, 1000) for number in range(100)])
            await one.hub.event(EventType.CAPTURE_FAILED)
            view = one.view(capture)
            (one.store.directory(capture) / INDEX).write_text(older)
        async with desk(small_disk / "c") as one:
            await one.hub.event(EventType.CAPTURE_FAILED)
            again = one.view(capture)
            assert (again.state, again.reason) == (view.state, view.reason)
            assert (again.packets, again.lost, again.unwritten) == (
                view.packets,
                view.lost,
                view.unwritten,
            )

    asyncio.run(body())


def test_losses_in_deleted_files(tmp_path: Path) -> None:
    """After kill -9 they stay counted, and none is counted twice."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            session, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=1 << 20), keep=Keep(files=2))
            capture = await one.start(asked)
            disk.stick()
            for _ in range(60):
                await delivered(session, ring, *[packet(7, 60_000)] * 10)
            disk.free.set()
            for turn in range(6):
                await delivered(session, ring, *[packet(turn, 60_000)] * 10)
                await holds(lambda: settled(one.view(capture), session.counters.received_packets))
            before = one.view(capture)
            shutil.copytree(tmp_path / "c", tmp_path / "copy")
        assert before.lost == before.unwritten > 100
        assert sum(file.lost for file in before.files) < before.lost
        async with desk(tmp_path / "copy") as one:
            await one.hub.event(EventType.CAPTURE_STOPPED)
            after = one.view(capture)
            assert (after.packets, after.lost, after.unwritten) == (
                before.packets,
                before.lost,
                before.unwritten,
            )
            agree(one.store, after)

    asyncio.run(body())


def test_a_disk_that_answers_after_it_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last file is completed then, and says how many packets are missing."""
    free, asked = threading.Event(), threading.Event()
    free.set()
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        if threading.current_thread().name.startswith("capture:") and not free.is_set():
            asked.set()
            assert free.wait(60)
        return real(descriptor, data)

    async def body() -> None:
        clock = Clock()
        async with desk(tmp_path / "c", clock=clock) as one:
            session, ring = await one.hub.session()
            capture = await one.start()
            monkeypatch.setattr(os, "write", write)
            ring.deliver(*map(packet, range(5)))
            await one.has(capture, 5)
            free.clear()
            ring.deliver(*map(packet, range(5, 10)))
            assert await asyncio.to_thread(asked.wait, 30)
            reader = Reader(session, packets=100)
            ring.deliver(*map(packet, range(10, 30)))
            await reader.packets(20)
            session.unsubscribe(reader.queue)
            stopping = asyncio.ensure_future(one.captures.stop(capture))
            await asyncio.sleep(0)
            clock.move(11)
            view = await soon(stopping)
            assert (view.state, view.packets, view.lost) == (CaptureState.FAILED, 5, 25)
            free.set()
            await holds(lambda: one.view(capture).files[0].complete)
            view = one.view(capture)
            assert (view.packets, view.lost) == (10, 20)
            assert one.captures.room.used == view.bytes
            read = Packets([path.read_bytes() for path in one.paths(view)])
            assert sum(one.data is not None for one in read) == 10
            assert read.lost == 20
            agree(one.store, view)

    asyncio.run(body())


def test_a_directory_that_is_made_late(tmp_path: Path) -> None:
    """It is removed when the disk has made it: the capture was refused before."""
    asked, free = threading.Event(), threading.Event()
    made: list[Path] = []

    def late(path: Path) -> None:
        asked.set()
        assert free.wait(60)
        make(path)
        if path.parent.name == "c":
            made.append(path)

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            await one.stop(await one.start())
            one.store.make = late
            starting = asyncio.ensure_future(one.start())
            assert await asyncio.to_thread(asked.wait, 30)
            pass_at_once(END_PATIENCE)
            with pytest.raises(StorageFailed, match="the disk does not answer"):
                await starting
            free.set()
            await holds(lambda: made)
            await holds(lambda: not made[0].exists())

    run_passing(body())


def test_a_file_that_was_cut(tmp_path: Path) -> None:
    """A file that another program has cut is not sent as if it were whole."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start()
            ring.deliver(packet(0, 1000))
            await one.has(capture, 1)
            view = await one.stop(capture)
            (path,) = one.paths(view)
            _, _, reading = await one.captures.open(capture, 1)
            assert reading.read(100)
            os.truncate(path, 90)
            with pytest.raises(OSError, match="only 100 of the"):
                reading.read(1 << 20)
            reading.close()
            with pytest.raises(StorageFailed, match=f"only 90 of the {view.bytes} bytes"):
                await one.captures.open(capture, 1)
            path.unlink()
            with pytest.raises(CaptureNotFound):
                await one.captures.open(capture, 1)

    asyncio.run(body())
