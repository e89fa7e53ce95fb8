"""Subnets that no other test process of this machine has at the same time.

A process holds one of 256 slots for as long as it lives: on Linux by the name of a UNIX socket,
which exists once per network namespace, on other systems by a lock on a file. A slot has 32 subnets
of IPv4, of the addresses that are set aside for benchmarks of networks (RFC 2544: 198.18.0.0/15),
and as many of IPv6, of one unique local prefix (RFC 4193).
"""

from __future__ import annotations

import heapq
import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path
from typing import IO, Final

SLOTS: Final = 256
PER_SLOT: Final = 32
_PREFIX_V4: Final = 28
_PREFIX_V6: Final = 64
_FIRST_V4: Final = int(IPv4Address("198.18.0.0"))
_FIRST_V6: Final = int(IPv6Address("fd57:494e:5455::"))


@dataclass(frozen=True, slots=True, order=True)
class Subnet:
    """A subnet of IPv4 and one of IPv6; `number` tells it from all others of the machine."""

    number: int

    @property
    def v4(self) -> IPv4Interface:
        """The first address, with the prefix length."""
        return IPv4Interface((_FIRST_V4 + (self.number << 32 - _PREFIX_V4) + 1, _PREFIX_V4))

    @property
    def v6(self) -> IPv6Interface:
        """The first address, with the prefix length."""
        return IPv6Interface((_FIRST_V6 + (self.number << 128 - _PREFIX_V6) + 1, _PREFIX_V6))


def neighbour(address: IPv4Interface | IPv6Interface) -> IPv4Address | IPv6Address | None:
    """Return an address beside this one in its subnet; None if the subnet has no other one."""
    for near in (1, -1):
        try:
            candidate = address.ip + near
        except ValueError:  # the first or the last address that there is
            continue
        edges = (address.network.network_address, address.network.broadcast_address)
        narrow = address.network.prefixlen >= address.max_prefixlen - 1
        if candidate in address.network and (narrow or candidate not in edges):
            return candidate
    return None


class Subnets:
    """Give out the subnets of one slot. One thread at a time."""

    def __init__(self) -> None:
        self._held, slot = _hold_a_slot()
        self._free = [Subnet(slot * PER_SLOT + number) for number in range(PER_SLOT)]

    def take(self) -> Subnet:
        """Return a subnet that is free.

        Raises:
            RuntimeError: All of them are in use.
        """
        if not self._free:
            raise RuntimeError(
                f"A test process can have {PER_SLOT} adapters at a time, and all are in use."
            )
        return heapq.heappop(self._free)

    def give_back(self, subnet: Subnet) -> None:
        """Take a subnet back."""
        heapq.heappush(self._free, subnet)

    def close(self) -> None:
        """Free the slot for other processes."""
        self._held.close()


def _hold_a_slot() -> tuple[socket.socket | IO[bytes], int]:
    first = os.getpid() % SLOTS
    for number in range(SLOTS):
        slot = (first + number) % SLOTS
        held = _hold(slot)
        if held is not None:
            return held, slot
    raise RuntimeError(f"There are {SLOTS} test processes that use wintun-api on this machine.")


if sys.platform == "linux":

    def _hold(slot: int) -> socket.socket | None:
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0wintun-api-testing-{slot}")  # a name in no file system (unix(7))
        except OSError:
            holder.close()
            return None
        return holder

else:

    def _hold(slot: int) -> IO[bytes] | None:
        path = Path(tempfile.gettempdir()) / f"wintun-api-testing-{slot}.lock"
        try:
            holder = path.open("ab")
        except OSError:  # another user's
            return None
        try:
            if sys.platform == "win32":
                import msvcrt

                holder.seek(0)
                msvcrt.locking(holder.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder.close()
            return None
        return holder
