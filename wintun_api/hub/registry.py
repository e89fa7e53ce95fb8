"""Keep adapters by GUID, and the sessions: the one object that the API talks to.

Everything that the driver does is registered and published here, even if no request waits for it.
While a management call is running, readers get the last reading at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import UUID

from wintun_api.choices import Ends, EventType, IfExists
from wintun_api.drivers.base import Adapter, AdapterInfo, Driver
from wintun_api.drivers.limits import check_name, check_new_name, check_new_pool, check_pool
from wintun_api.errors import (
    AdapterNotFound,
    DriverError,
    SessionExists,
    WintunApiError,
)
from wintun_api.hub import calls
from wintun_api.hub.adapter_table import AdapterTable
from wintun_api.hub.adapters import AdapterView, ManagedAdapter
from wintun_api.hub.alteration import Altered, alter
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.creation import Leaving, by_stable_guid, retried
from wintun_api.hub.events import EventLog
from wintun_api.hub.filters import Filters
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.holding import OPERATIONS, Holding
from wintun_api.hub.holds import Hold
from wintun_api.hub.identity import StableGuids
from wintun_api.hub.late import LateOutcomes, OnDone
from wintun_api.hub.management import READ_CHANGES, DriverView, Management, patiently
from wintun_api.hub.named_captures.captures import NamedCaptures, OnDisk
from wintun_api.hub.network import NetworkSettings, given
from wintun_api.hub.outside import OutsideChanges
from wintun_api.hub.pool_memory import PoolMemory
from wintun_api.hub.pools import KnownPools
from wintun_api.hub.provision import CREATE, Provided, Provision, Steps, Wish
from wintun_api.hub.recorders import Recorders
from wintun_api.hub.sessions import Sessions
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.turns import Turns
from wintun_api.native import Speedups

T = TypeVar("T")


class Registry:
    """Keep all adapters. Event loop thread only; create it in the running loop.

    Attributes:
        driver: The driver of all adapters.
        captures: The files of packets that the service writes.
        filters: The filters that clients use.
        events: What has happened, numbered.
        sessions: The sessions of the adapters.
        recorders: The recorders of the sessions.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        burst: BurstLimit,
        management_timeout: float,
        event_history: int,
        recorder_bytes: int = 2**30,
        pools: KnownPools | None = None,
        guids: StableGuids | None = None,
        held: HoldMemory | None = None,
        captures: OnDisk | None = None,
        speedups: Speedups | None = None,
    ) -> None:
        self.driver = driver
        self.events = EventLog(event_history)
        self.filters = Filters(speedups)
        self._guids = guids or StableGuids()
        self._tasks = TaskSet()
        self._management = Management(driver, self.events, self._tasks, management_timeout)
        self._late = LateOutcomes(self.events)
        self._turns = Turns(self._management, self._late)
        self._adapters = AdapterTable()
        self._pools = PoolMemory(
            pools or KnownPools(None), lambda pool: bool(self._adapters.members(pool))
        )
        self._leaving = Leaving()
        self._holding = Holding(
            held or HoldMemory(None), self._end_held, self._late, self.events, self._tasks
        )
        self._read_at: float | None = None
        self._sessions_end: asyncio.Task[None] | None = None
        self._outside = OutsideChanges(driver, self._read_changed, self._tasks)
        self.sessions = Sessions(
            self._adapters,
            self._holding,
            in_turn=self._exclusive,
            handle=self._handle,
            ended=self._outside.look,
            changed=self._session_changed,
            management=self._management,
            late=self._late,
            events=self.events,
            tasks=self._tasks,
            burst=burst,
        )
        self.recorders = Recorders(self.sessions, recorder_bytes, self.events)
        self.captures = NamedCaptures(
            captures or OnDisk(),
            sessions=self.sessions,
            pool_of=self._adapters.pool_of,
            filters=self.filters,
            events=self.events,
            tasks=self._tasks,
        )
        steps = Steps(
            read=self._read_adapters,
            open=self._open_known,
            prepare=self._remember_pool,
            delete=self._delete,
            lose=self._lose,
            create=self._create,
        )
        self._provision = Provision(self._adapters, self._turns, self._late, self._tasks, steps)
        if driver.unavailable_reason() is None:
            self._outside.listen()

    @property
    def patience(self) -> float:
        """How many seconds a caller waits for the driver; the call itself continues."""
        return self._management.timeout

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._management.timeout = seconds

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
        views = [known.view() for known in self._adapters.members(pool)]
        views.sort(key=lambda view: (view.info.pool, view.info.name))
        age = 0.0 if self._read_at is None else time.monotonic() - self._read_at
        return views, age

    def known_adapters(self) -> list[AdapterView]:
        """Return the last reading of the adapters, without a call into the driver."""
        return [known.view() for known in self._adapters]

    async def adapter(self, guid: UUID) -> AdapterView:
        """Return one adapter.

        Raises:
            AdapterNotFound: No adapter has this GUID.
        """
        await self.require(guid)
        return self._known(guid).view()

    async def require(self, *guids: UUID) -> None:
        """Check in one reading that there are adapters with these GUIDs.

        Raises:
            AdapterNotFound: No adapter has one of them.
        """
        if guids and not self._management.busy:
            await self._management.bounded("list_adapters", self._read_adapters(None))
        for guid in guids:
            self._known(guid)

    async def create_adapter(
        self,
        name: str,
        pool: str,
        requested_guid: UUID | None = None,
        settings: NetworkSettings | None = None,
    ) -> AdapterView:
        """Create an adapter with its network settings, all or nothing.

        The errors are those of `provide_adapter`.
        """
        return (await self.provide_adapter(name, pool, requested_guid, settings)).view

    async def provide_adapter(
        self,
        name: str,
        pool: str,
        requested_guid: UUID | None = None,
        settings: NetworkSettings | None = None,
        *,
        if_exists: IfExists = IfExists.ERROR,
    ) -> Provided:
        """Create an adapter with its network settings, or use or replace one of its name and pool.

        Without `requested_guid` a new adapter gets the GUID that is always used here for its pool
        and name. Of an existing adapter that is opened, the settings that are given are changed.

        Raises:
            InvalidArgument: A value is not valid for any driver.
            AdapterExists: The name or the GUID is in use, and `if_exists` does not help.
            AdapterNotFound: The adapter runs in another network namespace.
            StorageFailed: The pool is new and could not be written, so nothing was done.
            DriverBusy: It has not ended in time, or was withdrawn before it began.
        """
        check_new_name(name)
        check_new_pool(pool, self.driver.capabilities.max_pool)
        wanted = settings or NetworkSettings()
        wanted.check()
        wish = Wish(name=name, pool=pool, guid=requested_guid, settings=wanted)
        return await self._provision.provide(wish, if_exists)

    async def open_adapter(self, name: str, pool: str) -> AdapterView:
        """Open an existing adapter; one that is already managed is returned unchanged.

        Raises:
            AdapterNotFound: No adapter has this name in this pool.
            StorageFailed: The pool is new and could not be written, so it was not opened.
        """
        check_name(name)
        check_pool(pool)

        async def register() -> AdapterView:
            known = self._adapters.named(name, pool)
            if known is not None and known.handle is not None:
                return known.view()
            handle, info = await self._open(name, pool)
            try:
                await self._pools.remember(info.pool, "The adapter was not opened")
            except BaseException:
                await self._close([handle])
                raise
            known = self._adapters.find(info.guid)
            if known is not None and known.handle is not None:  # another request was quicker
                await self._close([handle])
                return known.view()
            return self._opened(handle, info)

        told = self._late.failed("open_adapter", name=name, pool=pool)
        view = await self._management.bounded("open_adapter", register(), told)
        self._holding.renew(view.info.guid)
        return view

    async def update_adapter(
        self,
        guid: UUID,
        *,
        name: str | None = None,
        settings: NetworkSettings | None = None,
    ) -> AdapterView:
        """Rename an adapter or change its settings, all or nothing; None changes nothing."""
        if name is not None:
            check_new_name(name)
        wanted = settings or NetworkSettings()
        wanted.check()

        async def change(known: ManagedAdapter) -> AdapterView:
            change = partial(alter, wanted=known.wanted, asked=wanted, name=name)
            return await self._change(known, "update_adapter", change)

        return await self._exclusive("update_adapter", guid, change)

    async def restore_adapter(self, guid: UUID) -> AdapterView:
        """Restore everything that other programs have changed on an adapter.

        This covers the marks by which the driver knows the device, the state of its link, and all
        network settings that were requested through the service.
        """

        async def change(known: ManagedAdapter) -> AdapterView:
            change = partial(calls.restore, wanted=known.wanted)
            return await self._change(known, "restore_adapter", change)

        return await self._exclusive("restore_adapter", guid, change)

    async def release_adapter(self, guid: UUID) -> bool:
        """Close the handle; return whether the device still exists.

        In the tunnel-type generation a device is removed with the handle that created it.

        Raises:
            SessionExists: The adapter's session must be ended first.
        """

        async def release(known: ManagedAdapter) -> bool:
            if known.running_session is not None:
                raise SessionExists(guid, known.running_session.id)
            self._holding.drop(guid)
            await self._holding.settled()
            handle, known.handle = known.handle, None
            if handle is not None:
                await self._management.call("release_adapter", handle.close)
            if guid not in await self._read_adapters(None):
                self._forget(known)
                return False
            self.events.publish(EventType.ADAPTER_CHANGED, self._known(guid).view())
            return True

        return await self._exclusive("release_adapter", guid, release)

    async def delete_adapter(self, guid: UUID, *, force: bool = False) -> bool:
        """End the adapter's session and remove the device; return whether to reboot."""

        async def delete(known: ManagedAdapter) -> bool:
            return await self._delete(known, "Its adapter was deleted.", force=force)

        told = self._late.removed("delete_adapter", guid)
        return await self._exclusive("delete_adapter", guid, delete, told)

    async def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool; return whether a reboot is required."""
        check_pool(pool)
        await self._management.bounded("list_adapters", self._read_adapters(pool))
        members = self._adapters.members(pool)

        async def delete() -> bool:
            if self.driver.capabilities.delete_pool:
                for known in members:
                    await known.end_session("Its pool was deleted.")
                    handle, known.handle = known.handle, None
                    if handle is not None:
                        await self._management.call("release_adapter", handle.close)
            reboot = await self._management.call(
                "delete_pool", partial(self.driver.delete_pool, pool)
            )
            for known in members:
                self._forget(known)
            if not reboot:
                await self._pools.forget(pool)
            return reboot

        told = self._late.removed("delete_pool", pool=pool)
        return await self._turns.run("delete_pool", members, delete, pool=pool, done_late=told)

    async def delete_driver(self) -> bool:
        """Remove the driver from the system; return whether a reboot is required."""
        return await self._management.bounded(
            "delete_driver",
            self._management.call("delete_driver", self.driver.delete_driver),
            self._late.failed("delete_driver"),
            self._late.removed("delete_driver"),
        )

    async def driver_view(self) -> DriverView:
        """Return the present state of the driver."""
        return await self._management.view()

    async def restore_holds(self) -> None:
        """Let clients come back to the adapters that they held in the last run of the service.

        Call this once the service answers. Adapters to which no client comes back are deleted.
        """
        if self._holding.begin_return():
            with suppress(WintunApiError):  # a later reading restores them
                await self._management.bounded(READ_CHANGES, self._read_changed())

    # Life

    def begin_stop(self) -> None:
        """Begin to end all sessions, and tell their clients that the service stops.

        Requests that wait for the driver or for a filter are answered soon. Idempotent.
        """
        if self._sessions_end is None:
            self.filters.stop()
            self._holding.stop()
            self._sessions_end = self._tasks.spawn(self._end_sessions(), name="end_sessions")
            self._management.begin_stop()

    async def sessions_ended(self) -> None:
        """Wait, after `begin_stop`, until all sessions have ended and published their events."""
        if self._sessions_end is not None:
            await asyncio.shield(self._sessions_end)

    async def _end_sessions(self) -> None:
        await self.sessions.stop()
        await self.captures.stop_all()
        self.events.close()  # only now, because these ends are events too

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
        await patiently(self._holding.settled())
        handles = [
            known.handle
            for known in self._adapters
            if known.handle is not None and not (known.thread and known.thread.busy)
        ]
        await self._management.stop(partial(calls.close, handles))
        self._tasks.cancel()

    # Inside

    def _known(self, guid: UUID) -> ManagedAdapter:
        known = self._adapters.find(guid)
        if known is None:
            raise AdapterNotFound(guid)
        return known

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
            if self._adapters.find(guid) is not known:  # it was deleted during the wait
                raise AdapterNotFound(guid)
            return await operation(known)

        return await self._turns.run(name, [known], exclusive, done_late=done_late)

    async def _change(
        self,
        known: ManagedAdapter,
        name: str,
        change: Callable[[Adapter], Altered],
    ) -> AdapterView:
        handle = await self._handle(known)
        try:
            altered = await self._management.call(name, partial(change, handle))
        except WintunApiError:
            # A part of it may have been done, so the adapters are read again.
            before = known.info
            with suppress(DriverError):
                known.info = await self._management.call("read_adapter", handle.info)
            if known.info != before:
                self.events.publish(EventType.ADAPTER_CHANGED, known.view())
            raise
        known.info, known.wanted = altered.info, self._as_read(altered.wanted)
        self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        return known.view()

    async def _handle(self, known: ManagedAdapter) -> Adapter:
        """Return the handle of an adapter, which is opened first if there is none.

        Raises:
            AdapterNotFound: Another device has its name now.
        """
        if known.handle is not None:
            return known.handle
        handle, info = await self._open(known.info.name, known.info.pool)
        if known.managed:  # another request was quicker
            await self._close([handle])
            return await self._handle(known)
        if info.guid != known.info.guid:
            await self._close([handle])
            raise AdapterNotFound(known.info.guid)
        known.handle, known.info = handle, info
        return handle

    async def _open(self, name: str, pool: str) -> tuple[Adapter, AdapterInfo]:
        open_existing = partial(calls.open_existing, self.driver, name, pool)
        return await self._management.call("open_adapter", open_existing)

    async def _close(self, handles: list[Adapter]) -> None:
        if handles:
            await self._management.call("release_adapter", partial(calls.close, handles))

    async def _remember_pool(self, wish: Wish) -> None:
        await self._pools.remember(wish.pool, "The adapter was not created")

    async def _create(self, wish: Wish) -> AdapterView:
        """Create an adapter, with a random GUID if its own is in use after a rename."""
        wanted = wish.settings.of_new()

        async def attempt(guid: UUID | None) -> tuple[Adapter, AdapterInfo]:
            create = partial(calls.create, self.driver, wish.name, wish.pool, guid, wanted)
            return await self._management.call(CREATE, create)

        with self._pools.creating(wish.pool):
            await self._remember_pool(wish)
            handle, info = await self._created_by(attempt, wish)
            return self._created(handle, info, wanted)

    async def _created_by(self, attempt: Callable[[UUID | None], Awaitable[T]], wish: Wish) -> T:
        guid = wish.guid or self._guids.guid(wish.pool, wish.name)
        if guid in self._adapters:
            # Its device may have been removed unnoticed. Close that device's handle now: later that
            # could remove the new device, which has the same name for Windows.
            await self._read_adapters(None)
        if wish.guid is None:
            if guid in self._adapters:
                return await attempt(None)
            return await by_stable_guid(attempt, guid, self._management.timeout)
        if guid in self._leaving and guid not in self._adapters:
            return await retried(lambda: attempt(guid), self._management.timeout)
        return await attempt(guid)

    async def _open_known(self, known: ManagedAdapter, asked: NetworkSettings) -> AdapterView:
        """Open an adapter and change its settings, all or nothing."""
        managed = known.managed
        if not managed or given(asked):
            await self._pools.remember(known.info.pool, "The adapter was not opened")
            try:
                await self._change(known, CREATE, partial(alter, wanted=known.wanted, asked=asked))
            except WintunApiError:
                handle = known.handle
                if handle is not None and not managed:
                    known.handle = None
                    await self._close([handle])
                raise
        self._holding.renew(known.info.guid)
        return known.view()

    async def _delete(self, known: ManagedAdapter, reason: str, *, force: bool = False) -> bool:
        """End the session of an adapter and remove the device; return whether to reboot."""
        handle = await self._handle(known)
        # Only its session can reach a device that was moved to another network namespace.
        first = known.running_session is not None and not await self._visible(handle)
        if not first:
            await known.end_session(reason)
        reboot = await self._management.call("delete_adapter", partial(handle.delete, force=force))
        if first:
            await known.end_session(reason)
        self._forget(known)
        return reboot

    async def _lose(self, known: ManagedAdapter) -> None:
        """Forget an adapter of which an operation found out that its device is gone."""
        await known.end_session("Its adapter was removed by another program.")
        if self._adapters.remove(known):
            await self._let_go((known,))

    async def _end_held(self, hold: Hold) -> None:
        """End what clients held, unless one of them is quicker than the turn."""

        async def end(known: ManagedAdapter) -> None:
            if hold.expired and hold.ends is Ends.ADAPTER:
                await self._delete(known, hold.reason)
            elif hold.expired:
                await known.end_session(hold.reason)

        await self._exclusive(OPERATIONS[hold.ends], hold.adapter, end)

    async def _visible(self, handle: Adapter) -> bool:
        try:
            await self._management.call("read_adapter", handle.info)
        except AdapterNotFound:
            return False
        return True

    def _as_read(self, wanted: NetworkSettings) -> NetworkSettings:
        """Return settings to remember, as the driver will read them."""
        return wanted.as_read(self.driver.capabilities.default_ipv6_metric)

    def _created(self, handle: Adapter, info: AdapterInfo, wanted: NetworkSettings) -> AdapterView:
        before = self._adapters.find(info.guid)
        if before is not None:  # its device is gone, for the driver has just made another one
            self._adapters.remove(before)
            self._leave(before)
            self.events.publish(EventType.ADAPTER_DELETED, before.view())
        self._holding.drop(info.guid)  # what was held had this GUID and is gone
        known = self._adapters.add(info)
        known.handle, known.wanted = handle, self._as_read(wanted)
        self.events.publish(EventType.ADAPTER_CREATED, known.view())
        return known.view()

    def _opened(self, handle: Adapter, info: AdapterInfo) -> AdapterView:
        kind, known = EventType.ADAPTER_CHANGED, self._adapters.find(info.guid)
        if known is None:
            kind, known = EventType.ADAPTER_CREATED, self._adapters.add(info)
        known.handle, known.info = handle, info
        self.events.publish(kind, known.view())
        return known.view()

    def _forget(self, known: ManagedAdapter) -> None:
        """Forget an adapter that a request removed, with its session."""
        if self._adapters.remove(known):
            self._leaving.add(known.info.guid)
            self._holding.drop(known.info.guid)
            self.sessions.forget(known)
            self.events.publish(EventType.ADAPTER_DELETED, known.view())

    async def _read_changed(self) -> bool:
        if self.driver.unavailable_reason() is not None:
            return False
        await self._read_adapters(None, READ_CHANGES)
        return True

    async def _read_adapters(self, pool: str | None, name: str = "list_adapters") -> set[UUID]:
        """Update the registry from the driver's list, for one pool or all known pools.

        Return the GUIDs on the list.
        """
        asked_at = time.monotonic()
        read = partial(calls.listed, self.driver, pool, self._pools.names)
        listed = await self._management.call(name, read)
        self._outside.listen()
        first = self._read_at is None
        if pool is None:
            self._read_at = asked_at
        difference = self._adapters.reconcile(listed, pool)
        if not first:
            for known in difference.created:
                self.events.publish(EventType.ADAPTER_CREATED, known.view())
        for known in difference.changed:
            self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        await self._let_go(difference.gone)
        found = {info.guid for info in listed}
        if pool is None:
            self._holding.listed(found)
        return found

    def _session_changed(self, known: ManagedAdapter) -> None:
        """Publish that the link came up with a session, or went down with it.

        The next reading tells what the system says of it.
        """
        if self._adapters.find(known.info.guid) is not known:
            return
        runs = known.running_session is not None
        if known.info.running is not None:
            link_up = True if runs and known.info.link_up is False else known.info.link_up
            known.info = replace(known.info, running=runs, link_up=link_up)
        self.events.publish(EventType.ADAPTER_CHANGED, known.view())
        self._outside.look()

    async def _let_go(self, gone: tuple[ManagedAdapter, ...]) -> None:
        """Close the handles of adapters that other programs removed, and publish their end."""
        handles = []
        for known in gone:
            self._leave(known)
            handle, known.handle = known.handle, None
            if handle is not None:
                handles.append(handle)
        try:
            await self._close(handles)
        finally:
            for known in gone:
                self.events.publish(EventType.ADAPTER_DELETED, known.view())

    def _leave(self, known: ManagedAdapter) -> None:
        """Note that another program removed an adapter."""
        self._leaving.add(known.info.guid)
        self._holding.drop(known.info.guid)
        # A session that the driver ended, or is about to end, remains readable until it is deleted.
        session = known.session
        if session is not None and session.state.over and not session.lost:
            self.sessions.forget(known)
