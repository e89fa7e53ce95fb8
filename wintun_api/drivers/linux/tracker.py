"""What the device of a session has counted, wherever it goes, up to its last packet.

A device is told by the GUID in its ifalias. Its name may pass to another device at any time, and
its index too, once it was moved or deleted: the kernel then sends RTM_DELLINK, before anything else
can have the index, and in it the counters that the device had at last.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from contextlib import suppress
from uuid import UUID

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.linux import tun
from wintun_api.drivers.linux.counters import (
    AF_NETLINK,
    IFLA_IFALIAS,
    LINK,
    MAX_MESSAGE,
    MESSAGE,
    NETLINK_ROUTE,
    RTM_DELLINK,
    LinkMessage,
    Place,
    find_link,
    is_own,
    number_of,
    parse_link,
    read_link,
)
from wintun_api.drivers.linux.failure import EBADFD
from wintun_api.drivers.linux.identity import alias_start
from wintun_api.errors import DriverError

RTMGRP_LINK = 0x1  # linux/rtnetlink.h
SOL_NETLINK, NETLINK_LISTEN_ALL_NSID = 270, 8  # linux/netlink.h
SO_ATTACH_FILTER = 26

# linux/filter.h: code, jump if true, jump if false, operand
INSTRUCTION = struct.Struct("=HBBI")
LOAD_HALF, LOAD_WORD, LOAD_WORD_AT, LOAD_NUMBER = 0x28, 0x20, 0x40, 0x00
LOAD_INDEX, TO_INDEX, JUMP_IF_EQUAL, RETURN = 0x01, 0x07, 0x15, 0x06
FIND_ATTRIBUTE = 0xFFFFF000 + 12  # SKF_AD_NLATTR

_ATTEMPTS = 4  # a device that is moved while it is read is read again


class LinkTracker:
    """Follows one device that a descriptor is attached to. Any thread, one at a time.

    Without CAP_NET_BROADCAST a removal from a namespace that the device was moved to is not told,
    nor ever when the namespace itself vanishes: then the counters that were last read stay.

    Args:
        guid: The device's identity.
        index: Its interface index in the network namespace of this thread.
        counters: What it has counted until now.

    Attributes:
        counters: What was read last. After the device was deleted, what it had at last.
        gone: The device was deleted.
    """

    def __init__(self, guid: UUID, index: int, counters: LinkCounters) -> None:
        self.counters = counters
        self.gone = False
        self._alias = alias_start(guid).encode()
        self._place: Place | None = Place(index)
        self._farewells = _farewells_of(self._alias)

    def read(self, descriptor: int) -> LinkCounters:
        """Return the counters as they are now, or as they were at last.

        `descriptor` is the attached one: where the device is, is asked of it when it was moved.
        """
        for _ in range(_ATTEMPTS):
            if self.gone:
                break
            found = self._look(descriptor)
            # Only now: what was read is the device's own if it was still there after it.
            if not self._hear() and found is not None:
                self.counters = found.counters
                break
        return self.counters

    def close(self) -> None:
        """Hear whether the device was deleted, and listen no more. Idempotent."""
        self._hear()
        farewells, self._farewells = self._farewells, None
        if farewells is not None:
            os.close(farewells)

    def _look(self, descriptor: int) -> LinkMessage | None:
        if self._place is not None:
            found = read_link(self._place)
            if found is not None and found.alias.startswith(self._alias):
                return found
        return self._find(descriptor)

    def _find(self, descriptor: int) -> LinkMessage | None:
        """Ask the descriptor where the device is."""
        self._place = None
        try:
            namespace = tun.namespace(descriptor)
            try:
                own = is_own(namespace)
                number = None if own else number_of(namespace)
                if number is None and not own:
                    return None
                found = find_link(tun.kernel_name(descriptor), number)
            finally:
                os.close(namespace)
        except DriverError as error:
            self.gone = self.gone or (error.code == EBADFD and not self._hear())
            return None
        if found is None or not found.alias.startswith(self._alias):
            return None
        self._place = Place(found.index, number)
        return found

    def _hear(self) -> bool:
        """Take what the kernel has told since the last call; say whether it was anything."""
        heard = False
        while self._farewells is not None:
            try:
                message = parse_link(os.read(self._farewells, MAX_MESSAGE))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    break
                continue  # more than the kernel could keep; what it has kept follows
            if message is not None and message.alias.startswith(self._alias):
                heard = True
                self.counters = message.counters
                self.gone = self.gone or not message.moved
                self._place = None
        return heard


def _farewells_of(alias: bytes) -> int | None:
    """Return a socket that gets RTM_DELLINK of the device with this alias, and nothing else.

    Its descriptor is the caller's. None where the kernel gives no such socket.
    """
    farewells = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    try:
        farewells.setblocking(False)
        # The kernel keeps a few messages only, so those of other devices must not be among them.
        program = _program(alias)
        room = ctypes.create_string_buffer(program, len(program))
        count = len(program) // INSTRUCTION.size
        pointer = struct.pack("@HP", count, ctypes.addressof(room))
        farewells.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)
        with suppress(OSError):  # only with CAP_NET_BROADCAST
            farewells.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
        farewells.bind((0, RTMGRP_LINK))
    except OSError:
        farewells.close()
        return None
    return farewells.detach()


def _program(alias: bytes) -> bytes:
    """Return the filter of a socket (linux/filter.h): a kind of message, and an alias's start."""
    checks = [(LOAD_HALF, 4, socket.htons(RTM_DELLINK))]
    words = [int.from_bytes(alias[at : at + 4], "big") for at in range(0, len(alias) // 4 * 4, 4)]
    checks += [(LOAD_WORD_AT, 4 + 4 * number, word) for number, word in enumerate(words)]
    steps = [step for check in checks for step in _check(*check)]
    find = [
        (LOAD_NUMBER, 0, 0, MESSAGE.size + LINK.size),
        (LOAD_INDEX, 0, 0, IFLA_IFALIAS),
        (LOAD_WORD, 0, 0, FIND_ATTRIBUTE),
        (JUMP_IF_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, 0),
        (TO_INDEX, 0, 0, 0),
    ]
    steps[3:3] = find  # after the kind was checked
    steps.append((RETURN, 0, 0, 0xFFFFFFFF))
    return b"".join(INSTRUCTION.pack(*step) for step in steps)


def _check(load: int, at: int, wanted: int) -> list[tuple[int, int, int, int]]:
    return [(load, 0, 0, at), (JUMP_IF_EQUAL, 1, 0, wanted), (RETURN, 0, 0, 0)]
