"""Gather the packets of the sessions of a selection, as they come and go.

Each session has a queue of its own, with a limit in packets; all queues share one limit in bytes.
Where a limit is reached, the oldest packets are lost: those of the same session at the limit of its
queue, and those of any session at the shared one.

What waits at the time of a `take` is returned in the order of time. All sessions are drained by one
event loop that gives each burst its time, so the packets that are taken later also have later
times, unless the clock was set back, or another policy than `drop_oldest` keeps bursts waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from wintun_api.choices import Direction, Overflow, Tap, Times
from wintun_api.errors import SessionNotFound
from wintun_api.hub.adapters import ManagedAdapter
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.intake import Intake
from wintun_api.hub.capture.selection import Selection
from wintun_api.hub.capture.source import Source
from wintun_api.hub.ending import Ending
from wintun_api.hub.filters import Filter
from wintun_api.hub.losses import Loss
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.sessions import Sessions
from wintun_api.hub.subscriber import Subscriber

# So many ended sessions may wait for a reader that takes nothing. Of more, the oldest is given up.
MAX_ENDED: Final = 1024


@dataclass(frozen=True, slots=True)
class Gathered:
    """Hold what came from one session.

    A session that has just come is told once without bursts.

    Attributes:
        source: The session.
        bursts: Its packets, oldest first.
        losses: What was lost before the first of them.
        ended: Whether the session has ended, so that nothing more comes from it.
    """

    source: Source
    bursts: Sequence[Burst] = ()
    losses: Sequence[Loss] = ()
    ended: bool = False


@dataclass(slots=True)
class Totals:
    """Count the packets of a gathering, of the sessions that have ended too.

    Attributes:
        queued: Packets that wait.
        queued_bytes: The memory that these use.
        delivered: Packets that were taken and not given back.
        lost: Packets that were lost, by cause.
    """

    queued: int = 0
    queued_bytes: int = 0
    delivered: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, queue: Subscriber) -> None:
        """Add the counts of one session's queue."""
        self.queued += queue.queued_packets
        self.queued_bytes += queue.queued_bytes
        self.delivered += queue.delivered_packets
        self.lost.update({str(cause): n for cause, n in queue.losses.by_cause.items()})


class Owner(Protocol):
    """Describe what a gathering belongs to, if that must know how sessions end."""

    def ended(self, ending: Ending) -> None:
        """Note that a session has ended."""

    async def gone(self) -> None:
        """Return when nothing more can reach the reader, after the service has begun to stop."""


