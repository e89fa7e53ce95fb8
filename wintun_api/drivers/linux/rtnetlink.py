"""Read and change links over rtnetlink(7) through pyroute2.

A `RouteSocket` is opened for each management call and closed after it. That costs a millisecond and
needs no lock between threads, while a pyroute2 socket that is kept grows with every request.
pyroute2 runs its own event loop, so it cannot be used on a thread that already runs one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.linux.changes import OwnChanges
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.headers import IFF_UP
from wintun_api.drivers.linux.identity import Identity, identify, is_mark, parse_marks
from wintun_api.drivers.linux.memory import Memory, Remembered
from wintun_api.errors import DriverError

IFLA_TUN_TYPE_TUN = 1  # if_tun.h: IFF_TUN; IFF_TAP is 2

_DUMP_ATTEMPTS = 5  # a dump that a change interrupts is repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Describe an adapter's device as the kernel reports it.

    Attributes:
        index: Interface index, unique in its network namespace.
        kernel_name: Its name in ip(8).
        identity: The identity from its alias and alternative names, or from memory.
        mtu: Bytes.
        up: Whether it is set up.
        carrier: Whether a session is attached, of any process.
        counters: Counters from IFLA_STATS64, as seen from the application.
        altnames: Its alternative names.
        lost: The parts of its identity that others have removed: "alias TEXT" and "altname TEXT".
        marked: Whether its alternative names alone identify the adapter.
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
    """Talk to the kernel; a context manager for one thread.

    Every method raises `DriverError` with an errno number and the message's name (rtnetlink(7)):
    `AccessDenied` without CAP_NET_ADMIN, `AdapterNotFound` if the link does not exist.

    Args:
        memory: Remembers which devices are adapters, even if nothing on them says so.
        own_changes: Counts every change.
    """

    def __init__(self, memory: Memory | None = None, own_changes: OwnChanges | None = None) -> None:
        # These modules take some ten megabytes, so they are only imported if needed.
        from pyroute2 import IPRoute

        with _naming("socket"):
            self._route: Any = IPRoute()
        self._memory = memory
        self._own_changes = own_changes or OwnChanges()

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
        """Return the devices of all our adapters, by index.

        If several devices have an adapter's alias, only the adapter's own device is returned.
        """
        with self._remembering():
            messages = _dump("RTM_GETLINK", lambda: self._route.link("dump", kind="tun"))
            known = self._recall()
            found = [link for message in messages if (link := _link_of(message, known))]
            # Alternative names cannot be copied. Then the one seen first or created first wins.
            found.sort(key=lambda link: (not link.marked, link.index not in known, link.index))
            links: dict[UUID, Link] = {}
            for link in found:
                links.setdefault(link.identity.guid, link)
            for link in links.values():
                self._note(link, known)
        return sorted(links.values(), key=lambda link: link.index)

    def link(self, index: int) -> Link | None:
        """Return the adapter's device with this index; None if there is none or it is not ours."""
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
        """Change attributes of a link, under pyroute2's names, in one message."""
        with self._changing("RTM_NEWLINK"):
            self._route.link("set", index=index, **attributes)

    def add_altnames(self, index: int, names: Sequence[str]) -> None:
        """Add alternative names to a link in one message (ip-link(8): altname)."""
        with self._changing("RTM_NEWLINKPROP"):
            self._route.link("property_add", index=index, altname=list(names))

    def delete_altnames(self, index: int, names: Sequence[str]) -> None:
        """Remove alternative names from a link."""
        with self._changing("RTM_DELLINKPROP"):
            self._route.link("property_del", index=index, altname=list(names))

    def delete_link(self, index: int) -> None:
        """Remove the device, even if a session is attached."""
        with self._changing("RTM_DELLINK"):
            self._route.link("del", index=index)

    @contextmanager
    def _changing(self, function: str) -> Iterator[None]:
        try:
            with _naming(function):
                yield
        finally:
            self._own_changes.note()

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
    """Convert errors of pyroute2 and the socket to the exceptions of the package."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        yield
    except NetlinkError as error:
        raise driver_error(function, error.code) from None
    except OSError as error:
        raise driver_error(function, error.errno or 0) from None


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
    # Kernels before 4.19 do not distinguish TUN from TAP.
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    if data is not None and data.get_attr("IFLA_TUN_TYPE") != IFLA_TUN_TYPE_TUN:
        return None
    # The kernel's TX is what it gave to the application; its RX is what it got from there.
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
