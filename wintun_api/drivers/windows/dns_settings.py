"""Read and set an interface's DNS servers and domains (netioapi.h: DNS_INTERFACE_SETTINGS)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from ctypes import byref
from ipaddress import ip_address

from wintun_api.drivers.base import IPAddress
from wintun_api.drivers.windows.foreign import Guid, WideString
from wintun_api.drivers.windows.iphlpapi import (
    DNS_INTERFACE_SETTINGS_VERSION1,
    DNS_SETTING_IPV6,
    DNS_SETTING_NAMESERVER,
    DNS_SETTING_SEARCHLIST,
    IPHLPAPI_DNS,
    DnsInterfaceSettings,
)
from wintun_api.drivers.windows.system_calls import SystemCalls, system_error
from wintun_api.drivers.windows.win32 import ERROR_FILE_NOT_FOUND, ERROR_NOT_FOUND, ERROR_SUCCESS

_FAMILY_FLAG = {4: 0, 6: DNS_SETTING_IPV6}
_NOTHING_SET = (ERROR_FILE_NOT_FOUND, ERROR_NOT_FOUND)


class DnsSettings:
    """Read and change the DNS settings of one interface at a time, by GUID.

    Windows keeps them per family: IPv4 servers in one list, IPv6 servers in the other.
    """

    def __init__(self, calls: SystemCalls) -> None:
        self._calls = calls

    @property
    def available(self) -> bool:
        """Whether this Windows has the functions."""
        return self._calls.has(*(row.name for row in IPHLPAPI_DNS))

    def get(self, guid: Guid) -> tuple[tuple[IPAddress, ...], tuple[str, ...]]:
        """Return servers, IPv4 before IPv6, and search domains."""
        servers: list[IPAddress] = []
        search: dict[str, None] = {}
        for flag in _FAMILY_FLAG.values():
            settings = DnsInterfaceSettings(Version=DNS_INTERFACE_SETTINGS_VERSION1, Flags=flag)
            code = self._calls.code("GetInterfaceDnsSettings", guid, byref(settings))
            if code in _NOTHING_SET:
                continue
            if code != ERROR_SUCCESS:
                raise system_error("GetInterfaceDnsSettings", code)
            try:
                servers += _addresses(_words(settings.NameServer.text))
                search |= dict.fromkeys(_words(settings.SearchList.text))
            finally:
                self._calls.code("FreeInterfaceDnsSettings", byref(settings))
        return tuple(servers), tuple(search)

    def set(self, guid: Guid, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the servers and search domains with these; empty lists remove them."""
        for version, flag in _FAMILY_FLAG.items():
            mine = [str(server) for server in servers if server.version == version]
            name_server, search_list = _wide(",".join(mine)), _wide(",".join(search))
            settings = DnsInterfaceSettings(
                Version=DNS_INTERFACE_SETTINGS_VERSION1,
                Flags=flag | DNS_SETTING_NAMESERVER | DNS_SETTING_SEARCHLIST,
                NameServer=_pointer(name_server),
                SearchList=_pointer(search_list),
            )
            self._calls.call("SetInterfaceDnsSettings", guid, byref(settings))


def _wide(text: str) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(text.encode("utf-16-le") + b"\0\0")


def _pointer(buffer: ctypes.Array[ctypes.c_char]) -> WideString:
    # The buffer must live as long as the structure is used.
    return WideString(ctypes.addressof(buffer))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _addresses(words: Iterable[str]) -> list[IPAddress]:
    found: list[IPAddress] = []
    for word in words:
        try:
            found.append(ip_address(word.partition("%")[0]))
        except ValueError:
            continue  # it was written into the registry by hand; Windows ignores it too
    return found
