"""Listen and accept connections: each one first needs a place, and system errors end nothing.

asyncio's own server accepts as many connections at a time as the backlog holds, before anything can
refuse them, and writes a traceback for each one that fails.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any

from wintun_api.api.admission import EXHAUSTED, Admission, Seat
from wintun_api.api.certificate import Certificate
from wintun_api.api.tls import TlsProtocol
from wintun_api.hub.tasks import TaskSet

TURN = 32  # connections accepted before the event loop does something else
RETRY = 0.05  # seconds until `accept` is tried again after a system error
SHUTDOWN_PATIENCE = 2.0  # seconds that a client has to end TLS properly
# A peer that vanished silently is noticed after about two minutes.
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

# Names for every address of the machine. For the system `::` means IPv6 only, but not for people.
ANY_ADDRESS = ("", "::", "::0", "0:0:0:0:0:0:0:0")

MakeProtocol = Callable[[Seat], asyncio.Protocol]


class Listener:
    """Hold a listening socket, as uvicorn uses an `asyncio.Server`. Event loop thread only."""

    def __init__(
        self,
        listener: socket.socket,
        admission: Admission,
        make_protocol: MakeProtocol,
        *,
        tls: Certificate | None,
        tls_timeout: float,
        backlog: int,
    ) -> None:
        self._socket = listener
        self._admission = admission
        self._make_protocol = make_protocol
        self._tls = tls
        self._tls_timeout = tls_timeout
        self._tasks = TaskSet()
        self._acceptor: asyncio.Task[None] | None = None
        self._backlog = backlog

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening socket."""
        return (self._socket,)

    def start(self) -> None:
        """Begin to accept."""
        self._socket.setblocking(False)
        self._socket.listen(self._backlog)
        self._acceptor = self._tasks.spawn(self._accept(), name="listener")
        # The server waits for its connections before `wait_closed`, for a limited time.
        self._acceptor.add_done_callback(lambda _: self._socket.close())

    def close(self) -> None:
        """Stop accepting, close the socket, and drop connections in their TLS handshake."""
        self._tasks.cancel()
        if self._acceptor is None:
            self._socket.close()

    async def wait_closed(self) -> None:
        """Wait until no more connections are accepted and the socket is closed."""
        if self._acceptor is not None:
            await asyncio.wait([self._acceptor])

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(TURN):
                try:
                    connection, _ = await loop.sock_accept(self._socket)
                except OSError as error:
                    if error.errno != errno.ECONNABORTED:  # that client is already gone
                        await self._stand(error)
                else:
                    self._take(connection)
            await asyncio.sleep(0)

    async def _stand(self, error: OSError) -> None:
        self._admission.note_accept_error(error)
        if error.errno in EXHAUSTED:
            self._admission.make_room()
        await asyncio.sleep(RETRY)  # the system does not say when it has descriptors again

    def _take(self, connection: socket.socket) -> None:
        seat = self._admission.enter()
        if seat is None:
            connection.close()
            return
        task = self._tasks.spawn(self._open(connection, seat), name="connection")
        seat.end = lambda: _cancel(task)
        # A task that is cancelled before its first step does not run at all.
        task.add_done_callback(lambda done: _forget(done, connection, seat))

    async def _open(self, connection: socket.socket, seat: Seat) -> None:
        keep_alive(connection)
        try:
            if self._tls is None:
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: self._make_protocol(seat), connection
                )
            else:
                await self._open_tls(connection, seat, self._tls.context)
        except OSError as error:  # not TLS, too late, or gone; ssl.SSLError is an OSError
            late = isinstance(error, TimeoutError | ConnectionAbortedError)
            self._admission.closed["timeout_tls" if late else "bad_tls"] += 1
            seat.leave()
            connection.close()

    async def _open_tls(
        self, connection: socket.socket, seat: Seat, context: ssl.SSLContext
    ) -> None:
        protocol = TlsProtocol(
            self._make_protocol(seat),
            context,
            handshake_timeout=self._tls_timeout,
            shutdown_timeout=SHUTDOWN_PATIENCE,
        )
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: protocol, connection)
            await protocol.open
        except BaseException:
            protocol.drop()
            raise


def keep_alive(connection: socket.socket) -> None:
    """Send small answers at once, and let the kernel check whether the peer is still there."""
    try:
        # asyncio does not know that sockets accepted by Windows's Proactor loop are TCP.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except OSError:
        return  # the client is gone, which its connection is about to report


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _forget(task: asyncio.Task[None], connection: socket.socket, seat: Seat) -> None:
    if task.cancelled():
        seat.leave()
        connection.close()


def listen(host: str, port: int) -> list[socket.socket]:
    """Bind every address of a host name to one port; 0 chooses a free one.

    IPv4 and IPv6 have separate sockets, so that a client's address is always shown in its own
    form. `::`, like the empty name, means every address of the machine, including IPv4.

    Raises:
        OSError: The port is in use, or this machine does not have the address.
    """
    wanted = _addresses(host, port)
    if host in ANY_ADDRESS:
        wanted += _addresses("0.0.0.0", port)  # noqa: S104  what was asked for
    bound: list[socket.socket] = []
    failure: OSError | None = None
    try:
        for family, kind, protocol, address in dict.fromkeys(wanted):
            try:
                one = socket.socket(family, kind, protocol)
                bound.append(_bind(one, (address[0], port, *address[2:])))
            except OSError as error:
                # localhost may name an IPv6 address on a machine without IPv6.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                failure = error
            else:
                port = bound[-1].getsockname()[1]
    except BaseException:
        close(bound)
        raise
    if failure is not None and not bound:
        raise failure
    return bound


def close(sockets: list[socket.socket]) -> None:
    """Close sockets that no server has taken over."""
    for listener in sockets:
        listener.close()


def _addresses(
    host: str, port: int
) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]


def _bind(listener: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        if sys.platform == "win32":
            # On Windows, SO_REUSEADDR would let another program take over the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener
