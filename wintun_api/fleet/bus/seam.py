"""The bus as the other rooms see it: subjects, buckets of keys, streams, requests.

Everything here belongs to the event loop. Callbacks are plain functions, called in the order in
which messages come: a coroutine for each message costs more than the message.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Message:
    """A message that has come.

    Attributes:
        subject: Where it was published.
        data: Its bytes.
        reply: Where an answer is expected; empty if none is.
        plain: Whether it has neither headers nor a reply. What comes out of a stream has a reply,
            so no host can have a stream send a plain message in the name of another one.
    """

    subject: str
    data: bytes
    reply: str = ""
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a bucket.

    Attributes:
        key: Its name.
        value: Its bytes; None if it was deleted or has expired.
        revision: The number of this change in its bucket, which grows with every change.
        created_ns: When the server took it, in nanoseconds since 1970 by the server's clock.
    """

    key: str
    value: bytes | None
    revision: int
    created_ns: int


class Change(StrEnum):
    """Name what has happened to the connection with the bus."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"  # it has ended, or the server refuses the key of this host
    SLOW = "slow"  # the server has probably cut this host off, because it read too slowly
    DENIED = "denied"  # the server has refused a subject


Take: TypeAlias = Callable[[Message], None]
Notice: TypeAlias = Callable[[Change, str], None]  # and what the server said of it


class Subscription(Protocol):
    """Messages of a subject, until it is closed.

    Each is taken as soon as it has come, so none waits unless the subscription is paused.

    Attributes:
        dropped_messages: How many did not fit into the bound of this subscription.
        dropped_bytes: The bytes of these.
        waiting_bytes: The bytes that wait because the subscription is paused.
    """

    dropped_messages: int
    dropped_bytes: int
    waiting_bytes: int

    def pause(self) -> None:
        """Let messages wait, up to the bound of this subscription. Idempotent."""

    def resume(self) -> None:
        """Take what waits, then each message as it comes. Idempotent."""

    async def aclose(self) -> None:
        """Take no more messages. Idempotent."""


class Watch(Protocol):
    """The changes of a bucket, until it is closed."""

    async def caught_up(self) -> None:
        """Wait until every key that was there at the beginning has been taken."""

    async def aclose(self) -> None:
        """Take no more changes. Idempotent."""


class Bucket(Protocol):
    """Keys and values that all hosts of a network can read."""

    async def create(self, key: str, value: bytes) -> int:
        """Write a key that is not there, and return its revision.

        Raises:
            KeyTaken: It is there.
            BusDenied: This host may not write it.
            BusUnavailable: The server does not answer.
        """

    async def put(self, key: str, value: bytes) -> int:
        """Write a key, whether it is there or not, and return its revision.

        Raises:
            BusDenied: This host may not write it.
            BusUnavailable: The server does not answer.
        """

    async def delete(self, key: str) -> None:
        """Delete a key; nothing happens if it is not there.

        Raises:
            BusDenied: This host may not delete it.
            BusUnavailable: The server does not answer.
        """

    async def watch(
        self, take: Callable[[Entry], None], missed: Callable[[], None] | None = None
    ) -> Watch:
        """Call `take` for every key that is there, then for every change.

        After an interruption every key is taken once more, also those that were deleted meanwhile,
        with None for their value. Such a deletion has the last known revision and time of its key;
        the same is true of a key that has expired. Of several changes of a key in between only the
        last one is taken: `missed` is called before, which can happen on the same connection.

        Raises:
            BusDenied: This host may not read it.
            BusUnavailable: The server does not answer.
        """


class Stream(Protocol):
    """Messages that the server keeps, within bounds."""

    async def publish(self, subject: str, data: bytes) -> None:
        """Add a message, and wait until the server has it.

        Raises:
            BusDenied: This host may not add it.
            BusUnavailable: The server does not answer.
        """

    def read(
        self, subject: str, *, since_ns: int | None = None, until_ns: int | None = None
    ) -> AsyncGenerator[tuple[Message, int], None]:
        """Yield what is there, oldest first, each with the server's time in nanoseconds.

        Reading goes on after an interruption, behind the last message that was read.

        Args:
            subject: The messages that are wanted; wildcards are allowed.
            since_ns: The time of the first; None begins with the oldest.
            until_ns: The time of the last; None goes on with what comes later, without an end.

        Raises:
            BusDenied: This host may not read them.
            BusUnavailable: The server does not answer.
        """


class Bus(Protocol):
    """A connection with the bus. It connects again by itself until it is closed.

    What a connection publishes does not come back to its own subscriptions.
    """

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""

    @property
    def version(self) -> str:
        """The version that the server has told last; empty before."""

    @property
    def unsent(self) -> int:
        """How many bytes wait for the server."""

    def notify(self, notice: Notice) -> None:
        """Call `notice` for every change of the connection from now on.

        A subject that is denied is told once in ten seconds at most.
        """

    async def publish(self, subject: str, data: bytes) -> bool:
        """Send a message without waiting for the server; return whether it was taken.

        It is not taken while there is no connection, or while so many bytes are unsent that it
        would exceed the bound of this connection. Nothing of it is sent then. A subject that this
        host may not use is told by `Change.DENIED`, later.

        Raises:
            InvalidArgument: It is larger than half of the bound, or than the server takes.
        """

    async def room(self) -> None:
        """Wait until fewer bytes than half of the bound are unsent, or the bus is closed.

        Other tasks get their turn, also where there is room at once.
        """

    async def flush(self) -> None:
        """Wait until the server has taken everything that was published before.

        Raises:
            BusUnavailable: The connection ended first.
        """

    async def subscribe(self, subject: str, take: Take, *, limit_bytes: int) -> Subscription:
        """Call `take` for every message of a subject, which may have wildcards.

        The server knows of it when this returns; without a connection, as soon as there is one.

        Args:
            subject: The subject.
            take: Called with each message. What it raises is logged.
            limit_bytes: How many bytes of messages wait at most while the subscription is paused;
                more are dropped and counted.

        Raises:
            BusDenied: This host may not read it.
        """

    async def request(self, subject: str, data: bytes, *, patience: float) -> bytes:
        """Send a message that is answered, and return the answer.

        Raises:
            NobodyAnswers: Nothing listens there, or nothing came for `patience` seconds.
            BusDenied: This host may not send it.
            BusUnavailable: There is no connection.
        """

    async def bucket(self, name: str) -> Bucket:
        """Return a bucket that is there.

        Raises:
            BusUnavailable: There is no such bucket: the network was not prepared on this server.
        """

    async def stream(self, name: str) -> Stream:
        """Return a stream that is there.

        Raises:
            BusUnavailable: There is no such stream: the network was not prepared on this server.
        """

    async def server_time_ns(self) -> int:
        """Ask the server for its time, in nanoseconds since 1970.

        Raises:
            BusUnavailable: The server does not answer.
        """

    async def aclose(self) -> None:
        """Send what waits, and end the connection. Idempotent."""
