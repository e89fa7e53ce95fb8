"""Keep adapters and sessions by id: the one object that the API talks to.

Everything that the driver does is registered and published here, even if no request waits for it.
While a management call is running, readers get the last reading at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from wintun_api.choices import EventType
from wintun_api.drivers.base import Adapter, AdapterInfo, Driver
from wintun_api.drivers.limits import check_capacity, check_name, check_pool
from wintun_api.errors import (
    AdapterNotFound,
    DriverBusy,
    DriverError,
    OutOfThreads,
    SessionExists,
    SessionNotFound,
    WintunApiError,
)
from wintun_api.hub.adapters import AdapterView, ManagedAdapter
from wintun_api.hub.alteration import Altered, alter
from wintun_api.hub.aside import aside
from wintun_api.hub.creation import Leaving, by_stable_guid, retried
from wintun_api.hub.ending import ENDING_PATIENCE
from wintun_api.hub.events import EventLog
from wintun_api.hub.identity import StableGuids
from wintun_api.hub.late import LateFailure, LateRemoval
from wintun_api.hub.management import (
    READ_CHANGES,
    DriverView,
    Management,
    OnDone,
    OnFailure,
    patiently,
)
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.outside import OutsideChanges
from wintun_api.hub.pools import KnownPools
from wintun_api.hub.pump import BurstLimit
from wintun_api.hub.session import ManagedSession, SessionView
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import DEFAULT_RING_CAPACITY

T = TypeVar("T")

MAX_ENDED_SESSIONS = 64
STOPPING = "The service is shutting down."


class Registry:
    """Keep all adapters and sessions. Event loop thread only; create it in the running loop."""

    def __init__(
        self,
        driver: Driver,
        *,
        pools: KnownPools | None = None,
        guids: StableGuids | None = None,
        burst: BurstLimit | None = None,
        management_timeout: float = 30.0,
        event_history: int = 1000,
    ) -> None:
        self.driver = driver
        self.events = EventLog(event_history)
        self.pools = pools or KnownPools(None)
        self.guids = guids or StableGuids()
        self._burst = burst or BurstLimit()
        self._creating: Counter[str] = Counter()  # adapters being created, by pool
        self._forgetting: set[str] = set()
        self._tasks = TaskSet()
        self._management = Management(driver, self.events, self._tasks, management_timeout)
        self._adapters: dict[UUID, ManagedAdapter] = {}
        self._sessions: dict[str, ManagedSession] = {}
        self._starting: set[ManagedSession] = set()
        self._ends: dict[str, asyncio.Task[SessionView]] = {}
        self._leaving = Leaving()
        self._read_at: float | None = None
        self._sessions_end: asyncio.Task[None] | None = None
        self._outside = OutsideChanges(driver, self._read_changed, self._tasks)
        if driver.unavailable_reason() is None:
            self._outside.listen()

    # Adapters

    async def adapters(self, pool: str | None = None) -> tuple[list[AdapterView], float]:
        """List adapters; return them with the age of the reading in seconds.

        The reading is fresh (age 0) unless a management call is running.
        """
        if pool is not None:
            check_pool(pool)

        async def read() -> None:
            if not self._management.busy:  # checked where the call is queued
                await self._read_adapters(pool)

        await self._management.bounded("list_adapters", read())
        views = [
            known.view()
            for known in self._adapters.values()
            if pool is None or known.info.pool == pool
        ]
        views.sort(key=lambda view: (view.info.pool, view.info.name))
        age = 0.0 if self._read_at is None else time.monotonic() - self._read_at
        return views, age

    def known_adapters(self) -> list[AdapterView]:
        """Return the last reading of the adapters, without a call into the driver."""
        return [known.view() for known in self._adapters.values()]

    async def adapter(self, guid: UUID) -> AdapterView:
        """Return one adapter.

        Raises:
            AdapterNotFound: No adapter has this GUID.
        """
        if not self._management.busy:
            await self._management.bounded("list_adapters", self._read_adapters(None))
        return self._known(guid).view()

    async def create_adapter(
        self,
        name: str,
        pool: str,
        requested_guid: UUID | None = None,
        settings: NetworkSettings | None = None,
    ) -> AdapterView:
        """Create an adapter with its network settings, all or nothing.

        Without `requested_guid` it gets the GUID that is always used here for its pool and name.

        Raises:
            InvalidArgument: A value is not valid for any driver.
            AdapterExists: The name or the GUID is in use.
            StorageFailed: The pool is new and could not be written, so no adapter was created.
        """
        check_name(name)
        check_pool(pool, self.driver.capabilities.max_pool)
        wanted = settings or NetworkSettings()
        wanted.check()

        def create(guid: UUID | None) -> tuple[Adapter, AdapterInfo]:
            handle = self.driver.create_adapter(name, pool, guid)
            try:
                wanted.apply(handle)
                return handle, handle.info()
            except BaseException:
                _take_back(handle)
                raise

        async def attempt(guid: UUID | None) -> tuple[Adapter, AdapterInfo]:
            return await self._management.call("create_adapter", lambda: create(guid))

        async def register() -> AdapterView:
            self._creating[pool] += 1
            try:
                await self._remember(pool, "The adapter was not created")
                handle, info = await self._create(name, pool, requested_guid, attempt)
                return self._adopt(handle, info, EventType.ADAPTER_CREATED, wanted)
            finally:
                self._creating[pool] -= 1
                if not self._creating[pool]:
                    del self._creating[pool]

        def failed_late(error: WintunApiError) -> None:
            failure = LateFailure(operation="create_adapter", error=error, name=name, pool=pool)
            self.events.publish(EventType.ADAPTER_CREATE_FAILED, failure)

        return await self._management.bounded("create_adapter", register(), failed_late)

    async def open_adapter(self, name: str, pool: str) -> AdapterView:
        """Open an existing adapter; one that is already managed is returned unchanged.

        Raises:
            AdapterNotFound: No adapter has this name in this pool.
            StorageFailed: The pool is new and could not be written, so it was not opened.
        """
        check_name(name)
        check_pool(pool)

        async def register() -> AdapterView:
            known = self._named(name, pool)
            if known is not None and known.handle is not None:
                return known.view()
            handle, info = await self._management.call(
                "open_adapter", lambda: self._open(name, pool)
            )
            try:
                await self._remember(info.pool, "The adapter was not opened")
            except BaseException:
                with suppress(DriverError):
                    await self._management.call("release_adapter", handle.close)
                raise
            return self._adopt(handle, info, EventType.ADAPTER_CHANGED)

        told = self._failed_late("open_adapter", name=name, pool=pool)
        return await self._management.bounded("open_adapter", register(), told)

    async def update_adapter(
        self,
        guid: UUID,
        *,
        name: str | None = None,
        settings: NetworkSettings | None = None,
    ) -> AdapterView:
        """Rename an adapter or change its settings, all or nothing; None changes nothing."""
        if name is not None:
            check_name(name)
        wanted = settings or NetworkSettings()
        wanted.check()

        async def change(known: ManagedAdapter) -> AdapterView:
            before = known.wanted
            return await self._change(
                known, "update_adapter", lambda handle: alter(handle, before, wanted, name)
            )

        return await self._exclusive("update_adapter", guid, change)

    async def restore_adapter(self, guid: UUID) -> AdapterView:
        """Restore everything that other programs have changed on an adapter.

        This covers the marks by which the driver knows the device, the state of its link, and all
        network settings that were requested through the service.
        """

        async def change(known: ManagedAdapter) -> AdapterView:
            wanted = known.wanted

            def restore(handle: Adapter) -> Altered:
                handle.restore()
                wanted.apply(handle)
                return Altered(info=handle.info(), wanted=wanted)

            return await self._change(known, "restore_adapter", restore)

        return await self._exclusive("restore_adapter", guid, change)

    async def release_adapter(self, guid: UUID) -> bool:
        """Close the handle; return whether the device still exists.

        In the tunnel-type generation a device is removed with the handle that created it.

        Raises:
            SessionExists: The adapter's session must be ended first.
        """

        async def release(known: ManagedAdapter) -> bool:
            if known.running_session is not None:
                raise SessionExists("WintunFreeAdapter", 1247)
            handle, known.handle = known.handle, None
            if handle is not None:
                await self._management.call("release_adapter", handle.close)
            exists = guid in await self._read_adapters(None)
            if exists:
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
            else:
                self._forget(known)
            return exists

        return await self._exclusive("release_adapter", guid, release)

    async def delete_adapter(self, guid: UUID, *, force: bool = False) -> bool:
        """End the adapter's session and remove the device; return whether to reboot."""

        async def delete(known: ManagedAdapter) -> bool:
            handle = await self._handle(known)
            # Only its session can reach a device that was moved to another network namespace.
            first = known.running_session is not None and not await self._visible(handle)
            if not first:
                await self._end_session_of(known, reason)
            reboot = await self._management.call(
                "delete_adapter", lambda: handle.delete(force=force)
            )
            if first:
                await self._end_session_of(known, reason)
            self._forget(known)
            return reboot

        reason = "Its adapter was deleted."

        told = self._removed_late("delete_adapter", guid)
        return await self._exclusive("delete_adapter", guid, delete, told)

    async def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool; return whether a reboot is required."""
        check_pool(pool)
        await self._management.bounded("list_adapters", self._read_adapters(pool))
        members = [known for known in self._adapters.values() if known.info.pool == pool]

        async def delete() -> bool:
            if self.driver.capabilities.delete_pool:
                for known in members:
                    await self._end_session_of(known, "Its pool was deleted.")
                    handle, known.handle = known.handle, None
                    if handle is not None:
                        await self._management.call("release_adapter", handle.close)
            reboot = await self._management.call(
                "delete_pool", lambda: self.driver.delete_pool(pool)
            )
            for known in members:
                self._forget(known)
            if not reboot:
                await self._forget_pool(pool)
            return reboot

        told = self._removed_late("delete_pool", pool=pool)
        return await self._locked("delete_pool", members, delete, pool, told)

    async def delete_driver(self) -> bool:
        """Remove the driver from the system; return whether a reboot is required."""
        return await self._management.bounded(
            "delete_driver",
            self._management.call("delete_driver", self.driver.delete_driver),
            self._failed_late("delete_driver"),
            self._removed_late("delete_driver"),
        )

    async def driver_view(self) -> DriverView:
        """Return the present state of the driver."""
        return await self._management.view()

    # Sessions

    async def start_session(
        self, guid: UUID, capacity: int = DEFAULT_RING_CAPACITY
    ) -> ManagedSession:
        """Start the session of an adapter, which is opened first if it is not managed.

        Raises:
            InvalidArgument: The capacity is not a valid ring capacity.
            AdapterNotFound: No adapter has this GUID.
            SessionExists: The adapter already has a session.
        """
        check_capacity(capacity)

        async def start(known: ManagedAdapter) -> ManagedSession:
            running = known.running_session
            if running is not None:
                detail = f"The adapter already has the session {running.id}."
                raise SessionExists("WintunStartSession", 1247, detail=detail)
            handle = await self._handle(known)
            thread = known.thread = self._management.session_thread(known.info.name)
            session = ManagedSession(
                guid,
                known.info.name,
                handle,
                capacity,
                limit=self._burst,
                thread=thread,
                events=self.events,
                tasks=self._tasks,
            )
            session.ended.append(lambda: self._management.release_thread(thread))
            session.ended.append(self._outside.look)  # the adapter may be gone
            self._starting.add(session)
            try:
                await session.start()
            except BaseException:
                self._management.release_thread(thread)
                raise
            finally:
                self._starting.discard(session)
            if known.session is not None:
                self._sessions.pop(known.session.id, None)
            known.session = session
            self._sessions[session.id] = session
            self._trim_ended()
            return session

        return await self._exclusive("start_session", guid, start)

    def sessions(self) -> list[ManagedSession]:
        """Return running sessions, and those that ended by themselves and were not deleted."""
        return list(self._sessions.values())

    async def refresh_sessions(self) -> list[ManagedSession]:
        """Return the sessions, after each has read its ring's losses or exceeded its time."""
        sessions = self.sessions()
        await asyncio.gather(*[session.refresh() for session in sessions])
        return sessions

    def session(self, session_id: str) -> ManagedSession:
        """Return one session.

        Raises:
            SessionNotFound: No session has this id.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    async def end_session(self, session_id: str) -> SessionView:
        """End a session, forget it and return its final view.

        Raises:
            DriverBusy: The driver has not ended it in time; it is forgotten once it has ended.
        """
        session = self.session(session_id)
        task = self._ends.get(session_id)
        if task is None:
            task = self._management.begin("end_session", self._end(session))
            self._ends[session_id] = task
            task.add_done_callback(lambda _: self._ends.pop(session_id))
        told = self._failed_late("end_session", session.adapter)
        return await self._management.awaited("end_session", task, told)

    # Life

    def begin_stop(self) -> None:
        """Begin to end all sessions, and tell their clients that the service stops.

        Requests that wait for the driver are answered soon. Idempotent.
        """
        if self._sessions_end is None:
            self._sessions_end = self._tasks.spawn(self._end_sessions(), name="end_sessions")
            self._management.begin_stop()

    async def sessions_ended(self) -> None:
        """Wait, after `begin_stop`, until all sessions have ended and published their events."""
        if self._sessions_end is not None:
            await asyncio.shield(self._sessions_end)

    async def _end_sessions(self) -> None:
        sessions = [*self._sessions.values(), *self._starting]
        ends = [session.end(STOPPING, stopping=True) for session in sessions]
        await patiently(asyncio.gather(*ends, return_exceptions=True), ENDING_PATIENCE)
        self.events.close()  # only now, because the ends of sessions are events too

    async def stop(self) -> None:
        """End all sessions, close all handles and the driver. Idempotent.

        A handle that a hung call of a session may be using stays open until the process ends.
        """
        if self._management.stopping:
            return
        self._management.stopping = True
        self._outside.stop()
        self.begin_stop()
        await self.sessions_ended()
        handles = [
            known.handle
            for known in self._adapters.values()
            if known.handle is not None and not (known.thread and known.thread.busy)
        ]

        def close_handles() -> None:
            for handle in handles:
                with suppress(DriverError):
                    handle.close()

        await self._management.stop(close_handles)
        self._tasks.cancel()

    # Inside

    def _known(self, guid: UUID) -> ManagedAdapter:
        known = self._adapters.get(guid)
        if known is None:
            detail = f"No adapter has the GUID {guid}."
            raise AdapterNotFound("WintunOpenAdapter", 1168, detail=detail)
        return known

    def _named(self, name: str, pool: str) -> ManagedAdapter | None:
        for known in self._adapters.values():
            if known.info.name.casefold() == name.casefold() and known.info.pool == pool:
                return known
        return None

    async def _exclusive(
        self,
        name: str,
        guid: UUID,
        operation: Callable[[ManagedAdapter], Awaitable[T]],
        done_late: OnDone | None = None,
    ) -> T:
        if guid not in self._adapters and not self._management.busy:
            await self._management.bounded("list_adapters", self._read_adapters(None))
        known = self._known(guid)

        async def exclusive() -> T:
            self._known(guid)  # it may have been deleted during the wait
            return await operation(known)

        return await self._locked(name, [known], exclusive, done_late=done_late)

    async def _locked(
        self,
        name: str,
        members: list[ManagedAdapter],
        operation: Callable[[], Awaitable[T]],
        pool: str | None = None,
        done_late: OnDone | None = None,
    ) -> T:
        """Run an operation with exclusive access to these adapters.

        An operation that waited too long for another one is withdrawn and not executed later.
        """
        began = False

        async def locked() -> T:
            nonlocal began
            async with AsyncExitStack() as stack:
                for known in members:
                    await stack.enter_async_context(known.lock)
                began = True
                now = time.monotonic()
                for known in members:
                    known.operation = (name, now)
                    stack.callback(setattr, known, "operation", None)
                return await operation()

        def failed_late(error: WintunApiError) -> None:
            adapter = members[0].info.guid if len(members) == 1 else None
            self._failed_late(name, adapter, pool=pool)(error)

        task = self._management.begin(name, locked())
        try:
            return await self._management.awaited(name, task, failed_late, done_late)
        except DriverBusy as busy:
            if began:
                raise
            task.cancel()
            ahead = [known.operation for known in members if known.operation is not None]
            call, since = ahead[0] if ahead else (busy.call, time.monotonic())
            detail = f"{name} waited for it and was cancelled without effect."
            raise DriverBusy(call, time.monotonic() - since, detail) from None

    async def _change(
        self,
        known: ManagedAdapter,
        name: str,
        change: Callable[[Adapter], Altered],
    ) -> AdapterView:
        handle = await self._handle(known)
        try:
            altered = await self._management.call(name, lambda: change(handle))
        except WintunApiError:
            # A part of it may have been done, so the adapters are read again.
            before = known.info
            with suppress(DriverError):
                known.info = await self._management.call("read_adapter", handle.info)
            if known.info != before:
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
            raise
        known.info, known.wanted = altered.info, altered.wanted
        self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        return known.view()

    async def _handle(self, known: ManagedAdapter) -> Adapter:
        if known.handle is not None:
            return known.handle
        name, pool = known.info.name, known.info.pool
        handle, info = await self._management.call("open_adapter", lambda: self._open(name, pool))
        known.handle, known.info = handle, info
        return handle

    async def _create(
        self,
        name: str,
        pool: str,
        requested_guid: UUID | None,
        attempt: Callable[[UUID | None], Awaitable[T]],
    ) -> T:
        """Create an adapter, with a random GUID if its own is in use after a rename."""
        guid = requested_guid or self.guids.guid(pool, name)
        if guid in self._adapters:
            # Its device may have been removed unnoticed. Close that device's handle now: later that
            # could remove the new device, which has the same name for Windows.
            await self._read_adapters(None)
        if requested_guid is None:
            if guid in self._adapters:
                return await attempt(None)
            return await by_stable_guid(attempt, guid, self._management.timeout)
        if guid in self._leaving and guid not in self._adapters:
            return await retried(lambda: attempt(guid), self._management.timeout)
        return await attempt(guid)

    def _failed_late(
        self,
        operation: str,
        adapter: UUID | None = None,
        *,
        name: str | None = None,
        pool: str | None = None,
    ) -> OnFailure:
        """Return a function that publishes the failure of an operation after its answer."""

        def publish(error: WintunApiError) -> None:
            failure = LateFailure(
                operation=operation, error=error, adapter=adapter, name=name, pool=pool
            )
            self.events.publish(EventType.OPERATION_FAILED, failure)

        return publish

    def _removed_late(
        self, operation: str, adapter: UUID | None = None, *, pool: str | None = None
    ) -> OnDone:
        """Return what publishes a removal whose request was answered before."""

        def publish(reboot_required: bool) -> None:
            removal = LateRemoval(
                operation=operation, reboot_required=reboot_required, adapter=adapter, pool=pool
            )
            self.events.publish(EventType.OPERATION_DONE, removal)

        return publish

    def _open(self, name: str, pool: str) -> tuple[Adapter, AdapterInfo]:
        handle = self.driver.open_adapter(name, pool)
        return handle, handle.info()

    async def _visible(self, handle: Adapter) -> bool:
        try:
            await self._management.call("read_adapter", handle.info)
        except AdapterNotFound:
            return False
        return True

    def _adopt(
        self,
        handle: Adapter,
        info: AdapterInfo,
        kind: EventType,
        wanted: NetworkSettings | None = None,
    ) -> AdapterView:
        known = self._adapters.get(info.guid)
        if known is None:
            known = self._adapters[info.guid] = ManagedAdapter(info)
        known.info, known.handle = info, handle
        if wanted is not None:
            known.wanted = wanted
        self.events.publish(kind, known.view())
        return known.view()

    async def _remember(self, pool: str, consequence: str) -> None:
        """Store a pool on the disk, not on the driver's thread because a disk may be slow.

        Raises:
            StorageFailed: The pool could not be written.
        """
        if pool in self._forgetting or not self.pools.knows(pool):
            await aside("pools", partial(self.pools.add, pool, consequence))

    async def _forget_pool(self, pool: str) -> None:
        """Forget a pool, unless it has adapters or is about to get one."""
        if self._creating[pool] or any(one.info.pool == pool for one in self._adapters.values()):
            return
        self._forgetting.add(pool)
        try:
            with suppress(OutOfThreads):
                await aside("pools", partial(self.pools.forget, pool))
        finally:
            self._forgetting.discard(pool)

    def _forget(self, known: ManagedAdapter, *, gone: bool = False) -> None:
        """Forget an adapter and its session; `gone` means that no request removed it."""
        if self._adapters.pop(known.info.guid, None) is not None:
            self._leaving.add(known.info.guid)
            # A session that the driver ended remains readable until it or its adapter is deleted.
            if known.session is not None and not (gone and known.session.lost):
                self._sessions.pop(known.session.id, None)
            self.events.publish(EventType.ADAPTER_DELETED, known.view())

    async def _end(self, session: ManagedSession) -> SessionView:
        await session.refresh()
        await session.end()
        self._sessions.pop(session.id, None)
        known = self._adapters.get(session.adapter)
        if known is not None and known.session is session:
            known.session = None
        return session.view()

    async def _end_session_of(self, known: ManagedAdapter, reason: str) -> None:
        session = known.running_session
        if session is not None:
            await session.end(reason)

    async def _read_changed(self) -> bool:
        if self.driver.unavailable_reason() is not None:
            return False
        await self._read_adapters(None, READ_CHANGES)
        return True

    async def _read_adapters(self, pool: str | None, name: str = "list_adapters") -> set[UUID]:
        """Update the registry from the driver's list, for one pool or all known pools.

        Return the GUIDs on the list.
        """

        def read() -> list[AdapterInfo]:
            infos = {info.guid: info for info in self.driver.adapters(pool)}
            if pool is None:
                for one in names:
                    infos.update((info.guid, info) for info in self.driver.adapters(one))
            return list(infos.values())

        names = self.pools.names
        asked_at = time.monotonic()
        listed = {info.guid: info for info in await self._management.call(name, read)}
        self._outside.listen()
        first = self._read_at is None
        if pool is None:
            self._read_at = asked_at
        for info in listed.values():
            known = self._adapters.get(info.guid)
            if known is None:
                known = self._adapters[info.guid] = ManagedAdapter(info)
                if not first:
                    self.events.publish(EventType.ADAPTER_CREATED, known.view())
            elif known.info != info:
                known.info = info
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        for known in list(self._adapters.values()):
            gone = known.info.guid not in listed and (pool is None or known.info.pool == pool)
            if gone and not known.lock.locked() and known.running_session is None:
                handle, known.handle = known.handle, None
                if handle is not None:
                    await self._management.call("release_adapter", handle.close)
                self._forget(known, gone=True)
        return set(listed)

    def _trim_ended(self) -> None:
        ended = [session for session in self._sessions.values() if session.state.over]
        for session in ended[:-MAX_ENDED_SESSIONS]:
            del self._sessions[session.id]


def _take_back(handle: Adapter) -> None:
    """Delete an adapter that was just created; if that fails too, it stays and is listed."""
    with suppress(DriverError):
        handle.delete()
    with suppress(DriverError):
        handle.close()
