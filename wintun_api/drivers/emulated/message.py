"""Take the upper layer's message out of an IP packet, as a host does that trusts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address

from wintun_api.packet.checksum import checksum, pseudo_header
from wintun_api.packet.ipv6 import upper_layer

_FRAGMENT = 0x3FFF  # more fragments, and the offset


@dataclass(frozen=True)
class Message:
    """Hold what a whole IP packet carries.

    Attributes:
        source: Packed, 4 or 16 bytes.
        destination: Packed, of the same length.
        protocol: IANA number of the upper layer, behind IPv6 extension headers.
        data: The upper layer's header and data.
    """

    source: bytes
    destination: bytes
    protocol: int
    data: bytes

    @cached_property
    def sender(self) -> IPv4Address | IPv6Address:
        """The source as an address."""
        return ip_address(self.source)

    @cached_property
    def receiver(self) -> IPv4Address | IPv6Address:
        """The destination as an address."""
        return ip_address(self.destination)

    def sound(self, length: int) -> bool:
        """Return whether the checksum over the pseudo-header and `length` bytes is right."""
        header = pseudo_header(self.source, self.destination, self.protocol, length)
        return checksum(header + self.data[:length]) == 0


def message_of(packet: bytes) -> Message | None:
    """Return the message of a packet; None for a fragment, or a header that is wrong.

    The packet has at least the fixed header of its version (`network.is_ip`). Never raises.
    """
    if packet[0] >> 4 == 4:
        start, end = (packet[0] & 0x0F) * 4, int.from_bytes(packet[2:4], "big")
        fragment = int.from_bytes(packet[6:8], "big") & _FRAGMENT
        if fragment or not 20 <= start <= end <= len(packet) or checksum(packet[:start]):
            return None
        return Message(packet[12:16], packet[16:20], packet[9], packet[start:end])
    end = 40 + int.from_bytes(packet[4:6], "big")
    upper = upper_layer(packet)
    if upper.truncated or upper.fragment is not None or not upper.offset <= end <= len(packet):
        return None
    return Message(packet[8:24], packet[24:40], upper.protocol, packet[upper.offset : end])
