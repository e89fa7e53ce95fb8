"""What foreign functions of Windows are made of: types, and prototypes as data.

It can be imported on every system: the types have fixed widths, and text is UTF-16 bytes, because
`wintypes.DWORD` has 8 bytes and `c_wchar` 4 where this is not Windows.
"""

from __future__ import annotations

import ctypes
import sys
from _ctypes import FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, CFuncPtr
from collections.abc import Callable
from ctypes import POINTER, c_int32, c_ssize_t, c_uint16, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

BOOL = c_int32
DWORD = c_uint32
DWORD64 = c_uint64
LPARAM = c_ssize_t


class EventHandle(c_void_p):
    """HANDLE of an event."""


class WideString(c_void_p):
    """LPCWSTR: zero-terminated UTF-16 code units. Takes a str, which lives as long as the call."""

    @classmethod
    def from_param(cls, text: Any) -> Any:
        """Encode a str; surrogate pairs become two units, as Windows counts them."""
        if isinstance(text, str):
            return ctypes.c_char_p(text.encode("utf-16-le") + b"\0\0")
        return super().from_param(text)

    @property
    def text(self) -> str:
        """Read the string it points to."""
        if not self.value:
            return ""
        units = ctypes.cast(self, POINTER(c_uint16))
        length = 0
        while units[length]:
            length += 1
        return ctypes.string_at(self.value, 2 * length).decode("utf-16-le", "replace")


def text_of(units: ctypes.Array[c_uint16]) -> str:
    """Return zero-terminated UTF-16 units as text."""
    return bytes(units).decode("utf-16-le", "replace").partition("\0")[0]


class Guid(ctypes.Structure):
    """GUID of guiddef.h, 16 bytes in memory as `UUID.bytes_le`."""

    _fields_ = (
        ("data1", c_uint32),
        ("data2", c_uint16),
        ("data3", c_uint16),
        ("data4", ctypes.c_uint8 * 8),
    )

    @classmethod
    def of(cls, guid: UUID) -> Guid:
        """Return the structure of a UUID."""
        return cls.from_buffer_copy(guid.bytes_le)

    @property
    def uuid(self) -> UUID:
        """Return it as Python knows it."""
        return UUID(bytes_le=bytes(self))


class NetLuid(ctypes.Structure):
    """NET_LUID of ifdef.h: an unsigned 64-bit value of an index (24..47) and a type (48..63)."""

    _fields_ = (("value", c_uint64),)


PCWSTR = WideString
PBOOL, PDWORD, PGUID, PLUID = POINTER(BOOL), POINTER(DWORD), POINTER(Guid), POINTER(NetLuid)

# stdcall where the two conventions differ (32-bit Windows), the platform's own elsewhere.
if sys.platform == "win32":
    callback_type = ctypes.WINFUNCTYPE
else:
    callback_type = ctypes.CFUNCTYPE


class Check(Enum):
    """Name how a result shows failure.

    CALLER is for the two calls that often return NULL (ring empty, ring full): the session checks
    the result, which also saves a Python call per packet.
    """

    NONE = "cannot fail"
    NULL = "NULL"
    FALSE = "zero"
    WAIT = "WAIT_FAILED"
    CALLER = "the caller looks"


@dataclass(frozen=True, slots=True)
class Prototype:
    """One function: what it takes and returns, and how it fails.

    Attributes:
        name: The exported name, case-sensitive.
        restype: The result; None for void.
        argtypes: The parameters.
        check: How failure shows.
        packet_path: Short, never blocks, called per packet: bound so that the GIL is kept.
    """

    name: str
    restype: Any
    argtypes: tuple[Any, ...]
    check: Check
    packet_path: bool = False


def function_type(row: Prototype, flags: int = 0) -> type[CFuncPtr]:
    """Return the ctypes type of a row: what binds an address, a DLL's name or a Python function.

    Args:
        row: The prototype.
        flags: More of ctypes' function flags, such as keeping the thread's last error.
    """
    # Zero is stdcall, which only 32-bit Windows tells from the C convention.
    flags |= 0 if sys.platform == "win32" else FUNCFLAG_CDECL
    if row.packet_path:
        flags |= FUNCFLAG_PYTHONAPI

    class Function(CFuncPtr):
        _argtypes_ = row.argtypes
        _restype_ = row.restype
        _flags_ = flags

    return Function


def _make_copy() -> Callable[[int, bytes, int], None]:
    # ctypes.memmove gives the GIL up for every copy; a packet is copied faster than that.
    address = ctypes.cast(ctypes.memmove, c_void_p).value
    assert address is not None
    return ctypes.PYFUNCTYPE(None, c_void_p, ctypes.c_char_p, ctypes.c_size_t)(address)


copy_bytes: Callable[[int, bytes, int], None] = _make_copy()
"""Copy `bytes` to an address, keeping the GIL."""
