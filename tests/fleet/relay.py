"""A relay before a server: it can be cut, held and mended, and may change what the server says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

BYTES = 1 << 16


def unchanged(data: bytes) -> bytes:
    return data


class Relay:
    """Hand bytes on between those who connect and a port of the loopback address.

    Attributes:
        port: Where it listens.
        heard: What clients have sent, if `change` is given.
    """

    def __init__(self, to: int, change: Callable[[bytes], bytes] = unchanged) -> None:
        self.port = 0
        self.heard = b""
        self._to = to
        self._change = change
        self._open = True
        self._released = asyncio.Event()
        self._released.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        self._open = False
        for one in self._writers:
            one.transport.abort()

    def hold(self) -> None:
        """Hand nothing on; connections stay."""
        self._released.clear()

    def mend(self) -> None:
        """Hand on again."""
        self._open = True
        self._released.set()

    async def close(self) -> None:
        """End."""
        self.mend()
        self.cut()
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, self._hear),
                self._pump(far_reader, writer, self._change),
            )
        finally:
            self._writers -= {writer, far_writer}

    def _hear(self, data: bytes) -> bytes:
        if self._change is not unchanged:
            self.heard += data
        return data

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        change: Callable[[bytes], bytes],
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(BYTES):
                await self._released.wait()
                writer.write(change(data))
                await writer.drain()
        writer.transport.abort()
