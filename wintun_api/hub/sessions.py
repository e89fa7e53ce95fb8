"""Keep the sessions by id: start, join, list and end them.

An adapter has one session at most. Clients start it, or join it and may hold its adapter; a session
that ended by itself stays readable until it is deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol, TypeVar
from uuid import UUID

from wintun_api.choices import Ends
from wintun_api.drivers.base import Adapter
from wintun_api.drivers.limits import check_capacity
from wintun_api.errors import SessionExists, SessionNotFound
from wintun_api.hub.adapter_table import AdapterTable
from wintun_api.hub.adapters import ManagedAdapter
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.ending import ENDING_PATIENCE
from wintun_api.hub.events import EventLog
from wintun_api.hub.holding import Holding, Joined
from wintun_api.hub.late import LateOutcomes, OnDone
from wintun_api.hub.management import Management, patiently
from wintun_api.hub.session import ManagedSession, SessionView
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import DEFAULT_RING_CAPACITY

T = TypeVar("T")

MAX_ENDED_SESSIONS = 64
ELSEWHERE = (
    "End that session in the program that has it: an adapter can have only one session on the "
    "whole machine."
)
STOPPING = "The service is shutting down."


class InTurn(Protocol):
    """Describe how an operation gets its turn on an adapter."""

    async def __call__(
        self,
        name: str,
        guid: UUID,
        operation: Callable[[ManagedAdapter], Awaitable[T]],
        done_late: OnDone | None = None,
    ) -> T:
        """Run an operation while no other one uses the adapter.

        Raises:
            AdapterNotFound: No adapter has this GUID.
            DriverBusy: It has not ended in time, or was withdrawn before it began.
        """


class Sessions:
    """Keep all sessions. Event loop thread only.

    Iterate over it for the sessions of now: those that run, and those that ended by themselves and
    were not deleted.

    Args:
        adapters: The adapters that are known.
        holding: What holds adapters for clients.
        in_turn: Runs an operation in its turn on an adapter.
        handle: Returns the handle of an adapter, which is opened first if there is none.
        ended: Called when a session has ended, because its adapter may be gone.
        changed: Called with an adapter whose session has started or ended, once that was published.

    Attributes:
        started: Functions that are called with each session that has started, before its first
            packet, and its adapter. They must not raise.
    """

    def __init__(
        self,
        adapters: AdapterTable,
        holding: Holding,
        *,
        in_turn: InTurn,
        handle: Callable[[ManagedAdapter], Awaitable[Adapter]],
        ended: Callable[[], None],
        changed: Callable[[ManagedAdapter], None],
        management: Management,
        late: LateOutcomes,
        events: EventLog,
        tasks: TaskSet,
        burst: BurstLimit,
    ) -> None:
        self._adapters = adapters
        self._holding = holding
        self._in_turn = in_turn
        self._handle = handle
        self._ended = ended
        self._changed = changed
        self.started: list[Callable[[ManagedSession, ManagedAdapter], None]] = []
        self._management = management
        self._late = late
        self._events = events
        self._tasks = tasks
        self._burst = burst
        self._known: dict[str, ManagedSession] = {}
        self._starting: set[ManagedSession] = set()
        self._ends: dict[str, asyncio.Task[SessionView]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[ManagedSession]:
        return iter(list(self._known.values()))

    def by_id(self, session_id: str) -> ManagedSession:
        """Return one session.

        Raises:
            SessionNotFound: No session has this id.
        """
        session = self._known.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    def adapter_of(self, session: ManagedSession) -> ManagedAdapter | None:
        """Return the adapter of a session; None if it is no longer known."""
        return self._adapters.find(session.adapter)

    async def refreshed(self) -> list[ManagedSession]:
        """Return all sessions, after each has read its ring's losses or exceeded its time."""
        sessions = list(self)
        await asyncio.gather(*[session.refresh() for session in sessions])
        return sessions

    async def start(
        self,
        guid: UUID,
        capacity: int = DEFAULT_RING_CAPACITY,
        *,
        offload: bool | None = None,
    ) -> ManagedSession:
        """Start the session of an adapter, which is opened first if it is not managed.

        Raises:
            NotSupported: The driver does not have the offload that is wanted.
            InvalidArgument: The capacity is not a valid ring capacity.
            AdapterNotFound: No adapter has this GUID.
            SessionExists: The adapter already has a session.
        """
        check_capacity(capacity)

        async def start(known: ManagedAdapter) -> ManagedSession:
            running = known.running_session
            if running is not None:
                raise SessionExists(guid, running.id)
            return await self._start(known, capacity, offload)

        return await self._in_turn("start_session", guid, start)

    async def join(
        self,
        guid: UUID,
        capacity: int = DEFAULT_RING_CAPACITY,
        *,
        offload: bool | None = None,
        ends: Ends = Ends.NOTHING,
        grace: float,
    ) -> Joined:
        """Join the running session of an adapter for a client, or start one if none runs.

        The client must give its place back (`Joined.leave`), also if it never used it.

        Args:
            guid: The adapter, which is opened first if it is not managed.
            capacity: The ring capacity of a session that is started.
            offload: Whether a session that is started has segmentation offload.
            ends: What ends when the last client that holds the adapter has gone.
            grace: Seconds in which a client may come back before that.

        Raises:
            StorageFailed: The adapter is to be deleted with its clients, and that could not be
                written; nothing was started.
            NotSupported: The driver does not have the offload that is wanted.
            InvalidArgument: The capacity is not a valid ring capacity.
            AdapterNotFound: No adapter has this GUID.
            SessionExists: Another program has a session of the adapter.
        """
        check_capacity(capacity)

        async def join(known: ManagedAdapter) -> Joined:
            async with self._holding.promised(guid, ends, grace):
                session, started = await self._running(known, capacity, offload)
                return self._holding.join(guid, ends, grace, session, started=started)

        return await self._in_turn("start_session", guid, join, lambda late: late.leave())

    async def end(self, session_id: str) -> SessionView:
        """End a session, forget it and return its final view.

        Raises:
            DriverBusy: The driver has not ended it in time; it is forgotten once it has ended.
        """
        session = self.by_id(session_id)
        task = self._ends.get(session_id)
        if task is None:
            task = self._management.begin("end_session", self._end(session))
            self._ends[session_id] = task
            task.add_done_callback(lambda _: self._ends.pop(session_id))
        told = self._late.failed("end_session", session.adapter)
        return await self._management.awaited("end_session", task, told)

    def forget(self, known: ManagedAdapter) -> None:
        """Forget the session of an adapter that is no longer there."""
        if known.session is not None:
            self._drop(known.session.id)

    async def stop(self) -> None:
        """End all sessions, also those that are being started, because the service stops."""
        sessions = [*self._known.values(), *self._starting]
        ends = [session.end(STOPPING, stopping=True) for session in sessions]
        await patiently(asyncio.gather(*ends, return_exceptions=True), ENDING_PATIENCE)

    async def _running(
        self, known: ManagedAdapter, capacity: int, offload: bool | None
    ) -> tuple[ManagedSession, bool]:
        """Return an adapter's session and whether it was started now."""
        session = known.running_session
        if session is not None and session.ending:
            await session.end()  # which waits until it has ended
            session = None
        if session is not None:
            return session, False
        return await self._start(known, capacity, offload), True

    async def _start(
        self, known: ManagedAdapter, capacity: int, offload: bool | None
    ) -> ManagedSession:
        handle = await self._handle(known)
        thread = known.thread = self._management.session_thread(known.info.name)
        session = ManagedSession(
            known.info.guid,
            known.info.name,
            handle,
            capacity,
            offload=offload,
            limit=self._burst,
            thread=thread,
            events=self._events,
            tasks=self._tasks,
        )
        session.ended.append(lambda: self._management.release_thread(thread))
        session.ended.append(self._ended)
        session.past.append(lambda: self._changed(known))
        self._starting.add(session)
        try:
            await session.start()
        except BaseException as error:
            self._management.release_thread(thread)
            if isinstance(error, SessionExists):
                error.hint = error.hint or ELSEWHERE
            raise
        finally:
            self._starting.discard(session)
        self.forget(known)
        known.session = session
        self._known[session.id] = session
        self._trim_ended()
        self._holding.carry(session)
        for tell in tuple(self.started):
            tell(session, known)
        self._changed(known)
        return session

    async def _end(self, session: ManagedSession) -> SessionView:
        await session.refresh()
        await session.end()
        view = session.view()
        self._drop(session.id)
        known = self._adapters.find(session.adapter)
        if known is not None and known.session is session:
            known.session = None
        return view

    def _trim_ended(self) -> None:
        ended = [session for session in self._known.values() if session.state.over]
        for session in ended[:-MAX_ENDED_SESSIONS]:
            self._drop(session.id)

    def _drop(self, session_id: str) -> None:
        session = self._known.pop(session_id, None)
        if session is not None:
            session.record(None)
