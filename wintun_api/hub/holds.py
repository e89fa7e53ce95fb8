"""Know which adapters clients hold, and notice when the last holder has gone.

A client that holds an adapter wants something to end once it is gone: the session, or the adapter
as well. While one holder is there, nothing ends. When the last one has gone, a grace period begins,
in which a holder may come back; only then does it end. An adapter's hold goes through these states:

    held ──last holder leaves──▶ abandoned ──grace period over──▶ expired ──it has ended──▶ gone
      ▲                              │                               │
      └────────a holder joins────────┴─────────a holder joins────────┘

The strongest `ends` and the longest grace period that a holder asked for since the hold began count
for the whole hold, so that a second, weaker holder does not take the first one's wish away.

Nothing here calls a driver, writes a file or publishes an event: the registry does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wintun_api.choices import Ends, EventType

# After a restart of the service, clients have at least so many seconds to come back.
RETURN = 5.0
# Seconds until something that could not be ended is tried again; after the last one it stays.
RETRIES = (1.0, 5.0, 15.0, 60.0)


class Timer(Protocol):
    """Describe a timer that has been started."""

    def cancel(self) -> None:
        """Stop it. Idempotent."""


class Clock(Protocol):
    """Describe what tells the time here: the event loop, and the wall clock for people."""

    def time_ns(self) -> int:
        """Return the Unix time in nanoseconds."""

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call a function on the event loop after so many seconds."""


class LoopClock:
    """Tell the time by the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def time_ns(self) -> int:
        """Return the Unix time in nanoseconds."""
        return time.time_ns()

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Start a timer of the loop."""
        return self._loop.call_later(seconds, call)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """Describe a hold at one moment.

    Attributes:
        session: The id of the adapter's last session that is known to the hold; None if none is.
        adapter: The GUID of the adapter.
        holders: How many clients hold it now.
        ends: What ends if no holder comes back.
        ends_at_ns: Unix time at which it ends; None unless a grace period runs.
    """

    session: str | None
    adapter: UUID
    holders: int
    ends: Ends
    ends_at_ns: int | None


class Hold:
    """Hold one adapter for its clients. `Holds` changes it; the session shows it.

    Attributes:
        adapter: The GUID of the adapter.
        holders: How many clients hold it now.
        asked: The strongest `ends` that a holder asked for.
        grace: The longest grace period that a holder asked for, in seconds.
        session: The id of the last session; None after a restart of the service.
        running: Whether that session has not ended yet.
        started: Whether a holder started that session.
        ends_at_ns: Unix time at which the grace period is over; None if none runs.
        expired: Whether it is over and no holder has come back since.
        attempts: How many attempts to end what is held have failed.
        over: Whether the hold is no longer kept, because what was held has ended.
    """

    def __init__(self, adapter: UUID, grace: float) -> None:
        self.adapter = adapter
        self.holders = 0
        self.asked = Ends.NOTHING
        self.grace = grace
        self.session: str | None = None
        self.running = False
        self.started = False
        self.ends_at_ns: int | None = None
        self.expired = False
        self.attempts = 0
        self.over = False
        self.timer: Timer | None = None

    @property
    def ends(self) -> Ends:
        """What ends if no holder is left; a session that no holder has started does not."""
        if self.over:
            return Ends.NOTHING
        if self.asked is Ends.SESSION and not (self.running and self.started):
            return Ends.NOTHING
        return self.asked

    @property
    def reason(self) -> str:
        """Why it ends, as a sentence."""
        if self.grace == 0:
            return "Its last client left."
        return f"Its last client left and none came back within {self.grace:g} s."

    def view(self) -> HoldView:
        """Return the present state."""
        return HoldView(
            session=self.session,
            adapter=self.adapter,
            holders=self.holders,
            ends=self.ends,
            ends_at_ns=self.ends_at_ns,
        )


