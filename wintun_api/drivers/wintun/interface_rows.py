"""A family of an interface: whether it is bound, MTU, metric (netioapi.h: MIB_IPINTERFACE_ROW)."""

from __future__ import annotations

import time
from collections.abc import Callable
from ctypes import byref

from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.wintun.iphlpapi import FAMILIES, IpInterfaceRow
from wintun_api.drivers.wintun.system_calls import SystemCalls, system_error
from wintun_api.drivers.wintun.win32 import ERROR_NOT_FOUND, ERROR_SUCCESS
from wintun_api.errors import SettingRefused

IPV4_PATIENCE = 10.0  # seconds for Windows to bind IP to a new interface
IPV6_PATIENCE = 3.0  # and IPv6 after IPv4: it may be disabled, which nothing tells
PAUSE = 0.05


class InterfaceRows:
    """Reads and writes the rows of both families.

    Windows binds IP to a new interface a while after it is there, and answers 1168 until then. For
    a family that is disabled it answers 1168 for ever. NotifyIpInterfaceChange would tell the
    moment, but needs a callback on a thread of Windows' and has to be asked again anyway for what
    happened before; so this asks again, for a bounded time, in the management thread.

    Args:
        calls: The system's functions.
        patience: Seconds to wait for IPv4, and for IPv6 when IPv4 is there.
    """

    def __init__(
        self, calls: SystemCalls, patience: tuple[float, float] = (IPV4_PATIENCE, IPV6_PATIENCE)
    ) -> None:
        self._calls = calls
        self._patience = {4: patience[0], 6: patience[1]}
        self._without_ipv6 = False  # it was waited for in vain before

    def bound(self, luid: int, version: int) -> bool:
        """Tell whether the family is bound to the interface now."""
        return self.get(luid, version) is not None

    def get(self, luid: int, version: int) -> IpInterfaceRow | None:
        """Read a row (netioapi.h: GetIpInterfaceEntry); None when the family is not bound.

        Raises:
            AdapterNotFound: There is no such interface.
        """
        row = IpInterfaceRow()
        self._calls.code("InitializeIpInterfaceEntry", byref(row))
        row.Family, row.InterfaceLuid = FAMILIES[version], luid
        code = self._calls.code("GetIpInterfaceEntry", byref(row))
        if code == ERROR_NOT_FOUND:
            return None
        if code != ERROR_SUCCESS:
            raise system_error("GetIpInterfaceEntry", code)
        if version == 6:
            self._without_ipv6 = False
        return row

    def wait(self, luid: int, version: int) -> IpInterfaceRow | None:
        """Read a row, and wait for the family to be bound; None when that takes too long."""
        patience = 0.0 if version == 6 and self._without_ipv6 else self._patience[version]
        row: IpInterfaceRow | None = None

        def found() -> bool:
            nonlocal row
            row = self.get(luid, version)
            return row is not None

        if not _until(found, patience) and version == 6:
            self._without_ipv6 = True
        return row

    def need(self, luid: int, version: int, function: str) -> IpInterfaceRow:
        """Read a row that must be there for a call of `function`.

        Raises:
            SettingRefused: The family is not bound (1168).
        """
        row = self.wait(luid, version)
        if row is None:
            why = "; it may be disabled on this machine" if version == 6 else ""
            detail = f"IPv{version} is not bound to the adapter{why}."
            hint = f"Bind it to the adapter, or leave IPv{version} out."
            raise SettingRefused(function, ERROR_NOT_FOUND, detail, hint=hint)
        return row

    def patiently(self, version: int, call: Callable[[], int]) -> int:
        """Make a call until it answers something else than 1168, as it may right after binding."""
        code = ERROR_NOT_FOUND

        def done() -> bool:
            nonlocal code
            code = call()
            return code != ERROR_NOT_FOUND

        _until(done, self._patience[version])
        return code

    def set(self, row: IpInterfaceRow) -> None:
        """Write a row that was read (netioapi.h: SetIpInterfaceEntry)."""
        # Read back are values that are refused: anything for IPv4, more than 128 for IPv6 (87).
        limit = 128 if row.Family == FAMILIES[6] else 0
        row.SitePrefixLength = min(row.SitePrefixLength, limit)
        self._calls.call("SetIpInterfaceEntry", byref(row))

    def mtu(self, luid: int) -> int | None:
        """Return the MTU of IPv4, of IPv6 where there is no IPv4; None where neither is bound."""
        for version in FAMILIES:
            row = self.get(luid, version)
            if row is not None:
                return int(row.NlMtu)
        return None

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU of IPv4, and of IPv6 where it is bound: 1280 at least (RFC 8200)."""
        row = self.need(luid, 4, "SetIpInterfaceEntry")
        row.NlMtu = mtu
        self.set(row)
        row6 = self.wait(luid, 6)
        if row6 is not None:
            row6.NlMtu = max(mtu, MIN_MTU_IPV6)
            self.set(row6)

    def metric(self, luid: int) -> int | None:
        """Return the metric; None where it is automatic."""
        for version in FAMILIES:
            row = self.get(luid, version)
            if row is not None:
                return None if row.UseAutomaticMetric else int(row.Metric)
        return None

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric of the families that are bound; None makes it automatic."""
        self.need(luid, 4, "SetIpInterfaceEntry")
        for version in FAMILIES:
            row = self.wait(luid, version)
            if row is not None:
                row.UseAutomaticMetric = metric is None
                if metric is not None:
                    row.Metric = metric
                self.set(row)


def _until(done: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    return True