class Gathering:
    """Subscribe to the sessions of a selection, to those that run and to those that come.

    The owner calls `take` after each `wake` until it returns nothing: only then are the sessions
    sure that what they had was dealt with. Event loop thread only.

    Args:
        sessions: The sessions of the service.
        selection: The adapters.
        direction: Which packets.
        tap: On which side of an impairment.
        filter: What chooses packets; None for all.
        times: Whether each packet has its own time.
        marks: Whether packets that were changed or rejected are marked.
        overflow: What happens when a queue is full.
        limit_packets: The packets that may wait in each queue.
        limit_bytes: The bytes that may wait in all queues together.
        wake: Called when there is something to take.
        owner: Who must know how sessions end; None if nothing must.

    Attributes:
        satisfied: Whether the owner has all that it wanted, so that what waits is not lost.
    """

    def __init__(
        self,
        sessions: Sessions,
        selection: Selection,
        *,
        direction: Direction,
        tap: Tap = Tap.AFTER,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        times: Times = Times.PACKET,
        marks: bool = False,
        overflow: Overflow = Overflow.DROP_OLDEST,
        limit_packets: int,
        limit_bytes: int,
        wake: Callable[[], None],
        owner: Owner | None = None,
    ) -> None:
        self.satisfied = False
        self._sessions = sessions
        self._selection = selection
        self._overflow = overflow
        self._limit_bytes = limit_bytes

        def queue(wake: Callable[[], None], fail: Callable[[Exception], None]) -> Subscriber:
            return Subscriber(
                direction=direction,
                tap=tap,
                filter=filter,
                times=times,
                marks=marks,
                overflow=overflow,
                limit_packets=limit_packets,
                limit_bytes=limit_bytes,
                wake=wake,
                fail=fail,
            )

        self._queue = queue
        self._wake = wake
        self._owner = owner
        self._intakes: dict[Intake, None] = {}
        self._ready: dict[Intake, None] = {}  # those with something to take
        self._bytes = 0
        self._begun = False
        self._released = False
        self._overflowed = False
        self._queues: WeakKeyDictionary[Source, Subscriber] = WeakKeyDictionary()
        self._forgotten = Totals()  # of sessions that have ended
        self._idle = asyncio.Event()  # everything that was taken has been dealt with

    @property
    def running(self) -> int:
        """The number of sessions that have not ended."""
        return sum(not intake.over for intake in self._intakes)

    @property
    def overflowed(self) -> bool:
        """Whether a queue with `Overflow.CLOSE` was full."""
        return self._overflowed or any(intake.queue.overflowed for intake in self._intakes)

    def totals(self) -> Totals:
        """Return the counts of all sessions."""
        totals = replace(self._forgotten, lost=Counter(self._forgotten.lost))
        for intake in self._intakes:
            totals.add(intake.queue)
        return totals

    def begin(self) -> None:
        """Subscribe to the sessions that run, and to those that start from now on. Idempotent."""
        if self._begun:
            return
        self._begun = True
        self._sessions.started.append(self._started)
        for session in self._sessions:
            adapter = self._sessions.adapter_of(session)
            if adapter is not None and not session.state.over:
                self._started(session, adapter)

    def join(self, session: ManagedSession) -> None:
        """Subscribe to one session, whatever is selected.

        Raises:
            SessionNotFound: The session has ended or is ending.
        """
        adapter = self._sessions.adapter_of(session)
        if adapter is None:
            raise SessionNotFound(session.id)
        self._join(session, adapter)

    def take(self, size: int) -> list[Gathered]:
        """Return what waits, up to `size` bytes but at least one burst; empty if nothing does."""
        gathered: list[Gathered] = []
        heap: list[tuple[int, int, Intake]] = []
        for number, intake in enumerate(self._ready):
            if intake.new:
                intake.new = False
                gathered.append(Gathered(intake.source))
            oldest = intake.queue.oldest
            if oldest is not None:
                heap.append((oldest.time_ns, number, intake))
        heapify(heap)
        room, first = size, True
        while heap and (first or room > 0):
            _, number, intake = heappop(heap)
            oldest = intake.queue.oldest
            if oldest is None or (oldest.size > room and not first):
                break
            until_ns = heap[0][0] if heap else None
            losses = intake.take_losses()
            bursts = _oldest(intake.queue, room, until_ns)
            first = False
            room -= sum(burst.size for burst in bursts)
            self._measure(intake)
            gathered.append(Gathered(intake.source, bursts, losses))
            oldest = intake.queue.oldest
            if oldest is not None:
                heappush(heap, (oldest.time_ns, number, intake))
        for intake in [one for one in self._ready if one.queue.oldest is None]:
            del self._ready[intake]
            if intake.over:
                gathered.append(Gathered(intake.source, (), intake.take_losses(), ended=True))
                self._forget(intake)
        if gathered:
            self._idle.clear()
        else:
            self._idle.set()
        return gathered

    def losses(self) -> list[tuple[Source, Sequence[Loss]]]:
        """Return what was lost after the last packets that were taken, by session."""
        taken = [(intake.source, intake.take_losses()) for intake in self._intakes]
        return [(source, losses) for source, losses in taken if losses]

    def give_back(
        self, source: Source, count: int, first: int, last: int, *, injected: bool
    ) -> None:
        """Count packets as lost that were taken but never reached the reader."""
        queue = self._queues.get(source)
        if queue is not None:
            queue.give_back(count, first, injected=injected, last=last)

    def end(self, *, satisfied: bool = False) -> None:
        """Take no more packets; those that wait can still be taken. Idempotent.

        Args:
            satisfied: Whether the owner has all that it wanted: then what waits is not lost.
        """
        self.satisfied |= satisfied
        if self._begun:
            self._begun = False
            self._sessions.started.remove(self._started)
        for intake in self._intakes:
            intake.stop()

    def release(self) -> None:
        """Let no session wait for `take` any more. Idempotent."""
        self._released = True
        self._idle.set()

    def close(self) -> None:
        """End, and count what waits as lost. Idempotent."""
        self.end()
        self.release()
        for intake in self._intakes:
            self._abandon(intake)
            intake.leave()

    def abandon(self) -> None:
        """Count what waits as lost, except the last packets, which carry the drop counts."""
        for intake in self._intakes:
            self._abandon(intake, keep_last=True)

    # For the intakes

    async def flush(self, intake: Intake) -> None:
        """Return when everything that waited was taken and dealt with."""
        while not self._released and (intake.queue.queued_packets or not self._idle.is_set()):
            self._idle.clear()
            self._wake()
            await self._idle.wait()

    def settle(self, intake: Intake) -> None:
        """Count what still waits in a queue as lost, except a last packet."""
        self._abandon(intake, keep_last=True)
        self._wake()

    def ended(self, intake: Intake, ending: Ending) -> None:
        """Note that nothing more comes from a session."""
        self._end_of(intake)
        if self._owner is not None:
            self._owner.ended(ending)

    async def gone(self) -> None:
        """Return when nothing more can be delivered."""
        if self._owner is not None:
            await self._owner.gone()

    def _started(self, session: ManagedSession, adapter: ManagedAdapter) -> None:
        if self._selection.has(adapter.info.guid, adapter.info.pool):
            with suppress(SessionNotFound):  # it is ending
                self._join(session, adapter)

    def _join(self, session: ManagedSession, adapter: ManagedAdapter) -> None:
        queue = self._queue(lambda: self._offered(intake), lambda _error: self._end_of(intake))
        intake = Intake(self, session, adapter, queue)
        intake.join()
        self._queues[intake.source] = queue
        self._intakes[intake] = self._ready[intake] = None
        self._wake()

    def _offered(self, intake: Intake) -> None:
        """Keep the shared limit, and tell the owner."""
        self._ready[intake] = None
        self._measure(intake)
        while self._bytes > self._limit_bytes and self._overflow is Overflow.DROP_OLDEST:
            oldest = min(self._ready, key=_age)
            oldest.queue.shed()
            self._measure(oldest)
        self._wake()

    def _measure(self, intake: Intake) -> None:
        self._bytes += intake.queue.queued_bytes - intake.counted
        intake.counted = intake.queue.queued_bytes

    def _abandon(self, intake: Intake, *, keep_last: bool = False) -> None:
        intake.stop()
        if not self.satisfied:
            intake.queue.abandon(keep_last=keep_last)
            self._measure(intake)

    def _end_of(self, intake: Intake) -> None:
        if intake.over or intake not in self._intakes:
            return
        intake.over = True
        intake.stop()
        self._ready[intake] = None
        if len(self._intakes) - self.running > MAX_ENDED:
            oldest = next(one for one in self._intakes if one.over)
            self._abandon(oldest)
            self._ready.pop(oldest, None)
            self._forget(oldest)
        self._wake()

    def _forget(self, intake: Intake) -> None:
        self._overflowed |= intake.queue.overflowed
        self._forgotten.add(intake.queue)
        del self._intakes[intake]
        intake.leave()


def _oldest(queue: Subscriber, size: int, until_ns: int | None) -> Sequence[Burst]:
    """Take the bursts up to a time; up to `size` bytes, but at least one."""
    bursts: list[Burst] = []
    while (oldest := queue.oldest) is not None and (not bursts or oldest.size <= size):
        if bursts and until_ns is not None and oldest.time_ns > until_ns:
            break
        bursts += queue.take(0)
        size -= oldest.size
    return bursts


def _age(intake: Intake) -> float:
    oldest = intake.queue.oldest
    return inf if oldest is None else oldest.time_ns
