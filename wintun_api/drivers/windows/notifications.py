"""Receive notifications when interfaces, addresses or routes have changed (netioapi.h)."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any

from wintun_api.drivers.base import Watcher
from wintun_api.drivers.windows.iphlpapi import AF_UNSPEC, ChangeCallback
from wintun_api.drivers.windows.system_calls import SystemCalls
from wintun_api.drivers.windows.win32 import ERROR_SUCCESS

# NotifyIpInterfaceChange also reports MTU and metric. Windows does not report DNS settings.
FUNCTIONS = ("NotifyIpInterfaceChange", "NotifyUnicastIpAddressChange", "NotifyRouteChange2")
CANCEL = "CancelMibChangeNotify2"

# A thread of Windows may be inside a callback, so callbacks live as long as the process.
_callbacks: list[Any] = []


class Notifications:
    """Register with the IP Helper. Management thread only.

    Windows calls back on its own threads, several at once; the watcher must allow that.
    """

    def __init__(self, calls: SystemCalls) -> None:
        self._calls = calls
        self._watcher: Watcher | None = None
        self._handles: list[c_void_p] = []
        self._callback: Any = None

    def watch(self, watcher: Watcher | None) -> None:
        """Call `watcher` from now on instead of the previous one; None stops the calls."""
        self._watcher = watcher
        if watcher is None:
            self._cancel()
        elif not self._handles and self._calls.has(*FUNCTIONS, CANCEL):
            self._register()

    def _register(self) -> None:
        if self._callback is None:
            self._callback = ChangeCallback(self._tell)
            _callbacks.append(self._callback)
        for function in FUNCTIONS:
            handle = c_void_p()
            code = self._calls.code(function, AF_UNSPEC, self._callback, None, 0, byref(handle))
            if code == ERROR_SUCCESS:
                self._handles.append(handle)

    def _cancel(self) -> None:
        handles, self._handles = self._handles, []
        for handle in handles:
            self._calls.code(CANCEL, handle)  # waits for running callbacks

    def _tell(self, context: int, row: int, kind: int) -> None:
        del context, row, kind
        watcher = self._watcher
        if watcher is not None:
            watcher()
