"""Capture a session's packets as pcapng for Wireshark, over HTTP and on the packet socket."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Annotated, Any, NamedTuple, Protocol

from fastapi import APIRouter, Query, Request, WebSocket
from fastapi.responses import StreamingResponse

from wintun_api import __version__
from wintun_api.api.access import needs
from wintun_api.api.connection import END_PATIENCE, Options
from wintun_api.api.context import Context, ContextOf, PrincipalOf, SessionId, problems
from wintun_api.api.cutoff import LeasedStream, leased
from wintun_api.api.leases import Leases
from wintun_api.api.link import Link, link_of
from wintun_api.api.problems import close_code
from wintun_api.api.tokens import Principal
from wintun_api.api.unsent import Span, Unsent, tell_when_empty
from wintun_api.capture import pcapng
from wintun_api.choices import (
    CaptureDirection,
    CloseCode,
    Direction,
    Full,
    Overflow,
    Scope,
    SessionState,
    Tap,
)
from wintun_api.errors import SessionEnded, SessionNotFound, WintunApiError
from wintun_api.frames import close_reason
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.ending import CLOSE_PATIENCE, LINGER_PATIENCE, Ending
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.subscriber import Subscriber
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import MAX_PACKET

router = APIRouter(prefix="/v1/sessions", tags=["packets"])

STREAM = {
    "description": "A pcapng file that grows until the capture ends.",
    "content": {pcapng.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}

TAP = (
    "On which side of an impairment of the session packets are seen: `after` for what the "
    "application and the host really get, `before` for what the host and the clients sent."
)
NO_INPUT = "A client cannot send anything on a capture."
# Under this name our server passes the connection of an HTTP request (`HttpConnection`) to an app.
CONNECTION = "wintun_api.connection"


class Chunk(NamedTuple):
    """Hold whole blocks of a capture, and the bytes of each burst in them."""

    blocks: bytes
    pieces: Sequence[tuple[Burst, bytes]] = ()

    @property
    def bursts(self) -> list[Burst]:
        """The bursts without their sizes."""
        return [burst for burst, _ in self.pieces]


class Way(Protocol):
    """Deliver the chunks of a capture to the client."""

    async def sent(self) -> None:
        """Wait until the kernel has everything that was passed on, or the client is gone."""

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return the packets that were passed on but not sent; with `abort`, end the delivery."""


