"""Create, open, list and delete adapters through a library of either generation."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from contextlib import suppress
from ctypes import byref
from pathlib import Path
from uuid import UUID, uuid4

from wintun_api.choices import Native
from wintun_api.drivers.base import AdapterInfo, Capabilities, Logger, Unavailable, Watcher
from wintun_api.drivers.limits import check_name, check_new_name, check_new_pool, check_pool
from wintun_api.drivers.windows.devices import Devices, windows_devices
from wintun_api.drivers.windows.foreign import BOOL
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.windows.system_ip_helper import windows_ip_helper
from wintun_api.drivers.windows.win32 import (
    ERROR_ALREADY_EXISTS,
)
from wintun_api.drivers.wintun.abi import AdapterHandle, EnumCallback
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.calls import Calls
from wintun_api.drivers.wintun.generations import capabilities_of, create, open_existing
from wintun_api.drivers.wintun.library import WintunDll, WintunLibrary
from wintun_api.drivers.wintun.names import Names, read_luid, read_name, same
from wintun_api.drivers.wintun.readings import Readings
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    NotSupported,
    about_adapter,
)
from wintun_api.native import Speedups, speedups

# Windows numbers equal descriptions: "Example Tunnel", "Example Tunnel #2".
_DESCRIPTION = re.compile(r"(?P<pool>.*) Tunnel(?: #\d+)?")


class WintunDriver:
    """Implement `drivers.base.Driver` with Wintun. Calls come from one thread at a time.

    Args:
        library: The library; it is not loaded until a call needs it.
        ip_helper: Identity and settings by LUID; without it the driver only knows what Wintun
            knows.
        devices: Distinguishes a removed device from a disabled one; without it, an adapter that
            the IP Helper does not show is assumed to exist.
        name: The driver's key in `drivers.DRIVERS`.
        lasting: Whether the library's machine outlives this process.
        pools: Pools to look into in addition to those that are used.
        speedups: The C extension, if packets may pass through it.

    Attributes:
        library: The library.
        ip_helper: The IP Helper, or None.
        readings: What is remembered of the adapters.
    """

    def __init__(
        self,
        library: WintunLibrary,
        ip_helper: IpHelper | None = None,
        *,
        devices: Devices | None = None,
        name: str = "wintun",
        lasting: bool = True,
        pools: Iterable[str] = (),
        speedups: Speedups | None = None,
    ) -> None:
        self.library = library
        self.ip_helper = ip_helper
        self._name = name
        self._lasting = lasting
        self._pools = set(pools)
        self._adapters: list[WintunAdapter] = []
        self._calls = Calls(library, speedups)
        self._names = Names(ip_helper, self.adapters)
        self.readings = Readings(self._calls, ip_helper, devices, self._names)

    @property
    def name(self) -> str:
        """The driver's key in `drivers.DRIVERS`."""
        return self._name

    @property
    def library_path(self) -> str | None:
        """The absolute path of wintun.dll."""
        return self.library.path

    @property
    def lasting(self) -> bool:
        """Whether the library's machine outlives this process; an emulated one does not."""
        return self._lasting

    @property
    def capabilities(self) -> Capabilities:
        """What this generation can do, and what the IP Helper adds to it."""
        return capabilities_of(self._calls.generation, self.ip_helper)

    def unavailable_reason(self) -> Unavailable | None:
        """Return why the library cannot be used here, or None. Loads nothing."""
        return self.library.unavailable_reason()

    def elevated(self) -> bool:
        """Return whether this process has the rights that the library's calls need."""
        return self.library.elevated()

    def create_adapter(
        self, name: str, pool: str, requested_guid: UUID | None = None
    ) -> WintunAdapter:
        """Create an adapter (wintun.h: WintunCreateAdapter). May take seconds.

        Raises:
            AdapterExists: The name or the GUID is in use. Wintun would rename the other adapter.
            AccessDenied: The process is not elevated.
        """
        check_new_name(name)
        self._pools.add(check_new_pool(pool, self.capabilities.max_pool))
        self._names.refuse_taken(name)
        guid = requested_guid
        if guid is None and self.ip_helper is None:
            guid = uuid4()  # as the system would do; this way it is known at once
        handle, reboot = self._create(name, pool, guid)
        adapter = self._adapter(handle, name, pool, created=True, reboot_required=reboot)
        self._names.forget(adapter.luid)  # the LUID may have been another adapter's
        self.readings.created(adapter.luid, guid)
        self._adapters.append(adapter)
        return adapter

    def open_adapter(self, name: str, pool: str) -> WintunAdapter:
        """Open an existing adapter (wintun.h: WintunOpenAdapter).

        Raises:
            AdapterNotFound: No adapter has this name in this pool.
        """
        check_name(name)
        self._pools.add(check_pool(pool))
        with about_adapter(name):
            handle = open_existing(self._calls, self._names.for_wintun(name), pool)
        adapter = self._adapter(handle, name, pool, created=False)
        try:
            self._names.read_again(adapter.luid)
            # 0.9 to 0.12 accept "Net 10" as "Net"; 0.14 ignores the pool.
            found = same(adapter.name(), name) and self._pool_of(adapter.luid, pool) == pool
        except BaseException:
            adapter.close()
            raise
        if not found:
            adapter.close()
            raise AdapterNotFound(name, f"There is no adapter {name!r} in the pool {pool!r}.")
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
            self.readings.keep(one_pool, {luid for luid, _ in found})
            for luid, name in found:
                try:
                    infos.append(self.readings.read(luid, name, one_pool))
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
            raise NotSupported(detail="This generation of Wintun has no pools.")
        reboot_required = BOOL()
        self._calls.call("WintunDeletePoolDriver", check_pool(pool), byref(reboot_required))
        return bool(reboot_required)

    def delete_driver(self) -> bool:
        """Remove the driver (wintun.h: WintunDeleteDriver); this never requires a reboot.

        Raises:
            NotSupported: The pool generation does not have this call.
        """
        if not self.capabilities.delete_driver:
            raise NotSupported(detail="This generation of Wintun cannot remove its driver.")
        self._calls.call("WintunDeleteDriver")
        return False

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) (wintun.h: WintunGetRunningDriverVersion), None if not loaded.

        Also None if the call would delete adapters: a query must not change anything.
        """
        return self._calls.driver_version()

    def set_logger(self, logger: Logger | None) -> None:
        """Send the lines to `logger` (wintun.h: WintunSetLogger) from the first call on."""
        self._calls.set_logger(logger)

    def changes_fileno(self) -> int | None:
        """Return None: the IP Helper calls the watcher."""
        return None

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Let the IP Helper call `watcher`; without an IP Helper, changes are not reported."""
        if self.ip_helper is not None:
            self.ip_helper.watch(watcher)

    def close(self) -> None:
        """Unset logger and watcher. The adapters own their handles and close them."""
        self.set_watcher(None)
        self._calls.close()

    def _adapter(
        self,
        handle: AdapterHandle,
        name: str,
        pool: str,
        *,
        created: bool,
        reboot_required: bool = False,
    ) -> WintunAdapter:
        return WintunAdapter(
            self._calls,
            self.ip_helper,
            self._names,
            self.readings,
            handle=handle,
            name=name,
            pool=pool,
            created=created,
            reboot_required=reboot_required,
            on_close=self._closed,
        )

    def _closed(self, adapter: WintunAdapter) -> None:
        if adapter in self._adapters:
            self._adapters.remove(adapter)
        if adapter.created:
            self.readings.released(adapter.luid)
            if not self.capabilities.persistent_adapters:
                self._names.forget(adapter.luid)  # it is removed with its handle

    def _create(self, name: str, pool: str, guid: UUID | None) -> tuple[AdapterHandle, bool]:
        try:
            return create(self._calls, name, pool, guid)
        except AdapterExists as error:
            error.name, error.guid = name, guid
            # No other interface has the name (`refuse_taken`), so 183 refers to the GUID.
            if guid is not None and error.carried == ERROR_ALREADY_EXISTS:
                error.guid_in_use = True
                error.detail = f"Another adapter has the GUID {guid}, or had it a moment ago."
                error.hint = "Request no GUID, or another one."
            raise

    def _enumerate(self, pool: str) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        failures: list[DriverError] = []
        calls = self._calls

        def on_adapter(handle: AdapterHandle, _parameter: int) -> int:
            # The handle is freed when this returns, and an exception would be lost.
            try:
                found.append((read_luid(calls, handle), read_name(calls, handle)))
            except DriverError as error:
                failures.append(error)
            return 1

        calls.call("WintunEnumAdapters", pool, EnumCallback(on_adapter), 0)
        unexpected = [one for one in failures if not isinstance(one, AdapterNotFound)]
        if unexpected:
            raise unexpected[0]
        return found

    def _others(self, pools: Iterable[str], held: Container[int]) -> list[AdapterInfo]:
        """List Wintun's adapters of other programs, by their description (wintun.h: no call)."""
        helper = self.ip_helper
        if helper is None:
            return []
        infos: list[AdapterInfo] = []
        for luid, description in helper.interfaces():
            match = _DESCRIPTION.fullmatch(description)
            if luid in held or match is None or match["pool"] not in pools:
                continue
            with suppress(AdapterNotFound):  # it may have been removed meanwhile
                infos.append(self.readings.describe(luid, helper.alias(luid), match["pool"]))
        return infos

    def _pool_of(self, luid: int, pool: str) -> str:
        if self.capabilities.enumerate_pools:
            return pool  # Wintun has looked
        if self.ip_helper is not None:
            match = _DESCRIPTION.fullmatch(self.ip_helper.description(luid))
            return match["pool"] if match else pool
        held = (adapter.pool for adapter in self._adapters if adapter.luid == luid)
        return next(held, pool)


def _unless_gone(adapter: WintunAdapter) -> AdapterInfo | None:
    try:
        return adapter.info()
    except AdapterNotFound:
        return None


def open_wintun(
    path: Path | None = None,
    *,
    data_dir: Path | None = None,
    allow_unverified: bool = False,
    pools: Iterable[str] = (),
    native: Native = Native.AUTO,
) -> WintunDriver:
    """Return the driver of the real wintun.dll, which is not loaded yet.

        driver = open_wintun()
        adapter = driver.create_adapter("Demo", "Example")
        session = adapter.start_session(0x400000)
        while session.wait_readable():
            for packet in session.receive_packets(256):
                ...

    Args:
        path: The absolute path of the file to use; without it, the usual places are searched.
        data_dir: A directory to search in addition to the program's own directory.
        allow_unverified: Accept a file that is neither a known release nor signed by its vendor.
        pools: Pools to look into in addition to those that are used.
        native: Whether packets may be received and sent in C.
    """
    library = WintunDll(path, data_dir=data_dir, allow_unverified=allow_unverified)
    helper, devices = windows_ip_helper(), windows_devices()
    return WintunDriver(library, helper, devices=devices, pools=pools, speedups=speedups(native))
