"""Create functions from prototypes: of wintun.dll, of Windows' own libraries, or of Python."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from wintun_api.drivers.windows.failures import Failure, failure, result_check
from wintun_api.drivers.windows.foreign import Prototype, function_type

LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR = 0x100
LOAD_LIBRARY_SEARCH_SYSTEM32 = 0x800

Functions = dict[str, Callable[..., Any]]


def bind(
    rows: Iterable[Prototype],
    find: Callable[[Prototype], Any],
    last_error: Callable[[], int],
    flags: int = 0,
    failed: Failure = failure,
) -> Functions:
    """Create a function for every row.

    Args:
        rows: The prototypes.
        find: Returns what ctypes needs: (name, library), or a Python function.
        last_error: Read by the checks after a failed call, in the calling thread.
        flags: ctypes' function flags beyond those of the row.
        failed: Makes the exception of a failed call, of its name and its error number.
    """
    functions: Functions = {}
    for row in rows:
        function = function_type(row, flags)(find(row))
        check = result_check(row, last_error, failed)
        if check is not None:
            function.errcheck = check
        functions[row.name] = function
    return functions


@cache
def system_library(name: str) -> Any:
    """Load a library of System32, and nothing of that name from anywhere else.

    Raises:
        OSError: There is no such library, as anywhere but on Windows.
    """
    return load_library(name, LOAD_LIBRARY_SEARCH_SYSTEM32)


def load_library(path: str, search: int) -> Any:
    """Load a library. Windows only.

    Args:
        path: An absolute path, or the name of a library of Windows.
        search: Where Windows looks for the library and for what that needs.

    Raises:
        OSError: Windows does not load it.
    """
    if sys.platform == "win32":
        return ctypes.WinDLL(path, use_last_error=True, winmode=search)
    else:  # noqa: RET505  the type checker needs the branch
        raise OSError(f"{path} is a library of Windows.")


def bind_library(library: Any, rows: Iterable[Prototype], failed: Failure = failure) -> Functions:
    """Bind functions of a loaded library of Windows, so that each keeps its thread's last error."""
    if sys.platform == "win32":
        from _ctypes import FUNCFLAG_USE_LASTERROR

        flags = FUNCFLAG_USE_LASTERROR
    else:
        flags = 0
    return bind(rows, lambda row: (row.name, library), last_error, flags, failed)


def address_of(function: Any) -> int:
    """Return the address of a foreign function, for C code that calls it itself."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


def load_system(name: str, rows: Iterable[Prototype]) -> Functions:
    """Bind functions of a library that is only looked for in System32. Windows only."""
    return bind_library(system_library(name), rows)


def last_error() -> int:
    """Return what ctypes saved after this thread's last call; 0 off Windows."""
    if sys.platform == "win32":
        # Signed as ctypes gives it, and SetupAPI's numbers have the top bit set.
        return ctypes.get_last_error() & 0xFFFFFFFF
    else:  # noqa: RET505  the type checker needs the branch
        return 0


def clear_last_error() -> None:
    """Clear what ctypes puts back before this thread's next call; nothing off Windows."""
    if sys.platform == "win32":
        ctypes.set_last_error(0)
