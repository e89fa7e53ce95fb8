"""hub.named_captures: sessions that come and go, disks that fail, and the end of the service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.capture.capinfos import info_of
from tests.capture.tshark import needs_tshark
from tests.capture.tshark import read as frames
from tests.disk import fill, mounts, remount
from tests.hub.capture.reading import packet
from tests.hub.clock import Clock
from tests.hub.named_captures.desk import Desk, agree, desk
from tests.hub.named_captures.disk import Disk
from tests.hub.running import delivered, holds, soon
from wintun_api.api.data_directory import write_private
from wintun_api.capture.reader import Reader as Packets
from wintun_api.choices import CaptureState, EventType, StopReason
from wintun_api.errors import CaptureNotFound, StorageFailed
from wintun_api.hub.named_captures import captures, index
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate


async def stuck(one: Desk, disk: Disk, clock: Clock) -> str:
    """Start a capture of which the disk takes nothing more after a file of five packets."""
    capture = await one.start(Definition(name="a", rotate=Rotate(seconds=60)))
    one.hub.ring().deliver(*map(packet, range(5)))
    await one.has(capture, 5)
    disk.stick()
    clock.move(60)
    assert await asyncio.to_thread(disk.asked.wait, 30)
    return capture


@needs_tshark
def test_adapters_that_come_and_go(tmp_path: Path) -> None:
    """Each session has an interface with its packets, and statistics when it has ended."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            capture = await one.start()
            for turn, name in enumerate(("A", "B", "C")):
                session, ring = await one.hub.session(name)
                ring.deliver(*map(packet, range(turn * 10, turn * 10 + 10)))
                await one.has(capture, turn * 10 + 10)
                if name != "C":
                    await soon(one.hub.registry.sessions.end(session.id))
            view = await one.stop(capture)
            assert (view.interfaces, view.packets, view.lost) == (3, 30, 0)
            (path,) = one.paths(view)
            info = info_of(path)
            assert (info.interfaces, info.statistics) == (3, 3)
            assert [one.interface for one in frames(path)] == ["A"] * 10 + ["B"] * 10 + ["C"] * 10
            agree(one.store, view)

    asyncio.run(body())


def test_the_last_packets_of_a_session(tmp_path: Path) -> None:
    """What waited when a session ended is written, and nothing of it is lost."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            capture = await one.start()
            session, ring = await one.hub.session()
            ring.deliver(*map(packet, range(5000)))
            await soon(one.hub.registry.sessions.end(session.id))
            received = session.counters.received_packets
            view = await one.stop(capture)
            assert (view.packets, view.lost) == (received, 0)
            assert one.numbers(view) == list(range(received))

    asyncio.run(body())


@needs_tshark
def test_a_disk_that_does_not_keep_up(tmp_path: Path) -> None:
    """Packets are lost and counted while the disk takes none; sessions and clients go on."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            session, ring = await one.hub.session()
            capture = await stuck(one, disk, clock)
            for _ in range(60):
                await delivered(session, ring, *[packet(7, 60_000)] * 10)
            disk.free.set()
            view = await one.stop(capture)
            assert view.state is CaptureState.STOPPED
            assert view.lost > 100
            assert view.packets + view.lost == 605 == session.counters.received_packets
            dropped = [frame.dropped for path in one.paths(view) for frame in frames(path)]
            assert sum(dropped) == view.lost
            agree(one.store, view)

    asyncio.run(body())


