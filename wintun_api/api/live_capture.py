"""Turn the packets of one session or several adapters into a pcapng file for one client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

from wintun_api.api.connected import Counts, Presence
from wintun_api.api.connection import END_PATIENCE, Options
from wintun_api.api.unsent import Span
from wintun_api.choices import ClientKind, CloseCode, Times
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.gathering import Gathered, Gathering
from wintun_api.hub.capture.selection import Selection
from wintun_api.hub.capture.source import Source
from wintun_api.hub.ending import CLOSE_PATIENCE, LINGER_PATIENCE, Ending
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.sessions import Sessions
from wintun_api.hub.tasks import TaskSet


class Piece(NamedTuple):
    """Hold whole blocks: those of one burst's packets and nothing else, or blocks without any."""

    blocks: bytes
    burst: Burst | None = None


class Chunk(NamedTuple):
    """Hold whole blocks of a capture, in order."""

    pieces: Sequence[Piece]

    @property
    def blocks(self) -> bytes:
        """All blocks."""
        return b"".join([piece.blocks for piece in self.pieces])

    @property
    def bursts(self) -> list[Burst]:
        """The bursts in them."""
        return [piece.burst for piece in self.pieces if piece.burst is not None]


class Way(Protocol):
    """Deliver the chunks of a capture to the client."""

    async def sent(self) -> None:
        """Wait until the kernel has everything that was passed on, or the client is gone."""

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return the packets that were passed on but not sent; with `abort`, end the delivery."""


class Capture:
    """Turn bounded queues of packets into blocks for one client. Event loop thread only.

    Packets are lost if the client is too slow; the file says where and how many. The capture of a
    session ends with it. That of adapters goes on while their sessions end and others start; it
    ends with the service.

    Args:
        sessions: The sessions of the service.
        captured: The session, or the adapters.
        options: What the client asked for.
        packets: The number of packets after which it ends; None for no such end.
        seconds: The seconds after which it ends; None for no such end.
        stopping: Is set when the service begins to stop.

    Attributes:
        way: How the chunks get to the client; set by the code that takes them.
        reason: Why it was ended, in a sentence; empty if its close code says it.
    """

    def __init__(
        self,
        sessions: Sessions,
        captured: ManagedSession | Selection,
        options: Options,
        *,
        packets: int | None = None,
        seconds: float | None = None,
        stopping: asyncio.Event,
    ) -> None:
        self._session = captured if isinstance(captured, ManagedSession) else None
        self._options = options
        self._left = packets
        self._seconds = seconds
        self._stopping = stopping
        self._over = False
        self._code = CloseCode.ENDED
        self._wake = asyncio.Event()
        self._done = asyncio.Event()
        self._gone = asyncio.Event()
        self._tasks = TaskSet()
        self._watching: asyncio.Task[None] | None = None
        self._sources: WeakKeyDictionary[Burst, Source] = WeakKeyDictionary()
        self._file = PcapngFile(
            snaplen=options.snaplen,
            filter="" if options.filter is None else options.filter.expression,
            marks=options.marks,
        )
        self._gathering = Gathering(
            sessions,
            Selection() if isinstance(captured, ManagedSession) else captured,
            direction=options.direction,
            tap=options.tap,
            filter=options.filter,
            times=Times.PACKET,
            marks=options.marks,
            overflow=options.overflow,
            limit_packets=options.queue_packets,
            limit_bytes=options.queue_bytes,
            wake=self._wake.set,
            owner=self,
        )
        self.way: Way | None = None
        self.reason = ""

    @property
    def close_code(self) -> CloseCode:
        """The close code of the packet socket that says why the capture has ended."""
        return CloseCode.SLOW if self._gathering.overflowed else self._code

    def begin(self) -> None:
        """Subscribe.

        Raises:
            SessionNotFound: The session has ended or is ending.
        """
        if self._session is not None:
            self._gathering.join(self._session)
        else:
            self._gathering.begin()
            self._watching = self._tasks.spawn(self._watch(), name="capture:stopping")

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Yield whole blocks until the capture has ended.

        The next block is requested when the previous one has been passed to the server.
        """
        timer = None
        if self._seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._seconds, self.end)
        try:
            begin = [Piece(self._file.begin())]
            while True:
                self._wake.clear()
                pieces, begin = begin + self._take(), []
                if pieces:
                    yield Chunk(pieces)
                elif self._over or self._gathering.overflowed:
                    break
                else:
                    await self._wake.wait()
            self._gathering.end()
            yield Chunk(self._end_file())
        finally:
            self.end()
            if timer is not None:
                timer.cancel()

    def end(self, code: CloseCode = CloseCode.ENDED) -> None:
        """Take no more packets; queued packets are still delivered. Idempotent."""
        if not self._over:
            self._over = True
            self._code = code
            self._gathering.end()
            if self._watching is not None:
                self._watching.cancel()
            self._wake.set()

    def complete(self) -> None:
        """Release the client when the kernel has the rest of the file."""

        async def run() -> None:
            if self.way is not None:
                await self.way.sent()
            self.close()

        self._gathering.release()
        self._done.set()
        self._tasks.spawn(run(), name="capture:complete")

    def close(self) -> None:
        """Count the packets that have not reached the client as lost. Idempotent."""
        self.end()
        self._count_unsent()
        self._done.set()

    def presence(self, subprotocol: str | None = None) -> Presence:
        """Describe the client for the list of clients."""
        session, options = self._session, self._options
        return Presence(
            ClientKind.CAPTURE,
            self._counts,
            session=None if session is None else session.id,
            adapter=None if session is None else session.adapter,
            name=None if session is None else session.name,
            subprotocol=subprotocol,
            direction=options.direction,
            overflow=options.overflow,
            max_queued=options.queue_packets,
            max_queued_bytes=options.queue_bytes,
        )

    def _counts(self) -> Counts:
        totals = self._gathering.totals()
        return Counts(totals.queued, totals.queued_bytes, totals.delivered, lost=totals.lost)

    def expire(self, code: CloseCode, reason: str) -> None:
        """End; a client that has not read the queued packets in `END_PATIENCE` is cut off."""

        async def run() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), END_PATIENCE)
            await self._cut()

        if not self._over:
            self.reason = reason
            self.end(code)
            self._tasks.spawn(run(), name="capture:expire")

    def ended(self, ending: Ending) -> None:
        """End the file with its last session, unless other sessions may come."""
        stopping = ending.stopping or self._stopping.is_set()
        if self._session is not None or (stopping and not self._gathering.running):
            self._finish(stopping=stopping)

    async def gone(self) -> None:
        """Return when no more data can reach the client."""
        try:
            await self._gone.wait()
        finally:
            self._count_unsent(abort=True)

    async def _watch(self) -> None:
        """End the file with the service if no session does."""
        await self._stopping.wait()
        if not self._gathering.running:
            self._finish(stopping=True)

    def _finish(self, *, stopping: bool) -> None:
        self.end(CloseCode.GOING_AWAY if stopping else CloseCode.ENDED)
        patience = CLOSE_PATIENCE if stopping else LINGER_PATIENCE
        self._tasks.spawn(self._cut(patience), name="capture:cut")

    async def _cut(self, patience: float = CLOSE_PATIENCE) -> None:
        self._gathering.abandon()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sent(), patience)
        finally:
            self._count_unsent(abort=True)

    async def _sent(self) -> None:
        await self._done.wait()
        if self.way is not None:
            await self.way.sent()

    def _count_unsent(self, *, abort: bool = False) -> None:
        self._gathering.close()
        if self.way is not None:
            for span in self.way.take_unsent(abort=abort):
                source = None if span.burst is None else self._sources.get(span.burst)
                if source is not None:
                    self._gathering.give_back(
                        source, span.count, span.first, span.last, injected=span.injected
                    )
        self._gone.set()

    def _take(self) -> list[Piece]:
        if self._left == 0:
            return []
        pieces: list[Piece] = []
        for gathered in self._gathering.take(self._options.message_bytes):
            pieces += self._written(gathered)
        return pieces

    def _written(self, gathered: Gathered) -> list[Piece]:
        file, source = self._file, gathered.source
        pieces = [Piece(file.introduce(source) + file.lose(source, gathered.losses))]
        pieces += [self._packets(source, burst) for burst in gathered.bursts]
        if gathered.ended:
            pieces.append(Piece(file.end_of(source)))
        return [piece for piece in pieces if piece.blocks]

    def _packets(self, source: Source, burst: Burst) -> Piece:
        if self._left == 0:  # what is left of this take is not wanted
            return Piece(b"")
        if self._left is not None:
            if self._left < burst.count:
                burst = burst.part(0, self._left)
            self._left -= burst.count
            if not self._left:
                self._gathering.end(satisfied=True)
                self.end()
        self._sources[burst] = source
        return Piece(self._file.add(source, burst), burst)

    def _end_file(self) -> list[Piece]:
        lost = [self._file.lose(*losses) for losses in self._gathering.losses()]
        return [Piece(b"".join((*lost, self._file.end())))]
