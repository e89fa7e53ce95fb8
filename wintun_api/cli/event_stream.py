"""The events of a service as one sequence, even if a connection breaks or the service restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from wintun_api.cli.client import START_HINT, Client, plain
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail

Message = dict[str, Any]

SPARED = 100  # of so many kept events one is not asked for: a newer one may replace it meanwhile
SILENCE = 45.0  # seconds; the service says something every 15
FIRST_DELAY, LAST_DELAY = 0.25, 8.0  # seconds between attempts to connect


class EventStream:
    """Reads the events after one, each once and in order.

    A message is an event, or `missed`, or a `snapshot` where events are missing before it: the
    service no longer has them, or it has been restarted.
    """

    def __init__(self, client: Client, since: int | None, tell: Callable[[str], None]) -> None:
        """Begin after event `since`, or with the oldest one kept; `tell` gets what went wrong."""
        self._client = client
        self._tell = tell
        self._started = client.get("/v1/system")["started_at"]
        try:
            with client.listen("/v1/events", {}, SILENCE) as chunks:
                first = next(messages(chunks), None)
        except httpx.TransportError as error:
            client.broke(error)
        if first is None:
            fail("The service is stopping.", START_HINT, code=ExitCode.NOT_REACHABLE)
        self.first: Message = first  # a snapshot
        self._newest: int = first["id"]
        if since is None:
            oldest = first["oldest"]
            since = oldest - 1
            if oldest > 1:
                since += (self._newest - since) // SPARED
        self._last: int | None = since

    def past(self) -> Iterator[Message]:
        """Return what has happened until now, or only a snapshot where that is not known."""
        if self._last == self._newest:
            return
        try:
            for message in self._connection():
                yield message
                if message["type"] == "snapshot" or self._last == self._newest:
                    return
        except httpx.TransportError as error:
            self._client.broke(error)
        fail(
            "The service stopped before it had sent all events.",
            START_HINT,
            code=ExitCode.NOT_REACHABLE,
        )

    def follow(self) -> Iterator[Message]:
        """Return what has happened and then what happens; connect again where needed."""
        delay = FIRST_DELAY
        while True:
            reason = "The service ended the stream"
            try:
                for message in self._connection():
                    delay = FIRST_DELAY
                    yield message
            except httpx.TransportError as error:
                reason = plain(error)
            if delay == FIRST_DELAY:
                self._tell(f"{reason.rstrip('.')}. Trying to connect again.")
            time.sleep(delay)
            delay = min(2 * delay, LAST_DELAY)

    def _connection(self) -> Iterator[Message]:
        started = self._client.attempt("GET", "/v1/system")["started_at"]
        if started != self._started:  # the ids of another run name other events
            self._started, self._last = started, None
        query = {"since": self._last}
        with self._client.listen("/v1/events", query, SILENCE) as chunks:
            for message in messages(chunks):
                if message["type"] == "snapshot":
                    self._last = message["id"]
                elif message["type"] != "missed":
                    if self._last is not None and message["id"] <= self._last:
                        continue
                    self._last = message["id"]
                yield message


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """Return the messages of server-sent events, whole ones only."""
    rest = b""
    for chunk in chunks:
        # Not by lines of text: names may hold U+2028, which is a line's end there, but not here.
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            data = [line[6:] for line in block.split(b"\n") if line.startswith(b"data: ")]
            if data:
                message: Message = json.loads(b"\n".join(data))
                yield message
