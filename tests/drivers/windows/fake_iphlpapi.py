"""iphlpapi.dll and nci.dll as Python functions below ctypes: real structures, real pointers.

It behaves as netioapi.h and the notes of its users say, traps included, and records the bytes that
every call was given. What it does not know is refused with 87, as Windows does.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import memmove
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from wintun_api.drivers.windows import iphlpapi as nt
from wintun_api.drivers.windows.foreign import Guid, Prototype
from wintun_api.drivers.windows.system_calls import SystemCalls
from wintun_api.drivers.windows.win32 import (
    ERROR_DUP_NAME,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_OBJECT_ALREADY_EXISTS,
)

# ruff: noqa: N802  the exports' names

GARBAGE = 255


@dataclass
class FakeInterface:
    """An interface with a row per family that is bound to it.

    Attributes:
        unbound_for: How many more readings of a family fail with 1168; -1 for all of them.
    """

    luid: int
    index: int
    alias: str
    description: str
    guid: UUID = field(default_factory=uuid4)
    rows: dict[int, nt.IpInterfaceRow] = field(default_factory=dict)
    unbound_for: dict[int, int] = field(default_factory=dict)
    entry: nt.IfRow2 = field(default_factory=nt.IfRow2)

    def __post_init__(self) -> None:
        for family in (nt.AF_INET, nt.AF_INET6):
            row = nt.IpInterfaceRow(Family=family, InterfaceLuid=self.luid, NlMtu=65535)
            row.UseAutomaticMetric, row.Metric = 1, 5
            row.SitePrefixLength = 64 if family == nt.AF_INET else GARBAGE
            self.rows[family] = row


class FakeIphlpapi:
    """A machine's network configuration, and the functions on it.

    Attributes:
        calls: (function, the bytes of its structure or text) of every call, in order.
        missing: Functions that this Windows does not have.
        failing: (function, nth call from now): error number.
    """

    def __init__(self) -> None:
        self.interfaces: list[FakeInterface] = []
        self.addresses: list[nt.UnicastIpAddressRow] = []
        self.routes: list[nt.IpForwardRow2] = []
        self.dns: dict[tuple[UUID, int], tuple[str, str]] = {}
        self.calls: list[tuple[str, bytes]] = []
        self.missing: set[str] = set()
        self.failing: dict[str, list[int]] = {}
        self.tables: dict[int, Any] = {}
        self.strings: dict[int, list[Any]] = {}
        # Devices by instance: status and problem, or the CONFIGRET of asking for them.
        self.devices: dict[str, tuple[int, int] | int] = {}
        self._functions: list[Any] = []

        self.notified: dict[int, tuple[str, Any]] = {}

    # What tests use.

    def tell(self, function: str) -> None:
        """Call back as Windows does after a change, on a thread of the system."""
        for name, callback in list(self.notified.values()):
            if name == function:
                thread = threading.Thread(target=callback, args=(None, None, 0))
                thread.start()
                thread.join()

    def system_calls(self) -> SystemCalls:
        """Return the functions as the driver binds them."""
        return SystemCalls(self._find)

    def add(self, alias: str = "Demo", description: str = "Example Tunnel") -> FakeInterface:
        """Add an interface with both families and a link-local address of Windows."""
        number = len(self.interfaces) + 1
        made = FakeInterface(53 << 48 | number << 24, number, alias, description)
        self.interfaces.append(made)
        self.add_address(made, "fe80::abcd", 64, nt.AF_INET6, origin=2)
        return made

    def add_address(
        self, owner: FakeInterface, text: str, prefix: int, family: int, origin: int = 1
    ) -> nt.UnicastIpAddressRow:
        """Add an address that somebody else made."""
        from ipaddress import ip_address

        address = ip_address(text)
        row = nt.UnicastIpAddressRow(
            Address=nt.SockaddrInet.of(address, address.version),
            InterfaceLuid=owner.luid,
            InterfaceIndex=owner.index,
            PrefixOrigin=origin,
            OnLinkPrefixLength=prefix,
            DadState=nt.IpDadStatePreferred,
        )
        self.addresses.append(row)
        return row

    def fail(self, function: str, *codes: int) -> None:
        """Let the next calls of a function return these numbers; 0 does what it does."""
        self.failing.setdefault(function, []).extend(codes)

    def given(self, function: str) -> list[bytes]:
        """Return what the calls of a function were given."""
        return [content for name, content in self.calls if name == function]

    def changes(self) -> list[str]:
        """Return the names of the calls that change something, in order."""
        verbs = ("Create", "Set", "Delete", "Nci")
        return [name for name, _ in self.calls if name.startswith(verbs)]

    # The device manager.

    def CM_Locate_DevNodeW(self, node: Any, instance: Any, flags: int) -> int:
        assert flags == 1  # those that are not there at the moment too
        names = [name.upper() for name in self.devices]
        if instance.text.upper() not in names:
            return 0x0D
        node.contents.value = 100 + names.index(instance.text.upper())
        return 0

    def CM_Get_DevNode_Status(self, status: Any, problem: Any, node: int, flags: int) -> int:
        assert flags == 0
        found = list(self.devices.values())[node - 100]
        if isinstance(found, int):
            return found
        status.contents.value, problem.contents.value = found
        return 0

    # Conversions and interfaces.

    def ConvertInterfaceAliasToLuid(self, alias: Any, luid: Any) -> int:
        found = [one for one in self.interfaces if one.alias == alias.text]
        if not found:
            return ERROR_INVALID_PARAMETER
        luid.contents.value = found[0].luid
        return 0

    def ConvertInterfaceLuidToAlias(self, luid: Any, units: Any, size: int) -> int:
        one = self._by_luid(luid.contents.value)
        if one is None:
            return ERROR_INVALID_PARAMETER
        text = one.alias.encode("utf-16-le") + b"\0\0"
        assert len(text) <= 2 * size
        memmove(units, text, len(text))
        return 0

    def ConvertInterfaceLuidToGuid(self, luid: Any, guid: Any) -> int:
        one = self._by_luid(luid.contents.value)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        memmove(guid, one.guid.bytes_le, 16)
        return 0

    def ConvertInterfaceLuidToIndex(self, luid: Any, index: Any) -> int:
        one = self._by_luid(luid.contents.value)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        index[0] = one.index
        return 0

    def GetIfEntry2(self, row: Any) -> int:
        one = self._by_luid(row.contents.InterfaceLuid)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        memmove(row, ctypes.byref(self._entry(one)), ctypes.sizeof(nt.IfRow2))
        return 0

    def GetIfTable2Ex(self, level: int, table: Any) -> int:
        assert level == nt.MibIfTableRaw
        return self._table(table, [self._entry(one) for one in self.interfaces])

    def NciSetConnectionName(self, guid: Any, name: Any) -> int:
        for one in self.interfaces:
            if one.alias.lower() == name.text.lower() and one.guid != guid.contents.uuid:
                return ERROR_DUP_NAME
        (one,) = (one for one in self.interfaces if one.guid == guid.contents.uuid)
        one.alias = name.text
        return 0

    # One family of an interface.

    def InitializeIpInterfaceEntry(self, row: Any) -> None:
        ctypes.memset(row, GARBAGE, ctypes.sizeof(nt.IpInterfaceRow))
        row.contents.InterfaceLuid = row.contents.InterfaceIndex = 0

    def GetIpInterfaceEntry(self, row: Any) -> int:
        one = self._by_luid(row.contents.InterfaceLuid)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        family = row.contents.Family
        left = one.unbound_for.get(family, 0)
        if left:
            one.unbound_for[family] = left - 1 if left > 0 else left
            return ERROR_NOT_FOUND
        memmove(row, ctypes.byref(one.rows[family]), ctypes.sizeof(nt.IpInterfaceRow))
        return 0

    def SetIpInterfaceEntry(self, row: Any) -> int:
        given = row.contents
        one = self._by_luid(given.InterfaceLuid)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        version6 = given.Family == nt.AF_INET6
        if given.SitePrefixLength > (128 if version6 else 0):
            return ERROR_INVALID_PARAMETER
        if given.NlMtu < (1280 if version6 else 576):
            return ERROR_INVALID_PARAMETER
        one.rows[given.Family] = nt.IpInterfaceRow.from_buffer_copy(given)
        one.rows[given.Family].SitePrefixLength = GARBAGE  # what it reads back is refused
        return 0

    # Addresses.

    def InitializeUnicastIpAddressEntry(self, row: Any) -> None:
        row.contents.OnLinkPrefixLength = GARBAGE  # "an illegal value", says the documentation
        row.contents.PrefixOrigin = row.contents.SuffixOrigin = 1
        row.contents.SkipAsSource = 0

    def CreateUnicastIpAddressEntry(self, row: Any) -> int:
        given = row.contents
        one = self._by_luid(given.InterfaceLuid)
        if one is None:
            return ERROR_FILE_NOT_FOUND
        if given.OnLinkPrefixLength > (32 if given.Address.si_family == nt.AF_INET else 128):
            return ERROR_INVALID_PARAMETER
        if any(known.Address.address == given.Address.address for known in self.addresses):
            return ERROR_OBJECT_ALREADY_EXISTS
        copy = nt.UnicastIpAddressRow.from_buffer_copy(given)
        copy.InterfaceIndex = one.index
        self.addresses.append(copy)
        return 0

    def SetUnicastIpAddressEntry(self, row: Any) -> int:
        known = self._address(row.contents)
        if known is None:
            return ERROR_NOT_FOUND
        known.OnLinkPrefixLength = row.contents.OnLinkPrefixLength
        return 0

    def DeleteUnicastIpAddressEntry(self, row: Any) -> int:
        known = self._address(row.contents)
        if known is None:
            return ERROR_NOT_FOUND
        self.addresses.remove(known)
        return 0

    def GetUnicastIpAddressTable(self, family: int, table: Any) -> int:
        assert family == nt.AF_UNSPEC
        return self._table(table, self.addresses) if self.addresses else ERROR_NOT_FOUND

    # Routes.

    def InitializeIpForwardEntry(self, row: Any) -> None:
        given = row.contents
        given.ValidLifetime = given.PreferredLifetime = nt.INFINITE_LIFETIME
        given.Loopback = given.AutoconfigureAddress = given.Publish = given.Immortal = 1

    def CreateIpForwardEntry2(self, row: Any) -> int:
        given = row.contents
        if given.DestinationPrefix.Prefix.si_family != given.NextHop.si_family:
            return ERROR_INVALID_PARAMETER
        if self._route(given) is not None:
            return ERROR_OBJECT_ALREADY_EXISTS
        self.routes.append(nt.IpForwardRow2.from_buffer_copy(given))
        return 0

    def SetIpForwardEntry2(self, row: Any) -> int:
        known = self._route(row.contents)
        if known is None:
            return ERROR_NOT_FOUND
        known.Metric = row.contents.Metric
        return 0

    def DeleteIpForwardEntry2(self, row: Any) -> int:
        known = self._route(row.contents)
        if known is None:
            return ERROR_NOT_FOUND
        self.routes.remove(known)
        return 0

    def GetIpForwardTable2(self, family: int, table: Any) -> int:
        assert family == nt.AF_UNSPEC
        return self._table(table, self.routes)

    def FreeMibTable(self, table: int) -> None:
        del self.tables[table]

    # DNS.

    def SetInterfaceDnsSettings(self, guid: Guid, settings: Any) -> int:
        given = settings.contents
        if given.Version != 1:
            return ERROR_INVALID_PARAMETER
        name_server, search_list = self.dns.get(
            (guid.uuid, given.Flags & nt.DNS_SETTING_IPV6), ("", "")
        )
        if given.Flags & nt.DNS_SETTING_NAMESERVER:
            name_server = given.NameServer.text
        if given.Flags & nt.DNS_SETTING_SEARCHLIST:
            search_list = given.SearchList.text
        self.dns[guid.uuid, given.Flags & nt.DNS_SETTING_IPV6] = name_server, search_list
        return 0

    def GetInterfaceDnsSettings(self, guid: Guid, settings: Any) -> int:
        given = settings.contents
        known = self.dns.get((guid.uuid, given.Flags & nt.DNS_SETTING_IPV6))
        if given.Version != 1:
            return ERROR_INVALID_PARAMETER
        if known is None:
            return ERROR_FILE_NOT_FOUND
        texts = [ctypes.create_string_buffer(one.encode("utf-16-le") + b"\0\0") for one in known]
        given.NameServer = type(given.NameServer)(ctypes.addressof(texts[0]))
        given.SearchList = type(given.SearchList)(ctypes.addressof(texts[1]))
        self.strings[ctypes.addressof(given)] = texts
        return 0

    def FreeInterfaceDnsSettings(self, settings: Any) -> None:
        del self.strings[ctypes.addressof(settings.contents)]

    # Inside.

    def NotifyIpInterfaceChange(self, *given: Any) -> int:
        return self._notify("NotifyIpInterfaceChange", *given)

    def NotifyUnicastIpAddressChange(self, *given: Any) -> int:
        return self._notify("NotifyUnicastIpAddressChange", *given)

    def NotifyRouteChange2(self, *given: Any) -> int:
        return self._notify("NotifyRouteChange2", *given)

    def CancelMibChangeNotify2(self, handle: int) -> int:
        return 0 if self.notified.pop(handle, None) else ERROR_INVALID_PARAMETER

    def _notify(self, function: str, *given: Any) -> int:
        family, callback, context, initial, handle = given
        if family != nt.AF_UNSPEC or context or initial:
            return ERROR_INVALID_PARAMETER
        handle[0] = 0x1000 + len(self.notified)
        self.notified[handle[0]] = function, callback
        return 0

    def _find(self, _library: str, row: Prototype) -> Callable[..., Any]:
        if row.name in self.missing:
            raise AttributeError(row.name)
        function = getattr(self, row.name)

        def call(*arguments: Any) -> Any:
            self.calls.append((row.name, b"".join(map(_content, arguments))))
            codes = self.failing.get(row.name)
            code = codes.pop(0) if codes else 0
            return code or function(*arguments)

        self._functions.append(call)
        return call

    def _by_luid(self, luid: int) -> FakeInterface | None:
        return next((one for one in self.interfaces if one.luid == luid), None)

    def _entry(self, one: FakeInterface) -> nt.IfRow2:
        row = nt.IfRow2.from_buffer_copy(one.entry)
        row.InterfaceLuid, row.InterfaceIndex = one.luid, one.index
        row.InterfaceGuid = Guid.of(one.guid)
        for member, text in ((row.Alias, one.alias), (row.Description, one.description)):
            content = text.encode("utf-16-le")
            memmove(member, content, len(content))
        return row

    def _address(self, given: nt.UnicastIpAddressRow) -> nt.UnicastIpAddressRow | None:
        key = (given.InterfaceLuid, given.Address.address)
        rows = (one for one in self.addresses if (one.InterfaceLuid, one.Address.address) == key)
        return next(rows, None)

    def _route(self, given: nt.IpForwardRow2) -> nt.IpForwardRow2 | None:
        return next((one for one in self.routes if _route_key(one) == _route_key(given)), None)

    def _table(self, table: Any, rows: list[Any]) -> int:
        content = b"".join(bytes(row) for row in rows)
        buffer = ctypes.create_string_buffer(len(rows).to_bytes(8, "little") + content)
        self.tables[ctypes.addressof(buffer)] = buffer
        table[0] = ctypes.addressof(buffer)
        return 0


def _route_key(row: nt.IpForwardRow2) -> tuple[int, bytes, bytes]:
    return row.InterfaceLuid, bytes(row.DestinationPrefix), bytes(row.NextHop)


def _content(argument: Any) -> bytes:
    if isinstance(argument, ctypes.Structure):
        return bytes(argument)
    if hasattr(argument, "contents"):
        return bytes(argument.contents)
    return b""
