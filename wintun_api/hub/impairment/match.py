"""Tell which packets a rule concerns, by a function that is made once and called per packet.

The protocol is the one behind IPv6 extension headers and behind an authentication header, as in
`packet.decode`. In a tunnel, the outer packet counts. Ports are those of TCP, UDP, UDP-Lite, SCTP
and DCCP; fragments after the first one have none, so that no rule with ports matches them.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from wintun_api.hub.impairment.parameters import Match
from wintun_api.packet.decode import WITH_PORTS
from wintun_api.packet.ipv6 import AUTHENTICATION, EXTENSIONS, FRAGMENT, HEADER, MAX_HEADERS, follow

Matcher: TypeAlias = Callable[[bytes], bool]
_Network: TypeAlias = IPv4Network | IPv6Network

_PORTED = frozenset(WITH_PORTS)
_CHAINED = EXTENSIONS | {FRAGMENT, AUTHENTICATION}
_ALL_PORTS = (0, 65535)


def matcher(match: Match | None) -> Matcher | None:
    """Return a function that tells whether a packet matches; None if all packets do.

    The function takes any bytes and never raises. What is not IP, or ends before its addresses do,
    does not match.
    """
    if match is None or match == Match():
        return None
    four, six = _of_version(match, 4), _of_version(match, 6)

    def matches(packet: bytes) -> bool:
        size = len(packet)
        if size < 20:
            return False
        version = packet[0] >> 4
        if version == 4:
            return four is not None and four(packet)
        return version == 6 and six is not None and size >= HEADER and six(packet)

    return matches


def _of_version(match: Match, version: int) -> Matcher | None:
    """Return a function for packets of one version of IP; None if no such packet matches."""
    networks = (match.address, match.source, match.destination)
    if any(network is not None and network.version != version for network in networks):
        return None
    tests: list[Matcher] = []
    if match.source is not None:
        tests.append(_in_network(match.source, destination=False))
    if match.destination is not None:
        tests.append(_in_network(match.destination, destination=True))
    if match.address is not None:
        tests.append(_on_either_side(match.address))
    if match.ports or match.source_ports or match.destination_ports:
        tests.append(_with_ports(match))
    elif match.protocols:
        tests.append(_with_protocol(match.protocols))
    if len(tests) == 1:
        return tests[0]
    return lambda packet: all(test(packet) for test in tests)


def _in_network(network: _Network, *, destination: bool) -> Matcher:
    wide = network.max_prefixlen // 8
    start = (8 if network.version == 6 else 12) + (wide if destination else 0)
    end = start + wide
    mask, wanted = int(network.netmask), int(network.network_address)
    return lambda packet: int.from_bytes(packet[start:end], "big") & mask == wanted


def _on_either_side(network: _Network) -> Matcher:
    source = _in_network(network, destination=False)
    destination = _in_network(network, destination=True)
    return lambda packet: source(packet) or destination(packet)


def _with_protocol(protocols: frozenset[int]) -> Matcher:
    def matches(packet: bytes) -> bool:
        protocol = packet[9] if packet[0] < 0x60 else packet[6]
        if protocol in _CHAINED:
            protocol = _payload(packet)[0]
        return protocol in protocols

    return matches


def _with_ports(match: Match) -> Matcher:
    either = match.ports
    first_source, last_source = match.source_ports or _ALL_PORTS
    first_destination, last_destination = match.destination_ports or _ALL_PORTS
    protocols = match.protocols & _PORTED if match.protocols else _PORTED

    def matches(packet: bytes) -> bool:
        protocol, at = _payload(packet)
        if protocol not in protocols or at < 0:
            return False
        source = packet[at] << 8 | packet[at + 1]
        destination = packet[at + 2] << 8 | packet[at + 3]
        return (
            first_source <= source <= last_source
            and first_destination <= destination <= last_destination
            and (
                either is None
                or either[0] <= source <= either[1]
                or either[0] <= destination <= either[1]
            )
        )

    return matches


def _payload(packet: bytes) -> tuple[int, int]:
    """Return the protocol, and where it begins; -1 if a fragment or a cut packet has no ports."""
    if packet[0] < 0x60:
        protocol, at = packet[9], (packet[0] & 0xF) * 4
        later = bool(packet[6] & 0x1F or packet[7])
        # Segmentation offload leaves the total length 0.
        end = (packet[2] << 8 | packet[3]) or len(packet)
        if at < 20 or end < at or len(packet) < at:
            return protocol, -1
        chained = protocol == AUTHENTICATION and not later
    else:
        protocol, at, later = packet[6], HEADER, False
        # So does it with the payload length of IPv6; a jumbogram has 0 as well.
        end = packet[4] << 8 | packet[5]
        end = HEADER + end if end else len(packet)
        chained = protocol in _CHAINED
    end = min(end, len(packet))
    if chained:
        where = follow(packet[:end], protocol, at, MAX_HEADERS - 1)  # IP's own is one of them
        protocol, at = where.protocol, where.offset
        later = where.truncated or (where.fragment is not None and bool(where.fragment[0]))
    return protocol, -1 if later or end < at + 4 else at
