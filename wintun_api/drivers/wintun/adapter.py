"""Manage one adapter through its handle, from creating or opening it until it is closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import byref
from uuid import UUID

from wintun_api.drivers.base import (
    ADAPTER_GONE,
    AdapterInfo,
    Capabilities,
    IPAddress,
    IPInterface,
    IPNetwork,
    LinkCounters,
    Route,
)
from wintun_api.drivers.limits import (
    MIN_MTU_IPV6,
    check_capacity,
    check_metric,
    check_mtu,
    check_new_name,
)
from wintun_api.drivers.network_check import (
    check_addresses,
    check_routes,
    ipv6_needs_mtu,
    makes,
    own_network_taken,
)
from wintun_api.drivers.windows.foreign import BOOL
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.wintun.abi import AdapterHandle, Generation
from wintun_api.drivers.wintun.calls import Calls
from wintun_api.drivers.wintun.generations import capabilities_of, release
from wintun_api.drivers.wintun.names import Names, read_luid, read_name
from wintun_api.drivers.wintun.readings import Readings
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.errors import (
    AdapterError,
    AdapterNotFound,
    AdapterUnavailable,
    CreatedElsewhere,
    DriverError,
    NotSupported,
    RouteExists,
    SettingRefused,
)

NO_OFFLOAD = "Wintun has no segmentation offload."
NO_OFFLOAD_HINT = "Start the session without offload. Only the Linux driver has it."


class WintunAdapter:
    """Manage an adapter. Management thread only, except for the session of `start_session`.

    In the tunnel-type generation the adapter lives as long as the handle that created it.

    Args:
        calls: The library's calls.
        helper: The IP Helper; without it the adapter has no settings and no counters.
        names: The names of adapters that were renamed.
        readings: Describes the adapter.
        handle: The handle, which the adapter closes.
        name: The name that it was created or opened with.
        pool: The pool that it was created in.
        created: Whether this handle created the adapter; another one only opened it.
        reboot_required: Whether Wintun asked for a reboot when it created the adapter.
        on_close: Called with the adapter when its handle has been closed.
    """

    def __init__(
        self,
        calls: Calls,
        helper: IpHelper | None,
        names: Names,
        readings: Readings,
        *,
        handle: AdapterHandle,
        name: str,
        pool: str,
        created: bool,
        reboot_required: bool,
        on_close: Callable[[WintunAdapter], None],
    ) -> None:
        self._calls = calls
        self._ip_helper = helper
        self._names = names
        self._readings = readings
        self._handle: AdapterHandle | None = handle
        self._name = name
        self._pool = pool
        self._created = created
        self._reboot_required = reboot_required
        self._on_close = on_close
        self._luid = read_luid(calls, handle)
        self._counted: LinkCounters | None = None
        self._version: tuple[int, int] | None = None  # of the driver, when the session started

    @property
    def reboot_required(self) -> bool:
        """Whether a reboot is required after creating it; never in the tunnel-type generation."""
        return self._reboot_required

    @property
    def luid(self) -> int:
        """NET_LUID as an unsigned integer (wintun.h: WintunGetAdapterLUID)."""
        return self._luid

    @property
    def created(self) -> bool:
        """Whether this handle created the adapter; another one only opened it."""
        return self._created

    @property
    def pool(self) -> str:
        """The pool it was created in."""
        return self._pool

    def name(self) -> str:
        """Return the name in Wintun, or the name it was created with if Wintun cannot tell."""
        handle = self._open()
        if self._calls.generation is Generation.POOL:
            self._name = read_name(self._calls, handle)
            return self._name
        return self._names.current(self._luid, self._name)

    def info(self) -> AdapterInfo:
        """Read the adapter from the system, or return what is known while it is hidden.

        Raises:
            AdapterNotFound: It was removed, or the handle is closed.
        """
        return self._readings.read(self._luid, self.name(), self._pool)

    def end_reason(self) -> str:
        """Return why its session has ended: it is gone, disabled, or its driver was replaced."""
        try:
            self.name()  # the pool generation asks the system
            why = self._readings.hidden(self._luid)
        except DriverError:
            return ADAPTER_GONE
        if why is None:
            return ADAPTER_GONE
        if why:
            return f"{why} Start a new session when it is back."
        version = self._driver_version()
        if version and self._version and version != self._version:
            old, new = (f"{major}.{minor}" for major, minor in (self._version, version))
            return f"The driver was updated from {old} to {new}. Start a new session."
        return "The driver was restarted or replaced; the adapter is back. Start a new session."

    def counters(self) -> LinkCounters:
        """Read the link counters; all zero where the driver cannot.

        Raises:
            AdapterNotFound: The adapter was removed before this handle had read any.
        """
        helper = self._ip_helper
        if helper is None:
            return LinkCounters()
        try:
            self._open()  # another adapter may have the LUID after a deletion
            self._counted = helper.counters(self._luid)
        except AdapterNotFound:
            if self._counted is None:
                raise
        return self._counted

    def start_session(self, capacity: int, *, offload: bool | None = None) -> WintunSession:
        """Start a session with rings of `capacity` bytes (wintun.h: WintunStartSession).

        Raises:
            NotSupported: `offload` is wanted.
            InvalidArgument: The capacity is not a power of two, or is out of range.
            SessionExists: The adapter already has one, perhaps in another process.
            AdapterNotFound: The adapter is gone.
            AdapterUnavailable: It is disabled, or its driver is being replaced.
        """
        handle = self._open()
        check_capacity(capacity)
        if offload:
            raise NotSupported(detail=NO_OFFLOAD, hint=NO_OFFLOAD_HINT)
        try:
            session = self._calls.call("WintunStartSession", handle, capacity)
        except DriverError as error:
            why = self._readings.hidden(self._luid)
            if isinstance(error, AdapterError):
                error.adapter = self._known_as()
            if not why or type(error) not in (DriverError, AdapterNotFound):
                raise
            hidden = AdapterUnavailable(self._known_as(), why)
            hidden.failed, hidden.log = error.failed, error.log
            raise hidden from None
        try:
            packets = self._calls.packets_of(session)
            started = WintunSession(self._calls.library, session, capacity, packets)
        except BaseException:
            self._calls.call("WintunEndSession", session)
            raise
        self._version = self._driver_version()
        return started

    def set_name(self, name: str) -> None:
        """Rename it (wintun.h: WintunSetAdapterName), unless another adapter has the name.

        Wintun itself would rename the other one. The tunnel-type generation does not have the
        call; there Windows gives the adapter another alias.

        Raises:
            AdapterExists: Another adapter has this name.
            NotSupported: This version of Windows does not support it.
        """
        handle = self._open()
        if not self._capabilities.rename:
            raise NotSupported
        self._names.refuse_taken(check_new_name(name), besides=self._luid)
        if self._calls.generation is Generation.POOL:
            self._calls.call("WintunSetAdapterName", handle, name)
        else:
            self._helper()
            self._names.rename(self._luid, self.name(), name)

    def set_addresses(self, addresses: Sequence[IPInterface]) -> None:
        """Replace the addresses with these.

        Raises:
            NotSupported: There is no IP Helper.
            SettingRefused: One is of IPv6 and the MTU is below 1280.
            AdapterUnavailable: It is disabled, or its driver is being replaced. All settings below
                raise this too.
        """
        helper, wanted = self._helper(), check_addresses(addresses)
        self._refuse_ipv6(helper, wanted)
        helper.set_addresses(self._luid, wanted)

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU in bytes. Below 1280 the adapter loses IPv6, as on Linux (RFC 8200).

        Raises:
            NotSupported: There is no IP Helper.
        """
        helper, luid = self._helper(), self._luid
        helper.set_mtu(luid, check_mtu(mtu))
        if mtu >= MIN_MTU_IPV6:
            return
        routes, addresses = helper.routes(luid), helper.addresses(luid)
        if any(one.destination.version == 6 for one in routes):
            helper.set_routes(luid, [one for one in routes if one.destination.version == 4])
        if any(one.version == 6 for one in addresses):
            helper.set_addresses(luid, [one for one in addresses if one.version == 4])

    def set_metric(self, metric: int | None) -> None:
        """Set the interface's metric; None lets Windows choose, which it does by link speed.

        Raises:
            NotSupported: There is no IP Helper.
        """
        helper = self._helper()
        helper.set_metric(self._luid, check_metric(metric) if metric is not None else None)

    def set_routes(self, routes: Sequence[Route]) -> None:
        """Replace the routes with these.

        Raises:
            InvalidArgument: A next hop is not possible.
            RouteExists: One has the place of another route.
            SettingRefused: One is of IPv6 and the MTU is below 1280.
            NotSupported: There is no IP Helper.
        """
        helper = self._helper()
        addresses, present = helper.addresses(self._luid), helper.routes(self._luid)
        check_routes(routes, addresses)
        for route in routes:
            new = route.next_hop is not None and route not in present
            if new and any(makes(one, route) for one in addresses):
                detail, hint = own_network_taken(route)
                raise RouteExists(detail=detail, hint=hint)
        self._refuse_ipv6(helper, [one.destination for one in routes])
        helper.set_routes(self._luid, routes)

    def set_dns(self, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the DNS servers and search domains with these.

        Raises:
            NotSupported: There is no IP Helper, or Windows is older than 10 2004.
        """
        self._helper().set_dns(self._luid, servers, search)

    def restore(self) -> None:
        """Do nothing: on Windows other programs cannot change an adapter's identity or state."""

    def close(self) -> None:
        """Close the handle (wintun.h: WintunFreeAdapter, WintunCloseAdapter). Idempotent."""
        handle, self._handle = self._handle, None
        if handle is not None:
            release(self._calls, handle)
            self._on_close(self)

    def delete(self, *, force: bool = False) -> bool:
        """Remove the device and close the handle; return whether a reboot is required.

        Raises:
            NotSupported: In the tunnel-type generation only the creating handle can do this.
            DriverError: The removal failed; the handle stays open, so that it can be retried.
        """
        handle = self._open()
        reboot_required = BOOL()
        with suppress(DriverError):
            self.counters()  # the last chance to know them
        if self._capabilities.persistent_adapters:
            self._calls.call("WintunDeleteAdapter", handle, force, byref(reboot_required))
        elif not self._created:
            raise CreatedElsewhere
        self.close()
        return bool(reboot_required)

    @property
    def _capabilities(self) -> Capabilities:
        return capabilities_of(self._calls.generation, self._ip_helper)

    def _driver_version(self) -> tuple[int, int] | None:
        try:
            return self._calls.driver_version()
        except DriverError:
            return None

    def _refuse_ipv6(self, helper: IpHelper, settings: Sequence[IPInterface | IPNetwork]) -> None:
        """Refuse IPv6 at an MTU below 1280, which the adapter's packets would exceed."""
        first = next((one for one in settings if one.version == 6), None)
        mtu = helper.mtu(self._luid) if first is not None else None
        if first is not None and mtu is not None and mtu < MIN_MTU_IPV6:
            detail, hint = ipv6_needs_mtu(first, mtu)
            raise SettingRefused(detail=detail, hint=hint)

    def _open(self) -> AdapterHandle:
        if self._handle is None:
            raise AdapterNotFound(self._known_as(), "The handle is closed.")
        return self._handle

    def _helper(self) -> IpHelper:
        self._open()
        if self._ip_helper is None:
            raise NotSupported
        why = self._readings.hidden(self._luid)
        if why:  # otherwise the caller would wait for it and then report it as unknown
            raise AdapterUnavailable(self._known_as(), why)
        return self._ip_helper

    def _known_as(self) -> UUID | str:
        return self._readings.guid_of(self._luid) or self._name
