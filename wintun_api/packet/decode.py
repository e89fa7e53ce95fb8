"""Decode a packet to a frozen summary with a readable line like tcpdump's.

No packet is refused: `Summary.info` says what is broken, cut or unknown. In a tunnel (IP in IP,
RFC 2003 and RFC 2473) the innermost packet is described, as in the dashboard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from wintun_api.packet.ipv6 import AUTHENTICATION, HEADER, MAX_HEADERS, follow

PROTOCOL_NAMES = {  # IANA, Assigned Internet Protocol Numbers
    0: "HOPOPT",
    1: "ICMP",
    2: "IGMP",
    4: "IPv4",
    6: "TCP",
    17: "UDP",
    33: "DCCP",
    41: "IPv6",
    43: "IPv6-Route",
    44: "IPv6-Frag",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "IPv6-NoNxt",
    60: "IPv6-Opts",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    135: "Mobility",
    136: "UDPLite",
    139: "HIP",
    140: "Shim6",
}
TUNNELS = (4, 41)
SOURCE_ROUTES = (131, 137)  # RFC 791: loose and strict
TOO_DEEP = f"more than {MAX_HEADERS} nested headers, the rest is not decoded"

# Bit 0 first, in tcpdump's order: the dot is ACK.
TCP_FLAGS = "FSRP.UEW"

ICMP_TYPES = {  # RFC 792, RFC 1256, RFC 950
    0: "echo reply",
    3: "destination unreachable",
    4: "source quench",
    5: "redirect",
    8: "echo request",
    9: "router advertisement",
    10: "router solicitation",
    11: "time exceeded",
    12: "parameter problem",
    13: "timestamp request",
    14: "timestamp reply",
}
ICMP_UNREACHABLE = {  # RFC 792, RFC 1122, RFC 1812
    0: "net unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    5: "source route failed",
    9: "net prohibited",
    10: "host prohibited",
    13: "communication prohibited",
}
ICMPV6_TYPES = {  # RFC 4443, RFC 4861, RFC 2710, RFC 3810
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
    128: "echo request",
    129: "echo reply",
    130: "multicast listener query",
    131: "multicast listener report",
    132: "multicast listener done",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    137: "redirect",
    143: "multicast listener report v2",
}
ICMPV6_UNREACHABLE = {  # RFC 4443, section 3.1
    0: "no route",
    1: "communication prohibited",
    2: "beyond scope of source",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed policy",
    6: "route rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Hold what a person wants to know about a packet.

    Attributes:
        version: 4 or 6; None if the bytes are not IP. In a tunnel, this and the following
            attributes, up to the ports, describe the innermost packet.
        source: Address as text; None if the header is cut.
        destination: Address as text; None if the header is cut. With a source route or a routing
            header, the last address of the route.
        protocol: IANA number of the upper layer, behind IPv6 extension headers.
        protocol_name: Its name; "" if there is none.
        source_port: For TCP, UDP, UDP-Lite, SCTP and DCCP; None otherwise and in later fragments.
        destination_port: Like `source_port`.
        length: Bytes that were decoded.
        info: One short line.
    """

    version: int | None = None
    source: str | None = None
    destination: str | None = None
    protocol: int | None = None
    protocol_name: str = ""
    source_port: int | None = None
    destination_port: int | None = None
    length: int
    info: str


def decode(packet: bytes, original_length: int | None = None) -> Summary:
    """Summarise any bytes as an IP packet. Never raises.

    `original_length` is the length of the packet before a capture cut it. If it is given,
    `Summary.info` mentions an IP header that claims more bytes than that.
    """
    packet = bytes(packet)
    size = len(packet)
    if not packet:
        return Summary(length=0, info="empty")
    if packet[0] >> 4 not in (4, 6):
        return Summary(length=size, info=f"not IP: version {packet[0] >> 4}, length {size}")
    # The packet and, in a tunnel, the packets inside it, from the outermost to the innermost.
    described: list[Summary] = []
    data, claimed, left = packet, original_length or size, MAX_HEADERS
    while True:
        one = _decode_ip(data, claimed, left)
        if one.summary.source is None and described:  # the tunnel does not carry a whole IP packet
            described[-1] = replace(described[-1], info=one.summary.info)
            break
        described.append(one.summary)
        if one.inner is None:
            break
        data, claimed, left = one.inner, one.inner_length, one.left
    summary = described[-1]
    info = summary.info
    if len(described) > 1:
        outer = described[0]
        info += f"; in {'IPv4' if outer.version == 4 else 'IPv6'}"
        info += f" {outer.source} > {outer.destination}"
        if len(described) > 2:
            info += f" and {len(described) - 2} more tunnels"
    if original_length is not None:
        total = _claimed_length(packet)
        if total > original_length:
            info += f"; the IP header claims {total} bytes, of which {original_length} are there"
    return replace(summary, length=size, info=info)


