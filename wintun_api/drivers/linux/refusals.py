"""Explain in words why the kernel refused an address or a route."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from wintun_api.drivers.base import IPInterface, IPNetwork, Route
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.netlink import Netlink, Refusal
from wintun_api.drivers.linux.route_messages import (
    IP6_RT_PRIO_USER,
    PROTOCOLS,
    RTPROT_KERNEL,
    Owner,
    find_owner,
    row_of,
)
from wintun_api.drivers.linux.rtnetlink import Link
from wintun_api.drivers.network_check import ipv6_needs_mtu, own_network_taken
from wintun_api.errors import DriverError, RouteExists, SettingRefused

# Errors that do not depend on the address or route: no privilege, no memory.
_OF_THE_PROCESS = frozenset((errno.EPERM, errno.ENOMEM, errno.ENOBUFS))
# The kernel's answers if IPv6 is disabled or absent (net/ipv6/addrconf.c, route.c).
_WITHOUT_IPV6 = frozenset(
    (errno.EACCES, errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)
)
NEW_INTERFACES = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
_ABSENT = frozenset((errno.EOPNOTSUPP, errno.EAFNOSUPPORT))


def address_refused(refusal: Refusal, link: Link, interface: IPInterface) -> DriverError:
    """Return the exception for an address that the kernel refused."""
    function, code = "RTM_NEWADDR", refusal.code
    if code in _OF_THE_PROCESS:
        return driver_error(function, code)
    found = _no_ipv6(function, refusal, link, interface)
    return found or _refused(function, refusal, link, interface)


def route_refused(netlink: Netlink, refusal: Refusal, link: Link, route: Route) -> DriverError:
    """Return the exception for a route that the kernel refused."""
    function, code = "RTM_NEWROUTE", refusal.code
    if code in _OF_THE_PROCESS:
        return driver_error(function, code)
    if code == errno.EEXIST:
        return _route_exists(function, find_owner(netlink, row_of(route)), route, link)
    found = _no_ipv6(function, refusal, link, route.destination)
    if found is not None:
        return found
    if code in (errno.ENETDOWN, errno.EHOSTDOWN) or (code == errno.EINVAL and not link.up):
        detail = f"{route.destination}: The interface {link.kernel_name} is set down."
        hint = f"Run ip link set {link.kernel_name} up, or restore the adapter, then try again."
        return SettingRefused.from_call(function, code, detail, domain="errno", hint=hint)
    if route.next_hop is not None and code in (
        errno.EINVAL,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
    ):
        detail = f"{route.destination}: {route.next_hop} cannot be the next hop. {_words(refusal)}"
        hint = (
            "Give no next hop, as most tunnels do, or use a host that is reached through this "
            "adapter. It must not be one of the adapter's own addresses, a broadcast address, or "
            "an address that is reached through another interface."
        )
        return SettingRefused.from_call(function, code, detail, domain="errno", hint=hint)
    return _refused(function, refusal, link, route.destination)


def stayed(what: str) -> SettingRefused:
    """Return the exception for settings that differ from what was set."""
    return SettingRefused(
        detail=what,
        hint="Another program seems to set the addresses of this interface. Configure it to ignore "
        "the interface, then try again.",
    )


def _no_ipv6(
    function: str, refusal: Refusal, link: Link, what: IPInterface | IPNetwork
) -> DriverError | None:
    if what.version != 6 or refusal.code not in _WITHOUT_IPV6:
        return None
    if link.mtu < MIN_MTU_IPV6:
        detail, hint = ipv6_needs_mtu(what, link.mtu)
        return SettingRefused.from_call(function, refusal.code, detail, domain="errno", hint=hint)
    if refusal.code == errno.EACCES:  # a missing privilege is EPERM
        variable = f"net.ipv6.conf.{link.kernel_name}.disable_ipv6"
        cause = f"IPv6 is disabled on the adapter ({variable})."
        hint = f"Enable it with sysctl {variable}=0, or do not use IPv6."
        if _is_set(NEW_INTERFACES):  # the adapter may have been removed after its creation failed
            hint = (
                "Enable it for new interfaces with sysctl net.ipv6.conf.default.disable_ipv6=0, "
                f"and for an existing adapter with sysctl {variable}=0. Or do not use IPv6."
            )
    elif refusal.code in _ABSENT:
        cause = "The kernel runs without IPv6."
        hint = "Do not use IPv6, or boot the kernel with IPv6."
    else:
        return None
    return SettingRefused.from_call(
        function, refusal.code, f"{what}: {cause}", domain="errno", hint=hint
    )


def _is_set(variable: Path) -> bool:
    try:
        return variable.read_text().strip() != "0"
    except OSError:
        return False


def _route_exists(function: str, owner: Owner | None, route: Route, link: Link) -> RouteExists:
    if owner == Owner(link.index, RTPROT_KERNEL):
        detail, hint = own_network_taken(route)
        return RouteExists.from_call(function, errno.EEXIST, detail, domain="errno", hint=hint)
    version6 = route.destination.version == 6
    metric = route.metric or (IP6_RT_PRIO_USER if version6 else 0)
    if owner is None:
        whose, command = "set by another program", ""
    else:
        protocol = PROTOCOLS.get(owner.protocol, str(owner.protocol))
        device = f"into {name_of(owner.device)}" if owner.device else "into no single interface"
        whose = f"{device}, of protocol {protocol}"
        family = "-6 " if version6 else ""
        command = f" (ip {family}route del {route.destination} metric {metric})"
    return RouteExists.from_call(
        function,
        errno.EEXIST,
        f"{route.destination}: A route with metric {metric} already exists, {whose}.",
        domain="errno",
        hint=f"Give this route another metric (smaller is preferred), or remove the other route "
        f"first{command}.",
    )


def _refused(function: str, refusal: Refusal, link: Link, what: object) -> DriverError:
    if refusal.code == errno.ENODEV:
        return driver_error(function, refusal.code)
    detail = f"{what}: {link.kernel_name} cannot have it. {_words(refusal)}"
    return SettingRefused.from_call(function, refusal.code, detail, domain="errno")


def _words(refusal: Refusal) -> str:
    words = refusal.reason.removeprefix("ipv4: ").removeprefix("IPv6: ").rstrip(".")
    return f"The kernel says: {words or os.strerror(refusal.code)}."


def name_of(index: int) -> str:
    """Return what the kernel calls an interface."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"the interface with index {index}"
