"""The layout of the batch frame: as the text of the codec and as data for programs."""

from __future__ import annotations

import struct
from typing import Any

from wintun_api import wire

# In the order of `wire.HEADER`; offsets and types are read from it.
FIELDS = (
    ("magic", f"The ASCII bytes WTB1; as a number, {wire.MAGIC:#010x}."),
    (
        "header_length",
        (
            "The number of bytes before the columns. A reader skips to the "
            "columns by it, so that the header can grow."
        ),
    ),
    (
        "flags",
        (
            "Bit flags. 1: original lengths follow. 2: sequence deltas follow. 4: the packets "
            "were injected. 8: times follow."
        ),
    ),
    ("count", "The number of packets."),
    ("payload_bytes", "The number of bytes of all packets."),
    (
        "sequence",
        (
            "The sequence number of the first packet. Packets are numbered for each session and "
            "direction, before any queue."
        ),
    ),
    ("time_ns", "The time of the burst, in nanoseconds since 1970-01-01 UTC."),
)
COLUMNS = (
    ("captured_lengths", "u16[count]", "The number of bytes of each packet in this frame."),
    (
        "original_lengths",
        "u16[count], with flag 1",
        "The lengths of the packets before they were cut.",
    ),
    (
        "sequence_deltas",
        "u16[count], with flag 2",
        (
            "The difference of each packet's sequence number to that of the packet before it; 0 "
            "for the first packet."
        ),
    ),
    (
        "times",
        "u32[count], with flag 8",
        (
            "The time of each packet, in nanoseconds after the time of the burst. Only a client "
            "that asked for times=packet gets this column."
        ),
    ),
    ("packets", "bytes[payload_bytes]", "The packets one after the other, without padding."),
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
