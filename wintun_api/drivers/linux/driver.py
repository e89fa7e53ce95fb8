"""Implement Wintun's driver calls with TUN devices."""

from __future__ import annotations

import errno
import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from wintun_api.choices import Native, Offload
from wintun_api.drivers.base import (
    AdapterInfo,
    Capabilities,
    LinkCounters,
    Logger,
    Unavailable,
    Watcher,
)
from wintun_api.drivers.limits import check_name, check_new_name, check_new_pool, check_pool
from wintun_api.drivers.linux import availability, capability, marks, tun
from wintun_api.drivers.linux.adapter import (
    AddressesRead,
    LinuxAdapter,
    RoutesRead,
    info_of,
    label_of,
    refuse_taken,
)
from wintun_api.drivers.linux.calls import PacketCalls, PythonCalls, calls_with
from wintun_api.drivers.linux.changes import Changes, OwnChanges
from wintun_api.drivers.linux.heap import keep_heap
from wintun_api.drivers.linux.identity import KERNEL_NAME_PATTERN, Identity, kernel_name
from wintun_api.drivers.linux.log import DriverLog
from wintun_api.drivers.linux.memory import Memory
from wintun_api.drivers.linux.own_routes import OwnRoutes
from wintun_api.drivers.linux.resolver import Resolver, find_resolver
from wintun_api.drivers.linux.route_messages import IP6_RT_PRIO_USER
from wintun_api.drivers.linux.rtnetlink import Link, RouteSocket
from wintun_api.drivers.linux.segment_calls import (
    PythonSegmentCalls,
    SegmentCalls,
    segment_calls,
)
from wintun_api.drivers.linux.session import LinuxSession
from wintun_api.errors import (
    AccessDenied,
    AdapterNotFound,
    DriverError,
    DriverUnavailable,
    NotSupported,
)
from wintun_api.native import speedups

CAPABILITIES = Capabilities(
    generation="kernel",
    persistent_adapters=True,
    enumerate_pools=True,
    rename=True,
    delete_pool=True,
    delete_driver=False,
    network_settings=True,
    metric=False,
    dns=False,
    force_close=True,
    offload=True,
    default_ipv6_metric=IP6_RT_PRIO_USER,
)

Device = tuple[Link, AddressesRead, RoutesRead]
MISC_DEVICES = Path("/proc/misc")


def open_linux(native: Native = Native.AUTO, offload: Offload = Offload.AUTO) -> LinuxDriver:
    """Return the kernel's driver; it opens nothing before its first call.

    Threads started after this have CAP_NET_ADMIN in effect if it is permitted.

    Args:
        native: Whether packets may be read and written in C.
        offload: Whether sessions that are not told leave segmentation to the host.
    """
    capability.put_into_effect()
    keep_heap()
    extension = speedups(native)
    return LinuxDriver(
        find_resolver(),
        calls_with(extension),
        partial(segment_calls, extension),
        offload=offload is Offload.ON or (offload is Offload.AUTO and extension is not None),
    )


