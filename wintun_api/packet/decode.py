"""Decode a packet to a frozen summary with a line for people, in the manner of tcpdump.

Nothing is refused: what is broken, cut or unknown is said in `Summary.info`.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from wintun_api.packet.ipv6 import upper_layer

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
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDPLite",
}

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
    """What a person wants to know of a packet.

    Attributes:
        version: 4 or 6; None for bytes that are no IP.
        source: Address as text; None when the header is cut.
        destination: Likewise.
        protocol: IANA number of the upper layer, behind IPv6 extension headers.
        protocol_name: Its name; "" when there is none.
        source_port: Of TCP, UDP, UDP-Lite, SCTP and DCCP; None elsewhere and in later fragments.
        destination_port: Likewise.
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


def decode(packet: bytes) -> Summary:
    """Summarise any bytes as an IP packet. Never raises."""
    packet = bytes(packet)
    if not packet:
        return Summary(length=0, info="empty")
    version = packet[0] >> 4
    if version == 4:
        return _decode_ipv4(packet)
    if version == 6:
        return _decode_ipv6(packet)
    return Summary(length=len(packet), info=f"not IP: version {version}, length {len(packet)}")


def address_text(address: bytes) -> str:
    """Return an address of 4 or 16 bytes as text (RFC 5952)."""
    if len(address) == 4:
        return str(IPv4Address(address))
    parsed = IPv6Address(address)
    # Python writes IPv4-mapped addresses in two ways, depending on its version.
    mapped = parsed.ipv4_mapped
    return f"::ffff:{mapped}" if mapped is not None else str(parsed)


def protocol_name(protocol: int) -> str:
    """Return the name of an IANA protocol number, "protocol 253" where it has none here."""
    return PROTOCOL_NAMES.get(protocol) or f"protocol {protocol}"


def _decode_ipv4(packet: bytes) -> Summary:
    size = len(packet)
    header = (packet[0] & 0xF) * 4
    if size < 20:
        return Summary(version=4, length=size, info=f"truncated IPv4 header, length {size}")
    protocol = packet[9]
    fragment_word = int.from_bytes(packet[6:8], "big")
    offset, more = (fragment_word & 0x1FFF) * 8, bool(fragment_word & 0x2000)
    # Segmentation offload leaves the total length 0.
    total = int.from_bytes(packet[2:4], "big") or size
    if header < 20 or header > size or total < header:
        upper = _Upper(f"bad IPv4 header, header length {header}, total length {total}")
    elif offset:
        upper = _Upper(_fragment_text(offset, more, _u16(packet, 4), total - header))
    else:
        upper = _decode_upper(protocol, packet[header:total], total - header)
        if more:
            first = _fragment_text(offset, more, _u16(packet, 4), total - header)
            upper = _Upper(f"{upper.info}; {first}", upper.source_port, upper.destination_port)
    return Summary(
        version=4,
        source=address_text(packet[12:16]),
        destination=address_text(packet[16:20]),
        protocol=protocol,
        protocol_name=protocol_name(protocol),
        source_port=upper.source_port,
        destination_port=upper.destination_port,
        length=size,
        info=upper.info,
    )


def _decode_ipv6(packet: bytes) -> Summary:
    size = len(packet)
    if size < 40:
        return Summary(version=6, length=size, info=f"truncated IPv6 header, length {size}")
    where = upper_layer(packet)
    # A jumbogram, or segmentation offload, leaves the payload length 0.
    payload = int.from_bytes(packet[4:6], "big") or size - 40
    length = 40 + payload - where.offset
    if where.truncated or length < 0:
        upper = _Upper(f"truncated {protocol_name(where.protocol)} header")
    elif where.fragment is not None and where.fragment[0]:
        upper = _Upper(_fragment_text(*where.fragment, length))
    else:
        upper = _decode_upper(where.protocol, packet[where.offset : 40 + payload], length)
        if where.fragment is not None and where.fragment[1]:
            first = _fragment_text(*where.fragment, length)
            upper = _Upper(f"{upper.info}; {first}", upper.source_port, upper.destination_port)
    return Summary(
        version=6,
        source=address_text(packet[8:24]),
        destination=address_text(packet[24:40]),
        protocol=where.protocol,
        protocol_name=protocol_name(where.protocol),
        source_port=upper.source_port,
        destination_port=upper.destination_port,
        length=size,
        info=upper.info,
    )


@dataclass(frozen=True, slots=True)
class _Upper:
    info: str
    source_port: int | None = None
    destination_port: int | None = None


def _decode_upper(protocol: int, data: bytes, length: int) -> _Upper:
    """Describe the upper layer; `length` is what the header promises, `data` what is there."""
    decoder = _UPPER_LAYERS.get(protocol)
    name = protocol_name(protocol)
    if decoder is None:
        return _Upper(f"{name}, length {length}")
    minimum, describe = decoder
    if len(data) < minimum:
        return _Upper(f"truncated {name} header, {len(data)} of {minimum} bytes")
    return describe(name, data, length)


def _tcp(name: str, data: bytes, length: int) -> _Upper:
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


def _udp(name: str, data: bytes, length: int) -> _Upper:
    source, destination = _u16(data, 0), _u16(data, 2)
    promised = _u16(data, 4) or length  # RFC 2675: 0 in a jumbogram
    ports = f"{source} > {destination}"
    if promised < 8:
        return _Upper(f"{ports} {name}, bad length {promised}", source, destination)
    return _Upper(f"{ports} {name}, length {promised - 8}", source, destination)


def _ports(name: str, data: bytes, length: int) -> _Upper:
    source, destination = _u16(data, 0), _u16(data, 2)
    return _Upper(f"{source} > {destination} {name}, length {length}", source, destination)


def _icmp(name: str, data: bytes, length: int) -> _Upper:
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


def _icmpv6(name: str, data: bytes, length: int) -> _Upper:
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


def _fragment_text(offset: int, more: bool, identification: int, length: int) -> str:
    follow = "more follow" if more else "last"
    return f"fragment id {identification}, offset {offset}, {follow}, length {length}"


def _u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "big")
