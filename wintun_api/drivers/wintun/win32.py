"""Interpret Win32 error numbers by function, and make the event calls.

One number means different things in different functions (183: the GUID is in use, or the adapter
is in another pool), so `driver_error` uses both. A code may be wrapped in an HRESULT (0x800700B7 is
183) with the same meaning; the error keeps the original number.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_void_p
from typing import Any, Self

from wintun_api.drivers.wintun.abi import (
    BOOL,
    DWORD,
    Check,
    EventHandle,
    Generation,
    Prototype,
)
from wintun_api.errors import (
    AccessDenied,
    AdapterExists,
    AdapterNotFound,
    DriverError,
    DriverInUse,
    NotSupported,
    RingCorrupt,
    RingFull,
    SessionEnded,
    SessionExists,
    carried_code,
)

# winerror.h
ERROR_SUCCESS = 0
ERROR_FILE_NOT_FOUND = 2
ERROR_PATH_NOT_FOUND = 3
ERROR_TOO_MANY_OPEN_FILES = 4
ERROR_ACCESS_DENIED = 5
ERROR_INVALID_HANDLE = 6
ERROR_INVALID_DATA = 13
ERROR_WRITE_PROTECT = 19
ERROR_WRITE_FAULT = 29
ERROR_GEN_FAILURE = 31
ERROR_HANDLE_EOF = 38
ERROR_NOT_SUPPORTED = 50
ERROR_DUP_NAME = 52
ERROR_INVALID_PARAMETER = 87
ERROR_BUFFER_OVERFLOW = 111
ERROR_DISK_FULL = 112
ERROR_ALREADY_EXISTS = 183
ERROR_FILE_TOO_LARGE = 223
WAIT_TIMEOUT = 258
ERROR_NO_MORE_ITEMS = 259
ERROR_DIRECTORY = 267
ERROR_VERSION_PARSE_ERROR = 777
ERROR_IO_DEVICE = 1117
ERROR_NOT_FOUND = 1168
ERROR_BAD_DEVICE = 1200
ERROR_ALREADY_INITIALIZED = 1247
ERROR_DEVICE_NOT_AVAILABLE = 4319
ERROR_OBJECT_ALREADY_EXISTS = 5010
ERROR_INF_IN_USE_BY_DEVICES = 0xE000023D

INFINITE = 0xFFFFFFFF
WAIT_FAILED = 0xFFFFFFFF

_GONE = (ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_NOT_FOUND, ERROR_BAD_DEVICE)
_ON_ADAPTER = (
    "WintunDeleteAdapter",
    "WintunGetAdapterName",
    "WintunSetAdapterName",
    "WintunStartSession",
)

_ANYWHERE: dict[int, type[DriverError]] = {
    ERROR_ACCESS_DENIED: AccessDenied,
    ERROR_NOT_SUPPORTED: NotSupported,
}
_BY_FUNCTION: dict[tuple[str, int], type[DriverError]] = {
    ("WintunCreateAdapter", ERROR_DUP_NAME): AdapterExists,
    ("WintunCreateAdapter", ERROR_ALREADY_EXISTS): AdapterExists,
    ("WintunSetAdapterName", ERROR_DUP_NAME): AdapterExists,
    ("WintunSetAdapterName", ERROR_ALREADY_EXISTS): AdapterExists,
    ("WintunOpenAdapter", ERROR_FILE_NOT_FOUND): AdapterNotFound,
    ("WintunOpenAdapter", ERROR_NOT_FOUND): AdapterNotFound,
    ("WintunOpenAdapter", ERROR_ALREADY_EXISTS): AdapterNotFound,
    ("WintunStartSession", ERROR_ALREADY_INITIALIZED): SessionExists,
    ("WintunDeleteDriver", ERROR_INF_IN_USE_BY_DEVICES): DriverInUse,
    ("WintunReceivePacket", ERROR_HANDLE_EOF): SessionEnded,
    ("WintunReceivePacket", ERROR_INVALID_DATA): RingCorrupt,
    ("WintunAllocateSendPacket", ERROR_HANDLE_EOF): SessionEnded,
    ("WintunAllocateSendPacket", ERROR_BUFFER_OVERFLOW): RingFull,
    **{(function, code): AdapterNotFound for function in _ON_ADAPTER for code in _GONE},
}
_DETAIL: dict[tuple[str, int], str] = {
    ("WintunOpenAdapter", ERROR_ALREADY_EXISTS): "The name belongs to an adapter outside the pool.",
    ("WintunStartSession", ERROR_INVALID_PARAMETER): "The driver refused the ring capacity.",
    ("WintunCreateAdapter", ERROR_BUFFER_OVERFLOW): "The name or the pool is too long.",
    ("WintunCreateAdapter", ERROR_DEVICE_NOT_AVAILABLE): (
        "The adapter did not come up. Check whether the service NetSetupSvc is disabled."
    ),
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


class ReturnedCode(int):
    """Hold an error number from Windows; it compares as the Win32 code that it carries.

    Attributes:
        returned: The original number, unsigned.
    """

    returned: int

    def __new__(cls, returned: int) -> Self:
        """Accept the original number, signed or not."""
        code = super().__new__(cls, carried_code(returned))
        code.returned = returned & 0xFFFFFFFF
        return code


def driver_error(function: str, code: int) -> DriverError:
    """Return the exception for a failed call, by the code that the number is or carries."""
    meant = carried_code(code)
    kind = _BY_FUNCTION.get((function, meant)) or _ANYWHERE.get(meant, DriverError)
    detail = _DETAIL.get((function, meant), "")
    if not detail and meant in _DISK:
        return kind(function, code, _DISK[meant], hint=_DISK_HINT)
    if meant == ERROR_SUCCESS:
        detail = "The call failed without an error number, which may mean a lack of memory."
    return kind(function, code, detail)


def result_check(row: Prototype, last_error: Callable[[], int]) -> Callable[..., Any] | None:
    """Return ctypes' `errcheck` of a row: it reads the saved last error once, and raises."""
    name = row.name

    def check_true(result: Any, _function: Any, _arguments: Any) -> Any:
        if not result:
            raise driver_error(name, last_error())
        return result

    def check_wait(result: Any, _function: Any, _arguments: Any) -> Any:
        if result == WAIT_FAILED:
            raise driver_error(name, last_error())
        return result

    if row.check in (Check.NULL, Check.FALSE):
        return check_true
    return check_wait if row.check is Check.WAIT else None