class LinuxDriver:
    """Implement `drivers.base.Driver` on the kernel. Calls come from one thread at a time.

    The kernel keeps the list of adapters: all driver objects and processes in one network namespace
    see the same ones. The driver remembers which devices they are, in case other programs remove
    the identifying marks.

    Args:
        resolver: Holds the DNS settings, if the system has such a service.
        calls: Creates the object that reads and writes a session's packets.
        segments: The same for a session with offload; gets the kinds that the kernel takes.
        offload: Whether a session has it that is not told.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        calls: Callable[[], PacketCalls] = PythonCalls,
        segments: Callable[[int], SegmentCalls] = PythonSegmentCalls,
        *,
        offload: bool = False,
    ) -> None:
        self._resolver = resolver
        self._calls = calls
        self._segments = segments
        self._offload = offload
        self._log = DriverLog()
        self._changes: Changes | None = None
        self._own: OwnRoutes | None = None
        self._read: list[Device] | None = None
        self._own_changes = OwnChanges()
        self._ours = 0  # the latest of them when the list was read
        self._memory = Memory()
        self._sessions: dict[UUID, LinuxSession] = {}

    @property
    def name(self) -> str:
        """The driver's key in `drivers.DRIVERS`."""
        return "linux"

    @property
    def library_path(self) -> str | None:
        """Always None: the driver is a part of the kernel."""
        return None

    @property
    def lasting(self) -> bool:
        """Always True: devices outlive this process."""
        return True

    @property
    def capabilities(self) -> Capabilities:
        """What TUN devices can do; DNS settings too if systemd-resolved runs."""
        return replace(CAPABILITIES, dns=self._resolver is not None)

    def unavailable_reason(self) -> Unavailable | None:
        """Return why adapters are not possible here, or None."""
        return availability.unavailable_reason()

    def elevated(self) -> bool:
        """Return whether this thread may manage its network."""
        return availability.missing_right() is None

    def create_adapter(
        self, name: str, pool: str, requested_guid: UUID | None = None
    ) -> LinuxAdapter:
        """Create a persistent device and set it up; without a session it has no carrier.

        The device gets the adapter's name if that is a free kernel name, else a name like wt0.

        Raises:
            AdapterExists: The name (whatever the case and pool) or the GUID is in use.
            InvalidArgument: Name and pool together do not fit into the device's alias.
            AccessDenied: The process does not have CAP_NET_ADMIN.
            DriverUnavailable: There is no TUN device.
        """
        guid = requested_guid if requested_guid is not None else uuid4()
        identity = Identity(guid, check_new_pool(pool), check_new_name(name))
        identity.alias()  # check that it fits before anything is created
        self._require(elevated=True)
        with RouteSocket(self._memory, self._own_changes) as route:
            refuse_taken(route, identity)
            descriptor, device = _create_device(kernel_name(name))
            try:
                index = route.index_of(device)
                marks.put(route, index, identity)
                # Two processes may do this at the same time: the one that sees the other gives up.
                refuse_taken(route, identity, but=index)
                tun.set_persistent(descriptor, persistent=True)
            finally:
                os.close(descriptor)
            try:
                # Not while it is attached: its carrier would go up and down.
                route.set_link(index, state="up")
            except DriverError:
                route.delete_link(index)
                raise
        self._log.info(f"{name} ({device}): Created in the pool {pool!r} as {guid}.")
        return self._adapter(guid, index, LinkCounters())

    def open_adapter(self, name: str, pool: str) -> LinuxAdapter:
        """Open an existing adapter, created by any process.

        Raises:
            AdapterNotFound: No adapter has this name (ignoring case) in exactly this pool.
        """
        check_name(name)
        check_pool(pool)
        self._require()
        with RouteSocket(self._memory, self._own_changes) as route:
            for link in route.links():
                if link.identity.pool == pool and link.identity.same_name(name):
                    self._mark(route, link)
                    if not link.carrier:
                        tun.drop_offload(link.kernel_name)
                    return self._adapter(link.identity.guid, link.index, link.counters)
        raise AdapterNotFound(name, f"There is no adapter {name!r} in the pool {pool!r}.")

    def adapters(self, pool: str | None = None) -> list[AdapterInfo]:
        """List the adapters of a pool, or of every pool, by interface index."""
        if pool is not None:
            check_pool(pool)
        self._require()
        devices = self._devices()
        if not devices:
            return []
        dns = self._resolver.read() if self._resolver is not None else {}
        return [
            info_of(link, addresses, routes, dns.get(link.kernel_name))
            for link, addresses, routes in devices
            if pool in (None, link.identity.pool)
        ]

    def delete_pool(self, pool: str) -> bool:
        """Delete all adapters of a pool, also with sessions; False: no reboot is required."""
        check_pool(pool)
        self._require()
        failure: DriverError | None = None
        with RouteSocket(self._memory, self._own_changes) as route:
            for link in route.links():
                if link.identity.pool != pool:
                    continue
                try:
                    route.delete_link(link.index)
                except AdapterNotFound:
                    continue  # another program has deleted it
                except DriverError as error:
                    failure = failure or error
                else:
                    self._log.info(f"{label_of(link)}: Deleted with the pool {pool!r}.")
        if failure is not None:
            raise failure
        return False

    def delete_driver(self) -> bool:
        """Refuse: the driver is a part of the kernel.

        Raises:
            NotSupported: Always.
        """
        raise NotSupported(detail="The TUN driver is a part of the kernel.")

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) of the kernel, or None while its TUN driver is not loaded."""
        try:
            loaded = re.search(r"^\s*\d+ tun$", MISC_DEVICES.read_text(), re.MULTILINE)
        except OSError:
            return None
        version = re.match(r"(\d+)\.(\d+)", platform.release())
        return (int(version[1]), int(version[2])) if loaded and version else None

    def set_logger(self, logger: Logger | None) -> None:
        """Send the driver's log lines to `logger`, on the thread that causes them."""
        self._log.logger = logger

    def changes_fileno(self) -> int | None:
        """Return a netlink socket that is readable when links, addresses or routes have changed.

        The kernel does not report a new alias of a device that is set down.
        """
        try:
            return self._listen().fileno()
        except OSError:
            return None

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Do nothing: there is a descriptor to watch."""

    def close(self) -> None:
        """Unset the logger and stop listening to changes."""
        self._log.logger = None
        self._memory.close()
        if self._changes is not None:
            self._changes.close()
            self._changes = None
        if self._own is not None:
            self._own.close()
            self._own = None

    def _listen(self) -> Changes:
        if self._changes is None:
            directories = () if self._resolver is None else self._resolver.directories
            self._changes = Changes(directories)
        return self._changes

    def _devices(self) -> list[Device]:
        """Read the devices of all adapters if anything has changed since the last reading."""
        changes = self._listen()
        known, ours = self._read, self._own_changes.latest
        # The kernel reports some changes late (an IPv6 address), so our own changes count at once.
        # It does not report a new alias of a device that is set down.
        if (
            changes.seen()
            or known is None
            or ours != self._ours
            or not all(link.up for link, _, _ in known)
        ):
            self._ours = ours
            self._read = None  # until all of it has been read
            # A change during the reading is noticed next time.
            with RouteSocket(self._memory, self._own_changes) as route:
                links = route.links()
            own = self._own_routes()
            own.keep(link.index for link in links)
            known = self._read = [
                (link, AddressesRead.of(own, link), RoutesRead.of(own, link)) for link in links
            ]
        return known

    def _own_routes(self) -> OwnRoutes:
        if self._own is None:
            self._own = OwnRoutes(self._own_changes)
        return self._own

    def _adapter(self, guid: UUID, index: int, counters: LinkCounters) -> LinuxAdapter:
        return LinuxAdapter(
            guid,
            index,
            counters,
            self._sessions,
            self._log,
            memory=self._memory,
            own_changes=self._own_changes,
            own_routes=self._own_routes,
            resolver=self._resolver,
            calls=self._calls,
            segments=self._segments,
            offload=self._offload,
        )

    def _mark(self, route: RouteSocket, link: Link) -> None:
        """Add the alternative names that an adapter of an earlier version does not have."""
        if not link.marked and not link.lost:
            with suppress(DriverError):  # without the privilege it is still opened
                marks.put_marks(route, link.index, link.identity, link.altnames)

    def _require(self, *, elevated: bool = False) -> None:
        unavailable = self.unavailable_reason()
        if unavailable is None:
            return
        if unavailable.reason in availability.MISSING_RIGHTS:
            if elevated:
                raise AccessDenied(detail=unavailable.message, hint=unavailable.hint)
            return  # links can be read without privilege
        raise DriverUnavailable(unavailable.reason, unavailable.message, hint=unavailable.hint)


def _create_device(name: str) -> tuple[int, str]:
    try:
        return tun.create(name)
    except DriverError as error:
        # It is in use as a name or alternative name, or this kernel does not accept it.
        if error.code not in (errno.EBUSY, errno.EEXIST, errno.EINVAL):
            raise
        if name == KERNEL_NAME_PATTERN:
            raise
    return tun.create(KERNEL_NAME_PATTERN)
