"""What the event streams share: which messages are new, what they say, and when to connect again.

`AsyncEventStream` and `EventStream` read them as one sequence, even if a connection breaks or the
service restarts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from wintun_api.choices import CloseCode, EventType
from wintun_api.client.backoff import Backoff, backoff_of
from wintun_api.client.problems import (
    PASSING_STATUS,
    ClientError,
    ProblemError,
    ServiceUnreachable,
    closed,
)

if TYPE_CHECKING:
    from wintun_api.schemas.events import Event, Missed, Snapshot
    from wintun_api.schemas.model import Model

T = TypeVar("T")

SILENCE: Final = 45.0  # seconds; the service says something every 15
# The comment with which the service says that an administrator ends the stream, and why.
DISCONNECTED: Final = b": disconnected "
MAX_EVENT: Final = 64 * 1024 * 1024  # bytes; more than any snapshot


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a type that this version of the client does not know.

    Attributes:
        id: The id of the event.
        time: The time of the event, in UTC.
        type: The type of the event.
        data: The data of the event, as the service sent it.
    """

    id: int
    time: datetime
    type: str
    data: Mapping[str, Any]


Happening: TypeAlias = "Event | Missed | Snapshot | UnknownEvent"
OnBreak: TypeAlias = Callable[["ClientError | None"], object]


class Attempts:
    """Say whether, and when, a stream connects again."""

    def __init__(self, reconnect: Backoff | bool, on_break: OnBreak | None) -> None:
        self._backoff = backoff_of(reconnect)
        self._on_break = on_break
        self._delays: Iterator[float] | None = None

    def succeeded(self) -> None:
        """Note that something has arrived: the next wait is the first one again."""
        self._delays = None

    def next(self, error: ServiceUnreachable | ProblemError | None) -> float | None:
        """Return how many seconds to wait before the next attempt; None if there is none."""
        if self._backoff is None or not _is_passing(error):
            return None
        if self._delays is None:
            self._delays = self._backoff.delays()
            if self._on_break is not None:
                self._on_break(error)
        return next(self._delays, None)


class Cursor:
    """Say where a stream of events stands: what to ask for next, and which messages are new.

    Attributes:
        last: The id of the last event that has arrived; None asks for a snapshot.
        given: The id of the last event that the program has.
    """

    def __init__(self, since: int | None) -> None:
        self.last = self.given = since
        self._started: object = None
        self._splitter = Splitter()

    def begin(self, started: object) -> None:
        """Note that a connection begins, and when the service was started."""
        if self._started is not None and self._started != started:
            self.last = None  # the ids of another run name other events
        self._started = started
        self._splitter = Splitter()

    def take(self, chunk: bytes) -> list[Happening]:
        """Return what is new in some bytes of an answer."""
        return list(map(_happening, self.messages(chunk)))

    def messages(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Return what is new in some bytes of an answer, as the service wrote it."""
        for message in self._splitter.split(chunk):
            kind, number = message.get("type"), message.get("id")
            if kind != "missed" and isinstance(number, int):
                if kind != "snapshot" and self.last is not None and number <= self.last:
                    continue
                self.last = number
            yield message

    def give(self, happening: Happening) -> Happening:
        """Note that the program gets this."""
        number: int | None = getattr(happening, "id", None)
        if number is not None:
            self.given = number
        return happening


class Splitter:
    """Split an answer with server-sent events into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0

    def split(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Return the messages that are whole with these bytes.

        Raises:
            ClientError: They are not messages of the service.
            Disconnected: An administrator has ended the stream.
        """
        # Not by lines of text: names may hold U+2028, which is a line's end there, but not here.
        self._rest += chunk
        start = 0
        while (end := self._rest.find(b"\n\n", max(start, self._searched))) >= 0:
            lines = bytes(self._rest[start:end]).split(b"\n")
            start = self._searched = end + 2
            data = [line[6:] for line in lines if line.startswith(b"data: ")]
            if data:
                yield _object(b"\n".join(data))
            elif lines[0].startswith(DISCONNECTED):
                reason = lines[0][len(DISCONNECTED) :].decode("utf-8", "replace")
                raise closed(CloseCode.DISCONNECTED, reason)
        del self._rest[:start]
        self._searched = max(len(self._rest) - 1, 0)
        if len(self._rest) > MAX_EVENT:
            raise ClientError(f"An event has more than {MAX_EVENT} bytes.", hint=OTHER)


_KNOWN: Final = frozenset(one.value for one in EventType)
OTHER: Final = "Another program may answer there, or a service of another version."


def data_of(event: Event) -> Model:
    """Return the data of an event as the model of its type, such as `schemas.adapters.Adapter`.

    Raises:
        ValueError: The data does not fit the model: the service is of another version.
    """
    from wintun_api.schemas.events import DATA

    return DATA[event.type].model_validate(event.data)


def _is_passing(error: ClientError | None) -> bool:
    """Whether another attempt may succeed where this error ended a connection."""
    if isinstance(error, ProblemError):
        return error.status in PASSING_STATUS
    return error is None or isinstance(error, ServiceUnreachable)


def _object(text: bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise ClientError(f"An event cannot be read: {text[:100]!r}.", hint=OTHER)
    return message


def _happening(message: dict[str, Any]) -> Happening:
    from wintun_api.schemas.events import Event, Missed, Snapshot

    kind = message.get("type")
    try:
        if kind == "snapshot":
            return Snapshot.model_validate(message)
        if kind == "missed":
            return Missed.model_validate(message)
        if kind in _KNOWN:
            return Event.model_validate(message)
        when = datetime.fromisoformat(message["time"])
        return UnknownEvent(message["id"], when, str(kind), message["data"])
    except (ValueError, LookupError, TypeError) as error:
        raise ClientError(
            f"An event of the type {kind!r} cannot be read: {str(error)[:200]}", hint=OTHER
        ) from error
