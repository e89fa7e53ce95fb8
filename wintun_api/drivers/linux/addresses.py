"""From the addresses a device has to those it shall have, by the difference."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Interface

from wintun_api.drivers.base import IPInterface
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.linux.rtnetlink import Link, RouteSocket
from wintun_api.errors import DriverError, InvalidArgument


def set_addresses(route: RouteSocket, link: Link, addresses: Sequence[IPInterface]) -> None:
    """Make exactly these the link's addresses; what is there already is not touched.

    Link-local IPv6 addresses that the kernel made stay. When one address is refused, those that
    were there before are there again.

    Raises:
        InvalidArgument: A group address or the unspecified one.
        DriverError: The kernel refuses one, because IPv6 is disabled for instance.
    """
    wanted = list(dict.fromkeys(_checked(interface) for interface in addresses))
    present = {found.interface: found for found in route.addresses_of(link.index)}
    # The kernel knows an IPv6 address once, whatever its prefix: the old one must go first.
    wanted_v6 = {interface.ip for interface in wanted if interface.version == 6}
    surplus = [interface for interface in present if interface not in wanted]
    first = [interface for interface in surplus if interface.ip in wanted_v6]
    then = [one for one in surplus if one not in first and present[one].assigned]

    _delete(route, link, first)
    added: list[IPInterface] = []
    try:
        for interface in wanted:
            if interface not in present:
                _add(route, link, interface)
                added.append(interface)
    except DriverError:
        with suppress(DriverError):
            _delete(route, link, added)
            for interface in first:
                route.add_address(link.index, interface)
        raise
    _delete(route, link, then)
    # The first IPv4 address of a subnet takes the others with it, unless promote_secondaries.
    left = {found.interface for found in route.addresses_of(link.index)}
    for interface in wanted:
        if interface not in left:
            _add(route, link, interface)


def _checked(interface: IPInterface) -> IPInterface:
    if interface.ip.is_multicast or interface.ip.is_unspecified:
        raise InvalidArgument("addresses", f"{interface} is no address of an adapter.")
    if isinstance(interface, IPv6Interface):
        # Without a zone, as the kernel gives it back.
        return IPv6Interface((IPv6Address(int(interface.ip)), interface.network.prefixlen))
    return interface


def _add(route: RouteSocket, link: Link, interface: IPInterface) -> None:
    try:
        route.add_address(link.index, interface)
    except DriverError as error:
        if error.code == errno.EEXIST:
            return
        detail = _reason(error.code, link) if interface.version == 6 else ""
        if not detail:
            raise
        raise DriverError(
            "RTM_NEWADDR", error.code, f"{interface}: {detail}", domain="errno"
        ) from None


def _reason(code: int, link: Link) -> str:
    """Say what the kernel means by refusing an IPv6 address (net/ipv6/addrconf.c)."""
    if link.mtu < MIN_MTU_IPV6:
        return f"IPv6 needs an MTU of {MIN_MTU_IPV6} bytes; the adapter has {link.mtu}."
    if code == errno.EACCES:  # a missing privilege is EPERM
        variable = f"net.ipv6.conf.{link.kernel_name}.disable_ipv6"
        return f"IPv6 is disabled on the adapter ({variable})."
    if code in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
        return "The kernel runs without IPv6."
    return ""


def _delete(route: RouteSocket, link: Link, interfaces: Iterable[IPInterface]) -> None:
    for interface in interfaces:
        try:
            route.delete_address(link.index, interface)
        except DriverError as error:
            if error.code != errno.EADDRNOTAVAIL:
                raise
