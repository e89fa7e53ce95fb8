"""Keep all captures of the service: those that wait or run, and those that have ended.

A capture belongs to the service, and not to the client that started it: it continues when the token
with which it was started expires, and every token with the scope `capture` can stop and delete it.
It does not continue after a restart, which ends it; its files stay until a client deletes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from wintun_api.choices import CaptureState, EventType, StopReason
from wintun_api.errors import (
    CaptureNotFound,
    CaptureOver,
    CapturesFull,
    InvalidArgument,
    OutOfThreads,
    StorageFailed,
    TooManyCaptures,
)
from wintun_api.files import UntrustedFile
from wintun_api.hub.aside import aside
from wintun_api.hub.events import EventLog
from wintun_api.hub.filters import Filters
from wintun_api.hub.named_captures import files, index, repair
from wintun_api.hub.named_captures.capture import END_PATIENCE, SILENT, NamedCapture
from wintun_api.hub.named_captures.definition import Definition
from wintun_api.hub.named_captures.files import NOWHERE, Reading, Store
from wintun_api.hub.named_captures.room import Room
from wintun_api.hub.named_captures.surroundings import Surroundings
from wintun_api.hub.named_captures.view import CaptureView, FileView
from wintun_api.hub.pace import Clock
from wintun_api.hub.sessions import Sessions
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import MAX_CAPTURES

logger = logging.getLogger(__name__)

# Seconds for the last packets when the service stops: its whole end takes about three.
STOP_PATIENCE: Final = 1.0
# Captures that wait and keep packets in memory, up to `before.WINDOW_BYTES` for each session.
MAX_KEEPING: Final = 8


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Hold what is known of captures before the service runs.

    Attributes:
        store: Where they lie.
        limit_bytes: The bytes that all of them may take together.
        found: Those that are there, oldest first.
    """

    store: Store = NOWHERE
    limit_bytes: int = 0
    found: Sequence[CaptureView] = ()


