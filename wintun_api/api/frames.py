"""Read and write many WebSocket frames at a time (RFC 6455, section 5.2).

The frames of a burst are written in one piece. The complete binary messages of a chunk are read
into one list; everything else that a client sends is passed unchanged to an ordinary parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]

from wintun_api.limits import MAX_PACKET

TEXT: Final = 0x81  # FIN and the opcode
BINARY: Final = 0x82
FIN: Final = 0x80
CONTROL: Final = 0x08
MASKED: Final = 0x80
MASK_LENGTH: Final = 4
LARGE: Final = 4096  # bytes from which on a view is faster than a copy
MAX_REASON: Final = 123  # bytes; a control frame has 125, two of which are the code (section 5.5)


def frame_header(first: int, length: int) -> bytes:
    """Return the header of an unmasked frame; `first` is its first byte."""
    if length < 126:
        return bytes((first, length))
    if length <= 0xFFFF:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


def close_reason(text: str) -> str:
    """Return as much of a text as a close frame can carry, without splitting a character."""
    return text.encode("utf-8", "replace")[:MAX_REASON].decode("utf-8", "ignore")


class _Headers(dict[int, bytes]):
    """Cache the headers of binary frames by length; one for each possible packet length."""

    def __missing__(self, length: int) -> bytes:
        header = frame_header(BINARY, length)
        if length <= MAX_PACKET:
            self[length] = header
        return header


_HEADERS = _Headers()


def packet_frames(packets: Sequence[bytes], lengths: Sequence[int]) -> bytes:
    """Return one binary frame per packet, all in one piece; `lengths` are the packets' lengths."""
    if not packets:
        return b""
    if lengths.count(lengths[0]) == len(lengths):
        # Bulk transfers have long runs of one size: their header is the separator of one join.
        return _HEADERS[lengths[0]].join((b"", *packets))
    parts = [b""] * (2 * len(packets))
    parts[::2] = map(_HEADERS.__getitem__, lengths)
    parts[1::2] = packets
    return b"".join(parts)


class MessageReader:
    """Split a client's bytes into complete binary messages and other frames.

    The beginning of a frame is kept until the rest has arrived: at most one frame of `max_size`
    bytes.

    Attributes:
        collect: Whether binary messages are collected; otherwise they are frames like any other.
    """

    def __init__(self, max_size: int) -> None:
        self.collect = False
        self._max_size = max_size
        self._held: list[bytes] = []
        self._have = 0
        self._need = 0
        self._fragmented = False
        self._broken = False

    def read(self, data: bytes | bytearray) -> list[list[bytes] | bytes]:
        """Return, in order, lists of unmasked binary messages, and other frames as they came.

        Parts of a fragmented message count as other frames. After a frame that breaks the protocol
        or is too large, everything is passed on: the ordinary parser reports what is wrong.
        """
        data = bytes(data)  # the Proactor loop of Windows passes its own buffer
        parts: list[list[bytes] | bytes] = []
        start = 0
        while self._held and not self._broken:
            # Only the incomplete frame is joined, not everything that arrived with its end.
            piece = data[start : start + self._need - self._have]
            start += len(piece)
            self._have += len(piece)
            self._held.append(piece)
            if self._have < self._need:
                return parts
            frame = b"".join(self._held)
            self._held.clear()
            self._cut(frame, 0, parts)
        if not self._broken:
            self._cut(data, start, parts)
        elif start < len(data):
            parts.append(data[start:])
        return parts

    def _cut(self, data: bytes, position: int, parts: list[list[bytes] | bytes]) -> None:
        messages: list[bytes] = []
        end = len(data)
        need = 2
        while end - position >= need:
            first, second = data[position], data[position + 1]
            size = second & 0x7F
            mask = position + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                mask += wide
                if mask > end:
                    need = 2 + wide
                    break
                size = int.from_bytes(data[mask - wide : mask], "big")
            if second < MASKED or size > self._max_size:
                self._broken = True
                break
            start = mask + MASK_LENGTH
            stop = start + size
            if stop > end:
                need = stop - position
                break
            if first == BINARY and self.collect and not self._fragmented:
                piece = data[start:stop] if size < LARGE else memoryview(data)[start:stop]
                messages.append(apply_mask(piece, data[mask:start]))
            else:
                self._note(first)
                if messages:
                    parts.append(messages)
                    messages = []
                parts.append(data[position:stop])
            position = stop
        if messages:
            parts.append(messages)
        if self._broken:
            parts.append(data[position:])
        elif position < end:
            self._held.append(data[position:])
            self._have, self._need = end - position, need

    def _note(self, first: int) -> None:
        if not first & CONTROL:
            self._fragmented = not first & FIN
