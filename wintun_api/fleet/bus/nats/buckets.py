"""Keys and values, and watches that miss nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from nats.aio.msg import Msg

from wintun_api.fleet.bus.nats.connection import Connection
from wintun_api.fleet.bus.nats.jetstream import (
    STATUS,
    Asking,
    Delivered,
    Delivery,
    WrongSequence,
    answer_of,
)
from wintun_api.fleet.bus.seam import Entry
from wintun_api.fleet.keys.rights import API, bucket_key, bucket_stream
from wintun_api.fleet.problems import BusUnavailable, FleetError, KeyTaken, NobodyAnswers
from wintun_api.moments import NS_PER_SECOND

logger = logging.getLogger(__name__)

EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
SEQUENCE: Final = "Nats-Sequence"
OPERATION: Final = "KV-Operation"
DELETE: Final = "DEL"
GONE: Final = ("DEL", "PURGE")
MARKER: Final = "Nats-Marker-Reason"  # of the server's own marks of keys that have expired
NOT_FOUND: Final = "404"
ROUNDS: Final = 3  # attempts to create a key that others delete meanwhile
AGAIN: Final = 1.0  # seconds before a watch that was refused begins again
GRACE: Final = 0.25  # seconds that a renewed key may be under way


class Connections(Asking, Protocol):
    """What a bucket needs of the bus."""

    def current(self) -> Connection:
        """Return the connection."""

    async def next_connection(self) -> Connection | None:
        """Wait until there is a connection, and return it; None if the bus is closed first."""


class NatsBucket:
    """A bucket. Make it with `NatsBus.bucket`."""

    def __init__(self, bus: Connections, name: str, max_age: float) -> None:
        self._bus = bus
        self._name = name
        self._max_age = max_age

    async def create(self, key: str, value: bytes) -> int:
        """Write a key that is not there, and return its revision."""
        last = 0
        for _ in range(ROUNDS):
            try:
                return await self._write(key, value, {EXPECTED: str(last)})
            except WrongSequence:
                last = await self._deleted(key)
        raise _taken(key)

    async def put(self, key: str, value: bytes) -> int:
        """Write a key, whether it is there or not, and return its revision."""
        return await self._write(key, value, None)

    async def delete(self, key: str) -> None:
        """Delete a key; nothing happens if it is not there."""
        await self._write(key, b"", {OPERATION: DELETE})

    async def watch(
        self, take: Callable[[Entry], None], missed: Callable[[], None] | None = None
    ) -> NatsWatch:
        """Call `take` for every key that is there, then for every change."""
        watch = NatsWatch(self._bus, self._name, self._max_age, take, missed or _ignore)
        await watch.begin()
        return watch

    async def _write(self, key: str, value: bytes, headers: dict[str, str] | None) -> int:
        answer = await answer_of(self._bus, bucket_key(self._name, key), value, headers)
        revision = answer.get("seq")
        if not isinstance(revision, int):
            raise BusUnavailable("The server does not say that it has the key.")
        return revision

    async def _deleted(self, key: str) -> int:
        """Return the revision of the mark that a key is deleted; 0 if the mark is gone too.

        Raises:
            KeyTaken: The key is there.
        """
        subject = f"{API}.DIRECT.GET.{bucket_stream(self._name)}.{bucket_key(self._name, key)}"
        try:
            last = await self._bus.ask(subject, b"")
        except NobodyAnswers:
            raise BusUnavailable("The server does not say what the key is.") from None
        if _header(last, STATUS) == NOT_FOUND:
            return 0
        if not _is_gone(last.headers or {}):
            raise _taken(key)
        return int(_header(last, SEQUENCE) or 0)


class NatsWatch:
    """The changes of a bucket, over all connections."""

    def __init__(
        self,
        bus: Connections,
        name: str,
        max_age: float,
        take: Callable[[Entry], None],
        missed: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._name = name
        self._max_age = max_age
        self._take = take
        self._missed = missed
        self._known: dict[str, Entry] = {}
        self._seen: set[str] = set()  # since the present delivery began
        self._syncing = True
        self._current = asyncio.Event()
        self._ahead = 0.0  # the server's time minus the loop's, in seconds
        self._expiries: dict[str, float] = {}  # when, on the loop's clock; the first comes first
        self._expiry: asyncio.TimerHandle | None = None
        self._delivery: Delivery | None = None
        self._following: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take what is there, and go on."""
        await self._deliver(self._bus.current())
        loop = asyncio.get_running_loop()
        self._following = loop.create_task(self._follow(), name=f"watch of {self._name}")

    async def caught_up(self) -> None:
        """Wait until every key that was there at the beginning has been taken."""
        await self._current.wait()

    async def aclose(self) -> None:
        """Take no more changes."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        if self._delivery is not None:
            await self._delivery.end()

    async def _follow(self) -> None:
        try:
            await self._follow_on()
        finally:
            if self._expiry is not None:
                self._expiry.cancel()

    async def _follow_on(self) -> None:
        """Begin again with each connection, and whenever a change was missed."""
        while True:
            if self._delivery is not None:
                await asyncio.wait((self._delivery.ended,))
                await self._delivery.end()
                self._delivery = None
            connection = await self._bus.next_connection()
            if connection is None:
                return
            self._missed()
            try:
                await self._deliver(connection)
            except FleetError as error:
                logger.warning("The watch of %s is interrupted: %s", self._name, error)
                await asyncio.sleep(AGAIN)
            except Exception:  # a fault here must not end the watch for good
                logger.exception("The watch of %s is interrupted.", self._name)
                await asyncio.sleep(AGAIN)

    async def _deliver(self, connection: Connection) -> None:
        self._syncing = True
        self._seen.clear()
        held: list[Delivered] = []
        delivery = Delivery(connection, held.append)
        await delivery.begin(
            bucket_stream(self._name),
            bucket_key(self._name, ">"),
            {"deliver_policy": "last_per_subject"},
        )
        self._delivery = delivery
        self._ahead = delivery.now_ns / NS_PER_SECOND - asyncio.get_running_loop().time()
        delivery.redirect(self._changed)
        for one in held:
            self._changed(one)
        if delivery.pending == 0 and self._syncing:
            self._synced()

    def _changed(self, one: Delivered) -> None:
        key = one.subject.removeprefix(bucket_key(self._name, ""))
        value = None if _is_gone(one.headers) else one.data
        self._seen.add(key)
        if value is None:
            self._gone(key, one.sequence, one.time_ns)
        else:
            entry = Entry(key, value, one.sequence, one.time_ns)
            self._known[key] = entry
            self._expect_end(entry)
            self._give(entry)
        if one.pending == 0 and self._syncing:
            self._synced()

    def _synced(self) -> None:
        """Tell what was deleted while nothing was delivered."""
        self._syncing = False
        for key in [one for one in self._known if one not in self._seen]:
            self._gone(key)
        self._current.set()

    def _gone(self, key: str, revision: int | None = None, time_ns: int | None = None) -> None:
        last = self._known.pop(key, None)
        self._expiries.pop(key, None)
        if last is not None:
            self._give(
                Entry(
                    key,
                    None,
                    last.revision if revision is None else revision,
                    last.created_ns if time_ns is None else time_ns,
                )
            )

    def _expect_end(self, entry: Entry) -> None:
        """Tell when a key expires: servers before 2.11 do not, and later ones if asked to."""
        if not self._max_age:
            return
        self._expiries.pop(entry.key, None)
        ends = entry.created_ns / NS_PER_SECOND + self._max_age + GRACE - self._ahead
        self._expiries[entry.key] = ends
        if self._expiry is None:
            self._expire()

    def _expire(self) -> None:
        self._expiry = None
        loop = asyncio.get_running_loop()
        while self._expiries:
            key, ends = next(iter(self._expiries.items()))
            if ends > loop.time():
                self._expiry = loop.call_at(ends, self._expire)
                return
            self._gone(key)

    def _give(self, entry: Entry) -> None:
        try:
            self._take(entry)
        except Exception:  # one who fails must not end the connection for all
            logger.exception("A change of %s could not be taken.", entry.key)


def _ignore() -> None:
    """Know nothing of what was missed."""


def _is_gone(headers: Any) -> bool:
    return headers.get(OPERATION) in GONE or MARKER in headers


def _header(message: Msg, name: str) -> str:
    return (message.headers or {}).get(name, "")


def _taken(key: str) -> KeyTaken:
    return KeyTaken(f"The key {key} is there already.")
