"""Read pcap and pcapng piece by piece, from a file or from a capture that is still growing.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. Both byte orders and every resolution
are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from wintun_api.capture import links, pcapng

PCAP_MICROSECONDS: Final = 0xA1B2C3D4
PCAP_NANOSECONDS: Final = 0xA1B23C4D
PCAP_VERSION: Final = 2
PCAPNG_VERSION: Final = 1
MAX_BLOCK: Final = 16 * 1024 * 1024  # a larger length is a mistake in the file
# Formats that people use for captures and that this reader cannot read.
FOREIGN: Final = {
    b"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it first with: zstd -d",
    b"\x04\x22\x4d\x18": "compressed by lz4; decompress it first with: lz4 -d",
    b"\x1f\x9d": "compressed by compress; decompress it first with: uncompress",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"BZh": "compressed by bzip2; decompress it first with: bunzip2",
    b"\xfd7zX": "compressed by xz; decompress it first with: unxz",
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"snoo": "a snoop file; convert it with: editcap -F pcapng",
    b"GMBU": "a file of Network Monitor; convert it with: editcap -F pcapng",
    b"\x34\xcd\xb2\xa1": "a modified pcap file; convert it with: editcap -F pcapng",
    b"\xa1\xb2\xcd\x34": "a modified pcap file; convert it with: editcap -F pcapng",
}
ORDERS: Final = {
    pcapng.BYTE_ORDER.to_bytes(4, "little"): "<",
    pcapng.BYTE_ORDER.to_bytes(4, "big"): ">",
}
NOT_IP: Final = "not IP"
SECOND: Final = 1_000_000_000
_MICROSECONDS: Final = 6  # the resolution if an interface does not name one


@dataclass(frozen=True, slots=True)
class Captured:
    """Hold one packet of a capture.

    Attributes:
        data: The bytes from the IP header on; None if there is no IP packet.
        reason: Why `data` is None: "not IP", or the unknown link type.
        missing: Number of bytes that the snap length cut off.
        time_ns: Nanoseconds since 1970.
        injected: The direction as the session sees it; None if the capture does not say.
        dropped: Packets lost between the previous packet and this one.
    """

    data: bytes | None
    missing: int
    time_ns: int
    injected: bool | None = None
    dropped: int = 0
    reason: str | None = None


@dataclass(slots=True)
class _Interface:
    linktype: int
    snaplen: int
    power: tuple[int, int] = (10, _MICROSECONDS)
    offset_s: int = 0

    def time_ns(self, high: int, low: int) -> int:
        base, exponent = self.power
        ticks = (high << 32) + low
        return ticks * SECOND // int(base**exponent) + self.offset_s * SECOND


class Reader:
    """Iterate over the packets of a capture, given as chunks of any size.

    Attributes:
        lost: Packets lost according to the capture's statistics; None until they are read.
        truncated: At the end: whether the capture was cut in the middle of a packet or block.

    Raises:
        ValueError: While iterating: the bytes are not a capture, or contradict themselves.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.lost: int | None = None
        self.truncated = False
        self._chunks = iter(chunks)
        self._data = b""
        self._at = 0

    def __iter__(self) -> Iterator[Captured]:
        if not self._more():
            return
        try:
            magic = self._take(4)
        except EOFError:
            raise ValueError("The file is too short to be a capture.") from None
        try:
            if magic == pcapng.SECTION_HEADER.to_bytes(4, "big"):
                yield from self._blocks(magic)
            else:
                yield from self._records(magic)
        except EOFError:
            return

    def _more(self) -> bool:
        """Return whether another packet or block begins; until it is whole, it counts as cut."""
        self.truncated = False
        try:
            self._take(1)
        except EOFError:
            return False
        self._at -= 1
        self.truncated = True
        return True

    def _take(self, count: int) -> bytes:
        """Return the next bytes, or take none of them if there are too few."""
        while len(self._data) - self._at < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise EOFError
            self._data = self._data[self._at :] + chunk
            self._at = 0
        self._at += count
        return self._data[self._at - count : self._at]

    def _records(self, magic: bytes) -> Iterator[Captured]:
        for order in "<>":
            (number,) = struct.unpack(f"{order}I", magic)
            if number in (PCAP_MICROSECONDS, PCAP_NANOSECONDS):
                break
        else:
            for start, what in FOREIGN.items():
                if magic.startswith(start):
                    raise ValueError(f"It is {what}.")
            raise ValueError("It is neither pcap nor pcapng.")
        factor = 1000 if number == PCAP_MICROSECONDS else 1
        major, minor, linktype = struct.unpack(f"{order}2H12xI", self._take(20))
        if major != PCAP_VERSION:
            raise ValueError(
                f"The version of pcap in the file, {major}.{minor}, is not known here."
            )
        linktype &= 0xFFFF  # above: of the FCS
        record = struct.Struct(f"{order}4I")
        while self._more():
            seconds, fraction, length, original = record.unpack(self._take(record.size))
            if length > MAX_BLOCK:
                raise ValueError(f"The file contains a packet with the invalid length {length}.")
            data, reason = _ip(linktype, self._take(length))
            time_ns = seconds * SECOND + fraction * factor
            yield Captured(data, max(0, original - length), time_ns, reason=reason)

    def _blocks(self, first: bytes) -> Iterator[Captured]:
        kind, order = first, "<"
        interfaces: list[_Interface] = []
        while True:
            size = self._take(4)
            body_of_section = b""
            if kind == first:
                body_of_section = self._take(4)
                if body_of_section not in ORDERS:
                    raise ValueError("The file contains a section with an unknown byte order.")
                order = ORDERS[body_of_section]
                interfaces = []
            (length,) = struct.unpack(f"{order}I", size)
            if length < (28 if kind == first else 12) or length > MAX_BLOCK or length % 4:
                raise ValueError(f"The file contains a block with the invalid length {length}.")
            body = self._take(length - 8 - len(body_of_section))
            if body[-4:] != size:
                raise ValueError(
                    "The file contains a block that ends with another length than it begins with."
                )
            body = body[:-4]
            packet = self._block(struct.unpack(f"{order}I", kind)[0], body, order, interfaces)
            if packet is not None:
                yield packet
            if not self._more():
                return
            kind = self._take(4)

    def _block(
        self, kind: int, body: bytes, order: str, interfaces: list[_Interface]
    ) -> Captured | None:
        try:
            if kind == pcapng.ENHANCED_PACKET:
                return _enhanced(body, order, interfaces)
            if kind == pcapng.OBSOLETE_PACKET:
                return _obsolete(body, order, interfaces)
            if kind == pcapng.SIMPLE_PACKET:
                return _simple(body, order, interfaces)
            if kind == pcapng.INTERFACE_DESCRIPTION:
                interfaces.append(_interface(body, order))
            elif kind == pcapng.SECTION_HEADER:
                major, minor = struct.unpack_from(f"{order}2H", body)
                if major != PCAPNG_VERSION:
                    raise ValueError(
                        f"The file contains a section of the unknown version {major}.{minor}."
                    )
            elif kind == pcapng.INTERFACE_STATISTICS:
                dropped = _options(body[12:], order).get(pcapng.DROPPED)
                if dropped is not None:
                    self.lost = struct.unpack(f"{order}Q", dropped)[0]
        except (struct.error, IndexError):
            raise ValueError(
                "The file contains a block whose fields contradict each other."
            ) from None
        return None