class Capture:
    """Turn a bounded queue of packets into blocks for one client. Event loop thread only.

    Packets are lost if the client is too slow; the file says where and how many.

    Attributes:
        way: How the chunks get to the client; set by the code that takes them.
    """

    def __init__(
        self,
        session: ManagedSession,
        adapter: AdapterView,
        options: Options,
        *,
        packets: int | None = None,
        seconds: float | None = None,
    ) -> None:
        self._session = session
        self._adapter = adapter
        self._options = options
        self._left = packets
        self._seconds = seconds
        self._written = 0
        self._lost = 0
        self._dropped = 0
        self._over = False
        self._code = CloseCode.ENDED
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._done = asyncio.Event()
        self._gone = asyncio.Event()
        self._tasks = TaskSet()
        self._subscriber = Subscriber(
            direction=options.direction,
            tap=options.tap,
            overflow=options.overflow,
            limit_packets=options.queue_packets,
            limit_bytes=options.queue_bytes,
            wake=self._wake.set,
            fail=lambda _error: self.end(),
        )
        self.way: Way | None = None

    @property
    def close_code(self) -> CloseCode:
        """The close code of the packet socket that says why the capture has ended."""
        return CloseCode.SLOW if self._subscriber.overflowed else self._code

    def begin(self) -> None:
        """Subscribe.

        Raises:
            SessionNotFound: The session has ended or is ending.
        """
        self._session.subscribe(self._subscriber)
        self._session.clients.add(self)

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Yield whole blocks until the capture has ended.

        The next block is requested when the previous one has been passed to the server.
        """
        subscriber = self._subscriber
        started = time.time_ns()
        timer = None
        if self._seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._seconds, self.end)
        try:
            yield Chunk(self._header())
            while True:
                self._wake.clear()
                chunk = self._take()
                if chunk.blocks:
                    self._idle.clear()
                    yield chunk
                elif self._over or subscriber.overflowed:
                    break
                else:
                    self._idle.set()
                    await self._wake.wait()
            self._idle.clear()
            self._session.unsubscribe(subscriber)
            self._dropped += self._take_losses()
            yield Chunk(self._statistics(started))
        finally:
            self.end()
            if timer is not None:
                timer.cancel()

    def end(self, code: CloseCode = CloseCode.ENDED) -> None:
        """Take no more packets; queued packets are still delivered. Idempotent."""
        if not self._over:
            self._over = True
            self._code = code
            self._session.unsubscribe(self._subscriber)
            self._wake.set()

    def complete(self) -> None:
        """Release the client when the kernel has the rest of the file."""

        async def run() -> None:
            if self.way is not None:
                await self.way.sent()
            self.close()

        self._done.set()
        self._tasks.spawn(run(), name=f"capture:{self._session.id}")

    def close(self) -> None:
        """Count the packets that have not reached the client as lost. Idempotent."""
        self.end()
        self._count_unsent()
        self._idle.set()
        self._done.set()

    def expire(self) -> None:
        """End; a client that has not read the queued packets in `END_PATIENCE` is cut off."""

        async def run() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), END_PATIENCE)
            await self._cut()

        if not self._over:
            self.end(CloseCode.TOKEN)
            self._tasks.spawn(run(), name=f"capture:{self._session.id}")

    async def flush(self) -> None:
        """Return when the server has all queued packets, or the client is gone."""
        while self._subscriber.queued_packets or not self._idle.is_set():
            if self._done.is_set():
                return
            self._idle.clear()
            self._wake.set()
            await self._idle.wait()

    def settle(self) -> None:
        """Count queued packets as lost, except a last one that carries the drop count."""
        self._abandon(keep_last=True)

    def _abandon(self, *, keep_last: bool = False) -> None:
        self._session.unsubscribe(self._subscriber)
        if self._left != 0:  # otherwise it has all that was asked for, and nothing is lost
            self._subscriber.abandon(keep_last=keep_last)

    def farewell(self, ending: Ending) -> None:
        """End the file with its statistics."""
        self.end(CloseCode.GOING_AWAY if ending.stopping else CloseCode.ENDED)
        self._wake.set()
        patience = CLOSE_PATIENCE if ending.stopping else LINGER_PATIENCE
        self._tasks.spawn(self._cut(patience), name=f"capture:{self._session.id}")

    async def gone(self) -> None:
        """Return when no more data can reach the client."""
        try:
            await self._gone.wait()
        finally:
            self._count_unsent(abort=True)

    async def _cut(self, patience: float = CLOSE_PATIENCE) -> None:
        self.settle()
        self._wake.set()
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
        self._abandon()
        if self.way is not None:
            for span in self.way.take_unsent(abort=abort):
                self._subscriber.give_back(span.count, span.first, injected=span.injected)
        self._session.clients.discard(self)
        self._gone.set()

    def _header(self) -> bytes:
        info = self._adapter.info
        return pcapng.header(
            info.name,
            snaplen=self._options.snaplen,
            description=f"adapter {info.guid}, session {self._session.id}",
            os=f"{platform.system()} {platform.release()}",
            application=f"wintun-api {__version__}",
        )

    def _statistics(self, started: int) -> bytes:
        return pcapng.statistics(
            start_ns=started,
            end_ns=time.time_ns(),
            received=self._written + self._lost,
            dropped=self._lost,
        )

    def _take_losses(self) -> int:
        lost = sum(loss.count for loss in self._subscriber.losses.take())
        self._lost += lost
        return lost

    def _take(self) -> Chunk:
        if self._left == 0:
            return Chunk(b"")
        # The lost packets come before the oldest packet that is in the queue now.
        self._dropped += self._take_losses()
        pieces = [self._encode(one) for one in self._subscriber.take(self._options.message_bytes)]
        return Chunk(b"".join([blocks for _, blocks in pieces]), pieces)

    def _encode(self, burst: Burst) -> tuple[Burst, bytes]:
        if self._left is not None:
            if self._left < len(burst):
                burst = burst.part(0, self._left)
            self._left -= len(burst)
            if self._left == 0:
                self.end()
        self._written += len(burst)
        dropped, self._dropped = (self._dropped, 0) if len(burst) else (0, self._dropped)
        burst = burst.cut(self._options.snaplen)
        return burst, _blocks(burst, dropped) if dropped else burst.form(Form.PCAPNG, _blocks)


class Flow(Protocol):
    """Describe what uvicorn knows about a transport's buffer."""

    async def drain(self) -> None:
        """Wait until it accepts more."""


