"""Provide an adapter of a name: create it, or open or replace the one that exists in its pool.

    read      the adapters of the pool, unless only a new adapter will do
    choose    the turn of the name, and that of the adapter which has it
    provide   create, open, or delete and create, all in this turn

So two requests for one name at once come one after the other: the second one finds what the first
one made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from wintun_api.choices import IfExists
from wintun_api.errors import AdapterExists, AdapterNotFound, WintunApiError
from wintun_api.hub.adapter_table import AdapterTable
from wintun_api.hub.adapters import AdapterView, ManagedAdapter
from wintun_api.hub.late import LateOutcomes
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.turns import Place, Turns

CREATE = "create_adapter"
REPLACED = "Its adapter was replaced."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Describe the adapter that a client wants.

    Attributes:
        name: Its name.
        pool: Its pool.
        guid: The GUID that it must have; None if any GUID will do.
        settings: Its network settings. An existing adapter keeps those that are None.
    """

    name: str
    pool: str
    guid: UUID | None
    settings: NetworkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """Describe what became of a wish.

    Attributes:
        view: The adapter.
        opened: Whether it existed before.
        replaced: Whether it was created in place of one that was deleted.
    """

    view: AdapterView
    opened: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Hold what the registry does for a wish. Each step runs in the turn of the adapter.

    Attributes:
        read: Updates the table from the driver's list, for one pool or all known pools.
        open: Opens an adapter and changes its settings, all or nothing.
        prepare: Does what can fail before a creation, while nothing is deleted yet.
        delete: Ends the session of an adapter for this reason, and deletes the adapter.
        lose: Forgets an adapter that another program has removed.
        create: Creates the adapter and registers it.
    """

    read: Callable[[str | None], Coroutine[Any, Any, object]]
    open: Callable[[ManagedAdapter, NetworkSettings], Awaitable[AdapterView]]
    prepare: Callable[[Wish], Awaitable[None]]
    delete: Callable[[ManagedAdapter, str], Awaitable[object]]
    lose: Callable[[ManagedAdapter], Awaitable[None]]
    create: Callable[[Wish], Awaitable[AdapterView]]


class Provision:
    """Provide adapters by name. Event loop thread only.

    Args:
        adapters: The adapters that are known.
        turns: The turns of adapters and names.
        late: Publishes what becomes of a request that has stopped waiting.
        tasks: Keeps the readings, which continue if a request is withdrawn meanwhile.
        steps: The registry.
    """

    def __init__(
        self,
        adapters: AdapterTable,
        turns: Turns,
        late: LateOutcomes,
        tasks: TaskSet,
        steps: Steps,
    ) -> None:
        self._adapters = adapters
        self._turns = turns
        self._late = late
        self._tasks = tasks
        self._steps = steps

    async def provide(self, wish: Wish, if_exists: IfExists) -> Provided:
        """Return the adapter that is wanted.

        Raises:
            AdapterExists: The name or the GUID is in use, and `if_exists` does not permit to use
                or to delete that adapter.
            WintunApiError: Any other error of the driver. Its `deleted` names the adapter that was
                deleted to be replaced, if it came to that.
        """
        place = self._turns.name(wish.name)
        deleted: UUID | None = None

        def existing() -> ManagedAdapter | None:
            if if_exists is IfExists.ERROR:
                return None
            return self._adapters.named(wish.name, wish.pool)

        def choose() -> tuple[Place, ...]:
            known = existing()
            return (place,) if known is None else (place, known)

        async def read() -> None:
            if if_exists is not IfExists.ERROR:
                reading = self._tasks.spawn(self._steps.read(wish.pool), name="list_adapters")
                await asyncio.shield(reading)

        async def provide() -> Provided:
            nonlocal deleted
            known = existing()
            if known is not None and if_exists is IfExists.OPEN:
                opened = await self._opened(known, wish)
                if opened is not None:
                    return Provided(view=opened, opened=True)
            elif known is not None and await self._deleted(known, wish):
                deleted = known.info.guid
            try:
                view = await self._created(wish, searched=if_exists is not IfExists.ERROR)
                return Provided(view=view, replaced=deleted is not None)
            except WintunApiError as error:
                error.deleted = deleted
                raise

        told = self._late.creation_failed(wish.name, wish.pool)
        try:
            return await self._turns.run_chosen(CREATE, choose, provide, told, before=read)
        except WintunApiError as error:
            error.deleted = deleted  # it is also an error that the creation has taken too long
            raise

    async def _opened(self, known: ManagedAdapter, wish: Wish) -> AdapterView | None:
        """Open an existing adapter; return None if it turns out to be gone."""
        if wish.guid not in (None, known.info.guid):
            raise AdapterExists(
                wish.name,
                wish.guid,
                f"The adapter {known.info.name!r} exists with the GUID {known.info.guid}.",
                hint="To use this adapter, ask for no other GUID; to delete it first, ask to "
                "replace it.",
            )
        try:
            return await self._steps.open(known, wish.settings)
        except AdapterNotFound:
            # The session of a device that was moved to another network namespace still runs.
            if known.running_session is not None:
                raise
        await self._steps.lose(known)
        return None

    async def _deleted(self, known: ManagedAdapter, wish: Wish) -> bool:
        """Delete an existing adapter; return False if it turns out to be gone."""
        if wish.guid is not None and self._has_another(wish.guid, known):
            await self._steps.read(None)  # that one may be gone
            if self._has_another(wish.guid, known):
                raise _guid_in_use(wish)
        await self._steps.prepare(wish)
        try:
            await self._steps.delete(known, REPLACED)
        except AdapterNotFound:
            await self._steps.lose(known)
            return False
        return True

    def _has_another(self, guid: UUID, known: ManagedAdapter) -> bool:
        return self._adapters.find(guid) not in (None, known)

    async def _created(self, wish: Wish, *, searched: bool) -> AdapterView:
        """Create the adapter; `searched` says whether its pool was read before."""
        try:
            return await self._steps.create(wish)
        except AdapterExists as error:
            error.hint = error.hint or self._hint(error, wish, searched=searched)
            raise

    def _hint(self, error: AdapterExists, wish: Wish, *, searched: bool) -> str:
        """Return what helps if no adapter of this name in this pool is in the way."""
        name = wish.name.casefold()
        pools = {one.info.pool for one in self._adapters if one.info.name.casefold() == name}
        if error.guid_in_use or (not pools and wish.guid in self._adapters):
            return _guid_in_use(wish).hint
        if pools and wish.pool not in pools:
            return (
                f"The adapter with this name is in the pool {min(pools)!r}. Name that pool to use "
                "the adapter, or choose another name."
            )
        if not pools and searched:
            return "A network interface outside of this pool has the name: choose another one."
        return ""


def _guid_in_use(wish: Wish) -> AdapterExists:
    return AdapterExists(
        wish.name,
        wish.guid,
        f"Another adapter has the GUID {wish.guid}.",
        hint="Choose another GUID, or let the service choose it.",
    )
