"""Emulate the hosts behind a link, which answer ping, and echo over UDP and TCP (RFC 862).

Every address in the adapter's subnets answers, including the adapter's own, so that an application
always finds a peer. Like a host, it silently drops packets with a wrong checksum.

    ping                     answered (RFC 792, RFC 4443)
    UDP, ports 1 to 49151    echoed
    UDP, other ports         ICMP port unreachable (RFC 1122, RFC 4443), so often per second
    TCP, port 7              an echo service (`echo`)
    TCP, other ports         reset (RFC 9293)

UDP ports from 49152 are those of clients (RFC 6335). They do not echo, and what comes from port 7
is silently dropped: two joined adapters would otherwise send one datagram to and fro endlessly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from wintun_api.drivers.base import IPInterface
from wintun_api.drivers.emulated import echo
from wintun_api.drivers.emulated.echo import EchoService
from wintun_api.drivers.emulated.message import Message, message_of
from wintun_api.limits import MAX_MTU
from wintun_api.packet import build
from wintun_api.packet.ipv6 import upper_layer

ERRORS_PER_SECOND = 1000  # RFC 4443, section 2.4 (f), wants a limit; this is Linux's for ICMP
ERRORS_AT_ONCE = 50

_UDP_HEADER = 8
_FIRST_OF_CLIENTS = 49152  # RFC 6335, section 6


class Host:
    """Emulate hosts with these addresses on the link.

    Args:
        clock: Returns the time in seconds.

    Attributes:
        mtu: The adapter's MTU, which limits TCP segments.
        tcp: The hosts' TCP connections.
        withheld: ICMP errors that were not sent because of `ERRORS_PER_SECOND`.
        guest: Gets each packet first, and returns what answers it; None leaves it to the hosts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.mtu = MAX_MTU
        self.tcp = EchoService(lambda: self.mtu)
        self.withheld = 0
        self.guest: Callable[[bytes], Sequence[bytes] | None] | None = None
        self._clock = clock
        self._subnets: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        self._errors, self._refilled = float(ERRORS_AT_ONCE), clock()

    def set_addresses(self, addresses: Iterable[IPInterface]) -> None:
        """Answer in the subnets of these addresses; connections of others are forgotten."""
        self._subnets = {4: [], 6: []}
        for address in addresses:
            subnet = (int(address.network.netmask), int(address.network.network_address))
            self._subnets[address.version].append(subnet)
        self.tcp.forget(lambda address: self._has(int(address), address.version))

    def replies(self, packet: bytes) -> Sequence[bytes]:
        """Return what the hosts answer to an IP packet. Never raises for bytes from outside."""
        if self.guest is not None and (taken := self.guest(packet)) is not None:
            return taken
        if _protocol(packet) != build.TCP:
            answer = self.answer(packet)
            return () if answer is None else (answer,)
        message = message_of(packet) if self._reached(packet) else None
        if message is None or self._is_group(message.sender) or self._is_group(message.receiver):
            return ()
        return self.tcp.receive(message, self._clock())

    def answer(self, packet: bytes) -> bytes | None:
        """Return the answer to an IP packet with a ping or a datagram; None to all others."""
        protocol = _protocol(packet)
        if not self._reached(packet):
            return None
        if protocol in (build.ICMP, build.ICMPV6):
            return build.echo_reply(packet)
        message = message_of(packet) if protocol == build.UDP else None
        return None if message is None else self._datagram(packet, message)

    def due(self) -> float:
        """Return when to run next, by the clock; infinity if nothing waits."""
        return self.tcp.due()

    def run(self, now: float) -> Sequence[bytes]:
        """Return the packets that are due without one that they answer."""
        return self.tcp.run(now)

    def disconnect(self) -> None:
        """Forget all connections: there is no link any more."""
        self.tcp.forget()

    def _reached(self, packet: bytes) -> bool:
        version = packet[0] >> 4
        address = packet[16:20] if version == 4 else packet[24:40]
        return self._has(int.from_bytes(address, "big"), version)

    def _has(self, number: int, version: int) -> bool:
        return any(number & mask == net for mask, net in self._subnets.get(version, ()))

    def _is_group(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether an address is not one host's, such as the broadcast of a subnet."""
        if address.version == 6 or build.is_group(address):
            return build.is_group(address)
        number = int(address)
        for mask, net in self._subnets[4]:
            hosts = ~mask & 0xFFFFFFFF
            if hosts > 1 and number & mask == net and number & hosts in (0, hosts):
                return True
        return False

    def _datagram(self, packet: bytes, message: Message) -> bytes | None:
        data = message.data
        if len(data) < _UDP_HEADER:
            return None
        length = int.from_bytes(data[4:6], "big")
        if not _UDP_HEADER <= length <= len(data):
            return None
        # RFC 768: zero means that there is no checksum; RFC 8200 does not allow that in IPv6.
        if data[6:8] == b"\0\0":
            if message.sender.version == 6:
                return None
        elif not message.sound(length):
            return None
        source, port = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        if source == echo.PORT:
            return None
        if 0 < port < _FIRST_OF_CLIENTS:
            content = data[_UDP_HEADER:length]
            return build.udp(message.receiver, message.sender, port, source, content)
        if self._is_group(message.sender) or self._is_group(message.receiver):
            return None
        return build.port_unreachable(packet) if self._may_complain() else None

    def _may_complain(self) -> bool:
        """Take one of the ICMP errors that may be sent now."""
        now = self._clock()
        refill = (now - self._refilled) * ERRORS_PER_SECOND
        self._errors, self._refilled = min(ERRORS_AT_ONCE, self._errors + refill), now
        if self._errors < 1:
            self.withheld += 1
            return False
        self._errors -= 1
        return True


def is_ip(packet: bytes) -> bool:
    """Return whether the kernel driver would accept the packet; it checks nothing else."""
    version = packet[0] >> 4 if packet else 0
    return (version == 4 and len(packet) >= 20) or (version == 6 and len(packet) >= 40)


def _protocol(packet: bytes) -> int:
    """Return the number of the upper layer, behind IPv6 extension headers."""
    if packet[0] >> 4 == 4:
        return packet[9]
    common = packet[6] in (build.UDP, build.TCP, build.ICMPV6)
    return packet[6] if common else upper_layer(packet).protocol