_ALL = frozenset(Generation)
_PEVENT = POINTER(EventHandle)
WIN32_PROTOTYPES: tuple[Prototype, ...] = (
    Prototype(_ALL, "CreateEventW", EventHandle, (c_void_p, BOOL, BOOL, c_void_p), Check.NULL),
    Prototype(_ALL, "SetEvent", BOOL, (EventHandle,), Check.FALSE),
    Prototype(_ALL, "CloseHandle", BOOL, (EventHandle,), Check.FALSE),
    Prototype(
        _ALL,
        "WaitForMultipleObjects",
        DWORD,
        (DWORD, POINTER(EventHandle), BOOL, DWORD),
        Check.WAIT,
    ),
)


class Events:
    """Make the event calls with functions of kernel32.dll."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._create = functions["CreateEventW"]
        self._set = functions["SetEvent"]
        self._close = functions["CloseHandle"]
        self._wait = functions["WaitForMultipleObjects"]

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Create an unnamed event that is not set."""
        event: EventHandle = self._create(None, manual_reset, False, None)
        return event

    def set_event(self, event: EventHandle) -> None:
        """Set the event. Any thread."""
        self._set(event)

    def close_handle(self, event: EventHandle) -> None:
        """Close the handle; no thread may be waiting for it."""
        self._close(event)

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Block without a time-out until one is set; return the index of the first such."""
        count = len(events)
        index: int = self._wait(count, (EventHandle * count)(*events), False, INFINITE)
        return index


def elevated() -> bool:
    """Return whether this process runs as Administrator; False off Windows."""
    if sys.platform == "win32":
        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    else:  # noqa: RET505  the type checker needs the branch
        return False
