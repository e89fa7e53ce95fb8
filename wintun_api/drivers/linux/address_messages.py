"""Convert addresses to and from the messages of rtnetlink(7)."""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_interface
from socket import AF_INET

from wintun_api.drivers.base import IPInterface, IPNetwork
from wintun_api.drivers.linux.headers import AF_INET6, RTM_DELADDR, RTM_NEWADDR
from wintun_api.drivers.linux.netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    WORD,
    Netlink,
    Request,
    attribute,
    attributes,
)

# linux/if_addr.h
RTM_GETADDR = 22
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO = 1, 2, 6, 8, 9, 11
IFA_F_NODAD, IFA_F_DEPRECATED, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 0x02, 0x20, 0x80, 0x200
IFAPROT_KERNEL_RA, IFAPROT_KERNEL_LL = 2, 3
FOREVER = 0xFFFFFFFF
IP6_RT_PRIO_ADDRCONF = 256  # ipv6_route.h: the metric of a route that an address makes

ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
LIFETIMES = struct.Struct("=IIII")  # ifa_cacheinfo: preferred, valid, created, changed


@dataclass(frozen=True, slots=True)
class AddressRow:
    """Describe an address of a device with everything that the kernel reports.

    Attributes:
        interface: Address and prefix length; with a peer, the peer's prefix length.
        peer: The other end of a point-to-point address (ip-address(8)); None without one.
        flags: IFA_F_*.
        protocol: Who added it (IFA_PROTO, since Linux 5.18); 0 if unknown.
        metric: The metric of the route to its network.
        body: The message's body, which can add the same address again.
    """

    interface: IPInterface
    peer: IPInterface | None
    flags: int
    protocol: int
    metric: int
    body: bytes

    @property
    def plain(self) -> bool:
        """Whether this program could have added it: it has no peer and does not expire."""
        lasting = self.flags & (IFA_F_PERMANENT | IFA_F_DEPRECATED) == IFA_F_PERMANENT
        return self.peer is None and lasting

    @property
    def network(self) -> IPNetwork | None:
        """The network to which the kernel has a route because of it; None without one."""
        if self.flags & IFA_F_NOPREFIXROUTE:
            return None
        network = (self.peer or self.interface).network
        if network.version == 4 and network.network_address.packed[0] == 0:
            return None  # fib_frontend.c: ipv4_is_zeronet
        return network if network.num_addresses > 1 or self.peer is not None else None

    def reached(self, networks: Collection[tuple[bytes, int]]) -> bool:
        """Tell whether its network is reached, by those that the kernel has made routes to."""
        network = self.network
        if network is None:
            return not self.flags & IFA_F_NOPREFIXROUTE
        return (network.network_address.packed, network.prefixlen) in networks

    def __str__(self) -> str:
        if self.peer is None:
            return str(self.interface)
        return f"{self.interface.ip} peer {self.peer}"

    def by_kernel(self, tells_protocol: bool) -> bool:
        """Return whether it is the link-local address that the kernel added by itself.

        If the kernel does not say, this is assumed for every one that is not like ours.
        """
        if self.interface.version == 4 or not self.interface.ip.is_link_local:
            return False
        if tells_protocol:
            return self.protocol in (IFAPROT_KERNEL_LL, IFAPROT_KERNEL_RA)
        return not self.flags & IFA_F_NODAD

    def add_request(self) -> Request:
        """Return a request that adds it again."""
        return Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, self.body)

    def restore_request(self) -> Request:
        """Return a request that restores its lifetimes."""
        return Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, self.body)

    def delete_request(self) -> Request:
        """Return a request that removes this address and no similar one."""
        found = attributes(self.body, ADDRESS.size)
        body = self.body[: ADDRESS.size]
        for kind in (IFA_ADDRESS, IFA_LOCAL):
            if kind in found:
                body += attribute(kind, found[kind])
        return Request(RTM_DELADDR, 0, body)


def rows_of(netlink: Netlink, index: int) -> list[AddressRow]:
    """Return the addresses of a device in the kernel's order."""
    body = ADDRESS.pack(0, 0, 0, 0, index)
    found = netlink.dump("RTM_GETADDR", RTM_GETADDR, body)
    # Kernels without strict checking return the addresses of every device.
    return [_row(message) for message in found if ADDRESS.unpack_from(message)[4] == index]


def add_request(interface: IPInterface, index: int, *, replace: bool = False) -> Request:
    """Return a request that adds an address; IPv6 without duplicate address detection."""
    flags = NLM_F_CREATE | (NLM_F_REPLACE if replace else NLM_F_EXCL)
    return Request(RTM_NEWADDR, flags, _body(interface, index))


def delete_request(interface: IPInterface, index: int) -> Request:
    """Return a request that removes such an address."""
    return Request(RTM_DELADDR, 0, _body(interface, index))


def _body(interface: IPInterface, index: int) -> bytes:
    version6 = interface.version == 6
    packed, length = interface.ip.packed, interface.network.prefixlen
    family, flags = (AF_INET6, IFA_F_NODAD) if version6 else (AF_INET, 0)
    body = ADDRESS.pack(family, length, flags, 0, index)
    body += attribute(IFA_LOCAL, packed) + attribute(IFA_ADDRESS, packed)
    return body + attribute(IFA_CACHEINFO, LIFETIMES.pack(FOREVER, FOREVER, 0, 0))


def _row(body: bytes) -> AddressRow:
    family, length, flags, _, _ = ADDRESS.unpack_from(body)
    found = attributes(body, ADDRESS.size)
    # With a peer IFA_ADDRESS is the peer's; IPv6 without one has no IFA_LOCAL.
    address = found.get(IFA_ADDRESS, b"")
    local = found.get(IFA_LOCAL, address) or bytes(16 if family == AF_INET6 else 4)
    if IFA_FLAGS in found:
        flags = WORD.unpack(found[IFA_FLAGS])[0]
    metric = WORD.unpack(found[IFA_RT_PRIORITY])[0] if IFA_RT_PRIORITY in found else 0
    return AddressRow(
        interface=ip_interface((local, length)),
        peer=ip_interface((address, length)) if address not in (b"", local) else None,
        flags=flags,
        protocol=found.get(IFA_PROTO, b"\0")[0],
        metric=metric or (IP6_RT_PRIO_ADDRCONF if family == AF_INET6 else 0),
        body=body,
    )
