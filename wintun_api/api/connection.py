"""Serve one packet client: its subscription, its injections and its control messages."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wintun_api.api.connected import Counts
from wintun_api.api.filter_change import Compile, FilterChange, wanted_filter
from wintun_api.api.link import Link
from wintun_api.api.problems import close_code
from wintun_api.api.unsent import Span
from wintun_api.choices import CloseCode, Direction, Ends, Full, Overflow, Tap, Times
from wintun_api.chunks import Messages
from wintun_api.errors import DriverError, SessionEnded
from wintun_api.frames import close_reason
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.burst import Burst
from wintun_api.hub.ending import CLOSE_PATIENCE, LINGER_PATIENCE, Ending
from wintun_api.hub.filters import Filter
from wintun_api.hub.injection import Injection
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.pace import Pace
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.subscriber import Subscriber
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import MAX_PACKET
from wintun_api.packet.check import Sifted
from wintun_api.wire import BATCH

logger = logging.getLogger(__name__)

# Every message is acknowledged, but one ack may cover many messages.
ACK_INTERVAL = 0.001
# The ring does not signal when it has room again, so a full ring is retried after this time.
# Windows rounds it up to its clock tick of about 15 ms.
RETRY = 0.001
# A connection that is closed on its own, for example for a revoked token, is gone within a second:
# this is the time for queued packets, and `CLOSE_PATIENCE` that for the last messages.
END_PATIENCE = 0.4
BAD_TEXT = 'A text message must be {"type": "filter", "filter": ...}; packets are binary messages.'
# For so long, a client with overflow=close whose queue was full can resume, read what was queued
# and learn how many packets it lost. uvicorn waits as long for a client's answer to a close frame.
SLOW_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """Hold what a client asked for when it connected.

    Attributes:
        direction: Which packets it gets.
        overflow: What to do when its queue is full.
        queue_packets: Limit of its queue in packets.
        queue_bytes: Limit of its queue in bytes.
        snaplen: Bytes of each packet that it wants; 0 for all.
        full: What to do with its packets when the send ring is full.
        message_bytes: Size up to which queued bursts share a message.
        ends: What ends after the last client that holds the adapter.
        tap: On which side of an impairment it watches.
        filter: What chooses the packets that it gets; None if it gets all.
        times: Whether it wants a time for each packet.
        marks: Whether it wants packets that were changed or rejected to be marked.
    """

    direction: Direction
    overflow: Overflow
    queue_packets: int
    queue_bytes: int
    snaplen: int
    full: Full
    message_bytes: int
    ends: Ends = Ends.NOTHING
    tap: Tap = Tap.AFTER
    filter: Filter | None = None
    times: Times = Times.BURST
    marks: bool = False


class PacketConnection:
    """Exchange the packets of one session with one client. Event loop thread only."""

    def __init__(
        self,
        session: ManagedSession,
        link: Link,
        subprotocol: str,
        options: Options,
        *,
        may_inject: bool,
        compile_filter: Compile,
    ) -> None:
        self._session = session
        self._link = link
        self._batch = subprotocol == BATCH
        self._subprotocol = subprotocol
        self._options = options
        self._may_inject = may_inject
        self._loop = asyncio.get_running_loop()
        self._subscriber = Subscriber(
            direction=options.direction,
            tap=options.tap,
            filter=options.filter,
            times=options.times if self._batch else Times.BURST,
            overflow=options.overflow,
            limit_packets=options.queue_packets,
            limit_bytes=options.queue_bytes,
            wake=self._flush,
            take_now=self._send_now,
            fail=self._cut_off,
        )
        self._filter_change = FilterChange(
            compile_filter, self._filter_from_now, self._tell_filter, lambda: link.writable
        )
        self._tasks = TaskSet()
        self._leaving = False
        self._closing = False
        self._drained = asyncio.Event()
        self._shut = asyncio.Event()
        self._slow_timer: asyncio.TimerHandle | None = None
        self._loss_pace = Pace(self._writable, self._loop)
        self._waiting: deque[Sequence[bytes]] = deque()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._messages = 0
        self._unacknowledged: Injection | None = None
        self._injected = Injection()  # without what is not acknowledged yet
        self._ack_at = 0.0
        self._ack_timer: asyncio.TimerHandle | None = None

    def open(
        self, adapter: AdapterView, max_message: int, client: str, *, started: bool = False
    ) -> None:
        """Send hello, subscribe and accept messages from now on."""
        timed = self._options.times is Times.PACKET
        self._link.attach(self.messages, self._writable, batched=self._batch, timed=timed)
        if self._batch:
            self._link.send_text(self._hello(adapter, max_message, client, started=started))
        self._session.subscribe(self._subscriber)
        self._session.clients.add(self)

    def close(self) -> None:
        """Count what has not reached the client as lost, and release everything. Idempotent."""
        self._leave()
        self._stop_timers()
        if not self._closing:  # otherwise the closing continues, and counts when it is done
            self._closing = True
            self.settle()
            self._count_unsent()
        self._drained.set()
        self._link.detach()

    def counts(self) -> Counts:
        """Return what waits for the client, and what became of its packets and of those it sent."""
        subscriber, total = self._subscriber, Injection()
        total.add(self._injected)
        if self._unacknowledged is not None:
            total.add(self._unacknowledged)
        lost = Counter({str(cause): count for cause, count in subscriber.losses.by_cause.items()})
        lost += Counter({Cause.RING_FULL: total.ring_full, Cause.FAILED: total.failed})
        for cause, reasons in (Cause.REJECTED, total.rejected), (Cause.REFUSED, total.refused):
            lost.update({f"{cause}_{reason}": count for reason, count in reasons.items()})
        return Counts(
            subscriber.queued_packets,
            subscriber.queued_bytes,
            subscriber.delivered_packets,
            total.accepted,
            lost,
        )

    def end(self, code: CloseCode, reason: str, patience: float = END_PATIENCE) -> None:
        """Accept no more messages, deliver what is queued, then close with this code.

        A client that has not read everything after `patience` seconds loses the rest, which is
        counted.
        """
        if not self._leaving:
            self._leave()
            self._tasks.spawn(self._end(code, reason, patience), name="packets:end")

    async def flush(self) -> None:
        """Return when the kernel has everything that was queued, or the client is gone."""
        while not self._closing:
            self._drained.clear()
            self._flush()
            if self._subscriber.queued_packets:
                await self._drained.wait()
                continue
            await self._link.sent()
            if not self._subscriber.queued_packets:
                return

    def settle(self) -> None:
        """Count what is still waiting in both directions."""
        self._leave()
        while self._waiting:
            count = len(self._waiting.popleft())
            self._session.give_up(count, Cause.RING_FULL)
            self._add(Injection(ring_full=count))
        self._subscriber.abandon()

    def farewell(self, ending: Ending) -> None:
        """Tell the client how the session ended, and close."""
        code = CloseCode.GOING_AWAY if ending.stopping else CloseCode.ENDED
        patience = CLOSE_PATIENCE if ending.stopping else LINGER_PATIENCE
        said = {"type": "ended", "state": ending.state, "reason": ending.reason}
        if self._subscriber.overflowed:
            self.shut(CloseCode.SLOW, CloseCode.SLOW.reason, patience, said)
        else:
            self.shut(code, ending.reason, patience, said)

    async def gone(self) -> None:
        """Return when no more data can reach the client."""
        try:
            await self._shut.wait()
        finally:
            self._count_unsent(abort=True)

    def shut(
        self,
        code: CloseCode,
        reason: str,
        patience: float = CLOSE_PATIENCE,
        said: dict[str, Any] | None = None,
    ) -> None:
        """Count what is left, tell the client, and close with this code.

        If the kernel has not taken all of it after `patience` seconds, the client is cut off.
        """
        if self._closing:
            return
        self.settle()
        self._closing = True
        self._stop_timers()
        self._drained.set()
        if self._batch:
            self._send_ack()
            self._send_losses()
            if said is not None:
                self._link.send_text(said)
        self._link.close(code, close_reason(reason), patience)
        self._tasks.spawn(self._settle_link(patience), name="packets:shut")

    def messages(self, messages: Messages) -> None:
        """Inject the packets of binary messages from the client."""
        try:
            self._inject(messages)
        except Exception as error:  # noqa: BLE001 - logged; it ends this connection alone
            self._broken(error)

    def text(self, text: str) -> None:
        """Take a text message from the client: another filter, and nothing else."""
        wanted = wanted_filter(text)
        if wanted is None:
            self.end(CloseCode.BAD_FRAME, BAD_TEXT)
        elif not self._leaving:
            self._filter_change.ask(wanted)

    def _hello(
        self, adapter: AdapterView, max_message: int, client: str, *, started: bool
    ) -> dict[str, Any]:
        options = self._options
        received, injected = self._session.next_sequence(options.tap)
        return {
            "type": "hello",
            "protocol": self._subprotocol,
            "client": client,
            "session": self._session.id,
            "adapter": {
                "guid": str(adapter.info.guid),
                "name": adapter.info.name,
                "interface_name": adapter.info.interface_name,
            },
            "mtu": adapter.info.mtu,
            "direction": options.direction,
            "overflow": options.overflow,
            "full": options.full,
            "limits": {
                "max_packet": MAX_PACKET,
                "max_message": max_message,
                "queue_packets": options.queue_packets,
                "queue_bytes": options.queue_bytes,
                "snaplen": options.snaplen,
            },
            "next_sequence": {"received": received, "injected": injected},
            "handed_before": self._session.handed_before,
            "started": started,
            "ends": options.ends,
            "tap": options.tap,
            "filter": "" if options.filter is None else options.filter.expression,
            "times": options.times,
        }

    # To the client

    def _writable(self) -> None:
        try:
            self._acknowledge()
            self._flush()
            self._filter_change.now_writable()
        except Exception as error:  # noqa: BLE001 - logged; it ends this connection alone
            self._broken(error)

    def _flush(self) -> None:
        subscriber, link = self._subscriber, self._link
        while link.writable:
            if subscriber.losses:
                self._tell_losses()
            bursts = subscriber.take(self._options.message_bytes)
            if not bursts:
                break
            try:
                self._send(bursts)
            except BaseException:
                for burst in bursts:
                    self._lose(Span.of(burst))
                raise
        if not subscriber.queued_packets:
            self._drained.set()
        if subscriber.overflowed and not self._leaving:
            if not subscriber.queued_packets and link.writable:
                self.end(CloseCode.SLOW, CloseCode.SLOW.reason)
            elif self._slow_timer is None:
                self._slow_timer = self._loop.call_later(SLOW_PATIENCE, self._too_slow)

    def _send_now(self, burst: Burst) -> bool:
        if not self._link.writable:
            return False
        self._send((burst,))
        return True

    def _send(self, bursts: Sequence[Burst]) -> None:
        if self._options.snaplen:
            bursts = [burst.cut(self._options.snaplen) for burst in bursts]
        if self._batch:
            self._link.send_batches(bursts)
        else:
            self._link.send_packets(bursts)

    def _filter_from_now(self, chosen: Filter | None) -> tuple[int, int]:
        self._subscriber.filter = chosen
        return self._session.next_sequence(self._options.tap)

    def _tell_filter(self, answer: dict[str, Any]) -> None:
        if self._batch:
            self._link.send_text(answer)
        elif not answer["valid"]:  # v1.raw cannot say it in another way
            why = answer["error"]["message"].rstrip(".")
            self.end(CloseCode.BAD_FRAME, f"The filter was not taken: {why}.")

    def _too_slow(self) -> None:
        self.end(CloseCode.SLOW, CloseCode.SLOW.reason, patience=0)

    def _tell_losses(self) -> None:
        if not self._batch:
            self._subscriber.losses.take()
            return
        if self._loss_pace.may():
            self._send_losses()

    def _send_losses(self) -> None:
        for loss in self._subscriber.losses.take():
            self._link.send_text(lost_message(loss))

    # The end

    def _leave(self) -> None:
        self._leaving = True
        self._filter_change.stop()
        self._session.unsubscribe(self._subscriber)

    async def _end(self, code: CloseCode, reason: str, patience: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), patience)
        self.shut(code, reason)

    async def _settle_link(self, patience: float) -> None:
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._link.sent(), patience)
        finally:
            self._count_unsent(abort=True)

    def _count_unsent(self, *, abort: bool = False) -> None:
        for span in self._link.take_unsent(abort=abort):
            self._lose(span)
        self._session.clients.discard(self)
        self._shut.set()

    def _lose(self, span: Span) -> None:
        self._subscriber.give_back(span.count, span.first, injected=span.injected, last=span.last)

    def _broken(self, error: Exception) -> None:
        logger.error("A packet connection failed and was closed.", exc_info=error)
        self._cut_off(error)

    def _cut_off(self, _error: Exception) -> None:
        self._subscriber.abandon()
        self.end(CloseCode.INTERNAL_ERROR, CloseCode.INTERNAL_ERROR.reason, patience=0)

    def _stop_timers(self) -> None:
        self._loss_pace.stop()
        for timer in (self._retry_timer, self._ack_timer, self._slow_timer):
            if timer is not None:
                timer.cancel()

    # From the client

    def _inject(self, messages: Messages) -> None:
        if messages.fault is not None:
            self.end(CloseCode.BAD_FRAME, str(messages.fault))
            return
        self._messages += messages.number
        self._take(messages.sifted)

    def _take(self, sifted: Sifted) -> None:
        if not self._may_inject:
            self._refuse(sifted)
            self.end(CloseCode.SCOPE, "The token does not have the scope inject.")
            return
        if self._leaving:
            self._refuse(sifted)
            return
        try:
            injection = self._session.inject(sifted, self._options.full, behind=bool(self._waiting))
        except SessionEnded:  # the end of the session closes this connection
            self._refuse(sifted)
            return
        self._account(injection)

    def _refuse(self, sifted: Sifted) -> None:
        if not self._closing:
            count = sifted.offered
            self._session.give_up(count, Cause.FAILED)
            self._add(Injection(failed=count))
            self._acknowledge()

    def _account(self, injection: Injection) -> None:
        waiting, injection.waiting = injection.waiting, ()
        if waiting:
            self._waiting.append(waiting)
            self._link.pause_reading()
            if self._retry_timer is None:
                self._retry_timer = self._loop.call_later(RETRY, self._retry)
        self._add(injection)
        self._acknowledge()
        if injection.failure is not None:
            self._driver_failed(injection.failure)

    def _add(self, injection: Injection) -> None:
        if not self._batch:
            self._injected.add(injection)
            return
        if self._unacknowledged is None:
            self._unacknowledged = injection
        else:
            self._unacknowledged.add(injection)

    def _driver_failed(self, error: DriverError) -> None:
        if not isinstance(error, SessionEnded):  # then the session's own end closes this connection
            self.end(close_code(error), str(error))

    def _retry(self) -> None:
        self._retry_timer = None
        try:
            self._retry_waiting()
        except Exception as error:  # noqa: BLE001 - logged; it ends this connection alone
            self._broken(error)

    def _retry_waiting(self) -> None:
        while self._waiting:
            try:
                injection = self._session.retry(self._waiting[0], Full.WAIT)
            except SessionEnded:
                return  # waiting packets are counted when the session's end closes this connection
            self._waiting.popleft()
            waiting, injection.waiting = injection.waiting, ()
            self._add(injection)
            if injection.failure is not None:
                self._driver_failed(injection.failure)
                return
            if waiting:
                self._waiting.appendleft(waiting)
                self._retry_timer = self._loop.call_later(RETRY, self._retry)
                return
        self._acknowledge()
        self._link.resume_reading()

    def _acknowledge(self) -> None:
        # While packets wait or the client does not read, and for a moment after an ack, counts are
        # added up for one later ack.
        if self._ack_timer is not None or self._unacknowledged is None or self._waiting:
            return
        if not self._link.writable:
            return
        now = self._loop.time()
        if now >= self._ack_at:
            self._ack_at = now + ACK_INTERVAL
            self._send_ack()
        else:
            self._ack_timer = self._loop.call_at(self._ack_at, self._ack_due)

    def _ack_due(self) -> None:
        self._ack_timer = None
        self._writable()

    def _send_ack(self) -> None:
        done, self._unacknowledged = self._unacknowledged, None
        if done is None:
            return
        self._injected.add(done)
        self._link.send_text(
            {
                "type": "ack",
                "messages": self._messages,
                "accepted": done.accepted,
                "rejected": dict(done.rejected),
                "ring_full": done.ring_full,
                "refused": dict(done.refused),
                "failed": done.failed,
            }
        )


def lost_message(loss: Loss) -> dict[str, Any]:
    """Return the control message that reports lost packets."""
    return {
        "type": "lost",
        "cause": loss.cause,
        "direction": "injected" if loss.injected else "received",
        "count": loss.count,
        "first": loss.first,
        "last": loss.last,
    }
