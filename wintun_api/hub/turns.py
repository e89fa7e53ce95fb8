"""Give operations on adapters their turns: one at a time per adapter, and per name of a new one.

An operation that waited too long for another one is withdrawn and not executed later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from wintun_api.errors import DriverBusy
from wintun_api.hub.adapters import ManagedAdapter
from wintun_api.hub.late import LateOutcomes, OnDone, OnFailure
from wintun_api.hub.management import Management

T = TypeVar("T")


class Place(Protocol):
    """Describe what one operation at a time can have: an adapter, or a name.

    Attributes:
        lock: What the operation holds.
        operation: Its name and start (`time.monotonic`); None if there is none.
    """

    lock: asyncio.Lock
    operation: tuple[str, float] | None


@dataclass(eq=False, slots=True, weakref_slot=True)
class NamePlace:
    """Stand for a name, while operations create an adapter with it or wait for that."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    operation: tuple[str, float] | None = None


class Turns:
    """Run operations with exclusive access to adapters. Event loop thread only."""

    def __init__(self, management: Management, late: LateOutcomes) -> None:
        self._management = management
        self._late = late
        self._names: WeakValueDictionary[str, NamePlace] = WeakValueDictionary()

    def name(self, name: str) -> NamePlace:
        """Return the place of a name; upper and lower case are not distinguished."""
        return self._names.setdefault(name.casefold(), NamePlace())

    async def run(
        self,
        name: str,
        members: Sequence[ManagedAdapter],
        operation: Callable[[], Awaitable[T]],
        *,
        pool: str | None = None,
        done_late: OnDone | None = None,
    ) -> T:
        """Run an operation when all these adapters are free, and wait for it.

        Args:
            name: The operation's name, for events and errors.
            members: The adapters, which no other operation uses meanwhile.
            operation: The operation.
            pool: The pool that it concerns as a whole.
            done_late: Called with its result if it succeeds after the wait has ended.

        Raises:
            DriverBusy: It has not ended in time. If another operation had the turn all the time,
                it was withdrawn.
            ServiceStopping: It still runs, or was not begun.
        """
        adapter = members[0].info.guid if len(members) == 1 else None
        failed_late = self._late.failed(name, adapter, pool=pool)
        return await self.run_chosen(name, lambda: members, operation, failed_late, done_late)

    async def run_chosen(
        self,
        name: str,
        choose: Callable[[], Sequence[Place]],
        operation: Callable[[], Awaitable[T]],
        failed_late: OnFailure,
        done_late: OnDone | None = None,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        """Run an operation when the places that it chooses are free, and wait for it.

        Args:
            name: The operation's name, for events and errors.
            choose: Returns the places. It is asked again when they are free: if other places are
                needed by then, the operation waits for those instead.
            operation: The operation.
            failed_late: Called with its error if it fails after the wait has ended.
            done_late: Called with its result if it succeeds after the wait has ended.
            before: What `choose` needs beforehand. It changes nothing, and may be cancelled.

        Raises:
            DriverBusy: It has not ended in time. If another operation had the turn all the time,
                it was withdrawn.
            ServiceStopping: It still runs, or was not begun.
        """
        began = False
        places: Sequence[Place] = ()

        async def in_turn() -> T:
            nonlocal began, places
            if before is not None:
                await before()
            while True:
                places = choose()
                async with AsyncExitStack() as stack:
                    for place in places:
                        await stack.enter_async_context(place.lock)
                    if choose() != places:
                        continue
                    began = True
                    now = time.monotonic()
                    for place in places:
                        place.operation = (name, now)
                        stack.callback(setattr, place, "operation", None)
                    return await operation()

        task = self._management.begin(name, in_turn())
        try:
            return await self._management.awaited(name, task, failed_late, done_late)
        except DriverBusy:
            if began:
                raise
            task.cancel()
            ahead = [place.operation for place in places if place.operation is not None]
            if not ahead:
                raise DriverBusy(name, ahead="An earlier call") from None
            call, since = ahead[0]
            raise DriverBusy(name, time.monotonic() - since, ahead=call) from None
