"""A bus in memory, for unit tests: it passes the same suite as the one over NATS.

    server = MemoryServer()
    server.prepare(Network("lab"))
    bus = server.connect("aaaaaaaaaaaa")

`server.stop()` and `server.start()` end and restore all connections; `bus.lose()` and
`bus.regain()` do so with one; `bus.stall()` keeps what is published from leaving, as a slow server
does, and `bus.flow()` lets it go.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.intake import Intake
from wintun_api.fleet.bus.seam import Change, Entry, Message, Notice, Take
from wintun_api.fleet.network import Network
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyTaken, NobodyAnswers

VERSION: Final = "2.15.1"
MAX_MESSAGE: Final = 1 << 20
ANYTHING: Final = (">",)


def matches(pattern: str, subject: str) -> bool:
    """Return whether a subject is one of a pattern with `*` and `>`."""
    wanted, parts = pattern.split("."), subject.split(".")
    for index, one in enumerate(wanted):
        if one == ">":
            return len(parts) > index
        if index >= len(parts) or one not in ("*", parts[index]):
            return False
    return len(wanted) == len(parts)


@dataclass
class _Kept:
    """A bucket: its entries, and when they expire."""

    name: str
    ttl: float | None
    revision: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    watches: set[MemoryWatch] = field(default_factory=set)
    all_watches: set[MemoryWatch] = field(default_factory=set)  # also those without a connection

    def subject(self, key: str) -> str:
        return f"$KV.{self.name}.{key}"

    def write(self, key: str, value: bytes | None, now_ns: int) -> int:
        self.revision += 1
        entry = Entry(key, value, self.revision, now_ns)
        if timer := self.timers.pop(key, None):
            timer.cancel()
        if value is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = entry
            if self.ttl is not None:
                loop = asyncio.get_running_loop()
                self.timers[key] = loop.call_later(self.ttl, self.expire, entry)
        for watch in tuple(self.watches):
            watch.offer(entry)
        return self.revision

    def expire(self, entry: Entry) -> None:
        del self.timers[entry.key], self.entries[entry.key]
        for watch in tuple(self.all_watches):
            watch.expire(entry)


@dataclass
class _Log:
    """A stream: its messages, oldest first, each with its time."""

    subjects: tuple[str, ...]
    max_bytes: int
    messages: deque[tuple[Message, int]] = field(default_factory=deque)
    size: int = 0
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, subject: str, data: bytes, now_ns: int) -> None:
        reply = "$JS.ACK.stream"  # as all that comes out of a stream
        self.messages.append((Message(subject, data, reply, plain=False), now_ns))
        self.size += len(data)
        while self.size > self.max_bytes:
            self.size -= len(self.messages.popleft()[0].data)
        self.more.set()
        self.more = asyncio.Event()


class MemoryServer:
    """What all connections share.

    Attributes:
        offset_ns: How far the clock of this server is before that of the machine.
        buses: The connections, also those that are interrupted.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self.buses: list[MemoryBus] = []
        self._kept: dict[str, _Kept] = {}
        self._logs: dict[str, _Log] = {}
        self._readers: dict[str, list[MemorySubscription]] = {}
        self._inboxes = 0

    def prepare(
        self, network: Network, *, host_ttl: float = 30.0, capture_bytes: int = 1 << 26
    ) -> None:
        """Make what a network needs: its buckets and its stream."""
        self.add_bucket(network.routes)
        self.add_bucket(network.hosts, ttl=host_ttl)
        self.add_stream(network.captures, network.capture("*", "*"), max_bytes=capture_bytes)

    def add_bucket(self, name: str, *, ttl: float | None = None) -> None:
        """Make a bucket, whose keys expire after `ttl` seconds."""
        self._kept[name] = _Kept(name, ttl)

    def add_stream(self, name: str, *subjects: str, max_bytes: int = 1 << 26) -> None:
        """Make a stream, which drops the oldest messages beyond its bound."""
        self._logs[name] = _Log(subjects, max_bytes)

    def connect(
        self,
        host: str = "",
        *,
        pending: int = 1 << 20,
        may_publish: Iterable[str] = ANYTHING,
        may_subscribe: Iterable[str] = ANYTHING,
    ) -> MemoryBus:
        """Return a new connection with these rights."""
        bus = MemoryBus(self, host, pending, tuple(may_publish), tuple(may_subscribe))
        self.buses.append(bus)
        return bus

    def stop(self) -> None:
        """End all connections, as a server does that is killed; what is kept stays."""
        for bus in self.buses:
            bus.lose()

    def start(self) -> None:
        """Restore the connections that are not closed."""
        for bus in self.buses:
            bus.regain()

    # What connections ask for

    def now_ns(self) -> int:
        return time.time_ns() + self.offset_ns

    def kept(self, name: str) -> _Kept:
        if name not in self._kept:
            raise BusUnavailable(f"There is no bucket {name} on this server.")
        return self._kept[name]

    def log(self, name: str) -> _Log:
        if name not in self._logs:
            raise BusUnavailable(f"There is no stream {name} on this server.")
        return self._logs[name]

    def add_reader(self, reader: MemorySubscription) -> None:
        for bus in self.buses:
            bus.routed.clear()
        self._readers.setdefault(reader.subject, []).append(reader)

    def remove_reader(self, reader: MemorySubscription) -> None:
        for bus in self.buses:
            bus.routed.clear()
        with suppress(KeyError, ValueError):
            self._readers[reader.subject].remove(reader)

    def readers_of(self, subject: str) -> list[MemorySubscription]:
        return [
            one
            for pattern, all_of_it in self._readers.items()
            if matches(pattern, subject)
            for one in all_of_it
        ]

    def logs_of(self, subject: str) -> list[_Log]:
        return [
            one
            for one in self._logs.values()
            if any(matches(pattern, subject) for pattern in one.subjects)
        ]

    def inbox(self, host: str) -> str:
        self._inboxes += 1
        return f"_INBOX_{host}.{self._inboxes}"


