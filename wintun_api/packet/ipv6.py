"""The chain of IPv6 extension headers (RFC 8200, section 4).

web/src/packet/headers.ts follows the same chain by the same rules, so that the dashboard, its
filter and the command line describe a packet in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = 40
ROUTING = 43
FRAGMENT = 44
AUTHENTICATION = 51
NO_NEXT_HEADER = 59
# Mobility, HIP, Shim6: these headers may also be a packet's only content.
STANDING = frozenset((135, 139, 140))
# These and the hop-by-hop, routing and destination options have (length + 1) * 8 bytes.
EXTENSIONS = STANDING | {0, 43, 60}
# How many nested IP and extension headers of one packet are followed; what comes after them is not
# decoded. The same number is in web/src/packet/dissection.ts.
MAX_HEADERS = 32


@dataclass(frozen=True, slots=True)
class UpperLayer:
    """Describe where the extension headers end.

    Attributes:
        protocol: The protocol number of what follows them.
        offset: Where that begins, in bytes from the packet's start; may lie beyond its end.
        fragment: (offset in bytes, more follow, identification) if there is a fragment header.
        truncated: Whether the packet ends inside an extension header, or has too many of them.
        count: Number of extension headers, including one that is cut or one too many.
        goal: Where the address stands that the packet goes to in the end, if a routing header
            has one that is still ahead.
    """

    protocol: int
    offset: int
    fragment: tuple[int, bool, int] | None
    truncated: bool
    count: int
    goal: int | None = None


def upper_layer(packet: bytes) -> UpperLayer:
    """Walk the extension headers of an IPv6 packet of at least 40 bytes. Never raises.

    The walk stops after the header of a fragment that is not the first, because only data follows.
    It also stops at a mobility, HIP or Shim6 header that nothing follows, and after `MAX_HEADERS`.
    """
    payload = int.from_bytes(packet[4:6], "big")
    # A jumbogram, or segmentation offload, leaves the payload length 0.
    return follow(packet[: HEADER + payload] if payload else packet, packet[6], HEADER)


def follow(data: bytes, protocol: int, offset: int, most: int = MAX_HEADERS) -> UpperLayer:
    """Walk at most `most` extension headers; the first has this number and offset."""
    fragment: tuple[int, bool, int] | None = None
    goal: int | None = None
    count = 0
    while True:
        if protocol not in EXTENSIONS and protocol not in (FRAGMENT, AUTHENTICATION):
            return UpperLayer(protocol, offset, fragment, truncated=False, count=count, goal=goal)
        if offset > len(data):  # the header before this one is cut
            return UpperLayer(protocol, offset, fragment, truncated=True, count=count, goal=goal)
        count += 1
        if count > most or len(data) < offset + 8:
            return UpperLayer(protocol, offset, fragment, truncated=True, count=count, goal=goal)
        following, length = data[offset], data[offset + 1]
        if following == NO_NEXT_HEADER and protocol in STANDING:
            return UpperLayer(protocol, offset, fragment, truncated=False, count=count, goal=goal)
        if protocol == FRAGMENT:
            word = int.from_bytes(data[offset + 2 : offset + 4], "big")
            identification = int.from_bytes(data[offset + 4 : offset + 8], "big")
            # A whole one ("atomic", RFC 6946) behind another says nothing of that.
            if fragment is None or word & 0xFFF9:
                fragment = (word & 0xFFF8, bool(word & 1), identification)
            offset += 8
            if fragment[0]:
                return UpperLayer(
                    following, offset, fragment, truncated=False, count=count, goal=goal
                )
        elif protocol == AUTHENTICATION:
            offset += (length + 2) * 4  # RFC 4302, section 2.2
        else:
            if protocol == ROUTING:
                goal = last_address(data, offset, (length + 1) * 8) or goal
            offset += (length + 1) * 8
        protocol = following


def last_address(data: bytes, offset: int, size: int) -> int | None:
    """Return where the last address of a routing header stands that is still ahead, if any."""
    kind, left = data[offset + 2], data[offset + 3]
    if not left or size < 24 or offset + size > len(data):
        return None
    if kind == 4:  # segment routing (RFC 8754) begins with the last one
        return offset + 8
    return offset + size - 16 if kind in (0, 2) else None
