"""Call functions of Windows that return their error number; some may be missing."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref, c_uint32, c_void_p
from typing import Any, TypeVar

from wintun_api.drivers.windows.binding import system_library
from wintun_api.drivers.windows.failures import lacks
from wintun_api.drivers.windows.foreign import Prototype, function_type
from wintun_api.drivers.windows.iphlpapi import (
    CFGMGR32,
    IPHLPAPI,
    IPHLPAPI_DNS,
    IPHLPAPI_NOTIFY,
    NCI,
    TABLE_ROWS,
)
from wintun_api.drivers.windows.win32 import (
    ERROR_ACCESS_DENIED,
    ERROR_DUP_NAME,
    ERROR_FILE_NOT_FOUND,
    ERROR_NOT_FOUND,
    ERROR_NOT_SUPPORTED,
    ERROR_SUCCESS,
    ReturnedCode,
)
from wintun_api.errors import (
    AccessDenied,
    AdapterExists,
    AdapterNotFound,
    DriverError,
    NotSupported,
)

R = TypeVar("R", bound=ctypes.Structure)

Find = Callable[[str, Prototype], Any]

_CLASSES: dict[int, type[DriverError]] = {
    ERROR_FILE_NOT_FOUND: AdapterNotFound,  # no interface of this LUID
    ERROR_ACCESS_DENIED: AccessDenied,
    ERROR_NOT_SUPPORTED: NotSupported,
    ERROR_DUP_NAME: AdapterExists,
}


class SystemCalls:
    """Call functions of three Windows libraries, each loaded when it is first needed.

    Args:
        find: Returns what ctypes needs, given a library and a prototype: (name, loaded library),
            or a Python function. Raises AttributeError or OSError if there is none.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._functions: dict[str, Callable[..., Any] | None] = {}
        self._rows = {row.name: ("iphlpapi.dll", row) for row in (*IPHLPAPI, *IPHLPAPI_DNS)}
        self._rows |= {row.name: ("iphlpapi.dll", row) for row in IPHLPAPI_NOTIFY}
        self._rows |= {row.name: ("nci.dll", row) for row in NCI}
        self._rows |= {row.name: ("cfgmgr32.dll", row) for row in CFGMGR32}

    @property
    def complete(self) -> bool:
        """Whether all functions of Windows since Vista exist; Wine lacks some."""
        return self.has(*(row.name for row in IPHLPAPI))

    def has(self, *names: str) -> bool:
        """Return whether all of these functions exist."""
        return all(self._function(name) is not None for name in names)

    def code(self, name: str, *arguments: Any) -> ReturnedCode:
        """Call a function and return its error number; 0 for success, or for one without.

        An HRESULT that carries a Win32 code compares as that code.

        Raises:
            NotSupported: This version of Windows does not have the function.
        """
        function = self._function(name)
        if function is None:
            raise lacks(name)
        return ReturnedCode(function(*arguments) or ERROR_SUCCESS)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that must not fail.

        Raises:
            DriverError: It failed.
        """
        code = self.code(name, *arguments)
        if code != ERROR_SUCCESS:
            raise system_error(name, code)

    def rows(self, name: str, which: int, kind: type[R]) -> list[R]:
        """Return copies of a table's rows, and free the table (netioapi.h: FreeMibTable)."""
        table = c_void_p()
        code = self.code(name, which, byref(table))
        if code == ERROR_NOT_FOUND:
            return []  # there are no rows
        if code != ERROR_SUCCESS or not table.value:
            raise system_error(name, code)
        try:
            count = c_uint32.from_address(table.value).value
            first = table.value + TABLE_ROWS
            size = ctypes.sizeof(kind)
            return [
                kind.from_buffer_copy(ctypes.string_at(first + number * size, size))
                for number in range(count)
            ]
        finally:
            self.code("FreeMibTable", table)

    def _function(self, name: str) -> Callable[..., Any] | None:
        if name not in self._functions:
            library, row = self._rows[name]
            try:
                self._functions[name] = function_type(row)(self._find(library, row))
            except (AttributeError, OSError):
                self._functions[name] = None
        return self._functions[name]


def system_error(name: str, code: int, detail: str = "") -> DriverError:
    """Return the exception for an error number that a function returned."""
    known = code if isinstance(code, ReturnedCode) else ReturnedCode(code)
    return _CLASSES.get(known, DriverError).from_call(name, known.returned, detail)


def find_in_system(library: str, row: Prototype) -> Any:
    """Find a function in a library that is only looked for in System32.

    Raises:
        OSError: The library does not exist, or this is not Windows.
    """
    return row.name, system_library(library)
