"""Write many WebSocket frames at a time (RFC 6455, section 5.2): those of a burst in one piece.

`chunks.py` reads frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from wintun_api.limits import MAX_PACKET
from wintun_api.native import Speedups
from wintun_api.packet.block import Block
from wintun_api.wire import header

TEXT: Final = 0x81  # FIN and the opcode
BINARY: Final = 0x82
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


PacketFrames = Callable[[Sequence[bytes], Sequence[int]], bytes]


def packet_frames_with(speedups: Speedups | None) -> PacketFrames:
    """Return what does as `packet_frames` does: in C if there is an extension."""
    if speedups is None:
        return packet_frames
    write = speedups.packet_frames

    def native(packets: Sequence[bytes], _lengths: Sequence[int]) -> bytes:
        block = Block.of(packets)
        return write(block.memory, block.start, block.lengths)

    return native


def batch_frame(
    packets: Sequence[bytes], lengths: Sequence[int], sequence: int, time_ns: int, injected: bool, /
) -> bytes:
    """Return a binary frame with one batch of whole packets; `wire.Batch` says what it has."""
    size = sum(lengths)
    head = header(lengths, size=size, sequence=sequence, time_ns=time_ns, injected=injected)
    pieces = (packets.payload,) if type(packets) is Block else packets
    return b"".join((frame_header(BINARY, len(head) + size), head, *pieces))


BatchFrame = Callable[[Sequence[bytes], Sequence[int], int, int, bool], bytes]


def batch_frame_with(speedups: Speedups | None) -> BatchFrame:
    """Return what does as `batch_frame` does: in C if there is an extension."""
    if speedups is None:
        return batch_frame
    write = speedups.batch_frame

    def native(
        packets: Sequence[bytes],
        _lengths: Sequence[int],
        sequence: int,
        time_ns: int,
        injected: bool,
    ) -> bytes:
        block = Block.of(packets)
        return write(block.memory, block.start, block.lengths, sequence, time_ns, injected)

    return native
