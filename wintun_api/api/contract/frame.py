"""The batch frame byte by byte: the codec's own table, and the same as data."""

from __future__ import annotations

import struct
from typing import Any

from wintun_api import wire

# In the order of `wire.HEADER`; offsets and types are read from it.
FIELDS = (
    ("magic", f"The ASCII bytes WTB1, {wire.MAGIC:#010x} as a number."),
    ("header_length", "Bytes up to the columns; a reader skips to them, so the header can grow."),
    ("flags", "1: original lengths follow. 2: sequence deltas follow. 4: injected packets."),
    ("count", "Packets."),
    ("payload_bytes", "Bytes of all packets."),
    ("sequence", "Number of the first packet, per session and direction, before any queue."),
    ("time_ns", "Time of the burst, nanoseconds since 1970."),
)
COLUMNS = (
    ("captured_lengths", "u16[count]", "Bytes of each packet in this frame."),
    ("original_lengths", "u16[count], with flag 1", "Lengths before packets were cut."),
    (
        "sequence_deltas",
        "u16[count], with flag 2",
        "Steps to the previous packet, the first one 0.",
    ),
    ("packets", "bytes[payload_bytes]", "The packets, concatenated, no padding."),
)
TYPES = {"I": "u32", "H": "u16", "Q": "u64"}


def frame() -> dict[str, Any]:
    """Return the layout of a batch for programs."""
    header, offset = [], 0
    for (name, text), code in zip(FIELDS, wire.HEADER.format.lstrip("<"), strict=True):
        header.append({"name": name, "offset": offset, "type": TYPES[code], "description": text})
        offset += struct.calcsize(f"<{code}")
    columns = [{"name": name, "type": kind, "description": text} for name, kind, text in COLUMNS]
    return {"byte_order": "little-endian", "header": header, "after_header": columns}


def frame_text() -> str:
    """Return the layout of a batch for people."""
    assert wire.__doc__ is not None
    return wire.__doc__.strip()
