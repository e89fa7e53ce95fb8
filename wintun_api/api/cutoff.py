"""End a stream whose token or sign-in is no longer valid, or which an administrator ends.

A client that reads sees an orderly end at once: a WebSocket is closed with 4001 or 4002, an HTTP
stream ends. A client that does not read is cut off after `PATIENCE` seconds, so that a client
cannot keep a connection open by not reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from wintun_api.api.connected import Client, End, Presence
from wintun_api.api.context import Context
from wintun_api.api.leases import Leases
from wintun_api.api.protocol import EXTENSION, PacketProtocol
from wintun_api.api.tokens import Principal
from wintun_api.choices import CloseCode
from wintun_api.errors import TokenEnded

PATIENCE = 0.8
ABORT = "wintun_api.abort"  # our server's extension: a function that cuts an HTTP connection off


async def accept(
    websocket: WebSocket, leases: Leases, principal: Principal, subprotocol: str | None
) -> bool:
    """Accept a WebSocket; return whether its principal is still valid after the handshake."""
    await websocket.accept(subprotocol)
    try:
        leases.check(principal)
    except TokenEnded:
        await websocket.close(CloseCode.TOKEN, CloseCode.TOKEN.reason)
        return False
    return True


@asynccontextmanager
async def leased(
    connection: HTTPConnection,
    context: Context,
    principal: Principal,
    stop: End,
    presence: Presence,
) -> AsyncIterator[Client]:
    """Run a stream's block only as long as its principal is valid, and no administrator ends it.

    Meanwhile it is in the list of clients.

    Args:
        connection: The WebSocket after its handshake, or the request.
        context: The leases and the clients of the service.
        principal: The principal that opened it.
        stop: Stops reading from the client and lets the block end, which closes a WebSocket with
            the code and the reason that it is called with.
        presence: What was opened.

    Raises:
        TokenEnded: The principal is no longer valid.
    """
    loop = asyncio.get_running_loop()
    extensions: dict[str, Any] = connection.scope.get("extensions") or {}
    protocol = extensions.get(EXTENSION)

    def end(code: CloseCode, reason: str) -> None:
        stop(code, reason)
        if isinstance(protocol, PacketProtocol):
            loop.call_later(PATIENCE, protocol.abort)
        limit.reschedule(loop.time() + PATIENCE)

    try:
        async with asyncio.timeout(None) as limit:
            client = Client(presence, principal, connection, end)
            over = partial(client.end, CloseCode.TOKEN, CloseCode.TOKEN.reason)
            with context.leases.hold(principal, over), context.clients.enter(client):
                yield client
    except TimeoutError:
        if not limit.expired():
            raise
        if ABORT in extensions:
            extensions[ABORT]()


class LeasedStream(StreamingResponse):
    """Stream an answer only as long as the principal that asked for it is valid."""

    def __init__(
        self,
        content: AsyncIterator[bytes] | AsyncIterator[str],
        owner: tuple[Context, Principal],
        stop: End,
        presence: Presence,
        **options: Any,
    ) -> None:
        super().__init__(content, **options)
        self._owner = owner
        self._stop = stop
        self._presence = presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until its end or its principal's."""
        finished = False
        async with leased(HTTPConnection(scope), *self._owner, self._stop, self._presence):
            await super().__call__(scope, receive, send)
            finished = True
        # The server complains of an answer without an end, unless it knows that the client is gone.
        while not finished and (await receive())["type"] != "http.disconnect":
            pass
