"""Build small packets with correct checksums from a few arguments.

Addresses are text or `ipaddress` objects. Both must be of one family, which decides the version.
Ports, identifiers, sequence numbers and windows are plain Python numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from wintun_api.errors import InvalidArgument
from wintun_api.limits import MAX_PACKET
from wintun_api.packet import ipv6 as extension_headers
from wintun_api.packet.checksum import checksum, pseudo_header

Address: TypeAlias = IPv4Address | IPv6Address | str

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

ECHO_REPLY = 0  # RFC 792
ECHO_REQUEST = 8
ECHO_REQUEST_V6 = 128  # RFC 4443
ECHO_REPLY_V6 = 129
UNREACHABLE = 3
UNREACHABLE_V6 = 1
# The first 8 bytes of an error: type and code, then checksum and what is unused.
_PORT_UNREACHABLE = {
    4: bytes((UNREACHABLE, 3)) + bytes(6),
    6: bytes((UNREACHABLE_V6, 4)) + bytes(6),
}
_HOST_UNREACHABLE = {
    4: bytes((UNREACHABLE, 1)) + bytes(6),
    6: bytes((UNREACHABLE_V6, 3)) + bytes(6),
}
_TOO_BIG = {4: bytes((UNREACHABLE, 4)), 6: bytes((2, 0))}
# Unreachable, source quench, redirect, time exceeded, parameter problem (RFC 1122, section 3.2.2).
_ERRORS = frozenset((3, 4, 5, 11, 12))
_REDIRECT_V6 = 137  # RFC 4443, section 2.4 (e.2) counts it with the errors, which are below 128
_DF = 0x40
_LONGEST_ERROR = {4: 576, 6: 1280}  # RFC 1812, section 4.3.2.3; RFC 4443, section 2.4 (c)

TCP_FIN = 0x01  # RFC 9293, section 3.1
TCP_SYN = 0x02
TCP_RST = 0x04
TCP_PSH = 0x08
TCP_ACK = 0x10


def ipv4(
    source: Address,
    destination: Address,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    identification: int = 0,
) -> bytes:
    """Build an IPv4 packet without options (RFC 791).

    Raises:
        InvalidArgument: An address is not IPv4, a number does not fit its field, or the packet
            would be longer than 65535 bytes.
    """
    header = bytearray(20)
    header[0] = 0x45
    header[2:4] = _length(20 + len(payload)).to_bytes(2, "big")
    header[4:6] = _field("identification", identification, 2)
    header[8:9] = _field("ttl", ttl, 1)
    header[9:10] = _field("protocol", protocol, 1)
    header[12:16] = _packed("source", source, 4)
    header[16:20] = _packed("destination", destination, 4)
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    return bytes(header) + payload


def ipv6(
    source: Address,
    destination: Address,
    next_header: int,
    payload: bytes,
    *,
    hop_limit: int = 64,
) -> bytes:
    """Build an IPv6 packet (RFC 8200); extension headers are part of the payload.

    Raises:
        InvalidArgument: An address is not IPv6, a number does not fit its field, or the packet
            would be longer than 65535 bytes.
    """
    _length(40 + len(payload))
    return b"".join(
        (
            b"\x60\0\0\0",
            len(payload).to_bytes(2, "big"),
            _field("next_header", next_header, 1),
            _field("hop_limit", hop_limit, 1),
            _packed("source", source, 16),
            _packed("destination", destination, 16),
            payload,
        )
    )


def icmp_echo(
    source: Address,
    destination: Address,
    *,
    identifier: int,
    sequence: int,
    data: bytes = b"",
    reply: bool = False,
) -> bytes:
    """Build an echo request, or an echo reply, of ICMP (RFC 792) or ICMPv6 (RFC 4443).

    Raises:
        InvalidArgument: The addresses are not of one family, or a value does not fit.
    """
    rest = _field("identifier", identifier, 2) + _field("sequence", sequence, 2) + data
    if _version(source) == 4:
        kind = ECHO_REPLY if reply else ECHO_REQUEST
        message = _summed(bytes((kind, 0, 0, 0)) + rest, 2)
        return ipv4(source, destination, ICMP, message)
    kind = ECHO_REPLY_V6 if reply else ECHO_REQUEST_V6
    return _over_ip(source, destination, ICMPV6, bytes((kind, 0, 0, 0)) + rest, 2)


def udp(
    source: Address,
    destination: Address,
    source_port: int,
    destination_port: int,
    payload: bytes,
) -> bytes:
    """Build a UDP datagram (RFC 768).

    Raises:
        InvalidArgument: The addresses are not of one family, or a value does not fit.
    """
    ports = _field("source_port", source_port, 2) + _field("destination_port", destination_port, 2)
    length = _field("payload", 8 + len(payload), 2)
    return _over_ip(source, destination, UDP, ports + length + b"\0\0" + payload, 6)


def tcp(
    source: Address,
    destination: Address,
    source_port: int,
    destination_port: int,
    *,
    sequence: int = 0,
    acknowledgement: int = 0,
    flags: int = TCP_SYN,
    window: int = 64240,
    options: bytes = b"",
    payload: bytes = b"",
) -> bytes:
    """Build a TCP segment (RFC 9293); `flags` is a sum of `TCP_SYN` and the like.

    `options` are the bytes of the options, padded to words of 4 bytes.

    Raises:
        InvalidArgument: The addresses are not of one family, or a value does not fit.
    """
    if len(options) % 4 or len(options) > 40:
        raise InvalidArgument("options", f"{len(options)} bytes are not 0 to 10 words of 4 bytes.")
    segment = b"".join(
        (
            _field("source_port", source_port, 2),
            _field("destination_port", destination_port, 2),
            _field("sequence", sequence, 4),
            _field("acknowledgement", acknowledgement, 4),
            bytes((0x50 + (len(options) << 2),)),
            _field("flags", flags, 1),
            _field("window", window, 2),
            b"\0\0\0\0",
            options,
            payload,
        )
    )
    return _over_ip(source, destination, TCP, segment, 16)


def echo_reply(packet: bytes) -> bytes | None:
    """Return a host's reply to an ICMP or ICMPv6 echo request; None for any other packet.

    Identifier, sequence number and data are kept; IPv4 options and IPv6 extension headers are not
    returned. Like a host, it does not answer fragments, wrong checksums or group addresses.
    """
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        return _echo_reply_v4(packet)
    if version == 6 and len(packet) >= 40:
        return _echo_reply_v6(packet)
    return None


def port_unreachable(packet: bytes) -> bytes | None:
    """Return a host's ICMP or ICMPv6 error for a port without a listener (RFC 1122, RFC 4443).

    It quotes as much of the packet as an error may carry. There is None for a fragment behind the
    first, a group address, and bytes that are not a whole IP header.
    """
    return _error(packet, _PORT_UNREACHABLE)


def host_unreachable(packet: bytes) -> bytes | None:
    """Return a router's ICMP or ICMPv6 error for a destination that no host has.

    It is `Host Unreachable` (RFC 792) or `Address Unreachable` (RFC 4443, section 3.1). It comes
    from the address that the packet was sent to: Linux drops an IPv4 packet that comes in with one
    of its own addresses for its source. There is None for an ICMP error, and where
    `port_unreachable` has none.
    """
    return None if len(packet) < 20 or _is_error(packet) else _error(packet, _HOST_UNREACHABLE)


def too_big(packet: bytes, mtu: int) -> bytes | None:
    """Return a router's ICMP error for a packet that is larger than the MTU of the next link.

    It is `Fragmentation Needed` (RFC 1191) or, in IPv6, `Packet Too Big` (RFC 4443, section 3.2).
    It comes from the address that the packet was sent to, because a path that is played has no
    router. There is None for an IPv4 packet that may be fragmented, for an ICMP error, and where
    `port_unreachable` has none.
    """
    if len(packet) < 20 or _is_error(packet):
        return None
    if packet[0] >> 4 == 4 and not packet[6] & _DF:
        return None
    heads = {version: head + mtu.to_bytes(6, "big") for version, head in _TOO_BIG.items()}
    return _error(packet, heads)


def _is_error(packet: bytes) -> bool:
    """Return whether a packet is an ICMP error, about which no other one may be sent."""
    if packet[0] >> 4 == 4:
        kind = packet[(packet[0] & 0xF) * 4 :][:1]
        return packet[9:10] == bytes((ICMP,)) and kind != b"" and kind[0] in _ERRORS
    if len(packet) < 40:
        return False
    upper = extension_headers.upper_layer(packet)
    kind = packet[upper.offset :][:1]
    if upper.protocol != ICMPV6 or not kind:
        return False
    return kind[0] < ECHO_REQUEST_V6 or kind[0] == _REDIRECT_V6


def _error(packet: bytes, heads: Mapping[int, bytes]) -> bytes | None:
    """Return an ICMP error about a packet; `heads` are its first 8 bytes, without checksum."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        head, first = 20, not int.from_bytes(packet[6:8], "big") & 0x1FFF
    elif version == 6 and len(packet) >= 40:
        fragment = extension_headers.upper_layer(packet).fragment
        head, first = 40, fragment is None or not fragment[0]
    else:
        return None
    half = 4 if version == 4 else 16
    source = ip_address(packet[head - 2 * half : head - half])
    destination = ip_address(packet[head - half : head])
    if not first or is_group(source) or is_group(destination):
        return None
    message = heads[version] + packet[: _LONGEST_ERROR[version] - head - 8]
    if version == 4:
        return ipv4(destination, source, ICMP, _summed(message, 2))
    return _over_ip(destination, source, ICMPV6, message, 2)


