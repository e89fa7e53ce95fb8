"""Read and change unicast addresses of an interface (netioapi.h: MIB_UNICASTIPADDRESS_ROW)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import byref
from functools import partial
from ipaddress import ip_interface

from wintun_api.drivers.base import IPAddress, IPInterface
from wintun_api.drivers.difference import Undo, apply_each, difference
from wintun_api.drivers.network_check import check_addresses
from wintun_api.drivers.windows.interface_rows import InterfaceRows
from wintun_api.drivers.windows.iphlpapi import (
    AF_UNSPEC,
    INFINITE_LIFETIME,
    IpDadStateDuplicate,
    IpDadStateInvalid,
    IpDadStatePreferred,
    IpPrefixOriginManual,
    SockaddrInet,
    UnicastIpAddressRow,
)
from wintun_api.drivers.windows.system_calls import SystemCalls, system_error
from wintun_api.drivers.windows.win32 import (
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_OBJECT_ALREADY_EXISTS,
    ERROR_SUCCESS,
)
from wintun_api.errors import AddressExists, SettingRefused


class AddressRows:
    """Read and change the addresses of one interface at a time, by LUID."""

    def __init__(self, calls: SystemCalls, interfaces: InterfaceRows) -> None:
        self._calls = calls
        self._interfaces = interfaces

    def get(self, luid: int) -> tuple[IPInterface, ...]:
        """Return addresses that are or will be in use, without those that are duplicates."""
        unusable = (IpDadStateInvalid, IpDadStateDuplicate)
        rows = self._rows(luid)
        return tuple(_interface_of(row) for row in rows if row.DadState not in unusable)

    def set(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Replace the addresses with these; link-local ones that Windows added stay.

        If one is refused, the former addresses are restored.

        Raises:
            InvalidArgument: A multicast address, the unspecified one, or one with two prefix
                lengths.
            AddressExists: Another interface has one (5010).
            SettingRefused: Windows refuses one (87), or a family is not bound (1168).
        """
        wanted = {interface.ip: interface for interface in check_addresses(addresses)}
        for version in sorted({address.version for address in wanted}):
            self._interfaces.need(luid, version)
        found = difference(
            self._rows(luid),
            wanted,
            place=_address_of,
            right=lambda row, one: row.OnLinkPrefixLength == one.network.prefixlen,
        )
        # Another prefix length is set in place, so that connections survive it.
        changed = {_address_of(row): row for row in found.displaced}
        steps: list[Callable[[], Undo | None]] = [
            partial(self._change, changed[one.ip], one.network.prefixlen)
            if one.ip in changed
            else partial(self._create, luid, one)
            for one in found.missing
        ]
        steps += [partial(self._delete, row) for row in found.surplus if not _by_windows(row)]
        apply_each(steps)

    def _rows(self, luid: int) -> list[UnicastIpAddressRow]:
        rows = self._calls.rows("GetUnicastIpAddressTable", AF_UNSPEC, UnicastIpAddressRow)
        return [row for row in rows if row.InterfaceLuid == luid]

    def _create(self, luid: int, interface: IPInterface) -> Undo | None:
        row = UnicastIpAddressRow()
        self._calls.code("InitializeUnicastIpAddressEntry", byref(row))
        row.InterfaceLuid = luid
        row.Address = SockaddrInet.of(interface.ip, interface.version)
        row.OnLinkPrefixLength = interface.network.prefixlen
        row.ValidLifetime = row.PreferredLifetime = INFINITE_LIFETIME
        # Usable at once: there is no other host on the link that could have a duplicate.
        row.DadState = IpDadStatePreferred
        function = "CreateUnicastIpAddressEntry"
        code = self._interfaces.patiently(
            interface.version, lambda: self._calls.code(function, byref(row))
        )
        if code == ERROR_OBJECT_ALREADY_EXISTS:
            return self._refuse_foreign(luid, interface)
        if code in (ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND):
            detail = f"Windows refuses the address {interface}."
            raise SettingRefused.from_call(function, code, detail)
        if code != ERROR_SUCCESS:
            raise system_error(function, code)
        return Undo(interface, partial(self._delete, row))

    def _refuse_foreign(self, luid: int, interface: IPInterface) -> Undo | None:
        """Accept an address that is already on this interface; refuse one on another."""
        rows = self._calls.rows("GetUnicastIpAddressTable", AF_UNSPEC, UnicastIpAddressRow)
        owners = [row for row in rows if row.Address.address == interface.ip]
        for row in owners:
            if row.InterfaceLuid == luid:
                if row.OnLinkPrefixLength != interface.network.prefixlen:
                    return self._change(row, interface.network.prefixlen)
                return None
        where = f" of index {owners[0].InterfaceIndex}" if owners else ""
        raise AddressExists.from_call(
            "CreateUnicastIpAddressEntry",
            ERROR_OBJECT_ALREADY_EXISTS,
            f"{interface.ip} is already an address of another interface{where}.",
        )

    def _change(self, row: UnicastIpAddressRow, prefix_length: int) -> Undo:
        changed = UnicastIpAddressRow.from_buffer_copy(row)
        changed.OnLinkPrefixLength = prefix_length
        self._calls.call("SetUnicastIpAddressEntry", byref(changed))
        back = partial(self._calls.call, "SetUnicastIpAddressEntry", byref(row))
        return Undo(_interface_of(row), back)

    def _delete(self, row: UnicastIpAddressRow) -> Undo | None:
        code = self._calls.code("DeleteUnicastIpAddressEntry", byref(row))
        if code == ERROR_NOT_FOUND:
            return None  # it went by itself
        if code != ERROR_SUCCESS:
            raise system_error("DeleteUnicastIpAddressEntry", code)
        back = partial(self._calls.call, "CreateUnicastIpAddressEntry", byref(row))
        return Undo(_interface_of(row), back)


def _address_of(row: UnicastIpAddressRow) -> IPAddress:
    address: IPAddress = row.Address.address
    return address


def _interface_of(row: UnicastIpAddressRow) -> IPInterface:
    interface: IPInterface = ip_interface((row.Address.address, row.OnLinkPrefixLength))
    return interface


def _by_windows(row: UnicastIpAddressRow) -> bool:
    return bool(row.Address.address.is_link_local and row.PrefixOrigin != IpPrefixOriginManual)
