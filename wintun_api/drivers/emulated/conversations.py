"""Generate a host's packets: DNS and mDNS questions, TCP and QUIC clients, pings, NTP.

Only the host's half of a conversation passes the adapter; its acknowledgements advance as if the
other half existed. Remote addresses are from the ranges for documentation (RFC 5737, RFC 3849).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from random import Random
from struct import pack

from wintun_api.drivers.emulated import scenery
from wintun_api.drivers.emulated.machine import Device
from wintun_api.packet import build

Address = IPv4Address | IPv6Address

_AT_A_TIME = 8
_KEPT = 256  # conversations that fast traffic repeats
_NAMES = (
    "example.com",
    "www.example.com",
    "api.example.net",
    "cdn.example.net",
    "updates.example.org",
    "mail.example.org",
    "telemetry.example.com",
)
_SERVICES = ("_http._tcp.local", "_ipp._tcp.local", "_googlecast._tcp.local", "_smb._tcp.local")
_REMOTES_V4 = ("192.0.2.{}", "198.51.100.{}", "203.0.113.{}")


class Conversations:
    """Generate an endless supply of packets from several conversations at a time.

    Args:
        device: The device whose addresses are used; link-local ones while it has none.
        random: Source of random choices.
        reuse: Repeat conversations after a while, which is much faster than generating them.
    """

    def __init__(self, device: Device, random: Random, *, reuse: bool) -> None:
        self._device = device
        self._random = random
        self._reuse = reuse
        self._kept: list[list[bytes]] = []
        self._running: list[Iterator[bytes]] = []
        self._identification = random.randrange(0x10000)
        self._kinds: tuple[Callable[[Address], Iterator[bytes]], ...] = (
            self._dns,
            self._dns,
            self._mdns,
            self._web,
            self._web,
            self._web,
            self._quic,
            self._ping,
            self._clock,
        )

    def packet(self) -> bytes:
        """Return the next packet."""
        while True:
            while len(self._running) < _AT_A_TIME:
                self._running.append(self._begin())
            one = self._random.choice(self._running)
            packet = next(one, None)
            if packet is not None:
                return packet
            self._running.remove(one)

    def _begin(self) -> Iterator[bytes]:
        if self._reuse and len(self._kept) >= _KEPT:
            return iter(self._random.choice(self._kept))
        conversation = self._random.choice(self._kinds)(self._own_address())
        if not self._reuse:
            return conversation
        self._kept.append(list(conversation))
        return iter(self._kept[-1])

    def _own_address(self) -> Address:
        own = self._device.addresses
        version = 4 if self._random.random() < 0.7 else 6
        addresses = [one.ip for one in own if one.version == version]
        if addresses:
            return self._random.choice(addresses)
        if own:
            return own[0].ip
        low = self._device.luid >> 24 & 0xFF
        if version == 4:
            return IPv4Address(f"169.254.77.{low}")
        return IPv6Address(f"fe80::7777:{low:x}")

    def _neighbour(self, own: Address) -> Address:
        for one in self._device.addresses:
            if one.ip == own and one.network.num_addresses > 2:
                first = one.network.network_address + 1
                return first if first != own else one.network.network_address + 2
        return self._remote(own)

    def _remote(self, own: Address) -> Address:
        host = self._random.randrange(1, 255)
        if own.version == 4:
            return IPv4Address(self._random.choice(_REMOTES_V4).format(host))
        return IPv6Address(f"2001:db8:{self._random.randrange(1, 9)}::{host:x}")

    def _port(self) -> int:
        return self._random.randrange(49152, 65536)

    def _udp(self, own: Address, to: Address, source: int, destination: int, data: bytes) -> bytes:
        return self._numbered(build.udp(own, to, source, destination, data))

    def _numbered(self, packet: bytes, ttl: int = 128) -> bytes:
        if packet[0] >> 4 == 6:
            return packet[:7] + bytes((ttl,)) + packet[8:]
        self._identification = (self._identification + 1) & 0xFFFF
        source, destination = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
        return build.ipv4(
            source,
            destination,
            packet[9],
            packet[20:],
            ttl=ttl,
            identification=self._identification,
        )

    def _dns(self, own: Address) -> Iterator[bytes]:
        name, resolver, port = self._random.choice(_NAMES), self._neighbour(own), self._port()
        for kind in (1, 28):  # A, AAAA
            query = _question(name, kind, self._random.randrange(0x10000), 0x0100)
            yield self._udp(own, resolver, port, 53, query)

    def _mdns(self, own: Address) -> Iterator[bytes]:
        group = IPv4Address("224.0.0.251") if own.version == 4 else IPv6Address("ff02::fb")
        query = _question(self._random.choice(_SERVICES), 12, 0, 0)  # PTR
        for _ in range(2):
            yield self._numbered(build.udp(own, group, 5353, 5353, query), ttl=255)

    def _web(self, own: Address) -> Iterator[bytes]:
        to, port, name = self._remote(own), self._port(), self._random.choice(_NAMES)
        there = self._random.choice((443, 443, 80))
        sequence, acknowledged = self._random.randrange(1 << 32), self._random.randrange(1 << 32)

        def segment(flags: int, data: bytes = b"") -> bytes:
            packet = build.tcp(
                own,
                to,
                port,
                there,
                sequence=sequence,
                acknowledgement=acknowledged if flags & build.TCP_ACK else 0,
                flags=flags,
                payload=data,
            )
            return self._numbered(packet)

        yield segment(build.TCP_SYN)
        sequence = (sequence + 1) & 0xFFFFFFFF
        yield segment(build.TCP_ACK)
        if there == 80:
            request = f"GET / HTTP/1.1\r\nHost: {name}\r\nAccept: */*\r\n\r\n".encode()
        else:
            request = scenery.client_hello(name, self._random)
        yield segment(build.TCP_PSH | build.TCP_ACK, request)
        sequence = (sequence + len(request)) & 0xFFFFFFFF
        for _ in range(self._random.randrange(2, 24)):
            acknowledged = (acknowledged + 2 * 1360) & 0xFFFFFFFF
            yield segment(build.TCP_ACK)
            if there == 443 and self._random.random() < 0.2:
                data = scenery.encrypted(self._random.randrange(40, 1100), self._random)
                yield segment(build.TCP_PSH | build.TCP_ACK, data)
                sequence = (sequence + len(data)) & 0xFFFFFFFF
        yield segment(build.TCP_FIN | build.TCP_ACK)
        sequence = (sequence + 1) & 0xFFFFFFFF
        acknowledged = (acknowledged + 1) & 0xFFFFFFFF
        yield segment(build.TCP_ACK)

    def _quic(self, own: Address) -> Iterator[bytes]:
        to, port = self._remote(own), self._port()
        identity = self._random.randbytes(8)
        head = b"\xc3" + pack("!IB", 1, 8) + identity + b"\0\0" + pack("!H", 0x4000 | 1182)
        initial = head + self._random.randbytes(1182)
        yield self._udp(own, to, port, 443, initial)
        for _ in range(self._random.randrange(3, 15)):
            data = b"\x4a" + identity + self._random.randbytes(self._random.randrange(20, 900))
            yield self._udp(own, to, port, 443, data)

    def _ping(self, own: Address) -> Iterator[bytes]:
        to, identifier = self._neighbour(own), self._random.randrange(0x10000)
        for sequence in range(1, 5):
            data = bytes(range(97, 120)) + bytes(range(97, 106))
            packet = build.icmp_echo(own, to, identifier=identifier, sequence=sequence, data=data)
            yield self._numbered(packet)

    def _clock(self, own: Address) -> Iterator[bytes]:
        yield self._udp(own, self._remote(own), 123, 123, b"\x23" + bytes(47))


def _question(name: str, kind: int, identifier: int, flags: int) -> bytes:
    labels = b"".join(bytes((len(one),)) + one.encode("ascii") for one in name.split("."))
    return pack("!HHHHHH", identifier, flags, 1, 0, 0, 0) + labels + b"\0" + pack("!HH", kind, 1)
