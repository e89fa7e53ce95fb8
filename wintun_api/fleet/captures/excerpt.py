"""A part of a capture as one message of the bus: a pcapng file of its own, and its place.

Every message begins with a section header and the interface of its packets, so any program can read
it, whether it has the messages before it or not. That is some 500 bytes a message: 0.4 % of a full
one. The comment of the section header is JSON that says where in the capture the message belongs:
a reader finds by it what is missing, to the packet.

A message is data of a stranger; see `documents`.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from wintun_api import __version__
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Captured, Reader
from wintun_api.capture.reader.interface import Interface
from wintun_api.capture.reader.options import options
from wintun_api.fleet.documents import Document, Word, document_of
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.limits import MAX_COUNT, MAX_PACKET

MAX_OFFSET: Final = 2**62  # of a clock, in nanoseconds

_SECTION: Final = struct.Struct("<III")
_BLOCK: Final = struct.Struct("<II")
_OPTIONS: Final = 24  # bytes of a section header before its options

Number = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Offset = Annotated[int, Field(ge=-MAX_OFFSET, le=MAX_OFFSET)]


class Position(Document):
    """Where a message belongs.

    Attributes:
        name: What the operator of the host calls it.
        run: A random word of the capture; it changes where the agent has missed something.
        message: The number of the message in this run, from 0.
        passed: How many packets of this run came before, with those that were lost.
        clock_offset_ns: The server's time minus the host's; None if it was not measured.
        clock_error_ns: How far from this the truth may be.
    """

    name: Word
    run: Word
    message: Number
    passed: Number
    clock_offset_ns: Offset | None = None
    clock_error_ns: Offset | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a message says.

    Attributes:
        position: Where it belongs.
        adapter: The name of the adapter.
        packets: Its packets, none of which is longer than a packet can be.
        passed: How many packets of the run have come when it ends.
    """

    position: Position
    adapter: str
    packets: list[Captured]
    passed: int


def begin(position: Position) -> bytes:
    """Return the beginning of a message; the block of an interface follows, then its packets."""
    return pcapng.section(
        os=f"{platform.system()} {platform.release()}",
        application=f"wintun-api {__version__}",
        comment=position.model_dump_json(exclude_none=True),
    )


def excerpt_of(data: bytes) -> Excerpt | None:
    """Return what a message says; None if it is not one, or has what no agent writes."""
    position, at = _position(data)
    if position is None or len(data) > MAX_MESSAGE:
        return None
    adapter = _adapter(data, at)
    reader = Reader([data])
    try:
        packets = list(reader)
    except ValueError:
        return None
    if adapter is None or reader.truncated or not all(map(_is_usable, packets)):
        return None
    passed = position.passed + sum([1 + one.dropped for one in packets])
    return Excerpt(position, adapter, packets, passed) if passed <= MAX_COUNT else None


def _position(data: bytes) -> tuple[Position | None, int]:
    """Return what the section header says, and where it ends."""
    if len(data) < _OPTIONS:
        return None, 0
    kind, length, order = _SECTION.unpack_from(data)
    if (kind, order) != (pcapng.SECTION_HEADER, pcapng.BYTE_ORDER) or length > len(data):
        return None, 0
    comment = dict(options(data[_OPTIONS : length - 4], "<")).get(pcapng.COMMENT, b"")
    return document_of(Position, comment, MAX_MESSAGE), length


def _adapter(data: bytes, at: int) -> str | None:
    """Return the name of the interface whose block begins there; None if none does."""
    kind, length = _BLOCK.unpack_from(data, at) if at + _BLOCK.size <= len(data) else (0, 0)
    if kind != pcapng.INTERFACE_DESCRIPTION or at + length > len(data):
        return None
    try:
        return Interface(data[at + _BLOCK.size : at + length - 4], "<").name or ""
    except ValueError:
        return None


def _is_usable(packet: Captured) -> bool:
    return (
        packet.data is not None
        and len(packet.data) + packet.missing <= MAX_PACKET
        and packet.dropped <= MAX_COUNT
        and packet.injected is not None
    )
