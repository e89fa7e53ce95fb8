"""Convert routes to and from the messages of rtnetlink(7)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from socket import AF_INET
from typing import NamedTuple

from wintun_api.drivers.base import Route
from wintun_api.drivers.linux.headers import AF_INET6
from wintun_api.drivers.linux.netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    WORD,
    Netlink,
    Request,
    attribute,
    attributes,
    messages,
)

# linux/rtnetlink.h
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE = 1, 4, 5, 6, 15
RT_TABLE_UNSPEC, RT_TABLE_MAIN = 0, 254
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
RTN_UNICAST = 1
RTM_F_FIB_MATCH = 0x2000  # answer with the route itself
RTNH_F_ONLINK = 4  # the device need not have an address in the next hop's subnet
RTPROT_KERNEL = 2
RTPROT_WINTUN_API = 87  # identifies our routes; no other program has registered this number
IP6_RT_PRIO_USER = 1024  # ipv6_route.h: the metric of an IPv6 route without a given metric

# rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, flags
ROUTE = struct.Struct("=BBBBBBBBI")

# /etc/iproute2/rt_protos
PROTOCOLS = {
    1: "redirect",
    RTPROT_KERNEL: "kernel",
    3: "boot",
    4: "static",
    9: "ra",
    11: "zebra",
    12: "bird",
    16: "dhcp",
    42: "babel",
    RTPROT_WINTUN_API: "wintun-api",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}


class Row(NamedTuple):
    """Identify a route as the kernel does, without its device.

    Attributes:
        family: AF_INET or AF_INET6.
        destination: The network's bytes.
        length: Its prefix length.
        gateway: The next hop's bytes; empty if every destination is on the link.
        metric: The metric in the kernel.
    """

    family: int
    destination: bytes
    length: int
    gateway: bytes
    metric: int


class Owner(NamedTuple):
    """Describe the owner of a route.

    Attributes:
        device: The index of its device; 0 for a route with several devices or none.
        protocol: The number that identifies the program that added it (rtm_protocol).
    """

    device: int
    protocol: int


class Made(NamedTuple):
    """A route that the kernel made by itself, into some device.

    Attributes:
        family: AF_INET or AF_INET6.
        destination: The network's bytes.
        length: Its prefix length.
        metric: As the kernel has it.
        table: The number of its routing table.
    """

    family: int
    destination: bytes
    length: int
    metric: int
    table: int

    @property
    def key(self) -> Row | None:
        """What the kernel tells it from other routes of the main table by; None in others."""
        if self.table != RT_TABLE_MAIN:
            return None
        return Row(self.family, self.destination, self.length, b"", self.metric)


class Parsed(NamedTuple):
    """A route in a message.

    Attributes:
        row: What the kernel tells it by.
        owner: Whose it is.
        simple: All that it has is in the row, and it is in the main table.
        made: The same of a plain route without a next hop, in whatever table; else None.
    """

    row: Row
    owner: Owner
    simple: bool
    made: Made | None


def row_of(route: Route) -> Row:
    """Return a route in the kernel's form."""
    network, version6 = route.destination, route.destination.version == 6
    return Row(
        AF_INET6 if version6 else AF_INET,
        network.network_address.packed,
        network.prefixlen,
        b"" if route.next_hop is None else route.next_hop.packed,
        route.metric or (IP6_RT_PRIO_USER if version6 else 0),
    )


def route_of(row: Row) -> Route:
    """Return a route of the kernel in the form of `drivers.base`."""
    version6 = row.family == AF_INET6
    return Route(
        destination=ip_network((row.destination, row.length)),
        next_hop=ip_address(row.gateway) if row.gateway else None,
        metric=0 if version6 and row.metric == IP6_RT_PRIO_USER else row.metric,
    )


def add_request(row: Row, index: int) -> Request:
    """Return a request that adds one of our routes; its next hop need not be in a subnet."""
    return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, _body(row, index))


def delete_request(row: Row, index: int) -> Request:
    """Return a request that removes one of our routes."""
    return Request(RTM_DELROUTE, 0, _body(row, index))


def own_rows(netlink: Netlink, index: int) -> Iterator[Row]:
    """Yield our routes of the main table into one device.

    The kernel filters them, so routes of other programs cost us nothing.
    """
    for family in (AF_INET, AF_INET6):
        yield from rows_of_family(netlink, index, family)


