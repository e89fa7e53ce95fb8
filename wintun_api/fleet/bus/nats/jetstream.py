"""What the server keeps in streams, as it is asked for: questions, answers, ordered deliveries.

https://docs.nats.io/reference/reference-protocols/nats_api_reference

nats-py has all of this too, but cannot be used here: its buckets do not create a key again that has
expired, its watches drop the nanoseconds of the server's times, and both end with a connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from wintun_api.fleet.bus.nats.connection import Connection, Headers
from wintun_api.fleet.keys.rights import API
from wintun_api.fleet.problems import BusUnavailable, FleetError, NobodyAnswers
from wintun_api.moments import NS_PER_SECOND

PATIENCE: Final = 5.0  # seconds for an answer of the server
HEARTBEAT: Final = 5.0  # seconds, in which the server says something in any case
SILENCE: Final = 3 * HEARTBEAT  # after which a delivery has ended
LATE: Final = 1.0  # seconds by which a timer is late if this process stood still
INACTIVE: Final = 30.0  # seconds after which the server forgets a consumer without a reader

STREAM_NOT_FOUND: Final = 10059
WRONG_LAST_SEQUENCE: Final = (10071, 10164)

STATUS, DESCRIPTION = "Status", "Description"  # as nats-py calls the first line of a header
CONTROL: Final = "100"


class NotThere(BusUnavailable):
    """Report that a stream is not there."""


class WrongSequence(FleetError):
    """Report that a key is not in the state that was expected."""


class Asking(Protocol):
    """What asks the server: the bus."""

    async def ask(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> Msg:
        """Ask the server, and return its answer."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the server says of a stream.

    Attributes:
        max_age: Seconds that a message is kept; 0 for no limit.
        now_ns: The server's time.
    """

    max_age: float
    now_ns: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message of a stream.

    Attributes:
        subject: Where it was published.
        data: Its bytes.
        reply: What the server wants to know of it.
        headers: Its headers.
        sequence: Its number in the stream.
        time_ns: When the server took it.
        pending: How many more the server has to deliver.
    """

    subject: str
    data: bytes
    reply: str
    headers: Headers
    sequence: int
    time_ns: int
    pending: int


