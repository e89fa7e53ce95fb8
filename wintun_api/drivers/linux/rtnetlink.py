"""Links as values, over rtnetlink(7) through pyroute2.

A `RouteSocket` is opened per management call and closed after it: that costs a millisecond, needs
no lock between threads, and a pyroute2 socket that is kept grows with every request. pyroute2 runs
an event loop of its own inside, so not on a thread that is running one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.identity import Identity, identify, is_mark, parse_marks
from wintun_api.drivers.linux.memory import Memory, Remembered
from wintun_api.errors import DriverError

IFF_UP = 0x1  # if.h
IFLA_TUN_TYPE_TUN = 1  # if_tun.h: IFF_TUN; IFF_TAP is 2

_DUMP_ATTEMPTS = 5  # a dump that a change interrupts is asked for again


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One adapter's device as the kernel has it now.

    Attributes:
        index: Interface index, unique in its network namespace.
        kernel_name: What ip(8) calls it.
        identity: From its alias and alternative names, or remembered.
        mtu: Bytes.
        up: Administratively.
        carrier: A session is attached, of whatever process.
        counters: From IFLA_STATS64, seen from the application.
        altnames: The alternative names that it has.
        lost: What of its identity others have taken from it: "alias TEXT" and "altname TEXT".
        marked: Its alternative names alone say which adapter it is.
    """

    index: int
    kernel_name: str
    identity: Identity
    mtu: int
    up: bool
    carrier: bool
    counters: LinkCounters
    altnames: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    marked: bool = False


class RouteSocket:
    """One conversation with the kernel; a context manager for one thread.

    Every method raises `DriverError` with errno numbers under the message's name (rtnetlink(7)):
    `AccessDenied` without CAP_NET_ADMIN, `AdapterNotFound` when there is no such link.

    Args:
        memory: Which devices are adapters though nothing on them says so any more.

    Attributes:
        changes: How often this process has changed something, by whatever socket.
    """

    changes: ClassVar[int] = 0

    def __init__(self, memory: Memory | None = None) -> None:
        # Some ten megabytes of modules: only for those who use the driver.
        from pyroute2 import IPRoute

        with _naming("socket"):
            self._route: Any = IPRoute()
        self._memory = memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._route.close()

    def index_of(self, kernel_name: str) -> int:
        """Return the interface index of any link, ours or not."""
        with _naming("RTM_GETLINK"):
            index: int = self._route.link("get", ifname=kernel_name)[0]["index"]
        return index

    def links(self) -> list[Link]:
        """Return the devices of all adapters of ours, by index.

        Of several devices with the alias of one adapter, only the adapter's own is returned.
        """
        with self._remembering():
            messages = _dump("RTM_GETLINK", lambda: self._route.link("dump", kind="tun"))
            known = self._recall()
            found = [link for message in messages if (link := _link_of(message, known))]
            # Alternative names cannot be copied. What was seen first, or made first, comes next.
            found.sort(key=lambda link: (not link.marked, link.index not in known, link.index))
            links: dict[UUID, Link] = {}
            for link in found:
                links.setdefault(link.identity.guid, link)
            for link in links.values():
                self._note(link, known)
        return sorted(links.values(), key=lambda link: link.index)

    def link(self, index: int) -> Link | None:
        """Return the adapter's device of this index, None when there is none or it is not ours."""
        try:
            with self._remembering():
                with _naming("RTM_GETLINK"):
                    message = self._route.link("get", index=index)[0]
                known = self._recall()
                link = _link_of(message, known)
                if link is not None:
                    self._note(link, known)
                return link
        except DriverError as error:
            if error.code == errno.ENODEV:
                return None
            raise

    def set_link(self, index: int, **attributes: str | int) -> None:
        """Change what pyroute2 calls `attributes` of a link, all in one message."""
        with _changing("RTM_NEWLINK"):
            self._route.link("set", index=index, **attributes)

    def add_altnames(self, index: int, names: Sequence[str]) -> None:
        """Give a link alternative names, all in one message (ip-link(8): altname)."""
        with _changing("RTM_NEWLINKPROP"):
            self._route.link("property_add", index=index, altname=list(names))

    def delete_altnames(self, index: int, names: Sequence[str]) -> None:
        """Take alternative names from a link."""
        with _changing("RTM_DELLINKPROP"):
            self._route.link("property_del", index=index, altname=list(names))

    def delete_link(self, index: int) -> None:
        """Remove the device; whoever is attached loses it."""
        with _changing("RTM_DELLINK"):
            self._route.link("del", index=index)

    def _remembering(self) -> AbstractContextManager[object]:
        return nullcontext() if self._memory is None else self._memory.lock

    def _recall(self) -> Mapping[int, Remembered]:
        return {} if self._memory is None else self._memory.recall()

    def _note(self, link: Link, known: Mapping[int, Remembered]) -> None:
        if self._memory is None:
            return
        before = known.get(link.index)
        marks = {name for name in link.altnames if is_mark(name)}
        if before is not None and before.identity == link.identity:
            marks |= before.marks
        marks &= set(link.identity.marks())
        self._memory.note(link.index, Remembered(link.identity, frozenset(marks)))


