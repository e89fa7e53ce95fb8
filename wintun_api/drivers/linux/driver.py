"""LinuxDriver: Wintun's driver calls on TUN devices."""

from __future__ import annotations

import errno
import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from wintun_api.drivers.base import (
    AdapterInfo,
    Capabilities,
    LinkCounters,
    Logger,
    Route,
    Unavailable,
    Watcher,
)
from wintun_api.drivers.limits import check_name, check_pool
from wintun_api.drivers.linux import availability, capability, marks, native, tun
from wintun_api.drivers.linux.adapter import LinuxAdapter, info_of, label_of, refuse_taken
from wintun_api.drivers.linux.address_messages import AddressRow, rows_of
from wintun_api.drivers.linux.calls import PacketCalls, PythonCalls
from wintun_api.drivers.linux.changes import Changes
from wintun_api.drivers.linux.heap import keep_heap
from wintun_api.drivers.linux.identity import KERNEL_NAME_PATTERN, Identity, kernel_name
from wintun_api.drivers.linux.log import DriverLog
from wintun_api.drivers.linux.memory import Memory
from wintun_api.drivers.linux.own_routes import OwnRoutes
from wintun_api.drivers.linux.resolver import Resolver, find_resolver
from wintun_api.drivers.linux.rtnetlink import Link, RouteSocket
from wintun_api.drivers.linux.session import LinuxSession
from wintun_api.errors import (
    AccessDenied,
    AdapterNotFound,
    DriverError,
    DriverUnavailable,
    NotSupported,
)
from wintun_api.settings import Settings

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
)

Device = tuple[Link, list[AddressRow], tuple[Route, ...]]
MISC_DEVICES = Path("/proc/misc")


def open_linux(settings: Settings) -> LinuxDriver:
    """Return the kernel's driver; nothing is opened before its first call.

    Threads that are started after it have CAP_NET_ADMIN in effect where it is permitted.
    """
    capability.put_into_effect()
    keep_heap()
    return LinuxDriver(find_resolver(), native.load(settings.native) or PythonCalls)


