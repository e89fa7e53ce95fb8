"""What an error number of wintun.dll means.

One number means different things in different functions (183: the GUID is in use, or the adapter
is in another pool), so `driver_error` looks at both. A code may come as an HRESULT that carries it
(0x800700B7 is 183): it means the same then, and the number as it came is kept in the error.
"""

from __future__ import annotations

from wintun_api.drivers.windows.failures import failure
from wintun_api.drivers.windows.win32 import (
    ERROR_ALREADY_EXISTS,
    ERROR_ALREADY_INITIALIZED,
    ERROR_BAD_DEVICE,
    ERROR_BUFFER_OVERFLOW,
    ERROR_DEVICE_NOT_AVAILABLE,
    ERROR_DUP_NAME,
    ERROR_FILE_NOT_FOUND,
    ERROR_HANDLE_EOF,
    ERROR_INF_IN_USE_BY_DEVICES,
    ERROR_INVALID_DATA,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_PATH_NOT_FOUND,
)
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    DriverInUse,
    RingCorrupt,
    RingFull,
    SessionEnded,
    SessionExists,
    carried_code,
)

_GONE = (ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_NOT_FOUND, ERROR_BAD_DEVICE)

_ON_ADAPTER = (
    "WintunDeleteAdapter",
    "WintunGetAdapterName",
    "WintunSetAdapterName",
    "WintunStartSession",
)

BY_FUNCTION: dict[tuple[str, int], type[DriverError]] = {
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


def driver_error(function: str, code: int) -> DriverError:
    """Return the exception for a failed call, by the code that the number is or carries."""
    key = (function, carried_code(code))
    return failure(function, code, BY_FUNCTION.get(key), _DETAIL.get(key, ""))
