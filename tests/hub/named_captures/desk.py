"""Named captures over the memory driver, and whether their files agree with what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.capture.capinfos import infos_of
from tests.capture.tshark import read as frames
from tests.hub.capture.reading import number_of
from tests.hub.running import Hub, holds, hub, soon
from tests.needs import missing
from wintun_api.api.data_directory import make, read_private, write_private
from wintun_api.capture.reader import Reader
from wintun_api.hub.named_captures import index
from wintun_api.hub.named_captures.captures import NamedCaptures, OnDisk
from wintun_api.hub.named_captures.definition import Definition
from wintun_api.hub.named_captures.files import Store, Write, path_of
from wintun_api.hub.named_captures.view import CaptureView
from wintun_api.hub.pace import Clock
from wintun_api.hub.tasks import TaskSet


@dataclass(slots=True)
class Desk:
    """The captures under test, on the sessions of a hub."""

    hub: Hub
    store: Store
    captures: NamedCaptures

    async def start(self, definition: Definition | None = None) -> str:
        """Start a capture, by default of all packets; return its id."""
        view = await soon(self.captures.start(definition or Definition(name="all"), "test"))
        return view.id

    def view(self, capture: str) -> CaptureView:
        """Return what a capture is now."""
        return self.captures.by_id(capture)

    async def has(self, capture: str, packets: int) -> CaptureView:
        """Wait until a capture has written so many packets."""
        await holds(lambda: self.view(capture).packets >= packets)
        return self.view(capture)

    async def over(self, capture: str) -> CaptureView:
        """Wait until a capture has ended by itself."""
        await holds(lambda: self.view(capture).state.over)
        return self.view(capture)

    async def stop(self, capture: str) -> CaptureView:
        """Stop a capture."""
        return await soon(self.captures.stop(capture))

    def paths(self, view: CaptureView) -> list[Path]:
        """Return where the files of a capture are, oldest first."""
        return paths_of(self.store, view)

    def numbers(self, view: CaptureView) -> list[int]:
        """Return the numbers of the packets in all files."""
        read = Reader([path.read_bytes() for path in self.paths(view)])
        return [number_of(one.data) for one in read if one.data is not None]


def paths_of(store: Store, view: CaptureView) -> list[Path]:
    """Return where the files of a capture are, oldest first."""
    return [path_of(store.directory(view.id), file.number) for file in view.files]


def agree(store: Store, view: CaptureView) -> None:
    """Compare what a capture that has ended says with its files, as Wireshark too reads them."""
    there = sorted(path.name for path in store.directory(view.id).glob("*.pcapng"))
    paths = paths_of(store, view)
    assert there == [path.name for path in paths]
    for path, file in zip(paths, view.files, strict=True):
        packets = list(Reader([path.read_bytes()]))
        times = [one.time_ns for one in packets]
        assert (len(packets), path.stat().st_size) == (file.packets, file.bytes)
        assert (min(times, default=None), max(times, default=None)) == (file.first_ns, file.last_ns)
        assert sum(one.dropped for one in packets) <= file.lost
        assert file.complete
    if not missing("capinfos", "tshark"):
        for path, info, file in zip(paths, infos_of(paths), view.files, strict=True):
            assert (info.packets, info.size) == (file.packets, file.bytes)
            assert (info.first_ns, info.last_ns) == (file.first_ns, file.last_ns)
            if file.lost:
                assert sum(one.dropped for one in frames(path)) <= file.lost
    if not view.deleted_files:
        assert sum(file.packets for file in view.files) == view.packets


def store_at(path: Path, write: Write = write_private) -> Store:
    """Return a store as the service has it."""
    return Store(path, make=make, write=write, read=read_private)


@asynccontextmanager
async def desk(
    path: Path,
    *,
    limit: int = 1 << 30,
    clock: Clock | None = None,
    write: Write = write_private,
) -> AsyncIterator[Desk]:
    """Run captures in a directory; end them on leaving, as the service does."""
    store, tasks = store_at(path, write), TaskSet()
    async with hub() as one:

        def pool_of(guid: UUID) -> str:
            found = [view.info for view in one.registry.known_adapters() if view.info.guid == guid]
            return found[0].pool if found else ""

        captures = NamedCaptures(
            OnDisk(store, limit, index.load(store)),
            sessions=one.registry.sessions,
            pool_of=pool_of,
            filters=one.registry.filters,
            events=one.registry.events,
            tasks=tasks,
            clock=clock,
        )
        try:
            yield Desk(one, store, captures)
        finally:
            await soon(captures.stop_all())
            tasks.cancel()
