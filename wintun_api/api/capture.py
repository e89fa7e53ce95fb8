"""Captures: a session's packets as pcapng, for Wireshark, over HTTP and on the packet socket."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from wintun_api import __version__
from wintun_api.api.access import needs
from wintun_api.api.connection import Options
from wintun_api.api.context import Context, ContextOf, PrincipalOf, SessionId, problems
from wintun_api.api.cutoff import REASON, LeasedStream, leased
from wintun_api.api.leases import Leases
from wintun_api.api.problems import (
    CLOSE_BAD_FRAME,
    CLOSE_ENDED,
    CLOSE_GOING_AWAY,
    CLOSE_SLOW,
    CLOSE_TOKEN,
    close_code,
)
from wintun_api.api.tokens import Principal, Scope
from wintun_api.capture import pcapng
from wintun_api.errors import SessionEnded, SessionNotFound, WintunApiError
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.fanout import Burst, Direction, Overflow, Subscriber
from wintun_api.hub.injection import Full
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.tasks import TaskSet

router = APIRouter(prefix="/v1/sessions", tags=["packets"])

STREAM = {
    "description": "A pcapng file that grows until it is ended.",
    "content": {pcapng.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}

CLOSE_REASONS = {
    CLOSE_BAD_FRAME: "A capture goes from the service to the client only.",
    CLOSE_TOKEN: REASON,
    CLOSE_SLOW: "The client reads too slowly for its queue.",
    CLOSE_GOING_AWAY: "The service is shutting down.",
    CLOSE_ENDED: "The session has ended.",
}


class CaptureDirection(StrEnum):
    """Which packets a capture holds."""

    RECEIVED = "received"
    INJECTED = "injected"
    BOTH = "both"


class Capture:
    """One client's capture: a bounded queue on one side, blocks on the other. Event loop only.

    It loses its oldest packets when the client is slow, and the file says where and how many.
    """

    def __init__(
        self,
        session: ManagedSession,
        adapter: AdapterView,
        options: Options,
        stopping: asyncio.Event,
        *,
        packets: int | None = None,
        seconds: float | None = None,
    ) -> None:
        self._session = session
        self._adapter = adapter
        self._options = options
        self._stopping = stopping
        self._left = packets
        self._seconds = seconds
        self._written = 0
        self._dropped = 0
        self._over = False
        self._wake = asyncio.Event()
        self._subscriber = Subscriber(
            direction=options.direction,
            overflow=options.overflow,
            limit_packets=options.queue_packets,
            limit_bytes=options.queue_bytes,
            wake=self._wake.set,
        )

    @property
    def close_code(self) -> int:
        """Why it is over, as the packet socket says it."""
        if self._subscriber.overflowed:
            return CLOSE_SLOW
        return CLOSE_GOING_AWAY if self._stopping.is_set() else CLOSE_ENDED

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Give whole blocks until the capture is over; subscribed when the first ones come.

        Raises:
            SessionNotFound: The session is over already.
        """
        session, subscriber = self._session, self._subscriber
        session.subscribe(subscriber)
        session.ended.append(self.end)
        started = time.time_ns()
        tasks = TaskSet()
        tasks.spawn(self._end_with_service(), name=f"capture:{session.id}")
        timer = None
        if self._seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._seconds, self.end)
        try:
            yield self._header()
            while True:
                self._wake.clear()
                blocks = self._take()
                if blocks:
                    yield blocks
                elif self._over or subscriber.overflowed:
                    break
                else:
                    await self._wake.wait()
            yield pcapng.statistics(
                start_ns=started,
                end_ns=time.time_ns(),
                received=self._written + subscriber.lost,
                dropped=subscriber.lost,
            )
        finally:
            session.unsubscribe(subscriber)
            if self.end in session.ended:
                session.ended.remove(self.end)
            tasks.cancel()
            if timer is not None:
                timer.cancel()

    def end(self) -> None:
        """Take no more packets; what is queued is still given. Idempotent."""
        self._over = True
        self._session.unsubscribe(self._subscriber)
        self._wake.set()

    async def _end_with_service(self) -> None:
        await self._stopping.wait()
        self.end()

    def _header(self) -> bytes:
        info = self._adapter.info
        return pcapng.header(
            info.name,
            snaplen=self._options.snaplen,
            description=f"adapter {info.guid}, session {self._session.id}",
            os=f"{platform.system()} {platform.release()}",
            application=f"wintun-api {__version__}",
        )

    def _take(self) -> bytes:
        if self._left == 0:
            return b""
        # What was lost lies before what is oldest in the queue now.
        self._dropped += sum(loss.count for loss in self._subscriber.take_losses())
        return b"".join(map(self._encode, self._subscriber.take(self._options.message_bytes)))

    def _encode(self, burst: Burst) -> bytes:
        if self._left is not None:
            if self._left < len(burst):
                burst = burst.part(0, self._left)
            self._left -= len(burst)
            if self._left == 0:
                self.end()
        self._written += len(burst)
        dropped, self._dropped = (self._dropped, 0) if len(burst) else (0, self._dropped)
        burst = burst.cut(self._options.snaplen)
        return _blocks(burst, dropped) if dropped else burst.form("pcapng", _blocks)


