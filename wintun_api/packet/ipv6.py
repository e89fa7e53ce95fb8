"""The chain of IPv6 extension headers (RFC 8200, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

HEADER = 40
FRAGMENT = 44
AUTHENTICATION = 51
# Hop-by-hop, routing, destination options, mobility, HIP, shim6: all (length + 1) * 8 bytes.
EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))


@dataclass(frozen=True, slots=True)
class UpperLayer:
    """Where the extension headers end.

    Attributes:
        protocol: The number of what follows them.
        offset: Where that begins, in bytes from the packet's start; may lie beyond its end.
        fragment: (offset in bytes, more follow, identification) when there is a fragment header.
        truncated: The packet ends inside an extension header.
    """

    protocol: int
    offset: int
    fragment: tuple[int, bool, int] | None
    truncated: bool


def upper_layer(packet: bytes) -> UpperLayer:
    """Walk the extension headers of an IPv6 packet of at least 40 bytes. Never raises.

    Stops behind the header of a fragment that is not the first: what follows is its data.
    """
    protocol = packet[6]
    offset = HEADER
    fragment: tuple[int, bool, int] | None = None
    while True:
        is_extension = protocol in EXTENSIONS
        if not is_extension and protocol not in (FRAGMENT, AUTHENTICATION):
            return UpperLayer(protocol, offset, fragment, truncated=False)
        if len(packet) < offset + 8:
            return UpperLayer(protocol, offset, fragment, truncated=True)
        following, length = packet[offset], packet[offset + 1]
        if protocol == FRAGMENT:
            word = int.from_bytes(packet[offset + 2 : offset + 4], "big")
            identification = int.from_bytes(packet[offset + 4 : offset + 8], "big")
            fragment = (word & 0xFFF8, bool(word & 1), identification)
            offset += 8
            if fragment[0]:
                return UpperLayer(following, offset, fragment, truncated=False)
        elif protocol == AUTHENTICATION:
            offset += (length + 2) * 4  # RFC 4302, section 2.2
        else:
            offset += (length + 1) * 8
        protocol = following
