"""Cache our routes into each device until the kernel reports a change.

The kernel filters a dump by table, protocol and device, but examines every route of the table for
that, which takes 40 ms for 650,000 routes. It also reports every change (rtnetlink(7), groups), and
a filter on this socket only passes changes that may affect our routes.
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
from wintun_api.drivers.linux.changes import OwnChanges
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.headers import (
    AF_NETLINK,
    IFF_UP,
    LINK,
    LINKS_ADDRESSES_ROUTES,
    MESSAGE,
    NETLINK_ROUTE,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
)
from wintun_api.drivers.linux.netlink import MAX_CHUNK, NLM_F_REPLACE, WORD, Netlink, attributes
from wintun_api.drivers.linux.other_routes import OtherRoutes
from wintun_api.drivers.linux.route_messages import (
    RTM_DELROUTE,
    RTM_NEWROUTE,
    RTPROT_KERNEL,
    RTPROT_WINTUN_API,
    Made,
    Parsed,
    Row,
    parse,
)
from wintun_api.drivers.linux.socket_filter import (
    ALL,
    FLAGS,
    JUMP_IF_EQUAL,
    JUMP_IF_SET,
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

IFLA_MTU = 4  # linux/if_link.h
INDEX_OF_ADDRESS = struct.Struct("=4xI")  # ifaddrmsg
PORT_AT, PROTOCOL_AT = 12, MESSAGE.size + 5  # their offsets in a message


class OwnRoutes:
    """Hold the cache, and the socket with which all routes and addresses are changed.

    It belongs to the network namespace of the thread that creates it. One thread at a time.

    Args:
        own_changes: Counts the changes; the functions that use the socket note them there.

    Attributes:
        own_changes: The same.
        others: The routes of other programs.
        netlink: The socket for changes. They are not reported, so `replace` must be called with
            the resulting routes.

    Raises:
        DriverError: The kernel does not provide the sockets.
    """

    def __init__(self, own_changes: OwnChanges) -> None:
        self.own_changes = own_changes
        self.netlink = Netlink()
        self._known: dict[int, Mapping[Row, Route]] = {}
        self._listed: dict[int, tuple[Route, ...]] = {}
        self._keys: dict[int, frozenset[Row]] = {}
        self._made: dict[int, set[Made]] = {}
        try:
            self._changes = _listen(self.netlink.port)
            try:
                self.others = OtherRoutes(self.netlink)
            except OSError:
                self._changes.close()
                raise
        except OSError as error:
            self.netlink.close()
            raise driver_error("socket", error.errno or 0) from None

    def of(self, index: int) -> Mapping[Row, Route]:
        """Return our routes into a device by their key in the kernel."""
        self._hear()
        known = self._known.get(index)
        if known is None:
            # The next call notices any change from here on.
            rows = route_messages.own_rows(self.netlink, index)
            known = self.replace(index, {row: route_messages.route_of(row) for row in rows})
        return known

    def listed(self, index: int) -> tuple[Route, ...]:
        """Return our routes into a device; the same object until they change."""
        known = self.of(index)
        if index not in self._listed:
            self._listed[index] = tuple(known.values())
        return self._listed[index]

    def networks(self, index: int) -> set[tuple[bytes, int]]:
        """Return the networks that the kernel itself has a route to through a device.

        It makes one for each address, and another program can remove it.
        """
        self._hear()
        made = self._made.get(index)
        if made is None:
            made = self._made[index] = set(route_messages.made_rows(self.netlink, index))
        return {(one.destination, one.length) for one in made}

    def replace(self, index: int, routes: Mapping[Row, Route]) -> Mapping[Row, Route]:
        """Store our present routes into a device, in a fixed order.

        So the same routes never appear to be different, whatever order they were set or read in.
        """
        self._known[index] = MappingProxyType(dict(sorted(routes.items(), key=itemgetter(0))))
        self._listed.pop(index, None)
        self._keys.pop(index, None)
        return self._known[index]

    def forget(self, index: int) -> None:
        """Forget the routes into a device, so that they are read again."""
        self._known.pop(index, None)
        self._listed.pop(index, None)
        self._keys.pop(index, None)
        self._made.pop(index, None)

    def keep(self, indexes: Iterable[int]) -> None:
        """Forget all devices but these."""
        left = set(indexes)
        for index in (self._known.keys() | self._made.keys()) - left:
            self.forget(index)
        self.others.keep(left)

    def close(self) -> None:
        """Close the sockets. Idempotent."""
        self._changes.close()
        self.others.close()
        self.netlink.close()

    def _hear(self) -> None:
        while True:
            try:
                message = self._changes.recv(MAX_CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                if (
                    error.errno != errno.ENOBUFS
                ):  # not merely more messages than the kernel could keep
                    raise driver_error("recv", error.errno or 0) from None
                self.keep(())
                continue
            kind, flags = MESSAGE.unpack_from(message)[1:3]
            if kind in (RTM_NEWROUTE, RTM_DELROUTE):
                self._route_changed(kind, flags, parse(message[MESSAGE.size :]))
                continue
            concerned = _concerned(kind, message[MESSAGE.size :])
            if concerned is not None:
                self.forget(concerned)

    def _route_changed(self, kind: int, flags: int, route: Parsed) -> None:
        device, protocol = route.owner
        if protocol == RTPROT_WINTUN_API:
            self.forget(device)
        elif protocol == RTPROT_KERNEL and route.made is not None and device in self._made:
            change = self._made[device]
            (change.add if kind == RTM_NEWROUTE else change.discard)(route.made)
        if flags & NLM_F_REPLACE:
            # One that was there has gone, untold: whichever device it led into.
            key = route.row._replace(gateway=b"")
            for index, known in list(self._known.items()):
                if index not in self._keys:
                    self._keys[index] = frozenset(row._replace(gateway=b"") for row in known)
                if key in self._keys[index]:
                    self.forget(index)
            for made in self._made.values():
                made.difference_update([one for one in made if one.key == key])
            if route.made is not None and protocol == RTPROT_KERNEL and device in self._made:
                self._made[device].add(route.made)


def _concerned(kind: int, body: bytes) -> int | None:
    """Return the index of the device whose routes may have changed according to a message."""
    if kind == RTM_DELADDR:  # with its last address a device silently loses its IPv4 routes
        index: int = INDEX_OF_ADDRESS.unpack_from(body)[0]
        return index
    if kind not in (RTM_NEWLINK, RTM_DELLINK):
        return None
    _, _, index, flags, _ = LINK.unpack_from(body)
    mtu = attributes(body, LINK.size).get(IFLA_MTU)
    # A device that is set down, or whose MTU is too small for IPv6, silently loses routes.
    whole = mtu is None or WORD.unpack(mtu)[0] >= MIN_MTU_IPV6
    return None if kind == RTM_NEWLINK and flags & IFF_UP and whole else index


def _listen(port: int) -> socket.socket:
    changes = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    try:
        changes.setblocking(False)
        attach(changes, _program(port))
        changes.bind((0, LINKS_ADDRESSES_ROUTES))
    except OSError:
        changes.close()
        raise
    return changes


def _program(port: int) -> Program:
    """Return a filter that drops a port's own changes, new addresses and most routes of others.

    It lets through the routes that the kernel adds by itself, and those that replace another
    route, because the kernel does not report the removal of the replaced one.
    """
    nothing, everything = Step(RETURN, NOTHING), Step(RETURN, ALL)
    return [
        Step(LOAD_WORD, PORT_AT),
        Step(JUMP_IF_EQUAL, socket.htonl(port), 0, 1),
        nothing,
        Step(LOAD_HALF, KIND),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_NEWADDR), 0, 1),
        nothing,
        Step(JUMP_IF_EQUAL, socket.htons(RTM_DELROUTE), 4, 0),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_NEWROUTE), 1, 0),
        everything,
        Step(LOAD_HALF, FLAGS),
        Step(JUMP_IF_SET, socket.htons(NLM_F_REPLACE), 3, 0),
        Step(LOAD_BYTE, PROTOCOL_AT),
        Step(JUMP_IF_EQUAL, RTPROT_WINTUN_API, 1, 0),
        Step(JUMP_IF_EQUAL, RTPROT_KERNEL, 0, 1),
        everything,
        nothing,
    ]