class Holds:
    """Hold each adapter that clients hold, by GUID. Event loop thread only.

    Args:
        clock: What tells the time.
        expire: Called when a grace period is over; `expired` of the hold stays true until what is
            held has ended (`drop`), could not be ended (`failed`), or a holder joins.
        tell: Called with what happened to a hold, as an event.
    """

    def __init__(
        self,
        clock: Clock,
        expire: Callable[[Hold], None],
        tell: Callable[[EventType, HoldView], object],
    ) -> None:
        self._clock = clock
        self._expire = expire
        self._tell = tell
        self._holds: dict[UUID, Hold] = {}
        self._stopped = False

    def __len__(self) -> int:
        return len(self._holds)

    def __iter__(self) -> Iterator[Hold]:
        """Iterate over the holds of now; they may change meanwhile."""
        return iter(list(self._holds.values()))

    def find(self, adapter: UUID) -> Hold | None:
        """Return the hold of an adapter; None if it is not held."""
        return self._holds.get(adapter)

    def join(self, adapter: UUID, ends: Ends, grace: float, session: str, *, started: bool) -> Hold:
        """Add a holder, which ends a grace period.

        Args:
            adapter: The adapter.
            ends: What is to end when the last holder has gone; not `NOTHING`.
            grace: The holder's grace period in seconds.
            session: The id of the adapter's running session.
            started: Whether this holder has started it.
        """
        hold = self._holds.get(adapter)
        if hold is None:
            hold = self._holds[adapter] = Hold(adapter, grace)
        hold.grace = max(hold.grace, grace)
        hold.asked = max(hold.asked, ends, key=lambda one: one.strength)
        if started or hold.session != session:
            self.carry(hold, session, started=started)
        hold.holders += 1
        hold.attempts = 0
        if self._rest(hold):
            self._tell(EventType.SESSION_REJOINED, hold.view())
        return hold

    def carry(self, hold: Hold, session: str, *, started: bool = False) -> None:
        """Note that the adapter has a new session, which a holder has started, or not."""
        hold.session, hold.running, hold.started = session, True, started

    def session_over(self, hold: Hold, session: str) -> None:
        """Note that a session of the adapter has ended."""
        if hold.session != session:
            return
        hold.running = False
        if not hold.holders and hold.asked is not Ends.ADAPTER:
            self.drop(hold)

    def leave(self, hold: Hold) -> None:
        """Remove a holder, which is gone; begin the grace period if it was the last one."""
        hold.holders -= 1
        if hold.holders or hold.over or self._stopped:
            return
        if hold.ends is Ends.NOTHING:
            self.drop(hold)
        else:
            self._wait(hold, hold.grace)
            self._tell(EventType.SESSION_ABANDONED, hold.view())

    def restore(self, adapter: UUID, grace: float) -> None:
        """Hold an adapter that clients held before the service was started again.

        One grace period begins, of at least `RETURN` seconds. Do nothing if holders are back.
        """
        if adapter in self._holds or self._stopped:
            return
        hold = self._holds[adapter] = Hold(adapter, max(grace, RETURN))
        hold.asked = Ends.ADAPTER
        self._wait(hold, hold.grace)
        self._tell(EventType.SESSION_ABANDONED, hold.view())

    def renew(self, hold: Hold) -> None:
        """Begin a grace period anew if one runs or is over; a client may be about to connect."""
        if hold.ends_at_ns is not None and not self._stopped:
            self._wait(hold, hold.grace)
            self._tell(EventType.SESSION_ABANDONED, hold.view())

    def failed(self, hold: Hold) -> None:
        """Try again later to end what could not be ended; after the last time, end the hold."""
        if hold.over or hold.holders or self._stopped:
            return
        if hold.attempts == len(RETRIES):
            self.drop(hold)
            return
        self._wait(hold, RETRIES[hold.attempts])
        hold.attempts += 1

    def drop(self, hold: Hold) -> None:
        """End a hold; what was held has ended, or stays. Idempotent."""
        self._rest(hold)
        if not hold.over:
            hold.over = True
            del self._holds[hold.adapter]

    def stop(self) -> None:
        """Begin no more grace periods and end those that run, because the service stops."""
        self._stopped = True
        for hold in self:
            self._rest(hold)

    def _wait(self, hold: Hold, seconds: float) -> None:
        self._rest(hold)
        hold.ends_at_ns = self._clock.time_ns() + round(seconds * 1e9)
        hold.timer = self._clock.call_later(seconds, lambda: self._over(hold))

    def _over(self, hold: Hold) -> None:
        hold.timer, hold.expired = None, True
        self._expire(hold)

    def _rest(self, hold: Hold) -> bool:
        """End a grace period; return whether one was running, or was over."""
        abandoned = hold.ends_at_ns is not None
        if hold.timer is not None:
            hold.timer.cancel()
        hold.timer, hold.ends_at_ns, hold.expired = None, None, False
        return abandoned
