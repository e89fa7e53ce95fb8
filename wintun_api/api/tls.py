"""TLS whose write buffer size is the number of bytes that the kernel has not taken.

asyncio's TLS transport reports only what it has not encrypted or not passed on. The transport below
it holds up to 64 KiB more, which a client that is cut off never receives. Here the size counts what
waits in both, in bytes of the application. A record that is not complete (RFC 8446, section 5.1)
counts with all its bytes, because a part of it cannot be decrypted. So flow control, and the
accounts of packets in `unsent`, work as they do without TLS, on every event loop.

The base class is asyncio's own and has no documented way to extend it. What is overridden here is
the same in Python 3.11 to 3.13, and tests check the accounts on each version.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    SSLProtocol: TypeAlias = Any  # typeshed describes the class of Python 3.10
    _SSLProtocolTransport: TypeAlias = Any
else:
    from asyncio.sslproto import SSLProtocol, _SSLProtocolTransport

RECORD = 16 * 1024  # RFC 8446, section 5.1: the most that a record holds


class TlsProtocol(SSLProtocol):  # type: ignore[misc]
    """The server's side of TLS on one connection. Event loop thread only.

    Give it to `connect_accepted_socket` as the protocol of a connection without TLS.

    Attributes:
        open: Done when the handshake is done and `app` has its transport; else has the error.
    """

    _app_transport: Any

    def __init__(
        self,
        app: asyncio.Protocol,
        context: ssl.SSLContext,
        *,
        handshake_timeout: float,
        shutdown_timeout: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.open: asyncio.Future[Any] = loop.create_future()
        self._given = 0  # encrypted bytes passed on to the transport below
        self._records: deque[tuple[int, int]] = deque()  # encrypted and plain bytes, to their ends
        self._written = self._taken = 0  # plain bytes: encrypted, and with the kernel
        self._left: int | None = None  # plain bytes that were never sent, once that is certain
        super().__init__(
            loop,
            app,
            context,
            self.open,
            server_side=True,
            ssl_handshake_timeout=handshake_timeout,
            ssl_shutdown_timeout=shutdown_timeout,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin the handshake, and ask to be told when the transport below is empty."""
        transport.set_write_buffer_limits(0)
        super().connection_made(transport)

    def _get_app_transport(self) -> Any:
        if self._app_transport is None:
            self._app_transport = _Transport(self._loop, self)
        return self._app_transport

    def drop(self) -> None:
        """Cut the connection off before it is open. Idempotent."""
        self.open.cancel()
        self._get_app_transport().abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what was never sent before the buffers are thrown away."""
        if self._left is None:
            # After an error the transport below has cleared its buffer already, so everything that
            # may have been in it counts as lost.
            untold = self._written - self._taken + self._write_buffer_size
            self._left = self._get_write_buffer_size() if exc is None else untold
        super().connection_lost(exc)

    def _abort(self, *error: Any) -> None:
        if self._left is None:
            self._left = self._get_write_buffer_size()
        super()._abort(*error)

    def _do_write(self) -> None:
        backlog, sslobj = self._write_backlog, self._sslobj
        try:
            while backlog:
                view = memoryview(backlog[0])
                count = sslobj.write(view[:RECORD]) if view else 0
                self._write_buffer_size -= count
                self._written += count
                self._records.append((self._given + self._outgoing.pending, self._written))
                if count < len(view):
                    backlog[0] = view[count:]
                else:
                    del backlog[0]
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass  # during a renegotiation: the rest is written after it
        self._process_outgoing()

    def _process_outgoing(self) -> None:
        if not self._ssl_writing_paused:
            self._given += self._outgoing.pending
        super()._process_outgoing()

    def _get_write_buffer_size(self) -> int:
        if self._left is not None:
            return self._left
        below: asyncio.Transport | None = self._transport
        sent = self._given - (0 if below is None else below.get_write_buffer_size())
        records = self._records
        while records and records[0][0] <= sent:
            self._taken = records.popleft()[1]
        left: int = self._written - self._taken + self._write_buffer_size
        return left


class _Transport(_SSLProtocolTransport):  # type: ignore[misc]
    def close(self) -> None:
        if not self._closed:  # asyncio's transport forgets its buffer if it is closed twice
            super().close()
