"""Which routes no system can have, the same for every driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wintun_api.drivers.base import IPAddress, IPInterface, Route
from wintun_api.errors import InvalidArgument


def check_routes(routes: Iterable[Route], addresses: Sequence[IPInterface]) -> None:
    """Refuse next hops that lead nowhere from an adapter with these addresses.

    Raises:
        InvalidArgument: A next hop of another version of IP than its destination, a group, the
            unspecified address, a loopback or broadcast address, or one of the adapter's own.
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
        if cause:
            raise InvalidArgument(
                "routes",
                f"{hop} cannot be the next hop to {route.destination}: {cause}.",
                hint="Leave next_hop out, as most tunnels do, or name a host that is reached "
                "through the adapter.",
            )


def _cause(route: Route, hop: IPAddress) -> str:
    if hop.version != route.destination.version:
        return "it is of the other version of IP"
    if hop.is_multicast:
        return "it is a group"
    if hop.is_unspecified:
        return "it is the unspecified address"
    if hop.is_loopback:
        return "it is a loopback address"
    if hop.version == 4 and int(hop) == 0xFFFFFFFF:
        return "it is the broadcast address"
    return ""
