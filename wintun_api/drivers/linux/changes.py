"""Detect whether links, addresses, routes or DNS settings have changed since the last check.

The kernel notifies members of a group of every change by any program (rtnetlink(7)). Without a
notification, what was read before is still true. Reading it again would take milliseconds of the
interpreter, during which packets wait.
"""

from __future__ import annotations

import errno
import itertools
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wintun_api.drivers.linux.files_watch import FilesWatch
from wintun_api.drivers.linux.headers import AF_NETLINK, LINKS_ADDRESSES_ROUTES, NETLINK_ROUTE

EPOLLIN = 0x1  # sys/epoll.h

_select: Any = select


class OwnChanges:
    """Tell what this driver itself has changed at once: the kernel reports some of it late.

    Every handle of a driver notes its changes here, on any thread.

    Attributes:
        latest: A number that differs after every change.
    """

    def __init__(self) -> None:
        self.latest = 0
        self._numbers = itertools.count(1)

    def note(self) -> None:
        """Note a change, or an attempt that may have changed something."""
        self.latest = next(self._numbers)


class Changes:
    """Listen in the network namespace in which it is created. One thread at a time.

    Args:
        directories: Directories of files with other settings, whose changes also count.

    Raises:
        OSError: The kernel does not provide the socket.
    """

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        try:
            self._socket.setblocking(False)
            self._socket.bind((0, LINKS_ADDRESSES_ROUTES))
        except OSError:
            self._socket.close()
            raise
        self._files: FilesWatch | None = None
        self._either: Any = None
        if directories:
            with suppress(OSError):  # then only the kernel's notifications are used
                self._files = FilesWatch(directories)
                self._either = _select.epoll()  # not on Windows
                for one in (self._socket, self._files):
                    self._either.register(one.fileno(), EPOLLIN)

    def fileno(self) -> int:
        """Return a descriptor that is readable until `seen` is called."""
        return int((self._either or self._socket).fileno())

    def seen(self) -> bool:
        """Return whether something changed since the last call. Never blocks."""
        changed = self._files is not None and self._files.seen()
        while True:
            try:
                self._socket.recv(1)  # what changed does not matter: the rest is discarded
            except BlockingIOError:
                return changed
            except OSError as error:
                if (
                    error.errno != errno.ENOBUFS
                ):  # not merely more messages than the kernel could keep
                    raise
            changed = True

    def close(self) -> None:
        """Leave the groups. Idempotent."""
        self._socket.close()
        for one in (self._either, self._files):
            if one is not None:
                one.close()
