"""Exchange bytes with one packet client: fast on our own server, plain on any other."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Message, Receive
from starlette.websockets import WebSocket, WebSocketDisconnect

from wintun_api.api.batches import SMALL, batch, batch_frame, timed_batch, timed_batch_frame
from wintun_api.api.protocol import (
    CLOSE_PATIENCE,
    EXTENSION,
    OnMessages,
    OnWritable,
    PacketProtocol,
)
from wintun_api.api.unsent import Span
from wintun_api.choices import CloseCode
from wintun_api.chunks import PythonCodec
from wintun_api.frames import BINARY, TEXT, batch_frame_with, frame_header, packet_frames_with
from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.tasks import TaskSet
from wintun_api.native import Speedups

# Limits for data that another server has not taken yet, in messages and in bytes.
MAX_PENDING = 64
MAX_PENDING_BYTES = 256 * 1024
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Pending:
    item: bytes | str | tuple[int, str]
    spans: Sequence[Span]


class Link(Protocol):
    """Describe one client's socket as the packet connection uses it. Event loop thread only."""

    @property
    def writable(self) -> bool:
        """Whether more may be sent now; if not, `on_writable` is called when it may again."""

    def attach(
        self,
        on_messages: OnMessages,
        on_writable: OnWritable,
        *,
        batched: bool,
        timed: bool = False,
    ) -> None:
        """Begin to call back; binary messages then go to `on_messages`, not to `receive`.

        Args:
            on_messages: Called with binary messages.
            on_writable: Called when more may be sent again.
            batched: Whether each message is a number of batches; otherwise it is one packet.
            timed: Whether batches have a time for each packet.
        """

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Send one binary message with a batch per burst."""

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Send one binary message per packet."""

    def send_blocks(self, blocks: bytes, bursts: Sequence[Burst]) -> None:
        """Send one binary message with the pcapng blocks of these bursts."""

    def send_text(self, value: dict[str, Any]) -> None:
        """Send a JSON text message."""

    def pause_reading(self) -> None:
        """Accept no more messages for now."""

    def resume_reading(self) -> None:
        """Accept messages again."""

    async def receive(self) -> Message:
        """Return the next text message, or "websocket.disconnect" at the end.

        That is when the client is gone or was cut off. Binary messages are read only while this is
        awaited, and not while reading is paused.
        """

    def close(self, code: int, reason: str, patience: float = CLOSE_PATIENCE) -> None:
        """Close after what was sent; a client that does not read is cut off after `patience`."""

    async def sent(self) -> None:
        """Wait until everything that was sent has been taken, or the client is gone."""

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return the packets that were sent but not taken yet; `abort` discards them."""

    def detach(self) -> None:
        """Stop calling back."""


def link_of(websocket: WebSocket, speedups: Speedups | None = None) -> Link:
    """Return the best link that the server under this WebSocket offers.

    Args:
        websocket: The accepted connection.
        speedups: The extension, if it makes the frames of packets.
    """
    protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
    if isinstance(protocol, PacketProtocol):
        return FastLink(protocol, websocket, speedups)
    return PlainLink(websocket)


class FastLink:
    """Send over `PacketProtocol`: frames are built here and shared between clients."""

    def __init__(
        self, protocol: PacketProtocol, websocket: WebSocket, speedups: Speedups | None
    ) -> None:
        self._protocol = protocol
        self._make_packet_frames = packet_frames_with(speedups)
        self._make_batch_frame = batch_frame_with(speedups)
        self._timed = False
        self._websocket = websocket

    @property
    def writable(self) -> bool:
        """Whether the transport accepts more."""
        return self._protocol.can_write

    def attach(
        self,
        on_messages: OnMessages,
        on_writable: OnWritable,
        *,
        batched: bool,
        timed: bool = False,
    ) -> None:
        """Attach to the protocol."""
        self._timed = timed
        self._protocol.attach(on_messages, on_writable, batched=batched)

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Write one frame; the frame of a single burst is shared between clients."""
        if len(bursts) == 1:
            if self._timed:
                frame = bursts[0].form(Form.TIMED_BATCH_FRAME, timed_batch_frame)
            else:
                frame = bursts[0].form(Form.BATCH_FRAME, self._batch_frame)
            if isinstance(frame, bytes):
                self._protocol.write(frame, bursts)
            else:
                self._protocol.write_pieces(frame, bursts)
            return
        batches = _batches(bursts, timed=self._timed)
        head = frame_header(BINARY, sum(map(len, batches)))
        self._protocol.write(b"".join((head, *batches)), bursts)

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Write the frames of all packets at once."""
        frames = [burst.form(Form.PACKET_FRAMES, self._packet_frames) for burst in bursts]
        self._protocol.write_packets(frames, bursts)

    def _packet_frames(self, burst: Burst) -> bytes:
        return self._make_packet_frames(burst.packets, burst.lengths)

    def _batch_frame(self, burst: Burst) -> bytes | Sequence[bytes | memoryview]:
        if burst.size < SMALL and burst.original_lengths is None and burst.offsets is None:
            return self._make_batch_frame(
                burst.packets, burst.lengths, burst.sequence, burst.time_ns, burst.injected
            )
        return batch_frame(burst)

    def send_blocks(self, blocks: bytes, bursts: Sequence[Burst]) -> None:
        """Write one frame."""
        self._protocol.write(frame_header(BINARY, len(blocks)) + blocks, bursts)

    def send_text(self, value: dict[str, Any]) -> None:
        """Write one text frame."""
        payload = _JSON.encode(value).encode()
        self._protocol.write(frame_header(TEXT, len(payload)) + payload)

    def pause_reading(self) -> None:
        """Stop reading, so that TCP slows the client down."""
        self._protocol.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._protocol.resume_reading()

    async def receive(self) -> Message:
        """Return the next other message; the protocol passes what comes after `attach`."""
        return await _next_other(self._websocket.receive, self._protocol.take_message)

    def close(self, code: int, reason: str, patience: float = CLOSE_PATIENCE) -> None:
        """Send the close frame."""
        self._protocol.close(code, reason, patience)

    async def sent(self) -> None:
        """Wait for the kernel."""
        await self._protocol.sent()

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Ask the transport."""
        return self._protocol.take_unsent(abort=abort)

    def detach(self) -> None:
        """Detach from the protocol."""
        self._protocol.detach()


