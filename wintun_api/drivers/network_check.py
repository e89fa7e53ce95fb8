"""Refuse addresses and routes that an adapter cannot have, in the same way for every driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv6Address, IPv6Interface

from wintun_api.drivers.base import IPAddress, IPInterface, IPNetwork, Route
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.errors import InvalidArgument

# Metrics of the routes that a system makes for the networks of addresses, as on Linux.
MADE_METRICS = {4: 0, 6: 256}


def check_addresses(addresses: Iterable[IPInterface]) -> list[IPInterface]:
    """Return addresses without repetitions and zones, as systems report them.

    Raises:
        InvalidArgument: A multicast address, the unspecified one, or one with two prefix lengths.
    """
    found: dict[IPAddress, IPInterface] = {}
    for one in addresses:
        interface = one
        if interface.ip.is_multicast or interface.ip.is_unspecified:
            raise InvalidArgument("addresses", f"{interface} cannot be the address of an adapter.")
        if isinstance(interface, IPv6Interface):
            plain = IPv6Address(int(interface.ip))
            interface = IPv6Interface((plain, interface.network.prefixlen))
        if found.setdefault(interface.ip, interface) != interface:
            raise InvalidArgument(
                "addresses",
                f"{interface.ip} is given with two prefix lengths; an address can have only one.",
                hint="Remove one of the two.",
            )
    return list(found.values())


def check_routes(
    routes: Iterable[Route],
    addresses: Sequence[IPInterface],
    elsewhere: Callable[[IPAddress], str] = lambda _: "",
) -> None:
    """Refuse next hops that lead nowhere from an adapter with these addresses.

    Args:
        routes: What is to be set.
        addresses: The adapter's own.
        elsewhere: Returns the name of another interface that an address is reached through; empty
            where there is none.

    Raises:
        InvalidArgument: A next hop has another IP version than its destination, or is a multicast,
            unspecified, loopback or broadcast address, one of the adapter's own addresses, or
            behind another interface.
    """
    own = {interface.ip: interface for interface in addresses}
    broadcasts = {
        interface.network.broadcast_address
        for interface in addresses
        if interface.version == 4 and interface.network.prefixlen < 31
    }
    for route in routes:
        hop = route.next_hop
        if hop is None:
            continue
        cause = _cause(route, hop)
        if hop in own:
            cause = "it is an address of the adapter itself"
        elif hop in broadcasts:
            cause = "it is the broadcast address of the adapter's network"
        elif not cause and (other := elsewhere(hop)):
            cause = f"it is reached through the interface {other}"
        if cause:
            raise InvalidArgument(
                "routes",
                f"{hop} cannot be the next hop to {route.destination}: {cause}.",
                hint="Give no next hop, as most tunnels do, or use a host that is reached through "
                "the adapter.",
            )


def makes(interface: IPInterface, route: Route) -> bool:
    """Return whether the system has a route for this address in the place of `route`.

    The two have the same destination and metric. Only an IPv4 address that is a network by itself
    has no such route.
    """
    network = interface.network
    return (
        network == route.destination
        and route.metric == MADE_METRICS[network.version]
        and (network.version, network.prefixlen) != (4, 32)
    )


def own_network_taken(route: Route) -> tuple[str, str]:
    """Return message and hint for a route that the system already has for an own address."""
    detail = (
        f"{route.destination}: A route with metric {route.metric} already exists: the system has "
        "made it for an address of the adapter itself."
    )
    hint = (
        "Omit this route: the adapter already reaches the network without a next hop. Or give the "
        "route another metric, where smaller is preferred."
    )
    return detail, hint


def ipv6_needs_mtu(what: IPInterface | IPNetwork, mtu: int) -> tuple[str, str]:
    """Return message and hint for IPv6 at an MTU below 1280 (RFC 8200, section 5)."""
    return (
        f"{what}: IPv6 needs an MTU of {MIN_MTU_IPV6} bytes; the adapter has {mtu}.",
        f"Set an MTU of at least {MIN_MTU_IPV6}, or do not use IPv6.",
    )


def _cause(route: Route, hop: IPAddress) -> str:
    if hop.version != route.destination.version:
        return "it has the other IP version"
    if hop.is_multicast:
        return "it is a multicast address"
    if hop.is_unspecified:
        return "it is the unspecified address"
    if hop.is_loopback:
        return "it is a loopback address"
    if hop.version == 4 and int(hop) == 0xFFFFFFFF:
        return "it is the broadcast address"
    return ""