def address_text(address: bytes) -> str:
    """Return an address of 4 or 16 bytes as text (RFC 5952)."""
    if len(address) == 4:
        return str(IPv4Address(address))
    parsed = IPv6Address(address)
    # Python writes IPv4-mapped addresses in two ways, depending on its version.
    mapped = parsed.ipv4_mapped
    if mapped is not None:
        return f"::ffff:{mapped}"
    if not any(address[:12]) and any(address[12:14]):  # RFC 4291, section 2.5.5.1
        return f"::{IPv4Address(address[12:])}"
    return str(parsed)


def protocol_name(protocol: int) -> str:
    """Return the name of an IANA protocol number, such as "protocol 253" if it is unknown."""
    return PROTOCOL_NAMES.get(protocol) or f"protocol {protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """Hold one IP packet; `inner` has the bytes of the packet inside, if it is a tunnel.

    Attributes:
        inner_length: Bytes of the inner packet according to the outer headers; larger than
            `inner` if it was cut.
        left: How many more headers may be followed.
    """

    summary: Summary
    inner: bytes | None = None
    inner_length: int = 0
    left: int = 0


def _decode_ip(data: bytes, claimed: int, left: int) -> _Decoded:
    """Decode bytes that outer headers say are an IP packet of `claimed` bytes."""
    size = len(data)
    version = data[0] >> 4 if data else None
    shortest = HEADER if version == 6 else 20
    if left < 1:
        info = TOO_DEEP
    elif not data:
        info = "empty"
    elif version not in (4, 6):
        info = f"not IP: version {version}, length {size}"
    elif size < shortest:
        info = f"truncated IPv{version} header, length {size}"
    else:
        return (_decode_ipv4 if version == 4 else _decode_ipv6)(data, claimed, left - 1)
    return _Decoded(summary=Summary(version=version, length=size, info=info))


def _decode_ipv4(packet: bytes, claimed: int, left: int) -> _Decoded:
    size = len(packet)
    header = (packet[0] & 0xF) * 4
    protocol, offset = packet[9], header
    fragment_word = _u16(packet, 6)
    fragment: tuple[int, bool, int] | None = None
    if fragment_word & 0x3FFF:
        more = bool(fragment_word & 0x2000)
        fragment = ((fragment_word & 0x1FFF) * 8, more, _u16(packet, 4))
    # Segmentation offload leaves the total length 0.
    total = _u16(packet, 2) or claimed
    trouble = None
    if header < 20 or header > size or total < header:
        trouble = f"bad IPv4 header, header length {header}, total length {total}"
    elif protocol == AUTHENTICATION and (fragment is None or not fragment[0]):
        where = follow(packet[:total], protocol, header, left)
        protocol, offset = where.protocol, where.offset
        if where.fragment is not None and (fragment is None or any(where.fragment[:2])):
            fragment = where.fragment
        left -= where.count
        trouble = _trouble(where.protocol, total - offset, left, truncated=where.truncated)
    return _decoded(
        packet[:total],
        _Payload(
            protocol,
            packet[offset:total],
            total - offset,
            version=4,
            offloaded=not _u16(packet, 2),
            fragment=fragment is not None and fragment[1],
        ),
        (packet[12:16], _goal(packet[: header if 20 < header <= min(size, total) else 20])),
        fragment,
        trouble=trouble,
        left=left,
    )


def _goal(header: bytes) -> bytes:
    """Return the destination: the last address of a source route that is still ahead."""
    at = 20
    while at + 3 <= len(header):
        kind = header[at]
        size = header[at + 1] if kind > 1 else 1
        if not kind or not size or at + size > len(header):
            break
        if kind in SOURCE_ROUTES and size >= 7 and 4 <= header[at + 2] <= size - 3:
            end = at + size - (size - 3) % 4
            return header[end - 4 : end]
        at += size
    return header[16:20]


def _decode_ipv6(packet: bytes, claimed: int, left: int) -> _Decoded:
    # A jumbogram, or segmentation offload, leaves the payload length 0.
    total = HEADER + _u16(packet, 4) if _u16(packet, 4) else claimed
    packet = packet[:total]
    where = follow(packet, packet[6], HEADER, left)
    left -= where.count
    length = total - where.offset
    goal = 24 if where.goal is None else where.goal
    trouble = _trouble(where.protocol, length, left, truncated=where.truncated)
    return _decoded(
        packet,
        _Payload(
            where.protocol,
            packet[where.offset :],
            length,
            version=6,
            offloaded=True,
            fragment=where.fragment is not None and where.fragment[1],
        ),
        (packet[8:24], packet[goal : goal + 16]),
        where.fragment,
        trouble=trouble,
        left=left,
    )


def _trouble(protocol: int, length: int, left: int, *, truncated: bool) -> str | None:
    """Return why the upper layer after the extension headers cannot be decoded."""
    if truncated and left < 0:
        return TOO_DEEP
    return f"truncated {protocol_name(protocol)} header" if truncated or length < 0 else None


def _decoded(
    packet: bytes,
    payload: _Payload,
    addresses: tuple[bytes, bytes],
    fragment: tuple[int, bool, int] | None,
    *,
    trouble: str | None,
    left: int,
) -> _Decoded:
    inner: bytes | None = None
    if trouble is not None:
        upper = _Upper(trouble)
    elif fragment is not None and fragment[0]:
        upper = _Upper(_fragment_text(*fragment, payload.length))
    else:
        upper = _decode_upper(payload)
        if payload.protocol in TUNNELS and payload.data:
            inner = payload.data
        if fragment is not None and fragment[1]:
            first = _fragment_text(*fragment, payload.length)
            upper = _Upper(f"{upper.info}; {first}", upper.source_port, upper.destination_port)
    summary = Summary(
        version=payload.version,
        source=address_text(addresses[0]),
        destination=address_text(addresses[1]),
        protocol=payload.protocol,
        protocol_name=protocol_name(payload.protocol),
        source_port=upper.source_port,
        destination_port=upper.destination_port,
        length=len(packet),
        info=upper.info,
    )
    return _Decoded(summary=summary, inner=inner, inner_length=payload.length, left=left)


def _claimed_length(packet: bytes) -> int:
    """Return the length that a packet's header claims; 0 if the header does not say."""
    if len(packet) >= HEADER and packet[0] >> 4 == 6:
        return HEADER + _u16(packet, 4) if _u16(packet, 4) else 0
    return _u16(packet, 2) if packet[0] >> 4 == 4 and len(packet) >= 20 else 0


