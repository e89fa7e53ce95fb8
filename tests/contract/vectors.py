"""Test vectors of the batch frame, for every reader and writer of it in any language.

`wire.pack` makes the valid messages. A reader must get the listed batches from a valid message, and
a writer must make a canonical message from its batches. Invalid messages carry the reason that
`wire.unpack` finds. Sequence numbers and times are decimal strings, because JSON numbers are exact
only up to 2^53 in many languages.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

from wintun_api.errors import FrameError
from wintun_api.packet.build import icmp_echo, tcp, udp
from wintun_api.wire import HEADER_LENGTH, Batch, Fault, pack, unpack

DESCRIPTION = (
    "Messages of v1.batch.wintun-api. `valid`: a reader of `message` gets `batches`. If "
    "`canonical` is true, a writer of `batches` also gets `message`. `original_lengths` and "
    "`sequence_deltas` of a batch are null if its flags say that the column does not follow. "
    "`timed`: the same with flag 8 and the column `times`, which only a client that asked for "
    "times=packet gets. `invalid`: a reader refuses the whole message and counts none of its "
    "packets, not even those of batches before the invalid one; `reason` names the first fault. "
    "Bytes are written in "
    "hexadecimal; sequence numbers and times are decimal strings."
)

TIME = 1_764_028_800_123_456_789
PING = icmp_echo("10.6.7.1", "10.6.7.7", identifier=7, sequence=1, data=b"wintun-api")
PING6 = icmp_echo("fd06:7::1", "fd06:7::7", identifier=7, sequence=2, data=b"wintun-api")
DATAGRAM = udp("10.6.7.1", "10.6.7.7", 49152, 53, bytes(range(32)))
SYN = tcp("10.6.7.7", "10.6.7.1", 49153, 443, sequence=1)

ONE = Batch([PING], sequence=1, time_ns=TIME)
MANY = Batch([PING, PING6, DATAGRAM, SYN], sequence=41, time_ns=TIME)
CUT = Batch(
    [DATAGRAM[:28], SYN[:28]],
    sequence=7,
    time_ns=TIME,
    original_lengths=[len(DATAGRAM), len(SYN)],
)
FILTERED = Batch([PING, PING6, SYN], sequence=10, time_ns=TIME, sequence_deltas=[0, 3, 65535])
FULL = Batch(
    [PING[:24], PING6[:24]],
    sequence=2**64 - 1,
    time_ns=2**64 - 1,
    injected=True,
    original_lengths=[len(PING), len(PING6)],
    sequence_deltas=[0, 2],
)

VALID: dict[str, tuple[str, list[Batch]]] = {
    "one": ("One packet.", [ONE]),
    "many": ("IPv4 and IPv6 in one batch.", [MANY]),
    "unnumbered": (
        "A batch as a client injects it: sequence number and time may be zero.",
        [Batch([PING])],
    ),
    "no-packets": ("A batch may have no packets.", [Batch([], sequence=5, time_ns=TIME)]),
    "injected": ("Flag 4: packets that were injected.", [Batch([SYN], 3, TIME, injected=True)]),
    "cut": ("Flag 1: the packets are cut to 28 bytes, and their original lengths follow.", [CUT]),
    "filtered": ("Flag 2: the steps from packet to packet follow; the first is 0.", [FILTERED]),
    "all-flags": ("All flags and the largest numbers, which need 64 unsigned bits.", [FULL]),
    "no-bytes": ("The captured length of a packet may be 0.", [Batch([b"", PING], 8, TIME)]),
    "longest": (
        "A packet of 65535 bytes that is cut to 64: lengths are unsigned.",
        [Batch([bytes(64)], 9, TIME, original_lengths=[65535])],
    ),
    "back-to-back": (
        "Several batches in one message. One of them has no packets.",
        [MANY, Batch([], 45, TIME), FULL, ONE],
    ),
}


TIMED: dict[str, tuple[str, list[Batch]]] = {
    "times": (
        "Flag 8: the nanoseconds from the time of the burst to each packet follow.",
        [Batch([PING, PING6, SYN], 12, TIME, times=[0, 1_250, 2**32 - 1])],
    ),
    "times-without-packets": (
        "The column of times of a batch without packets has no bytes.",
        [Batch([], 5, TIME, times=[]), ONE],
    ),
    "every-column": (
        "All flags. The times follow the other columns, at any offset.",
        [
            replace(FULL, times=[7, 300]),
            replace(FILTERED, times=[0, 1, 2]),
            replace(CUT, times=[0, 0]),
        ],
    ),
}


def _header(
    magic: bytes = b"WTB1",
    length: int = HEADER_LENGTH,
    flags: int = 0,
    count: int = 0,
    payload: int = 0,
) -> bytes:
    return magic + struct.pack("<HHIIQQ", length, flags, count, payload, 1, TIME)


def _grown(batch: Batch, more: bytes) -> bytes:
    """Return the batch with the longer header of a later version."""
    data = pack(batch)
    length = struct.pack("<H", HEADER_LENGTH + len(more))
    return data[:4] + length + data[6:HEADER_LENGTH] + more + data[HEADER_LENGTH:]


GROWN: dict[str, tuple[str, bytes, list[Batch]]] = {
    "longer-header": (
        "A header of 40 bytes. A reader skips the bytes that it does not know.",
        _grown(MANY, b"\xff" * 8),
        [MANY],
    ),
    "odd-header": (
        "A header of 35 bytes after another batch. Columns need not be aligned.",
        pack(ONE) + _grown(CUT, b"new"),
        [ONE, CUT],
    ),
}

_TABLE = struct.pack("<HH", 20, 20)

INVALID: dict[str, tuple[str, bytes]] = {
    "empty": ("The message is empty.", b""),
    "one-byte": ("The message is shorter than a header.", b"W"),
    "header-cut": ("The header lacks its last byte.", _header()[:-1]),
    "second-header-cut": ("A whole batch is followed by only 4 bytes.", pack(ONE) + b"WTB1"),
    "magic": ("The magic is wrong.", _header(b"WTB2")),
    "magic-order": ("The magic is written as a big-endian number.", _header(b"1BTW")),
    "bare-packet": ("The message is an IP packet without a frame, as in v1.raw.", DATAGRAM),
    "second-magic": (
        "A whole batch is followed by a header of zeros.",
        pack(ONE) + bytes(HEADER_LENGTH),
    ),
    "header-length-31": ("The header length is less than 32.", _header(length=31)),
    "header-length-0": ("The header length is 0.", _header(length=0)),
    "header-length-65535": (
        "The header length is greater than the message.",
        _header(length=65535),
    ),
    "flag-16": ("The batch has a flag that version 1 does not know.", _header(flags=16)),
    "flag-32768": (
        "The batch has the highest flag together with all known flags.",
        _header(flags=0x800F),
    ),
    "table-cut": (
        "Two lengths are announced, but only one follows.",
        _header(count=2) + _TABLE[:2],
    ),
    "column-cut": (
        "The batch has flag 1, but its column does not follow.",
        _header(flags=1, count=2) + _TABLE,
    ),
    "payload-cut": ("The last byte of the payload is missing.", pack(MANY)[:-1]),
    "payload-missing": (
        "40 bytes of payload are announced, but none follow.",
        _header(count=2, payload=40) + _TABLE,
    ),
    "huge-count": (
        "2^32 - 1 packets are announced. A reader must not allocate memory for them.",
        _header(count=2**32 - 1),
    ),
    "wrapping-count": (
        "2^31 packets are announced. Twice this number is 0 in 32 bits.",
        _header(count=2**31),
    ),
    "huge-payload": ("2^32 - 1 bytes of payload are announced.", _header(payload=2**32 - 1)),
    "sum-below": (
        "The lengths add up to less than the payload.",
        _header(count=2, payload=41) + _TABLE + bytes(41),
    ),
    "sum-above": (
        "The lengths add up to more than the payload.",
        _header(count=2, payload=39) + _TABLE + bytes(39),
    ),
    "payload-without-packets": (
        "There are bytes of payload, but no packet.",
        _header(payload=20) + bytes(20),
    ),
    "broken-second": (
        "A whole batch is followed by one whose lengths are wrong. No packet of either counts.",
        pack(ONE) + _header(count=2, payload=39) + _TABLE + bytes(39),
    ),
}


def vectors() -> dict[str, Any]:
    """Return the document wire-vectors.json."""
    valid = [
        _valid(name, text, b"".join(map(pack, batches)), batches, canonical=True)
        for name, (text, batches) in VALID.items()
    ]
    valid += [
        _valid(name, text, message, batches, canonical=False)
        for name, (text, message, batches) in GROWN.items()
    ]
    invalid = [
        {"name": name, "description": text, "reason": fault(message), "message": message.hex()}
        for name, (text, message) in INVALID.items()
    ]
    return {
        "description": DESCRIPTION,
        "reasons": [reason.value for reason in Fault],
        "valid": valid,
        "timed": [
            _valid(name, text, b"".join(map(pack, batches)), batches, canonical=True)
            for name, (text, batches) in TIMED.items()
        ],
        "invalid": invalid,
    }


def fault(message: bytes) -> str | None:
    """Return the reason why the message is refused, or None if it is valid."""
    try:
        unpack(message)
    except FrameError as error:
        return str(error.reason)
    return None


def _valid(
    name: str, text: str, message: bytes, batches: list[Batch], *, canonical: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "description": text,
        "canonical": canonical,
        "message": message.hex(),
        "batches": [batch_of(batch) for batch in batches],
    }


def batch_of(batch: Batch) -> dict[str, Any]:
    """Return a batch as the vectors have it."""
    return {
        "sequence": str(batch.sequence),
        "time_ns": str(batch.time_ns),
        "injected": batch.injected,
        "original_lengths": _column(batch.original_lengths),
        "sequence_deltas": _column(batch.sequence_deltas),
        **({} if batch.times is None else {"times": _column(batch.times)}),
        "packets": [packet.hex() for packet in batch.packets],
    }


def _column(values: Any) -> list[int] | None:
    return None if values is None else list(values)
