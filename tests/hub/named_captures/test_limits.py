"""hub.named_captures: what rotates, keeps and ends a capture, to the packet and to the byte."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.hub.capture.reading import packet
from tests.hub.clock import Clock
from tests.hub.named_captures.desk import agree, desk
from wintun_api.choices import CaptureState, StopReason
from wintun_api.errors import CapturesFull, InvalidArgument
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate, Stop

STOPPED = CaptureState.STOPPED


def test_files_of_so_many_bytes(tmp_path: Path) -> None:
    """No file has more bytes than asked for, none has much less, and no packet is missing."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=Rotate(bytes=8192)))
            random_ = random.Random(1)
            for turn in range(20):
                few = range(turn * 20, turn * 20 + 20)
                ring.deliver(*[packet(number, random_.randrange(8, 400)) for number in few])
                await one.has(capture, 20 * turn + 20)
            view = await one.stop(capture)
            sizes = [file.bytes for file in view.files]
            assert len(sizes) > 5
            assert max(sizes) <= 8192
            assert min(sizes[:-1]) > 6000
            assert one.numbers(view) == list(range(400))
            agree(one.store, view)

    asyncio.run(body())


def test_a_packet_larger_than_a_file(tmp_path: Path) -> None:
    """A packet that is larger than a file may be has a file of its own."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=Rotate(bytes=4096)))
            ring.deliver(packet(0), packet(1, 30000), packet(2), packet(3, 30000))
            await one.has(capture, 4)
            view = await one.stop(capture)
            assert [file.packets for file in view.files] == [1, 1, 1, 1]
            assert one.numbers(view) == [0, 1, 2, 3]
            agree(one.store, view)

    asyncio.run(body())


def test_files_of_so_many_seconds(tmp_path: Path) -> None:
    """Another file begins with the first packet after the time; without packets none does."""

    async def body() -> None:
        clock = Clock()
        async with desk(tmp_path / "c", clock=clock) as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=Rotate(seconds=60)))
            clock.move(600)
            for number in range(3):
                ring.deliver(packet(number))
                view = await one.has(capture, number + 1)
                assert len(view.files) == number + 1
                clock.move(61)
                clock.move(60)
            view = await one.stop(capture)
            assert [file.packets for file in view.files] == [1, 1, 1]
            agree(one.store, view)

    asyncio.run(body())


def test_a_machine_that_slept_makes_up_for_nothing(tmp_path: Path) -> None:
    """However long the clock stood, one rotation comes, and the next ones keep their pace."""

    async def body() -> None:
        clock = Clock()
        async with desk(tmp_path / "c", clock=clock) as one:
            await one.start(Definition(name="a", rotate=Rotate(seconds=10)))
            clock.now += 86_405  # without the calls that were due
            clock.move(0)
            (planned,) = [call for call in clock.planned if not call.cancelled]
            assert planned.when == pytest.approx(100 + 86_410)

    asyncio.run(body())


def test_so_many_files_are_kept(tmp_path: Path) -> None:
    """The oldest files are deleted; the packets in them stay counted."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=3))
            capture = await one.start(asked)
            for number in range(200):
                ring.deliver(packet(number, 100))
                await one.has(capture, number + 1)
            view = await one.stop(capture)
            assert (view.packets, len(view.files)) == (200, 3)
            assert view.files[0].number == view.deleted_files + 1 > 1
            kept = one.numbers(view)
            assert kept == list(range(200 - len(kept), 200))
            agree(one.store, view)

    asyncio.run(body())


@pytest.mark.parametrize("rotate", [Rotate(bytes=4096), Rotate(seconds=1000)])
def test_so_many_bytes_are_kept(tmp_path: Path, rotate: Rotate) -> None:
    """All files together never have more bytes than are kept, at any moment."""

    async def body() -> None:
        async with desk(tmp_path / "c", clock=Clock()) as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", rotate=rotate, keep=Keep(bytes=16384)))
            for number in range(300):
                ring.deliver(packet(number, 100))
                view = await one.has(capture, number + 1)
                assert view.bytes <= 16384
            view = await one.stop(capture)
            assert view.packets == 300
            assert view.deleted_files > 0
            assert 16384 - 2 * 4096 < view.bytes <= 16384
            agree(one.store, view)

    asyncio.run(body())


