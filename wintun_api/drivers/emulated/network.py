"""Emulate the host's IP stack behind a link, which answers echo requests and UDP.

Every address in the adapter's subnets answers, including the adapter's own, so that an application
always finds a peer. Like a host, it silently drops packets with a wrong checksum.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from wintun_api.drivers.base import IPInterface
from wintun_api.packet import build
from wintun_api.packet.checksum import checksum, pseudo_header

_UDP_HEADER = 8
_FRAGMENT = 0x3FFF  # more fragments, and the offset


class Host:
    """Emulate a host with these addresses on the link."""

    def __init__(self) -> None:
        self._subnets: dict[int, list[tuple[int, int]]] = {4: [], 6: []}

    def set_addresses(self, addresses: Iterable[IPInterface]) -> None:
        """Answer in the subnets of these addresses."""
        self._subnets = {4: [], 6: []}
        for address in addresses:
            subnet = (int(address.network.netmask), int(address.network.network_address))
            self._subnets[address.version].append(subnet)

    def answer(self, packet: bytes) -> bytes | None:
        """Return the answer to an IP packet, or None. Never raises for bytes from outside."""
        version = packet[0] >> 4
        if version == 4:
            protocol, address = packet[9], packet[16:20]
        else:
            protocol, address = packet[6], packet[24:40]
        if protocol not in (build.UDP, build.ICMP, build.ICMPV6):
            return None
        number = int.from_bytes(address, "big")
        if not any(number & mask == net for mask, net in self._subnets[version]):
            return None
        return _echo_datagram(packet) if protocol == build.UDP else build.echo_reply(packet)


def is_ip(packet: bytes) -> bool:
    """Return whether the kernel driver would accept the packet; it checks nothing else."""
    version = packet[0] >> 4 if packet else 0
    return (version == 4 and len(packet) >= 20) or (version == 6 and len(packet) >= 40)


def _echo_datagram(packet: bytes) -> bytes | None:
    if packet[0] >> 4 == 4:
        start, end = (packet[0] & 0x0F) * 4, int.from_bytes(packet[2:4], "big")
        fragment = int.from_bytes(packet[6:8], "big") & _FRAGMENT
        if fragment or not 20 <= start <= end <= len(packet) or checksum(packet[:start]):
            return None
    else:
        start, end = 40, 40 + int.from_bytes(packet[4:6], "big")
        if end > len(packet):
            return None
    datagram = packet[start:end]
    if len(datagram) < _UDP_HEADER:
        return None
    length = int.from_bytes(datagram[4:6], "big")
    if not _UDP_HEADER <= length <= len(datagram):
        return None
    datagram = datagram[:length]
    addresses = packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]
    half = len(addresses) // 2
    source, destination = addresses[:half], addresses[half:]
    carried = int.from_bytes(datagram[6:8], "big")
    if carried or half == 16:  # RFC 768: zero means no checksum; RFC 8200: not allowed in IPv6
        header = pseudo_header(source, destination, build.UDP, length)
        if not carried or checksum(header + datagram) != 0:
            return None
    return build.udp(
        ip_address(destination),
        ip_address(source),
        int.from_bytes(datagram[2:4], "big"),
        int.from_bytes(datagram[0:2], "big"),
        datagram[_UDP_HEADER:],
    )
