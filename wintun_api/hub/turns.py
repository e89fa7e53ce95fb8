"""Give operations on adapters their turns: one at a time per adapter.

An operation that waited too long for another one is withdrawn and not executed later.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

from wintun_api.errors import DriverBusy
from wintun_api.hub.adapters import ManagedAdapter
from wintun_api.hub.late import LateOutcomes, OnDone
from wintun_api.hub.management import Management

T = TypeVar("T")


class Turns:
    """Run operations with exclusive access to adapters. Event loop thread only."""

    def __init__(self, management: Management, late: LateOutcomes) -> None:
        self._management = management
        self._late = late

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
        began = False

        async def in_turn() -> T:
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

        adapter = members[0].info.guid if len(members) == 1 else None
        failed_late = self._late.failed(name, adapter, pool=pool)
        task = self._management.begin(name, in_turn())
        try:
            return await self._management.awaited(name, task, failed_late, done_late)
        except DriverBusy:
            if began:
                raise
            task.cancel()
            ahead = [known.operation for known in members if known.operation is not None]
            if not ahead:
                raise DriverBusy(name, ahead="An earlier call") from None
            call, since = ahead[0]
            raise DriverBusy(name, time.monotonic() - since, ahead=call) from None