@router.get(
    "/{session_id}/capture.pcapng",
    operation_id="capture_packets",
    response_class=StreamingResponse,
    responses={**problems(SessionNotFound, SessionEnded), 200: STREAM},
)
@needs(Scope.CAPTURE)
async def capture_packets(
    session_id: SessionId,
    context: ContextOf,
    principal: PrincipalOf,
    *,
    direction: Annotated[
        CaptureDirection, Query(description="Which packets.")
    ] = CaptureDirection.BOTH,
    snaplen: Annotated[
        int, Query(ge=0, le=0xFFFF, description="Bytes of each packet; 0 for all.")
    ] = 0,
    packets: Annotated[
        int | None, Query(ge=1, le=2**53 - 1, description="End after this many packets.")
    ] = None,
    seconds: Annotated[
        float | None, Query(gt=0, le=1e7, description="End after this many seconds.")
    ] = None,
) -> StreamingResponse:
    """Capture a session's packets as a pcapng file that grows while they pass.

    It ends with the session, with the service, or when it has what was asked for. A client that
    reads too slowly loses the oldest packets; the next one carries their number as its drop count.
    `curl -N ... | wireshark -k -i -` shows the packets live.
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
    )
    capture = Capture(session, adapter, options, context.stopping, packets=packets, seconds=seconds)
    return LeasedStream(
        capture.blocks(),
        (context.leases, principal),
        capture.end,
        media_type=pcapng.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{session.id}.pcapng"'},
    )


async def find(context: Context, session_id: str) -> tuple[ManagedSession, AdapterView]:
    """Return a session that runs, and its adapter.

    Raises:
        SessionNotFound: There is none with this id.
        SessionEnded: It is over.
    """
    session = context.registry.session(session_id)
    if session.state.over:
        raise SessionEnded("WintunReceivePacket", 38, detail=session.reason or "")
    return session, await context.registry.adapter(session.adapter)


async def stream_capture(
    websocket: WebSocket, capture: Capture, leases: Leases, principal: Principal
) -> None:
    """Send a capture over an accepted WebSocket, whole blocks in each message."""
    tasks, blocks = TaskSet(), capture.blocks()
    reader = tasks.spawn(_watch(websocket, capture), name="capture:watch")
    try:
        async with leased(websocket, leases, principal, capture.end) as lease, aclosing(blocks):
            async for whole in blocks:
                await websocket.send_bytes(whole)
            code = CLOSE_BAD_FRAME if reader.done() and reader.result() else capture.close_code
            if lease.over:
                code = CLOSE_TOKEN
            await websocket.close(code, CLOSE_REASONS[code])
    except (WebSocketDisconnect, RuntimeError):  # the client has gone
        return
    except WintunApiError as error:  # the session ended between the look-up and the subscription
        await websocket.close(close_code(error), str(error)[:120])
    finally:
        tasks.cancel()


async def _watch(websocket: WebSocket, capture: Capture) -> bool:
    """End the capture when its client goes, or says something; return whether it did that."""
    message = await websocket.receive()
    capture.end()
    return bool(message["type"] != "websocket.disconnect")


def _blocks(burst: Burst, dropped: int = 0) -> bytes:
    return pcapng.packets(
        burst.packets,
        burst.lengths,
        burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.original_lengths,
        dropped=dropped,
    )
