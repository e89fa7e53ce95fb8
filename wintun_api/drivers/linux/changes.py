"""Whether links, addresses or routes have changed since somebody looked (rtnetlink(7), groups).

The kernel tells whoever joined a group of every change, whoever made it. What was read before is
still true while nothing has come, and to read it again costs milliseconds of the interpreter, for
which packets wait.
"""

from __future__ import annotations

import errno
import socket

# linux/netlink.h, linux/rtnetlink.h
AF_NETLINK = 16
NETLINK_ROUTE = 0
GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # RTMGRP: LINK, IPV4_IFADDR, IPV4_ROUTE, and of IPv6


class Changes:
    """Listens in the network namespace it is made in. One thread at a time.

    Raises:
        OSError: The kernel gives no such socket.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        try:
            self._socket.setblocking(False)
            self._socket.bind((0, GROUPS))
        except OSError:
            self._socket.close()
            raise

    def seen(self) -> bool:
        """Say whether something changed since the last call. Never blocks."""
        changed = False
        while True:
            try:
                self._socket.recv(1)  # what changed does not matter: the rest is thrown away
            except BlockingIOError:
                return changed
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # more than the kernel could keep for us
                    raise
            changed = True

    def close(self) -> None:
        """Leave the groups. Idempotent."""
        self._socket.close()
