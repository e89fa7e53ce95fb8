"""The uvicorn WebSocket protocol behind the fast link: many messages an event, both ways.

Messages cost, bytes do not: one ASGI event per packet stops at a tenth of what the socket carries.
A packet endpoint therefore attaches itself to this protocol, gets a chunk's binary messages in one
call, and writes ready frames straight to the transport. Everything else (handshake, ping, close,
text messages, other endpoints) runs as uvicorn has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from wintun_api.api.frames import MessageReader

EXTENSION = "wintun_api.packets"
GOING_AWAY = 1001
CLOSE_PATIENCE = 1.0
# A client that has so much at a time is read once a turn of the loop, so that others get theirs.
LARGE_CHUNK = 16 * 1024
# What the socket does not take at once waits in the subscriber's queue, by its policy, not here. A
# burst above the mark is written straight away, while the caches have it (uvloop).
WRITE_HIGH = 32 * 1024
WRITE_LOW = 0

OnMessages = Callable[[list[bytes]], None]
OnWritable = Callable[[], None]


class PacketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection. Event loop thread only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_messages: OnMessages | None = None
        self._on_writable: OnWritable | None = None
        self._reader = MessageReader(self.config.ws_max_size)
        self._write_paused = False

    def attach(self, on_messages: OnMessages, on_writable: OnWritable) -> None:
        """Hand binary messages over, a chunk's at a time, and say when writing may go on."""
        self._on_messages = on_messages
        self._on_writable = on_writable
        self._reader.collect = True
        self.transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)

    def detach(self) -> None:
        """Go back to plain ASGI events."""
        self._on_messages = self._on_writable = None
        self._reader.collect = False

    @property
    def can_write(self) -> bool:
        """Whether the client keeps up; False also once the connection is closing."""
        return not (self._write_paused or self.close_sent or self.transport.is_closing())

    def write(self, frames: bytes) -> None:
        """Write whole server frames (RFC 6455, section 5.2: unmasked)."""
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(frames)

    def write_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Write frames that lie in several pieces, which are not copied."""
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.writelines(pieces)

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake at once, behind what was written.

        A client that does not read would hold it up for ever, so it has `CLOSE_PATIENCE` seconds.
        """
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.close_timer = self.loop.call_later(CLOSE_PATIENCE, self.transport.abort)

    def pause_reading(self) -> None:
        """Let TCP hold the client back. Idempotent."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again. Idempotent."""
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()

    # What uvicorn and asyncio call

    def handle_connect(self, event: Request) -> None:
        """Accept the request and offer the extension to the app."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """Hand a chunk's binary messages over together, and the rest to uvicorn."""
        if not self.handshake_initiated:  # the request, alone: uvicorn puts it together again
            super().data_received(data)
            return
        if len(data) >= LARGE_CHUNK and not self.read_paused:
            # libuv reads up to 32 chunks in one turn of the loop: everybody else would wait.
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)
        for part in self._reader.read(data):
            if isinstance(part, bytes):
                super().data_received(part)
            elif self._on_messages is not None and not self.close_sent:
                self._on_messages(part)

    def _read_on(self) -> None:
        transport: asyncio.Transport | None = self.transport
        if transport is not None and not (self.read_paused or transport.is_closing()):
            transport.resume_reading()

    def send_receive_event_to_app(self) -> None:
        """Take a fragmented binary message, or leave it to uvicorn."""
        binary = self.curr_msg_data_type == "bytes"
        if self._on_messages is not None and binary and not self.close_sent:
            message, self.frames = b"".join(self.frames), []
            self._on_messages([message])
        else:
            super().send_receive_event_to_app()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        super().pause_writing()
        self._write_paused = True

    def resume_writing(self) -> None:
        """Let the packet endpoint write again."""
        super().resume_writing()
        self._write_paused = False
        if self._on_writable is not None:
            self._on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the packet endpoint; uvicorn tells the app."""
        self.detach()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close with 1001 when the service stops; whoever does not read is cut off."""
        self.stop_keepalive()
        if self.close_sent or not self.handshake_complete:
            super().shutdown()
        else:
            self.close(GOING_AWAY, "The service is shutting down.")
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_PATIENCE, self.abort)

    def abort(self) -> None:
        """Cut the connection off. Idempotent."""
        transport: asyncio.Transport | None = self.transport
        if transport is not None:
            transport.abort()
