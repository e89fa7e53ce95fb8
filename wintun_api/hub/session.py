"""Run one session: its life and the path of its packets.

STARTING ─▶ RUNNING ─▶ ENDING ─▶ ENDED
    ▲          │ ring corrupt, once     RUNNING ─▶ ENDING ─▶ ENDED    the adapter is gone (38)
    └──────────┘                        RUNNING ─▶ ENDING ─▶ FAILED   corrupt again, other errors

While a session is ENDING it accepts no packets from clients and no new subscribers. Then, in this
order: the pump stops, and so does the host if it can be stopped; the rest of the ring is read;
clients take what is queued (`hub.ending`); the driver's session ends and its last counters are
read; what is left is counted; the session has ended; clients are told and released. After that its
counters no longer change, unless a client is cut off later with bytes that the kernel did not take.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from wintun_api.choices import EventType, Full, SessionState, Tap
from wintun_api.drivers.base import ADAPTER_GONE, Adapter, LinkCounters, Session
from wintun_api.errors import (
    DriverBusy,
    DriverError,
    FailedCall,
    RingCorrupt,
    ServiceStopping,
    SessionEnded,
    SessionNotFound,
)
from wintun_api.hub import ending, marks
from wintun_api.hub.burst import Burst
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.counters import SessionCounters
from wintun_api.hub.ending import Client, Ending
from wintun_api.hub.events import EventLog
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.holds import Hold, HoldView
from wintun_api.hub.host_losses import DriverLosses, HostLosses
from wintun_api.hub.impairment.impairment import Impairment, ImpairmentView
from wintun_api.hub.impairment.parameters import Plan
from wintun_api.hub.injection import Injection, Passed, count_by_reason, part, send
from wintun_api.hub.losses import Cause, Loss, SessionLoss, SessionLosses
from wintun_api.hub.pump import Pump
from wintun_api.hub.recorder import Recorder, RecorderView
from wintun_api.hub.remainder import Remainder
from wintun_api.hub.stamping import Stamping
from wintun_api.hub.subscriber import Subscriber
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.threads import DriverThread
from wintun_api.packet.block import Block, lengths_of, measured
from wintun_api.packet.check import Sifted
from wintun_api.packet.stamps import Stamps

logger = logging.getLogger(__name__)

# How often the host's counters are read while packets flow: losses are reported within two seconds.
LOOK_INTERVAL = 1.0
# If reading these counters takes longer, the last reading is used.
READ_PATIENCE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """Describe a session at one moment.

    Attributes:
        offload: Whether the host leaves segmentation and checksums to it.
        reason: Why it ended or failed, as a sentence; None until then.
        failed: The driver's call that failed and its number; None if there was none.
        hold: The clients that hold its adapter, and what ends with them; None if none do.
        impairment: What is done to its packets; None if nothing.
        name: The name of its adapter when it started.
        handed_before: What the host had handed to the adapter until then; None if unknown.
        recorder: What keeps its last packets; None if nothing does.
    """

    id: str
    adapter: UUID
    capacity: int
    offload: bool
    state: SessionState
    reason: str | None
    failed: FailedCall | None
    started_ns: int
    ended_ns: int | None
    restarts: int
    subscribers: int
    counters: SessionCounters
    name: str = ""
    handed_before: int | None = None
    hold: HoldView | None = None
    impairment: ImpairmentView | None = None
    recorder: RecorderView | None = None

    @property
    def code(self) -> int | None:
        """The driver's error number if it failed, of whatever kind."""
        return self.failed.code if self.failed else None

    @property
    def ring_lost(self) -> int | None:
        """Packets that the host lost because the ring was full; None if it is not known."""
        return self.counters.ring_lost