@dataclass(frozen=True, slots=True)
class _Payload:
    """Hold the payload of an IP packet.

    Attributes:
        protocol: IANA number of the protocol.
        data: The bytes that are present.
        length: Number of bytes according to the IP header.
        version: IP version.
        offloaded: Whether lengths of 0 come from segmentation offload or a jumbogram (RFC 2675).
        fragment: Whether other packets carry more of it.
    """

    protocol: int
    data: bytes
    length: int
    version: int
    offloaded: bool
    fragment: bool


@dataclass(frozen=True, slots=True)
class _Upper:
    info: str
    source_port: int | None = None
    destination_port: int | None = None


def _decode_upper(payload: _Payload) -> _Upper:
    """Describe the upper layer."""
    name, data = protocol_name(payload.protocol), payload.data
    decoder = _UPPER_LAYERS.get(payload.protocol)
    if decoder is None:
        return _Upper(f"{name}, length {payload.length}")
    minimum, describe = decoder
    if len(data) < minimum:
        ports = payload.protocol in WITH_PORTS and len(data) >= 4
        source, destination = (_u16(data, 0), _u16(data, 2)) if ports else (None, None)
        cut = f"truncated {name} header, {len(data)} of {minimum} bytes"
        return _Upper(cut, source, destination)
    return describe(name, payload)


