"""One session's life and the way of its packets.

STARTING ─▶ RUNNING ─▶ ENDING ─▶ ENDED
    ▲          │ ring corrupt, once     RUNNING ─▶ ENDED    the adapter is gone (38)
    └──────────┘                        RUNNING ─▶ FAILED   a second time, or any other error
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid4

from wintun_api.drivers.base import Adapter, Session
from wintun_api.errors import DriverBusy, DriverError, RingCorrupt, SessionEnded, SessionNotFound
from wintun_api.hub.counters import SessionCounters
from wintun_api.hub.events import EventLog, EventType
from wintun_api.hub.fanout import Burst, Fanout, Subscriber
from wintun_api.hub.injection import Full, Injection, sift
from wintun_api.hub.pump import BurstLimit, Pump
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.threads import DriverThread
from wintun_api.packet.block import lengths_of
from wintun_api.packet.check import sound

LOSS_INTERVAL = 1.0
REFRESH_PATIENCE = 1.0


class SessionState(StrEnum):
    """Where a session is in its life; the module draws the transitions."""

    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether the session will never run again."""
        return self in (SessionState.ENDED, SessionState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session as it is at one moment.

    Attributes:
        reason: Why it ended or failed, as a sentence; None before.
        code: The driver's error code when it failed, else None.
        ring_lost: Packets the host lost because the ring was full; None where not known.
    """

    id: str
    adapter: UUID
    capacity: int
    state: SessionState
    reason: str | None
    code: int | None
    started_ns: int
    ended_ns: int | None
    restarts: int
    subscribers: int
    ring_lost: int | None
    counters: SessionCounters


@dataclass(frozen=True, slots=True)
class SessionLoss:
    """Packets lost during the last second, counted together by cause.

    Causes: "queue" (subscribers' queues), "ring_full" (the send ring).
    """

    session: str
    adapter: UUID
    cause: str
    count: int


class ManagedSession:
    """A session the service runs: pump, subscribers, injection, restart and end.

    Event loop thread only. `ended` callbacks are called once, when the session is over.
    """

    def __init__(
        self,
        adapter: UUID,
        name: str,
        handle: Adapter,
        capacity: int,
        *,
        limit: BurstLimit,
        thread: DriverThread,
        events: EventLog,
        tasks: TaskSet,
    ) -> None:
        self.id = uuid4().hex[:12]
        self.adapter = adapter
        self.capacity = capacity
        self.state = SessionState.STARTING
        self.counters = SessionCounters()
        self.fanout = Fanout()
        self.fanout.resume = self._resume
        self.next_received = 0
        self.next_injected = 0
        self.ended: list[Callable[[], None]] = []
        self.reason: str | None = None
        self._code: int | None = None
        self._name = name
        self._handle = handle
        self._limit = limit
        self._thread = thread
        self._events = events
        self._tasks = tasks
        self._session: Session | None = None
        self._pump: Pump | None = None
        self._restarts = 0
        self._started_ns = time.time_ns()
        self._ended_ns: int | None = None
        self._ring_lost: int | None = None
        self._ring_baseline = 0
        self._losses: Counter[str] = Counter()
        self._loss_timer: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()

    def view(self) -> SessionView:
        """Return the session as it is now."""
        return SessionView(
            id=self.id,
            adapter=self.adapter,
            capacity=self.capacity,
            state=self.state,
            reason=self.reason,
            code=self._code,
            started_ns=self._started_ns,
            ended_ns=self._ended_ns,
            restarts=self._restarts,
            subscribers=len(self.fanout),
            ring_lost=self._ring_lost,
            counters=self.counters,
        )

    async def start(self) -> None:
        """Start the driver's session and begin to drain it.

        Raises:
            DriverError: The driver refused; the session is over.
        """
        self._ring_baseline = await self._read_ring_lost() or 0
        try:
            await self._open()
        except DriverError as error:
            self.state, self.reason, self._code = SessionState.FAILED, str(error), error.code
            self._over.set()
            raise
        self._events.publish(EventType.SESSION_STARTED, self.view())

    async def end(self, reason: str = "It was ended on request.") -> None:
        """End the session and wait until it is over. Idempotent."""
        if self.state in (SessionState.STARTING, SessionState.RUNNING):
            self.state = SessionState.ENDING
            await self._finish(SessionState.ENDED, reason)
        else:
            await self._over.wait()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Let a subscriber have the packets of its direction from now on.

        Raises:
            SessionNotFound: The session is over.
        """
        if self.state.over or self.state is SessionState.ENDING:
            raise SessionNotFound(self.id)
        self.fanout.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a subscriber. Idempotent."""
        self.fanout.discard(subscriber)

    def inject(self, packets: Sequence[bytes], full: Full = Full.DROP) -> Injection:
        """Check packets and put them into the send ring; never blocks.

        Packets that find the ring full are dropped and counted, or come back as `waiting`.

        Raises:
            SessionEnded: The session is over, or its adapter went away now.
        """
        injection = Injection()
        lengths = lengths_of(packets)
        if not sound(packets, lengths):
            packets = sift(packets, injection.rejected)
            lengths = lengths_of(packets)
            self.counters.rejected.update(injection.rejected)
        self._push(packets, lengths, full, injection)
        return injection

    def push(self, packets: Sequence[bytes], full: Full = Full.WAIT) -> Injection:
        """Put packets that `inject` has checked and left waiting into the send ring."""
        injection = Injection()
        self._push(packets, lengths_of(packets), full, injection)
        return injection

    async def refresh(self) -> None:
        """Read from the operating system what the ring lost; a slow answer is not waited for."""
        if self.state is SessionState.RUNNING and not self._thread.busy:
            lost = None
            with suppress(TimeoutError):
                lost = await asyncio.wait_for(self._read_ring_lost(), REFRESH_PATIENCE)
            if lost is not None:
                self._ring_lost = max(0, lost - self._ring_baseline)

    def _push(
        self, packets: Sequence[bytes], lengths: Sequence[int], full: Full, injection: Injection
    ) -> None:
        if self.state is SessionState.RUNNING and self._session is not None:
            try:
                taken = self._session.send_packets(packets)
            except SessionEnded as error:
                self._failed(error)
                raise
        elif self.state is SessionState.STARTING:
            taken = 0  # restarting: the ring has no room for a moment
        else:
            raise SessionEnded("WintunAllocateSendPacket", 38, detail=self._why())
        accepted = packets
        if taken < len(packets):
            accepted, lengths = packets[:taken], lengths[:taken]
        if taken:
            size = sum(lengths)
            injection.accepted += taken
            injection.accepted_bytes += size
            self.counters.injected_packets += taken
            self.counters.injected_bytes += size
            if self.fanout.wants(injected=True):
                now = time.time_ns()
                self._publish(
                    Burst(accepted, lengths, size, self.next_injected, now, injected=True)
                )
            self.next_injected += taken
        if taken < len(packets):
            if full is Full.WAIT:
                injection.waiting = packets[taken:]
            else:
                dropped = len(packets) - taken
                injection.ring_full += dropped
                self.counters.ring_full += dropped
                self._note_loss("ring_full", dropped)

    def _received(self, packets: Sequence[bytes], lengths: Sequence[int], size: int) -> None:
        count = len(packets)
        counters = self.counters
        counters.received_packets += count
        counters.received_bytes += size
        if self.fanout.wants(injected=False):
            now = time.time_ns()
            self._publish(Burst(packets, lengths, size, self.next_received, now, injected=False))
            if self._pump is not None and self.fanout.blocked:
                self._pump.pause()
        else:
            counters.received_unclaimed += count
        self.next_received += count

    def _publish(self, burst: Burst) -> None:
        lost = self.fanout.publish(burst)
        if lost:
            self.counters.queue_lost += lost
            self._note_loss("queue", lost)

    def _resume(self) -> None:
        if self._pump is not None:
            self._pump.resume()

    async def _open(self) -> None:
        session = await self._thread.call(
            "start_session", lambda: self._handle.start_session(self.capacity)
        )
        if self.state is not SessionState.STARTING:  # ended while the driver was at it
            await self._thread.call("end_session", session.end)
            raise SessionEnded("WintunStartSession", 38, detail=self._why())
        self._session = session
        self.state = SessionState.RUNNING
        self._pump = Pump(session, self._name, self._limit, self._received, self._failed)
        self._pump.start()
        if self.fanout.blocked:
            self._pump.pause()

    async def _close(self) -> None:
        pump, self._pump = self._pump, None
        session, self._session = self._session, None
        if pump is not None:
            await pump.stop()
        if session is not None:
            await self._thread.call("end_session", session.end)

    def _failed(self, error: DriverError) -> None:
        if self.state is not SessionState.RUNNING:
            return
        if isinstance(error, RingCorrupt):
            self.counters.ring_corrupt += 1
            if self._restarts == 0:
                self.state = SessionState.STARTING
                self._tasks.spawn(self._restart(error), name=f"restart:{self.id}")
                return
        self.state = SessionState.ENDING
        if isinstance(error, SessionEnded):
            finish = self._finish(SessionState.ENDED, "The adapter is gone.")
        else:
            finish = self._finish(SessionState.FAILED, str(error), error.code)
        self._tasks.spawn(finish, name=f"finish:{self.id}")

    async def _restart(self, cause: RingCorrupt) -> None:
        self._restarts += 1
        try:
            await self._close()
            await self._open()
        except Exception as error:  # noqa: BLE001 - nothing may leave it half started
            if self.state is SessionState.STARTING:
                self.state = SessionState.ENDING
                reason = f"{cause} It could not be restarted: {error}"
                await self._finish(SessionState.FAILED, reason, getattr(error, "code", None))
            return
        self._events.publish(EventType.SESSION_RESTARTED, self.view())

    async def _finish(self, state: SessionState, reason: str, code: int | None = None) -> None:
        self.reason, self._code = reason, code
        try:
            await self._close()
        except (DriverBusy, DriverError) as error:
            state, self.reason = SessionState.FAILED, f"{reason} {error}"
            self._code = getattr(error, "code", code)
        finally:
            self.state = state
            self._ended_ns = time.time_ns()
            self._over.set()
            self._report_losses()
            callbacks, self.ended = self.ended, []
            for callback in callbacks:
                callback()
            failed = state is SessionState.FAILED
            kind = EventType.SESSION_FAILED if failed else EventType.SESSION_ENDED
            self._events.publish(kind, self.view())

    def _why(self) -> str:
        return f"The session has ended. {self.reason or ''}".strip()

    async def _read_ring_lost(self) -> int | None:
        try:
            counters = await self._thread.call("counters", self._handle.counters)
        except DriverError:  # not known is an answer: the counters are no part of the session
            return None
        return counters.received_dropped

    def _note_loss(self, cause: str, count: int) -> None:
        self._losses[cause] += count
        if self._loss_timer is None:
            loop = asyncio.get_running_loop()
            self._loss_timer = loop.call_later(LOSS_INTERVAL, self._report_losses)

    def _report_losses(self) -> None:
        if self._loss_timer is not None:
            self._loss_timer.cancel()
            self._loss_timer = None
        for cause, count in self._losses.items():
            loss = SessionLoss(self.id, self.adapter, cause, count)
            self._events.publish(EventType.SESSION_LOSS, loss)
        self._losses.clear()
