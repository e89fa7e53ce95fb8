"""Hold adapters for clients, on the disk too, and end what no client came back to.

`hub.holds` knows when something ends, `hub.hold_memory` keeps it across restarts, and the registry
knows how to end it. Here these three meet.

What cannot be ended is tried again a few times (`holds.RETRIES`), and each failure is an event. A
driver's call that is only slow continues, and the next attempt waits for its turn behind it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from wintun_api.choices import Ends
from wintun_api.errors import AdapterNotFound, DriverBusy, ServiceStopping, WintunApiError
from wintun_api.hub.events import EventLog
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.holds import Hold, Holds, LoopClock
from wintun_api.hub.late import LateOutcomes
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.tasks import TaskSet

logger = logging.getLogger(__name__)

# The operations that end what is held, as they are called in events.
OPERATIONS = {Ends.SESSION: "end_session", Ends.ADAPTER: "delete_adapter"}


@dataclass(frozen=True, slots=True)
class Joined:
    """Hold a client's place in a session that it has joined or started.

    Attributes:
        session: The session.
        started: Whether the session was started for this client.
        leave: Gives the place back, because the client is gone; called once.
    """

    session: ManagedSession
    started: bool
    leave: Callable[[], None]


class Holding:
    """Hold adapters for clients. Event loop thread only; create it in the running loop.

    Args:
        memory: The adapters that are deleted with their clients, on the disk.
        end: Ends what a hold holds, in the adapter's turn, if it is still `expired` then.
        late: Publishes that this failed.
    """

    def __init__(
        self,
        memory: HoldMemory,
        end: Callable[[Hold], Awaitable[None]],
        late: LateOutcomes,
        events: EventLog,
        tasks: TaskSet,
    ) -> None:
        self._memory = memory
        self._end = end
        self._late = late
        self._tasks = tasks
        self._holds = Holds(LoopClock(), self._expired, events.publish)
        self._returning = False

    # Clients

    @asynccontextmanager
    async def promised(self, adapter: UUID, ends: Ends, grace: float) -> AsyncIterator[None]:
        """Have an adapter on the disk before its client joins; take it back if that fails.

        Raises:
            StorageFailed: The adapter is to be deleted with its client, and that could not be
                written.
        """
        if ends is not Ends.ADAPTER:
            yield
            return
        new = adapter not in self._memory.held
        await self._memory.add(adapter, grace)
        try:
            yield
        except BaseException:
            if new:
                self._memory.forget(adapter)
                await self._memory.write()
            raise

    def join(
        self, adapter: UUID, ends: Ends, grace: float, session: ManagedSession, *, started: bool
    ) -> Joined:
        """Give a client its place in a running session; with `ends` it holds the adapter."""
        if ends is Ends.NOTHING:
            return Joined(session, started, lambda: None)
        hold = self._holds.join(adapter, ends, grace, session.id, started=started)
        self._show(session, hold)
        return Joined(session, started, lambda: self._holds.leave(hold))

    def carry(self, session: ManagedSession) -> None:
        """Note that an adapter, which may be held, has a new session."""
        hold = self._holds.find(session.adapter)
        if hold is not None:
            self._holds.carry(hold, session.id)
            self._show(session, hold)

    def renew(self, adapter: UUID) -> None:
        """Begin a grace period anew, because a client opens the adapter and may connect next."""
        hold = self._holds.find(adapter)
        if hold is not None:
            self._holds.renew(hold)

    # Adapters

    def drop(self, adapter: UUID) -> None:
        """End the hold of an adapter, which is gone or stays without its clients. Idempotent."""
        hold = self._holds.find(adapter)
        if hold is not None:
            self._holds.drop(hold)
        if adapter in self._memory.held:
            self._memory.forget(adapter)
            self._tasks.spawn(self._memory.write(), name="holds")

    def begin_return(self) -> bool:
        """Let clients come back to the adapters of the last run; return whether there are any.

        The next `listed` begins the grace periods.
        """
        self._returning = bool(self._memory.held)
        return self._returning

    def listed(self, present: set[UUID]) -> None:
        """Compare all adapters that there are with those of the last run, once."""
        if not self._returning:
            return
        self._returning = False
        for adapter, grace in list(self._memory.held.items()):
            if adapter in present:
                self._holds.restore(adapter, grace)
            elif self._holds.find(adapter) is None:
                self.drop(adapter)

    # Life

    async def settled(self) -> None:
        """Return when the disk has everything, or cannot take it."""
        await self._memory.write()

    def stop(self) -> None:
        """Begin no more ends: clients may come back when the service has been started again."""
        self._holds.stop()

    def _expired(self, hold: Hold) -> None:
        self._tasks.spawn(self._end_abandoned(hold), name=f"abandoned:{hold.adapter}")

    async def _end_abandoned(self, hold: Hold) -> None:
        if not hold.expired:  # it was dropped, or a client came back, in this very moment
            return
        operation = OPERATIONS[hold.ends]
        logger.info("Adapter %s: %s This ends the %s.", hold.adapter, hold.reason, hold.ends)
        try:
            await self._end(hold)
        except ServiceStopping:
            return
        except AdapterNotFound:  # another deletion was quicker
            self._holds.drop(hold)
        except DriverBusy:  # a late failure is published by itself
            self._holds.failed(hold)
        except WintunApiError as error:
            self._late.failed(operation, hold.adapter)(error)
            self._holds.failed(hold)
        else:
            if hold.expired:
                self._holds.drop(hold)
        if hold.over and self._holds.find(hold.adapter) is None:
            self.drop(hold.adapter)  # on the disk, too

    def _show(self, session: ManagedSession, hold: Hold) -> None:
        """Show a hold in a session, and tell the hold when the session has ended."""
        if session.hold is not hold:
            session.hold = hold
            session.ended.append(lambda: self._holds.session_over(hold, session.id))
