"""Extend uvicorn's WebSocket protocol for the fast link: many messages per event, both ways.

The cost is per message, not per byte: with one ASGI event per packet, throughput is a tenth of what
the socket can carry. A packet endpoint therefore attaches itself to this protocol, gets a chunk's
binary messages in one call, and writes complete frames directly to the transport. Everything else
(handshake, ping, close, text messages, other endpoints) works as in uvicorn, but within limits: a
client that sends and does not read cannot use more memory than one that reads.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, cast

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from wintun_api.api.admission import Seat
from wintun_api.api.intake import PLAIN, Inlet, PacketConfig
from wintun_api.api.unsent import Span, Unsent, frames_whole, tell_when_empty
from wintun_api.choices import CloseCode
from wintun_api.chunks import Codec, Data, MessageReader, Messages, Part
from wintun_api.hub.burst import Burst
from wintun_api.hub.ending import ENDING_PATIENCE

EXTENSION = "wintun_api.packets"
CLOSE_PATIENCE = 1.0
# A client that sends this much at a time is read once per turn of the loop, to be fair to others.
LARGE_CHUNK = 16 * 1024
# What the socket does not take at once waits in the subscriber's queue, under its policy, not here.
# A burst above the mark is written immediately, while it is in the caches (uvloop).
WRITE_HIGH = 32 * 1024
WRITE_LOW = 0

# Pings left unanswered while the client does not read; after that it is cut off.
MAX_UNANSWERED: Final = 1000
MAX_FRAGMENTS: Final = 4096  # of one message
# Limit for the parser of `websockets`: our own parser reads the heads and has other limits.
HEAD: Final = b"GET / HTTP/1.1\r\n\r\n"
EXPLAINED = ("Allow", "Upgrade")
# CVE-2024-12254: asyncio's `writelines` does not check how much it has buffered.
BLIND_WRITELINES: Final = (((3, 12, 0), (3, 12, 8)), ((3, 13, 0), (3, 13, 1)))
WRITELINES_IS_BLIND: Final = any(
    first <= sys.version_info[:3] <= last for first, last in BLIND_WRITELINES
)

OnMessages = Callable[[Messages], None]
OnWritable = Callable[[], None]


class PacketProtocol(WebSocketsSansIOProtocol):
    """Serve one WebSocket connection. Event loop thread only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_messages: OnMessages | None = None
        self._on_writable: OnWritable | None = None
        self._intake = self.config.intake if isinstance(self.config, PacketConfig) else PLAIN
        self._reader = MessageReader(self.config.ws_max_size)
        self._codec: Codec = self._intake.codec(batched=False)
        self._unsent = Unsent()
        self._direct = False  # what the transport has written is with the kernel
        self._write_paused = False
        # Data that arrived after a message that the app has not taken.
        self._held: deque[Part] = deque()
        self._pong = b""
        self._unanswered = 0
        self.seat: Seat | None = None

    def check(self, request: Request) -> tuple[int, str, tuple[tuple[str, str], ...]] | None:
        """Return the HTTP status, message and headers for a wrong handshake, or None."""
        response = self.conn.accept(request)
        if response.status_code == 101:
            return None
        detail = bytes(response.body).decode("utf-8", "replace").partition("\n")[0]
        more = [(name, response.headers[name]) for name in EXPLAINED if name in response.headers]
        return response.status_code, detail[:200], (*more, ("Sec-WebSocket-Version", "13"))

    def begin(self, request: Request) -> None:
        """Start with a handshake whose head has been read and which `check` has accepted."""
        self.conn.receive_data(HEAD)
        self.conn.events_received()
        self.handle_connect(request)

    def attach(self, on_messages: OnMessages, on_writable: OnWritable, *, batched: bool) -> None:
        """Pass on binary messages, one chunk's at a time, and say when writing may continue.

        Each message is one packet or, if `batched`, a number of batches.
        """
        self._on_messages = on_messages
        self._on_writable = on_writable
        self._reader.codec = self._codec = self._intake.codec(batched=batched)
        if not self.transport.is_closing():
            self.transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
            self._direct = self.transport.get_extra_info("ssl_object") is None
            self._read_into(self._intake.room)

    def _read_into(self, room: memoryview | None) -> None:
        if room is None:
            return
        # uvloop takes a new protocol's way of reading when reading begins.
        transport = self.transport
        transport.pause_reading()
        transport.set_protocol(Inlet(self, self._reader, room, self._chunk, self._rest))
        if not self.read_paused:
            transport.resume_reading()

    def detach(self) -> None:
        """Return to plain ASGI events."""
        self._on_messages = self._on_writable = None
        self._reader.codec = None

    def take_message(self, payload: bytes) -> None:
        """Pass on a binary message that came as an ASGI event or in fragments."""
        if self._on_messages is not None:
            self._on_messages(self._codec.messages(payload))

    @property
    def can_write(self) -> bool:
        """Whether the client keeps up; False also once the connection is closing."""
        return not (self._write_paused or self.close_sent or self.transport.is_closing())

    def write(self, frame: bytes, bursts: Sequence[Burst] = ()) -> None:
        """Write a server frame (RFC 6455, section 5.2: unmasked), a message with these bursts."""
        transport = self.transport
        if not (self.close_sent or transport.is_closing()):
            buffered = transport.get_write_buffer_size()
            transport.write(frame)
            if not self._taken(transport):
                self._unsent.wrote(len(frame), buffered, bursts)

    def write_packets(self, frames: Sequence[bytes], bursts: Sequence[Burst]) -> None:
        """Write the frames of bursts, one piece per burst; each packet is a message."""
        transport = self.transport
        if not (self.close_sent or transport.is_closing()):
            buffered = transport.get_write_buffer_size()
            transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
            if self._taken(transport):
                return
            for piece, burst in zip(frames, bursts, strict=True):
                self._unsent.wrote(len(piece), buffered, (burst,), frames_whole)
                buffered += len(piece)

    def write_pieces(
        self, pieces: Sequence[bytes | memoryview], bursts: Sequence[Burst] = ()
    ) -> None:
        """Write a message that consists of several pieces, without copying them."""
        transport = self.transport
        if not (self.close_sent or transport.is_closing()):
            buffered = transport.get_write_buffer_size()
            transport.writelines(pieces)
            if WRITELINES_IS_BLIND:
                transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)  # this makes it check
            if not self._taken(transport):
                self._unsent.wrote(sum(map(len, pieces)), buffered, bursts)

    def _taken(self, transport: asyncio.Transport) -> bool:
        """Return whether the kernel has everything, so that nothing need be noted of it.

        This is usual. Then what was written is freed at once, and the next burst finds its memory
        in the caches.
        """
        if not self._direct or transport.get_write_buffer_size() or transport.is_closing():
            return False
        self._unsent.taken()
        return True

    async def sent(self) -> None:
        """Wait until the kernel has taken everything that was written, or the connection is lost.

        Call this when little or nothing more is written.
        """
        tell_when_empty(self.transport)
        await self.writable.wait()

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return the packets that were written but not taken by the kernel.

        With `abort`, the connection is cut if there is anything that it has not taken.
        """
        buffered = self.transport.get_write_buffer_size()
        spans = self._unsent.take(buffered)
        if abort and buffered:
            self.abort()
        return spans

    def close(self, code: int, reason: str, patience: float = CLOSE_PATIENCE) -> None:
        """Start the closing handshake at once, after everything that was written.

        A client that does not read could delay it indefinitely, so it has `patience` seconds.
        """
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.close_timer = self.loop.call_later(patience, self.abort)
        self._take()  # the client's close frame may already be here, after other messages
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def pause_reading(self) -> None:
        """Stop reading, so that TCP slows the client down. Idempotent."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again. Idempotent."""
        if self.read_paused and self.queue.empty():
            self._hand_on()

    # Called by uvicorn and asyncio

    def handle_connect(self, event: Request) -> None:
        """Accept the request and offer the extension to the app."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
            if self.seat is not None:
                self.seat.ask(cast(dict[str, Any], self.scope))

    def data_received(self, data: bytes) -> None:
        """Pass on a chunk's binary messages together, and the rest to uvicorn."""
        if not self.handshake_initiated:  # only the request: uvicorn assembles it again
            super().data_received(data)
            return
        if len(data) >= LARGE_CHUNK:
            self._rest()
        self._chunk(data)

    def _rest(self) -> None:
        """Read no more in this turn of the loop; libuv would read up to 32 chunks."""
        if not self.read_paused:
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def _chunk(self, data: Data) -> None:
        waiting = bool(self._held) and not self.close_sent
        self._held.extend(self._reader.read(data))
        if not waiting:
            self._take()

    def _take(self) -> None:
        """Pass on what has arrived, up to a message that the app must take first."""
        held = self._held
        if not self.handshake_complete:  # the client does not wait for the answer
            self.pause_reading()
            return
        while held:
            if self.conn.close_rcvd is not None:
                held.clear()  # data after a close frame is ignored (RFC 6455, section 1.4)
                return
            part = held[0]
            if not (self.close_sent or self.queue.empty()):
                self.pause_reading()
                return
            held.popleft()
            if isinstance(part, bytes):
                super().data_received(part)
            elif self._on_messages is not None and not self.close_sent:
                self._on_messages(part)

    def _hand_on(self) -> None:
        """Pass on held data until the app has a message to take; then resume reading."""
        if self._held:
            self._take()
        if self.read_paused and self.queue.empty() and not self._held:
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        """Return the app's next message; data after the previous one is passed on only now."""
        if self.queue.empty():
            self._hand_on()
        return await self.queue.get()

    def send_keepalive_ping(self) -> None:
        """Check whether the client is still there, as uvicorn does."""
        self._write_untold(super().send_keepalive_ping)

    def _write_untold(self, write: Callable[[], None]) -> None:
        before = self.transport.get_write_buffer_size()
        write()
        self._unsent.wrote(self.transport.get_write_buffer_size() - before, before)

    def _read_on(self) -> None:
        transport: asyncio.Transport | None = self.transport
        if transport is not None and not (self.read_paused or transport.is_closing()):
            transport.resume_reading()

    async def send(self, message: ASGISendEvent) -> None:
        """Send the app's message; drop the answer to a handshake if its client is gone."""
        try:
            await super().send(message)
        except ClientDisconnected:
            if message["type"] == "websocket.send":
                raise
        if message["type"] == "websocket.accept":
            self._hand_on()

    def send_receive_event_to_app(self) -> None:
        """Handle a fragmented binary message, or leave it to uvicorn."""
        binary = self.curr_msg_data_type == "bytes"
        if self._on_messages is not None and binary and not self.close_sent:
            message, self.frames = b"".join(self.frames), []
            self.take_message(message)
            return
        if not binary and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self._fail(CloseCode.INVALID_DATA, CloseCode.INVALID_DATA.reason)
            return
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        """Handle a fragment; the number of fragments of a message is limited."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(CloseCode.TOO_BIG, f"A message may have at most {MAX_FRAGMENTS} fragments.")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer; while the client does not read, keep only the last answer (section 5.5.3)."""
        pongs = self.conn.data_to_send()
        if self.transport.is_closing():
            return
        if not self._write_paused:
            self.write(b"".join(pongs))
            return
        self._pong = pongs[-1]
        self._unanswered += 1
        if self._unanswered > MAX_UNANSWERED:
            self.close(CloseCode.POLICY_VIOLATION, CloseCode.POLICY_VIOLATION.reason)

    def handle_close(self, event: Frame) -> None:
        """Answer a close frame and end soon, even if the client does not read."""
        self._write_untold(partial(super().handle_close, event))
        self._hasten()

    def handle_parser_exception(self) -> None:
        """Report the protocol error and end soon, even if the client does not read."""
        if self.close_sent or self.transport.is_closing():
            self.conn.data_to_send()
        else:
            self._write_untold(super().handle_parser_exception)
        self._hasten()

    def keepalive_timeout(self) -> None:
        """End the connection of a client that does not answer."""
        self._write_untold(super().keepalive_timeout)
        self._hasten()

    def _fail(self, code: int, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _hasten(self) -> None:
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_PATIENCE, self.abort)

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        super().pause_writing()
        self._write_paused = True

    def resume_writing(self) -> None:
        """Let the packet endpoint write again."""
        super().resume_writing()
        self._write_paused = False
        if self._pong:
            pong, self._pong, self._unanswered = self._pong, b"", 0
            self.write(pong)
        if self._on_writable is not None:
            self._on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the packet endpoint and give the place back; uvicorn informs the app."""
        if exc is not None:
            self._unsent.cut(None)
        self.detach()
        self._held.clear()
        if self.seat is not None:
            self.seat.leave()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close with 1001 when the service stops; a client that does not read is cut off.

        The session ends the packet endpoint: it delivers what is queued, or counts it as lost.
        """
        self.stop_keepalive()
        if self._on_messages is not None and not self.close_sent:
            self.close_timer = self.loop.call_later(ENDING_PATIENCE + CLOSE_PATIENCE, self.abort)
            return
        if self.close_sent or not self.handshake_complete:
            super().shutdown()
        else:
            self.close(CloseCode.GOING_AWAY, CloseCode.GOING_AWAY.reason)
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_PATIENCE, self.abort)

    def abort(self) -> None:
        """Cut off the connection, with what the kernel has not taken. Idempotent."""
        transport: asyncio.Transport | None = self.transport
        if transport is not None:
            self._unsent.cut(transport.get_write_buffer_size())  # the transport forgets this number
            transport.abort()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