class HttpConnection(Protocol):
    """Describe a request's connection, as our server passes it in `scope["extensions"]`."""

    transport: asyncio.Transport
    flow: Flow


class HttpWay:
    """Send the answer to an HTTP request in chunks (RFC 9112, section 7.1).

    On servers other than ours, everything that the server has accepted counts as sent.
    """

    def __init__(self, capture: Capture, connection: HttpConnection | None) -> None:
        self._capture = capture
        self._connection = connection
        self._unsent = Unsent()
        self._given: Sequence[tuple[Burst, bytes]] = ()
        self._task: asyncio.Task[Any] | None = None
        capture.way = self

    async def file(self) -> AsyncGenerator[bytes, None]:
        """Yield the capture's file; the next chunk when the server has taken the previous one."""
        self._task = asyncio.current_task()
        capture, chunks = self._capture, self._capture.chunks()
        try:
            capture.begin()
            async with aclosing(chunks):
                async for chunk in chunks:
                    self._given = chunk.pieces
                    yield chunk.blocks
                    # The server waits before it writes, never afterwards, so now it has written.
                    self._given = ()
                    self._note(chunk)
        except SessionNotFound:  # it ended after the answer had begun, so the file is empty
            capture.close()
        except BaseException:
            capture.close()
            raise
        else:
            capture.complete()

    async def sent(self) -> None:
        """Wait for the kernel."""
        if self._connection is not None:
            tell_when_empty(self._connection.transport)
            await self._connection.flow.drain()

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return what the server has not taken and what waits in its transport."""
        given, self._given = self._given, ()
        spans = [Span(burst.count, burst.sequence, burst.injected) for burst, _ in given]
        if self._connection is None:
            if abort and given and self._task is not None:
                self._task.cancel()
            return spans
        transport = self._connection.transport
        buffered = transport.get_write_buffer_size()
        spans = self._unsent.take(buffered) + spans
        if abort and (buffered or given):
            transport.abort()
        return spans

    def _note(self, chunk: Chunk) -> None:
        if self._connection is None:
            return
        buffered = self._connection.transport.get_write_buffer_size()
        rest = len(chunk.blocks)
        self._unsent.wrote(len(f"{rest:x}\r\n"), buffered)
        for burst, blocks in chunk.pieces:
            self._unsent.wrote(len(blocks), buffered, (burst,), Blocks(blocks))
            rest -= len(blocks)
        self._unsent.wrote(rest + len("\r\n"), buffered)


class Blocks:
    """Find where packets end in the blocks of a burst."""

    def __init__(self, blocks: bytes) -> None:
        self._blocks = blocks

    def __call__(self, _lengths: Sequence[int], size: int) -> int:
        """Return how many whole packets the first `size` bytes contain."""
        offset = count = 0
        while offset + 8 <= size:
            offset += int.from_bytes(self._blocks[offset + 4 : offset + 8], "little")
            count += offset <= size
        return count


@router.get(
    "/{session_id}/capture.pcapng",
    operation_id="capture_packets",
    response_class=StreamingResponse,
    responses={**problems(SessionNotFound, SessionEnded), 200: STREAM},
)
@needs(Scope.CAPTURE)
async def capture_packets(
    session_id: SessionId,
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
    *,
    direction: Annotated[
        CaptureDirection, Query(description="The packets that the capture contains.")
    ] = CaptureDirection.BOTH,
    tap: Annotated[Tap, Query(description=TAP)] = Tap.AFTER,
    snaplen: Annotated[
        int,
        Query(
            ge=0,
            le=MAX_PACKET,
            description="The number of bytes to which each packet is cut; 0 keeps all bytes.",
        ),
    ] = 0,
    packets: Annotated[
        int | None,
        Query(
            ge=1,
            le=2**53 - 1,
            description="The number of packets after which the capture ends. If it is left out, "
            "their number does not end it.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        Query(
            gt=0,
            le=1e7,
            description="The number of seconds after which the capture ends. If it is left out, "
            "time does not end it.",
        ),
    ] = None,
) -> StreamingResponse:
    """Capture packets.

    The answer is a pcapng file that grows while packets pass. It ends with the session, with the
    service, or when it has the requested number of packets or seconds. A client that reads too
    slowly loses the oldest packets; the next packet in the file carries their number as its drop
    count. `curl -N ... | wireshark -k -i -` shows the packets live.
    """
    session, adapter = await find(context, session_id)
    settings = context.settings
    options = Options(
        direction=Direction(direction.value),
        overflow=Overflow.DROP_OLDEST,
        queue_packets=settings.queue_packets,
        queue_bytes=settings.queue_bytes,
        snaplen=snaplen,
        full=Full.DROP,
        message_bytes=settings.message_bytes,
        tap=tap,
    )
    capture = Capture(session, adapter, options, packets=packets, seconds=seconds)
    way = HttpWay(capture, request.scope.get("extensions", {}).get(CONNECTION))
    return LeasedStream(
        way.file(),
        (context.leases, principal),
        capture.expire,
        media_type=pcapng.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{session.id}.pcapng"'},
    )


async def find(context: Context, session_id: str) -> tuple[ManagedSession, AdapterView]:
    """Return a running session and its adapter.

    Raises:
        SessionNotFound: No session has this id.
        SessionEnded: The session has ended or is ending.
    """
    session = context.registry.sessions.by_id(session_id)
    if session.state.over or session.state is SessionState.ENDING:
        raise SessionEnded(session.id, session.reason or "")
    return session, await context.registry.adapter(session.adapter)


async def stream_capture(
    websocket: WebSocket, capture: Capture, leases: Leases, principal: Principal
) -> None:
    """Send a capture over an accepted WebSocket; each message contains whole blocks."""
    link = capture.way = link_of(websocket)
    link.attach(lambda _: capture.end(CloseCode.BAD_FRAME), lambda: None, batched=False)
    tasks, chunks = TaskSet(), capture.chunks()
    try:
        async with leased(websocket, leases, principal, capture.expire):
            capture.begin()
            tasks.spawn(_watch(link, capture), name="capture:watch")
            async with aclosing(chunks):
                async for chunk in chunks:
                    link.send_blocks(chunk.blocks, chunk.bursts)
                    await link.sent()
            code = capture.close_code
            link.close(code, NO_INPUT if code is CloseCode.BAD_FRAME else code.reason)
            with suppress(TimeoutError):
                await asyncio.wait_for(link.sent(), CLOSE_PATIENCE)
    except WintunApiError as error:  # the session ended between the look-up and the subscription
        link.close(close_code(error), close_reason(str(error)))
    finally:
        capture.close()
        tasks.cancel()
        link.detach()


async def _watch(link: Link, capture: Capture) -> None:
    """End the capture when its client disconnects or sends something."""
    message = await link.receive()
    if message["type"] == "websocket.disconnect":
        capture.close()
    else:
        capture.end(CloseCode.BAD_FRAME)


def _blocks(burst: Burst, dropped: int = 0) -> bytes:
    return pcapng.packets(
        burst.packets,
        burst.lengths,
        burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.original_lengths,
        dropped=dropped,
    )