@contextmanager
def _naming(function: str) -> Iterator[None]:
    """Turn what pyroute2 and the socket raise into the exceptions of the package."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        yield
    except NetlinkError as error:
        raise driver_error(function, error.code) from None
    except OSError as error:
        raise driver_error(function, error.errno or 0) from None


@contextmanager
def _changing(function: str) -> Iterator[None]:
    try:
        with _naming(function):
            yield
    finally:
        RouteSocket.changes += 1


def _dump(function: str, ask: Callable[[], Any]) -> list[Any]:
    from pyroute2.netlink.exceptions import NetlinkDumpInterrupted

    for _ in range(_DUMP_ATTEMPTS - 1):
        try:
            with _naming(function):
                return list(ask())
        except NetlinkDumpInterrupted:
            continue
    with _naming(function):
        return list(ask())


def _link_of(message: Any, known: Mapping[int, Remembered]) -> Link | None:
    alias, properties = message.get("ifalias"), message.get_attr("IFLA_PROP_LIST")
    altnames = tuple(properties.get_attrs("IFLA_ALT_IFNAME")) if properties is not None else ()
    remembered = known.get(message["index"])
    identity = identify(alias, altnames) or (remembered.identity if remembered else None)
    if identity is None:
        return None
    if message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") != "tun":
        return None
    # Kernels before 4.19 do not tell TUN from TAP.
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    if data is not None and data.get_attr("IFLA_TUN_TYPE") != IFLA_TUN_TYPE_TUN:
        return None
    # The kernel's TX is what it gave to the application; its RX what it took from there.
    statistics = message.get_attr("IFLA_STATS64") or {}
    lost = [f"alias {identity.alias()}"] if alias != identity.alias() else []
    if remembered is not None and remembered.identity == identity:
        missing = remembered.marks.difference(altnames)
        lost += [f"altname {name}" for name in identity.marks() if name in missing]
    return Link(
        index=message["index"],
        kernel_name=message.get("ifname"),
        identity=identity,
        mtu=message.get("mtu"),
        up=bool(message["flags"] & IFF_UP),
        carrier=bool(message.get("carrier")),
        counters=LinkCounters(
            received_packets=statistics.get("tx_packets", 0),
            received_bytes=statistics.get("tx_bytes", 0),
            received_dropped=statistics.get("tx_dropped", 0),
            sent_packets=statistics.get("rx_packets", 0),
            sent_bytes=statistics.get("rx_bytes", 0),
            sent_dropped=statistics.get("rx_dropped", 0),
        ),
        altnames=altnames,
        lost=tuple(lost),
        marked=parse_marks(altnames) is not None,
    )
