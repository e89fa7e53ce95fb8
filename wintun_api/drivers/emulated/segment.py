"""Read TCP segments, and count sequence numbers that wrap (RFC 9293, sections 3.1 and 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

from wintun_api.drivers.emulated.message import Message
from wintun_api.packet.build import TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN

HEADER = 20  # bytes without options
MASK = 0xFFFFFFFF

_END, _PADDING, _MSS = 0, 1, 2  # kinds of options


@dataclass(frozen=True, slots=True)
class Segment:
    """Hold what a TCP segment says.

    Attributes:
        mss: The option of that name; None without it.
    """

    source_port: int
    destination_port: int
    sequence: int
    acknowledgement: int
    flags: int
    window: int
    mss: int | None
    data: bytes

    @property
    def syn(self) -> bool:
        """Whether it begins a connection."""
        return bool(self.flags & TCP_SYN)

    @property
    def ack(self) -> bool:
        """Whether its acknowledgement number counts."""
        return bool(self.flags & TCP_ACK)

    @property
    def rst(self) -> bool:
        """Whether it resets the connection."""
        return bool(self.flags & TCP_RST)

    @property
    def fin(self) -> bool:
        """Whether its sender sends nothing after it."""
        return bool(self.flags & TCP_FIN)

    @property
    def length(self) -> int:
        """The sequence numbers that it takes: those of its data, SYN and FIN."""
        return len(self.data) + self.syn + self.fin


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Hold what a host says in a TCP segment."""

    flags: int
    sequence: int
    acknowledgement: int = 0
    window: int = 0
    options: bytes = b""
    data: bytes = b""


def segment_of(message: Message) -> Segment | None:
    """Return the segment in a message; None if its length or checksum is wrong. Never raises."""
    data = message.data
    if len(data) < HEADER:
        return None
    start = (data[12] >> 4) * 4
    if not HEADER <= start <= len(data) or not message.sound(len(data)):
        return None
    return Segment(
        int.from_bytes(data[0:2], "big"),
        int.from_bytes(data[2:4], "big"),
        int.from_bytes(data[4:8], "big"),
        int.from_bytes(data[8:12], "big"),
        data[13],
        int.from_bytes(data[14:16], "big"),
        _mss(data[HEADER:start]),
        data[start:],
    )


def mss_option(mss: int) -> bytes:
    """Return the option that says the largest segment its sender takes, in bytes of data."""
    return bytes((_MSS, 4)) + mss.to_bytes(2, "big")


def offset_of(number: int, initial: int, near: int) -> int:
    """Return the place of a sequence number in its stream, counted from the initial number.

    A place does not wrap. Of all places with this number, it is the one that is closest to `near`.
    """
    distance = (number - initial - near) & MASK
    return near + (distance - (1 << 32) if distance >> 31 else distance)


def _mss(options: bytes) -> int | None:
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _PADDING:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            return None
        if options[at] == _MSS and length == 4:
            return int.from_bytes(options[at + 2 : at + 4], "big") or None
        at += length
    return None
