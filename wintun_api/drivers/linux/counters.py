"""Read the counters of a link directly from the messages of rtnetlink(7).

A service reads them every second. With pyroute2, parsing such a message takes the interpreter fifty
times as long, during which packets wait.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.linux.headers import (
    AF_NETLINK,
    ATTRIBUTE,
    LINK,
    MESSAGE,
    NETLINK_ROUTE,
    NLA_TYPE_MASK,
    NLM_F_ACK,
    NLM_F_REQUEST,
    NUMBER,
    OWN_NAMESPACE,
    RTM_DELLINK,
    RTM_NEWLINK,
)

# linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/net_namespace.h
NLM_F_ECHO = 8
RTM_GETLINK = 18
RTM_NEWNSID, RTM_GETNSID = 88, 90
RTM_NEWQDISC, RTM_GETQDISC = 36, 38
IFLA_IFNAME, IFLA_TXQLEN, IFLA_IFALIAS, IFLA_STATS64 = 3, 13, 20, 23
IFLA_TARGET_NETNSID, IFLA_NEW_NETNSID = 46, 45
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
NETNSA_NSID, NETNSA_FD = 1, 3
TC_H_ROOT, TCA_STATS2, TCA_STATS_BASIC = 0xFFFFFFFF, 7, 1  # linux/pkt_sched.h, gen_stats.h

QDISC = struct.Struct("=B3xiIII")  # tcmsg: family, index, handle, parent, info
HANDED = struct.Struct("=QI")  # gnet_stats_basic: bytes, packets
NAMESPACE = struct.Struct("=B3x")  # rtgenmsg, padded
STATISTICS = struct.Struct("=8Q")  # the first of rtnl_link_stats64

MAX_MESSAGE = 65536


@dataclass(frozen=True, slots=True)
class Place:
    """Locate a link.

    Attributes:
        index: Its interface index.
        namespace: The number of its network namespace as the reader's namespace knows it; None for
            the reader's own.
    """

    index: int
    namespace: int | None = None


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """Hold what a message of the kernel says about a link.

    Attributes:
        kind: RTM_NEWLINK, which also answers a question, or RTM_DELLINK.
        index: Interface index.
        alias: Its ifalias; empty if it has none.
        altnames: Its alternative names.
        moved: Whether the link was moved to another network namespace.
        counters: Counters as seen from the application; for a deleted link, the final ones.
        queue: How many packets can wait for the application.
    """

    kind: int
    index: int
    alias: bytes
    moved: bool
    counters: LinkCounters
    altnames: tuple[bytes, ...] = ()
    queue: int = 0


def read_link(place: Place) -> LinkMessage | None:
    """Read a link by its index; None if the kernel does not answer."""
    return _link(LINK.pack(0, 0, place.index, 0, 0), place.namespace)


def find_link(kernel_name: str, namespace: int | None) -> LinkMessage | None:
    """Read the link with this name in a network namespace; None if there is none."""
    wanted = _attribute(IFLA_IFNAME, os.fsencode(kernel_name) + b"\0")
    return _link(LINK.pack(0, 0, 0, 0, 0) + wanted, namespace)


def read_handed(index: int) -> int | None:
    """Return how many packets the host's root qdisc has handed to a link, modulo 2**32.

    None if the kernel has no such count, for example for a link without a qdisc.
    """
    answer = _ask(RTM_GETQDISC, QDISC.pack(0, index, 0, TC_H_ROOT, 0))
    if answer is None or MESSAGE.unpack_from(answer)[1] != RTM_NEWQDISC:
        return None
    found = dict(_attributes(answer, MESSAGE.size + QDISC.size))
    counts = dict(_attributes(found.get(TCA_STATS2, b""), 0)).get(TCA_STATS_BASIC)
    packets: int | None = HANDED.unpack_from(counts)[1] if counts is not None else None
    return packets


def is_own(namespace: int) -> bool:
    """Return whether a descriptor refers to this thread's network namespace."""
    try:
        return os.path.samestat(os.fstat(namespace), OWN_NAMESPACE.stat())
    except OSError:
        return False


