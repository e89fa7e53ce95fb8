"""One packet client: its subscription, its injections and its control messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wintun_api.api.cutoff import REASON
from wintun_api.api.link import Link
from wintun_api.api.problems import (
    CLOSE_BAD_FRAME,
    CLOSE_ENDED,
    CLOSE_SCOPE,
    CLOSE_SLOW,
    CLOSE_TOKEN,
)
from wintun_api.errors import FrameError, SessionEnded
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.fanout import Burst, Direction, Loss, Overflow, Subscriber
from wintun_api.hub.injection import Full, Injection
from wintun_api.hub.session import ManagedSession
from wintun_api.packet.block import Block
from wintun_api.wire import BATCH, unpack

LOSS_INTERVAL = 1.0
# Every message is acknowledged, but not each by an ack of its own when many come.
ACK_INTERVAL = 0.001
# The ring gives no sign when it has room again, so a full one is tried again after this time.
# Windows rounds it up to its clock tick of about 15 ms.
RETRY = 0.001


@dataclass(frozen=True, slots=True)
class Options:
    """What a client asked for when it connected.

    Attributes:
        direction: Which packets it gets.
        overflow: What its full queue does.
        queue_packets: Bound of its queue in packets.
        queue_bytes: Bound of its queue in bytes.
        snaplen: Bytes of each packet it wants; 0 for all.
        full: What a full send ring does to its packets.
        message_bytes: Size up to which queued bursts share a message.
    """

    direction: Direction
    overflow: Overflow
    queue_packets: int
    queue_bytes: int
    snaplen: int
    full: Full
    message_bytes: int


class PacketConnection:
    """The packets of one session for one client. Event loop thread only."""

    def __init__(
        self,
        session: ManagedSession,
        link: Link,
        subprotocol: str,
        options: Options,
        *,
        may_inject: bool,
    ) -> None:
        self._session = session
        self._link = link
        self._batch = subprotocol == BATCH
        self._subprotocol = subprotocol
        self._options = options
        self._may_inject = may_inject
        self._void = False
        self._loop = asyncio.get_running_loop()
        self._subscriber = Subscriber(
            direction=options.direction,
            overflow=options.overflow,
            limit_packets=options.queue_packets,
            limit_bytes=options.queue_bytes,
            wake=self._flush,
            take_now=self._send_now,
        )
        self._loss_at = 0.0
        self._loss_timer: asyncio.TimerHandle | None = None
        self._waiting: deque[Any] = deque()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._messages = 0
        self._unacknowledged: Injection | None = None
        self._ack_at = 0.0
        self._ack_timer: asyncio.TimerHandle | None = None

    def open(self, adapter: AdapterView, max_message: int) -> None:
        """Say hello, subscribe and take messages from now on."""
        self._link.attach(self.messages, self._writable)
        if self._batch:
            self._link.send_text(self._hello(adapter, max_message))
        self._session.subscribe(self._subscriber)
        self._session.ended.append(self._ended)

    def close(self) -> None:
        """Unsubscribe and let go of everything. Idempotent."""
        self._session.unsubscribe(self._subscriber)
        if self._ended in self._session.ended:
            self._session.ended.remove(self._ended)
        for timer in (self._loss_timer, self._retry_timer, self._ack_timer):
            if timer is not None:
                timer.cancel()
        self._link.detach()

    def void(self) -> None:
        """Inject and deliver nothing more: what opened the connection is void."""
        self._void = True
        self._session.unsubscribe(self._subscriber)
        self._waiting.clear()
        if self._batch:
            self._send_ack()
        self._link.close(CLOSE_TOKEN, REASON)
        self._link.resume_reading()

    def messages(self, messages: list[bytes]) -> None:
        """Inject the packets of binary messages from the client."""
        if self._void:
            return
        if not self._may_inject:
            self._link.close(CLOSE_SCOPE, "The token does not have the scope inject.")
            return
        packets: Sequence[bytes] = messages
        if self._batch:
            blocks: list[Block] = []
            for message in messages:
                try:
                    batches = unpack(message)
                except FrameError as error:
                    self._link.close(CLOSE_BAD_FRAME, str(error)[:120])
                    break
                self._messages += 1
                blocks += [Block.of(batch.packets) for batch in batches]
            packets = Block.joined(blocks)
        try:
            injection = self._session.inject(packets, self._options.full)
        except SessionEnded:
            return  # the session's own end closes this connection
        self._account(injection)

    def text(self) -> None:
        """Refuse a text message: neither protocol has one from the client."""
        self._link.close(CLOSE_BAD_FRAME, "Packets come in binary messages.")

    def _hello(self, adapter: AdapterView, max_message: int) -> dict[str, Any]:
        options = self._options
        return {
            "type": "hello",
            "protocol": self._subprotocol,
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
                "max_packet": 0xFFFF,
                "max_message": max_message,
                "queue_packets": options.queue_packets,
                "queue_bytes": options.queue_bytes,
                "snaplen": options.snaplen,
            },
            "next_sequence": {
                "received": self._session.next_received,
                "injected": self._session.next_injected,
            },
        }

    # To the client

    def _writable(self) -> None:
        self._acknowledge()
        self._flush()

    def _flush(self) -> None:
        subscriber, link, snaplen = self._subscriber, self._link, self._options.snaplen
        while link.writable:
            if subscriber.has_losses:
                self._tell_losses()
            bursts = subscriber.take(self._options.message_bytes)
            if not bursts:
                break
            if snaplen:
                bursts = [burst.cut(snaplen) for burst in bursts]
            if self._batch:
                link.send_batches(bursts)
            else:
                link.send_packets(bursts)
        if subscriber.overflowed:
            self._session.unsubscribe(subscriber)
            link.close(CLOSE_SLOW, "The client reads too slowly for its queue.")

    def _send_now(self, burst: Burst) -> bool:
        if not self._link.writable:
            return False
        if self._options.snaplen:
            burst = burst.cut(self._options.snaplen)
        if self._batch:
            self._link.send_batches((burst,))
        else:
            self._link.send_packets((burst,))
        return True

    def _tell_losses(self) -> None:
        if not self._batch:
            self._subscriber.take_losses()
            return
        now = self._loop.time()
        if now >= self._loss_at:
            self._loss_at = now + LOSS_INTERVAL
            for loss in self._subscriber.take_losses():
                self._link.send_text(_lost(loss))
        elif self._loss_timer is None:
            self._loss_timer = self._loop.call_at(self._loss_at, self._loss_due)

    def _loss_due(self) -> None:
        self._loss_timer = None
        self._flush()

    def _ended(self) -> None:
        session = self._session
        self._flush()
        if self._batch:
            self._send_ack()
            if self._subscriber.has_losses:
                for loss in self._subscriber.take_losses():
                    self._link.send_text(_lost(loss))
            self._link.send_text(
                {"type": "ended", "state": session.state, "reason": session.reason or ""}
            )
        self._link.close(CLOSE_ENDED, (session.reason or "The session has ended.")[:120])

    # From the client

    def _account(self, injection: Injection) -> None:
        if injection.waiting:
            self._waiting.append(injection.waiting)
            self._link.pause_reading()
            if self._retry_timer is None:
                self._retry_timer = self._loop.call_later(RETRY, self._retry)
        if self._batch:
            if self._unacknowledged is None:
                self._unacknowledged = injection
            else:
                self._unacknowledged.add(injection)
            self._acknowledge()

    def _retry(self) -> None:
        self._retry_timer = None
        while self._waiting:
            try:
                injection = self._session.push(self._waiting.popleft(), Full.WAIT)
            except SessionEnded:
                return
            waiting, injection.waiting = injection.waiting, ()
            if self._unacknowledged is not None:
                self._unacknowledged.add(injection)
            if waiting:
                self._waiting.appendleft(waiting)
                self._retry_timer = self._loop.call_later(RETRY, self._retry)
                return
        self._acknowledge()
        self._link.resume_reading()

    def _acknowledge(self) -> None:
        # While packets wait or the client does not read, counts add up for one later ack; so they
        # do for a moment after an ack.
        if self._unacknowledged is None or self._waiting or not self._link.writable:
            return
        now = self._loop.time()
        if now >= self._ack_at:
            self._ack_at = now + ACK_INTERVAL
            self._send_ack()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_at(self._ack_at, self._ack_due)

    def _ack_due(self) -> None:
        self._ack_timer = None
        self._acknowledge()

    def _send_ack(self) -> None:
        done, self._unacknowledged = self._unacknowledged, None
        if done is None:
            return
        self._link.send_text(
            {
                "type": "ack",
                "messages": self._messages,
                "accepted": done.accepted,
                "rejected": dict(done.rejected),
                "ring_full": done.ring_full,
            }
        )


def _lost(loss: Loss) -> dict[str, Any]:
    return {
        "type": "lost",
        "cause": "queue",
        "direction": "injected" if loss.injected else "received",
        "count": loss.count,
        "first": loss.first,
        "last": loss.last,
    }
