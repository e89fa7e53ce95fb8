"""Adapters and sessions by id: the one object the API talks to.

Calls into the driver run on two threads: management (create, open, delete, list), which may take
seconds, and sessions (start, end, counters), which do not. A request waits for a management call
at most `management_timeout`; the call goes on, and its outcome is registered and published all the
same. While a management call runs, readers get the last reading at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from wintun_api.drivers.base import (
    Adapter,
    AdapterInfo,
    Capabilities,
    Driver,
    IPInterface,
    LogLine,
    Unavailable,
)
from wintun_api.drivers.limits import (
    DEFAULT_RING_CAPACITY,
    check_capacity,
    check_mtu,
    check_name,
    check_pool,
)
from wintun_api.errors import (
    AdapterNotFound,
    DriverBusy,
    DriverError,
    DriverUnavailable,
    ServiceStopping,
    SessionExists,
    SessionNotFound,
)
from wintun_api.hub.adapters import AdapterView, ManagedAdapter
from wintun_api.hub.events import EventLog, EventType
from wintun_api.hub.pools import KnownPools
from wintun_api.hub.pump import BurstLimit
from wintun_api.hub.session import ManagedSession, SessionView
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.threads import DriverThread

T = TypeVar("T")

MAX_ENDED_SESSIONS = 64
STOP_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class SlowCall:
    """A management call that takes long."""

    call: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverView:
    """The driver as it is now."""

    name: str
    library_path: str | None
    capabilities: Capabilities
    unavailable: Unavailable | None
    running_version: tuple[int, int] | None
    calls: tuple[SlowCall, ...]


class Registry:
    """What exists. Event loop thread only; made inside the running loop."""

    def __init__(
        self,
        driver: Driver,
        *,
        pools: KnownPools | None = None,
        burst: BurstLimit | None = None,
        management_timeout: float = 30.0,
        event_history: int = 1000,
    ) -> None:
        self.driver = driver
        self.events = EventLog(event_history)
        self.pools = pools or KnownPools(None)
        self._burst = burst or BurstLimit()
        self._timeout = management_timeout
        self._tasks = TaskSet()
        self._adapters: dict[UUID, ManagedAdapter] = {}
        self._sessions: dict[str, ManagedSession] = {}
        self._read_at: float | None = None
        self._version: tuple[int, int] | None = None
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._management = DriverThread("driver-management", self._slow)
        self._session_thread = DriverThread("driver-sessions", self._slow)
        driver.set_logger(self._log)

    # Adapters

    async def adapters(self, pool: str | None = None) -> tuple[list[AdapterView], float]:
        """List adapters; return them with the age of the reading in seconds.

        The reading is fresh (age 0) unless a management call is under way.
        """
        if pool is not None:
            check_pool(pool)
        if not self._management.busy:
            await self._bounded("list_adapters", self._read_adapters(pool))
        views = [
            known.view()
            for known in self._adapters.values()
            if pool is None or known.info.pool == pool
        ]
        views.sort(key=lambda view: (view.info.pool, view.info.name))
        age = 0.0 if self._read_at is None else time.monotonic() - self._read_at
        return views, age

    def known_adapters(self) -> list[AdapterView]:
        """Return the adapters as they were last read, without a call into the driver."""
        return [known.view() for known in self._adapters.values()]

    async def adapter(self, guid: UUID) -> AdapterView:
        """Return one adapter.

        Raises:
            AdapterNotFound: None has this GUID.
        """
        if not self._management.busy:
            await self._bounded("list_adapters", self._read_adapters(None))
        return self._known(guid).view()

    async def create_adapter(
        self,
        name: str,
        pool: str,
        requested_guid: UUID | None = None,
        *,
        mtu: int | None = None,
        addresses: Sequence[IPInterface] | None = None,
    ) -> AdapterView:
        """Create an adapter with its MTU and addresses, all or nothing.

        Raises:
            InvalidArgument: A value that no driver would take.
            AdapterExists: The name or the GUID is in use.
        """
        check_name(name)
        check_pool(pool)
        if mtu is not None:
            check_mtu(mtu)

        def create() -> tuple[Adapter, AdapterInfo]:
            handle = self.driver.create_adapter(name, pool, requested_guid)
            try:
                _configure(handle, mtu, addresses)
                return handle, handle.info()
            except BaseException:
                handle.delete()
                raise

        async def register() -> AdapterView:
            handle, info = await self._manage("create_adapter", create)
            return self._adopt(handle, info, EventType.ADAPTER_CREATED)

        return await self._bounded("create_adapter", register())

    async def open_adapter(self, name: str, pool: str) -> AdapterView:
        """Open an existing adapter; one that is managed already is returned as it is.

        Raises:
            AdapterNotFound: None has this name in this pool.
        """
        check_name(name)
        check_pool(pool)

        async def register() -> AdapterView:
            known = self._named(name, pool)
            if known is not None and known.handle is not None:
                return known.view()
            handle, info = await self._manage("open_adapter", lambda: self._open(name, pool))
            return self._adopt(handle, info, EventType.ADAPTER_CHANGED)

        return await self._bounded("open_adapter", register())

    async def update_adapter(
        self,
        guid: UUID,
        *,
        name: str | None = None,
        mtu: int | None = None,
        addresses: Sequence[IPInterface] | None = None,
    ) -> AdapterView:
        """Rename an adapter, set its MTU or its addresses; what is None stays."""
        if name is not None:
            check_name(name)
        if mtu is not None:
            check_mtu(mtu)

        def update(handle: Adapter) -> AdapterInfo:
            if name is not None and name != handle.info().name:
                handle.set_name(name)
            _configure(handle, mtu, addresses)
            return handle.info()

        async def change(known: ManagedAdapter) -> AdapterView:
            handle = await self._handle(known)
            try:
                known.info = await self._manage("update_adapter", lambda: update(handle))
            except DriverError:
                # A part of it may have been done: what is shown must be what is there.
                with suppress(DriverError):
                    known.info = await self._manage("read_adapter", handle.info)
                raise
            self.events.publish(EventType.ADAPTER_CHANGED, known.view())
            return known.view()

        return await self._exclusive("update_adapter", guid, change)

    async def release_adapter(self, guid: UUID) -> bool:
        """Give the handle back; return whether the device is still there.

        In the tunnel-type generation a device goes with the handle that created it.

        Raises:
            SessionExists: Its session must be ended first.
        """

        async def release(known: ManagedAdapter) -> bool:
            if known.running_session is not None:
                raise SessionExists("WintunFreeAdapter", 1247)
            handle, known.handle = known.handle, None
            if handle is not None:
                await self._manage("release_adapter", handle.close)
            await self._read_adapters(None)
            if guid in self._adapters and not known.info.persistent:
                self._forget(known)
            elif guid in self._adapters:
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
            return guid in self._adapters

        return await self._exclusive("release_adapter", guid, release)

    async def delete_adapter(self, guid: UUID, *, force: bool = False) -> bool:
        """End its session, remove the device; return whether a reboot is required."""

        async def delete(known: ManagedAdapter) -> bool:
            handle = await self._handle(known)
            await self._end_session_of(known, "Its adapter was deleted.")
            reboot = await self._manage("delete_adapter", lambda: handle.delete(force=force))
            self._forget(known)
            return reboot

        return await self._exclusive("delete_adapter", guid, delete)

    async def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool; return whether a reboot is required."""
        check_pool(pool)

        async def delete() -> bool:
            await self._read_adapters(pool)
            members = [known for known in self._adapters.values() if known.info.pool == pool]
            if self.driver.capabilities.delete_pool:
                for known in members:
                    await self._end_session_of(known, "Its pool was deleted.")
                    handle, known.handle = known.handle, None
                    if handle is not None:
                        await self._manage("release_adapter", handle.close)
            reboot = await self._manage("delete_pool", lambda: self.driver.delete_pool(pool))
            for known in members:
                self._forget(known)
            return reboot

        return await self._bounded("delete_pool", delete())

    async def delete_driver(self) -> bool:
        """Remove the driver from the system; return whether a reboot is required."""
        return await self._bounded(
            "delete_driver", self._manage("delete_driver", self.driver.delete_driver)
        )

    async def driver_view(self) -> DriverView:
        """Return the driver as it is now; the last known version while a call is under way."""
        unavailable = self.driver.unavailable_reason()
        if unavailable is None and not self._management.busy:
            with suppress(DriverError, DriverUnavailable, DriverBusy):
                self._version = await self._bounded(
                    "running_driver_version",
                    self._manage("running_driver_version", self.driver.running_driver_version),
                )
        calls = (*self._management.calls, *self._session_thread.calls)
        return DriverView(
            name=self.driver.name,
            library_path=self.driver.library_path,
            capabilities=self.driver.capabilities,
            unavailable=unavailable,
            running_version=self._version,
            calls=tuple(SlowCall(call.name, call.seconds) for call in calls),
        )

    # Sessions

    async def start_session(
        self, guid: UUID, capacity: int = DEFAULT_RING_CAPACITY
    ) -> ManagedSession:
        """Start the session of an adapter, which is opened first where it is not managed.

        Raises:
            InvalidArgument: The capacity is no ring capacity.
            AdapterNotFound: None has this GUID.
            SessionExists: The adapter has a session.
        """
        check_capacity(capacity)

        async def start(known: ManagedAdapter) -> ManagedSession:
            running = known.running_session
            if running is not None:
                detail = f"The adapter has the session {running.id} already."
                raise SessionExists("WintunStartSession", 1247, detail=detail)
            handle = await self._handle(known)
            session = ManagedSession(
                guid,
                known.info.name,
                handle,
                capacity,
                limit=self._burst,
                thread=self._session_thread,
                events=self.events,
                tasks=self._tasks,
            )
            await session.start()
            if known.session is not None:
                self._sessions.pop(known.session.id, None)
            known.session = session
            self._sessions[session.id] = session
            self._trim_ended()
            return session

        return await self._exclusive("start_session", guid, start)

    def sessions(self) -> list[ManagedSession]:
        """Return the sessions that run, and those that ended by themselves and were not deleted."""
        return list(self._sessions.values())

    def session(self, session_id: str) -> ManagedSession:
        """Return one session.

        Raises:
            SessionNotFound: None has this id.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    async def end_session(self, session_id: str) -> SessionView:
        """End a session, forget it and return its last view."""
        session = self.session(session_id)
        await session.refresh()
        await session.end()
        self._sessions.pop(session_id, None)
        known = self._adapters.get(session.adapter)
        if known is not None and known.session is session:
            known.session = None
        return session.view()

    # Life

    async def stop(self) -> None:
        """End every session, give back every handle, let the driver go. Idempotent.

        A driver call that hangs is left behind after `STOP_PATIENCE` seconds.
        """
        if self._stopping:
            return
        self._stopping = True
        self.events.close()
        ends = [session.end("The service is shutting down.") for session in self._sessions.values()]
        await _patiently(asyncio.gather(*ends, return_exceptions=True))
        handles = [known.handle for known in self._adapters.values() if known.handle is not None]

        def close() -> None:
            for handle in handles:
                with suppress(DriverError):
                    handle.close()
            self.driver.close()

        await _patiently(self._management.call("close_driver", close))
        self._management.stop()
        self._session_thread.stop()
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

    async def _manage(self, name: str, function: Callable[[], T]) -> T:
        reason = self.driver.unavailable_reason()
        if reason is not None:
            raise DriverUnavailable(reason.reason, reason.message, hint=reason.hint)
        return await self._management.call(name, function)

    async def _bounded(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._stopping:
            coroutine.close()
            raise ServiceStopping
        task = self._tasks.spawn(coroutine, name=name)
        done, _ = await asyncio.wait([task], timeout=self._timeout)
        if not done:
            raise DriverBusy(name, self._timeout)
        return task.result()

    async def _exclusive(
        self, name: str, guid: UUID, operation: Callable[[ManagedAdapter], Awaitable[T]]
    ) -> T:
        if guid not in self._adapters and not self._management.busy:
            await self._bounded("list_adapters", self._read_adapters(None))
        known = self._known(guid)

        async def exclusive() -> T:
            async with known.lock:
                self._known(guid)  # it may have been deleted while this waited
                return await operation(known)

        return await self._bounded(name, exclusive())

    async def _handle(self, known: ManagedAdapter) -> Adapter:
        if known.handle is not None:
            return known.handle
        name, pool = known.info.name, known.info.pool
        handle, info = await self._manage("open_adapter", lambda: self._open(name, pool))
        known.handle, known.info = handle, info
        return handle

    def _open(self, name: str, pool: str) -> tuple[Adapter, AdapterInfo]:
        handle = self.driver.open_adapter(name, pool)
        return handle, handle.info()

    def _adopt(self, handle: Adapter, info: AdapterInfo, kind: EventType) -> AdapterView:
        self.pools.add(info.pool)
        known = self._adapters.get(info.guid)
        if known is None:
            known = self._adapters[info.guid] = ManagedAdapter(info)
        known.info, known.handle = info, handle
        self.events.publish(kind, known.view())
        return known.view()

    def _forget(self, known: ManagedAdapter) -> None:
        if self._adapters.pop(known.info.guid, None) is not None:
            if known.session is not None:
                self._sessions.pop(known.session.id, None)
            self.events.publish(EventType.ADAPTER_DELETED, known.view())

    async def _end_session_of(self, known: ManagedAdapter, reason: str) -> None:
        session = known.running_session
        if session is not None:
            await session.end(reason)

    async def _read_adapters(self, pool: str | None) -> None:
        """Make the registry agree with what the driver lists, for one pool or all known ones."""

        def read() -> list[AdapterInfo]:
            infos = {info.guid: info for info in self.driver.adapters(pool)}
            if pool is None and self.driver.capabilities.enumerate_pools:
                for name in names:
                    infos.update((info.guid, info) for info in self.driver.adapters(name))
            return list(infos.values())

        names = self.pools.names
        asked_at = time.monotonic()
        listed = {info.guid: info for info in await self._manage("list_adapters", read)}
        if pool is None:
            self._read_at = asked_at
        for info in listed.values():
            known = self._adapters.get(info.guid)
            if known is None:
                self._adapters[info.guid] = ManagedAdapter(info)
            elif known.info != info:
                known.info = info
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        for known in list(self._adapters.values()):
            gone = known.info.guid not in listed and (pool is None or known.info.pool == pool)
            if gone and not known.lock.locked() and known.running_session is None:
                handle, known.handle = known.handle, None
                if handle is not None:
                    await self._manage("release_adapter", handle.close)
                self._forget(known)

    def _trim_ended(self) -> None:
        ended = [session for session in self._sessions.values() if session.state.over]
        for session in ended[:-MAX_ENDED_SESSIONS]:
            del self._sessions[session.id]

    def _slow(self, call: str, seconds: float) -> None:
        self.events.publish(EventType.DRIVER_SLOW, SlowCall(call, seconds))

    def _log(self, line: LogLine) -> None:
        # Called on any thread of the driver, perhaps after the event loop was closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(
                self.events.publish, EventType.DRIVER_LOG, line, line.time_ns
            )


def _configure(handle: Adapter, mtu: int | None, addresses: Sequence[IPInterface] | None) -> None:
    if mtu is not None:
        handle.set_mtu(mtu)
    if addresses is not None:
        handle.set_addresses(addresses)


async def _patiently(work: Awaitable[Any]) -> None:
    with suppress(TimeoutError, DriverError, DriverBusy):
        await asyncio.wait_for(work, STOP_PATIENCE)
