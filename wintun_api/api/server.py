"""uvicorn with our WebSocket protocol, without compression, and an orderly shutdown."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from wintun_api.api.app import Service
from wintun_api.api.cutoff import ABORT
from wintun_api.api.protocol import PacketProtocol
from wintun_api.api.server_log import keeps
from wintun_api.errors import InvalidArgument
from wintun_api.settings import Settings

# uvicorn's own words, a level quieter than ours. Never its debug level: it shows headers, and with
# them tokens.
UVICORN_LEVELS = {"debug": "info", "info": "warning", "warning": "warning", "error": "error"}

FOREIGN_UPGRADE = re.compile(rb"(?i)\r\nupgrade:(?![ \t]*websocket[ \t]*(?:\r|$))[^\r]*")

GRACE = 2  # seconds that open requests have when the service stops


class PromptHttpProtocol(HttpToolsProtocol):
    """HTTP whose answers never wait for the receipt of what was sent before.

    asyncio turns Nagle's algorithm off on sockets it knows to be TCP. Of those that the Proactor
    loop of Windows accepts it does not know it, and every answer would come 50 ms late. WebSockets
    begin here too: they take the connection over. Any other upgrade is declined by not heeding it
    (RFC 9110, section 7.8): uvicorn's parser would lose the body of such a request, and Java's own
    client asks for HTTP/2 so with every first one.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Send at once from now on."""
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        """Give the app a way to cut off a client that does not read."""
        super().on_message_begin()
        scope = cast(dict[str, Any], self.scope)
        scope["extensions"] = {ABORT: self.transport.abort}

    def data_received(self, data: bytes) -> None:
        """Parse what came; at the head of a request, without an upgrade that is not offered."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            head, end, body = data.partition(b"\r\n\r\n")
            data = FOREIGN_UPGRADE.sub(b"", head) + end + body
        super().data_received(data)


class Server(uvicorn.Server):
    """Stops the service's streams before it waits for connections to end."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        check_bind(settings)
        super().__init__(
            uvicorn.Config(
                service.app,
                host=settings.host,
                port=settings.port,
                http=PromptHttpProtocol,
                ws=PacketProtocol,
                ws_per_message_deflate=False,  # it costs 5 to 28 times on packets
                ws_max_size=settings.max_message,
                ws_ping_timeout=60,
                access_log=False,  # request lines may carry the sign-in token
                log_config=None,  # where log lines go is the command line's business
                log_level=UVICORN_LEVELS[settings.log_level],
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._service = service
        for name in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).addFilter(keeps)

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        number: int = self.servers[0].sockets[0].getsockname()[1]
        return number

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; connections inherit the buffers of the socket they came by (socket(7))."""
        await super().startup(sockets)
        size = self._service.settings.socket_bytes
        for listener in [one for server in self.servers for one in server.sockets if size]:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End open streams, then connections, then sessions and adapters."""
        self._service.begin_stop()
        await super().shutdown(sockets)


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond loopback in clear, unless told to.

    Raises:
        InvalidArgument: The host is not a loopback one and there is no TLS.
    """
    if settings.tls_certificate is not None or settings.allow_insecure_bind:
        return
    host = settings.host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    if not loopback:
        raise InvalidArgument(
            "host",
            f"{host} is reachable from other machines, and the token would travel in clear.",
            hint="Give --tls-certificate and --tls-key, or --allow-insecure-bind if you must.",
        )
