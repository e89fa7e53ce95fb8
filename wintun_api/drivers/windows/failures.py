"""The exception for a failed call of Windows, by its error number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from wintun_api.drivers.windows.foreign import Check, Prototype
from wintun_api.drivers.windows.win32 import (
    ERROR_ACCESS_DENIED,
    ERROR_DIRECTORY,
    ERROR_DISK_FULL,
    ERROR_FILE_TOO_LARGE,
    ERROR_IO_DEVICE,
    ERROR_NOT_SUPPORTED,
    ERROR_SUCCESS,
    ERROR_TOO_MANY_OPEN_FILES,
    ERROR_WRITE_FAULT,
    ERROR_WRITE_PROTECT,
    WAIT_FAILED,
)
from wintun_api.errors import AccessDenied, DriverError, NotSupported, carried_code

Failure: TypeAlias = Callable[[str, int], DriverError]

ANYWHERE: dict[int, type[DriverError]] = {
    ERROR_ACCESS_DENIED: AccessDenied,
    ERROR_NOT_SUPPORTED: NotSupported,
}

_DISK: dict[int, str] = {
    ERROR_TOO_MANY_OPEN_FILES: "Too many files are open.",
    ERROR_WRITE_PROTECT: "The disk is write-protected.",
    ERROR_WRITE_FAULT: "Writing to the disk failed.",
    ERROR_DISK_FULL: "The disk is full.",
    ERROR_FILE_TOO_LARGE: "A file would become too large.",
    ERROR_DIRECTORY: "A directory on the disk is gone or has been replaced by a file.",
    ERROR_IO_DEVICE: "The disk failed.",
}

_DISK_HINT = "Make sure that the disk has free space and is writable, then send the request again."


def failure(
    function: str, code: int, kind: type[DriverError] | None = None, detail: str = ""
) -> DriverError:
    """Return the exception for a failed call, by the code that the number is or carries.

    Args:
        function: Its name.
        code: The error number, which may be an HRESULT that carries it.
        kind: What is known of this number in this function.
        detail: Likewise, as a sentence.
    """
    meant = carried_code(code)
    kind = kind or ANYWHERE.get(meant, DriverError)
    if not detail and meant in _DISK:
        return kind(function, code, _DISK[meant], hint=_DISK_HINT)
    if meant == ERROR_SUCCESS:
        detail = "The call failed without an error number, which may mean a lack of memory."
    return kind(function, code, detail)


def result_check(
    row: Prototype, last_error: Callable[[], int], failed: Failure = failure
) -> Callable[..., Any] | None:
    """Return ctypes' `errcheck` of a row: it reads the saved last error once, and raises."""
    name = row.name

    def check_true(result: Any, _function: Any, _arguments: Any) -> Any:
        if not result:
            raise failed(name, last_error())
        return result

    def check_wait(result: Any, _function: Any, _arguments: Any) -> Any:
        if result == WAIT_FAILED:
            raise failed(name, last_error())
        return result

    if row.check in (Check.NULL, Check.FALSE):
        return check_true
    return check_wait if row.check is Check.WAIT else None
