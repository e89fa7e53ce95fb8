"""Run uvicorn with our listener and protocols, without compression; shut down in order."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
import sys
from typing import cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from wintun_api.api.admission import Admission, Seat, ceiling_of, open_descriptors
from wintun_api.api.app import Service
from wintun_api.api.certificate import Certificate
from wintun_api.api.http import HttpProtocol, Patience
from wintun_api.api.intake import Intake, PacketConfig
from wintun_api.api.listener import Listener, listen
from wintun_api.api.protocol import PacketProtocol
from wintun_api.api.proxies import Proxies
from wintun_api.api.server_log import keeps
from wintun_api.api.vanished import watch
from wintun_api.errors import InvalidArgument
from wintun_api.hub.tasks import TaskSet
from wintun_api.native import speedups
from wintun_api.settings import Settings

# uvicorn logs at one level less than ours, and never at its debug level, which shows headers and
# thus tokens.
UVICORN_LEVELS = {"debug": "info", "info": "warning", "warning": "warning", "error": "error"}

GRACE = 2  # seconds that open requests have when the service stops
DRAIN = 16 * 1024 * 1024  # bytes of a body that are dropped to keep a connection
SETTLED = 1.0  # seconds after which memory of ended connections is freed
BACKLOG = 2048  # connections that the system holds until they are accepted


class Server(uvicorn.Server):
    """Stop the service's streams before waiting for connections to end."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        check_bind(settings)
        app = service.app
        if settings.trusted_proxies:
            app = Proxies(app, settings.trusted_proxies)
        super().__init__(
            PacketConfig(
                app,
                intake=Intake(speedups(settings.native)),
                host=settings.host,
                port=settings.port,
                http=HttpProtocol,
                ws=PacketProtocol,
                ws_per_message_deflate=False,  # it makes packets 5 to 28 times as expensive
                ws_max_size=settings.max_message,
                ws_ping_timeout=60,
                access_log=False,  # request lines may carry the sign-in token
                log_config=None,  # the command line configures logging
                log_level=UVICORN_LEVELS[settings.log_level],
                server_header=False,
                proxy_headers=False,  # uvicorn would trust every program on this machine
                backlog=BACKLOG,
                timeout_graceful_shutdown=GRACE,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._service = service
        self.certificate: Certificate | None = None
        self._tasks = TaskSet()
        self._patience = Patience(
            request=settings.request_timeout,
            idle=settings.idle_timeout,
            drain=settings.max_message + DRAIN,
        )
        for name in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).addFilter(keeps)

    @property
    def port(self) -> int:
        """The port that it listens on, once started."""
        number: int = self.servers[0].sockets[0].getsockname()[1]
        return number

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, then listen; an error in the app prevents the start."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        settings = self._service.settings
        listening = sockets or listen(settings.host, settings.port)
        if self.config.ssl is not None and settings.tls_certificate is not None:
            self.certificate = Certificate(
                self.config.ssl, self._load_tls, settings.tls_certificate, settings.tls_key
            )
        admission = Admission(ceiling_of(settings.max_connections, open_descriptors()))
        self._service.context.connections = admission
        if sys.platform == "linux":
            loop = asyncio.get_running_loop()
            admission.thinned = lambda: loop.call_later(SETTLED, _release_heap)

        def make_protocol(seat: Seat) -> HttpProtocol:
            return HttpProtocol(
                self.config,
                self.server_state,
                self.lifespan.state,
                seat=seat,
                patience=self._patience,
            )

        self.servers = []
        for one in listening:
            listener = Listener(
                one,
                admission,
                make_protocol,
                tls=self.certificate,
                tls_timeout=settings.request_timeout,
                backlog=self.config.backlog,
            )
            self.servers.append(cast(asyncio.Server, listener))
            size = settings.socket_bytes
            if size:  # connections inherit the listening socket's buffers (socket(7))
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            listener.start()
        self._tasks.spawn(watch(admission), name="vanished clients")
        self._tasks.spawn(self._service.restore_holds(), name="restore holds")
        self.started = True

    def _load_tls(self) -> ssl.SSLContext:
        """Return a context from the present certificate files, like the first one."""
        config, settings = self.config, self._service.settings
        assert settings.tls_certificate is not None
        context = ssl.SSLContext(config.ssl_version)
        # A service cannot ask for the passphrase of a key; without this it would wait for one.
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
        if config.ssl_ciphers:
            context.set_ciphers(config.ssl_ciphers)
        return context

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End sessions and their streams, then connections, then adapters."""
        self._service.begin_stop()
        await self._service.sessions_ended()  # the event streams report this
        self._tasks.cancel()
        await super().shutdown(sockets)


def _release_heap() -> None:
    from wintun_api.drivers.linux.heap import release_heap  # other drivers do not need the rest

    release_heap()


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond loopback without TLS, unless the settings allow it.

    Raises:
        InvalidArgument: The host is not a loopback address and there is no TLS.
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
            f"{host} can be reached from other machines, and tokens would be sent unencrypted.",
            hint="Use --tls-certificate and --tls-key, or --allow-insecure-bind if you must.",
        )