def _echo_reply_v4(packet: bytes) -> bytes | None:
    header = (packet[0] & 0xF) * 4
    total = int.from_bytes(packet[2:4], "big")
    message = packet[header:total]
    if (
        packet[9] != ICMP
        or header < 20
        or not header + 8 <= total <= len(packet)
        or int.from_bytes(packet[6:8], "big") & 0x3FFF  # more fragments, or an offset
        or message[:2] != bytes((ECHO_REQUEST, 0))
        or checksum(message)
        or checksum(packet[:header])
    ):
        return None
    source, destination = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    if is_group(source) or is_group(destination):
        return None
    return ipv4(
        destination,
        source,
        ICMP,
        _summed(bytes((ECHO_REPLY, 0, 0, 0)) + message[4:], 2),
        identification=int.from_bytes(packet[4:6], "big"),
    )


def _echo_reply_v6(packet: bytes) -> bytes | None:
    end = 40 + int.from_bytes(packet[4:6], "big")
    upper = extension_headers.upper_layer(packet)
    message = packet[upper.offset : end]
    if (
        upper.protocol != ICMPV6
        or upper.truncated
        or upper.fragment is not None
        or not upper.offset + 8 <= end <= len(packet)
        or message[:2] != bytes((ECHO_REQUEST_V6, 0))
        or checksum(pseudo_header(packet[8:24], packet[24:40], ICMPV6, len(message)) + message)
    ):
        return None
    source, destination = IPv6Address(packet[8:24]), IPv6Address(packet[24:40])
    if is_group(source) or is_group(destination):
        return None
    return _over_ip(destination, source, ICMPV6, bytes((ECHO_REPLY_V6, 0, 0, 0)) + message[4:], 2)


