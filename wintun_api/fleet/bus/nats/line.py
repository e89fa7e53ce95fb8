"""The socket of one connection: how much waits in it, how it has ended, whether it is encrypted."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import ParseResult

from nats.aio.transport import TcpTransport

READ_BYTES: Final = 1 << 18  # at a time; nats-py would take an eighth of it
LATE_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1  # between two looks, each of which costs two turns of the loop
LATE_BYTES: Final = 1 << 16


class Line(TcpTransport):
    """The transport of a nats-py client, made before it connects.

    A line that has ended takes no more: nats-py writes once more when it closes, and would wait.

    Attributes:
        ended: Done as soon as the line has ended, with the reason.
        encrypted: Whether TLS is in force.
        late: For how many seconds this host had more to read than it could when the line ended; 0
            where less than LATE_BYTES waited, because then the host has waited, not the server.
    """

    def __init__(self, *, must_encrypt: bool, high_water: int, drained: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.encrypted = False
        self._must_encrypt = must_encrypt
        self._high_water = high_water
        self._drained = drained
        self._failure: OSError | None = None
        self._reading = 0  # odd while it is read
        self._looking = False
        self._kept_up = time.monotonic()  # when nothing was there to be read
        self._unwaited = 0  # bytes that were read since then
        self.late = 0.0

    def __bool__(self) -> bool:
        return True  # otherwise nats-py would replace it

    @property
    def unsent(self) -> int:
        """The bytes that the system has not taken."""
        if self._io_writer is None or self.ended.done():
            return 0
        return self._io_writer.transport.get_write_buffer_size()

    def end(self, reason: str) -> None:
        """End the line now, without waiting for what is unsent. Idempotent."""
        if not self.ended.done():
            late = time.monotonic() - self._kept_up
            if late > LATE_SECONDS and self._unwaited >= LATE_BYTES:
                self.late = late
            self.ended.set_result(reason)
        if self._io_writer is not None:
            self._io_writer.transport.abort()
        if self._bare_io_writer is not None:
            self._bare_io_writer.transport.abort()

    # What nats-py asks for

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Connect; a second attempt fails as the first one, because the bus has its own pace."""
        if self._failure is not None:
            raise self._failure
        try:
            await super().connect(uri, max(buffer_size, READ_BYTES), connect_timeout)
        except OSError as error:
            self._failure = error
            raise
        self._bound()

    async def connect_tls(
        self,
        uri: str | ParseResult,
        ssl_context: ssl.SSLContext,
        buffer_size: int,
        connect_timeout: int,
    ) -> None:
        """Encrypt."""
        await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        assert self._io_writer is not None
        transport = self._io_writer.transport
        # asyncio leaves this to the caller of start_tls, and nats-py does not do it. Without it the
        # streams know neither that they are encrypted, and event loops warn at the end of one, nor
        # what to pause when too much is unread.
        transport.get_protocol().connection_made(transport)
        self.encrypted = True
        self._bound()

    def write(self, payload: bytes) -> None:
        """Write what is not queued: the first thing is who this host is."""
        if self._must_encrypt and not self.encrypted:
            raise ConnectionError("The server does not encrypt, and its URL says that it does.")
        if (writer := self._open_writer) is not None:
            writer.write(payload)

    def writelines(self, payload: list[bytes]) -> None:
        """Write what was queued."""
        if (writer := self._open_writer) is not None:
            writer.writelines(payload)

    @property
    def _open_writer(self) -> asyncio.StreamWriter | None:
        """What takes bytes; None after the end, when they are lost.

        A transport may have ended before this line knows it, and that of Python 3.13 then fails.
        """
        writer = self._io_writer
        if writer is None or self.ended.done() or writer.transport.is_closing():
            return None
        return writer

    async def drain(self) -> None:
        """Wait until little is left in the buffer."""
        if self._io_writer is None or self.ended.done():
            return
        try:
            await self._io_writer.drain()
        except OSError as error:
            self.end(f"The connection has failed: {error}")
            raise
        self._drained()

    async def read(self, buffer_size: int) -> bytes:
        """Return what has come, all of it."""
        self._reading += 1
        if not self._looking and time.monotonic() - self._kept_up >= LOOK_SECONDS:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look, self._reading, 1)
        try:
            data: bytes = await super().read(max(buffer_size, READ_BYTES))
        except OSError as error:
            self.end(f"The connection has failed: {error}")
            raise
        self._reading += 1
        self._unwaited += len(data)
        if not data:
            self.end("The server has closed the connection.")
        return data

    def close(self) -> None:
        """End the line: nats-py closes it after it has sent what it wanted to."""
        self.end("The connection was given up.")

    async def wait_closed(self) -> None:
        """Return at once: an aborted line is closed."""

    def _look(self, reading: int, rounds: int) -> None:
        """Note that nothing is there to be read: not now, and not after the loop has looked."""
        self._looking = reading == self._reading
        if not self._looking:
            return
        if rounds:
            asyncio.get_running_loop().call_soon(self._look, reading, rounds - 1)
        else:
            self._looking = False
            self._kept_up, self._unwaited = time.monotonic(), 0

    def _bound(self) -> None:
        assert self._io_writer is not None
        self._io_writer.transport.set_write_buffer_limits(high=self._high_water)
