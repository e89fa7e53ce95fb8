"""Read the blocks of a pcapng file. Source: draft-ietf-opsawg-pcapng.

Blocks without packets (names, secrets, journals, custom blocks, unknown ones) are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NoReturn

from wintun_api.capture import pcapng
from wintun_api.capture.reader.captured import Captured
from wintun_api.capture.reader.interface import Interface
from wintun_api.capture.reader.options import NOTHING, about_packet, options
from wintun_api.capture.reader.source import Source

MAX_BLOCK: Final = 16 * 1024 * 1024  # a larger length is a mistake in the file
MAX_INTERFACES: Final = 65536  # of one section
VERSION: Final = 1
BEFORE_PACKET: Final = 28  # bytes of a block before its packet, in both blocks that have a time
STATISTICS: Final = 20  # bytes of a statistics block before its options
ORDERS: Final = {
    pcapng.BYTE_ORDER.to_bytes(4, "little"): "<",
    pcapng.BYTE_ORDER.to_bytes(4, "big"): ">",
}
_AROUND: Final = 12  # bytes of a block around its body: type, length, and the length once more
_SECTION: Final = 28  # bytes of the shortest section header


class Blocks:
    """Iterate over the packets of a pcapng file, from its beginning on.

    Attributes:
        lost: Packets lost according to the statistics of all interfaces; None before the first.

    Raises:
        ValueError: While iterating: the file contradicts itself; says at which byte.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._order = "<"
        self._head = self._packet = struct.Struct("")
        self._interfaces: list[Interface] = []
        self._lost: dict[int, int] = {}  # by the number of the interface, in this section
        self._lost_before: int | None = None  # in earlier sections

    @property
    def lost(self) -> int | None:
        """Return the sum of the last statistics of each interface."""
        if self._lost_before is None and not self._lost:
            return None
        return (self._lost_before or 0) + sum(self._lost.values())

    def __iter__(self) -> Iterator[Captured]:
        source = self._source
        while source.has(8):
            if source.data.startswith(b"\x0a\x0d\x0d\x0a", source.at):
                if not source.has(_AROUND):
                    return
                self._begin_section()
            kind, length = self._head.unpack_from(source.data, source.at)
            shortest = _SECTION if kind == pcapng.SECTION_HEADER else _AROUND
            if not shortest <= length <= MAX_BLOCK:
                raise ValueError(
                    f"The file contains a block with the invalid length {length}, "
                    f"at byte {source.offset}."
                )
            # Some programs do not count the padding; what follows is padded all the same.
            size = length + -length % 4
            if not source.has(size):
                return
            data, at = source.data, source.at
            if data[at + 4 : at + 8] != data[at + size - 4 : at + size]:
                raise ValueError(
                    "The file contains a block that ends with another length than it begins with, "
                    f"at byte {source.offset}."
                )
            packet: Captured | None = None
            if kind == pcapng.ENHANCED_PACKET:
                packet = self._enhanced(data, at, at + size - 4)
            elif kind == pcapng.OBSOLETE_PACKET:
                packet = self._obsolete(data, at, at + size - 4)
            elif kind == pcapng.SIMPLE_PACKET:
                packet = self._simple(data[at + 8 : at + size - 4])
            elif kind == pcapng.INTERFACE_DESCRIPTION:
                self._add_interface(data[at + 8 : at + size - 4])
            elif kind == pcapng.INTERFACE_STATISTICS:
                self._count_lost(data[at + 8 : at + size - 4])
            elif kind == pcapng.SECTION_HEADER:
                self._check_version(data, at)
            source.at = at + size
            if packet is not None:
                yield packet

    def _begin_section(self) -> None:
        """Take the byte order of the section that begins; nothing of the last one holds in it."""
        source = self._source
        order = ORDERS.get(source.data[source.at + 8 : source.at + 12])
        if order is None:
            raise ValueError(
                f"The file contains a section with an unknown byte order, at byte {source.offset}."
            )
        self._order = order
        self._head = struct.Struct(f"{order}2I")
        self._packet = struct.Struct(f"{order}5I")
        if self._lost:
            self._lost_before = self.lost
        self._interfaces, self._lost = [], {}

    def _check_version(self, data: bytes, at: int) -> None:
        major, minor = struct.unpack_from(f"{self._order}2H", data, at + 12)
        if major != VERSION:
            raise ValueError(
                f"The file contains a section of the unknown version {major}.{minor}, "
                f"at byte {self._source.offset}."
            )

    def _add_interface(self, body: bytes) -> None:
        if len(self._interfaces) >= MAX_INTERFACES:
            raise ValueError(
                f"The file contains a section with more than {MAX_INTERFACES} interfaces, "
                f"at byte {self._source.offset}."
            )
        try:
            self._interfaces.append(Interface(body, self._order))
        except ValueError:
            self._refuse()

    def _interface(self, number: int) -> Interface:
        if number >= len(self._interfaces):
            raise ValueError(
                f"The file contains a block with a packet of interface {number}, which the section "
                f"does not describe, at byte {self._source.offset}."
            )
        return self._interfaces[number]

    def _enhanced(self, data: bytes, at: int, end: int) -> Captured:
        if end - at < BEFORE_PACKET:
            self._refuse()
        number, high, low, length, original = self._packet.unpack_from(data, at + 8)
        after = at + BEFORE_PACKET + length
        if after > end:
            self._refuse()
        after += -length % 4
        about = about_packet(data[after:end], self._order) if after < end else NOTHING
        interface = self._interface(number)
        packet = (
            None
            if interface.strip is None
            else interface.strip(data[at + BEFORE_PACKET : at + BEFORE_PACKET + length])
        )
        return Captured(
            packet,
            original - length if original > length else 0,
            interface.time_ns(high, low),
            about[0],
            about[1],
            None if packet is not None else interface.reason,
            about[2],
            interface.name,
        )

    def _obsolete(self, data: bytes, at: int, end: int) -> Captured:
        """Read the block that enhanced packet blocks replaced; it is laid out alike."""
        if end - at < BEFORE_PACKET:
            self._refuse()
        number, drops = struct.unpack_from(f"{self._order}2H", data, at + 8)
        dropped = 0 if drops == pcapng.UNKNOWN_DROPS else drops
        packet = self._enhanced(
            data[at : at + 8] + struct.pack(f"{self._order}I", number) + data[at + 12 : end],
            0,
            end - at,
        )
        return replace(packet, dropped=dropped)

    def _simple(self, body: bytes) -> Captured:
        """Read a packet that has no time, and only as much of it as the snap length allows."""
        interface = self._interface(0)
        if len(body) < 4:
            self._refuse()
        (original,) = struct.unpack_from(f"{self._order}I", body)
        length = min(original, interface.snaplen or original)
        if length > len(body) - 4:
            self._refuse()
        packet = None if interface.strip is None else interface.strip(body[4 : 4 + length])
        reason = None if packet is not None else interface.reason
        return Captured(packet, original - length, 0, reason=reason, interface=interface.name)

    def _count_lost(self, body: bytes) -> None:
        if len(body) < STATISTICS - 8:
            self._refuse()
        (number,) = struct.unpack_from(f"{self._order}I", body)
        for code, value in options(body[STATISTICS - 8 :], self._order):
            if code == pcapng.DROPPED and len(value) == 8 and number < len(self._interfaces):
                (self._lost[number],) = struct.unpack(f"{self._order}Q", value)

    def _refuse(self) -> NoReturn:
        raise ValueError(
            "The file contains a block whose fields contradict each other, "
            f"at byte {self._source.offset}."
        ) from None
