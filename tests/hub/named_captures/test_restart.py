"""hub.named_captures: what the next start makes of what it finds in the directory."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hub.capture.reading import packet
from tests.hub.named_captures.desk import Desk, agree, desk
from tests.hub.running import holds
from wintun_api.api.data_directory import write_private
from wintun_api.choices import CaptureState, EventType, StopReason, TriggerKind
from wintun_api.errors import CaptureNotFound, CaptureOver, StorageFailed
from wintun_api.hub.named_captures import files
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate, Stop, Trigger
from wintun_api.hub.named_captures.files import INDEX, create
from wintun_api.hub.named_captures.view import CaptureView

FULL = Definition(
    name="all of it",
    filter="",
    snaplen=96,
    marks=True,
    stop=Stop(packets=1000, bytes=10**6, seconds=60.5),
    rotate=Rotate(bytes=4096, seconds=600),
    keep=Keep(files=9, bytes=10**6),
    trigger=Trigger(on=TriggerKind.EVENT, event=EventType.SESSION_LOSS, before=3.5, after=2),
)


async def killed(path: Path, copy: Path) -> CaptureView:
    """Copy the directory of a service that captures, as it would be after kill -9."""
    async with desk(path) as one:
        _, ring = await one.hub.session()
        capture = await one.start(Definition(name="a", rotate=Rotate(bytes=4096)))
        for number in range(50):
            ring.deliver(packet(number, 100))
            await one.has(capture, number + 1)
        shutil.copytree(path, copy)
        return one.view(capture)


class Snapshots:
    """Copy the directory of a service before it changes, as kill -9 would leave it."""

    def __init__(self, path: Path, copies: Path) -> None:
        self._path = path
        self._copies = copies
        self.taken: list[Path] = []

    def write(self, path: Path, text: str) -> None:
        """Write an index after a copy was made; all of it runs on the thread that writes."""
        self._take()
        write_private(path, text)

    def create(self, path: Path, beginning: bytes) -> int:
        """Begin a file after a copy was made."""
        self._take()
        return create(path, beginning)

    def delete(self, path: Path) -> None:
        """Delete a file after a copy was made."""
        self._take()
        path.unlink()

    def _take(self) -> None:
        copy = self._copies / str(len(self.taken))
        shutil.copytree(self._path, copy)
        self.taken.append(copy)


async def repaired(one: Desk, capture: str) -> CaptureView:
    """Wait until a capture that ran has been repaired."""
    await one.hub.event(EventType.CAPTURE_STOPPED, lambda view: view.id == capture)
    return one.view(capture)


def index_of(path: Path) -> dict[str, Any]:
    """Return the index of the only capture in a directory."""
    (one,) = path.glob(f"*/{INDEX}")
    return dict(json.loads(one.read_text()))


def test_what_has_ended_is_as_it_was(tmp_path: Path) -> None:
    """A capture that has ended is the same after a restart, with every member."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            await one.hub.session()
            view = await one.stop(await one.start(FULL))
            other = await one.stop(await one.start())
            used = one.captures.room.used
        async with desk(tmp_path / "c") as one:
            assert one.captures.views() == [other, view]
            assert one.captures.room.used == used

    asyncio.run(body())


@pytest.mark.parametrize("cut", [0, 1, 3, 50, 130])
def test_what_was_killed_is_ended(tmp_path: Path, cut: int) -> None:
    """The file that was written is cut to its last whole packet, and counted anew."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        last = max((tmp_path / "copy").glob("*/*.pcapng"))
        last.write_bytes(last.read_bytes()[: -cut or None])
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert (view.state, view.reason) == (CaptureState.STOPPED, StopReason.SERVICE)
            assert view.packets == before.packets - (cut > 0)
            assert one.numbers(view) == list(range(view.packets))
            agree(one.store, view)
            assert one.captures.room.used == view.bytes
        async with desk(tmp_path / "copy") as one:
            assert one.captures.views() == [view]

    asyncio.run(body())


def test_killed_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets in deleted files stay counted, though the index lags behind by many files."""

    async def body() -> None:
        there = Snapshots(tmp_path / "c", tmp_path / "copies")
        async with desk(tmp_path / "c", write=there.write) as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", rotate=Rotate(bytes=4096), keep=Keep(files=2))
            capture = await one.start(asked)
            monkeypatch.setattr(files, "create", there.create)
            monkeypatch.setattr(files, "delete", there.delete)
            ring.deliver(*[packet(number, 100) for number in range(300)])
            await one.has(capture, 300)
            await one.stop(capture)
            monkeypatch.undo()
        checked = 0
        for copy in there.taken[2:]:  # of the first ones there is no index yet
            async with desk(copy) as one:
                view = one.view(capture)
                view = view if view.state.over and view.ended_ns else await repaired(one, capture)
                assert view.reason is StopReason.SERVICE
                numbers = one.numbers(view)
                assert view.packets == (numbers[-1] + 1 if numbers else 0)
                assert numbers == list(range(view.packets - len(numbers), view.packets))
                agree(one.store, view)
                checked += view.deleted_files > 2
        assert checked > 5

    asyncio.run(body())


