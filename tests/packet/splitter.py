"""An independent splitter, and builders of super-packets, for the tests of segments.

It knows the fields of a segment by name and adds up each checksum over the whole segment, with a
pseudo-header of its own. It shares no code with the package.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import ip_address

VNET = struct.Struct("<BBHHHH")


def ones_complement(data: bytes) -> int:
    """Return the checksum of data, added up word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@dataclass(frozen=True)
class Flow:
    """Everything that a packet of a flow has but its payload."""

    source: str = "10.6.7.9"
    destination: str = "10.6.7.7"
    protocol: int = 6
    ports: tuple[int, int] = (5000, 80)
    tos: int = 0
    ttl: int = 64
    identification: int = 0
    fragment: int = 0x4000  # do not fragment
    ip_options: bytes = b""
    label: int = 0
    extensions: tuple[tuple[int, bytes], ...] = ()
    sequence: int = 0
    acknowledgement: int = 7
    flags: int = 0x10
    window: int = 500
    urgent: int = 0
    tcp_options: bytes = b""

    @property
    def version(self) -> int:
        return ip_address(self.source).version

    @property
    def ends(self) -> bytes:
        return ip_address(self.source).packed + ip_address(self.destination).packed

    def pseudo(self, length: int) -> bytes:
        if self.version == 4:
            return self.ends + struct.pack(">BBH", 0, self.protocol, length)
        return self.ends + struct.pack(">IHBB", length, 0, 0, self.protocol)

    def transport(self, payload: bytes, check: int) -> bytes:
        if self.protocol == 17:
            return struct.pack(">HHHH", *self.ports, 8 + len(payload), check) + payload
        offset = (20 + len(self.tcp_options)) // 4 << 4
        return (
            struct.pack(
                ">HHIIBBHHH",
                *self.ports,
                self.sequence & 0xFFFFFFFF,
                self.acknowledgement,
                offset,
                self.flags,
                self.window,
                check,
                self.urgent,
            )
            + self.tcp_options
            + payload
        )

    def network(self, upper: bytes) -> bytes:
        if self.version == 4:
            header = struct.pack(
                ">BBHHHBBH",
                0x40 | (20 + len(self.ip_options)) // 4,
                self.tos,
                20 + len(self.ip_options) + len(upper),
                self.identification & 0xFFFF,
                self.fragment,
                self.ttl,
                self.protocol,
                0,
            )
            header += self.ends + self.ip_options
            check = ones_complement(header)
            return header[:10] + struct.pack(">H", check) + header[12:] + upper
        kinds = [kind for kind, _ in self.extensions] + [self.protocol]
        between = b"".join(
            bytes((following,)) + rest
            for following, (_, rest) in zip(kinds[1:], self.extensions, strict=True)
        )
        first = 6 << 28 | self.tos << 20 | self.label
        size = len(between) + len(upper)
        return struct.pack(">IHBB", first, size, kinds[0], self.ttl) + self.ends + between + upper

    @property
    def start(self) -> int:
        """Where the header of TCP or UDP begins."""
        return len(self.network(b""))

    @property
    def header(self) -> int:
        """The bytes of all headers."""
        return self.start + len(self.transport(b"", 0))

    def packet(self, payload: bytes) -> bytes:
        """Return a complete packet."""
        bare = self.transport(payload, 0)
        check = ones_complement(self.pseudo(len(bare)) + bare)
        if self.protocol == 17:
            check = check or 0xFFFF
        return self.network(self.transport(payload, check))

    def super_packet(self, payload: bytes, size: int, *, ecn: bool = False) -> tuple[bytes, bytes]:
        """Return header and packet as a kernel gives them to a network card."""
        length = len(self.transport(payload, 0))
        partial = ones_complement(self.pseudo(length)) ^ 0xFFFF
        kind = 5 if self.protocol == 17 else 1 if self.version == 4 else 4
        place = 6 if self.protocol == 17 else 16
        header = VNET.pack(1, kind | (0x80 if ecn else 0), self.header, size, self.start, place)
        return header, self.network(self.transport(payload, partial))

    def segments(self, payload: bytes, size: int) -> list[bytes]:
        """Return the packets of a network that carry this payload."""
        parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        packets = []
        for number, part in enumerate(parts):
            flags = self.flags
            if number < len(parts) - 1:
                flags &= ~(0x08 | 0x01)
            if number:
                flags &= ~0x80
            here = replace(
                self,
                identification=self.identification + number,
                sequence=self.sequence + number * size,
                flags=flags,
            )
            packets.append(here.packet(part))
        return packets
