"""Cache the routes of other programs into each of our devices until the kernel reports a change.

A filter on the socket passes only what concerns these devices, so that a router whose routes lead
elsewhere costs nothing.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from socket import AF_INET

from wintun_api.drivers.base import Route
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.headers import (
    AF_INET6,
    AF_NETLINK,
    LINKS_ADDRESSES_ROUTES,
    MESSAGE,
    NETLINK_ROUTE,
)
from wintun_api.drivers.linux.netlink import (
    MAX_CHUNK,
    NLM_F_REPLACE,
    WORD,
    Netlink,
    attribute,
    messages,
)
from wintun_api.drivers.linux.route_messages import (
    ROUTE,
    RT_TABLE_MAIN,
    RTA_OIF,
    RTA_TABLE,
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    RTPROT_KERNEL,
    RTPROT_WINTUN_API,
    Row,
    parse,
    route_of,
)
from wintun_api.drivers.linux.socket_filter import (
    ALL,
    BODY,
    FIND_ATTRIBUTE,
    FLAGS,
    JUMP_IF_EQUAL,
    JUMP_IF_SET,
    KIND,
    LINK_INDEX,
    LOAD_HALF,
    LOAD_INDEX,
    LOAD_NUMBER,
    LOAD_WORD,
    LOAD_WORD_AT,
    NOTHING,
    RETURN,
    TO_INDEX,
    Program,
    Step,
    attach,
)
from wintun_api.limits import MAX_OTHER_ROUTES, MAX_ROUTES

MAX_FILTERED = 100  # devices: a jump of a filter spans 255 instructions


@dataclass(frozen=True, slots=True)
class Others:
    """Hold the routes of other programs into a device.

    Attributes:
        routes: The first `MAX_OTHER_ROUTES` of them, in a fixed order.
        total: How many there are, if they are not more than `MAX_ROUTES`.
        keys: What the kernel tells them by, without their next hops.
    """

    routes: tuple[Route, ...]
    total: int
    keys: frozenset[Row]


class OtherRoutes:
    """Hold the cache. It belongs to the network namespace of the thread that creates it.

    One thread at a time.

    Args:
        netlink: The socket with which routes are read.

    Raises:
        OSError: The kernel does not provide the socket.
    """

    def __init__(self, netlink: Netlink) -> None:
        self._netlink = netlink
        self._known: dict[int, Others] = {}
        self._watched: frozenset[int] = frozenset()
        self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        try:
            self._socket.setblocking(False)
            attach(self._socket, _program(()))
            self._socket.bind((0, LINKS_ADDRESSES_ROUTES))
        except OSError:
            self._socket.close()
            raise

    def of(self, index: int) -> Others:
        """Return those into a device; the same object until they change."""
        self._hear()
        known = self._known.get(index)
        if known is None:
            if index not in self._watched:
                self._watch(self._watched | {index})
            # The next call notices any change from here on.
            known = self._known[index] = _read(self._netlink, index)
        return known

    def keep(self, indexes: Iterable[int]) -> None:
        """Forget all devices but these."""
        left = frozenset(indexes) & self._watched
        for index in self._known.keys() - left:
            del self._known[index]
        if left != self._watched:
            self._watch(left)

    def close(self) -> None:
        """Close the socket. Idempotent."""
        self._socket.close()

    def _watch(self, indexes: frozenset[int]) -> None:
        try:
            attach(self._socket, _program(indexes))
        except OSError as error:
            raise driver_error("setsockopt", error.errno or 0) from None
        self._watched = indexes

    def _hear(self) -> None:
        while True:
            try:
                message = self._socket.recv(MAX_CHUNK)
            except BlockingIOError:
                return
            except OSError as error:
                # ENOBUFS: there were more messages than the kernel could keep.
                if error.errno != errno.ENOBUFS:
                    raise driver_error("recv", error.errno or 0) from None
                self._known.clear()
                continue
            kind, flags = MESSAGE.unpack_from(message)[1:3]
            if kind not in (RTM_NEWROUTE, RTM_DELROUTE):
                # A device that is set down, or loses an address, silently loses routes.
                self._known.pop(WORD.unpack_from(message, LINK_INDEX)[0], None)
                continue
            row, owner, _, _ = parse(message[MESSAGE.size :])
            if owner.protocol not in (RTPROT_KERNEL, RTPROT_WINTUN_API):
                self._known.pop(owner.device, None)
            if flags & NLM_F_REPLACE:  # one that was there has gone, untold
                key = row._replace(gateway=b"")
                for index, known in list(self._known.items()):
                    if key in known.keys:
                        del self._known[index]


def _read(netlink: Netlink, index: int) -> Others:
    rows = sorted(row for family in (AF_INET, AF_INET6) for row in _rows(netlink, index, family))
    return Others(
        tuple(route_of(row) for row in rows[:MAX_OTHER_ROUTES]),
        len(rows),
        frozenset(row._replace(gateway=b"") for row in rows),
    )


def _rows(netlink: Netlink, index: int, family: int) -> Iterator[Row]:
    body = ROUTE.pack(family, 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0)
    body += attribute(RTA_TABLE, WORD.pack(RT_TABLE_MAIN)) + attribute(RTA_OIF, WORD.pack(index))
    left = MAX_ROUTES
    for chunk in netlink.chunks("RTM_GETROUTE", RTM_GETROUTE, body):
        if not left:
            continue  # the rest of the answer has to be taken, too
        for kind, _, start, end in messages(chunk):
            if kind != RTM_NEWROUTE or not left:
                continue
            row, owner, simple, _ = parse(chunk[start:end])
            ours = owner.protocol in (RTPROT_KERNEL, RTPROT_WINTUN_API)
            if simple and not ours and row.family == family and owner.device == index:
                left -= 1
                yield row


def _program(indexes: Iterable[int]) -> Program:
    """Return a filter that passes what concerns these devices, and every route that replaces one.

    The index of the device is at the same place of a link's message and of an address's.
    """
    nothing, everything = Step(RETURN, NOTHING), Step(RETURN, ALL)
    mine: list[Step] = []
    for index in sorted(indexes):
        mine += [Step(JUMP_IF_EQUAL, socket.htonl(index), 0, 1), everything]
    if len(mine) > 2 * MAX_FILTERED:
        return [everything]
    return [
        Step(LOAD_HALF, KIND),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_NEWROUTE), len(mine) + 3),
        Step(JUMP_IF_EQUAL, socket.htons(RTM_DELROUTE), len(mine) + 2),
        Step(LOAD_WORD, LINK_INDEX),
        *mine,
        nothing,
        Step(LOAD_HALF, FLAGS),
        Step(JUMP_IF_SET, socket.htons(NLM_F_REPLACE), 0, 1),
        everything,
        Step(LOAD_NUMBER, BODY + ROUTE.size),
        Step(LOAD_INDEX, RTA_OIF),
        Step(LOAD_WORD, FIND_ATTRIBUTE),
        Step(JUMP_IF_EQUAL, 0, 0, 1),
        nothing,
        Step(TO_INDEX, 0),
        Step(LOAD_WORD_AT, 4),
        *mine,
        nothing,
    ]
