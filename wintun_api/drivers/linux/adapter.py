"""Manage one persistent TUN device and its network settings."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from wintun_api.drivers.base import (
    ADAPTER_GONE,
    AdapterInfo,
    IPAddress,
    IPInterface,
    LinkCounters,
    Route,
)
from wintun_api.drivers.limits import check_capacity, check_mtu, check_new_name
from wintun_api.drivers.linux import address_messages, addresses, marks, routes, tun
from wintun_api.drivers.linux.address_messages import AddressRow
from wintun_api.drivers.linux.calls import PacketCalls
from wintun_api.drivers.linux.changes import OwnChanges
from wintun_api.drivers.linux.counters import read_handed
from wintun_api.drivers.linux.identity import Identity, luid_of
from wintun_api.drivers.linux.log import DriverLog
from wintun_api.drivers.linux.memory import Memory
from wintun_api.drivers.linux.other_routes import Others
from wintun_api.drivers.linux.own_routes import OwnRoutes
from wintun_api.drivers.linux.resolver import Dns, Resolver
from wintun_api.drivers.linux.rtnetlink import Link, RouteSocket
from wintun_api.drivers.linux.segment_calls import ALL_KINDS, TCP_KINDS, SegmentCalls
from wintun_api.drivers.linux.session import PURGED, LinuxSession, queue_length
from wintun_api.drivers.linux.tracker import LinkTracker
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    NotSupported,
    SessionExists,
)

IPV6_SETTINGS = Path("/proc/sys/net/ipv6/conf")


class LinuxAdapter:
    """Manage one device through a handle; the kernel keeps all state.

    Management calls come from one thread at a time; each opens its own netlink socket.

    Args:
        guid: The device's identity, in its alias and alternative names.
        index: Its interface index when the handle was created.
        counters: Its counters at that time.
        sessions: The running sessions of this driver, by GUID.
        log: Gets a line for every action.
        memory: Knows which devices are adapters; shared by all handles of a driver.
        own_changes: Counts every change.
        own_routes: Our routes in the kernel; created on first use.
        resolver: Holds the DNS settings; None if the system has no such service.
        calls: Creates the object that reads and writes a session's packets.
        segments: The same for a device that leaves segmentation to the session.
        offload: Whether a session does so that is not told.
    """

    def __init__(
        self,
        guid: UUID,
        index: int,
        counters: LinkCounters,
        sessions: dict[UUID, LinuxSession],
        log: DriverLog,
        *,
        memory: Memory,
        own_changes: OwnChanges,
        own_routes: Callable[[], OwnRoutes],
        resolver: Resolver | None,
        calls: Callable[[], PacketCalls],
        segments: Callable[[int], SegmentCalls],
        offload: bool,
    ) -> None:
        self._guid = guid
        self._index = index
        self._sessions = sessions
        self._memory = memory
        self._own_changes = own_changes
        self._log = log
        self._own_routes = own_routes
        self._resolver = resolver
        self._calls = calls
        self._segments = segments
        self._offload = offload
        self._open = True
        self._counted = counters
        self._followed: LinuxSession | None = None
        self._vanished = 0  # in sessions that have ended

    @property
    def reboot_required(self) -> bool:
        """Always False: the kernel never requires a reboot."""
        return False

    def info(self) -> AdapterInfo:
        """Read the adapter from the kernel.

        Raises:
            AdapterNotFound: It was removed, or moved to another network namespace.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
        own = self._own_routes()
        read = AddressesRead.of(own, link)
        dns = self._resolver.read().get(link.kernel_name) if self._resolver else None
        return info_of(link, read, RoutesRead.of(own, link), dns)

    def end_reason(self) -> str:
        """Return that the adapter is gone: nothing else ends a session here."""
        session = self._followed
        if session is not None and session.purged:
            return f"{ADAPTER_GONE} {PURGED}"
        return ADAPTER_GONE

    def counters(self) -> LinkCounters:
        """Read the link counters (if_link.h: rtnl_link_stats64), seen from the application.

        `received_dropped` is the kernel's tx_dropped: packets dropped because the queue was full
        or no session was attached. It also counts packets that vanished from a session's queue.
        While a session runs, the device is followed through renames and into other network
        namespaces; after its removal, its final counters are returned.
        """
        counted = self._read_counters()
        dropped = counted.received_dropped + self._vanished
        return replace(counted, received_dropped=dropped)

    def start_session(self, capacity: int, *, offload: bool | None = None) -> LinuxSession:
        """Attach to the device, set it up and fit its queue to `capacity` bytes.

        A session for which the kernel refuses the offload runs without.

        Raises:
            SessionExists: A session is attached already, perhaps by another process.
            AdapterNotFound: The adapter is gone.
        """
        check_capacity(capacity)
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
            if not link.carrier:  # no session is attached, but one may have been killed
                tun.drop_offload(link.kernel_name)
            handed = read_handed(link.index)
            wanted = self._offload if offload is None else offload
            descriptor, segments = self._attach_as(route, link, offload=wanted)
            try:
                length = queue_length(capacity, link.mtu, offload=segments is not None)
                route.set_link(link.index, txqlen=length, state="up")
                tracker = LinkTracker(
                    self._guid,
                    link.index,
                    link.counters,
                    handed,
                    None if segments is None else lambda: segments.merged,
                )
                session = LinuxSession(
                    descriptor,
                    capacity,
                    tracker,
                    label=label_of(link),
                    log=self._log,
                    on_end=self._ended,
                    calls=segments or self._calls(),
                    segments=segments,
                )
            except BaseException:
                if segments is not None:
                    tun.end_offload(descriptor)
                os.close(descriptor)
                raise
        self._sessions[self._guid] = self._followed = session
        manner = ", with segmentation offload" if segments is not None else ""
        self._log.info(
            f"{label_of(link)}: A session was attached{manner}, {length} packets can wait."
        )
        return session

    def set_name(self, name: str) -> None:
        """Rename the adapter; the device keeps its kernel name.

        Raises:
            AdapterExists: Another adapter has this name.
            InvalidArgument: Name and pool together do not fit into the device's alias.
        """
        check_new_name(name)
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
            identity = Identity(link.identity.guid, link.identity.pool, name)
            alias = identity.alias()
            refuse_taken(route, identity, but=link.index)
            route.set_link(link.index, ifalias=alias)
            try:
                refuse_taken(route, identity, but=link.index)
            except AdapterExists:
                route.set_link(link.index, ifalias=link.identity.alias())
                raise
            marks.put_marks(route, link.index, identity, link.altnames)
        self._log.info(f"{label_of(link)}: Renamed to {name!r}.")

    def set_addresses(self, interfaces: Sequence[IPInterface]) -> None:
        """Replace the adapter's addresses with these; link-local ones of the kernel stay.

        IPv6 addresses are usable at once: no other host could have a duplicate. If one is refused,
        the addresses do not change. Our routes stay.

        Raises:
            InvalidArgument: A multicast address, the unspecified one, or one with two prefix
                lengths.
            SettingRefused: The kernel refuses one, or an old one cannot be removed.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
        addresses.set_addresses(self._own_routes(), link, interfaces)

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU in bytes. Below 1280 the kernel disables IPv6 on the device (RFC 8200)."""
        check_mtu(mtu)
        with RouteSocket(self._memory, self._own_changes) as route:
            route.set_link(self._link(route).index, mtu=mtu)

    def set_metric(self, metric: int | None) -> None:
        """Refuse a metric: on Linux, routes have metrics but interfaces do not.

        Raises:
            NotSupported: The metric is not None.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            self._link(route)
        if metric is not None:
            raise NotSupported(
                detail="On Linux an interface has no metric.",
                hint="Set the metric of each route instead.",
            )

    def set_routes(self, wanted: Sequence[Route]) -> None:
        """Replace our routes into the device with these; routes of other programs stay.

        Our routes have the protocol number 87. If one is refused, the routes do not change. The
        kernel removes them when the device is set down.

        Raises:
            InvalidArgument: A next hop is not possible.
            RouteExists: A route of another program has this destination and metric.
            SettingRefused: The kernel refuses one; `detail` names it.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
        routes.set_routes(self._own_routes(), link, wanted)

    def set_dns(self, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the device's DNS servers and search domains with these (resolvectl(1)).

        Raises:
            NotSupported: systemd-resolved does not run.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
        if self._resolver is None:
            raise NotSupported(
                detail="Linux supports DNS servers per interface only with systemd-resolved.",
                hint="Set no DNS servers and search domains, or run systemd-resolved.",
            )
        self._resolver.set(link.kernel_name, servers, search)

    def restore(self) -> None:
        """Write the alias and alternative names again, and set the device up.

        Other programs may have removed them or set the device down.
        """
        with RouteSocket(self._memory, self._own_changes) as route:
            link = self._link(route)
            marks.put(route, link.index, link.identity, link.altnames)
            if not link.up:
                route.set_link(link.index, state="up")
        if link.lost or not link.up:
            self._log.info(f"{label_of(link)}: Its alias, names and state were restored.")

    def close(self) -> None:
        """Close the handle; the device and its session stay. Idempotent."""
        self._open = False

    def delete(self, *, force: bool = False) -> bool:
        """Remove the device and close the handle; return False, because no reboot is required.

        A session of this driver ends. Without `force`, a device to which another process is
        attached is not removed. A device that was moved to another network namespace during a
        session of this driver is removed at the end of that session at the latest.

        Raises:
            AdapterNotFound: It is already gone.
            SessionExists: Another process has its session, and `force` is not given.
        """
        session = self._sessions.get(self._guid)
        with RouteSocket(self._memory, self._own_changes) as route:
            try:
                link = self._link(route)
            except AdapterNotFound:
                self._open = False
                if session is None or not session.abandon():
                    raise
                self._log.info(f"{self._guid}: The device will be deleted with its session.")
                return False
            if link.carrier and session is None and not force:
                raise SessionExists(
                    self._guid,
                    detail="Another process has a session on the adapter.",
                    hint="End that session first, or force the deletion.",
                )
            self._counted = link.counters
            route.delete_link(link.index)
        self._open = False
        self._log.info(f"{label_of(link)}: Deleted.")
        return False

    def _read_counters(self) -> LinkCounters:
        if self._followed is not None:
            self._counted = self._followed.counters()
            if self._followed.removed:
                return self._counted
        running = self._sessions.get(self._guid)
        if running is not None and running is not self._followed:
            counted = running.counters()
            if not running.removed:  # otherwise another device may have the GUID now
                self._followed, self._counted = running, counted
        if running is not None and self._followed is running:
            return self._counted
        with suppress(AdapterNotFound), RouteSocket(self._memory, self._own_changes) as route:
            self._counted = self._link(route).counters
        return self._counted

    def _link(self, route: RouteSocket) -> Link:
        """Find the device by index, else by GUID: moving it between namespaces renumbers it."""
        if self._open:
            link = route.link(self._index)
            if link is not None and link.identity.guid == self._guid:
                return link
            for link in route.links():
                if link.identity.guid == self._guid:
                    self._index = link.index
                    return link
        session = self._sessions.get(self._guid)
        detail = ""
        if not self._open:
            detail = "The handle is closed."
        elif session is not None and session.kernel_name() is not None:
            detail = "The adapter is in another network namespace; its session continues."
        raise AdapterNotFound(self._guid, detail)

    def _attach_as(
        self, route: RouteSocket, link: Link, *, offload: bool
    ) -> tuple[int, SegmentCalls | None]:
        """Attach with offload if it is wanted and the kernel supports it, else without."""
        if not offload:
            return self._attach(route, link), None
        descriptor = -1
        try:
            descriptor = self._attach(route, link, headers=True)
            features = tun.begin_offload(descriptor)
        except (SessionExists, AdapterNotFound):
            raise
        except DriverError as error:
            if descriptor >= 0:
                tun.end_offload(descriptor)
                os.close(descriptor)
            self._log.warn(
                f"{label_of(link)}: The session runs without segmentation offload, because the "
                f"kernel refuses it. {error}"
            )
            return self._attach(route, link), None
        kinds = ALL_KINDS if features & tun.UDP_OFFLOAD else TCP_KINDS
        return descriptor, self._segments(kinds)

    def _attach(self, route: RouteSocket, link: Link, *, headers: bool = False) -> int:
        try:
            descriptor, kernel_name = tun.attach(link.kernel_name, headers=headers)
        except DriverError as error:
            if error.code == errno.EBUSY:
                raise SessionExists.from_call(
                    "TUNSETIFF", errno.EBUSY, domain="errno", adapter=self._guid
                ) from None
            raise
        attached = -1
        try:
            attached = route.index_of(kernel_name)
        finally:
            # If the device was removed meanwhile, this created one that vanishes on close.
            if attached != link.index:
                os.close(descriptor)
        if attached != link.index:
            raise AdapterNotFound(self._guid)
        return descriptor

    def _ended(self, session: LinuxSession) -> None:
        if self._sessions.get(self._guid) is session:
            del self._sessions[self._guid]
        if not session.removed:  # else its own counters are asked for from now on
            self._vanished += session.vanished
        self._own_changes.note()  # its carrier is gone


@dataclass(frozen=True, slots=True)
class AddressesRead:
    """The addresses of a device, and those of them that others have changed, as they were read."""

    all: tuple[IPInterface, ...]
    impaired: tuple[IPInterface, ...]

    @classmethod
    def of(cls, own: OwnRoutes, link: Link) -> AddressesRead:
        """Read the addresses of a link."""
        rows = address_messages.rows_of(own.netlink, link.index)
        networks = own.networks(link.index) if rows and link.up else set()
        whole = {row.interface for row in rows if _whole(row, link, networks)}
        return cls(
            all=tuple(row.interface for row in rows),
            impaired=tuple(row.interface for row in rows if row.interface not in whole),
        )


@dataclass(frozen=True, slots=True)
class RoutesRead:
    """The routes into a device, ours and those of other programs, as they were read."""

    ours: tuple[Route, ...]
    others: Others

    @classmethod
    def of(cls, own: OwnRoutes, link: Link) -> RoutesRead:
        """Read the routes into a link."""
        return cls(own.listed(link.index), own.others.of(link.index))


def _whole(row: AddressRow, link: Link, networks: Collection[tuple[bytes, int]]) -> bool:
    return row.plain and (not link.up or row.reached(networks))


def info_of(link: Link, read: AddressesRead, ways: RoutesRead, dns: Dns | None) -> AdapterInfo:
    """Describe an adapter in the terms of `drivers.base`."""
    servers, search = dns or ((), ())
    return AdapterInfo(
        guid=link.identity.guid,
        name=link.identity.name,
        pool=link.identity.pool,
        luid=luid_of(link.index),
        interface_index=link.index,
        interface_name=link.kernel_name,
        mtu=link.mtu,
        addresses=read.all,
        impaired_addresses=read.impaired,
        persistent=True,
        routes=ways.ours,
        other_routes=ways.others.routes,
        other_routes_total=ways.others.total,
        dns=servers,
        dns_search=search,
        families=(4, 6) if _has_ipv6(link) else (4,),
        link_up=link.up,
        running=link.up and link.carrier,
        lost_marks=link.lost,
    )


def _has_ipv6(link: Link) -> bool:
    # Below an MTU of 1280 the kernel disables IPv6 on the device and removes this file.
    try:
        disabled = (IPV6_SETTINGS / link.kernel_name / "disable_ipv6").read_text()
    except OSError:
        return False
    return disabled.strip() == "0"


def label_of(link: Link) -> str:
    """Return the adapter's label in log lines."""
    return f"{link.identity.name} ({link.kernel_name})"


def refuse_taken(route: RouteSocket, identity: Identity, *, but: int | None = None) -> None:
    """Raise `AdapterExists` if an adapter other than that of index `but` has the name or GUID."""
    for link in route.links():
        if link.index == but:
            continue
        if link.identity.guid == identity.guid:
            detail = f"The adapter {link.identity.name!r} already has this GUID."
        elif link.identity.same_name(identity.name):
            detail = (
                f"The pool {link.identity.pool!r} already has an adapter {link.identity.name!r}."
            )
        else:
            continue
        raise AdapterExists(identity.name, identity.guid, detail)