def test_while_files_are_read(tmp_path: Path) -> None:
    """What was killed says that its files are being read; it cannot be triggered any more."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        async with desk(tmp_path / "copy") as one:
            view = one.view(before.id)
            assert (view.state, view.ended_ns) == (CaptureState.REPAIRING, None)
            assert "being read" in (view.detail or "")
            with pytest.raises(CaptureOver):
                one.captures.trigger(before.id)
            view = await one.stop(before.id)
            assert (view.state, view.packets) == (CaptureState.STOPPED, before.packets)

    asyncio.run(body())


def test_files_that_are_whole_are_only_read(tmp_path: Path) -> None:
    """Only the file that was being written is changed, however little the index knows."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        row = index_of(tmp_path / "copy")
        row.update(files=[], packets=0)
        folder = tmp_path / "copy" / before.id
        (folder / INDEX).write_text(json.dumps(row))
        there = sorted(folder.glob("*.pcapng"))
        changed = {path: path.stat().st_mtime_ns for path in there[:-1]}
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert view.packets == before.packets
            assert len(view.files) == len(there) > 2
            assert {path: path.stat().st_mtime_ns for path in there[:-1]} == changed
            agree(one.store, view)

    asyncio.run(body())


def test_killed_after_its_trigger(tmp_path: Path) -> None:
    """The time of the trigger is kept."""

    async def body() -> None:
        there = Snapshots(tmp_path / "c", tmp_path / "copies")
        async with desk(tmp_path / "c", write=there.write) as one:
            _, ring = await one.hub.session()
            asked = Definition(name="a", trigger=Trigger(on=TriggerKind.CALL))
            capture = await one.start(asked)
            one.captures.trigger(capture)
            ring.deliver(packet(0))
            triggered = (await one.has(capture, 1)).triggered_ns
            await one.stop(capture)
        async with desk(there.taken[-1]) as one:
            view = await repaired(one, capture)
            assert (view.triggered_ns, view.packets) == (triggered, 1)

    asyncio.run(body())


def test_a_file_without_a_block(tmp_path: Path) -> None:
    """A file of which nothing was written is not one of the capture."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        last = max((tmp_path / "copy").glob("*/*.pcapng"))
        last.write_bytes(b"\x0a\x0d\x0d\x0a")
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert len(view.files) == len(before.files) - 1
            assert view.packets == sum(file.packets for file in view.files)
            await one.captures.delete(before.id)
            assert list((tmp_path / "copy").iterdir()) == []

    asyncio.run(body())


def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    """A file that the service did not write is left as it is, whatever it is called."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        folder = tmp_path / "copy" / before.id
        whole = (folder / "00001.pcapng").read_bytes()
        after = before.files[-1].number + 1
        theirs = {
            "00000.pcapng": whole,
            f"{after:05}.pcapng": b"notes of somebody" * 100,
            f"{after + 1:05}.pcapng": whole,
            f"{10**30}.pcapng": whole,
            "notes.txt": b"notes",
        }
        for name, content in theirs.items():
            (folder / name).write_bytes(content)
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert [file.number for file in view.files] == [file.number for file in before.files]
            assert view.packets == before.packets
            assert {name: (folder / name).read_bytes() for name in theirs} == theirs
        async with desk(tmp_path / "copy") as one:
            assert one.captures.views() == [view]

    asyncio.run(body())


@pytest.mark.skipif(sys.platform == "win32", reason="makes FIFOs and links")
@pytest.mark.parametrize("what", ["fifo", "folder", "link"])
def test_what_is_not_a_file(tmp_path: Path, what: str) -> None:
    """A FIFO, a folder or a link in place of a file or an index is left alone without waiting."""

    def place(path: Path) -> None:
        if what == "folder":
            path.mkdir()
        elif what == "link":
            path.symlink_to(tmp_path / "elsewhere")
        elif sys.platform != "win32":
            os.mkfifo(path)

    async def body() -> None:
        (tmp_path / "elsewhere").write_text("notes")
        before = await killed(tmp_path / "c", tmp_path / "copy")
        folder = tmp_path / "copy" / before.id
        after = before.files[-1].number + 1
        place(folder / f"{after:05}.pcapng")
        (folder / "00001.pcapng").unlink()
        place(folder / "00001.pcapng")
        other = tmp_path / "copy" / "0123456789ab"
        other.mkdir(mode=0o700)
        place(other / INDEX)
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert [one.id for one in one.captures.views()] == [before.id]
            assert view.packets == before.packets
            assert after not in [file.number for file in view.files]
            with pytest.raises((StorageFailed, CaptureNotFound)):
                await one.captures.open(before.id, 1)
            await one.stop(await one.start())
        assert (tmp_path / "elsewhere").read_text() == "notes"

    asyncio.run(body())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 50_000,
        "\ud800",
        '{"id": 7}',
        "1" * 10_000,
        "x" * (4 << 20),
    ],
    ids=["empty", "cut", "list", "null", "deep", "not-utf8", "member", "number", "large"],
)
def test_a_broken_index(tmp_path: Path, content: str) -> None:
    """A capture whose index is broken is not listed and left alone; the others are there."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            broken, other = await one.start(), await one.start()
            await one.stop(broken)
            await one.stop(other)
        index = tmp_path / "c" / broken / INDEX
        index.write_bytes(content.encode("utf-8", "surrogatepass"))
        async with desk(tmp_path / "c") as one:
            assert [view.id for view in one.captures.views()] == [other]
            await one.stop(await one.start())
        assert index.exists()
        assert (tmp_path / "c" / broken / "00001.pcapng").exists()

    asyncio.run(body())


def _members(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the paths of all members of an index."""
    if isinstance(value, dict):
        return [at for name, one in value.items() for at in _members(one, (*path, name))]
    return [path]


