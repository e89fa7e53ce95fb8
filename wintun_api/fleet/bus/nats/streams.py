"""Messages that the server keeps, within bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any, Final

from wintun_api.fleet.bus.nats.buckets import Connections
from wintun_api.fleet.bus.nats.connection import Connection
from wintun_api.fleet.bus.nats.jetstream import Delivered, Delivery, answer_of
from wintun_api.fleet.bus.seam import Message
from wintun_api.moments import NS_PER_SECOND

EXPECTED_STREAM: Final = "Nats-Expected-Stream"
GRACE: Final = 0.25  # seconds that the last message may be under way


class NatsStream:
    """A stream. Make it with `NatsBus.stream`."""

    def __init__(self, bus: Connections, name: str) -> None:
        self._bus = bus
        self._name = name

    async def publish(self, subject: str, data: bytes) -> None:
        """Add a message, and wait until the server has it."""
        await answer_of(self._bus, subject, data, {EXPECTED_STREAM: self._name})

    async def read(
        self, subject: str, *, since_ns: int | None = None, until_ns: int | None = None
    ) -> AsyncGenerator[tuple[Message, int], None]:
        """Yield what is there, oldest first, each with the server's time in nanoseconds."""
        policy = _beginning(since_ns)
        connection: Connection | None = self._bus.current()
        while connection is not None:
            reading = _Reading(until_ns)
            delivery = Delivery(connection, reading.came, held=True)
            try:
                await delivery.begin(self._name, subject, policy)
                reading.begin(delivery)
                while (one := await reading.next()) is not None:
                    policy = _behind(one)
                    yield Message(one.subject, one.data, one.reply, plain=False), one.time_ns
                if reading.over:
                    return
            finally:
                await delivery.end()
            connection = await self._bus.next_connection()


class _Reading:
    """What one delivery brings, and when it is all.

    The server sends about as much as fits into its window, 32 MiB at most, until it is told that
    this was taken.

    Attributes:
        over: Whether everything was read, so that no other delivery has to go on.
    """

    def __init__(self, until_ns: int | None) -> None:
        self.over = False
        self._until_ns = until_ns
        self._waiting: deque[Delivered] = deque()
        self._woken = asyncio.Event()
        self._delivery: Delivery | None = None
        self._complete = False  # whether the server has nothing more at present
        self._ends: float | None = None  # on the loop's clock

    def begin(self, delivery: Delivery) -> None:
        """Know what the server has said first."""
        self._delivery = delivery
        self._complete = self._complete or delivery.pending == 0
        delivery.ended.add_done_callback(lambda _: self._woken.set())
        if self._until_ns is not None:
            left = (self._until_ns - delivery.now_ns) / NS_PER_SECOND
            self._ends = asyncio.get_running_loop().time() + left + (GRACE if left > 0 else 0)

    def came(self, one: Delivered) -> None:
        """Keep a message until it is read."""
        self._waiting.append(one)
        self._complete = one.pending == 0
        self._woken.set()

    async def next(self) -> Delivered | None:
        """Return the next message; None if this delivery brings no more."""
        assert self._delivery is not None
        loop = asyncio.get_running_loop()
        while not self._waiting:
            if self._delivery.ended.done():
                return None
            self._delivery.proceed()
            timeout = self._ends if self._complete else None
            if timeout is not None and timeout <= loop.time():
                self.over = True
                return None
            self._woken.clear()
            try:
                async with asyncio.timeout_at(timeout):
                    await self._woken.wait()
            except TimeoutError:
                continue
        one = self._waiting.popleft()
        if self._until_ns is not None and one.time_ns > self._until_ns:
            self.over = True
            return None
        return one


def _beginning(since_ns: int | None) -> dict[str, Any]:
    if since_ns is None:
        return {"deliver_policy": "all"}
    seconds, fraction = divmod(since_ns, NS_PER_SECOND)
    time = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {"deliver_policy": "by_start_time", "opt_start_time": f"{time}.{fraction:09}Z"}


def _behind(one: Delivered) -> dict[str, Any]:
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": one.sequence + 1}
