"""Addresses, MTU and counters of the machine's devices: the IP Helper as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from wintun_api.drivers.base import IPInterface, LinkCounters
from wintun_api.drivers.emulated.machine import Device, Machine
from wintun_api.drivers.wintun.win32 import ERROR_FILE_NOT_FOUND
from wintun_api.errors import AdapterNotFound


class EmulatedIpHelper:
    """Answers from a machine; methods are those of `wintun.ip_helper.IpHelper`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the device of this alias, whatever the case, or None."""
        with self._machine.lock:
            device = self._machine.named(alias)
            return device.luid if device is not None else None

    def guid(self, luid: int) -> UUID:
        """Return the GUID."""
        return self._device("ConvertInterfaceLuidToGuid", luid).guid

    def interface_index(self, luid: int) -> int:
        """Return the index."""
        return self._device("ConvertInterfaceLuidToIndex", luid).index

    def alias(self, luid: int) -> str:
        """Return the alias, which is Wintun's name here."""
        return self._device("ConvertInterfaceLuidToAlias", luid).name

    def description(self, luid: int) -> str:
        """Return the description: "<pool> Tunnel"."""
        return f"{self._device('GetIfEntry2', luid).pool} Tunnel"

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the addresses."""
        return self._device("GetUnicastIpAddressTable", luid).addresses

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Make exactly these the addresses."""
        with self._machine.lock:
            self._device("CreateUnicastIpAddressEntry", luid).set_addresses(addresses)
            self._machine.save()

    def mtu(self, luid: int) -> int:
        """Return the MTU in bytes."""
        return self._device("GetIpInterfaceEntry", luid).mtu

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes."""
        with self._machine.lock:
            self._device("SetIpInterfaceEntry", luid).mtu = mtu
            self._machine.save()

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters."""
        with self._machine.lock:
            return LinkCounters(**asdict(self._device("GetIfEntry2", luid).counters))

    def _device(self, function: str, luid: int) -> Device:
        with self._machine.lock:
            device = self._machine.by_luid(luid)
        if device is None:
            raise AdapterNotFound(function, ERROR_FILE_NOT_FOUND)
        return device