def number_of(namespace: int) -> int | None:
    """Return the number of a descriptor's network namespace, which is assigned if necessary.

    None if the kernel does not say.
    """
    which = NAMESPACE.pack(0) + _attribute(NETNSA_FD, NUMBER.pack(namespace))
    number = _number(which)
    if number is None:
        _ask(RTM_NEWNSID, which + _attribute(NETNSA_NSID, NUMBER.pack(-1)))
        number = _number(which)
    return number


def parse_link(message: bytes) -> LinkMessage | None:
    """Parse a message; return None if it is not about a link."""
    kind = MESSAGE.unpack_from(message)[1]
    if kind not in (RTM_NEWLINK, RTM_DELLINK):
        return None
    found = dict(_attributes(message, MESSAGE.size + LINK.size))
    # The kernel's TX is what it gave to the application; its RX is what it got from there.
    taken, given, taken_bytes, given_bytes, _, _, taken_dropped, given_dropped = (
        STATISTICS.unpack_from(found.get(IFLA_STATS64, bytes(STATISTICS.size)))
    )
    return LinkMessage(
        kind=kind,
        index=LINK.unpack_from(message, MESSAGE.size)[2],
        alias=found.get(IFLA_IFALIAS, b"").rstrip(b"\0"),
        moved=IFLA_NEW_NETNSID in found,
        counters=LinkCounters(
            received_packets=given,
            received_bytes=given_bytes,
            received_dropped=given_dropped,
            sent_packets=taken,
            sent_bytes=taken_bytes,
            sent_dropped=taken_dropped,
        ),
        altnames=tuple(
            content.rstrip(b"\0")
            for kind, content in _attributes(found.get(IFLA_PROP_LIST, b""), 0)
            if kind == IFLA_ALT_IFNAME
        ),
        queue=int.from_bytes(found.get(IFLA_TXQLEN, b""), sys.byteorder),
    )


def _link(body: bytes, namespace: int | None) -> LinkMessage | None:
    if namespace is not None:
        body += _attribute(IFLA_TARGET_NETNSID, NUMBER.pack(namespace))
    answer = _ask(RTM_GETLINK, body)
    return parse_link(answer) if answer is not None else None


def _number(which: bytes) -> int | None:
    answer = _ask(RTM_GETNSID, which)
    if answer is None or MESSAGE.unpack_from(answer)[1] != RTM_NEWNSID:
        return None
    text = dict(_attributes(answer, MESSAGE.size + NAMESPACE.size)).get(NETNSA_NSID)
    number: int = NUMBER.unpack(text)[0] if text is not None else -1
    return number if number >= 0 else None


def _ask(kind: int, body: bytes) -> bytes | None:
    """Return the first message of the kernel's answer, including an error; None without one."""
    flags = NLM_F_REQUEST | {RTM_NEWNSID: NLM_F_ACK, RTM_GETQDISC: NLM_F_ECHO}.get(kind, 0)
    try:
        with socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as route:
            route.setblocking(False)  # the answer is ready when the request has been sent
            route.send(MESSAGE.pack(MESSAGE.size + len(body), kind, flags, 1, 0) + body)
            return route.recv(MAX_MESSAGE)
    except OSError:
        return None


def _attribute(kind: int, content: bytes) -> bytes:
    size = ATTRIBUTE.size + len(content)
    return ATTRIBUTE.pack(size, kind) + content + bytes(-size % 4)


def _attributes(message: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    end = len(message)
    while at + ATTRIBUTE.size <= end:
        size, kind = ATTRIBUTE.unpack_from(message, at)
        if size < ATTRIBUTE.size:
            return
        yield kind & NLA_TYPE_MASK, message[at + ATTRIBUTE.size : at + size]
        at += size + -size % 4