class PlainLink:
    """Send over plain ASGI events, for servers other than ours: one event per message.

    Everything that the server has taken counts as delivered, because its buffer is not visible.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._timed = False
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._taken = asyncio.Event()
        self._taken.set()
        self._reading = asyncio.Event()
        self._reading.set()
        self._cut = asyncio.Event()
        self._closed = False
        self._tasks = TaskSet()
        self._sender: asyncio.Task[None] | None = None
        self._on_messages: OnMessages | None = None
        self._on_writable: OnWritable | None = None
        self._codec = PythonCodec(batched=False)

    @property
    def writable(self) -> bool:
        """Whether few enough messages wait to be sent."""
        few = len(self._pending) < MAX_PENDING and self._pending_bytes < MAX_PENDING_BYTES
        return few and not self._closed

    def attach(
        self,
        on_messages: OnMessages,
        on_writable: OnWritable,
        *,
        batched: bool,
        timed: bool = False,
    ) -> None:
        """Start the sender; `receive` passes binary messages."""
        self._timed = timed
        self._codec = PythonCodec(batched=batched)
        self._on_messages = on_messages
        self._on_writable = on_writable
        self._sender = self._tasks.spawn(self._send(), name="packets:send")

    def send_batches(self, bursts: Sequence[Burst]) -> None:
        """Queue one message."""
        self._put(b"".join(_batches(bursts, timed=self._timed)), bursts)

    def send_packets(self, bursts: Sequence[Burst]) -> None:
        """Queue a message per packet."""
        for burst in bursts:
            for index, packet in enumerate(burst.packets):
                number = burst.number(index)
                self._put(packet, spans=(Span(1, number, number, burst.injected),))

    def send_blocks(self, blocks: bytes, bursts: Sequence[Burst]) -> None:
        """Queue one message."""
        self._put(blocks, bursts)

    def send_text(self, value: dict[str, Any]) -> None:
        """Queue one text message."""
        self._put(_JSON.encode(value))

    def pause_reading(self) -> None:
        """Hold the receive loop."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Let the receive loop go on."""
        self._reading.set()

    async def receive(self) -> Message:
        """Return the next other message."""
        return await _next_other(self._next, self._take_message)

    def _take_message(self, payload: bytes) -> None:
        if self._on_messages is not None:
            self._on_messages(self._codec.messages(payload))

    async def _next(self) -> Message:
        await self._reading.wait()
        message = self._tasks.spawn(self._websocket.receive(), name="packets:receive")
        cut = self._tasks.spawn(self._cut.wait(), name="packets:cut")
        await asyncio.wait([message, cut], return_when=asyncio.FIRST_COMPLETED)
        cut.cancel()
        if not message.done():
            message.cancel()
            return {"type": "websocket.disconnect", "code": CloseCode.ABNORMAL}
        return message.result()

    def close(self, code: int, reason: str, patience: float = CLOSE_PATIENCE) -> None:
        """Queue the close; the server has its own time-out."""
        self._put((code, reason))
        self._closed = True
        self._reading.set()  # so that the receive loop sees the end

    async def sent(self) -> None:
        """Wait for the server."""
        await self._taken.wait()

    def take_unsent(self, *, abort: bool = False) -> list[Span]:
        """Return what the server has not taken."""
        unsent = [span for pending in self._pending for span in pending.spans]
        if self._pending:
            self._closed = True
            self._pending.clear()
            self._cut.set()
            self.detach()
        return unsent

    def detach(self) -> None:
        """Stop the sender."""
        if self._sender is not None:
            self._sender.cancel()
        self._reading.set()
        self._taken.set()

    def _put(
        self,
        item: bytes | str | tuple[int, str],
        bursts: Sequence[Burst] = (),
        spans: Sequence[Span] | None = None,
    ) -> None:
        if self._closed:
            return
        if spans is None:
            spans = [Span.of(burst) for burst in bursts]
        self._pending.append(_Pending(item, spans))
        self._pending_bytes += len(item)
        self._taken.clear()
        self._wake.set()

    async def _send(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                while self._pending:
                    item = self._pending[0].item
                    if isinstance(item, bytes):
                        await self._websocket.send_bytes(item)
                    elif isinstance(item, str):
                        await self._websocket.send_text(item)
                    else:
                        await self._websocket.close(*item)
                    # Removed only now: a message cancelled while the server waits was not sent.
                    self._pending.popleft()
                    self._pending_bytes -= len(item)
                    if isinstance(item, tuple):
                        break
                self._taken.set()
                self._wake.clear()
                if self._closed:
                    return
                if self._on_writable is not None:
                    self._on_writable()
                await self._wake.wait()


async def _next_other(receive: Receive, take_message: Callable[[bytes], None]) -> Message:
    """Pass binary messages on, and return the first message that is not one."""
    while (content := (message := await receive()).get("bytes")) is not None:
        take_message(content)
    return message


def _batches(bursts: Sequence[Burst], *, timed: bool) -> list[bytes]:
    if timed:
        return [burst.form(Form.TIMED_BATCH, timed_batch) for burst in bursts]
    return [burst.form(Form.BATCH, batch) for burst in bursts]
