"""The chain of IPv6 extension headers (RFC 8200, section 4).

web/src/packet/headers.ts follows the same chain by the same rules, so that the page, its filter
and the command line say the same of a packet.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = 40
FRAGMENT = 44
AUTHENTICATION = 51
NO_NEXT_HEADER = 59
# Mobility, HIP, Shim6: headers that may also be all that a packet is for.
STANDING = frozenset((135, 139, 140))
# These, hop-by-hop, routing and destination options are all (length + 1) * 8 bytes.
EXTENSIONS = STANDING | {0, 43, 60}
# IP and extension headers of one packet that are followed, one inside or behind the other; what
# comes after them is not decoded. The same number is in web/src/packet/dissection.ts.
MAX_HEADERS = 32


@dataclass(frozen=True, slots=True)
class UpperLayer:
    """Where the extension headers end.

    Attributes:
        protocol: The number of what follows them.
        offset: Where that begins, in bytes from the packet's start; may lie beyond its end.
        fragment: (offset in bytes, more follow, identification) when there is a fragment header.
        truncated: The packet ends inside an extension header, or there are too many of them.
        count: Extension headers on the way, including one that is cut or one too many.
    """

    protocol: int
    offset: int
    fragment: tuple[int, bool, int] | None
    truncated: bool
    count: int


def upper_layer(packet: bytes) -> UpperLayer:
    """Walk the extension headers of an IPv6 packet of at least 40 bytes. Never raises.

    Stops behind the header of a fragment that is not the first: what follows is its data. Stops
    too at a mobility, HIP or Shim6 header that nothing follows, and after `MAX_HEADERS`.
    """
    payload = int.from_bytes(packet[4:6], "big")
    # A jumbogram, or segmentation offload, leaves the payload length 0.
    return follow(packet[: HEADER + payload] if payload else packet, packet[6], HEADER)


def follow(data: bytes, protocol: int, offset: int, most: int = MAX_HEADERS) -> UpperLayer:
    """Walk at most `most` extension headers, the first of which has this number and offset."""
    fragment: tuple[int, bool, int] | None = None
    count = 0
    while True:
        if protocol not in EXTENSIONS and protocol not in (FRAGMENT, AUTHENTICATION):
            return UpperLayer(protocol, offset, fragment, truncated=False, count=count)
        count += 1
        if count > most or len(data) < offset + 8:
            return UpperLayer(protocol, offset, fragment, truncated=True, count=count)
        following, length = data[offset], data[offset + 1]
        if following == NO_NEXT_HEADER and protocol in STANDING:
            return UpperLayer(protocol, offset, fragment, truncated=False, count=count)
        if protocol == FRAGMENT:
            word = int.from_bytes(data[offset + 2 : offset + 4], "big")
            identification = int.from_bytes(data[offset + 4 : offset + 8], "big")
            fragment = (word & 0xFFF8, bool(word & 1), identification)
            offset += 8
            if fragment[0]:
                return UpperLayer(following, offset, fragment, truncated=False, count=count)
        elif protocol == AUTHENTICATION:
            offset += (length + 2) * 4  # RFC 4302, section 2.2
        else:
            offset += (length + 1) * 8
        protocol = following