def _tcp(name: str, payload: _Payload) -> _Upper:
    data, length = payload.data, payload.length
    source, destination = _u16(data, 0), _u16(data, 2)
    header = (data[12] >> 4) * 4
    if header < 20 or header > length:
        return _Upper(f"{source} > {destination} bad {name} header", source, destination)
    flags = data[13]
    letters = "".join(letter for bit, letter in enumerate(TCP_FLAGS) if flags >> bit & 1) or "none"
    parts = [f"{source} > {destination} [{letters}]", f"seq {int.from_bytes(data[4:8], 'big')}"]
    if flags & 0x10:
        parts.append(f"ack {int.from_bytes(data[8:12], 'big')}")
    parts += [f"win {_u16(data, 14)}", f"length {length - header}"]
    return _Upper(", ".join(parts), source, destination)


def _udp(name: str, payload: _Payload) -> _Upper:
    data, length = payload.data, payload.length
    source, destination = _u16(data, 0), _u16(data, 2)
    promised = _u16(data, 4)
    if not promised and payload.offloaded:
        promised = length
    ports = f"{source} > {destination}"
    if promised < 8:
        return _Upper(f"{ports} {name}, bad length {promised}", source, destination)
    text = f"{ports} {name}, length {promised - 8}"
    if promised > length and not payload.fragment:
        text = f"{ports} {name}, bad length {promised}, of which {length} bytes are there"
    if payload.version == 6 and not _u16(data, 6):
        text += ", invalid checksum 0 (UDP over IPv6 must have a checksum)"  # RFC 8200, 8.1
    return _Upper(text, source, destination)


def _ports(name: str, payload: _Payload) -> _Upper:
    source, destination = _u16(payload.data, 0), _u16(payload.data, 2)
    return _Upper(f"{source} > {destination} {name}, length {payload.length}", source, destination)


def _icmp(name: str, payload: _Payload) -> _Upper:
    data, length = payload.data, payload.length
    kind, code = data[0], data[1]
    text = ICMP_TYPES.get(kind, f"{name} type {kind} code {code}")
    if kind in (0, 8):
        text += f", id {_u16(data, 4)}, seq {_u16(data, 6)}"
    elif kind == 3:
        text = ICMP_UNREACHABLE.get(code, f"{text}, code {code}")
        if code == 4:
            text += f", mtu {_u16(data, 6)}"  # RFC 1191
    elif kind == 5 and len(data) >= 8:
        text += f" to {address_text(data[4:8])}"
    return _Upper(f"{text}, length {length}")


def _icmpv6(name: str, payload: _Payload) -> _Upper:
    data, length = payload.data, payload.length
    kind, code = data[0], data[1]
    text = ICMPV6_TYPES.get(kind, f"{name} type {kind} code {code}")
    if kind in (128, 129):
        text += f", id {_u16(data, 4)}, seq {_u16(data, 6)}"
    elif kind == 1:
        text = ICMPV6_UNREACHABLE.get(code, f"{text}, code {code}")
    elif kind == 2:
        text += f", mtu {int.from_bytes(data[4:8], 'big')}"
    elif kind == 135 and len(data) >= 24:
        text += f", who has {address_text(data[8:24])}"
    elif kind == 136 and len(data) >= 24:
        text += f", target {address_text(data[8:24])}"
    return _Upper(f"{text}, length {length}")


_UPPER_LAYERS = {
    1: (8, _icmp),
    6: (20, _tcp),
    17: (8, _udp),
    33: (4, _ports),
    58: (8, _icmpv6),
    132: (4, _ports),
    136: (4, _ports),
}
WITH_PORTS = (6, 17, 33, 132, 136)


def _fragment_text(offset: int, more: bool, identification: int, length: int) -> str:
    follow = "more follow" if more else "last"
    return f"fragment id {identification}, offset {offset}, {follow}, length {length}"


def _u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "big")
