"""A family of an interface: whether it is bound, MTU, metric (netioapi.h: MIB_IPINTERFACE_ROW)."""

from __future__ import annotations

import time
from collections.abc import Callable
from ctypes import byref

from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.windows.iphlpapi import FAMILIES, IpInterfaceRow
from wintun_api.drivers.windows.system_calls import SystemCalls, system_error
from wintun_api.drivers.windows.win32 import ERROR_NOT_FOUND, ERROR_SUCCESS
from wintun_api.errors import SettingRefused

IPV4_PATIENCE = 10.0  # seconds for Windows to bind IP to a new interface
IPV6_PATIENCE = 3.0  # and IPv6 after IPv4: it may be disabled, which Windows does not report
PAUSE = 0.05
_READ = "GetIpInterfaceEntry"


class InterfaceRows:
    """Read and write the rows of both families.

    Windows binds IP to a new interface some time after it is created, and answers 1168 until then.
    For a disabled family it always answers 1168. NotifyIpInterfaceChange would report the moment,
    but it needs a callback on one of Windows' threads and does not report earlier changes. So this
    retries for a limited time in the management thread.

    Args:
        calls: The system's functions.
        patience: Seconds to wait for IPv4, and for IPv6 when IPv4 is there.
    """

    def __init__(
        self, calls: SystemCalls, patience: tuple[float, float] = (IPV4_PATIENCE, IPV6_PATIENCE)
    ) -> None:
        self._calls = calls
        self._patience = {4: patience[0], 6: patience[1]}
        self._without_ipv6 = False  # whether an earlier wait for it was unsuccessful

    def bound(self, luid: int, version: int) -> bool:
        """Return whether the family is bound to the interface now."""
        return self.get(luid, version) is not None

    def get(self, luid: int, version: int) -> IpInterfaceRow | None:
        """Read a row (netioapi.h: GetIpInterfaceEntry); None if the family is not bound.

        Raises:
            AdapterNotFound: The interface does not exist.
        """
        row = IpInterfaceRow()
        self._calls.code("InitializeIpInterfaceEntry", byref(row))
        row.Family, row.InterfaceLuid = FAMILIES[version], luid
        code = self._calls.code(_READ, byref(row))
        if code == ERROR_NOT_FOUND:
            return None
        if code != ERROR_SUCCESS:
            raise system_error(_READ, code)
        if version == 6:
            self._without_ipv6 = False
        return row

    def wait(self, luid: int, version: int) -> IpInterfaceRow | None:
        """Wait until the family is bound and read its row; None if that takes too long."""
        patience = 0.0 if version == 6 and self._without_ipv6 else self._patience[version]
        row: IpInterfaceRow | None = None

        def found() -> bool:
            nonlocal row
            row = self.get(luid, version)
            return row is not None

        if not _until(found, patience) and version == 6:
            self._without_ipv6 = True
        return row

    def need(self, luid: int, version: int) -> IpInterfaceRow:
        """Read a row that must be there.

        Raises:
            SettingRefused: The family is not bound (1168).
        """
        row = self.wait(luid, version)
        if row is None:
            why = "; it may be disabled on this machine" if version == 6 else ""
            detail = f"IPv{version} is not bound to the adapter{why}."
            hint = f"Bind it to the adapter, or do not use IPv{version}."
            raise SettingRefused.from_call(
                "GetIpInterfaceEntry", ERROR_NOT_FOUND, detail, hint=hint
            )
        return row

    def patiently(self, version: int, call: Callable[[], int]) -> int:
        """Repeat a call while it answers 1168, which can happen right after binding."""
        code = ERROR_NOT_FOUND

        def done() -> bool:
            nonlocal code
            code = call()
            return code != ERROR_NOT_FOUND

        _until(done, self._patience[version])
        return code

    def set(self, row: IpInterfaceRow) -> None:
        """Write a row that was read (netioapi.h: SetIpInterfaceEntry)."""
        # Windows refuses values that it returned itself: any for IPv4, above 128 for IPv6 (87).
        limit = 128 if row.Family == FAMILIES[6] else 0
        row.SitePrefixLength = min(row.SitePrefixLength, limit)
        self._calls.call("SetIpInterfaceEntry", byref(row))

    def mtu(self, luid: int) -> int | None:
        """Return the MTU of IPv4, or of IPv6 without IPv4; None if neither is bound."""
        for version in FAMILIES:
            row = self.get(luid, version)
            if row is not None:
                return int(row.NlMtu)
        return None

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU of IPv4, and of IPv6 if it is bound: at least 1280 (RFC 8200)."""
        row = self.need(luid, 4)
        row.NlMtu = mtu
        self.set(row)
        row6 = self.wait(luid, 6)
        if row6 is not None:
            row6.NlMtu = max(mtu, MIN_MTU_IPV6)
            self.set(row6)

    def metric(self, luid: int) -> int | None:
        """Return the metric; None if it is automatic."""
        for version in FAMILIES:
            row = self.get(luid, version)
            if row is not None:
                return None if row.UseAutomaticMetric else int(row.Metric)
        return None

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric of the families that are bound; None makes it automatic."""
        self.need(luid, 4)
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
