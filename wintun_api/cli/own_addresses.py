"""The addresses of this machine, by which other machines may reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

# Each is in the certificate and in every key, and a host waits for one that does not answer it.
MAX_OWN_ADDRESSES: Final = 8

# Addresses of documentation (RFC 5737, RFC 3849): a route to them is the one to other networks.
_ELSEWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses(version: int) -> list[str]:
    """Return the addresses at which other machines may reach this one, the likeliest first.

    They are those of all interfaces that are up, without loopback and link-local ones, and at most
    MAX_OWN_ADDRESSES. Those from which other networks are reached come first, then IPv4.

    Args:
        version: 4 for IPv4 alone; 6 for both.
    """
    families = [family for family, _ in _ELSEWHERE if version == 6 or family == socket.AF_INET]
    found = [*_of_routes(families)]
    for family in families:
        found += _of_interfaces(family)
    return list(dict.fromkeys(filter(_is_global, found)))[:MAX_OWN_ADDRESSES]


def _of_routes(families: list[socket.AddressFamily]) -> Iterator[str]:
    for family, elsewhere in _ELSEWHERE:
        if family in families:
            with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((elsewhere, 9))  # sends nothing
                yield str(asked.getsockname()[0])


def _of_interfaces(family: socket.AddressFamily) -> Iterator[str]:
    try:
        import psutil
    except ImportError:
        return  # a bus without the extra fleet-server: a default route has to do
    with suppress(OSError):
        states = psutil.net_if_stats()
        for name, addresses in psutil.net_if_addrs().items():
            if name in states and states[name].isup:
                yield from (one.address for one in addresses if one.family == family)


def _is_global(text: str) -> bool:
    """Return whether other machines may reach an address; one with a scope is link-local."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
