"""Create functions from prototypes: of wintun.dll, of Windows' own libraries, or of Python."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable
from typing import Any

from wintun_api.drivers.wintun.abi import Prototype, function_type
from wintun_api.drivers.wintun.win32 import result_check

LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR = 0x100
LOAD_LIBRARY_SEARCH_SYSTEM32 = 0x800

Functions = dict[str, Callable[..., Any]]


def bind(
    rows: Iterable[Prototype],
    find: Callable[[Prototype], Any],
    last_error: Callable[[], int],
    flags: int = 0,
) -> Functions:
    """Create a function for every row.

    Args:
        rows: The prototypes.
        find: Returns what ctypes needs: (name, library), or a Python function.
        last_error: Read by the checks after a failed call, in the calling thread.
        flags: ctypes' function flags beyond those of the row.
    """
    functions: Functions = {}
    for row in rows:
        function = function_type(row, flags)(find(row))
        check = result_check(row, last_error)
        if check is not None:
            function.errcheck = check
        functions[row.name] = function
    return functions


def load(path: str, rows: Iterable[Prototype], search: int) -> Functions:
    """Load a library and bind its functions. Windows only.

    Args:
        path: An absolute path, or the name of a library of Windows.
        rows: The prototypes.
        search: Where Windows looks for the library and for those it depends on.

    Raises:
        OSError: Windows cannot load it.
    """
    if sys.platform == "win32":
        from _ctypes import FUNCFLAG_USE_LASTERROR

        library = ctypes.WinDLL(path, use_last_error=True, winmode=search)
        return bind(rows, lambda row: (row.name, library), last_error, FUNCFLAG_USE_LASTERROR)
    else:  # noqa: RET505  the type checker needs the branch
        raise OSError(f"{path} is a library of Windows.")


def load_system(name: str, rows: Iterable[Prototype]) -> Functions:
    """Bind functions of a library that is only looked for in System32. Windows only."""
    return load(name, rows, LOAD_LIBRARY_SEARCH_SYSTEM32)


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
