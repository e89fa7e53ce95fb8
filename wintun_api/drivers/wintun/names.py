"""What adapters are called: by Wintun, and by Windows once an adapter has been renamed.

In the tunnel-type generation Wintun keeps the name with which an adapter was created and opens it
by that name alone. Windows may give the adapter another alias, which is the name that users see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ctypes import byref
from dataclasses import dataclass, replace

from wintun_api.drivers.base import AdapterInfo
from wintun_api.drivers.windows.foreign import NetLuid, text_of
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.wintun.abi import AdapterHandle, AdapterName
from wintun_api.drivers.wintun.calls import Calls
from wintun_api.errors import AccessDenied, AdapterExists


@dataclass(frozen=True, slots=True)
class _Renamed:
    wintun_name: str
    alias: str


class Names:
    """Hold the names that an alias has replaced, and tell whether a name is taken.

    Args:
        helper: Knows the aliases; without it no adapter of the tunnel-type generation is renamed.
        listed: Lists the adapters that can be seen now.
    """

    def __init__(
        self, helper: IpHelper | None, listed: Callable[[], Sequence[AdapterInfo]]
    ) -> None:
        self._helper = helper
        self._listed = listed
        self._renamed: dict[int, _Renamed] = {}  # by LUID

    def wintun_name(self, luid: int) -> str:
        """Return the name by which Wintun opens a renamed adapter; empty for any other."""
        renamed = self._renamed.get(luid)
        return renamed.wintun_name if renamed is not None else ""

    def current(self, luid: int, given: str) -> str:
        """Return the name of an adapter that was created or opened with the `given` name."""
        renamed = self._renamed.get(luid)
        return renamed.alias if renamed is not None else given

    def for_wintun(self, name: str) -> str:
        """Return the name by which Wintun opens the adapter that users know by `name`."""
        luid = self._helper.luid_of_alias(name) if self._renamed and self._helper else None
        return (self.wintun_name(luid) or name) if luid is not None else name

    def read_again(self, luid: int) -> None:
        """Read the alias of a renamed adapter, which another program may have changed."""
        if luid in self._renamed and self._helper is not None:
            alias = self._helper.alias(luid)
            self._renamed[luid] = replace(self._renamed[luid], alias=alias)

    def rename(self, luid: int, name: str, new: str) -> None:
        """Change the alias with Windows' own function, in the tunnel-type generation."""
        assert self._helper is not None
        self._helper.rename(luid, new)
        self._renamed[luid] = _Renamed(self.wintun_name(luid) or name, new)

    def forget(self, luid: int) -> None:
        """Forget the names of an adapter that is removed."""
        self._renamed.pop(luid, None)

    def refuse_taken(self, name: str, besides: int | None = None) -> None:
        """Raise `AdapterExists` if an interface other than this LUID has the name."""
        if any(luid != besides for luid in self._luids_named(name)):
            raise AdapterExists(name, detail=f"An adapter {name!r} already exists.")

    def _luids_named(self, name: str) -> Iterable[int]:
        if self._helper is not None:
            luid = self._helper.luid_of_alias(name)
            if luid is not None:
                yield luid
        try:
            infos = self._listed()
        except AccessDenied:
            return  # in 0.9 to 0.10.2 only SYSTEM can enumerate
        for info in infos:
            # Two adapters may have this stored name, and Wintun would open either of them.
            if same(info.name, name) or same(info.wintun_name, name):
                yield info.luid


def same(one: str, other: str) -> bool:
    """Return whether two names are the same for Wintun and Windows, which ignore case."""
    return one.lower() == other.lower()


def read_luid(calls: Calls, handle: AdapterHandle) -> int:
    """Return the LUID of a handle (wintun.h: WintunGetAdapterLUID)."""
    luid = NetLuid()
    calls.call("WintunGetAdapterLUID", handle, byref(luid))
    return int(luid.value)


def read_name(calls: Calls, handle: AdapterHandle) -> str:
    """Return the name of a handle's adapter (wintun.h: WintunGetAdapterName)."""
    units = AdapterName()
    calls.call("WintunGetAdapterName", handle, byref(units))
    return text_of(units)