def test_one_file_that_may_not_grow(tmp_path: Path) -> None:
    """Without rotation there is no older file to delete, so the capture ends."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", keep=Keep(bytes=8192)))
            ring.deliver(*[packet(number, 100) for number in range(100)])
            view = await one.over(capture)
            assert (view.state, view.reason) == (STOPPED, StopReason.KEEP)
            assert 6000 < view.bytes <= 8192
            assert one.numbers(view) == list(range(view.packets))
            agree(one.store, view)

    asyncio.run(body())


@pytest.mark.parametrize("limit", [1, 7, 99, 100, 1024, 1025])
def test_exactly_so_many_packets(tmp_path: Path, limit: int) -> None:
    """It ends after exactly so many packets, also within a burst; none of them is lost."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", stop=Stop(packets=limit)))
            ring.deliver(*map(packet, range(3000)))
            view = await one.over(capture)
            assert (view.state, view.reason) == (STOPPED, StopReason.PACKETS)
            assert (view.packets, view.lost) == (limit, 0)
            assert one.numbers(view) == list(range(limit))
            agree(one.store, view)

    asyncio.run(body())


def test_no_more_than_so_many_bytes(tmp_path: Path) -> None:
    """All files together have at most so many bytes, with their statistics."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=8192), stop=Stop(bytes=50_000))
            capture = await one.start(asked)
            ring.deliver(*[packet(number, 100) for number in range(1000)])
            view = await one.over(capture)
            assert (view.state, view.reason) == (STOPPED, StopReason.BYTES)
            assert 48_000 < view.bytes <= 50_000
            assert one.numbers(view) == list(range(view.packets))
            agree(one.store, view)

    asyncio.run(body())


def test_so_many_seconds(tmp_path: Path) -> None:
    """It ends after so many seconds, with the packets that came until then."""

    async def body() -> None:
        clock = Clock()
        async with desk(tmp_path / "c", clock=clock) as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", stop=Stop(seconds=30)))
            ring.deliver(*map(packet, range(10)))
            await one.has(capture, 10)
            clock.move(29)
            assert one.view(capture).state is CaptureState.RUNNING
            clock.move(1)
            view = await one.over(capture)
            assert (view.reason, view.packets) == (StopReason.SECONDS, 10)
            agree(one.store, view)

    asyncio.run(body())


def test_the_bytes_of_all_captures(tmp_path: Path) -> None:
    """One that may delete files of its own gives way and goes on; one that may not ends."""

    async def body() -> None:
        async with desk(tmp_path / "c", limit=40_000) as one:
            _, ring = await one.hub.session()
            room = one.captures.room
            ringed = await one.start(
                Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=100))
            )
            single = await one.start(Definition(name="b"))
            for number in range(400):
                ring.deliver(packet(number, 100))
                await one.has(ringed, number + 1)
                assert 0 <= room.used <= room.limit
            ended = await one.over(single)
            assert (ended.state, ended.reason) == (STOPPED, StopReason.TOTAL)
            assert one.view(ringed).deleted_files > 0
            view = await one.stop(ringed)
            assert view.packets == 400
            agree(one.store, ended)
            agree(one.store, view)
            assert room.used == view.bytes + ended.bytes

    asyncio.run(body())


def test_no_room_at_all(tmp_path: Path) -> None:
    """Where the captures take all of their room, none is started until one was deleted."""

    async def body() -> None:
        async with desk(tmp_path / "c", limit=9000) as one:
            _, ring = await one.hub.session()
            full = await one.start()
            ring.deliver(*[packet(number, 100) for number in range(200)])
            assert (await one.over(full)).reason is StopReason.TOTAL
            one.captures.room.take(one.captures.room.free)
            with pytest.raises(CapturesFull, match="they take"):
                await one.start()
            await one.captures.delete(full)
            capture = await one.start()
            ring.deliver(packet(0))
            await one.has(capture, 1)

    asyncio.run(body())


def test_limits_that_contradict_each_other(tmp_path: Path) -> None:
    """Files are kept only where files are rotated, and more bytes than those of one file."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            for asked, member in (
                (Definition(name="a", keep=Keep(files=3)), "keep.files"),
                (
                    Definition(name="a", rotate=Rotate(bytes=8192), keep=Keep(bytes=8193)),
                    "keep.bytes",
                ),
            ):
                with pytest.raises(InvalidArgument, match=f"^{member}: must "):
                    await one.start(asked)
            assert one.captures.views() == []
            assert not (tmp_path / "c").exists()

    asyncio.run(body())


def test_packets_that_are_cut(tmp_path: Path) -> None:
    """With a snap length, limits in bytes count what is kept of each packet."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            capture = await one.start(Definition(name="a", snaplen=64, rotate=Rotate(bytes=8192)))
            ring.deliver(*[packet(number, 1400) for number in range(200)])
            await one.has(capture, 200)
            view = await one.stop(capture)
            assert all(7000 < file.bytes <= 8192 for file in view.files[:-1])
            agree(one.store, view)

    asyncio.run(body())


def test_a_capture_without_packets(tmp_path: Path) -> None:
    """It has one file that Wireshark opens, with nothing in it."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            view = await one.stop(await one.start())
            assert (view.packets, view.interfaces, len(view.files)) == (0, 0, 1)
            agree(one.store, view)

    asyncio.run(body())
