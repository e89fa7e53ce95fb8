"""The batch frame, `WTB1`: many packets in one binary message, little-endian.

    offset  type        field
    0       u32         magic, the ASCII bytes "WTB1"
    4       u16         header length, 32; a reader skips to it, so the header can grow
    6       u16         flags: 1 original lengths follow, 2 sequence deltas follow, 4 injected,
                        8 times follow
    8       u32         count of packets
    12      u32         payload bytes
    16      u64         sequence number of the first packet, per session and direction
    24      u64         time of the burst, nanoseconds since 1970
    32      u16[count]  captured lengths; then original lengths (flag 1); then deltas (flag 2)
            u32[count]  with flag 8: nanoseconds from the time of the burst to that of each packet
            bytes       the packets, concatenated, no padding

A message consists of one or more batches back to back. Numbers are stored in columns, so that a
burst is packed with one join, without a loop. A reader meets flag 2 only if it asked for a filter,
and flag 8 only if it asked for times.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final, Literal

from wintun_api.errors import FrameError
from wintun_api.packet.block import Block

MAGIC: Final = int.from_bytes(b"WTB1", "little")
HEADER: Final = struct.Struct("<IHHIIQQ")
HEADER_LENGTH: Final = HEADER.size

ORIGINAL_LENGTHS: Final = 1
SEQUENCE_DELTAS: Final = 2
INJECTED: Final = 4
TIMES: Final = 8
KNOWN_FLAGS: Final = ORIGINAL_LENGTHS | SEQUENCE_DELTAS | INJECTED | TIMES
MAX_DELTA: Final = 0xFFFF  # a larger gap in the numbers begins another batch

RAW: Final = "v1.raw.wintun-api"
BATCH: Final = "v1.batch.wintun-api"
PCAPNG: Final = "v1.pcapng.wintun-api"  # see capture/pcapng.py

# The media types of the same content in a request's body.
RAW_TYPE: Final = "application/octet-stream"
BATCH_TYPE: Final = "application/vnd.wintun-api.batch"


class Fault(StrEnum):
    """Name why bytes are not a batch frame; readers check in this order."""

    EMPTY = "empty"
    TRUNCATED_HEADER = "truncated_header"
    BAD_MAGIC = "bad_magic"
    BAD_HEADER_LENGTH = "bad_header_length"
    UNKNOWN_FLAGS = "unknown_flags"
    TRUNCATED = "truncated"
    BAD_LENGTHS = "bad_lengths"


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of packets.

    Attributes:
        packets: The bytes of each packet, cut to the snap length if there is one.
        sequence: Number of the first packet, counted before any queue or filter.
        time_ns: Nanoseconds since 1970.
        injected: The packets were injected by a client, not received from the host.
        original_lengths: Lengths before the cut; None if nothing was cut.
        sequence_deltas: Steps from the previous packet, 0 for the first; None without gaps.
        times: How many nanoseconds after `time_ns` each packet was read; None if not asked for.
    """

    packets: Sequence[bytes]
    sequence: int = 0
    time_ns: int = 0
    injected: bool = False
    original_lengths: Sequence[int] | None = None
    sequence_deltas: Sequence[int] | None = None
    times: Sequence[int] | None = None


def header(
    lengths: Sequence[int],
    *,
    size: int | None = None,
    sequence: int = 0,
    time_ns: int = 0,
    injected: bool = False,
    original_lengths: Sequence[int] | None = None,
    sequence_deltas: Sequence[int] | None = None,
    times: Sequence[int] | None = None,
) -> bytes:
    """Return everything in a batch that precedes its packets.

    `size` is the sum of the lengths, if it is known already; the others are as in `Batch`.

    Raises:
        struct.error: A packet is longer than 65535 bytes.
    """
    flags = INJECTED if injected else 0
    if size is None:
        size = sum(lengths)
    more = b""
    if original_lengths is not None:
        flags |= ORIGINAL_LENGTHS
        more += _column(original_lengths)
    if sequence_deltas is not None:
        flags |= SEQUENCE_DELTAS
        more += _column(sequence_deltas)
    if times is not None:
        flags |= TIMES
        more += _column(times, "I")
    head = HEADER.pack(MAGIC, HEADER_LENGTH, flags, len(lengths), size, sequence, time_ns)
    return head + _column(lengths) + more


