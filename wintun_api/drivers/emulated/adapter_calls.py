"""Implement the management functions of both generations.

Methods have the names of the exports, because they are bound by name.
"""

from __future__ import annotations

from ctypes import memmove
from typing import Any

from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.machine import Device
from wintun_api.drivers.emulated.program import OpenAdapter, Program
from wintun_api.drivers.windows.foreign import WideString
from wintun_api.drivers.windows.win32 import (
    ERROR_ALREADY_EXISTS,
    ERROR_BUFFER_OVERFLOW,
    ERROR_FILE_NOT_FOUND,
    ERROR_INF_IN_USE_BY_DEVICES,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
)
from wintun_api.drivers.wintun.abi import AdapterHandle
from wintun_api.limits import MAX_ADAPTER_NAME, MAX_POOL

# ruff: noqa: N802  the exports' names

HRESULT_FROM_WIN32 = 0x80070000  # winerror.h


class AdapterCalls:
    """Implement what both generations share. Every method runs under the machine's lock.

    Attributes:
        driver_version: The version that the library installs: (major, minor).
    """

    driver_version: tuple[int, int]

    def __init__(self, program: Program) -> None:
        self._program = program
        self._machine = program.machine

    def WintunGetAdapterLUID(self, handle: AdapterHandle, luid: Any) -> None:
        """Write the LUID."""
        device = self._program.adapter("WintunGetAdapterLUID", handle.value).device
        luid.contents.value = device.luid

    def WintunGetRunningDriverVersion(self) -> int:
        """Return the loaded driver's version."""
        version = self._machine.running_version
        if version is None:
            raise CallFailed(ERROR_FILE_NOT_FOUND)
        return version[0] << 16 | version[1]

    def WintunSetLogger(self, logger: Any) -> None:
        """Take the logger, or NULL."""
        self._program.logger = logger

    def _new_handle(self, device: Device, *, created: bool) -> int:
        handle = self._program.new_handle()
        self._program.adapters[handle] = OpenAdapter(device, created)
        return handle

    def _create(self, name: str, pool: str, guid: Any, *, persistent: bool) -> int:
        requested = guid.contents.uuid if guid else None
        device = self._machine.create(name, pool, requested, persistent=persistent)
        # A newer driver that another program left is kept.
        installed = self._machine.driver_version or (0, 0)
        self._machine.driver_version = max(installed, self.driver_version)
        return self._new_handle(device, created=True)


class PoolCalls(AdapterCalls):
    """wintun.dll 0.9 to 0.13: pools, persistent adapters, a flag for reboots."""

    driver_version = (0, 13)

    def WintunCreateAdapter(
        self, pool: WideString, name: WideString, guid: Any, reboot_required: Any
    ) -> int:
        """Create a persistent adapter."""
        handle = self._create(_name(name), _pool(pool), guid, persistent=True)
        self._reboot(reboot_required)
        return handle

    def WintunOpenAdapter(self, pool: WideString, name: WideString) -> int:
        """Open an adapter by its alias."""
        device = self._find(_name(name))
        if device.pool != _pool(pool):
            raise CallFailed(ERROR_ALREADY_EXISTS, f"{device.name} is not in the pool {pool.text}")
        return self._new_handle(device, created=False)

    def WintunDeleteAdapter(self, handle: AdapterHandle, force: int, reboot_required: Any) -> int:
        """Remove the device; a session of another program keeps it unless forced."""
        device = self._program.adapter("WintunDeleteAdapter", handle.value).device
        own = any(one.device is device for one in self._program.sessions.values())
        if device.link is not None and not own and not force:
            device.remove_with_session = True
            if reboot_required:
                reboot_required[0] = 1
            return 1
        self._machine.remove(device)
        self._reboot(reboot_required)
        return 1

    def WintunEnumAdapters(self, pool: WideString, callback: Any, parameter: int) -> int:
        """Call back with a handle that lives as long as the callback."""
        for device in self._machine.wintun_devices(_pool(pool)):
            handle = self._new_handle(device, created=False)
            self._program.adapters[handle].within_callback = True
            go_on = callback(AdapterHandle(handle), parameter)
            if handle in self._program.adapters:
                self._program.give_back(handle, "WintunEnumAdapters")
            if not go_on:
                break
        return 1

    def WintunFreeAdapter(self, handle: AdapterHandle) -> None:
        """Free the handle; the adapter stays."""
        adapter = self._program.adapter("WintunFreeAdapter", handle.value)
        if adapter.within_callback:
            raise self._program.refuse("WintunFreeAdapter", "the handle is WintunEnumAdapters' own")
        self._program.give_back(handle.value or 0, "WintunFreeAdapter")

    def WintunDeletePoolDriver(self, pool: WideString, reboot_required: Any) -> int:
        """Remove the pool's devices, and the driver when there are no others."""
        self._machine.remove(*self._machine.wintun_devices(_pool(pool)))
        if not any(self._machine.wintun_devices()):
            self._machine.driver_version = None
        self._reboot(reboot_required)
        return 1

    def WintunGetAdapterName(self, handle: AdapterHandle, name: Any) -> int:
        """Write the name into 128 UTF-16 units."""
        device = self._present("WintunGetAdapterName", handle)
        units = device.name.encode("utf-16-le")[: 2 * (MAX_ADAPTER_NAME - 1)] + b"\0\0"
        memmove(name, units, len(units))
        return 1

    def WintunSetAdapterName(self, handle: AdapterHandle, name: WideString) -> int:
        """Rename the adapter; another adapter with this name is renamed."""
        device = self._present("WintunSetAdapterName", handle)
        self._machine.rename(device, _name(name))
        return 1

    def _present(self, function: str, handle: AdapterHandle) -> Device:
        device = self._program.adapter(function, handle.value).device
        if device.removed:
            raise CallFailed(ERROR_FILE_NOT_FOUND, "The adapter was removed")
        return device

    def _find(self, name: str) -> Device:
        device = self._machine.named(name)
        if device is None and self._machine.loose_open:
            trimmed = (
                one
                for one in self._machine.wintun_devices()
                if one.name.rstrip("0123456789 ").lower() == name.lower()
            )
            device = next(trimmed, None)
        if device is None:
            raise CallFailed(ERROR_FILE_NOT_FOUND, f"There is no adapter {name}")
        return device

    def _reboot(self, reboot_required: Any) -> None:
        if reboot_required:
            reboot_required[0] = self._machine.reboot_required


