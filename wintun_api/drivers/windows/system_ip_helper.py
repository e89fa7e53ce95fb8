"""Use the IP Helper of Windows, always by LUID.

Aliases, netsh and PowerShell are not used: names change, and the output of commands is localised.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_uint16
from typing import Any
from uuid import UUID

from wintun_api.drivers.base import IPAddress, IPInterface, LinkCounters, Route, Watcher
from wintun_api.drivers.windows.address_rows import AddressRows
from wintun_api.drivers.windows.dns_settings import DnsSettings
from wintun_api.drivers.windows.foreign import DWORD, Guid, NetLuid, text_of
from wintun_api.drivers.windows.interface_rows import IPV4_PATIENCE, IPV6_PATIENCE, InterfaceRows
from wintun_api.drivers.windows.iphlpapi import (
    ALIAS_UNITS,
    FAMILIES,
    IF_OPER_STATUS_UP,
    IfRow2,
    MibIfTableRaw,
)
from wintun_api.drivers.windows.notifications import Notifications
from wintun_api.drivers.windows.route_rows import RouteRows
from wintun_api.drivers.windows.system_calls import SystemCalls, find_in_system, system_error
from wintun_api.drivers.windows.win32 import (
    ERROR_DUP_NAME,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_SUCCESS,
)
from wintun_api.errors import AdapterNotFound

_RENAME = "NciSetConnectionName"


class WindowsIpHelper:
    """Implement `ip_helper.IpHelper` with functions of Windows. Management thread only.

    Args:
        calls: The functions.
        patience: Seconds to wait for IPv4 to be bound to a new interface, and then for IPv6.
    """

    def __init__(
        self, calls: SystemCalls, patience: tuple[float, float] = (IPV4_PATIENCE, IPV6_PATIENCE)
    ) -> None:
        self._calls = calls
        self._interfaces = InterfaceRows(calls, patience)
        self._addresses = AddressRows(calls, self._interfaces)
        self._routes = RouteRows(calls, self._interfaces)
        self._dns = DnsSettings(calls)
        self._notifications = Notifications(calls)

    @property
    def has_dns(self) -> bool:
        """Whether this Windows has SetInterfaceDnsSettings: 10 2004 (19041) and later."""
        return self._dns.available

    @property
    def has_rename(self) -> bool:
        """Whether nci.dll has the function, which Wintun needs too."""
        return self._calls.has(_RENAME)

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the interface with this alias, ignoring case, or None."""
        luid = NetLuid()
        if self._calls.code("ConvertInterfaceAliasToLuid", alias, byref(luid)) == ERROR_SUCCESS:
            return int(luid.value)
        # It is not documented that the function ignores case, and Wintun does.
        for row in self._table():
            if text_of(row.Alias).lower() == alias.lower():
                return int(row.InterfaceLuid)
        return None

    def guid(self, luid: int) -> UUID:
        """Return the GUID (netioapi.h: ConvertInterfaceLuidToGuid)."""
        return self._guid(luid).uuid

    def interface_index(self, luid: int) -> int:
        """Return the index (netioapi.h: ConvertInterfaceLuidToIndex)."""
        index = DWORD()
        self._convert("ConvertInterfaceLuidToIndex", luid, byref(index))
        return index.value

    def alias(self, luid: int) -> str:
        """Return the alias (netioapi.h: ConvertInterfaceLuidToAlias)."""
        units = (c_uint16 * ALIAS_UNITS)()
        self._convert("ConvertInterfaceLuidToAlias", luid, byref(units), ALIAS_UNITS)
        return text_of(units)

    def rename(self, luid: int, alias: str) -> None:
        """Give the interface another alias, as wintun.dll does (api/nci.h).

        Raises:
            AdapterExists: Another interface has it (52).
            NotSupported: nci.dll does not have the function.
        """
        detail = f"An interface {alias!r} already exists."
        code = self._calls.code(_RENAME, byref(self._guid(luid)), alias)
        if code != ERROR_SUCCESS:
            raise system_error(_RENAME, code, detail if code == ERROR_DUP_NAME else "")

    def interfaces(self) -> list[tuple[int, str]]:
        """Return LUID and description of every interface (netioapi.h: GetIfTable2Ex)."""
        return [(int(row.InterfaceLuid), text_of(row.Description)) for row in self._table()]

    def families(self, luid: int) -> tuple[int, ...]:
        """Return the IP versions that are bound."""
        return tuple(version for version in FAMILIES if self._interfaces.bound(luid, version))

    def description(self, luid: int) -> str:
        """Return the description (netioapi.h: GetIfEntry2)."""
        return text_of(self._entry(luid).Description)

    def running(self, luid: int) -> bool:
        """Return whether the interface is operational (ifdef.h: IfOperStatusUp)."""
        return int(self._entry(luid).OperStatus) == IF_OPER_STATUS_UP

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the unicast addresses."""
        return self._addresses.get(luid)

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Replace the addresses with these; link-local ones of Windows stay."""
        self._addresses.set(luid, addresses)

    def mtu(self, luid: int) -> int | None:
        """Return the MTU in bytes; None while neither family is bound."""
        return self._interfaces.mtu(luid)

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes; IPv6 gets at least 1280."""
        self._interfaces.set_mtu(luid, mtu)

    def metric(self, luid: int) -> int | None:
        """Return the metric; None if Windows chooses it."""
        return self._interfaces.metric(luid)

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric; None lets Windows choose it."""
        self._interfaces.set_metric(luid, metric)

    def routes(self, luid: int) -> tuple[Route, ...]:
        """Return the routes that a person or a program has added."""
        return self._routes.get(luid)

    def set_routes(self, luid: int, routes: Sequence[Route]) -> None:
        """Replace the routes with these; those of Windows stay."""
        self._routes.set(luid, routes)

    def dns(self, luid: int) -> tuple[tuple[IPAddress, ...], tuple[str, ...]]:
        """Return DNS servers and search domains; none on a Windows without `has_dns`."""
        return self._dns.get(self._guid(luid)) if self.has_dns else ((), ())

    def set_dns(self, luid: int, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the DNS servers and search domains with these.

        Raises:
            NotSupported: This version of Windows does not have the function.
        """
        self._dns.set(self._guid(luid), servers, search)

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters; packets sent by the host are received by the application."""
        row = self._entry(luid)
        return LinkCounters(
            received_packets=row.OutUcastPkts + row.OutNUcastPkts,
            received_bytes=row.OutOctets,
            received_dropped=row.OutDiscards,
            sent_packets=row.InUcastPkts + row.InNUcastPkts,
            sent_bytes=row.InOctets,
            sent_dropped=row.InDiscards,
        )

    def watch(self, watcher: Watcher | None) -> None:
        """Call `watcher` on a thread of Windows after a change; None stops the calls."""
        self._notifications.watch(watcher)

    def _guid(self, luid: int) -> Guid:
        guid = Guid()
        self._convert("ConvertInterfaceLuidToGuid", luid, byref(guid))
        return guid

    def _convert(self, function: str, luid: int, *arguments: Any) -> None:
        code = self._calls.code(function, byref(NetLuid(luid)), *arguments)
        if code in (ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND):
            raise AdapterNotFound.from_call(function, code.returned)
        if code != ERROR_SUCCESS:
            raise system_error(function, code)

    def _entry(self, luid: int) -> IfRow2:
        row = IfRow2(InterfaceLuid=luid)
        self._calls.call("GetIfEntry2", byref(row))
        return row

    def _table(self) -> list[IfRow2]:
        return self._calls.rows("GetIfTable2Ex", MibIfTableRaw, IfRow2)


def windows_ip_helper() -> WindowsIpHelper | None:
    """Return the helper of this Windows; None off Windows and under Wine, which lacks most of it.

    It loads iphlpapi.dll, a part of Windows, from System32.
    """
    calls = SystemCalls(find_in_system)
    return WindowsIpHelper(calls) if calls.complete else None