class MemorySubscription(Intake):
    """A subscription of one connection."""

    def __init__(self, bus: MemoryBus, subject: str, take: Take, limit_bytes: int) -> None:
        super().__init__(take, limit_bytes)
        self.bus = bus
        self.subject = subject

    async def aclose(self) -> None:
        """Take no more messages."""
        self.bus.server.remove_reader(self)
        self.close()


class MemoryWatch:
    """The changes of a bucket for one connection."""

    def __init__(
        self,
        bus: MemoryBus,
        kept: _Kept,
        take: Callable[[Entry], None],
        missed: Callable[[], None] | None,
    ) -> None:
        self._missed = missed
        self._has_begun = False
        self._bus = bus
        self._kept = kept
        self._take = take
        self._known: dict[str, Entry] = {}
        self._current = asyncio.Event()

    def begin(self) -> None:
        """Take every key, and those that are gone since the last time."""
        if self._has_begun and self._missed is not None:
            self._missed()
        self._has_begun = True
        self._kept.watches.add(self)
        self._kept.all_watches.add(self)
        gone = [one for key, one in self._known.items() if key not in self._kept.entries]
        for entry in sorted(self._kept.entries.values(), key=lambda one: one.revision):
            self.offer(entry)
        for entry in gone:
            self.offer(Entry(entry.key, None, entry.revision, entry.created_ns))
        self._bus.later(self._current.set)

    def end(self) -> None:
        self._kept.watches.discard(self)

    def offer(self, entry: Entry) -> None:
        if entry.value is None:
            self._known.pop(entry.key, None)
        else:
            self._known[entry.key] = entry
        self._bus.later(lambda: self._give(entry))

    def expire(self, entry: Entry) -> None:
        if self._known.pop(entry.key, None) is not None:
            self._take(Entry(entry.key, None, entry.revision, entry.created_ns))

    def _give(self, entry: Entry) -> None:
        if self in self._bus.watches:
            self._take(entry)

    async def caught_up(self) -> None:
        """Wait until every key that was there at the beginning has been taken."""
        await self._current.wait()

    async def aclose(self) -> None:
        """Take no more changes."""
        self._bus.watches.discard(self)
        self._kept.all_watches.discard(self)
        self.end()


class MemoryBucket:
    """A bucket as one connection sees it."""

    def __init__(self, bus: MemoryBus, kept: _Kept) -> None:
        self._bus = bus
        self._kept = kept

    async def create(self, key: str, value: bytes) -> int:
        """Write a key that is not there."""
        await self._bus.may_write(self._kept.subject(key))
        if key in self._kept.entries:
            raise KeyTaken(f"The key {key} is there already.")
        return self._kept.write(key, value, self._bus.server.now_ns())

    async def put(self, key: str, value: bytes) -> int:
        """Write a key."""
        await self._bus.may_write(self._kept.subject(key))
        return self._kept.write(key, value, self._bus.server.now_ns())

    async def delete(self, key: str) -> None:
        """Delete a key."""
        await self._bus.may_write(self._kept.subject(key))
        if key in self._kept.entries:
            self._kept.write(key, None, self._bus.server.now_ns())

    async def watch(
        self, take: Callable[[Entry], None], missed: Callable[[], None] | None = None
    ) -> MemoryWatch:
        """Call `take` for every key that is there, then for every change."""
        self._bus.must_be_connected()
        watch = MemoryWatch(self._bus, self._kept, take, missed)
        self._bus.watches.add(watch)
        watch.begin()
        return watch


