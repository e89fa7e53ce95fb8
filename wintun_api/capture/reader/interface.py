"""An interface of a section of pcapng: how its packets are read, and when they were captured."""

from __future__ import annotations

import struct
from typing import Final

from wintun_api.capture import links, pcapng
from wintun_api.capture.reader.captured import NOT_IP
from wintun_api.capture.reader.options import MAX_NAME, options, text
from wintun_api.moments import NS_PER_SECOND

MAX_SECONDS: Final = 2**40  # of an offset; some 30,000 years
_MICROSECONDS: Final = 6  # the resolution if an interface does not name one
_FIXED: Final = 8  # bytes before the options


class Interface:
    """Hold what an interface description block says.

    Attributes:
        name: The name; None if there is none.
        snaplen: Bytes that are kept of a packet; 0 for all.
        strip: Returns the IP packet in a frame, or None; None if the link type is not supported.
        reason: Why a frame has no IP packet, if it has none.

    Raises:
        ValueError: The block contradicts itself.
    """

    __slots__ = ("_factor", "_offset_ns", "_units", "name", "reason", "snaplen", "strip")

    def __init__(self, body: bytes, order: str) -> None:
        if len(body) < _FIXED:
            raise ValueError
        linktype, self.snaplen = struct.unpack_from(f"{order}HxxI", body)
        self.strip = links.LINKS.get(linktype)
        self.reason = NOT_IP if self.strip is not None else links.unsupported(linktype)
        self.name: str | None = None
        self._offset_ns = 0
        base, power = 10, _MICROSECONDS
        for code, value in options(body[_FIXED:], order):
            if code == pcapng.NAME:
                self.name = text(value)[:MAX_NAME] or None
            elif code == pcapng.RESOLUTION and value:
                base, power = (2 if value[0] & 0x80 else 10), value[0] & 0x7F
            elif code == pcapng.OFFSET:
                if len(value) != 8:
                    raise ValueError
                (offset,) = struct.unpack(f"{order}q", value)
                if abs(offset) > MAX_SECONDS:
                    raise ValueError
                self._offset_ns = offset * NS_PER_SECOND
        self._units: int = base**power  # in a second
        self._factor = NS_PER_SECOND // self._units if NS_PER_SECOND % self._units == 0 else 0

    def time_ns(self, high: int, low: int) -> int:
        """Return the nanoseconds since 1970 of the two halves of a time."""
        ticks = (high << 32) | low
        if self._factor:
            return ticks * self._factor + self._offset_ns
        return ticks * NS_PER_SECOND // self._units + self._offset_ns
