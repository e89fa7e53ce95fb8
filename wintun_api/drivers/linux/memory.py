"""Remember which device is which adapter, even if all its identifying marks are removed.

An interface index belongs to one device until the kernel sends RTM_DELLINK, because the device was
deleted or moved to another network namespace. So an identity that was read once remains valid until
such a message arrives, whatever other programs write to the device.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock
from weakref import finalize

from wintun_api.drivers.linux.headers import (
    AF_NETLINK,
    LINK,
    MESSAGE,
    NETLINK_ROUTE,
    RTM_DELLINK,
    RTMGRP_LINK,
)
from wintun_api.drivers.linux.identity import Identity
from wintun_api.drivers.linux.socket_filter import attach, of_kind

MAX_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Remembered:
    """Hold the last reading of a device.

    Attributes:
        identity: The adapter's identity.
        marks: The alternative names that the device had for it.
    """

    identity: Identity
    marks: frozenset[str] = frozenset()


class Memory:
    """Keep identities by interface index, in the network namespace of its first use. Any thread.

    Attributes:
        lock: Hold it from before reading devices until after `note`, so that a device deleted in
            between is not remembered.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._known: dict[int, Remembered] = {}
        self._deletions: int | None = None
        self._close: Callable[[], object] = lambda: None

    def recall(self) -> Mapping[int, Remembered]:
        """Return what is known about existing devices. Call it after reading them."""
        with self.lock:
            if self._deletions is None:
                self._known.clear()
                self._deletions = _deletions()
                if self._deletions is not None:
                    # So a driver that was never closed does not leave a descriptor behind.
                    self._close = finalize(self, os.close, self._deletions)
            while self._deletions is not None:
                try:
                    message = os.read(self._deletions, MESSAGE.size + LINK.size)
                except BlockingIOError:
                    break
                except OSError as error:
                    self._known.clear()  # the kernel could not keep all messages
                    if error.errno != errno.ENOBUFS:
                        self.close()
                    continue
                self._known.pop(LINK.unpack_from(message, MESSAGE.size)[2], None)
            return self._known

    def note(self, index: int, remembered: Remembered) -> None:
        """Remember a device, up to `MAX_REMEMBERED` devices."""
        with self.lock:
            if index in self._known or len(self._known) < MAX_REMEMBERED:
                self._known[index] = remembered

    def close(self) -> None:
        """Forget everything and stop listening. Idempotent."""
        with self.lock:
            self._known.clear()
            self._deletions = None
            self._close()


def _deletions() -> int | None:
    """Return a descriptor that gets RTM_DELLINK; None if the kernel does not provide it."""
    deletions = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    try:
        deletions.setblocking(False)
        attach(deletions, of_kind(RTM_DELLINK))
        deletions.bind((0, RTMGRP_LINK))
    except OSError:
        deletions.close()
        return None
    return deletions.detach()