class MemoryStream:
    """A stream as one connection sees it."""

    def __init__(self, bus: MemoryBus, log: _Log) -> None:
        self._bus = bus
        self._log = log

    async def publish(self, subject: str, data: bytes) -> None:
        """Add a message."""
        await self._bus.may_write(subject)
        if not any(matches(pattern, subject) for pattern in self._log.subjects):
            raise BusUnavailable(f"The stream does not keep {subject}.")
        self._bus.server_takes(subject, data)

    async def read(
        self, subject: str, *, since_ns: int | None = None, until_ns: int | None = None
    ) -> AsyncGenerator[tuple[Message, int], None]:
        """Yield what is there, then what comes."""
        last: tuple[Message, int] | None = None
        self._bus.must_be_connected()
        while True:
            await self._bus.there.wait()
            more = self._log.more
            new = list(self._log.messages)
            if last is not None:
                places = [index for index, one in enumerate(new) if one is last]
                new = new[places[0] + 1 :] if places else new
            for one in new:
                last = one
                message, time_ns = one
                if since_ns is not None and time_ns < since_ns:
                    continue
                if until_ns is not None and time_ns > until_ns:
                    return
                if matches(subject, message.subject):
                    yield one
            left = None if until_ns is None else (until_ns - self._bus.server.now_ns()) / 1e9
            if left is not None and left <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(more.wait(), left)