class ManagedSession:
    """Run a session of the service: pump, subscribers, injection, restart and end.

    Event loop thread only.

    Attributes:
        clients: The clients to release when the session ends.
        ended: Functions that are each called once when the session has ended.
        past: The same, but once that was published.
        lost: Whether the driver ended it: the adapter is gone, disabled, or has another driver.
        hold: What clients hold of it; None if no client does.
        recorder: What keeps its last packets, until it is deleted; None if nothing does.
    """

    def __init__(
        self,
        adapter: UUID,
        name: str,
        handle: Adapter,
        capacity: int,
        *,
        offload: bool | None = None,
        limit: BurstLimit,
        thread: DriverThread,
        events: EventLog,
        tasks: TaskSet,
    ) -> None:
        self.id = uuid4().hex[:12]
        self.adapter = adapter
        self.capacity = capacity
        self._wanted_offload = offload
        self._offload = False
        self._merged = 0  # in driver's sessions that have ended
        self.state = SessionState.STARTING
        self.losses = SessionLosses(self._publish_loss, asyncio.get_running_loop())
        self.counters = SessionCounters(lost=self.losses.by_cause)
        self.fanout = Fanout(self.losses.add, self._resume)
        self.next_received = 0
        self.next_injected = 0
        self.clients: set[Client] = set()
        self.ended: list[Callable[[], None]] = []
        self.past: list[Callable[[], None]] = []
        self.lost = False
        self.hold: Hold | None = None
        self.recorder: Recorder | None = None
        self.reason: str | None = None
        self._failed_call: FailedCall | None = None
        self.name = name
        self._handle = handle
        self._limit = limit
        self._thread = thread
        self._events = events
        self._tasks = tasks
        self._session: Session | None = None
        self._pump: Pump | None = None
        self.network = Impairment(
            self.id,
            adapter,
            limit=limit,
            fanout=self.fanout,
            deliver=self._deliver,
            give=self._give_late,
            publish=events.publish,
            switch=self._switch,
        )
        self._impairment: Impairment | None = None  # the same, while packets pass through it
        self._stamping = Stamping()
        self._marks = False  # whether a reader wants to know what happened to packets
        self._restarts = 0
        self._started_ns = time.time_ns()
        self._ended_ns: int | None = None
        self._host = HostLosses()
        self._driver = DriverLosses()
        self._look_timer: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._settled = asyncio.Event()  # the driver is not starting a session at present
        self._settled.set()

    def view(self) -> SessionView:
        """Return the present state of the session."""
        return SessionView(
            id=self.id,
            adapter=self.adapter,
            name=self.name,
            capacity=self.capacity,
            offload=self._offload,
            state=self.state,
            reason=self.reason,
            failed=self._failed_call,
            started_ns=self._started_ns,
            ended_ns=self._ended_ns,
            restarts=self._restarts,
            subscribers=len(self.fanout) - (self.recorder is not None and not self.state.over),
            counters=self.counters.copy(),
            handed_before=self.handed_before,
            hold=None if self.hold is None else self.hold.view(),
            impairment=self.network.view() if self.network.impairs else None,
            recorder=None if self.recorder is None else self.recorder.view(),
        )

    @property
    def handed_before(self) -> int | None:
        """What the host had handed to the adapter before it started; None if unknown."""
        return self._host.handed_before

    async def start(self) -> None:
        """Start the driver's session and begin to drain it.

        Raises:
            DriverError: The driver refused; the session has ended.
        """
        self._host.begin(await self._read_counters())
        if self._host.lost is not None:
            self.losses.know(Cause.RING)
        try:
            await self._open()
        except DriverError as error:
            if self.state is SessionState.STARTING:  # else it was ended meanwhile
                self.state, self.reason = SessionState.FAILED, str(error)
                self._failed_call = error.failed
                self._over.set()
            raise
        self._events.publish(EventType.SESSION_STARTED, self.view())

    async def end(
        self, reason: str = "It was ended on request.", *, stopping: bool = False
    ) -> None:
        """End the session and wait until it has ended. Idempotent.

        With `stopping`, clients are told that the whole service is shutting down.
        """
        if self.state in (SessionState.STARTING, SessionState.RUNNING):
            self.state = SessionState.ENDING
            await self._finish(SessionState.ENDED, reason, stopping=stopping)
        else:
            await self._over.wait()

    @property
    def ending(self) -> bool:
        """Whether it is about to end, so that no client can join it any more."""
        return self.state is SessionState.ENDING

    def subscribe(self, subscriber: Subscriber) -> None:
        """Offer packets of its direction to a subscriber from now on.

        Raises:
            SessionNotFound: The session has ended.
        """
        if self.state.over or self.state is SessionState.ENDING:
            raise SessionNotFound(self.id)
        self.fanout.add(subscriber)
        self._switch()

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Offer no more to a subscriber; it keeps its queued packets. Idempotent."""
        self.fanout.discard(subscriber)
        self._switch()

    def next_sequence(self, tap: Tap) -> tuple[int, int]:
        """Return the numbers of the next received and injected packets on a side."""
        side = self.network.before if tap is Tap.BEFORE else self
        return side.next_received, side.next_injected

    def inject(self, sifted: Sifted, full: Full = Full.DROP, *, behind: bool = False) -> Injection:
        """Put checked packets into the send ring, and count those that were rejected; never blocks.

        If the ring is full, packets are dropped and counted, or returned as `waiting`. If the
        driver's call fails, packets that it did not take are counted as `failed`, and `failure` is
        the error.

        With `behind`, other packets of this client are waiting for the ring. These must not
        overtake them, so all of them are returned as `waiting`.

        Raises:
            SessionEnded: The session has ended or is ending; nothing was counted.
        """
        packets, lengths, rejected, left_out = sifted
        injection = Injection()
        if rejected:
            self.require_open()  # before anything is counted: then the client counts all of them
            injection.rejected = dict(rejected)
            for reason, count in rejected.items():
                self.losses.add(Cause.REJECTED, count, reason)
            if self._marks:
                self.fanout.show(marks.rejected(left_out(), self.next_injected), before=True)
        if behind:
            self.require_open()
            injection.waiting = packets
        elif self._impairment is None:
            self._give(packets, lengths, full, injection)
        else:
            self._send(packets, lengths, full, injection)
        return injection

    def retry(self, packets: Sequence[bytes], full: Full = Full.WAIT) -> Injection:
        """Put packets that `inject` has checked and left waiting into the send ring.

        Raises:
            SessionEnded: The session has ended or is ending.
        """
        injection = Injection()
        passed = type(packets) is Passed
        if passed or self._impairment is None:
            self._give(packets, lengths_of(packets), full, injection)
        else:
            self._send(packets, lengths_of(packets), full, injection)
        if passed and injection.waiting:
            injection.waiting = Passed(injection.waiting)
        return injection

    def give_up(self, count: int, cause: Cause) -> None:
        """Count a client's packets that never reached the driver as `RING_FULL` or `FAILED`."""
        self.losses.add(cause, count)

    def impair(self, plan: Plan) -> ImpairmentView:
        """Impair the session from now on, instead of what was set before.

        Raises:
            SessionEnded: The session has ended or is ending.
        """
        self.require_open()
        view = self.network.set(plan)
        self._switch()
        return view

    def repair(self) -> ImpairmentView:
        """Impair the session no more; return what was done to it.

        Raises:
            ImpairmentNotFound: The session is not impaired.
        """
        view = self.network.remove()
        self._switch()
        return view

    def impairment_view(self) -> ImpairmentView:
        """Return what its impairment does now and what it did.

        Raises:
            ImpairmentNotFound: The session is not impaired.
        """
        return self.network.view()

    def record(self, recorder: Recorder | None) -> None:
        """Let a recorder keep its packets from now on, or none; drop what an earlier one has.

        Raises:
            SessionEnded: There is a recorder, and the session has ended or is ending.
        """
        if recorder is not None:
            self.require_open()
        known, self.recorder = self.recorder, recorder
        if known is not None:
            self.fanout.discard(known.subscriber)
            known.clear()
        if recorder is not None:
            self.fanout.add(recorder.subscriber)
        self._switch()

    def _switch(self) -> None:
        self._impairment = self.network if self.network.on else None
        self._stamping.switch(self._session, on=self.fanout.timed)
        self._marks = self.fanout.marked
        self.network.mark(on=self._marks)

    async def refresh(self) -> None:
        """Read the host's losses from the operating system; do not wait for a slow answer."""
        if self.state is SessionState.RUNNING and not self._thread.busy:
            counters = await self._read_counters()
            if self.state is SessionState.RUNNING:
                self._learn(counters)

    def _send(
        self, packets: Sequence[bytes], lengths: Sequence[int], full: Full, injection: Injection
    ) -> None:
        """Let clients' packets through the impairment, and those that leave at once to the host."""
        impairment = self._impairment
        assert impairment is not None
        self.require_open()
        passed = impairment.inject(packets, lengths)
        passed_lengths, passed_size = measured(passed)
        self._give(passed, passed_lengths, full, injection)
        if injection.waiting:
            injection.waiting = Passed(injection.waiting)
        size = packets.size if type(packets) is Block else sum(lengths)
        given_up = injection.through(len(packets), size, len(passed), passed_size)
        self.give_up(given_up, Cause.RING_FULL)

    def _give_late(self, packets: Sequence[bytes], lengths: Sequence[int], _size: int) -> None:
        """Give packets to the host that no client waits for: they were delayed."""
        if self.state is SessionState.ENDING:
            self.give_up(len(packets) - self._give_last(packets), Cause.RING_FULL)
        else:
            self._give(packets, lengths, Full.DROP, Injection())

    def _give_last(self, packets: Sequence[bytes]) -> int:
        """Give the host what was delayed until the session's end; return how many it took."""
        taken = 0
        if self._session is not None:
            taken, _ = send(self._session, packets)
        if taken:
            self._injected(packets, lengths_of(packets), taken, Injection())
        return taken

    def _give(
        self, packets: Sequence[bytes], lengths: Sequence[int], full: Full, injection: Injection
    ) -> None:
        """Put packets into the send ring."""
        taken, failure = 0, None
        if self.state is SessionState.RUNNING and self._session is not None:
            taken, failure = send(self._session, packets)
        else:
            self.require_open()  # while it is restarted, the ring counts as full
        if taken:
            self._injected(packets, lengths, taken, injection)
        left = len(packets) - taken
        if failure is not None:
            injection.failed += left
            injection.failure = failure
            self.give_up(left, Cause.FAILED)
            if isinstance(failure, SessionEnded | RingCorrupt):
                self._failed(failure)
        elif left and full is Full.WAIT:
            injection.waiting = part(packets, taken, len(packets))
        elif left:
            injection.ring_full += left
            self.give_up(left, Cause.RING_FULL)

    def require_open(self) -> None:
        """Raise SessionEnded if the session has ended or is ending."""
        if self.state not in (SessionState.STARTING, SessionState.RUNNING):
            raise SessionEnded(self.id, self._why())

    def _injected(
        self, packets: Sequence[bytes], lengths: Sequence[int], taken: int, injection: Injection
    ) -> None:
        """Count and publish the first `taken` packets."""
        complete = taken == len(packets)
        if not complete:
            lengths = lengths[:taken]
        whole = packets.size if complete and type(packets) is Block else sum(lengths)
        size, refused = whole, 0
        session = self._session
        if session is not None and session.refused is not self._driver.refused:
            refused = self._learn_refused(session, injection)
        accepted = taken - refused
        if refused:  # which ones is not known, nor how large they were
            size = size * accepted // taken
        injection.accepted += accepted
        injection.accepted_bytes += size
        self.counters.injected_packets += accepted
        self.counters.injected_bytes += size
        if not accepted:
            return
        if self.fanout.wants(injected=True):
            if not complete:
                packets = part(packets, 0, taken)
            elif type(packets) is Block:
                packets = packets.compact()
            now = time.time_ns()
            burst = Burst(packets, lengths, whole, self.next_injected, now, injected=True)
            if self._marks:
                burst.comments = marks.comments_of(packets)
            self.fanout.publish(burst)
        self.next_injected += taken

    def _learn_refused(self, session: Session, injection: Injection) -> int:
        new = self._driver.new_refused(session)
        count_by_reason(injection.refused, new)
        for cause, count in new.items():
            self.losses.add(Cause.REFUSED, count, cause)
        return sum(new.values())

    def _received(self, packets: Sequence[bytes], lengths: Sequence[int], size: int) -> None:
        count = len(packets)
        counters = self.counters
        counters.received_packets += count
        counters.received_bytes += size
        if self._look_timer is None:
            self._look_later()
        stamps = self._stamping.take(self._session, count) if self._stamping.on else None
        if self._impairment is None:
            self._deliver(packets, lengths, size, stamps)
        else:
            self._impairment.receive(packets, lengths, size, stamps)
            if self.fanout.blocked:  # perhaps by a reader of what comes before it
                self._pause()

    def _deliver(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        stamps: Stamps | None = None,
    ) -> None:
        count, first = len(packets), self.next_received
        self.next_received += count
        if self.fanout.wants(injected=False):
            now, times = (time.time_ns(), None) if stamps is None else stamps
            burst = Burst(packets, lengths, size, first, now, injected=False, times=times)
            if self._marks:
                burst.comments = marks.comments_of(packets)
            self.fanout.publish(burst)
            if self.fanout.blocked:
                self._pause()
        else:
            self.losses.leave(count)

    def _pause(self) -> None:
        if self._pump is not None:
            self._pump.pause()
        self.network.pause()

    def _resume(self) -> None:
        if self._pump is not None:
            self._pump.resume()
        self.network.resume()

    # What the host lost

    def _look_later(self) -> None:
        if self._look_timer is None:
            loop = asyncio.get_running_loop()
            self._look_timer = loop.call_later(LOOK_INTERVAL, self._look)

    def _look(self) -> None:
        self._look_timer = None
        if self.state is SessionState.RUNNING:
            self._tasks.spawn(self.refresh(), name=f"look:{self.id}")
            if self.fanout.blocked:  # the ring is not read, and may overflow at any time
                self._look_later()

    async def _read_counters(self) -> LinkCounters | None:
        call = self._thread.call("counters", self._handle.counters)
        try:
            return await asyncio.wait_for(call, READ_PATIENCE)
        except (DriverError, DriverBusy, ServiceStopping, TimeoutError):  # not known is an answer
            return None

    def _learn(self, counters: LinkCounters | None, *, drained: bool = False) -> None:
        if self._session is not None:
            self._miss(Cause.TRUNCATED, self._driver.new_truncated(self._session))
        # As the host counts them.
        read = self.counters.received_packets + self.counters.truncated - self._merged
        self._miss(Cause.RING, self._host.learn(counters, read if drained else None))

    def _miss(self, cause: Cause, count: int) -> None:
        """Leave a gap in the sequence numbers for lost packets, and report it."""
        if count > 0:
            first = self.next_received
            self.next_received += count
            self.losses.add(cause, count)
            self.fanout.lose(Loss(count, first, first + count - 1, injected=False, cause=cause))
            self.network.before.miss(count, cause)

    # Life

    async def _open(self) -> None:
        self._settled.clear()
        try:
            session = await self._thread.call(
                "start_session",
                partial(self._handle.start_session, self.capacity, offload=self._wanted_offload),
            )
            if self.state is not SessionState.STARTING:  # ended while the driver was at it
                await self._thread.call("end_session", session.end)
                raise SessionEnded(self.id, self._why())
        finally:
            self._settled.set()
        self._session = session
        self._offload = session.offload
        self._stamping.switch(session, on=self._stamping.on)
        self._driver.begin(session)
        self.state = SessionState.RUNNING
        self._pump = Pump(session, self.name, self._limit, self._received, self._failed)
        self._pump.start()
        if self.fanout.blocked:
            self._pump.pause()

    async def _close(self) -> None:
        # A session that the driver is still starting is ended by `_open`.
        await self._settled.wait()
        await self._stop_pump()
        session, self._session = self._session, None
        if session is not None:
            await self._thread.call("end_session", session.end)
            self._merged += session.merged
            self._miss(Cause.TRUNCATED, self._driver.new_truncated(session))

    async def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            try:
                await pump.stop()
            except DriverBusy:  # a thread is still inside the session, so it must not be touched
                self._session = None
                raise

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
            self.lost = True
            finish = self._finish_lost()
        else:
            finish = self._finish(SessionState.FAILED, str(error), error.failed)
        self._tasks.spawn(finish, name=f"finish:{self.id}")

    async def _finish_lost(self) -> None:
        """Finish a session that the driver has ended, and record why."""
        reason = ADAPTER_GONE
        try:
            call = self._thread.call("end_reason", self._handle.end_reason)
            reason = await asyncio.wait_for(call, ending.DRIVER_PATIENCE)
        except (DriverError, DriverBusy, ServiceStopping, TimeoutError):
            pass  # do not wait for a slow answer
        except Exception:  # a defect of the driver must not keep the session from ending
            logger.exception("The driver could not say why a session has ended.")
        await self._finish(SessionState.ENDED, reason)

    async def _restart(self, cause: RingCorrupt) -> None:
        self._restarts += 1
        try:
            await self._close()
            # Between two sessions there is no ring, and what was left in it is lost.
            self._learn(await self._read_counters(), drained=True)
            await self._open()
        except Exception as error:  # noqa: BLE001 - no error may leave it half started
            if self.state is SessionState.STARTING:
                self.state = SessionState.ENDING
                reason = f"{cause} It could not be restarted: {error}"
                await self._finish(SessionState.FAILED, reason, getattr(error, "failed", None))
            return
        self._events.publish(EventType.SESSION_RESTARTED, self.view())

    async def _finish(
        self,
        state: SessionState,
        reason: str,
        failed: FailedCall | None = None,
        *,
        stopping: bool = False,
    ) -> None:
        self.reason, self._failed_call = reason, failed
        trouble: DriverBusy | DriverError | None = None
        try:
            await self._empty()
        except (DriverBusy, DriverError) as error:
            trouble = error
        finally:
            closing = self._tasks.spawn(self._close_at_last(trouble), name=f"close:{self.id}")
            await self._let_go(state, closing, stopping=stopping)

    async def _empty(self) -> None:
        """Stop the pump, read the rest of the ring, and let the clients take it."""
        deadline = asyncio.get_running_loop().time() + ending.FLUSH_PATIENCE
        self.network.finish(self._give_last)
        await self._stop_pump()
        rest = Remainder(self._session, self._thread, self.fanout, self._received)
        await rest.deliver(self.clients, deadline)

    async def _close_at_last(self, trouble: DriverBusy | DriverError | None) -> bool:
        """Close; return whether that succeeded. If not, reason and code say what failed."""
        try:
            await self._close()
        except (DriverBusy, DriverError) as error:
            trouble = trouble or error
        if trouble is not None:
            self.reason = f"{self.reason} {trouble}"
            self._failed_call = getattr(trouble, "failed", self._failed_call)
        return trouble is None

    async def _let_go(
        self, state: SessionState, closing: asyncio.Task[bool], *, stopping: bool
    ) -> None:
        await asyncio.wait([closing], timeout=ending.DRIVER_PATIENCE)
        hangs = not closing.done()
        if not hangs:
            state = state if closing.result() else SessionState.FAILED
            self._learn(await self._read_counters(), drained=True)
        clients = list(self.clients)
        ending.settle(clients)
        told = Ending(state, self.reason or "", stopping)
        if stopping or hangs:
            # The driver cannot be asked now: the clients come first.
            ending.farewell(clients, told)
            if stopping:
                await ending.gone(clients)
            if hangs:
                await asyncio.wait([closing])
                state = state if closing.result() else SessionState.FAILED
                self._learn(await self._read_counters(), drained=True)
            self._over_now(state)
        else:
            # A client that asks after being told that the session has ended must find it ended.
            self._over_now(state)
            ending.farewell(clients, told)

    def _over_now(self, state: SessionState) -> None:
        self.state = state
        self._ended_ns = time.time_ns()
        if self._look_timer is not None:
            self._look_timer.cancel()
        self._over.set()
        self.network.over()
        if self.recorder is not None:
            self.fanout.discard(self.recorder.subscriber)
            self.recorder.finish()
        self.losses.tell()
        callbacks, self.ended = self.ended, []
        for callback in callbacks:
            callback()
        failed = state is SessionState.FAILED
        kind = EventType.SESSION_FAILED if failed else EventType.SESSION_ENDED
        self._events.publish(kind, self.view())
        callbacks, self.past = self.past, []
        for callback in callbacks:
            callback()

    def _why(self) -> str:
        return f"The session has ended. {self.reason or ''}".strip()

    def _publish_loss(self, cause: str, count: int) -> None:
        loss = SessionLoss(self.id, self.adapter, cause, count)
        self._events.publish(EventType.SESSION_LOSS, loss)