@needs_tshark
def test_an_end_that_takes_long(tmp_path: Path) -> None:
    """What waits after some seconds is not written; the capture ends properly and says so."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            session, ring = await one.hub.session()
            capture = await stuck(one, disk, clock)
            for _ in range(20):
                await delivered(session, ring, *[packet(7, 60_000)] * 10)
            stopping = asyncio.ensure_future(one.captures.stop(capture))
            await asyncio.sleep(0)
            clock.move(3)
            disk.free.set()
            view = await soon(stopping)
            assert (view.state, view.reason) == (CaptureState.STOPPED, StopReason.REQUEST)
            assert view.packets + view.lost == 205
            assert view.unwritten == view.lost > 50
            dropped = [frame.dropped for path in one.paths(view) for frame in frames(path)]
            assert sum(dropped) == view.lost
            agree(one.store, view)

    asyncio.run(body())


def test_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    """The capture is given up in the end; what it did not write is counted as lost."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            session, _ = await one.hub.session()
            capture = await stuck(one, disk, clock)
            stopping = asyncio.ensure_future(one.captures.stop(capture))
            await asyncio.sleep(0)
            clock.move(11)
            view = await soon(stopping)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert view.packets + view.lost == session.counters.received_packets == 5
            await soon(one.hub.event(EventType.CAPTURE_FAILED))
            disk.free.set()

    asyncio.run(body())


def test_the_service_does_not_wait_for_a_disk(tmp_path: Path) -> None:
    """A disk that does not answer costs the end of the service about a second."""

    async def body() -> None:
        disk, clock = Disk(), Clock()
        async with desk(tmp_path / "c", write=disk.write, clock=clock) as one:
            await one.hub.session()
            capture = await stuck(one, disk, clock)
            await asyncio.wait_for(one.captures.stop_all(), 5 * captures.STOP_PATIENCE)
            assert one.view(capture).state is CaptureState.FAILED
            disk.free.set()

    asyncio.run(body())


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """A capture whose index the disk refuses is not started, and leaves nothing."""

    async def body() -> None:
        def refuse(_path: Path, _text: str) -> None:
            raise OSError(5, "Input/output error")

        async with desk(tmp_path / "c", write=refuse) as one:
            with pytest.raises(StorageFailed, match="Input/output error"):
                await one.start()
            await holds(lambda: not list((tmp_path / "c").iterdir()))
            assert one.captures.views() == []
            assert one.captures.room.used == 0

    asyncio.run(body())


@needs_tshark
def test_an_index_that_cannot_be_written(tmp_path: Path) -> None:
    """The capture fails, and its files are whole and complete all the same."""

    async def body() -> None:
        written: list[str] = []

        def write(path: Path, text: str) -> None:
            if len(written) == 1:
                raise OSError(5, "Input/output error")
            written.append(text)
            write_private(path, text)

        clock = Clock()
        async with desk(tmp_path / "c", write=write, clock=clock) as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=2))
            capture = await one.start(asked)
            ring.deliver(*[packet(number, 100) for number in range(200)])
            view = await one.over(capture)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert view.packets + view.lost == 200
            assert all(info_of(path).statistics == 1 for path in one.paths(view))
            agree(one.store, view)

    asyncio.run(body())


@mounts
def test_a_full_disk(small_disk: Path) -> None:
    """The capture fails and says why; its file has what the disk took, in whole blocks."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            session, ring = await one.hub.session()
            capture = await one.start()
            ring.deliver(*[packet(number, 1000) for number in range(100)])
            view = await one.over(capture)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert "No space left on device" in (view.detail or "")
            assert 10 < view.packets < 64
            assert view.packets + view.lost == 100
            assert view.unwritten == view.lost
            assert one.numbers(view) == list(range(view.packets))
            agree(one.store, view)
            failed = await one.hub.event(EventType.CAPTURE_FAILED)
            assert failed.id == capture
            assert session.view().subscribers == 0
            assert index.load(one.store) == [view]
            await one.captures.delete(capture)
            again = await one.start()
            ring.deliver(packet(0))
            await one.has(again, 1)

    asyncio.run(body())


@mounts
@needs_tshark
def test_the_file_on_a_full_disk_says_what_is_missing(small_disk: Path) -> None:
    """Its statistics count what was lost, in place of the last packets, where that was lost."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            _, first = await one.hub.session("A")
            capture = await one.start()
            first.deliver(*[packet(number, 500) for number in range(20)])
            await one.has(capture, 20)
            _, second = await one.hub.session("B")
            second.deliver(*[packet(number, 1000) for number in range(100)])
            view = await one.over(capture)
            (path,) = one.paths(view)
            read = Packets([path.read_bytes()])
            assert sum(one.data is not None for one in read) == view.packets
            assert read.lost == view.lost == 120 - view.packets
            assert info_of(path).statistics == 2
            assert path.read_bytes().count(b"lost after the last packet") == 1

    asyncio.run(body())


