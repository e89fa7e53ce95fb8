"""One connection of a packet stream: packets wait within bounds, acks are counted as they come.

It is a connection of `websockets` that takes messages when they are read, not when they are asked
for. So an ack is counted even while packets wait in front of it, and a program that only sends
needs no task that reads. When enough messages wait, the socket is no longer read, and TCP holds the
service back: its queue for this client then does what `overflow` says.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeAlias

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from wintun_api.choices import CloseCode, Overflow
from wintun_api.client.burst import Accounts, Burst, Direction, Loss
from wintun_api.errors import FrameError
from wintun_api.schemas.control import Ack, Ended, FilterChanged, Hello, LostPackets
from wintun_api.wire import (
    HEADER,
    HEADER_LENGTH,
    INJECTED,
    KNOWN_FLAGS,
    ORIGINAL_LENGTHS,
    RAW,
    SEQUENCE_DELTAS,
    TIMES,
    column,
    numbers_of,
    unpack,
)

# Bytes that wait for the program before the socket is no longer read. One read may add to them.
MAX_BYTES: Final = 4 * 1024 * 1024
DROPPING: Final = (Overflow.DROP_OLDEST, Overflow.DROP_NEWEST)

# A message of packets that has not been split, or what is given to the program as it is.
Item: TypeAlias = "bytes | Burst | Loss"


class PacketSocket(ClientConnection):
    """Hold one connection. Event loop thread only.

    Attributes:
        hello: The first message of `v1.batch`; None before it has come.
        ended: The last message of `v1.batch`; None before it has come.
        fault: What is wrong with a message that the service cannot have sent.
        lost: Whether the connection has ended.
        silent: Whether it was ended because the service no longer answered.
        sent_messages: The messages that were sent.
        sent_packets: The packets in them.
        acked_messages: How many of these messages the service has acknowledged.
        acked_packets: How many packets its acks account for.
        on_accounts: Gets the accounts of each ack.
        direction: The direction of packets, for `v1.raw`, which does not say it.
        max_waiting: How many messages wait before the socket is no longer read.
        first: The number of the first packet that could come, in each direction.
        next: The number of the next packet in each direction, by what has arrived.
        known: How many packets have arrived or were told as lost, in each direction.
        filter: The filter that the service uses; empty if it sends all packets.
        filtered: Whether it has used one, so that packets may be missing that were not lost.
    """

    def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
        super().__init__(protocol, **options)
        self.hello: Hello | None = None
        self.ended: Ended | None = None
        self.fault = ""
        self.lost = False
        self.silent = False
        self.sent_messages = self.sent_packets = 0
        self.acked_messages = self.acked_packets = 0
        self.on_accounts: Callable[[Accounts], None] = _ignore
        self.direction: Direction = "received"
        self.max_waiting = 64
        self.first: dict[Direction, int] = {}
        self.next: dict[Direction, int] = {}
        self.known: Counter[Direction] = Counter()
        self.filter = ""
        self.filtered = False
        self._filter_answer: FilterChanged | None = None
        self._waiting: deque[Item] = deque()
        self._bytes = 0
        self._dropped: dict[tuple[str, Direction], Loss] = {}
        self._held = False
        self._discarding = False
        self._senders = 0
        self._fragments: list[Frame] = []
        self._something = asyncio.Event()
        self._progress = asyncio.Event()
        self._keepalive: asyncio.TimerHandle | None = None
        self._heard = self._asked = False

    @property
    def usable(self) -> bool:
        """Whether something can be sent."""
        return self.protocol.state is State.OPEN and not self.transport.is_closing()

    # What the program does

    def take(self) -> Item | None:
        """Return what has waited longest; None if nothing waits."""
        if self._dropped:
            return self._dropped.pop(next(iter(self._dropped)))
        if not self._waiting:
            self._something.clear()
            return None
        item = self._waiting.popleft()
        self._bytes -= _size(item)
        if self._held and 4 * len(self._waiting) <= self.max_waiting:
            self._read_on()
        return item

    async def arrival(self) -> None:
        """Wait until something can be taken or the connection has ended."""
        if not (self._waiting or self._dropped or self.lost):
            self._something.clear()
            await self._something.wait()

    async def acknowledged(self) -> None:
        """Wait until the service has acknowledged every message, or the connection has ended."""
        self._senders += 1
        try:
            self._relieve()
            while self.acked_messages < self.sent_messages and not self.lost:
                self._progress.clear()
                await self._progress.wait()
        finally:
            self._senders -= 1

    async def change_filter(self, expression: str) -> FilterChanged | None:
        """Ask for another filter and return the answer; None if the connection has ended first."""
        self._filter_answer = None
        self._senders += 1  # an answer is read as acks are, whatever waits in front of it
        try:
            self._relieve()
            with suppress(ConnectionClosed):
                await self.send(json.dumps({"type": "filter", "filter": expression}))
            while (answer := self._answer_to(expression)) is None and not self.lost:
                self._progress.clear()
                await self._progress.wait()
            return answer
        finally:
            self._senders -= 1

    def _answer_to(self, expression: str) -> FilterChanged | None:
        answer = self._filter_answer
        return answer if answer is not None and answer.filter == expression else None

    async def greeted(self) -> None:
        """Wait for hello, or until the connection has ended."""
        while self.hello is None and not self.lost:
            self._progress.clear()
            await self._progress.wait()

    def adopt(self, items: Iterable[Item]) -> None:
        """Let these wait before everything else: an earlier connection has left them."""
        for item in reversed(list(items)):
            self._waiting.appendleft(item)
            self._bytes += _size(item)
        self._something.set()
        self._hold_or_drop()

    def leave(self) -> Iterable[Item]:
        """Return everything that waits."""
        items = [*self._dropped.values(), *self._waiting]
        self._dropped.clear()
        self._waiting.clear()
        self._bytes = 0
        return items

    def discard(self) -> None:
        """Keep no packets from now on, and read on."""
        self._discarding = True
        self.leave()
        self._read_on()

    def watch(self, seconds: float) -> None:
        """Send a ping when nothing came for so long, and end if it is not answered in that time.

        A socket that is not read, because packets wait for the program, is not judged.
        """
        self._heard = False
        self._keepalive = self.loop.call_later(seconds, self._look, seconds)

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        await asyncio.shield(self.connection_lost_waiter)

    # What `websockets` calls

    def data_received(self, data: bytes) -> None:
        """Note that the service is there."""
        self._heard = True
        super().data_received(data)

    def process_event(self, event: Event) -> None:
        """Take a message; frames of the protocol itself are the base class's."""
        if self.response is None or not isinstance(event, Frame):
            super().process_event(event)
        elif event.opcode is Opcode.BINARY and event.fin:
            self._binary(bytes(event.data))
        elif event.opcode in (Opcode.BINARY, Opcode.TEXT, Opcode.CONT):
            self._fragments.append(event)
            if event.fin:
                frames, self._fragments = self._fragments, []
                message = b"".join(frame.data for frame in frames)
                if frames[0].opcode is Opcode.TEXT:
                    self._text(message)
                else:
                    self._binary(message)
        else:
            super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake every task that waits."""
        super().connection_lost(exc)
        self.lost = True
        if self._keepalive is not None:
            self._keepalive.cancel()
        self._something.set()
        self._progress.set()

    # Messages

    def _binary(self, message: bytes) -> None:
        if self._discarding:
            return
        if self.subprotocol == RAW:
            self._keep(Burst((message,), self.direction, time.time_ns(), None))
        else:
            for direction, following, count in spans_of(message):
                self.next[direction] = following
                self.known[direction] += count
            self._keep(message)

    def _text(self, message: bytes) -> None:
        try:
            content = json.loads(message)
            kind = content["type"]
            if kind == "ack":
                self._acknowledge(Ack.model_validate(content))
            elif kind == "lost":
                self._lost_packets(_loss_of(LostPackets.model_validate(content)))
            elif kind == "hello":
                self.hello = Hello.model_validate(content)
                self._use(self.hello.filter)
                self._progress.set()
            elif kind == "filter":
                self._filter_answer = answer = FilterChanged.model_validate(content)
                if answer.valid:
                    self._use(answer.filter)
                self._progress.set()
            elif kind == "ended":
                self.ended = Ended.model_validate(content)
        except (ValueError, LookupError, TypeError, RecursionError):
            self.fault = f"A text message cannot be read: {message[:100]!r}."
            self.transport.abort()

    def _use(self, expression: str) -> None:
        self.filter = expression
        self.filtered = self.filtered or bool(expression)

    def _lost_packets(self, loss: Loss) -> None:
        if loss.last is not None:  # lost packets have numbers, whatever the cause
            self.next[loss.direction] = max(self.next.get(loss.direction, 0), loss.last + 1)
        self.known[loss.direction] += loss.count or 0
        self._keep(loss)

    def _acknowledge(self, ack: Ack) -> None:
        accounts = Accounts(ack.accepted, ack.rejected, ack.ring_full, ack.refused, ack.failed)
        self.acked_messages = ack.messages
        self.acked_packets += accounts.total
        self.on_accounts(accounts)
        self._progress.set()

    # Bounds

    def _keep(self, item: Item) -> None:
        self._waiting.append(item)
        self._bytes += _size(item)
        self._something.set()
        self._hold_or_drop()

    def _hold_or_drop(self) -> None:
        if len(self._waiting) < self.max_waiting and self._bytes < MAX_BYTES:
            return
        if self._senders and self._may_drop:
            self._drop()
        elif not (self._held or self.transport.is_closing()):
            self._held = True
            self.transport.pause_reading()

    @property
    def _may_drop(self) -> bool:
        return self.hello is not None and self.hello.overflow in DROPPING

    def _relieve(self) -> None:
        """Read on where an ack is waited for, as packets may be dropped."""
        if self._held and self._may_drop:
            self._drop()
            self._read_on()

    def _drop(self) -> None:
        """Drop what is too much as the queue of the service would, and count it."""
        assert self.hello is not None
        newest = self.hello.overflow is Overflow.DROP_NEWEST
        while len(self._waiting) > 1 and (
            len(self._waiting) > self.max_waiting or self._bytes > MAX_BYTES
        ):
            item = self._waiting.pop() if newest else self._waiting.popleft()
            self._bytes -= _size(item)
            for loss in _losses_of(item):
                key = loss.cause, loss.direction
                self._dropped[key] = _merged(self._dropped.get(key), loss)

    def _read_on(self) -> None:
        if self._held:
            self._held = False
            self._heard, self._asked = True, False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def _look(self, seconds: float) -> None:
        if self._held or self._heard:
            self._asked = False
        elif self._asked:
            self.silent = True
            self.transport.abort()
            return
        elif self.usable:
            self._asked = True
            with suppress(OSError, RuntimeError):  # a transport that has just ended
                self.protocol.send_ping(b"")
                self.send_data()
        self.watch(seconds)


def end_of(socket: PacketSocket) -> tuple[int, str]:
    """Return the close code and the reason with which a connection has ended."""
    received = socket.protocol.close_rcvd
    if received is not None:
        return received.code, received.reason
    if socket.fault:
        return CloseCode.INVALID_DATA, socket.fault
    if socket.silent:
        return CloseCode.ABNORMAL, "The service no longer answers: the network may have failed."
    sent = socket.protocol.close_sent
    if sent is not None:  # `websockets` has closed it, because a frame was broken or too long
        return sent.code, sent.reason
    return (
        CloseCode.ABNORMAL,
        "The connection ended without a close frame: the network failed or the service was killed.",
    )


def _ignore(_accounts: Accounts) -> None:
    """Keep no accounts."""


def spans_of(message: bytes) -> Iterator[tuple[Direction, int, int]]:
    """Return the direction, the number that follows, and the count of each batch in a message."""
    offset = 0
    while len(message) - offset >= HEADER_LENGTH:
        _, length, flags, count, size, sequence, _ = HEADER.unpack_from(message, offset)
        if length < HEADER_LENGTH or flags & ~KNOWN_FLAGS:
            break  # it is reported when the message is split
        following = sequence + count
        columns = 1 + bool(flags & ORIGINAL_LENGTHS)
        if flags & SEQUENCE_DELTAS and count:
            start = offset + length + 2 * count * columns
            following = sequence + 1 + sum(column(message[start : start + 2 * count]))
            columns += 1
        yield "injected" if flags & INJECTED else "received", following, count
        columns += 2 * bool(flags & TIMES)  # a time is as wide as two of the others
        offset += length + 2 * count * columns + size


def _size(item: Item) -> int:
    if isinstance(item, bytes):
        return len(item)
    return len(item.packets[0]) if isinstance(item, Burst) else 0


def _loss_of(lost: LostPackets) -> Loss:
    direction: Direction = "received" if lost.direction == "received" else "injected"
    return Loss(lost.cause.value, direction, lost.count, lost.first, lost.last)


def _losses_of(item: Item) -> Iterable[Loss]:
    """Return the losses if this is dropped."""
    if isinstance(item, Loss):
        return (item,)
    if isinstance(item, Burst):
        return (Loss("queue", item.direction, len(item), None, None),)
    try:
        batches = unpack(item)
    except FrameError:
        return ()
    return [
        Loss(
            "queue",
            "injected" if batch.injected else "received",
            len(batch.packets),
            batch.sequence,
            numbers_of(batch)[-1],
        )
        for batch in batches
        if len(batch.packets)
    ]


def _merged(one: Loss | None, other: Loss) -> Loss:
    """Return two losses of a cause and direction as one."""
    if one is None:
        return other
    known = one.count is not None and other.count is not None
    return replace(
        one,
        count=(one.count or 0) + (other.count or 0) if known else None,
        first=_least(one.first, other.first),
        last=_most(one.last, other.last),
    )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
