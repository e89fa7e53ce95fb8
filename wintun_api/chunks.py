"""Cut what a packet client sends into packets, a chunk of the socket's bytes at a time.

The complete binary messages of a chunk are unmasked, and their packets checked, in one pass: one
call of the C extension, or a loop in Python. Every other frame (control, text, fragments) and
everything that is wrong is passed on, one frame at a time, to code that handles it as usual.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias

from websockets.frames import apply_mask  # type: ignore[attr-defined]

from wintun_api.errors import FrameError
from wintun_api.frames import BINARY
from wintun_api.native import Speedups
from wintun_api.packet.block import Block
from wintun_api.packet.check import (
    BAD_VERSION,
    MIN_IPV4,
    TOO_LONG,
    TOO_SHORT,
    Sifted,
    sift,
)
from wintun_api.wire import unpack

FIN: Final = 0x80  # RFC 6455, section 5.2
CONTROL: Final = 0x08
MASKED: Final = 0x80
MASK_LENGTH: Final = 4
LARGE: Final = 4096  # bytes from which on a view is faster than a copy

Data: TypeAlias = "bytes | bytearray | memoryview"


# Why a frame is not taken as a binary message.
USED_UP: Final = 0  # it is not complete
OTHER: Final = 1  # it is another frame, or a message with a fault
BROKEN: Final = 2  # it breaks the protocol or is too large


class Messages(NamedTuple):
    """Hold what complete binary messages carried.

    Attributes:
        sifted: Their packets.
        number: How many messages they are.
        fault: What is wrong with a message that carried no packets for this reason; it is the only
            one then.
    """

    sifted: Sifted
    number: int
    fault: FrameError | None = None


# Binary messages at the beginning of some data, the position of the frame behind them, `need`, and
# why this frame was not taken. `need` is the size of this frame, if the reason is `OTHER`. If it is
# `USED_UP`: how many bytes of the frame must be there at least before it can be cut.
Cut: TypeAlias = tuple[Messages, int, int, int]


class Codec(Protocol):
    """Cut the messages of one subprotocol. Any number of connections may share one.

    Attributes:
        views: Whether it cuts a view of memory as fast as bytes.
    """

    views: bool

    def cut(self, data: Data, start: int, max_size: int) -> Cut:
        """Take the complete binary messages that begin at `start`, up to any other frame.

        Nothing of the data is kept. A message of more than `max_size` bytes is not taken.
        """

    def messages(self, payload: bytes) -> Messages:
        """Take one message that came in another way, as an unmasked payload."""


class PythonCodec:
    """Cut frames one at a time.

    Args:
        batched: Whether a message consists of batches; otherwise it is one packet.
    """

    views = False

    def __init__(self, *, batched: bool) -> None:
        self._batched = batched

    def cut(self, data: Data, start: int, max_size: int) -> Cut:
        """Take the complete binary messages that begin at `start`, up to any other frame."""
        messages: list[bytes] = []
        blocks: list[Block] = []
        position, end, need, stop = start, len(data), 2, USED_UP
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
            if second < MASKED or size > max_size:
                need, stop = mask - position, BROKEN
                break
            body = mask + MASK_LENGTH
            behind = body + size
            if behind > end:
                need = behind - position
                break
            if first != BINARY:
                need, stop = behind - position, OTHER
                break
            piece = data[body:behind] if size < LARGE else memoryview(data)[body:behind]
            message: bytes = apply_mask(piece, data[mask:body])  # type: ignore[arg-type]
            if self._batched:
                try:
                    blocks += _blocks(message)
                except FrameError:
                    need, stop = behind - position, OTHER
                    break
            messages.append(message)
            position = behind
        packets = Block.joined(blocks) if self._batched else messages
        return Messages(sift(packets), len(messages)), position, need, stop

    def messages(self, payload: bytes) -> Messages:
        """Take one message that came in another way."""
        if not self._batched:
            return Messages(sift([payload]), 1)
        try:
            return Messages(sift(Block.joined(_blocks(payload))), 1)
        except FrameError as error:
            return Messages(NOTHING, 0, error)


class NativeCodec(PythonCodec):
    """Cut the frames of a chunk with one call of the C extension.

    Args:
        speedups: The extension.
        batched: Whether a message consists of batches; otherwise it is one packet.
    """

    views = True

    def __init__(self, speedups: Speedups, *, batched: bool) -> None:
        super().__init__(batched=batched)
        self._cut = speedups.cut_frames
        self._lengths = array("H")

    def cut(self, data: Data, start: int, max_size: int) -> Cut:
        """Take the complete binary messages that begin at `start`, up to any other frame."""
        lengths = self._lengths
        if (len(data) - start) // MIN_IPV4 > len(lengths):
            lengths = array("H", bytes(2 * (len(data) // MIN_IPV4)))
            if len(data) <= TABLED:
                self._lengths = lengths
        (
            memory, count, size, messages, position, need, stop, too_short, too_long, bad_version
        ) = self._cut(data, start, max_size, self._batched, lengths)  # fmt: skip
        rejected: Mapping[str, int] = NOTHING.rejected
        left_out = NOTHING.left_out
        if too_short or too_long or bad_version:
            counts = ((TOO_SHORT, too_short), (TOO_LONG, too_long), (BAD_VERSION, bad_version))
            rejected = {reason: number for reason, number in counts if number}
            left_out = partial(self._left_out, data, start, max_size)
        column = lengths[:count]
        sifted = Sifted(Block(memory, column, size), column, rejected, left_out)
        return Messages(sifted, messages), position, need, stop

    def _left_out(self, data: Data, start: int, max_size: int) -> Sequence[bytes]:
        """Cut a chunk again, for the packets that the extension has only counted."""
        messages, _, _, _ = super().cut(bytes(data), start, max_size)
        return messages.sifted.left_out()


NOTHING: Final = sift(())
TABLED: Final = 1024 * 1024  # bytes; the table for larger data is not kept


def codec(speedups: Speedups | None, *, batched: bool) -> Codec:
    """Return a codec for one subprotocol: in C if there is an extension."""
    if speedups is None:
        return PythonCodec(batched=batched)
    return NativeCodec(speedups, batched=batched)


Part: TypeAlias = "Messages | bytes"


class MessageReader:
    """Split a client's bytes into the packets of binary messages, and other frames.

    The beginning of a frame is kept until the rest has arrived: at most one frame of `max_size`
    bytes.

    Attributes:
        codec: Cuts binary messages; if it is None, they are frames like any other.
    """

    def __init__(self, max_size: int) -> None:
        self.codec: Codec | None = None
        self._max_size = max_size
        self._held = bytearray()
        self._need = 0
        self._fragmented = False
        self._broken = False

    def read(self, data: Data) -> list[Part]:
        """Return, in order, the packets of messages, and other frames as they came.

        Nothing of `data` is kept but copies. Parts of a fragmented message count as other frames.
        After a frame that breaks the protocol or is too large, everything is passed on: the
        ordinary parser reports what is wrong.
        """
        if self.codec is None or not self.codec.views:
            data = bytes(data)
        parts: list[Part] = []
        start = 0
        held = self._held
        while held and not self._broken:
            # Only the incomplete frame is joined, not everything that arrived with its end.
            piece = data[start : start + self._need - len(held)]
            start += len(piece)
            held += piece
            if len(held) < self._need:
                return parts
            frame = bytes(held)
            held.clear()
            self._cut(frame, 0, parts)
        if not self._broken:
            self._cut(data, start, parts)
        elif start < len(data):
            parts.append(bytes(data[start:]))
        return parts

    def move_into(self, room: memoryview) -> int:
        """Move the beginning of an incomplete frame to where the rest will be read behind it.

        Return its size, which is 0 if there is none or it is more than a quarter of the room. What
        is moved must be given to `read` again, with what was read.
        """
        size = len(self._held)
        if not size or size > len(room) // 4 or self._broken:
            return 0
        room[:size] = self._held
        return size

    def moved(self) -> None:
        """Forget what `move_into` has moved."""
        self._held.clear()

    def _cut(self, data: Data, position: int, parts: list[Part]) -> None:
        end = len(data)
        need = 2
        while position < end:
            codec = self.codec
            if codec is None or self._fragmented:
                need, stop = _frame(data, position, self._max_size)
            else:
                messages, position, need, stop = codec.cut(data, position, self._max_size)
                if messages.number:
                    parts.append(messages)
            if stop == USED_UP:
                break
            if stop == BROKEN:
                self._broken = True
                parts.append(bytes(data[position:]))
                return
            self._other(bytes(data[position : position + need]), parts)
            position += need
        if position < end:
            self._held += data[position:]
            self._need = need

    def _other(self, frame: bytes, parts: list[Part]) -> None:
        first = frame[0]
        if first == BINARY and self.codec is not None and not self._fragmented:
            parts.append(self.codec.messages(_payload(frame)))
            return
        if not first & CONTROL:
            self._fragmented = not first & FIN
        parts.append(frame)


def _frame(data: Data, position: int, max_size: int) -> tuple[int, int]:
    """Return `need` and `stop` of the frame at `position`, as `Cut` has them."""
    have = len(data) - position
    if have < 2:
        return 2, USED_UP
    second = data[position + 1]
    size, head = second & 0x7F, 2
    if size >= 126:
        head = 4 if size == 126 else 10
        if have < head:
            return head, USED_UP
        size = int.from_bytes(data[position + 2 : position + head], "big")
    if second < MASKED or size > max_size:
        return head, BROKEN
    need = head + MASK_LENGTH + size
    return need, USED_UP if have < need else OTHER


def _payload(frame: bytes) -> bytes:
    """Return the unmasked payload of a complete frame."""
    size = frame[1] & 0x7F
    mask = 2 if size < 126 else 4 if size == 126 else 10
    body = mask + MASK_LENGTH
    unmasked: bytes = apply_mask(frame[body:], frame[mask:body])
    return unmasked


def _blocks(message: bytes) -> Sequence[Block]:
    return [Block.of(batch.packets) for batch in unpack(message)]