async def answer_of(
    bus: Asking, subject: str, data: bytes = b"", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Ask, and return the answer of the server's part that keeps streams.

    Raises:
        NotThere: There is no such stream.
        WrongSequence: The key is not in the state that the headers expect.
        BusDenied: This host may not ask.
        BusUnavailable: The server does not answer, or refuses.
    """
    try:
        message = await bus.ask(subject, data, headers)
    except NobodyAnswers:
        raise BusUnavailable("The server does not answer: it may keep no streams.") from None
    return _checked(message.data)


def _checked(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise BusUnavailable("The server gives an answer that is not an object.")
    error = answer.get("error")
    if not isinstance(error, dict):
        return answer
    said = str(error.get("description", "no reason"))
    if error.get("err_code") == STREAM_NOT_FOUND:
        raise NotThere(f"The server says: {said}.")
    if error.get("err_code") in WRONG_LAST_SEQUENCE:
        raise WrongSequence(f"The server says: {said}.")
    raise BusUnavailable(f"The server refuses: {said}.")


async def stream_info(bus: Asking, name: str) -> StreamInfo:
    """Ask for a stream; the errors are those of `answer_of`."""
    answer = await answer_of(bus, f"{API}.STREAM.INFO.{name}")
    config = answer.get("config", {})
    return StreamInfo(config.get("max_age", 0) / NS_PER_SECOND, nanoseconds_of(answer.get("ts")))


def nanoseconds_of(text: object) -> int:
    """Return a time of the server as nanoseconds since 1970: its texts have up to nine digits.

    Raises:
        BusUnavailable: It is not a time: only servers before 2.10 say none.
    """
    try:
        if not isinstance(text, str) or not text.endswith("Z"):
            raise BusUnavailable("The server does not tell its time: it is too old for this.")
        seconds, _, fraction = text[:-1].partition(".")
        whole = int(datetime.fromisoformat(seconds).replace(tzinfo=UTC).timestamp())
        return whole * NS_PER_SECOND + int(fraction[:9].ljust(9, "0"))
    except ValueError:
        raise BusUnavailable(f"The server tells a time that cannot be read: {text!r}.") from None


class Delivery:
    """Messages of a stream in order, by a consumer of one's own, until one is missing.

    Attributes:
        ended: Done when nothing more comes: the connection has ended, a message is missing, or the
            server is silent.
        now_ns: The server's time when it began.
        pending: How many messages there were at the beginning.
    """

    def __init__(
        self, connection: Connection, take: Callable[[Delivered], None], *, held: bool = False
    ) -> None:
        """Prepare it.

        Args:
            connection: Where it comes from.
            take: Called with each message.
            held: Whether the server has to wait for `proceed` before it sends more.
        """
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.now_ns = 0
        self.pending = 0
        self._connection = connection
        self._take = take
        self._held = held
        self._tickets: list[str] = []
        self._expected = 1
        self._subscription: Subscription | None = None
        self._made = ""  # the stream and the name of the consumer
        self._silence: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._tasks: set[asyncio.Task[bool]] = set()

    async def begin(self, stream: str, subject: str, policy: dict[str, Any]) -> None:
        """Have messages delivered.

        Args:
            stream: The stream.
            subject: Those that are wanted.
            policy: The fields of a consumer that say where it begins.

        Raises:
            BusDenied: This host may not read them.
            BusUnavailable: The connection has ended, or the server refuses.
        """
        try:
            answer = await self._create(stream, subject, policy)
            self.now_ns = nanoseconds_of(answer.get("ts"))
        except BaseException:
            await self.end()
            raise
        # What was delivered before this answer was written is not pending any more.
        delivered = answer.get("delivered", {}).get("consumer_seq", 0)
        self.pending = int(answer.get("num_pending", 0)) + int(delivered)
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        self._listen_in(SILENCE)

    async def _create(self, stream: str, subject: str, policy: dict[str, Any]) -> dict[str, Any]:
        connection = self._connection
        connection.line.ended.add_done_callback(self._lost)
        inbox = connection.new_inbox()
        name = inbox.rpartition(".")[2]
        self._subscription = await connection.subscribe(inbox, self)
        question = {
            "stream_name": stream,
            "config": {
                "name": name,
                "deliver_subject": inbox,
                "filter_subject": subject,
                "ack_policy": "none",
                "max_deliver": 1,
                "flow_control": True,
                "idle_heartbeat": int(HEARTBEAT * NS_PER_SECOND),
                "inactive_threshold": int(INACTIVE * NS_PER_SECOND),
                "mem_storage": True,
                "num_replicas": 1,
                **policy,
            },
        }
        try:
            message = await connection.request(
                f"{API}.CONSUMER.CREATE.{stream}.{name}",
                json.dumps(question).encode(),
                patience=PATIENCE,
            )
        except NobodyAnswers:
            raise BusUnavailable("The server does not answer: it may keep no streams.") from None
        answer = _checked(message.data)
        self._made = f"{stream}.{name}"
        return answer

    async def end(self) -> None:
        """Have nothing more delivered. Idempotent."""
        self._break("It was closed.")
        if self._silence is not None:
            self._silence.cancel()
        self._connection.line.ended.remove_done_callback(self._lost)
        subscription, self._subscription = self._subscription, None
        if subscription is not None and self._connection.alive:
            await self._connection.unsubscribe(subscription)
            if self._made:
                # Otherwise the server keeps it until it is inactive for too long.
                await self._connection.publish(f"{API}.CONSUMER.DELETE.{self._made}", b"")

    def redirect(self, take: Callable[[Delivered], None]) -> None:
        """Call another function with each message from now on."""
        self._take = take

    def proceed(self) -> None:
        """Let the server send more, if it waits for this."""
        tickets, self._tickets = self._tickets, []
        for ticket in tickets:
            self._return(ticket)

    def came(self, subject: str, data: bytes, reply: str, headers: Headers | None) -> None:
        """Take a message of the server."""
        if self.ended.done():
            return
        self._heard = asyncio.get_running_loop().time()
        headers = headers or {}
        if headers.get(STATUS) == CONTROL and not data:
            self._control(reply, headers)
            return
        try:
            sequence, number, time_ns, pending = _position(reply)
        except ValueError:
            return  # not of this consumer
        if number != self._expected:
            self._break("A message is missing.")
            return
        self._expected += 1
        self._take(Delivered(subject, data, reply, headers, sequence, time_ns, pending))

    def _control(self, reply: str, headers: Headers) -> None:
        if headers.get(DESCRIPTION, "").startswith("Idle"):
            last = headers.get("Nats-Last-Consumer", "")
            if last.isdigit() and int(last) >= self._expected:
                self._break("A message is missing.")
                return
            reply = headers.get("Nats-Consumer-Stalled", "")
        if not reply:
            return
        if self._held:
            self._tickets.append(reply)
        else:
            self._return(reply)

    def _return(self, ticket: str) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._connection.publish(ticket, b""))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _listen_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(seconds, self._listen, loop.time() + seconds)

    def _listen(self, due: float) -> None:
        now = asyncio.get_running_loop().time()
        left = self._heard + SILENCE - now
        if left > 0:
            self._listen_in(left)
        elif now - due > LATE:  # this process stood still, and what has come waits to be read
            self._listen_in(LATE)
        else:
            self._break("The server is silent.")

    def _lost(self, ended: asyncio.Future[str]) -> None:
        self._break(ended.result())

    def _break(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)


def _position(reply: str) -> tuple[int, int, int, int]:
    """Return what the reply of a delivered message says.

    These are its number in the stream, its number in the delivery, its time, and what is pending.

    Raises:
        ValueError: It is not one of a stream.
    """
    parts = reply.split(".")
    if parts[:2] != ["$JS", "ACK"] or len(parts) < 9:
        raise ValueError(reply)
    # Since 2.10 there may be a domain and an account before the stream, and a token at the end.
    at = 4 if len(parts) == 9 else 6
    _, sequence, number, time_ns, pending = (int(one) for one in parts[at : at + 5])
    return sequence, number, time_ns, pending
