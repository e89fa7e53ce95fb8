"""The events of a service as one sequence, even if a connection breaks or the service restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

from wintun_api.cli.client import Client
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.cli.words import START, cause_of, unreachable
from wintun_api.client import operations
from wintun_api.client.backoff import Backoff
from wintun_api.client.events import SILENCE, Attempts, Cursor
from wintun_api.client.problems import ClientError, Disconnected, ServiceUnreachable

Message = dict[str, Any]

REFUSED = "Run the command again if the administrator agrees."
SPARED = 100  # of so many kept events one is not asked for: a newer one may replace it meanwhile


class EventStream:
    """Reads the events after one, each once and in order.

    A message is an event, or `missed`, or a `snapshot` where events are missing before it: the
    service no longer has them, or it has been restarted.
    """

    def __init__(self, client: Client, since: int | None, tell: Callable[[str], None]) -> None:
        """Begin after event `since`, or with the oldest one kept; `tell` gets what went wrong."""
        self._client = client
        self._tell = tell
        self._cursor = Cursor(None)
        try:
            with closing(self._connection()) as messages:
                first = next(messages, None)
        except ServiceUnreachable as error:
            unreachable(error)
        if first is None:
            fail("The service is stopping.", START, code=ExitCode.NOT_REACHABLE)
        self.first: Message = first  # a snapshot
        self._newest: int = first["id"]
        if since is None:
            oldest = first["oldest"]
            since = oldest - 1
            if oldest > 1:
                since += (self._newest - since) // SPARED
        self._cursor.last = since

    def past(self) -> Iterator[Message]:
        """Return what has happened until now, or only a snapshot where that is not known."""
        if self._cursor.last == self._newest:
            return
        try:
            for message in self._connection():
                yield message
                if message["type"] == "snapshot" or self._cursor.last == self._newest:
                    return
        except ServiceUnreachable as error:
            unreachable(error)
        fail(
            "The service stopped before it had sent all events.",
            START,
            code=ExitCode.NOT_REACHABLE,
        )

    def follow(self) -> Iterator[Message]:
        """Return what has happened and then what happens; connect again where needed."""
        attempts = Attempts(Backoff(), self._broke)
        while True:
            failure: ServiceUnreachable | None = None
            try:
                for message in self._connection():
                    attempts.succeeded()
                    yield message
            except ServiceUnreachable as error:
                failure = error
            except Disconnected as error:
                fail(error.detail, REFUSED)
            time.sleep(attempts.next(failure) or 0)

    def _broke(self, error: ClientError | None) -> None:
        reason = "The service ended the stream"
        if isinstance(error, ServiceUnreachable):
            reason = cause_of(error)
        self._tell(f"{reason.rstrip('.')}. Trying to connect again.")

    def _connection(self) -> Generator[Message, None, None]:
        self._cursor.begin(self._client.attempt(operations.get_system())["started_at"])
        call = operations.stream_events(since=self._cursor.last)
        with self._client.listen(call, SILENCE) as chunks:
            for chunk in chunks:
                yield from self._cursor.messages(chunk)
