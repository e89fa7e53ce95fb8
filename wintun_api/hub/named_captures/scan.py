"""Count what whole blocks of our own files have, without making an object of each packet."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wintun_api.capture import pcapng
from wintun_api.capture.reader.blocks import BEFORE_PACKET, STATISTICS
from wintun_api.capture.reader.options import options

PART: Final = 1024 * 1024
LARGEST: Final = 1024 * 1024  # bytes of a block; the service writes none that is larger

# The comment of a section; it survives what the index does not: kill -9 between two of its changes.
EARLIER: Final = (
    "{} packets are in earlier files of this capture, which say of {} that they were lost, "
    "{} of them because they could not be written"
)
# The comment of statistics that were added because the disk did not take what came after them.
REFUSED: Final = "{} lost after the last packet, because they could not be written"

_NUMBER: Final = r"(\d{1,18})"
_EARLIER: Final = re.compile(EARLIER.replace("{}", _NUMBER).encode())
_REFUSED: Final = re.compile(REFUSED.replace("{}", _NUMBER).encode())
# What `hub.capture.file` says of the losses of the capture itself.
_TOLD: Final = re.compile(rb"lost (?:before this one|after the last one): (.*)")
_OWN: Final = re.compile(rb"\b(?:queue|ended) (\d{1,18})")

_HEAD: Final = struct.Struct("<II")
_PACKET: Final = struct.Struct("<8xIIII")  # interface, time, captured length
_PLAIN: Final = BEFORE_PACKET + 8 + 4 + 4  # with flags, the end of options and the length again


@dataclass(frozen=True, slots=True)
class Counts:
    """Count packets of a capture that are in its files, and those that the files say are missing.

    Attributes:
        packets: Packets.
        lost: Packets that are missing.
        unwritten: Those of them that came to the capture, but not to the disk.
    """

    packets: int = 0
    lost: int = 0
    unwritten: int = 0


@dataclass(slots=True)
class Scan:
    """Hold what blocks have.

    Attributes:
        size: Bytes of the whole blocks.
        packets: Packets by interface.
        dropped: Packets that were lost, by interface, as the packets and the statistics say.
        unwritten: Those of them that came to the capture, but not to the disk.
        refused: Whether the statistics say that the disk did not take what came after them.
        ended: The interfaces that have statistics.
        interfaces: The number of interface blocks.
        first_ns: The time of the first packet; None if there is none.
        last_ns: The time of the last packet; None if there is none.
        earlier: What earlier files of the same capture have, as the section says.
    """

    size: int = 0
    packets: Counter[int] = field(default_factory=Counter)
    dropped: Counter[int] = field(default_factory=Counter)
    ended: set[int] = field(default_factory=set)
    interfaces: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    earlier: Counts = Counts()
    unwritten: int = 0
    refused: bool = False

    @property
    def counts(self) -> Counts:
        """What the capture has up to the end of this file."""
        earlier = self.earlier
        return Counts(
            earlier.packets + self.packets.total(),
            earlier.lost + self.dropped.total(),
            earlier.unwritten + self.unwritten,
        )

    def add(self, data: bytes | bytearray) -> int:
        """Count the whole blocks at the beginning of `data`; return their bytes.

        It ends before a block that is incomplete or broken.
        """
        at, end = 0, len(data)
        while end - at >= _HEAD.size:
            kind, length = _HEAD.unpack_from(data, at)
            behind = at + length
            if length < 12 or length % 4 or behind > end:
                break
            if data[behind - 4 : behind] != data[at + 4 : at + 8]:
                break
            if kind == pcapng.ENHANCED_PACKET:
                self._packet(data, at, length)
            elif kind == pcapng.INTERFACE_DESCRIPTION:
                self.interfaces += 1
            elif kind == pcapng.INTERFACE_STATISTICS:
                self._statistics(data, at, behind)
            elif kind == pcapng.SECTION_HEADER:
                told = _EARLIER.search(data, at, behind)
                self.earlier = Counts(*map(int, told.groups())) if told else Counts()
            at += length
        self.size += at
        return at

    def _packet(self, data: bytes | bytearray, at: int, length: int) -> None:
        interface, high, low, captured = _PACKET.unpack_from(data, at)
        self.packets[interface] += 1
        self.last_ns = high << 32 | low
        if self.first_ns is None:
            self.first_ns = self.last_ns
        padded = captured + -captured % 4
        if length > _PLAIN + padded:
            behind = at + BEFORE_PACKET + padded
            for code, value in options(bytes(data[behind : at + length - 4]), "<"):
                if code == pcapng.DROP_COUNT:
                    self.dropped[interface] += int.from_bytes(value, "little")
                elif code == pcapng.COMMENT:
                    self._comment(value)

    def _statistics(self, data: bytes | bytearray, at: int, behind: int) -> None:
        interface = int.from_bytes(data[at + 8 : at + 12], "little")
        self.ended.add(interface)
        for code, value in options(bytes(data[at + STATISTICS : behind - 4]), "<"):
            if code == pcapng.DROPPED:  # of the whole file
                self.dropped[interface] = int.from_bytes(value, "little")
            elif code == pcapng.COMMENT:
                self._comment(value)

    def _comment(self, comment: bytes) -> None:
        """Count the packets of which a comment says that the capture itself lost them."""
        if told := _TOLD.search(comment):
            self.unwritten += sum(map(int, _OWN.findall(told[1])))
        elif told := _REFUSED.search(comment):
            self.unwritten += int(told[1])
            self.refused = True


def scanned(read: Callable[[int], bytes], limit: int | None = None) -> Scan:
    """Return what a file has up to its last whole block; nothing if it does not begin as ours do.

    Args:
        read: Returns up to so many bytes that follow; none at the end.
        limit: The bytes that are looked at; None for all.
    """
    if limit is not None:
        read = _limited(read, limit)
    found, rest = Scan(), bytearray(read(PART))
    if int.from_bytes(rest[:4], "little") != pcapng.SECTION_HEADER:
        return found
    del rest[: found.add(rest)]
    while len(rest) <= LARGEST and (data := read(PART)):
        rest += data
        del rest[: found.add(rest)]
    return found


def _limited(read: Callable[[int], bytes], limit: int) -> Callable[[int], bytes]:
    left = max(limit, 0)

    def some(size: int) -> bytes:
        nonlocal left
        data = read(min(size, left))
        left -= len(data)
        return data

    return some
