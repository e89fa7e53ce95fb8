"""What the seam promises, over one connection after the other."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from contextlib import suppress
from typing import Final, Self

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from wintun_api.client.backoff import Backoff
from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.intake import Intake
from wintun_api.fleet.bus.nats import jetstream
from wintun_api.fleet.bus.nats.buckets import NatsBucket
from wintun_api.fleet.bus.nats.connection import NO_CONNECTION, Connection, Headers
from wintun_api.fleet.bus.nats.streams import NatsStream
from wintun_api.fleet.bus.seam import Change, Message, Notice, Take
from wintun_api.fleet.keys.identity import KeyLine, check_certificates
from wintun_api.fleet.keys.rights import bucket_stream
from wintun_api.fleet.problems import BusDenied, BusUnavailable, FleetError, KeyRefused

logger = logging.getLogger(__name__)

PENDING: Final = 1 << 20  # bytes
AGAIN: Final = Backoff(first=0.25, last=10.0)
JITTER: Final = (0.5, 1.5)  # of each wait, so that not all hosts come back at once
DENIED_PAUSE: Final = 10.0  # seconds in which a denied subject is told once
MAX_DENIED: Final = 256
LAST_WORDS: Final = 5.0  # seconds that the last messages have


class NatsSubscription(Intake):
    """A subscription, over all connections."""

    def __init__(self, bus: NatsBus, subject: str, take: Take, limit_bytes: int) -> None:
        super().__init__(take, limit_bytes)
        self.subject = subject
        self.at: tuple[Connection, Subscription] | None = None
        self._bus = bus

    def came(self, subject: str, data: bytes, reply: str, headers: Headers | None) -> None:
        """Take a message of the present connection."""
        self.offer(Message(subject, data, reply, plain=headers is None and not reply))

    async def aclose(self) -> None:
        """Take no more messages."""
        self.close()
        await self._bus.forget(self)


class NatsBus:
    """A bus over NATS. Event loop only. Make it with `connect`."""

    def __init__(self, line: KeyLine, *, name: str, pending: int) -> None:
        self._line = line
        self._name = name
        self._pending = pending
        self._context = (
            ssl.create_default_context() if line.ca is None else check_certificates(line.ca)
        )
        self._connection: Connection | None = None
        self._version = ""
        self._subscriptions: list[NatsSubscription] = []
        self._notices: list[Notice] = []
        self._denials: dict[str, float] = {}
        self._room = asyncio.Event()
        self._there = asyncio.Event()
        self._closed = False
        self._keeping: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls,
        line: KeyLine,
        *,
        name: str = "wintun-api",
        pending: int = PENDING,
        notice: Notice | None = None,
        patient: bool = False,
    ) -> Self:
        """Connect, and connect again whenever the connection ends.

        Args:
            line: Who this host is, and where the servers are.
            name: What the server calls this connection.
            pending: How many bytes wait for the server at most.
            notice: Called for every change of the connection, also the first one.
            patient: Whether to return without a connection where no server answers, and to go on.

        Raises:
            KeyRefused: No server knows the key.
            BusUnavailable: No server answers.
        """
        bus = cls(line, name=name, pending=pending)
        if notice is not None:
            bus.notify(notice)
        try:
            await bus._open()
        except FleetError as error:
            if not patient:
                raise
            bus._tell(Change.DISCONNECTED, error.detail)
        loop = asyncio.get_running_loop()
        bus._keeping = loop.create_task(bus._keep(), name="bus connection")
        return bus

    # The seam

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None and self._connection.alive

    @property
    def version(self) -> str:
        """The version that the server has told last."""
        return self._version

    @property
    def unsent(self) -> int:
        """How many bytes wait for the server."""
        return self._connection.unsent if self._connection is not None and self.connected else 0

    def notify(self, notice: Notice) -> None:
        """Call `notice` for every change of the connection from now on."""
        self._notices.append(notice)

    async def publish(self, subject: str, data: bytes) -> bool:
        """Send a message without waiting; return whether it was taken."""
        if len(data) * 2 > self._pending:  # there might never be room for it
            raise InvalidArgument(
                "data", f"One message has at most half of the {self._pending} bytes that may wait."
            )
        connection = self._connection
        if connection is None or not connection.alive:
            return False
        if connection.unsent + len(data) > self._pending:
            return False
        return await connection.publish(subject, data)

    async def room(self) -> None:
        """Wait until few bytes are unsent, or the bus is closed."""
        while not (self._closed or (self.connected and self.unsent * 2 <= self._pending)):
            self._room.clear()
            await self._room.wait()
        await asyncio.sleep(0)

    async def flush(self) -> None:
        """Wait until the server has taken everything that was published before."""
        await self.current().flush()

    async def subscribe(self, subject: str, take: Take, *, limit_bytes: int) -> NatsSubscription:
        """Call `take` for every message of a subject."""
        subscription = NatsSubscription(self, subject, take, limit_bytes)
        self._subscriptions.append(subscription)
        connection = self._connection
        if connection is not None and connection.alive:
            try:
                await self._attach(connection, subscription)
            except BusUnavailable:
                pass  # the next connection has it
            except BaseException:
                await subscription.aclose()
                raise
        return subscription

    async def request(self, subject: str, data: bytes, *, patience: float) -> bytes:
        """Send a message that is answered, and return the answer."""
        answer = await self.current().request(subject, data, patience=patience)
        return answer.data

    async def bucket(self, name: str) -> NatsBucket:
        """Return a bucket that is there."""
        try:
            info = await jetstream.stream_info(self, bucket_stream(name))
        except jetstream.NotThere:
            raise _not_prepared(f"bucket {name}") from None
        return NatsBucket(self, name, info.max_age)

    async def stream(self, name: str) -> NatsStream:
        """Return a stream that is there."""
        try:
            await jetstream.stream_info(self, name)
        except jetstream.NotThere:
            raise _not_prepared(f"stream {name}") from None
        return NatsStream(self, name)

    async def server_time_ns(self) -> int:
        """Ask the server for its time."""
        name = bucket_stream(self._line.network.hosts)
        try:
            return (await jetstream.stream_info(self, name)).now_ns
        except jetstream.NotThere:
            raise _not_prepared(f"bucket {self._line.network.hosts}") from None

    async def aclose(self) -> None:
        """Send what waits, and end the connection."""
        self._closed = True
        self._there.set()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait((self._keeping,))
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(BusUnavailable, TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await connection.flush()
            await connection.close("The bus was closed.")
        for subscription in tuple(self._subscriptions):
            subscription.close()
        self._subscriptions.clear()
        self._room.set()

    # What buckets and streams ask for

    def current(self) -> Connection:
        """Return the connection.

        Raises:
            BusUnavailable: There is none.
        """
        connection = self._connection
        if connection is None or not connection.alive:
            raise BusUnavailable(
                NO_CONNECTION, hint="It is made again as soon as a server answers."
            )
        return connection

    async def ask(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> Msg:
        """Ask the server, and return its answer; the errors are those of `request`."""
        return await self.current().request(
            subject, data, patience=jetstream.PATIENCE, headers=headers
        )

    async def next_connection(self) -> Connection | None:
        """Wait until there is a connection, and return it; None if the bus is closed first."""
        while not self._closed:
            await self._there.wait()
            connection = self._connection
            if connection is not None and connection.alive:
                return connection
            if not self._closed:
                self._there.clear()
        return None

    async def forget(self, subscription: NatsSubscription) -> None:
        """Have no more messages sent for a subscription."""
        with suppress(ValueError):
            self._subscriptions.remove(subscription)
        at, subscription.at = subscription.at, None
        if at is not None:
            connection, at_server = at
            await connection.unsubscribe(at_server)

    # One connection after the other

    async def _keep(self) -> None:
        while True:
            connection = self._connection
            if connection is not None:
                await asyncio.wait((connection.line.ended,))
                late, reason = connection.line.late, connection.reason
                self._connection = None
                self._there.clear()
                await connection.close(reason)
                if late:
                    self._tell(
                        Change.SLOW,
                        f"This host had not kept up with reading for {late:.1f} s when the server "
                        "ended the connection.",
                    )
                self._tell(Change.DISCONNECTED, reason)
            await self._come_back()

    async def _come_back(self) -> None:
        said = ""
        for delay in AGAIN.delays():
            await asyncio.sleep(delay * random.uniform(*JITTER))  # noqa: S311 - not a secret
            try:
                await self._open()
            except FleetError as error:
                if error.detail != said:
                    said = error.detail
                    if isinstance(error, KeyRefused):
                        self._tell(Change.DISCONNECTED, said)
                    logger.warning("The bus cannot be reached: %s", said)
            except Exception:  # a fault here must not end the connections for good
                logger.exception("The bus cannot be reached.")
            else:
                return

    async def _open(self) -> None:
        """Connect to one of the servers, and subscribe to everything there.

        Raises:
            KeyRefused: No server knows the key.
            BusUnavailable: No server answers.
        """
        servers = list(self._line.servers)
        random.shuffle(servers)
        problems: dict[str, FleetError] = {}
        for url in servers:
            connection = Connection(
                url, pending=self._pending, drained=self._drained, denied=self._refuse
            )
            try:
                await connection.open(
                    self._line.identity,
                    self._context,
                    self._name,
                    of_system=self._line.ca is None,
                )
                await self._attach_all(connection)
            except FleetError as error:
                problems[url] = error
                await connection.close(error.detail)
                continue
            except BaseException:
                await connection.close("The bus was closed.")
                raise
            self._connection = connection
            self._version = connection.version
            self._there.set()
            self._room.set()
            self._tell(Change.CONNECTED, url)
            return
        refused = (one for one in problems.values() if isinstance(one, KeyRefused))
        raise next(refused, problems[self._line.servers[0]])  # the same words each time

    async def _attach_all(self, connection: Connection) -> None:
        tried: set[NatsSubscription] = set()
        while left := [one for one in self._subscriptions if one not in tried]:
            tried.update(left)
            for subscription in left:
                with suppress(BusDenied, InvalidArgument):  # the first is told as a change
                    await self._attach(connection, subscription)

    async def _attach(self, connection: Connection, subscription: NatsSubscription) -> None:
        at_server = await connection.subscribe(subscription.subject, subscription)
        subscription.at = connection, at_server
        if subscription not in self._subscriptions:
            await self.forget(subscription)

    def _drained(self) -> None:
        if self.unsent * 2 <= self._pending:
            self._room.set()

    def _refuse(self, what: str, subject: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._denials.get(subject, now):
            return
        if len(self._denials) >= MAX_DENIED:
            self._denials.clear()
        self._denials[subject] = now + DENIED_PAUSE
        self._tell(Change.DENIED, f"The server does not allow {what} {subject}.")

    def _tell(self, change: Change, text: str) -> None:
        for notice in tuple(self._notices):
            try:
                notice(change, text)
            except Exception:  # one who fails must not end the connection for all
                logger.exception("A change of the bus could not be taken.")


def _not_prepared(what: str) -> BusUnavailable:
    return BusUnavailable(
        f"There is no {what} on this server.",
        hint="The network was not prepared there. The operator of the server does that.",
    )