@pytest.mark.parametrize("value", [None, True, -1, 1.5, 1e400, "x", [], {}, [None], 2**70])
def test_any_member_of_an_index_is_broken(tmp_path: Path, value: object) -> None:
    """Whatever a member is, the start succeeds, and the capture is listed or left alone."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            await one.hub.session()
            await one.stop(await one.start(FULL))
        whole = index_of(tmp_path / "c")
        (index,) = (tmp_path / "c").glob(f"*/{INDEX}")
        for path in _members(whole):
            row = json.loads(json.dumps(whole))
            place = row
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = value
            index.write_text(json.dumps(row))
            async with desk(tmp_path / "c") as again:
                assert len(again.captures.views()) <= 1
        assert index.exists()

    asyncio.run(body())


def test_what_is_not_a_capture(tmp_path: Path) -> None:
    """Files, links and folders of others in the directory are left alone."""

    async def body() -> None:
        there = tmp_path / "c"
        there.mkdir(mode=0o700)
        (there / "0123456789ab").write_text("a file with the name of a capture")
        (there / "0123456789ac").mkdir(mode=0o700)
        (there / "0123456789ac" / "notes.txt").write_text("notes")
        (there / "notes").mkdir()
        async with desk(there) as one:
            assert one.captures.views() == []
            await one.stop(await one.start())
            assert len(one.captures.views()) == 1
        assert len(list(there.iterdir())) == 4

    asyncio.run(body())


def test_an_empty_directory(tmp_path: Path) -> None:
    """The directory of a capture that was never begun is removed."""

    async def body() -> None:
        there = tmp_path / "c" / "0123456789ac"
        there.mkdir(parents=True)
        async with desk(tmp_path / "c") as one:
            assert one.captures.views() == []
            assert not there.exists()

    asyncio.run(body())


def test_losses_that_no_file_says(tmp_path: Path) -> None:
    """What the index counted before a packet could say it is not in the counts any more."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        row = index_of(tmp_path / "copy")
        row.update(lost=7, unwritten=7)
        (tmp_path / "copy" / before.id / INDEX).write_text(json.dumps(row))
        async with desk(tmp_path / "copy") as one:
            view = await repaired(one, before.id)
            assert (view.packets, view.lost, view.unwritten) == (before.packets, 0, 0)

    asyncio.run(body())


def test_a_file_of_what_had_failed(tmp_path: Path) -> None:
    """The next start ends the last file of a disk that did not answer; the rest is as it was."""

    async def body() -> None:
        before = await killed(tmp_path / "c", tmp_path / "copy")
        row = index_of(tmp_path / "copy")
        row.update(state="failed", reason="storage", detail="It hung.", ended_ns=77, lost=60)
        row["files"][-1]["complete"] = False
        (tmp_path / "copy" / before.id / INDEX).write_text(json.dumps(row))
        offered = row["packets"] + 60
        async with desk(tmp_path / "copy") as one:
            await one.hub.event(EventType.CAPTURE_FAILED)
            view = one.view(before.id)
            assert (view.state, view.reason) == (CaptureState.FAILED, StopReason.STORAGE)
            assert (view.detail, view.ended_ns) == ("It hung.", 77)
            assert (view.packets, view.packets + view.lost) == (before.packets, offered)
            agree(one.store, view)

    asyncio.run(body())


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    """The service starts, and only a capture to start is refused."""

    async def body() -> None:
        (tmp_path / "c").write_text("")
        async with desk(tmp_path / "c") as one:
            assert one.captures.views() == []
            with pytest.raises(StorageFailed, match="The capture was not started"):
                await one.start()
            await holds(lambda: one.captures.views() == [])

    asyncio.run(body())