def find_owner(netlink: Netlink, row: Row) -> Owner | None:
    """Return the owner of the route with this destination and metric, whatever its next hop.

    This reads the whole table, because the kernel has no query for it. None if the route is gone.
    """
    body = ROUTE.pack(row.family, 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0)
    body += attribute(RTA_TABLE, WORD.pack(RT_TABLE_MAIN))
    # This search skips most of a large table at the speed of C.
    needle = (
        attribute(RTA_DST, row.destination)
        if row.length
        else ROUTE.pack(row.family, 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0)[:5]
    )
    found: Owner | None = None
    for chunk in netlink.chunks("RTM_GETROUTE", RTM_GETROUTE, body):
        if found is None and needle in chunk:
            found = next(_owners(chunk, row), None)
    return found


def way_requests(hops: Iterable[bytes]) -> list[Request]:
    """Return what asks for the route that leads to each of these IPv4 addresses."""
    start = ROUTE.pack(AF_INET, 32, 0, 0, 0, 0, 0, 0, RTM_F_FIB_MATCH)
    return [Request(RTM_GETROUTE, 0, start + attribute(RTA_DST, hop)) for hop in hops]


def made_rows(netlink: Netlink, index: int) -> Iterator[Made]:
    """Yield the routes into one device that the kernel has made by itself, of whatever table."""
    for family in (AF_INET, AF_INET6):
        body = ROUTE.pack(family, 0, 0, 0, RT_TABLE_UNSPEC, RTPROT_KERNEL, 0, RTN_UNICAST, 0)
        body += attribute(RTA_OIF, WORD.pack(index))
        for message in netlink.dump("RTM_GETROUTE", RTM_GETROUTE, body):
            route = parse(message)
            mine = route.row.family == family and route.owner == (index, RTPROT_KERNEL)
            if mine and route.made is not None:
                yield route.made


def rows_of_family(netlink: Netlink, index: int, family: int) -> Iterator[Row]:
    """Yield our routes of one family into one device; none if the kernel lacks the family."""
    body = ROUTE.pack(family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_WINTUN_API, 0, 0, 0)
    body += attribute(RTA_TABLE, WORD.pack(RT_TABLE_MAIN)) + attribute(RTA_OIF, WORD.pack(index))
    for message in netlink.dump("RTM_GETROUTE", RTM_GETROUTE, body):
        row, owner, simple, _ = parse(message)
        # A kernel without this family answers with the routes of the others.
        if simple and row.family == family and owner == (index, RTPROT_WINTUN_API):
            yield row


def _owners(chunk: bytes, wanted: Row) -> Iterator[Owner]:
    for kind, _, start, end in messages(chunk):
        if kind == RTM_NEWROUTE:
            row, owner, _, _ = parse(chunk[start:end])
            if row._replace(gateway=b"") == wanted._replace(gateway=b""):
                yield owner


def parse(body: bytes) -> Parsed:
    """Return the route in the body of a message."""
    family, length, source, tos, table, protocol, _, kind, _ = ROUTE.unpack_from(body)
    found = attributes(body, ROUTE.size)
    index, metric = found.get(RTA_OIF), found.get(RTA_PRIORITY)
    row = Row(
        family,
        found.get(RTA_DST) or bytes(16 if family == AF_INET6 else 4),
        length,
        found.get(RTA_GATEWAY, b""),
        0 if metric is None else WORD.unpack(metric)[0],
    )
    plain = (source, tos, kind) == (0, 0, RTN_UNICAST)
    if RTA_TABLE in found:
        table = WORD.unpack(found[RTA_TABLE])[0]
    made = Made(family, row.destination, length, row.metric, table)
    return Parsed(
        row=row,
        owner=Owner(0 if index is None else WORD.unpack(index)[0], protocol),
        simple=plain and table == RT_TABLE_MAIN,
        made=made if plain and not row.gateway else None,
    )


def _body(row: Row, index: int) -> bytes:
    family, destination, length, gateway, metric = row
    link = not gateway and family == AF_INET
    body = ROUTE.pack(
        family,
        length,
        0,
        0,
        RT_TABLE_MAIN,
        RTPROT_WINTUN_API,
        RT_SCOPE_LINK if link else RT_SCOPE_UNIVERSE,
        RTN_UNICAST,
        RTNH_F_ONLINK if gateway else 0,
    )
    body += attribute(RTA_DST, destination) + attribute(RTA_OIF, WORD.pack(index))
    body += attribute(RTA_PRIORITY, WORD.pack(metric))
    return body + attribute(RTA_GATEWAY, gateway) if gateway else body


def rows_of(routes: Iterable[Route]) -> dict[Row, Route]:
    """Return routes by their rows."""
    return {row_of(route): route for route in routes}