@mounts
def test_a_disk_that_is_full_at_the_next_file(small_disk: Path) -> None:
    """Where not even the beginning of a file fits, there is no empty file."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=8192))
            capture = await one.start(asked)
            ring.deliver(*[packet(number, 1000) for number in range(5)])
            await one.has(capture, 5)
            fill(small_disk)
            for number in range(5, 20):
                ring.deliver(packet(number, 1000))
            view = await one.over(capture)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert all(file.packets for file in view.files)
            assert view.packets + view.lost == 20
            agree(one.store, view)

    asyncio.run(body())


@mounts
def test_a_disk_that_became_read_only(small_disk: Path) -> None:
    """The capture fails; what it had written stays."""

    async def body() -> None:
        async with desk(small_disk / "c") as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=4096))
            capture = await one.start(asked)
            ring.deliver(*map(packet, range(10)))
            await one.has(capture, 10)
            await one.stop(capture)
            remount(small_disk, "ro")
            with pytest.raises(StorageFailed, match="Read-only"):
                await one.start()
            with pytest.raises(StorageFailed, match="Read-only"):
                await one.captures.delete(capture)
            remount(small_disk, "rw")
            assert one.numbers(one.view(capture)) == list(range(10))
            await one.captures.delete(capture)

    asyncio.run(body())


@mounts
def test_a_day_on_a_small_disk(small_disk: Path) -> None:
    """A file every ten minutes for a day; the disk has room for the last hour and is never full."""

    async def body() -> None:
        clock = Clock()
        async with desk(small_disk / "c", clock=clock, limit=48_000) as one:
            _, ring = await one.hub.session()
            asked = Definition(name="day", rotate=Rotate(seconds=600), keep=Keep(files=6))
            capture = await one.start(asked)
            for turn in range(144):
                ring.deliver(*[packet(turn * 20 + number, 100) for number in range(20)])
                view = await one.has(capture, turn * 20 + 20)
                assert len(view.files) <= 6
                clock.move(600)
            view = await one.stop(capture)
            assert (view.reason, view.packets, view.lost) == (StopReason.REQUEST, 2880, 0)
            assert view.deleted_files == 138
            assert one.numbers(view) == list(range(138 * 20, 2880))
            agree(one.store, view)

    asyncio.run(body())


@needs_tshark
def test_a_file_that_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    """Retention and deletion leave a download what it has begun."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=1))
            capture = await one.start(asked)
            ring.deliver(packet(0, 1000))
            await one.has(capture, 1)
            _, file, reading = await one.captures.open(capture, 1)
            ring.deliver(*[packet(number, 1000) for number in range(1, 10)])
            view = await one.has(capture, 10)
            assert view.deleted_files
            with pytest.raises(CaptureNotFound):
                await one.captures.open(capture, 1)
            await one.captures.delete(capture)
            data = reading.read(1 << 20)
            assert len(data) == file.bytes
            (tmp_path / "read.pcapng").write_bytes(data)
            assert info_of(tmp_path / "read.pcapng").packets == 1
            assert reading.read(1) == b""
            reading.close()

    asyncio.run(body())


@needs_tshark
def test_a_file_is_whole_at_every_moment(tmp_path: Path) -> None:
    """What is read while packets are added has whole blocks only, and Wireshark opens it."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start()
            for turn in range(5):
                ring.deliver(*map(packet, range(turn * 500, turn * 500 + 500)))
                await one.has(capture, turn * 500 + 1)
                _, file, reading = await one.captures.open(capture, 1)
                path = tmp_path / "read.pcapng"
                path.write_bytes(reading.read(1 << 24))
                reading.close()
                assert (info_of(path).packets, info_of(path).size) == (file.packets, file.bytes)

    asyncio.run(body())
