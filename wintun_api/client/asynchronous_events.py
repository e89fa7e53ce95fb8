"""The events of a service for programs with an event loop.

`synchronous_events` is generated from this module: `python -m tests.client.twin` writes it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self, TypeVar

from wintun_api.client import operations
from wintun_api.client.backoff import Backoff
from wintun_api.client.call import Call
from wintun_api.client.events import SILENCE, Attempts, Cursor, Happening, OnBreak
from wintun_api.client.problems import Disconnected, ProblemError, ServiceUnreachable

T = TypeVar("T")


class AsyncListener(Protocol):
    """What an event stream needs of a client."""

    async def send(self, call: Call[T]) -> T:
        """Send a request and return what its answer says."""

    def listen(
        self, call: Call[bytes], *, silence: float | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Send a request whose answer does not end; give its bytes as they arrive."""


class AsyncEventStream:
    """Read events, each once and in order. An iterator, and a context manager that closes it.

    The values are models of `wintun_api.schemas.events`: an `Event`, whose data `data_of` reads;
    `Missed`, if events were dropped because the program reads too slowly; and a `Snapshot` of
    everything there is, at the beginning and where events are missing, because the service no
    longer has them or was started again. An event of a type that is not known is `UnknownEvent`.

    A read that is cancelled loses nothing: the next one continues after the last event.
    """

    def __init__(
        self,
        client: AsyncListener,
        since: int | None = None,
        *,
        reconnect: Backoff | bool = True,
        silence: float = SILENCE,
        on_break: OnBreak | None = None,
    ) -> None:
        """Name the events to read; the first read connects.

        Args:
            client: The client.
            since: The id of the last event that the program has. None begins with a snapshot.
            reconnect: Whether, and how patiently, to connect again when the stream breaks or the
                service ends it. Otherwise iteration ends, or the error is raised.
            silence: After so many seconds without a sign of the service the connection is lost.
            on_break: Called each time before the stream connects again, with the error that ended
                the connection, or None if the service has ended it in order.
        """
        self._client = client
        self._cursor = Cursor(since)
        self._attempts = Attempts(reconnect, on_break)
        self._silence = silence
        self._listening: AbstractAsyncContextManager[AsyncIterator[bytes]] | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._ready: deque[Happening] = deque()
        self._over = False

    @property
    def last_id(self) -> int | None:
        """The id of the last event that was given; a later stream continues after it."""
        return self._cursor.given

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; iteration ends. Idempotent."""
        self._over = True
        self._ready.clear()
        await self._leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Happening:
        """Return what happens next.

        A cancellation or a time limit ends the connection; the next call connects again and misses
        nothing, but a short limit over and over gets nothing at all.

        Raises:
            ProblemError: The service has refused: the token was revoked, for example.
            ServiceUnreachable: It does not answer, and no further attempt is to be made.
            Disconnected: An administrator has ended the stream.
        """
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            try:
                if self._chunks is None:
                    await self._connect()
                assert self._chunks is not None
                chunk = await anext(self._chunks, None)
            except (ServiceUnreachable, ProblemError) as error:
                await self._leave()
                await self._again(error)
                continue
            except BaseException:
                await self._leave()
                raise
            if chunk is None:
                await self._leave()
                await self._again(None)
                continue
            try:
                found = self._cursor.take(chunk)
            except Disconnected:
                await self.aclose()
                raise
            if found:
                self._attempts.succeeded()
                self._ready.extend(found)
        return self._cursor.give(self._ready.popleft())

    async def _connect(self) -> None:
        system = await self._client.send(operations.get_system())
        self._cursor.begin(system.started_at)
        call = operations.stream_events(since=self._cursor.last)
        listening = self._client.listen(call, silence=self._silence)
        chunks = await listening.__aenter__()
        self._listening, self._chunks = listening, chunks

    async def _leave(self) -> None:
        listening, self._listening, self._chunks = self._listening, None, None
        if listening is not None:
            await listening.__aexit__(None, None, None)

    async def _again(self, error: ServiceUnreachable | ProblemError | None) -> None:
        """Wait before the next attempt, or end."""
        delay = self._attempts.next(error)
        if delay is None:
            self._over = True
            if error is not None:
                raise error
            return
        await asyncio.sleep(delay)
