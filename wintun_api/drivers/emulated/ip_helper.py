"""Emulate the IP Helper: names, network settings and counters of the machine's devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from uuid import UUID

from wintun_api.drivers.base import (
    IPAddress,
    IPInterface,
    IPNetwork,
    LinkCounters,
    Route,
    Watcher,
)
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.machine import Device, Machine
from wintun_api.drivers.network_check import (
    check_addresses,
    check_routes,
    makes,
)
from wintun_api.drivers.windows.failures import lacks
from wintun_api.drivers.windows.win32 import (
    ERROR_DUP_NAME,
    ERROR_FILE_NOT_FOUND,
)
from wintun_api.drivers.wintun.meanings import driver_error
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    RouteExists,
)


class EmulatedIpHelper:
    """Implement `windows.ip_helper.IpHelper` for an emulated machine.

    Attributes:
        has_dns: False emulates a Windows older than 10 2004.
        has_rename: False emulates a Windows without the function to rename.

    Args:
        machine: The machine that has the devices.
        run_fault: Called with "GetIfEntry2" before counters are read; it may wait or raise.
    """

    def __init__(self, machine: Machine, run_fault: Callable[[str], None] | None = None) -> None:
        self._machine = machine
        self._run_fault = run_fault
        self._watcher: Watcher | None = None
        self.has_dns = True
        self.has_rename = True

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the device with this alias, ignoring case, or None."""
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
        """Return the alias."""
        return self._device("ConvertInterfaceLuidToAlias", luid).name

    def rename(self, luid: int, alias: str) -> None:
        """Give the device another alias; the name that Wintun stored stays."""
        if not self.has_rename:
            raise lacks("NciSetConnectionName")
        device = self._device("NciSetConnectionName", luid)
        try:
            self._machine.set_alias(device, alias)
        except CallFailed as error:
            if error.code == ERROR_DUP_NAME:
                raise AdapterExists.from_call(
                    "NciSetConnectionName", error.code, name=alias
                ) from None
            raise _failed("NciSetConnectionName", error) from None

    def interfaces(self) -> list[tuple[int, str]]:
        """Return LUID and description of every Wintun device that is enabled."""
        with self._machine.lock:
            devices = [one for one in self._machine.wintun_devices() if one.enabled]
            return [(one.luid, f"{one.pool} Tunnel") for one in devices]

    def families(self, luid: int) -> tuple[int, ...]:
        """Return both families: IPv6 is never disabled here."""
        self._device("GetIpInterfaceEntry", luid)
        return (4, 6)

    def description(self, luid: int) -> str:
        """Return the description: "<pool> Tunnel"."""
        return f"{self._device('GetIfEntry2', luid).pool} Tunnel"

    def running(self, luid: int) -> bool:
        """Return whether a session is attached, of any program."""
        return self._device("GetIfEntry2", luid).link is not None

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the addresses."""
        return self._device("GetUnicastIpAddressTable", luid).addresses

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Replace the addresses with these."""
        wanted = check_addresses(addresses)
        with self._changing("CreateUnicastIpAddressEntry", luid) as device:
            device.set_addresses(wanted)

    def mtu(self, luid: int) -> int:
        """Return the MTU in bytes."""
        return self._device("GetIpInterfaceEntry", luid).mtu

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes."""
        with self._changing("SetIpInterfaceEntry", luid) as device:
            device.mtu = mtu

    def metric(self, luid: int) -> int | None:
        """Return the metric."""
        return self._device("GetIpInterfaceEntry", luid).metric

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric."""
        with self._changing("SetIpInterfaceEntry", luid) as device:
            device.metric = metric

    def routes(self, luid: int) -> tuple[Route, ...]:
        """Return the routes."""
        return self._device("GetIpForwardTable2", luid).routes

    def set_routes(self, luid: int, routes: Sequence[Route]) -> None:
        """Replace the routes with these; those to its addresses' networks belong to Windows.

        If two devices have the same metric, only one of them can have a route with the same
        destination and metric, so that it is known which one gets the packets.
        """
        self._refuse_taken(luid, routes)
        with self._changing("CreateIpForwardEntry2", luid) as device:
            own = {address.network for address in device.addresses}
            device.routes = tuple(
                one
                for one in dict.fromkeys(routes)
                if one.next_hop is not None or one.destination not in own
            )

    def _refuse_taken(self, luid: int, routes: Sequence[Route]) -> None:
        device = self._device("CreateIpForwardEntry2", luid)
        with self._machine.lock:
            others = [one for one in self._machine.wintun_devices() if one is not device]
        check_routes(routes, device.addresses, partial(_reached_through, device, others))
        rivals = [other for other in others if other.metric == device.metric]
        taken = {_place(route): other for other in rivals for route in other.routes}
        for route in routes:
            if route in device.routes or any(makes(one, route) for one in device.addresses):
                continue
            made = (one for one in rivals if any(makes(at, route) for at in one.addresses))
            other = taken.get(_place(route)) or next(made, None)
            if other is not None:
                raise RouteExists(
                    detail=f"{route.destination}: A route with metric {route.metric} already "
                    f"exists, into the adapter {other.name}.",
                    hint="Give this route or one of the two adapters another metric, where smaller "
                    f"is preferred, or remove the route into {other.name} first.",
                )

    def dns(self, luid: int) -> tuple[tuple[IPAddress, ...], tuple[str, ...]]:
        """Return servers, IPv4 before IPv6, and search domains."""
        device = self._device("GetInterfaceDnsSettings", luid)
        return device.dns, device.dns_search

    def set_dns(self, luid: int, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the DNS servers and search domains with these."""
        if not self.has_dns:
            raise lacks("SetInterfaceDnsSettings")
        with self._changing("SetInterfaceDnsSettings", luid) as device:
            device.dns = tuple(sorted(servers, key=lambda server: server.version))
            device.dns_search = tuple(search)

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters."""
        if self._run_fault is not None:
            self._run_fault("GetIfEntry2")
        with self._machine.lock:
            return LinkCounters(**asdict(self._device("GetIfEntry2", luid).counters))

    def watch(self, watcher: Watcher | None) -> None:
        """Call `watcher` after a change of any device by any program; None stops the calls."""
        with self._machine.lock:
            if self._watcher is not None:
                self._machine.watchers.remove(self._watcher)
            self._watcher = watcher
            if watcher is not None:
                self._machine.watchers.append(watcher)

    @contextmanager
    def _changing(self, function: str, luid: int) -> Iterator[Device]:
        try:
            with self._machine.change():
                yield self._device(function, luid)
        except CallFailed as error:
            raise _failed(function, error) from None

    def _device(self, function: str, luid: int) -> Device:
        with self._machine.lock:
            device = self._machine.by_luid(luid)
        if device is None or not device.enabled:
            raise AdapterNotFound.from_call(function, ERROR_FILE_NOT_FOUND)
        return device


def _reached_through(device: Device, others: Sequence[Device], hop: IPAddress) -> str:
    if any(hop in one.network for one in device.addresses):
        others = [other for other in others if any(hop == one.ip for one in other.addresses)]
    for other in others:
        if any(hop in one.network for one in other.addresses):
            return other.name
    return ""


def _place(route: Route) -> tuple[IPNetwork, int]:
    """Return what only one route of the machine can have."""
    return route.destination, route.metric


def _failed(function: str, failed: CallFailed) -> DriverError:
    error = driver_error(function, failed.code)
    error.detail = f"{failed.sentence}."
    return error
