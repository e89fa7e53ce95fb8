"""Change our routes into a device to the wanted ones: add the missing, remove the others."""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from operator import eq
from socket import AF_INET

from wintun_api.drivers.base import IPAddress, Route
from wintun_api.drivers.difference import difference, tell
from wintun_api.drivers.linux import address_messages
from wintun_api.drivers.linux.netlink import Netlink
from wintun_api.drivers.linux.own_routes import OwnRoutes
from wintun_api.drivers.linux.refusals import name_of, route_refused
from wintun_api.drivers.linux.route_messages import (
    IP6_RT_PRIO_USER,
    Parsed,
    Row,
    add_request,
    delete_request,
    parse,
    route_of,
    row_of,
    way_requests,
)
from wintun_api.drivers.linux.rtnetlink import Link
from wintun_api.drivers.linux.transaction import Refused, Step, insist, run
from wintun_api.drivers.network_check import check_routes
from wintun_api.errors import DriverError, InvalidArgument

_GONE = frozenset((errno.ESRCH, errno.ENETUNREACH))
_THERE = frozenset((errno.EEXIST,))


def set_routes(own: OwnRoutes, link: Link, routes: Sequence[Route]) -> None:
    """Replace our routes into the link with these, all or none; others' routes are not touched.

    The kernel adds a route to the network of each of the link's addresses, which is not ours.

    Raises:
        InvalidArgument: A next hop is not possible, or two routes are the same for the kernel.
        RouteExists: A route of another program has this destination and metric.
        SettingRefused: The kernel refuses one; `detail` names it.
        DriverError: The process is not allowed to, or the kernel did not answer.
    """
    addresses = address_messages.rows_of(own.netlink, link.index)
    wanted = _rows_of(routes)
    present = own.of(link.index)
    ways = _ways(own.netlink, link, [row for row in wanted if row not in present])
    near = {(row.destination, row.length) for row in wanted if not row.gateway}
    networks = [one.interface.network for one in addresses]
    near |= {(one.network_address.packed, one.prefixlen) for one in networks}
    check_routes(routes, [row.interface for row in addresses], partial(_elsewhere, ways, near))
    # A destination and metric can exist once: a route with another next hop is removed first.
    found = difference(present, {_place_of(row): row for row in wanted}, _place_of, eq)
    first, added, then = found.displaced, found.missing, found.surplus
    by_address = {
        (row.network.network_address.packed, row.network.prefixlen, row.metric)
        for row in addresses
        if row.network is not None
    }
    steps = [_deletion(row, link, present[row]) for row in first]
    steps += [
        Step(
            add_request(row, link.index),
            delete_request(row, link.index),
            wanted[row],
            _THERE if _on_link(row) in by_address else frozenset(),
            _GONE,
        )
        for row in added
    ]
    steps += [_deletion(row, link, present[row]) for row in then]
    try:
        idle = run(own.netlink, "RTM_NEWROUTE", steps)
    except (Refused, DriverError) as error:
        own.forget(link.index)
        if isinstance(error, Refused) and isinstance(error.step.subject, Route):
            refused = route_refused(own.netlink, error.refusal, link, error.step.subject)
            tell(refused, error.left)
            raise refused from None
        raise
    finally:
        own.own_changes.note()
    covered = {row for at, row in enumerate(added, len(first)) if at in idle}
    own.replace(
        link.index,
        {row: _as_read(row, route) for row, route in wanted.items() if row not in covered},
    )


def _ways(netlink: Netlink, link: Link, rows: Sequence[Row]) -> dict[bytes, Parsed]:
    """Return the routes that lead to the IPv4 next hops of these through other interfaces.

    IPv6 next hops are looked up by the kernel itself (net/ipv6/route.c).
    """
    hops = list({row.gateway for row in rows if row.gateway and row.family == AF_INET})
    answers = netlink.ask("RTM_GETROUTE", way_requests(hops))
    ways = {hop: parse(body) for hop, body in zip(hops, answers, strict=True) if body is not None}
    return {
        hop: way
        for hop, way in ways.items()
        if way.row.length and way.owner.device not in (0, link.index)
    }


def _elsewhere(
    ways: Mapping[bytes, Parsed], near: Collection[tuple[bytes, int]], hop: IPAddress
) -> str:
    way = ways.get(hop.packed)
    if way is None:
        return ""
    for length in range(way.row.length, 33):  # as close a route of the adapter's own leads there
        start = int(hop) >> (32 - length) << (32 - length)
        if (start.to_bytes(4, "big"), length) in near:
            return ""
    return name_of(way.owner.device)


def keep_routes(own: OwnRoutes, link: Link, before: Sequence[Row]) -> None:
    """Restore those of our routes that the kernel has removed together with something else."""
    codes = insist(own.netlink, "RTM_NEWROUTE", (add_request(row, link.index) for row in before))
    own.own_changes.note()
    if codes - _THERE:
        own.forget(link.index)


def _as_read(row: Row, route: Route) -> Route:
    # The kernel cannot distinguish an IPv6 route without a metric from one with this metric.
    return route if route.metric != IP6_RT_PRIO_USER else route_of(row)


def _rows_of(routes: Sequence[Route]) -> dict[Row, Route]:
    rows: dict[Row, Route] = {}
    keys: dict[Row, Route] = {}
    for route in routes:
        row = row_of(route)
        other = keys.setdefault(_place_of(row), route)
        if other != route:
            raise InvalidArgument(
                "routes",
                f"{route.destination} is given twice with the metric {row.metric}, which Linux "
                "also uses for an IPv6 route without a metric.",
                hint="Give one of the two routes another metric.",
            )
        rows[row] = route
    return rows


def _place_of(row: Row) -> Row:
    # The kernel has a destination with a metric once, whatever its next hop is.
    return row._replace(gateway=b"")


def _on_link(row: Row) -> tuple[bytes, int, int] | None:
    return None if row.gateway else (row.destination, row.length, row.metric)


def _deletion(row: Row, link: Link, route: Route) -> Step:
    undo = add_request(row, link.index)
    return Step(delete_request(row, link.index), undo, route, _GONE, _THERE)
