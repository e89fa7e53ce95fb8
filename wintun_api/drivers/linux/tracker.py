"""Follow the counters of a session's device, wherever it is moved, up to its last packet.

A device is identified by its network namespace and index. Another device can have these once it was
moved or deleted, but before that the kernel sends RTM_DELLINK with the device's final counters.
After a move, the attached descriptor says where the device is. Its name may be given to another
device at any time, and any program may change its alias or copy it to another device.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.linux import tun
from wintun_api.drivers.linux.counters import (
    IFLA_IFALIAS,
    MAX_MESSAGE,
    LinkMessage,
    Place,
    find_link,
    is_own,
    number_of,
    parse_link,
    read_handed,
    read_link,
)
from wintun_api.drivers.linux.failure import EBADFD
from wintun_api.drivers.linux.headers import (
    AF_NETLINK,
    NETLINK_ROUTE,
    NUMBER,
    RTM_DELLINK,
    RTMGRP_LINK,
    SOL_NETLINK,
)
from wintun_api.drivers.linux.identity import MARK_PREFIX, alias_start, mark_start
from wintun_api.drivers.linux.queue_losses import QueueLosses
from wintun_api.drivers.linux.socket_filter import Program, attach, of_link
from wintun_api.errors import DriverError

NETLINK_LISTEN_ALL_NSID = 8  # linux/netlink.h

_UNKNOWN = 1 << 32  # packets that may wait: more than there can be
_ATTEMPTS = 4  # a device that is moved during the reading is read again


class LinkTracker:
    """Follow one device that a descriptor is attached to. Any thread, one at a time.

    Without CAP_NET_BROADCAST, the kernel does not report a removal from a namespace that the device
    was moved to. It never reports a removal together with its namespace. Then the counters of the
    last reading remain.

    Args:
        guid: The device's identity.
        index: Its interface index in the network namespace of this thread.
        counters: Its counters so far.
        handed: What `read_handed` returned at the same time, while no session was attached.
        merged: Returns how many more packets the session has read than the kernel counts; None
            without offload.

    Attributes:
        counters: The last reading; after the device was deleted, its final counters.
        gone: Whether the device was deleted.
        vanished: Received packets that certainly vanished from the queue; `counters` has them as
            dropped.
    """

    def __init__(
        self,
        guid: UUID,
        index: int,
        counters: LinkCounters,
        handed: int | None = None,
        merged: Callable[[], int] | None = None,
    ) -> None:
        self.counters = counters
        self.gone = False
        self.vanished = 0
        self._losses = QueueLosses(counters, handed)
        self._merged = merged
        self._alias = alias_start(guid).encode()
        self._mark = mark_start(guid).encode()
        self._place: Place | None = Place(index)
        self._farewells: Any = _farewells_of(self._alias, index)  # recvmsg is not on Windows

    def read(self, descriptor: int, *, last: bool = False) -> LinkCounters:
        """Return the present counters, or the final ones.

        `descriptor` is the attached one, which says where the device is after it was moved. With
        `last`, no packet is read from it any more, so what waits in the queue is lost.
        """
        for _ in range(_ATTEMPTS):
            if self.gone:
                break
            self._look_at_queue()
            found = self._look(descriptor)
            # Checked only now: the reading is the device's own if it still exists afterwards.
            if not self._hear() and found is not None:
                self._count(found.counters, 0 if last else found.queue)
                break
        return self.counters

    def close(self) -> None:
        """Check whether the device was deleted, and stop listening. Idempotent."""
        self._hear()
        farewells, self._farewells = self._farewells, None
        if farewells is not None:
            farewells.close()

    def _look_at_queue(self) -> None:
        # Read before the counters, so that packets between the two readings do not look lost.
        place = self._place
        if place is not None and place.namespace is None:
            self._losses.handed(read_handed(place.index))

    def _count(self, counters: LinkCounters, waiting: int) -> None:
        merged = None if self._merged is None else self._merged()
        self.vanished = self._losses.learn(counters, waiting, merged)
        dropped = counters.received_dropped + self.vanished
        self.counters = replace(counters, received_dropped=dropped)

    def _look(self, descriptor: int) -> LinkMessage | None:
        if self._place is not None:
            found = read_link(self._place)
            if found is not None and self._says_ours(found):
                return found
        return self._find(descriptor)

    def _find(self, descriptor: int) -> LinkMessage | None:
        """Ask the descriptor where the device is."""
        try:
            namespace = tun.namespace(descriptor)
            try:
                own = is_own(namespace)
                number = None if own else number_of(namespace)
                if number is None and not own:
                    return None
                name = tun.kernel_name(descriptor)
                found = find_link(name, number)
                # Checked only now: it was the device's own name all the time.
                if found is None or tun.kernel_name(descriptor) != name:
                    return None
            finally:
                os.close(namespace)
        except DriverError as error:
            self.gone = self.gone or (error.code == EBADFD and not self._hear())
            return None
        self._place = Place(found.index, number)
        if self._farewells is not None:
            with suppress(OSError):
                attach(self._farewells, _program(self._alias, found.index))
        return found

    def _hear(self) -> bool:
        """Process the kernel's messages since the last call; return whether there were any."""
        heard = False
        while self._farewells is not None:
            try:
                content, tokens, _, _ = self._farewells.recvmsg(MAX_MESSAGE, NUMBER.size * 8)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    break
                continue  # some messages were dropped; those that the kernel kept follow
            message = parse_link(content)
            if message is not None and self._is_ours(message, _namespace_in(tokens)):
                heard = True
                self._count(message.counters, _UNKNOWN if message.moved else 0)
                self.gone = self.gone or not message.moved
                self._place = None
        return heard

    def _is_ours(self, message: LinkMessage, namespace: int | None) -> bool:
        if self._place is None:
            return self._says_ours(message)
        return Place(message.index, namespace) == self._place or self._is_marked(message)

    def _says_ours(self, message: LinkMessage) -> bool:
        if any(name.startswith(MARK_PREFIX.encode()) for name in message.altnames):
            return self._is_marked(message)
        return message.alias.startswith(self._alias)

    def _is_marked(self, message: LinkMessage) -> bool:
        return any(name.startswith(self._mark) for name in message.altnames)


def _farewells_of(alias: bytes, index: int) -> socket.socket | None:
    """Return a socket that only receives RTM_DELLINK of links with this alias or index.

    None if the kernel does not provide the socket.
    """
    farewells = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    try:
        farewells.setblocking(False)
        # The kernel only keeps a few messages, so those of other devices must be filtered out.
        attach(farewells, _program(alias, index))
        with suppress(OSError):  # only with CAP_NET_BROADCAST
            farewells.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
        farewells.bind((0, RTMGRP_LINK))
    except OSError:
        farewells.close()
        return None
    return farewells


def _program(alias: bytes, index: int) -> Program:
    return of_link(RTM_DELLINK, IFLA_IFALIAS, alias, index)


def _namespace_in(tokens: Iterable[tuple[int, int, bytes]]) -> int | None:
    """Return the number of the namespace of a message; None for the socket's own."""
    for level, kind, content in tokens:
        if (level, kind) == (SOL_NETLINK, NETLINK_LISTEN_ALL_NSID):
            number: int = NUMBER.unpack_from(content)[0]
            return number
    return None
