"""Bytes to and from one packet client: fast on our own server, plain on any other."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from wintun_api.api.frames import BINARY, TEXT, frame_header, packet_frames
from wintun_api.api.protocol import EXTENSION, PacketProtocol
from wintun_api.hub.fanout import Burst
from wintun_api.hub.tasks import TaskSet
from wintun_api.wire import header

OnMessages = Callable[[list[bytes]], None]
OnWritable = Callable[[], None]

MAX_PENDING = 64
_JSON = json.JSONEncoder(separators=(",", ":"))


class Link(Protocol):
    """One client's socket, as the packet connection uses it. Event loop thread only."""

    @property
    def writable(self) -> bool:
        """Whether more may be sent now; `on_writable` is called when it may again."""

    def attach(self, on_messages: OnMessages, on_writable: OnWritable) -> None:
        """Begin: binary messages go to `on_messages`."""

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Send one binary message with a batch per burst."""

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Send one binary message per packet."""

    def send_text(self, value: dict[str, Any]) -> None:
        """Send a JSON text message."""

    def pause_reading(self) -> None:
        """Take no more messages for now."""

    def resume_reading(self) -> None:
        """Take messages again."""

    async def ready(self) -> None:
        """Wait until reading is not paused."""

    def close(self, code: int, reason: str) -> None:
        """Close behind what was sent."""

    def detach(self) -> None:
        """End: nothing is called any more."""


def link_of(websocket: WebSocket) -> Link:
    """Return the best link that the server under this WebSocket offers."""
    protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
    return FastLink(protocol) if isinstance(protocol, PacketProtocol) else PlainLink(websocket)


class FastLink:
    """A link over `PacketProtocol`: frames are made here and shared between clients."""

    def __init__(self, protocol: PacketProtocol) -> None:
        self._protocol = protocol

    @property
    def writable(self) -> bool:
        """Whether the transport takes more."""
        return self._protocol.can_write

    def attach(self, on_messages: OnMessages, on_writable: OnWritable) -> None:
        """Attach to the protocol."""
        self._protocol.attach(on_messages, on_writable)

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Write one frame; what a single burst becomes is shared between clients."""
        if len(bursts) == 1:
            self._protocol.write_pieces(bursts[0].form("batch frame", _batch_frame))
            return
        batches = [burst.form("batch", _batch) for burst in bursts]
        self._protocol.write(b"".join((frame_header(BINARY, sum(map(len, batches))), *batches)))

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Write the frames of all packets at once."""
        frames = [burst.form("frames", _packet_frames) for burst in bursts]
        self._protocol.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def send_text(self, value: dict[str, Any]) -> None:
        """Write one text frame."""
        payload = _JSON.encode(value).encode()
        self._protocol.write(frame_header(TEXT, len(payload)) + payload)

    def pause_reading(self) -> None:
        """Let TCP hold the client back."""
        self._protocol.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._protocol.resume_reading()

    async def ready(self) -> None:
        """Return at once: this link's messages do not come through the caller."""

    def close(self, code: int, reason: str) -> None:
        """Send the close frame."""
        self._protocol.close(code, reason)

    def detach(self) -> None:
        """Detach from the protocol."""
        self._protocol.detach()


class PlainLink:
    """A link over plain ASGI events, for servers other than ours: one event per message."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._pending: deque[bytes | str | tuple[int, str]] = deque()
        self._wake = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._closed = False
        self._tasks = TaskSet()
        self._on_writable: OnWritable | None = None

    @property
    def writable(self) -> bool:
        """Whether few enough messages wait to be sent."""
        return len(self._pending) < MAX_PENDING and not self._closed

    def attach(self, on_messages: OnMessages, on_writable: OnWritable) -> None:
        """Start the sender; messages reach the connection through its own receive loop."""
        self._on_writable = on_writable
        self._tasks.spawn(self._send(), name="packets:send")

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Queue one message."""
        self._put(b"".join([burst.form("batch", _batch) for burst in bursts]))

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Queue a message per packet."""
        for burst in bursts:
            for packet in burst.packets:
                self._put(packet)

    def send_text(self, value: dict[str, Any]) -> None:
        """Queue one text message."""
        self._put(_JSON.encode(value))

    def pause_reading(self) -> None:
        """Hold the receive loop."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Let the receive loop go on."""
        self._reading.set()

    async def ready(self) -> None:
        """Wait until reading is not paused."""
        await self._reading.wait()

    def close(self, code: int, reason: str) -> None:
        """Queue the close."""
        self._put((code, reason))
        self._closed = True

    def detach(self) -> None:
        """Stop the sender."""
        self._tasks.cancel()
        self._reading.set()

    def _put(self, item: bytes | str | tuple[int, str]) -> None:
        if not self._closed:
            self._pending.append(item)
            self._wake.set()

    async def _send(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                while self._pending:
                    item = self._pending.popleft()
                    if isinstance(item, bytes):
                        await self._websocket.send_bytes(item)
                    elif isinstance(item, str):
                        await self._websocket.send_text(item)
                    else:
                        await self._websocket.close(*item)
                        return
                self._wake.clear()
                if self._on_writable is not None:
                    self._on_writable()
                await self._wake.wait()


def batch_header(burst: Burst) -> bytes:
    """Return everything of a burst's batch before its packets."""
    return header(
        burst.lengths,
        sequence=burst.sequence,
        time_ns=burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.original_lengths,
    )


def _batch(burst: Burst) -> bytes:
    return b"".join((batch_header(burst), *burst.pieces))


def _batch_frame(burst: Burst) -> Sequence[bytes | memoryview]:
    head = batch_header(burst)
    pieces = (frame_header(BINARY, len(head) + burst.size) + head, *burst.pieces)
    # Two pieces are written as they lie; of many, one is made: a system call takes each by itself.
    return pieces if len(pieces) == 2 else (b"".join(pieces),)


def _packet_frames(burst: Burst) -> bytes:
    return packet_frames(burst.packets, burst.lengths)
