"""Complete packets that were captured before the network card had finished them.

A system that leaves work to the network card passes packets to the card, and to captures, in a
state in which they never reach a wire: with a length of 0, because the card splits them into
segments, and with checksums that cover only the pseudo-header, because the card adds the rest
(Linux: CHECKSUM_PARTIAL, Documentation/networking/checksum-offloads.rst). A host drops such a
packet.
"""

from __future__ import annotations

from wintun_api.limits import MAX_PACKET
from wintun_api.packet.build import TCP, UDP
from wintun_api.packet.check import MIN_IPV4, MIN_IPV6, rejection
from wintun_api.packet.checksum import checksum, pseudo_header
from wintun_api.packet.ipv6 import NO_NEXT_HEADER, upper_layer

HOP_BY_HOP = 0
JUMBO = 0xC2
# Offset of the checksum and length of the shortest header, in bytes.
_CHECKSUM = {TCP: 16, UDP: 6}
_SHORTEST = {TCP: 20, UDP: 8}


def completed(packet: bytes) -> bytes:
    """Return the packet as the card would have sent it; the same object if nothing is missing.

    A length of 0 is replaced by the real one. A checksum that was left to the card is calculated;
    any other wrong checksum is kept, because it may be intended. Never raises.
    """
    if rejection(packet) is not None:
        return packet
    if packet[0] >> 4 == 4:
        return _completed_ipv4(packet)
    return _completed_ipv6(packet)


def _completed_ipv4(packet: bytes) -> bytes:
    header = (packet[0] & 0x0F) * 4
    if header < MIN_IPV4 or header > len(packet):
        return packet
    done = packet
    total = int.from_bytes(packet[2:4], "big")
    segmented = not total
    if segmented:
        total = len(packet)
        done = done[:2] + total.to_bytes(2, "big") + done[4:]
    if segmented or not any(done[10:12]):
        right = checksum(done[:10] + bytes(2) + done[12:header])
        done = done[:10] + right.to_bytes(2, "big") + done[12:]
    if int.from_bytes(packet[6:8], "big") & 0x3FFF or total > len(packet):
        return done  # a fragment or a cut packet: its checksum covers bytes that are not here
    return _with_checksum(
        done, packet[9], header, total, (packet[12:16], packet[16:20]), segmented=segmented
    )


def _completed_ipv6(packet: bytes) -> bytes:
    size = int.from_bytes(packet[4:6], "big")
    done = packet
    # With no next header a length of 0 may be the real one, and what follows it padding.
    segmented = not (size or packet[6] == NO_NEXT_HEADER or _is_jumbogram(packet))
    segmented = segmented and len(packet) > MIN_IPV6
    if segmented:
        size = len(packet) - MIN_IPV6
        done = done[:4] + size.to_bytes(2, "big") + done[6:]
    total = MIN_IPV6 + size
    upper = upper_layer(packet)
    if upper.truncated or upper.fragment is not None or total > min(len(packet), MAX_PACKET):
        return done
    return _with_checksum(
        done,
        upper.protocol,
        upper.offset,
        total,
        (packet[8:24], packet[24:40]),
        segmented=segmented,
    )


def _is_jumbogram(packet: bytes) -> bool:
    """Say whether a hop-by-hop header has the Jumbo Payload option (RFC 2675)."""
    if packet[6] != HOP_BY_HOP or len(packet) < MIN_IPV6 + 2:
        return False
    options = packet[MIN_IPV6 + 2 : MIN_IPV6 + (packet[MIN_IPV6 + 1] + 1) * 8]
    while options:
        if options[0] == JUMBO:
            return True
        # Pad1 alone has no length.
        options = options[2 + options[1] if options[0] and len(options) > 1 else 1 :]
    return False


def _with_checksum(
    packet: bytes,
    protocol: int,
    offset: int,
    total: int,
    addresses: tuple[bytes, bytes],
    *,
    segmented: bool,
) -> bytes:
    if protocol not in _CHECKSUM or total - offset < _SHORTEST[protocol]:
        return packet
    place = offset + _CHECKSUM[protocol]
    if protocol == UDP and segmented:
        length = (total - offset).to_bytes(2, "big")
        packet = packet[: offset + 4] + length + packet[offset + 6 :]
    found = int.from_bytes(packet[place : place + 2], "big")
    if protocol == UDP and not found:
        return packet  # the sender uses none (RFC 768)
    pseudo = pseudo_header(*addresses, protocol, total - offset)
    # Cards that split segments expect the sum without the length, which differs per segment.
    without_length = pseudo_header(*addresses, protocol, 0)
    left = {0xFFFF - checksum(pseudo), 0xFFFF - checksum(without_length), 0}
    if found not in left and not segmented:
        return packet
    body = packet[offset:place] + bytes(2) + packet[place + 2 : total]
    right = checksum(pseudo + body)
    if protocol == UDP:
        right = right or 0xFFFF
    return packet[:place] + right.to_bytes(2, "big") + packet[place + 2 :]