class TunnelTypeCalls(AdapterCalls):
    """wintun.dll 0.14: an adapter lives as long as the handle that created it."""

    driver_version = (0, 14)

    def WintunCreateAdapter(self, name: WideString, tunnel_type: WideString, guid: Any) -> int:
        """Create an adapter that exists as long as this handle."""
        if _units(tunnel_type) + len(" Tunnel") >= MAX_ADAPTER_NAME + 8:
            raise CallFailed(ERROR_BUFFER_OVERFLOW, "The tunnel type is too long")
        if _units(name) >= MAX_ADAPTER_NAME:
            raise CallFailed(ERROR_BUFFER_OVERFLOW, "The name is too long")
        try:
            return self._create(name.text, tunnel_type.text, guid, persistent=False)
        except CallFailed as failed:
            if failed.code == ERROR_ALREADY_EXISTS:  # SwDeviceCreate answers with HRESULTs
                raise CallFailed(HRESULT_FROM_WIN32 | failed.code, failed.sentence) from None
            raise

    def WintunOpenAdapter(self, name: WideString) -> int:
        """Open a Wintun adapter by the name that Wintun stored."""
        stored = name.text.lower()
        found = (one for one in self._machine.wintun_devices() if one.wintun_name.lower() == stored)
        device = next(found, None)
        if device is None:
            raise CallFailed(ERROR_NOT_FOUND, "Failed to find matching adapter name")
        return self._new_handle(device, created=False)

    def WintunCloseAdapter(self, handle: AdapterHandle) -> None:
        """Close the handle; closing the creating one removes the device. NULL is allowed."""
        if not handle.value:
            return
        adapter = self._program.adapter("WintunCloseAdapter", handle.value)
        if adapter.created and not adapter.device.persistent:
            self._machine.remove(adapter.device)
        self._program.give_back(handle.value, "WintunCloseAdapter")

    def WintunDeleteDriver(self) -> int:
        """Remove the driver, unless adapters use it."""
        if any(self._machine.wintun_devices()):
            raise CallFailed(ERROR_INF_IN_USE_BY_DEVICES, "Adapters use the driver")
        self._machine.driver_version = None
        return 1


def _units(text: WideString) -> int:
    return len(text.text.encode("utf-16-le")) // 2


def _name(text: WideString) -> str:
    if _units(text) >= MAX_ADAPTER_NAME:
        raise CallFailed(ERROR_INVALID_PARAMETER, "The name is too long")
    return text.text


def _pool(text: WideString) -> str:
    if _units(text) >= MAX_POOL:
        raise CallFailed(ERROR_INVALID_PARAMETER, "The pool is too long")
    return text.text
