"""Deliver a live capture to its client: as the answer to a request, or over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any, Protocol

from fastapi import Request, WebSocket
from fastapi.responses import StreamingResponse

from wintun_api.api.context import Context
from wintun_api.api.cutoff import LeasedStream, leased
from wintun_api.api.link import Link, link_of
from wintun_api.api.live_capture import Capture, Chunk
from wintun_api.api.problems import close_code
from wintun_api.api.tokens import Principal
from wintun_api.api.unsent import Span, Unsent, tell_when_empty
from wintun_api.capture import pcapng
from wintun_api.choices import CloseCode
from wintun_api.errors import SessionNotFound, WintunApiError
from wintun_api.frames import close_reason
from wintun_api.hub.burst import Burst
from wintun_api.hub.ending import CLOSE_PATIENCE
from wintun_api.hub.tasks import TaskSet
from wintun_api.wire import PCAPNG

NO_INPUT = "A client cannot send anything on a capture."
# Under this name our server passes the connection of an HTTP request (`HttpConnection`) to an app.
CONNECTION = "wintun_api.connection"


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
        self._given: Sequence[Burst] = ()
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
                    self._given = chunk.bursts
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
        spans = [Span.of(burst) for burst in given]
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
        size = sum(len(piece.blocks) for piece in chunk.pieces)
        self._unsent.wrote(len(f"{size:x}\r\n"), buffered)
        for blocks, burst in chunk.pieces:
            if burst is None:
                self._unsent.wrote(len(blocks), buffered)
            else:
                self._unsent.wrote(len(blocks), buffered, (burst,), Blocks(blocks))
        self._unsent.wrote(len("\r\n"), buffered)


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


def answer(
    capture: Capture, name: str, request: Request, context: Context, principal: Principal
) -> StreamingResponse:
    """Answer a request with a capture; a browser saves it under this name."""
    way = HttpWay(capture, request.scope.get("extensions", {}).get(CONNECTION))
    return LeasedStream(
        way.file(),
        (context, principal),
        capture.expire,
        capture.presence(),
        media_type=pcapng.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.pcapng"'},
    )


async def stream_capture(
    websocket: WebSocket, capture: Capture, context: Context, principal: Principal
) -> None:
    """Send a capture over an accepted WebSocket; each message contains whole blocks."""
    link = capture.way = link_of(websocket)
    link.attach(lambda _: capture.end(CloseCode.BAD_FRAME), lambda: None, batched=False)
    tasks, chunks = TaskSet(), capture.chunks()
    try:
        async with leased(websocket, context, principal, capture.expire, capture.presence(PCAPNG)):
            capture.begin()
            tasks.spawn(_watch(link, capture), name="capture:watch")
            async with aclosing(chunks):
                async for chunk in chunks:
                    link.send_blocks(chunk.blocks, chunk.bursts)
                    await link.sent()
            code = capture.close_code
            reason = NO_INPUT if code is CloseCode.BAD_FRAME else capture.reason or code.reason
            link.close(code, close_reason(reason))
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