class MemoryBus:
    """One connection.

    Attributes:
        watches: Those of its buckets.
        routed: Who reads a subject, as far as it was asked.
        there: Set while there is a connection.
    """

    def __init__(
        self,
        server: MemoryServer,
        host: str,
        pending: int,
        may_publish: tuple[str, ...],
        may_subscribe: tuple[str, ...],
    ) -> None:
        self.server = server
        self.host = host
        self.connected = True
        self.version = VERSION
        self.unsent = 0
        self.watches: set[MemoryWatch] = set()
        self.routed: dict[str, list[MemorySubscription]] = {}
        self._pending = pending
        self._may_publish = may_publish
        self._may_subscribe = may_subscribe
        self._notices: list[Notice] = []
        self._stalled: deque[tuple[str, bytes]] | None = None
        self.there = asyncio.Event()
        self.there.set()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self._coming: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._answers: set[asyncio.Future[bytes]] = set()

    # Knobs

    def lose(self, change: Change = Change.DISCONNECTED) -> None:
        """End the connection; what is under way is lost."""
        if not self.connected:
            return
        self.connected = False
        self.there.clear()
        self._coming.clear()
        self.unsent = 0
        if self._stalled is not None:
            self._stalled.clear()
        for watch in self.watches:
            watch.end()
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(BusUnavailable("The connection ended."))
        if change is not Change.DISCONNECTED:
            self._tell(change, "It read too slowly.")
        self._tell(Change.DISCONNECTED, "The server closed the connection.")

    def regain(self) -> None:
        """Connect again."""
        if self.connected or self._closed:
            return
        self.connected = True
        self.there.set()
        self._room.set()
        self._tell(Change.CONNECTED, "memory")
        for watch in self.watches:
            watch.begin()

    def stall(self) -> None:
        """Keep what is published from leaving."""
        self._stalled = deque()

    def flow(self) -> None:
        """Let leave what was kept."""
        kept, self._stalled = self._stalled or deque(), None
        self.unsent = 0
        self._room.set()
        for subject, data in kept:
            self.server_takes(subject, data)

    # The seam

    def notify(self, notice: Notice) -> None:
        """Call `notice` for every change of the connection from now on."""
        self._notices.append(notice)

    async def publish(self, subject: str, data: bytes) -> bool:
        """Send a message."""
        if len(data) > min(MAX_MESSAGE, self._pending // 2):
            raise InvalidArgument("data", "It is larger than the bus takes.")
        if not self.connected or self.unsent + len(data) > self._pending:
            return False
        if not self._allowed(self._may_publish, subject):
            self.later(lambda: self._tell(Change.DENIED, f"publish to {subject}"))
        elif self._stalled is not None:
            self._stalled.append((subject, data))
            self.unsent += len(data)
            if self.unsent * 2 > self._pending:
                self._room.clear()
        else:
            self.server_takes(subject, data)
        return True

    async def room(self) -> None:
        """Wait until few bytes are unsent."""
        if not self.connected:
            self._room.clear()
        if self._closed:
            self._room.set()
        await self._room.wait()
        await asyncio.sleep(0)

    async def flush(self) -> None:
        """Wait until the server has taken everything."""
        self.must_be_connected()
        await asyncio.sleep(0)

    async def subscribe(self, subject: str, take: Take, *, limit_bytes: int) -> MemorySubscription:
        """Call `take` for every message of a subject."""
        if not self._allowed(self._may_subscribe, subject):
            self._tell(Change.DENIED, f"subscription to {subject}")
            raise BusDenied("The server does not allow it.", subject=subject)
        subscription = MemorySubscription(self, subject, take, limit_bytes)
        self.server.add_reader(subscription)
        return subscription

    async def request(self, subject: str, data: bytes, *, patience: float) -> bytes:
        """Send a message that is answered, and return the answer."""
        await self.may_write(subject)
        readers = self.server.readers_of(subject)
        nobody = NobodyAnswers(f"Nobody answers at {subject}.", subject=subject)
        if not [one for one in readers if one.bus.connected and one.bus is not self]:
            raise nobody
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        inbox = self.server.inbox(self.host)

        def take(message: Message) -> None:
            if not answer.done():
                answer.set_result(message.data)

        mine = MemorySubscription(self, inbox, take, MAX_MESSAGE)
        self.server.add_reader(mine)
        self._answers.add(answer)
        try:
            self._deliver(readers, Message(subject, data, inbox, plain=False))
            return await asyncio.wait_for(answer, patience)
        except TimeoutError:
            raise nobody from None
        finally:
            self._answers.discard(answer)
            await mine.aclose()

    async def bucket(self, name: str) -> MemoryBucket:
        """Return a bucket that is there."""
        self.must_be_connected()
        return MemoryBucket(self, self.server.kept(name))

    async def stream(self, name: str) -> MemoryStream:
        """Return a stream that is there."""
        self.must_be_connected()
        return MemoryStream(self, self.server.log(name))

    async def server_time_ns(self) -> int:
        """Ask the server for its time."""
        self.must_be_connected()
        return self.server.now_ns()

    async def aclose(self) -> None:
        """End the connection."""
        await asyncio.sleep(0)
        self._closed = True
        self.connected = False
        self._room.set()
        for watch in tuple(self.watches):
            await watch.aclose()
        if self in self.server.buses:
            self.server.buses.remove(self)

    # What rooms of this bus ask for

    def must_be_connected(self) -> None:
        if not self.connected:
            raise BusUnavailable("There is no connection.")

    async def may_write(self, subject: str) -> None:
        self.must_be_connected()
        if not self._allowed(self._may_publish, subject):
            self._tell(Change.DENIED, f"publish to {subject}")
            raise BusDenied("The server does not allow it.", subject=subject)

    def server_takes(self, subject: str, data: bytes) -> None:
        readers = self.routed.get(subject)
        if readers is None:
            readers = self.routed[subject] = self.server.readers_of(subject)
        self._deliver(readers, Message(subject, data))
        for log in self.server.logs_of(subject):
            log.add(subject, data, self.server.now_ns())

    def later(self, call: Callable[[], None]) -> None:
        """Call something in this connection's order, soon, unless the connection ends first."""
        self._coming.append(call)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._arrive)

    def _arrive(self) -> None:
        self._scheduled = False
        for _ in range(len(self._coming)):
            if self._coming:
                self._coming.popleft()()
        if self._coming and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._arrive)

    def _deliver(self, readers: list[MemorySubscription], message: Message) -> None:
        for one in readers:
            if one.bus.connected and one.bus is not self:
                one.bus.later(lambda one=one: one.offer(message))  # type: ignore[misc]

    @staticmethod
    def _allowed(patterns: tuple[str, ...], subject: str) -> bool:
        # A subscription with wildcards is allowed where a right has the same ones or wider ones.
        return any(matches(pattern, subject) for pattern in patterns)

    def _tell(self, change: Change, text: str) -> None:
        for notice in tuple(self._notices):
            notice(change, text)
