"""Refuse addresses and routes that an adapter cannot have, in the same way for every driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv6Address, IPv6Interface

from wintun_api.drivers.base import IPAddress, IPInterface, Route
from wintun_api.errors import InvalidArgument


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
                hint="Omit next_hop, as most tunnels do, or use a host that is reached through the "
                "adapter.",
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