class LinuxDriver:
    """The kernel behind the upper seam. Its management calls come from one thread at a time.

    The list of adapters is the kernel's: every driver object and process sees the same ones in one
    network namespace. The driver remembers which devices they are, in case others take away what
    says so on the device.

    Args:
        resolver: Where DNS settings are kept, if there is such a thing.
        calls: Makes what a session reads and writes packets with.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        calls: Callable[[], PacketCalls] = PythonCalls,
    ) -> None:
        self._resolver = resolver
        self._calls = calls
        self._log = DriverLog()
        self._changes: Changes | None = None
        self._own: OwnRoutes | None = None
        self._read: list[Device] | None = None
        self._ours = 0
        self._memory = Memory()
        self._sessions: dict[UUID, LinuxSession] = {}

    @property
    def name(self) -> str:
        """Its key in `drivers.DRIVERS`."""
        return "linux"

    @property
    def library_path(self) -> str | None:
        """None: the driver is a part of the kernel."""
        return None

    @property
    def capabilities(self) -> Capabilities:
        """What TUN devices can do, and DNS where systemd-resolved runs."""
        return replace(CAPABILITIES, dns=self._resolver is not None)

    def unavailable_reason(self) -> Unavailable | None:
        """Say why there can be no adapters here, or None."""
        return availability.unavailable_reason()

    def create_adapter(
        self, name: str, pool: str, requested_guid: UUID | None = None
    ) -> LinuxAdapter:
        """Create a persistent device and set it up; without a session it has no carrier.

        The device gets the adapter's name where that is a free kernel name, else one like wt0.

        Raises:
            AdapterExists: The name (whatever the case and pool) or the GUID is in use.
            InvalidArgument: Name and pool do not fit into the device's alias together.
            AccessDenied: No CAP_NET_ADMIN.
            DriverUnavailable: There is no TUN device.
        """
        guid = requested_guid if requested_guid is not None else uuid4()
        identity = Identity(guid, check_pool(pool), check_name(name))
        identity.alias()  # whether it fits, before anything is made
        self._require(elevated=True)
        with RouteSocket(self._memory) as route:
            refuse_taken(route, identity)
            descriptor, device = _create_device(kernel_name(name))
            try:
                index = route.index_of(device)
                marks.put(route, index, identity)
                # Two processes may do this at the same time: whoever sees the other gives way.
                refuse_taken(route, identity, but=index)
                tun.set_persistent(descriptor, persistent=True)
            finally:
                os.close(descriptor)
            try:
                # Not while it is attached: its carrier would come and go.
                route.set_link(index, state="up")
            except DriverError:
                route.delete_link(index)
                raise
        self._log.info(f"{name} ({device}): Created in the pool {pool!r} as {guid}.")
        return self._adapter(guid, index, LinkCounters())

    def open_adapter(self, name: str, pool: str) -> LinuxAdapter:
        """Open an existing adapter, of whatever process.

        Raises:
            AdapterNotFound: None has this name, whatever the case, in exactly this pool.
        """
        check_name(name)
        check_pool(pool)
        self._require()
        with RouteSocket(self._memory) as route:
            for link in route.links():
                if link.identity.pool == pool and link.identity.same_name(name):
                    self._mark(route, link)
                    return self._adapter(link.identity.guid, link.index, link.counters)
        raise AdapterNotFound(
            "RTM_GETLINK",
            errno.ENODEV,
            f"There is no adapter {name!r} in the pool {pool!r}.",
            domain="errno",
        )

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
            info_of(link, found, made, dns.get(link.kernel_name))
            for link, found, made in devices
            if pool in (None, link.identity.pool)
        ]

    def _listen(self) -> Changes:
        if self._changes is None:
            directories = () if self._resolver is None else self._resolver.directories
            self._changes = Changes(directories)
        return self._changes

    def _devices(self) -> list[Device]:
        """Read the devices of all adapters where anything has changed since they were read."""
        changes = self._listen()
        known, ours = self._read, RouteSocket.changes
        # The kernel tells of some changes later (an IPv6 address), so our own count at once; and of
        # the alias of a device that is set down it tells nobody.
        if (
            changes.seen()
            or known is None
            or ours != self._ours
            or not all(link.up for link, _, _ in known)
        ):
            self._ours = ours
            self._read = None  # until all of it has been read
            # What changes meanwhile is seen the next time.
            with RouteSocket(self._memory) as route:
                links = route.links()
            own = self._own_routes()
            own.keep(link.index for link in links)
            known = self._read = [
                (link, rows_of(own.netlink, link.index), own.listed(link.index)) for link in links
            ]
        return known

    def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool, also under sessions; False: no reboot is required."""
        check_pool(pool)
        self._require()
        failure: DriverError | None = None
        with RouteSocket(self._memory) as route:
            for link in route.links():
                if link.identity.pool != pool:
                    continue
                try:
                    route.delete_link(link.index)
                except AdapterNotFound:
                    continue  # somebody else was quicker
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
        raise NotSupported(
            "delete_driver",
            errno.EOPNOTSUPP,
            "The TUN driver is a part of the kernel.",
            domain="errno",
        )

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) of the kernel, None while it has no TUN driver loaded."""
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
        """Return a netlink socket that is readable after links, addresses or routes have changed.

        Of the alias of a device that is set down the kernel tells nobody.
        """
        try:
            return self._listen().fileno()
        except OSError:
            return None

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Do nothing: there is a descriptor to watch."""

    def close(self) -> None:
        """Unset the logger and listen to no changes any more."""
        self._log.logger = None
        self._memory.close()
        if self._changes is not None:
            self._changes.close()
            self._changes = None
        if self._own is not None:
            self._own.close()
            self._own = None

    def _own_routes(self) -> OwnRoutes:
        if self._own is None:
            self._own = OwnRoutes()
        return self._own

    def _adapter(self, guid: UUID, index: int, counters: LinkCounters) -> LinuxAdapter:
        return LinuxAdapter(
            guid,
            index,
            counters,
            self._sessions,
            self._log,
            memory=self._memory,
            own_routes=self._own_routes,
            resolver=self._resolver,
            calls=self._calls,
        )

    def _mark(self, route: RouteSocket, link: Link) -> None:
        """Give an adapter of an earlier version the alternative names that it has not yet."""
        if not link.marked and not link.lost:
            with suppress(DriverError):  # without the privilege it is opened all the same
                marks.put_marks(route, link.index, link.identity, link.altnames)

    def _require(self, *, elevated: bool = False) -> None:
        unavailable = self.unavailable_reason()
        if unavailable is None:
            return
        if unavailable.reason in availability.MISSING_RIGHTS:
            if elevated:
                raise AccessDenied(
                    "TUNSETIFF",
                    errno.EPERM,
                    unavailable.message,
                    domain="errno",
                    hint=unavailable.hint,
                )
            return  # links can be read without privilege
        raise DriverUnavailable(unavailable.reason, unavailable.message, hint=unavailable.hint)


def _create_device(name: str) -> tuple[int, str]:
    try:
        return tun.create(name)
    except DriverError as error:
        # In use as a name or an alternative name, or of a kind this kernel does not take.
        if error.code not in (errno.EBUSY, errno.EEXIST, errno.EINVAL):
            raise
        if name == KERNEL_NAME_PATTERN:
            raise
    return tun.create(KERNEL_NAME_PATTERN)
