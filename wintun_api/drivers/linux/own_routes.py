"""Our routes into each device, read once and kept for as long as the kernel tells of no change.

The kernel filters a dump by table, protocol and device, but it looks at every route of the table
for that: 40 ms where there are 650,000. It tells of every change too (rtnetlink(7), groups), and a
filter of this socket lets only those through that may concern routes of ours.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType

from wintun_api.drivers.base import Route
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.linux import route_messages
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.netlink import (
    AF_NETLINK,
    HEADER,
    NETLINK_ROUTE,
    WORD,
    Netlink,
    attributes,
)
from wintun_api.drivers.linux.route_messages import (
    RTM_DELROUTE,
    RTM_NEWROUTE,
    RTPROT_WINTUN_API,
    Row,
    parse_owner,
)
from wintun_api.drivers.linux.socket_filter import (
    ALL,
    JUMP_IF_EQUAL,
    KIND,
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_WORD,
    NOTHING,
    RETURN,
    Program,
    Step,
    attach,
)

# linux/rtnetlink.h: RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE
GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
IFLA_MTU = 4
IFF_UP = 0x1
LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
INDEX_OF_ADDRESS = struct.Struct("=4xI")  # ifaddrmsg
PORT_AT, PROTOCOL_AT = 12, HEADER.size + 5  # where they are in a message
_MAX_MESSAGE = 1 << 16


class OwnRoutes:
    """What is kept, and the socket that all changes of routes and addresses are made by.

    Belongs to the network namespace of the thread that makes it. One thread at a time.

    Attributes:
        netlink: Changes that are made by it are not heard of: `replace` says what has become of
            the routes.

    Raises:
        DriverError: The kernel gives no such sockets.
    """

    def __init__(self) -> None:
        self.netlink = Netlink()
        self._known: dict[int, Mapping[Row, Route]] = {}
        self._listed: dict[int, tuple[Route, ...]] = {}
        try:
            self._changes = _listen(self.netlink.port)
        except OSError as error:
            self.netlink.close()
            raise driver_error("socket", error.errno or 0) from None

    def of(self, index: int) -> Mapping[Row, Route]:
        """Return our routes into a device by what the kernel knows them by."""
        self._hear()
        known = self._known.get(index)
        if known is None:
            # A change from here on is heard of by the next call.
            rows = route_messages.own_rows(self.netlink, index)
            known = self.replace(index, {row: route_messages.route_of(row) for row in rows})
        return known

    def listed(self, index: int) -> tuple[Route, ...]:
        """Return our routes into a device; the same object while they are the same."""
        known = self.of(index)
        if index not in self._listed:
            self._listed[index] = tuple(known.values())
        return self._listed[index]

    def replace(self, index: int, routes: Mapping[Row, Route]) -> Mapping[Row, Route]:
        """Say what our routes into a device are now; they are kept in an order of their own.

        So the same routes are never taken for other ones, in whatever order they were set or read.
        """
        self._known[index] = MappingProxyType(dict(sorted(routes.items(), key=itemgetter(0))))
        self._listed.pop(index, None)
        return self._known[index]

    def forget(self, index: int) -> None:
        """Let the routes into a device be read again."""
        self._known.pop(index, None)
        self._listed.pop(index, None)

    def keep(self, indexes: Iterable[int]) -> None:
        """Forget the devices that are not among these."""
        for index in self._known.keys() - set(indexes):
            self.forget(index)

    def close(self) -> None:
        """Give the sockets back. Idempotent."""
        self._changes.close()
        self.netlink.close()

    def _hear(self) -> None:
        while True:
            try:
                message = self._changes.recv(_MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # more than the kernel could keep for us
                    raise driver_error("recv", error.errno or 0) from None
                for index in list(self._known):
                    self.forget(index)
                continue
            concerned = _concerned(message)
            if concerned is not None:
                self.forget(concerned)


def _concerned(message: bytes) -> int | None:
    """Return the index of the device whose routes a message may mean a change of."""
    kind, body = HEADER.unpack_from(message)[1], message[HEADER.size :]
    if kind in (RTM_NEWROUTE, RTM_DELROUTE):
        return parse_owner(body).device
    if kind == RTM_DELADDR:  # with its last address a device loses its IPv4 routes, untold
        index: int = INDEX_OF_ADDRESS.unpack_from(body)[0]
        return index
    if kind not in (RTM_NEWLINK, RTM_DELLINK):
        return None
    _, _, index, flags, _ = LINK.unpack_from(body)
    mtu = attributes(body, LINK.size).get(IFLA_MTU)
    # A device that is set down, or too small for IPv6, loses routes, untold.
    whole = mtu is None or WORD.unpack(mtu)[0] >= MIN_MTU_IPV6
    return None if kind == RTM_NEWLINK and flags & IFF_UP and whole else index


def _listen(port: int) -> socket.socket:
    changes = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    try:
        changes.setblocking(False)
        attach(changes, _program(port))
        changes.bind((0, GROUPS))
    except OSError:
        changes.close()
        raise
    return changes


def _program(port: int) -> Program:
    """Return a filter: not what a port has changed, not routes of others, no new addresses."""
    nothing, everything = Step(RETURN, NOTHING), Step(RETURN, ALL)
    return [
        Step(LOAD_WORD, PORT_AT),
        Step(JUMP_IF_EQUAL, socket.htonl(port), 0, 1),
        nothing,
        Step(LOAD_HALF, KIND),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_NEWADDR), 0, 1),
        nothing,
        Step(JUMP_IF_EQUAL, socket.htons(RTM_NEWROUTE), 2, 0),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_DELROUTE), 1, 0),
        everything,
        Step(LOAD_BYTE, PROTOCOL_AT),
        Step(JUMP_IF_EQUAL, RTPROT_WINTUN_API, 0, 1),
        everything,
        nothing,
    ]