class NamedCaptures:
    """Keep the captures. Event loop thread only; create it in the running loop.

    Args:
        disk: Where they lie, and what is there.
        sessions: The sessions of the service.
        pool_of: Returns the pool of an adapter; empty if it is not known.
        filters: Compiles their filters.
        events: Where they tell what happens to them.
        tasks: Runs what waits.
        clock: When files are rotated and captures end; None for the event loop's.

    Attributes:
        room: The bytes that they may take, and take.
    """

    def __init__(
        self,
        disk: OnDisk,
        *,
        sessions: Sessions,
        pool_of: Callable[[UUID], str],
        filters: Filters,
        events: EventLog,
        tasks: TaskSet,
        clock: Clock | None = None,
    ) -> None:
        self.room = Room(disk.limit_bytes)
        self._store = disk.store
        self._filters = filters
        self._events = events
        self._tasks = tasks
        self._around = Surroundings(
            store=disk.store,
            room=self.room,
            sessions=sessions,
            pool_of=pool_of,
            events=events,
            tasks=tasks,
            clock=clock or asyncio.get_running_loop(),
        )
        self._running: dict[str, NamedCapture] = {}
        self._ended: dict[str, CaptureView] = {}
        self._given_up: dict[str, NamedCapture] = {}  # ended, but the disk has not answered
        self._repairs: dict[str, asyncio.Task[None]] = {}
        self._deleting = asyncio.Lock()  # two requests may delete the same capture
        self._starting = 0
        self._stopping = False
        for view in disk.found:
            self._know(view)

    def views(self) -> list[CaptureView]:
        """Return all captures, the newest first."""
        views = [one.view() for one in self._running.values()] + list(self._ended.values())
        return sorted(views, key=lambda view: view.created_ns, reverse=True)

    def by_id(self, capture: str) -> CaptureView:
        """Return one capture.

        Raises:
            CaptureNotFound: No capture has this id.
        """
        if capture in self._running:
            return self._running[capture].view()
        if capture not in self._ended:
            raise CaptureNotFound(capture)
        return self._ended[capture]

    async def start(self, definition: Definition, created_by: str) -> CaptureView:
        """Start a capture; its index, and its first file unless it waits, are on the disk then.

        Raises:
            InvalidArgument: Two of its limits contradict each other.
            InvalidFilter: A filter is not valid.
            FilterUnavailable: It has a filter, and no libpcap is installed.
            TooManyCaptures: There are as many as there may be.
            CapturesFull: All captures together take as many bytes as they may.
            StorageFailed: The disk does not take it.
            OutOfThreads: The system did not start a thread.
        """
        _check(definition)
        trigger = definition.trigger
        chosen = await self._filters.compile(definition.filter)
        begins = await self._filters.compile((trigger and trigger.filter) or "")
        self._check_room(definition)
        view = CaptureView(
            id=uuid4().hex[:12],
            definition=definition,
            created_by=created_by,
            created_ns=self._around.now_ns(),
            state=CaptureState.RUNNING if trigger is None else CaptureState.WAITING,
        )
        self._starting += 1
        try:
            await self._make_directory(view.id)
            capture: NamedCapture | None = None
            try:
                capture = NamedCapture(
                    view, self._around, filter=chosen, trigger=begins, over=self._over
                )
                await capture.begin()
            except (StorageFailed, OutOfThreads):
                writing = None if capture is None else capture.closed()
                self._tasks.spawn(self._discard(view.id, writing), name=f"capture:{view.id}")
                raise
        finally:
            self._starting -= 1
        if self._stopping:
            return await capture.stop(StopReason.SERVICE, patience=STOP_PATIENCE)
        if not capture.view().state.over:
            self._running[capture.id] = capture
        return capture.view()

    def trigger(self, capture: str) -> CaptureView:
        """Begin a capture that waits; do nothing to one that runs.

        Raises:
            CaptureNotFound: No capture has this id.
            CaptureOver: It has ended.
        """
        if self.by_id(capture).state.over or capture not in self._running:
            raise CaptureOver(capture)
        self._running[capture].trigger()
        return self.by_id(capture)

    async def stop(self, capture: str) -> CaptureView:
        """Stop a capture and complete its files; return what it was if it has ended already.

        Raises:
            CaptureNotFound: No capture has this id.
        """
        running = self._running.get(capture)
        if running is not None:
            return await running.stop()
        if capture in self._repairs:
            await asyncio.wait([self._repairs[capture]])
        return self.by_id(capture)

    async def delete(self, capture: str) -> CaptureView:
        """Stop a capture, delete its files, and return what it was.

        Raises:
            CaptureNotFound: No capture has this id.
            StorageFailed: Not all files can be deleted; the capture has ended and stays.
            OutOfThreads: The system did not start the thread that deletes them.
        """
        view = await self.stop(capture)
        async with self._deleting:
            await self._delete_files(capture, self._given_up.get(capture))
        self._given_up.pop(capture, None)
        last = self._ended.pop(capture, None)
        if last is not None:  # else another request was quicker
            view = last
            self.room.give(view.bytes)
            self._events.publish(EventType.CAPTURE_DELETED, view)
        return view

    async def open(self, capture: str, number: int) -> tuple[CaptureView, FileView, Reading]:
        """Open a file for reading, as far as it has been written; the caller closes it.

        Raises:
            CaptureNotFound: No capture has this id, or it does not have this file.
            StorageFailed: The file cannot be read, or it is shorter than it was written.
            OutOfThreads: The system did not start the thread that opens it.
        """
        view = self.by_id(capture)
        file = next((one for one in view.files if one.number == number), None)
        if file is None:
            raise CaptureNotFound(capture, number)
        path = files.path_of(self._store.directory(capture), number)
        try:
            return view, file, await aside("captures", partial(Reading, path, file.bytes))
        except FileNotFoundError:
            raise CaptureNotFound(capture, number) from None
        except (OSError, UntrustedFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageFailed(
                f"The file cannot be read ({reason}).",
                hint=f"Look at {path} on the machine of the service, and at its disk.",
            ) from error

    async def stop_all(self) -> None:
        """End all captures because the service stops, and write what could not be written."""
        self._stopping = True
        ends = [
            one.stop(StopReason.SERVICE, patience=STOP_PATIENCE) for one in self._running.values()
        ]
        await asyncio.gather(*ends)
        for capture in sorted(self._given_up):
            self._tasks.spawn(self._save(capture), name=f"capture:{capture}")

    def _know(self, view: CaptureView) -> None:
        """Keep a capture that was on the disk; one that did not end properly is repaired."""
        if not repair.needed(view):
            self._ended[view.id] = view
        else:
            self._ended[view.id] = repair.repairing(view)
            task = self._tasks.spawn(self._repair(view), name=f"capture:{view.id}")
            self._repairs[view.id] = task
            task.add_done_callback(lambda _: self._repairs.pop(view.id))
        self.room.take(view.bytes)

    async def _repair(self, view: CaptureView) -> None:
        fixed = await aside("captures", partial(repair.repaired, self._store, view))
        self._ended[view.id] = fixed
        self.room.take(fixed.bytes - view.bytes)
        failed = fixed.state is CaptureState.FAILED
        kind = EventType.CAPTURE_FAILED if failed else EventType.CAPTURE_STOPPED
        self._events.publish(kind, fixed)

    def _over(self, capture: NamedCapture, saved: bool) -> None:
        """Keep a capture that has ended; called again when a disk that was given up answers."""
        self._running.pop(capture.id, None)
        self._ended[capture.id] = capture.view()
        if not saved:
            self._given_up[capture.id] = capture

    def _check_room(self, definition: Definition) -> None:
        if len(self._running) + len(self._ended) + self._starting >= MAX_CAPTURES:
            raise TooManyCaptures("captures", MAX_CAPTURES)
        keeping = [one for one in self._running.values() if one.keeps]
        if definition.keeps and len(keeping) >= MAX_KEEPING:
            raise TooManyCaptures(
                "captures that wait and keep packets in memory",
                MAX_KEEPING,
                hint="Stop or trigger one of them, then try again.",
            )
        if self.room.free <= 0:
            raise CapturesFull(self.room.limit, self.room.used)

    async def _make_directory(self, capture: str) -> None:
        directory = self._store.directory(capture)

        def make() -> None:
            self._store.make(self._store.path)
            self._store.make(directory)

        making = asyncio.ensure_future(aside("captures", make))
        try:
            await asyncio.wait_for(asyncio.shield(making), END_PATIENCE)
        except OSError as error:  # or that it took too long
            self._tasks.spawn(self._discard(capture, making), name=f"capture:{capture}")
            reason = error.strerror or SILENT
            raise StorageFailed(
                f"The capture was not started: its directory cannot be made ({reason})."
            ) from error

    async def _discard(self, capture: str, writing: Awaitable[None] | None) -> None:
        """Delete what there is of a capture that was not started, after what still writes it."""
        if writing is not None:
            with suppress(OSError):
                await writing
        await self._delete_files(capture)

    async def _delete_files(self, capture: str, writing: NamedCapture | None = None) -> None:
        """Delete the files of a capture, after that which may still write them."""
        directory = self._store.directory(capture)
        try:
            if writing is not None:
                await asyncio.wait_for(writing.closed(), END_PATIENCE)
            deletion = aside("captures", partial(files.delete_all, directory))
            await asyncio.wait_for(deletion, END_PATIENCE)
        except OSError as error:  # or that it took too long
            reason = error.strerror or SILENT
            raise StorageFailed(
                f"Not all files of the capture can be deleted ({reason}).",
                hint=f"The capture has ended. Look at {directory} for files that are not of the "
                "service, and at the disk; then delete it again.",
            ) from error

    async def _save(self, capture: str) -> None:
        view = self._ended[capture]
        try:
            await aside("captures", partial(index.save, self._store, view))
        except OSError as error:
            logger.warning("The index of the capture %s cannot be written: %s", capture, error)


def _check(definition: Definition) -> None:
    """Refuse limits that contradict each other."""
    rotate, keep = definition.rotate, definition.keep
    if keep.files is not None and rotate.bytes is None and rotate.seconds is None:
        raise InvalidArgument(
            "keep.files", "must come with rotate: without it, there is one file only."
        )
    if rotate.bytes is not None and keep.bytes is not None and keep.bytes < 2 * rotate.bytes:
        raise InvalidArgument(
            "keep.bytes",
            "must be at least twice as many as those of rotate: else there is no older file that "
            "could be deleted.",
        )