def _interface(body: bytes, order: str) -> _Interface:
    linktype, snaplen = struct.unpack_from(f"{order}HxxI", body)
    interface = _Interface(linktype, snaplen)
    options = _options(body[8:], order)
    resolution = options.get(pcapng.RESOLUTION)
    if resolution:
        interface.power = (2 if resolution[0] & 0x80 else 10, resolution[0] & 0x7F)
    offset = options.get(pcapng.OFFSET)
    if offset:
        (interface.offset_s,) = struct.unpack(f"{order}q", offset)
    return interface


def _enhanced(body: bytes, order: str, interfaces: list[_Interface]) -> Captured:
    (number,) = struct.unpack_from(f"{order}I", body)
    packet, options = _packet(body, order, interfaces[number])
    dropped: int = struct.unpack(f"{order}Q", options.get(pcapng.DROP_COUNT, bytes(8)))[0]
    return replace(packet, dropped=dropped)


def _obsolete(body: bytes, order: str, interfaces: list[_Interface]) -> Captured:
    number, drops = struct.unpack_from(f"{order}2H", body)
    packet, _ = _packet(body, order, interfaces[number])
    return replace(packet, dropped=0 if drops == pcapng.UNKNOWN_DROPS else drops)


def _packet(body: bytes, order: str, interface: _Interface) -> tuple[Captured, dict[int, bytes]]:
    """Read a packet and its options; both blocks have four words at 4 and the packet at 20."""
    high, low, length, original = struct.unpack_from(f"{order}4I", body, 4)
    end = 20 + length
    if end > len(body):
        raise IndexError
    options = _options(body[end + -length % 4 :], order)
    data, reason = _ip(interface.linktype, body[20:end])
    packet = Captured(
        data=data,
        missing=max(0, original - length),
        time_ns=interface.time_ns(high, low),
        injected=_injected(options, order),
        reason=reason,
    )
    return packet, options


def _simple(body: bytes, order: str, interfaces: list[_Interface]) -> Captured:
    (original,) = struct.unpack_from(f"{order}I", body)
    length = min(original, interfaces[0].snaplen or original, len(body) - 4)
    data, reason = _ip(interfaces[0].linktype, body[4 : 4 + length])
    return Captured(data, original - length, 0, reason=reason)


def _injected(options: dict[int, bytes], order: str) -> bool | None:
    direction = struct.unpack(f"{order}I", options.get(pcapng.FLAGS, bytes(4)))[0] & 3
    return direction == pcapng.INBOUND if direction else None


def _ip(linktype: int, frame: bytes) -> tuple[bytes | None, str | None]:
    """Return the IP packet in a frame, or None and the reason."""
    data = links.ip_of(linktype, frame)
    if data is not None:
        return data, None
    return None, NOT_IP if linktype in links.KNOWN else f"of link type {linktype}, not known here"


def _options(data: bytes, order: str) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(f"{order}HH", data, at)
        if not code:
            break
        options[code] = data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return options