def is_group(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address never stands for one host: multicast, unspecified, broadcast."""
    broadcast = address.version == 4 and int(address) == 0xFFFFFFFF
    return address.is_multicast or address.is_unspecified or broadcast


def _over_ip(
    source: Address, destination: Address, protocol: int, message: bytes, offset: int
) -> bytes:
    """Write the checksum (with pseudo-header) at `offset` of `message` and wrap it in IP."""
    version = _version(source)
    size = 4 if version == 4 else 16
    header = pseudo_header(
        _packed("source", source, size),
        _packed("destination", destination, size),
        protocol,
        len(message),
    )
    total = checksum(header + message)
    if protocol == UDP and total == 0:
        total = 0xFFFF  # RFC 768: 0 says that there is no checksum
    message = message[:offset] + total.to_bytes(2, "big") + message[offset + 2 :]
    around = ipv4 if version == 4 else ipv6
    return around(source, destination, protocol, message)


def _summed(message: bytes, offset: int) -> bytes:
    return message[:offset] + checksum(message).to_bytes(2, "big") + message[offset + 2 :]


def _address(field: str, address: Address) -> IPv4Address | IPv6Address:
    try:
        return ip_address(address)
    except ValueError:
        raise InvalidArgument(field, f"{address!r} is not an IP address.") from None


def _version(source: Address) -> int:
    return _address("source", source).version


def _packed(field: str, address: Address, size: int) -> bytes:
    packed = _address(field, address).packed
    if len(packed) != size:
        raise InvalidArgument(field, f"{address} is not an IPv{4 if size == 4 else 6} address.")
    return packed


def _field(field: str, value: int, size: int) -> bytes:
    if not 0 <= value < 1 << size * 8:
        raise InvalidArgument(field, f"{value} does not fit into {size * 8} bits.")
    return value.to_bytes(size, "big")


def _length(length: int) -> int:
    if length > MAX_PACKET:
        raise InvalidArgument(
            "payload", f"The packet would have {length} bytes; the limit is {MAX_PACKET}."
        )
    return length
