"""Manage adapters through a library of either generation.

The generations differ in `CAPABILITIES` and in the three methods that pass the pool on (`_create`,
`_open`, `release`): Pool in 0.9 to 0.13 is TunnelType in 0.14, at another position.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from ctypes import byref
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from wintun_api.drivers.base import AdapterInfo, Capabilities, Logger, Unavailable, Watcher
from wintun_api.drivers.limits import MIN_MTU_IPV6, check_name, check_pool
from wintun_api.drivers.windows.devices import Devices, DeviceState, Presence, windows_devices
from wintun_api.drivers.windows.foreign import BOOL, Guid
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.windows.system_ip_helper import windows_ip_helper
from wintun_api.drivers.windows.win32 import (
    ERROR_ALREADY_EXISTS,
    ERROR_FILE_NOT_FOUND,
    ERROR_NOT_SUPPORTED,
    ERROR_VERSION_PARSE_ERROR,
)
from wintun_api.drivers.wintun.abi import AdapterHandle, EnumCallback, Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter, read_luid, read_name
from wintun_api.drivers.wintun.library import WintunDll, WintunLibrary
from wintun_api.drivers.wintun.log import Log
from wintun_api.errors import (
    AccessDenied,
    AdapterExists,
    AdapterNotFound,
    DriverError,
    NotSupported,
)
from wintun_api.settings import Settings

CAPABILITIES = {
    Generation.POOL: Capabilities(
        generation=Generation.POOL.value,
        persistent_adapters=True,
        enumerate_pools=True,
        rename=True,
        delete_pool=True,
        delete_driver=False,
        network_settings=False,
        metric=False,
        dns=False,
        force_close=True,
    ),
    Generation.TUNNEL_TYPE: Capabilities(
        generation=Generation.TUNNEL_TYPE.value,
        persistent_adapters=False,
        enumerate_pools=False,
        rename=False,
        delete_pool=False,
        delete_driver=True,
        network_settings=False,
        metric=False,
        dns=False,
        force_close=False,
    ),
}

# Windows numbers equal descriptions: "Example Tunnel", "Example Tunnel #2".
_DESCRIPTION = re.compile(r"(?P<pool>.*) Tunnel(?: #\d+)?")

_HIDDEN: Final = "Windows does not show the adapter now, perhaps because its driver is replaced."


@dataclass(frozen=True, slots=True)
class _Reading:
    """Hold the last reading of an adapter; `located`: the device manager knew its device."""

    info: AdapterInfo
    located: bool


class WintunDriver:
    """Implement `drivers.base.Driver` with Wintun. Calls come from one thread at a time.

    Args:
        library: The library; it is not loaded until a call needs it. ip_helper: Identity and
        settings by LUID; without it the driver only knows what Wintun knows. devices: Distinguishes
        a removed device from a disabled one; without it, an adapter that
            the IP Helper does not show is assumed to exist.
        name: The driver's key in `drivers.DRIVERS`.
        pools: Pools to look into in addition to those that are used.
    """

    def __init__(
        self,
        library: WintunLibrary,
        ip_helper: IpHelper | None = None,
        *,
        devices: Devices | None = None,
        name: str = "wintun",
        pools: Iterable[str] = (),
    ) -> None:
        self.library = library
        self.ip_helper = ip_helper
        self._devices = devices
        self._readings: dict[int, _Reading] = {}  # by LUID
        self._name = name
        self._pools = set(pools)
        self._adapters: list[WintunAdapter] = []
        self._renamed: dict[int, str] = {}  # by LUID: Wintun's own name, which an alias replaced
        self._guids: dict[int, UUID] = {}  # by LUID, where no IP Helper can be asked
        self._log: Log | None = None
        self._logger: Logger | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The driver's key in `drivers.DRIVERS`."""
        return self._name

    @property
    def library_path(self) -> str | None:
        """The absolute path of wintun.dll."""
        return self.library.path

    @property
    def generation(self) -> Generation:
        """The library's generation; the current one (0.14) without a library."""
        return self.library.generation or Generation.TUNNEL_TYPE

    @property
    def capabilities(self) -> Capabilities:
        """What this generation can do, and what the IP Helper adds to it."""
        can, helper = CAPABILITIES[self.generation], self.ip_helper
        if helper is None:
            return can
        return replace(
            can,
            rename=can.rename or helper.has_rename,
            network_settings=True,
            metric=True,
            dns=helper.has_dns,
        )

    def unavailable_reason(self) -> Unavailable | None:
        """Return why the library cannot be used here, or None. Loads nothing."""
        return self.library.unavailable_reason()

    def create_adapter(
        self, name: str, pool: str, requested_guid: UUID | None = None
    ) -> WintunAdapter:
        """Create an adapter (wintun.h: WintunCreateAdapter). May take seconds.

        Raises:
            AdapterExists: The name or the GUID is in use. Wintun would rename the other adapter.
            AccessDenied: The process is not elevated.
        """
        check_name(name)
        self._pools.add(check_pool(pool, self.capabilities.max_pool))
        self.refuse_taken("WintunCreateAdapter", name)
        guid = requested_guid
        if guid is None and self.ip_helper is None:
            guid = uuid4()  # as the system would do; this way it is known at once
        handle, reboot_required = self._create(name, pool, Guid.of(guid) if guid else None)
        adapter = WintunAdapter(
            self, handle, name, pool, created=True, reboot_required=reboot_required
        )
        if guid is not None:
            self._guids[adapter.luid] = guid
        self._adapters.append(adapter)
        return adapter

    def open_adapter(self, name: str, pool: str) -> WintunAdapter:
        """Open an existing adapter (wintun.h: WintunOpenAdapter).

        Raises:
            AdapterNotFound: No adapter has this name in this pool.
        """
        check_name(name)
        self._pools.add(check_pool(pool))
        handle = self._open(self._wintun_name_of(name), pool)
        adapter = WintunAdapter(self, handle, name, pool, created=False)
        try:
            if adapter.luid in self._renamed:
                adapter.renamed(self._alias(adapter.luid))  # as it may not be the given name
            # 0.9 to 0.12 accept "Net 10" as "Net"; 0.14 ignores the pool.
            found = _same(adapter.name(), name) and self._pool_of(adapter.luid, pool) == pool
        except BaseException:
            adapter.close()
            raise
        if not found:
            adapter.close()
            raise AdapterNotFound(
                "WintunOpenAdapter",
                ERROR_FILE_NOT_FOUND,
                f"There is no adapter {name!r} in the pool {pool!r}.",
            )
        self._adapters.append(adapter)
        return adapter

    def adapters(self, pool: str | None = None) -> list[AdapterInfo]:
        """List the adapters of a pool (wintun.h: WintunEnumAdapters), or of every pool in use.

        In the tunnel-type generation: those of which this process holds a handle, and those of
        other programs whose description names such a pool. An adapter that the IP Helper does not
        show is listed as `unavailable`, unless its device is known to be gone.
        """
        if pool is not None:
            self._pools.add(check_pool(pool))
        if not self.capabilities.enumerate_pools:
            held = {adapter.luid: adapter for adapter in self._adapters}
            wanted = [one for one in held.values() if pool is None or one.pool == pool]
            present = [info for one in wanted if (info := _unless_gone(one)) is not None]
            return present + self._others({pool} if pool is not None else self._pools, held)
        infos: list[AdapterInfo] = []
        for one_pool in [pool] if pool is not None else sorted(self._pools):
            found = self._enumerate(one_pool)
            self._forget_readings(one_pool, {luid for luid, _ in found})
            for luid, name in found:
                try:
                    infos.append(self.reading(luid, name, one_pool))
                except AdapterNotFound:
                    continue  # removed meanwhile
        return infos

    def delete_pool(self, pool: str) -> bool:
        """Delete a pool's adapters, and the driver if no other pool has adapters.

        Wraps wintun.h: WintunDeletePoolDriver. Return whether a reboot is required.

        Raises:
            NotSupported: The tunnel-type generation does not have pools.
        """
        if not self.capabilities.delete_pool:
            raise NotSupported("WintunDeletePoolDriver", ERROR_NOT_SUPPORTED)
        reboot_required = BOOL()
        self.call("WintunDeletePoolDriver", check_pool(pool), byref(reboot_required))
        return bool(reboot_required)

    def delete_driver(self) -> bool:
        """Remove the driver (wintun.h: WintunDeleteDriver); this never requires a reboot.

        Raises:
            NotSupported: The pool generation does not have this call.
        """
        if not self.capabilities.delete_driver:
            raise NotSupported("WintunDeleteDriver", ERROR_NOT_SUPPORTED)
        self.call("WintunDeleteDriver")
        return False

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) (wintun.h: WintunGetRunningDriverVersion), None if not loaded.

        Also None if the call would delete adapters: a query must not change anything.
        """
        if self.library.endangered():
            return None
        try:
            version = self.call("WintunGetRunningDriverVersion")
        except DriverError as error:
            if error.carried in (ERROR_FILE_NOT_FOUND, ERROR_VERSION_PARSE_ERROR):
                return None
            raise
        return version >> 16, version & 0xFFFF

    def set_logger(self, logger: Logger | None) -> None:
        """Send the lines to `logger` (wintun.h: WintunSetLogger) from the first call on."""
        self._logger = logger
        if self._log is not None:
            self._log.logger = logger

    def changes_fileno(self) -> int | None:
        """Return None: the IP Helper calls the watcher."""
        return None

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Let the IP Helper call `watcher`; without an IP Helper, changes are not reported."""
        if self.ip_helper is not None:
            self.ip_helper.watch(watcher)

    def close(self) -> None:
        """Unset logger and watcher. The adapters own their handles and close them."""
        self.set_logger(None)
        self.set_watcher(None)
        if self._log is not None and not self._closed:
            self.library.functions["WintunSetLogger"](type(self._log.callback)())
        self._closed = True

    # Used by adapters.

    def reading(self, luid: int, name: str, pool: str) -> AdapterInfo:
        """Describe an adapter, or return what is known about it while the system hides it.

        Raises:
            AdapterNotFound: Its device is gone, or it was never seen.
        """
        try:
            info = self.describe(luid, name, pool)
        except DriverError as error:
            why, missing = self.hidden(luid), isinstance(error, AdapterNotFound)
            if missing and why is None:
                self._readings.pop(luid, None)
                raise
            if not missing and not why:
                raise
            return _without_settings(replace(self._readings[luid].info, name=name), why or _HIDDEN)
        state, before = self._state(info.guid), self._readings.get(luid)
        located = state.presence in (Presence.WORKING, Presence.STOPPED)
        if state.presence is Presence.UNKNOWN and before and before.info.guid == info.guid:
            located = before.located
        self._readings[luid] = _Reading(info, located)
        if state.presence is Presence.STOPPED:
            return _without_settings(info, state.why)
        return info

    def hidden(self, luid: int) -> str | None:
        """Return why an adapter that was seen before cannot be used now.

        Return "" if the system shows it, and None if it is gone or nothing is known about it.
        """
        known, helper = self._readings.get(luid), self.ip_helper
        if known is None or helper is None:
            return None
        state = self._state(known.info.guid)
        if state.presence is Presence.STOPPED:
            return state.why
        try:
            helper.guid(luid)
        except AdapterNotFound:
            gone = known.located and state.presence is Presence.GONE
            return None if gone else state.why or _HIDDEN
        return ""

    def version_or_none(self) -> tuple[int, int] | None:
        """Return the running driver's version; None if it is unknown, for any reason."""
        try:
            return self.running_driver_version()
        except DriverError:
            return None

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of the library; a failure carries the log lines of the call."""
        functions = self.library.functions
        log = self._log
        if log is None:
            log = self._log = Log(self.generation)
            log.logger = self._logger
            if not self._closed:
                functions["WintunSetLogger"](log.callback)
        mark = log.mark()
        self.library.clear_last_error()
        try:
            return functions[function](*arguments)
        except DriverError as error:
            error.log = log.since(mark)
            raise

    def describe(self, luid: int, name: str, pool: str) -> AdapterInfo:
        """Read the rest of an adapter from the system.

        Raises:
            AdapterNotFound: The system does not have the interface.
        """
        helper, persistent = self.ip_helper, self.capabilities.persistent_adapters
        created = any(one.luid == luid and one.created for one in self._adapters)
        orphan = not (persistent or created)
        if helper is None:
            return AdapterInfo(
                guid=self._known_guid(luid),
                name=name,
                pool=pool,
                luid=luid,
                interface_index=0,
                interface_name=name,
                mtu=None,
                addresses=(),
                persistent=persistent,
                orphan=orphan,
            )
        dns, dns_search = helper.dns(luid)
        mtu, families = helper.mtu(luid), helper.families(luid)
        if mtu is not None and mtu < MIN_MTU_IPV6:
            families = tuple(one for one in families if one != 6)
        return AdapterInfo(
            guid=helper.guid(luid),
            name=name,
            pool=pool,
            luid=luid,
            interface_index=helper.interface_index(luid),
            interface_name=helper.alias(luid),
            mtu=mtu,
            addresses=helper.addresses(luid),
            persistent=persistent,
            wintun_name=self._renamed.get(luid, ""),
            metric=helper.metric(luid),
            routes=helper.routes(luid),
            dns=dns,
            dns_search=dns_search,
            families=families,
            orphan=orphan,
        )

    def refuse_taken(self, function: str, name: str, besides: int | None = None) -> None:
        """Raise `AdapterExists` if an interface other than this LUID has the name."""
        if any(luid != besides for luid in self._luids_named(name)):
            raise AdapterExists(
                function, ERROR_ALREADY_EXISTS, f"An adapter {name!r} already exists."
            )

    def rename(self, luid: int, name: str, new: str) -> None:
        """Change the alias with Windows' own function, in the tunnel-type generation.

        Wintun still opens the adapter by the name with which it was created.
        """
        assert self.ip_helper is not None
        self.ip_helper.rename(luid, new)
        self._renamed.setdefault(luid, name)
        for adapter in self._adapters:
            if adapter.luid == luid:
                adapter.renamed(new)

    def release(self, handle: AdapterHandle) -> None:
        """Close a handle with the generation's function."""
        pool = self.generation is Generation.POOL
        self.call("WintunFreeAdapter" if pool else "WintunCloseAdapter", handle)

    def forget(self, adapter: WintunAdapter) -> None:
        """Remove the adapter from those of which this process holds a handle."""
        if adapter in self._adapters:
            self._adapters.remove(adapter)
        if adapter.created and not self.capabilities.persistent_adapters:
            self._renamed.pop(adapter.luid, None)  # it is removed with its handle
            self._readings.pop(adapter.luid, None)

    def _forget_readings(self, pool: str, present: Container[int]) -> None:
        for luid, reading in list(self._readings.items()):
            if reading.info.pool == pool and luid not in present:
                del self._readings[luid]

    def _state(self, guid: UUID) -> DeviceState:
        if self._devices is None:
            return DeviceState(Presence.UNKNOWN)
        return self._devices.state(guid)

    def _create(self, name: str, pool: str, guid: Guid | None) -> tuple[AdapterHandle, bool]:
        try:
            return self._create_by(name, pool, byref(guid) if guid is not None else None)
        except AdapterExists as error:
            # No other interface has the name (`refuse_taken`), so 183 refers to the GUID.
            if guid is not None and error.carried == ERROR_ALREADY_EXISTS:
                error.guid_in_use = True
                error.detail = f"Another adapter has the GUID {guid.uuid}, or had it a moment ago."
                error.hint = "Omit requested_guid, or choose another one."
            raise

    def _create_by(self, name: str, pool: str, requested: Any) -> tuple[AdapterHandle, bool]:
        if self.generation is Generation.POOL:
            reboot_required = BOOL()
            arguments = (pool, name, requested, byref(reboot_required))
            return self.call("WintunCreateAdapter", *arguments), bool(reboot_required)
        return self.call("WintunCreateAdapter", name, pool, requested), False

    def _open(self, name: str, pool: str) -> AdapterHandle:
        by_pool = self.generation is Generation.POOL
        arguments: Sequence[str] = (pool, name) if by_pool else (name,)
        handle: AdapterHandle = self.call("WintunOpenAdapter", *arguments)
        return handle

    def _enumerate(self, pool: str) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        failures: list[DriverError] = []

        def on_adapter(handle: AdapterHandle, _parameter: int) -> int:
            # The handle is freed when this returns, and an exception would be lost.
            try:
                found.append((read_luid(self, handle), read_name(self, handle)))
            except DriverError as error:
                failures.append(error)
            return 1

        self.call("WintunEnumAdapters", pool, EnumCallback(on_adapter), 0)
        unexpected = [one for one in failures if not isinstance(one, AdapterNotFound)]
        if unexpected:
            raise unexpected[0]
        return found

    def _luids_named(self, name: str) -> Iterable[int]:
        if self.ip_helper is not None:
            luid = self.ip_helper.luid_of_alias(name)
            if luid is not None:
                yield luid
        try:
            infos = self.adapters()
        except AccessDenied:
            return  # in 0.9 to 0.10.2 only SYSTEM can enumerate
        for info in infos:
            # Two adapters may have this stored name, and Wintun would open either of them.
            if _same(info.name, name) or _same(info.wintun_name, name):
                yield info.luid

    def _others(self, pools: Iterable[str], held: Container[int]) -> list[AdapterInfo]:
        """List Wintun's adapters of other programs, by their description (wintun.h: no call)."""
        infos: list[AdapterInfo] = []
        for luid, description in self.ip_helper.interfaces() if self.ip_helper else ():
            match = _DESCRIPTION.fullmatch(description)
            if luid in held or match is None or match["pool"] not in pools:
                continue
            with suppress(AdapterNotFound):  # it may have been removed meanwhile
                infos.append(self.describe(luid, self._alias(luid), match["pool"]))
        return infos

    def _alias(self, luid: int) -> str:
        assert self.ip_helper is not None
        return self.ip_helper.alias(luid)

    def _wintun_name_of(self, name: str) -> str:
        luid = self.ip_helper.luid_of_alias(name) if self._renamed and self.ip_helper else None
        return self._renamed.get(luid, name) if luid is not None else name

    def _pool_of(self, luid: int, pool: str) -> str:
        if self.capabilities.enumerate_pools:
            return pool  # Wintun has looked
        if self.ip_helper is not None:
            match = _DESCRIPTION.fullmatch(self.ip_helper.description(luid))
            return match["pool"] if match else pool
        held = (adapter.pool for adapter in self._adapters if adapter.luid == luid)
        return next(held, pool)

    def _known_guid(self, luid: int) -> UUID:
        # For an adapter of another program: as stable as the LUID, if not the system's GUID.
        return self._guids.get(luid) or uuid5(NAMESPACE_OID, f"net-luid-{luid:#x}")


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _without_settings(info: AdapterInfo, why: str) -> AdapterInfo:
    return replace(
        info,
        interface_index=0,
        mtu=None,
        addresses=(),
        metric=None,
        routes=(),
        dns=(),
        dns_search=(),
        families=(),
        unavailable=why,
    )


def _unless_gone(adapter: WintunAdapter) -> AdapterInfo | None:
    try:
        return adapter.info()
    except AdapterNotFound:
        return None


def open_wintun(settings: Settings) -> WintunDriver:
    """Return the driver of the real wintun.dll, which is not loaded yet."""
    library = WintunDll(
        settings.wintun_dll,
        data_dir=settings.data_dir,
        allow_unverified=settings.allow_unverified_dll,
    )
    helper, devices = windows_ip_helper(), windows_devices()
    return WintunDriver(library, helper, devices=devices, pools=settings.pools)
