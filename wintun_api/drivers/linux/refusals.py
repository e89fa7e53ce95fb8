"""What the kernel means by refusing an address or a route, in words."""

from __future__ import annotations

import errno
import os
import socket

from wintun_api.drivers.base import IPInterface, Route
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.netlink import Netlink, Refusal
from wintun_api.drivers.linux.route_messages import (
    IP6_RT_PRIO_USER,
    PROTOCOLS,
    Owner,
    find_owner,
    row_of,
)
from wintun_api.drivers.linux.rtnetlink import Link
from wintun_api.errors import DriverError, RouteExists, SettingRefused

# What says nothing about the address or route: no privilege, no memory.
_OF_THE_PROCESS = frozenset((errno.EPERM, errno.ENOMEM, errno.ENOBUFS))
# What the kernel answers where IPv6 is off or absent, by how it is (net/ipv6/addrconf.c, route.c).
_WITHOUT_IPV6 = frozenset(
    (errno.EACCES, errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)
)
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
        return _route_exists(function, find_owner(netlink, row_of(route)), route)
    found = _no_ipv6(function, refusal, link, route.destination)
    if found is not None:
        return found
    if code in (errno.ENETDOWN, errno.EHOSTDOWN) or (code == errno.EINVAL and not link.up):
        detail = f"{route.destination}: The interface {link.kernel_name} is set down."
        hint = f"Set it up with ip link set {link.kernel_name} up, and send the request again."
        return SettingRefused(function, code, detail, domain="errno", hint=hint)
    if route.next_hop is not None and code in (
        errno.EINVAL,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
    ):
        detail = f"{route.destination}: {route.next_hop} cannot be the next hop. {_words(refusal)}"
        hint = (
            "Leave next_hop out, as most tunnels do, or name a host that is reached through this "
            "adapter: none of its own addresses, no broadcast address, and none that a route of "
            "another interface leads to."
        )
        return SettingRefused(function, code, detail, domain="errno", hint=hint)
    return _refused(function, refusal, link, route.destination)


def stayed(function: str, what: str) -> SettingRefused:
    """Return the exception for settings that did not become what they were set to."""
    return SettingRefused(
        function,
        errno.EBUSY,
        what,
        domain="errno",
        hint="Another program seems to set the addresses of this interface: tell it to leave the "
        "interface alone, and send the request again.",
    )


def _no_ipv6(function: str, refusal: Refusal, link: Link, what: object) -> DriverError | None:
    if getattr(what, "version", 4) != 6 or refusal.code not in _WITHOUT_IPV6:
        return None
    if link.mtu < MIN_MTU_IPV6:
        cause = f"IPv6 needs an MTU of {MIN_MTU_IPV6} bytes; the adapter has {link.mtu}."
        hint = f"Set an MTU of at least {MIN_MTU_IPV6}, or leave IPv6 out."
    elif refusal.code == errno.EACCES:  # a missing privilege is EPERM
        variable = f"net.ipv6.conf.{link.kernel_name}.disable_ipv6"
        cause = f"IPv6 is disabled on the adapter ({variable})."
        hint = f"Enable it with sysctl {variable}=0, or leave IPv6 out."
    elif refusal.code in _ABSENT:
        cause = "The kernel runs without IPv6."
        hint = "Leave IPv6 out, or start the kernel with it."
    else:
        return None
    return SettingRefused(function, refusal.code, f"{what}: {cause}", domain="errno", hint=hint)


def _route_exists(function: str, owner: Owner | None, route: Route) -> RouteExists:
    version6 = route.destination.version == 6
    metric = route.metric or (IP6_RT_PRIO_USER if version6 else 0)
    if owner is None:
        whose, command = "by another program", ""
    else:
        protocol = PROTOCOLS.get(owner.protocol, str(owner.protocol))
        device = f"into {_device(owner.device)}" if owner.device else "into no single interface"
        whose = f"{device}, of protocol {protocol}"
        family = "-6 " if version6 else ""
        command = f" (ip {family}route del {route.destination} metric {metric})"
    return RouteExists(
        function,
        errno.EEXIST,
        f"{route.destination}: There is a route of metric {metric} to it already, {whose}.",
        domain="errno",
        hint=f"Give this route another metric, where smaller is preferred, or remove the other "
        f"one first{command}.",
    )


def _refused(function: str, refusal: Refusal, link: Link, what: object) -> DriverError:
    if refusal.code == errno.ENODEV:
        return driver_error(function, refusal.code)
    detail = f"{what}: {link.kernel_name} cannot have it. {_words(refusal)}"
    return SettingRefused(function, refusal.code, detail, domain="errno")


def _words(refusal: Refusal) -> str:
    words = refusal.reason.removeprefix("ipv4: ").removeprefix("IPv6: ").rstrip(".")
    return f"The kernel says: {words or os.strerror(refusal.code)}."


def _device(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"the interface of index {index}"
