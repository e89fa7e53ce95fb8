"""WebSockets without the client of the package, for what is about the wire itself.

What a client does not do is done here: wrong tokens and headers in the handshake, broken frames,
control messages and close codes as they are sent, a socket that is not read. Tests for which
packets are only traffic use `RunningService.packets`.
"""

from __future__ import annotations

import json
import select
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.running import TOKEN, RunningService, any_certificate
from wintun_api.wire import BATCH, Batch, unpack


def open_websocket(
    service: RunningService,
    path: str,
    *protocols: str,
    token: str | None = TOKEN,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> ClientConnection:
    """Open a WebSocket, as the admin unless told otherwise; None sends no token."""
    extra = dict(headers or {})
    if token is not None:
        extra["Authorization"] = f"Bearer {service.secret if token == TOKEN else token}"
    return dial(
        f"ws{service.url.removeprefix('http')}{path}",
        *protocols,
        additional_headers=extra,
        **options,
    )


def dial(url: str, *protocols: str, **options: Any) -> ClientConnection:
    """Open a WebSocket at a URL; every certificate is believed."""
    socket: ClientConnection = connect(
        url,
        ssl=_shared(any_certificate()) if url.startswith("wss:") else None,
        subprotocols=[Subprotocol(name) for name in protocols] or None,
        compression=None,
        max_size=None,
        open_timeout=30,
        close_timeout=2,
        **options,
    )
    return socket


@contextmanager
def raw_packets(service: RunningService, session: str, query: str = "") -> Iterator[RawPackets]:
    """Open the packet socket of a session with `v1.batch`."""
    with open_websocket(service, f"/v1/sessions/{session}/packets{query}", BATCH) as socket:
        yield RawPackets(socket)


class RawPackets:
    """Messages of `v1.batch` as they came, sorted: packets and control messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.batches: list[Batch] = []
        self.texts: list[dict[str, Any]] = []
        self.hello = self.text("hello")

    def read(self, timeout: float = 30) -> None:
        """Take one message."""
        message = self.socket.recv(timeout)
        if isinstance(message, str):
            self.texts.append(json.loads(message))
        else:
            self.batches.extend(unpack(message))

    def text(self, kind: str, timeout: float = 30) -> dict[str, Any]:
        """Wait for the next control message of this type."""
        while True:
            for index, text in enumerate(self.texts):
                if text["type"] == kind:
                    return self.texts.pop(index)
            self.read(timeout)

    def receive(self, count: int, timeout: float = 30) -> list[bytes]:
        """Wait for at least `count` packets and take all that came."""
        while sum(len(batch.packets) for batch in self.batches) < count:
            self.read(timeout)
        packets = [packet for batch in self.batches for packet in batch.packets]
        self.batches.clear()
        return packets


class SharedSocket(ssl.SSLSocket):
    """Let `recv` and `sendall` be called by two threads at once; neither has a time limit.

    `websockets.sync` reads in one thread and writes in another. OpenSSL's connections are for one
    thread at a time (SSL_read(3)), and Python's `ssl` lets two in: of 4,875 connections 9 hung
    after the handshake. Here each call has its turn, and none waits for the network in it.
    """

    @cached_property
    def _turn(self) -> Lock:
        return Lock()

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Wait for bytes of the application; none are the end."""
        while True:
            with self._turn:
                self.setblocking(False)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    pass
            select.select([self], [], [])

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it."""
        left = memoryview(data).cast("B")
        while left:
            with self._turn:
                self.setblocking(False)
                try:
                    left = left[super().send(left, flags) :]
                    continue
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
            select.select([], [self], [])


def _shared(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context make such sockets."""
    context.sslsocket_class = SharedSocket
    return context