def numbers_of(batch: Batch) -> Sequence[int]:
    """Return the sequence number of each packet."""
    if batch.sequence_deltas is None:
        return range(batch.sequence, batch.sequence + len(batch.packets))
    return [batch.sequence + later for later in accumulate(batch.sequence_deltas)]


def pack(batch: Batch) -> bytes:
    """Return the batch as bytes.

    Raises:
        struct.error: A packet is longer than 65535 bytes.
    """
    head = header(
        list(map(len, batch.packets)),
        sequence=batch.sequence,
        time_ns=batch.time_ns,
        injected=batch.injected,
        original_lengths=batch.original_lengths,
        sequence_deltas=batch.sequence_deltas,
        times=batch.times,
    )
    return b"".join((head, *batch.packets))


def unpack(message: bytes) -> list[Batch]:
    """Return the batches of one message.

    Raises:
        FrameError: The message is empty or cut off, or its lengths are wrong; all of it is refused.
    """
    return list(_batches(message))


def _batches(message: bytes) -> Iterator[Batch]:
    if not message:
        raise FrameError(
            Fault.EMPTY, "The message is empty; a batch has a header of at least 32 bytes."
        )
    offset, end = 0, len(message)
    while offset < end:
        if end - offset < HEADER_LENGTH:
            raise FrameError(
                Fault.TRUNCATED_HEADER,
                f"The {end - offset} bytes at offset {offset} are too few for a batch header.",
            )
        magic, header_length, flags, count, payload, sequence, time_ns = HEADER.unpack_from(
            message, offset
        )
        if magic != MAGIC:
            raise FrameError(
                Fault.BAD_MAGIC, f"No batch starts at offset {offset}: the magic is not WTB1."
            )
        if header_length < HEADER_LENGTH:
            raise FrameError(
                Fault.BAD_HEADER_LENGTH,
                f"The header length {header_length} is less than {HEADER_LENGTH}.",
            )
        if flags & ~KNOWN_FLAGS:
            raise FrameError(
                Fault.UNKNOWN_FLAGS, f"Version 1 does not define the flags {flags:#06x}."
            )
        start = offset + header_length
        columns = 1 + bool(flags & ORIGINAL_LENGTHS) + bool(flags & SEQUENCE_DELTAS)
        behind = start + 2 * count * columns
        body = behind + (4 * count if flags & TIMES else 0)
        offset = body + payload
        if offset > end:
            raise FrameError(
                Fault.TRUNCATED,
                f"A batch announces {count} packets and {payload} bytes, "
                f"{offset - end} bytes more than the message has.",
            )
        table = column(message[start:behind])
        lengths = table[:count]
        if sum(lengths) != payload:
            raise FrameError(
                Fault.BAD_LENGTHS, f"The lengths add up to {sum(lengths)} bytes, not to {payload}."
            )
        rest = [table[count * n : count * (n + 1)] for n in range(1, columns)]
        yield Batch(
            packets=Block(message, lengths, payload, body),
            sequence=sequence,
            time_ns=time_ns,
            injected=bool(flags & INJECTED),
            original_lengths=rest.pop(0) if flags & ORIGINAL_LENGTHS else None,
            sequence_deltas=rest.pop(0) if flags & SEQUENCE_DELTAS else None,
            times=column(message[behind:body], "I") if flags & TIMES else None,
        )


def column(columns: bytes, kind: Literal["H", "I"] = "H") -> array[int]:
    """Read numbers, which are little-endian in the message: of 16 bits or, with "I", of 32."""
    numbers = array(kind, columns)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _column(numbers: Sequence[int], kind: Literal["H", "I"] = "H") -> bytes:
    """Return numbers as a message carries them."""
    if isinstance(numbers, array) and numbers.typecode == kind:
        return (column(numbers.tobytes(), kind) if sys.byteorder == "big" else numbers).tobytes()
    return struct.pack(f"<{len(numbers)}{kind}", *numbers)
