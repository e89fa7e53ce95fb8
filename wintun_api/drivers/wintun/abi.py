"""wintun.h as data: types, structures, callbacks and the prototypes of both API generations.

The *pool* generation is wintun.dll 0.9 to 0.13 with 18 exports, the *tunnel-type* generation 0.14
with 14. `PROTOTYPES` is the only place that gives a function its types: the real library and the
emulated one are bound with the same rows. Importable on every system: fixed-width types only, and
text as UTF-16 bytes, for `wintypes.DWORD` has 8 bytes and `c_wchar` 4 where this is not Windows.
"""

from __future__ import annotations

import ctypes
import sys
from _ctypes import FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, CFuncPtr
from collections.abc import Callable, Iterable
from ctypes import POINTER, c_int32, c_ssize_t, c_uint16, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from wintun_api.drivers.limits import MAX_ADAPTER_NAME

BOOL = c_int32
DWORD = c_uint32
DWORD64 = c_uint64
LPARAM = c_ssize_t
AdapterName = c_uint16 * MAX_ADAPTER_NAME


class AdapterHandle(c_void_p):
    """WINTUN_ADAPTER_HANDLE; a separate type, so that ctypes refuses a session's handle."""


class SessionHandle(c_void_p):
    """WINTUN_SESSION_HANDLE."""


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


# stdcall where the two conventions differ (32-bit Windows), the platform's own elsewhere.
if sys.platform == "win32":
    callback_type = ctypes.WINFUNCTYPE
else:
    callback_type = ctypes.CFUNCTYPE

EnumCallback = callback_type(BOOL, AdapterHandle, LPARAM)
# 0.9 declares BOOL as the result and ignores it, so one shape serves 0.9 to 0.13.
PoolLoggerCallback = callback_type(None, c_int32, WideString)
TunnelTypeLoggerCallback = callback_type(None, c_int32, DWORD64, WideString)


class Generation(StrEnum):
    """The two shapes of the API; never call one with the arguments of the other."""

    POOL = "pool"
    TUNNEL_TYPE = "tunnel-type"


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
    """One function: where it exists, what it takes and returns, and how it fails.

    Attributes:
        generations: The generations that export it.
        name: The exported name, case-sensitive.
        restype: The result; None for void.
        argtypes: The parameters.
        check: How failure shows.
        packet_path: Short, never blocks, called per packet: bound so that the GIL is kept.
    """

    generations: frozenset[Generation]
    name: str
    restype: Any
    argtypes: tuple[Any, ...]
    check: Check
    packet_path: bool = False


_P = frozenset({Generation.POOL})
_T = frozenset({Generation.TUNNEL_TYPE})
_PT = _P | _T
_A, _S, _W, _PKT = AdapterHandle, SessionHandle, WideString, c_void_p
_PBOOL, _PGUID, _PDWORD, _PLUID = POINTER(BOOL), POINTER(Guid), POINTER(DWORD), POINTER(NetLuid)
_PNAME = POINTER(AdapterName)
_ENUM, _LOG_P, _LOG_T = EnumCallback, PoolLoggerCallback, TunnelTypeLoggerCallback

# In the order of wintun.h. WintunGetAdapterLUID is exported so; its README spells it differently.
PROTOTYPES: tuple[Prototype, ...] = (
    Prototype(_P, "WintunCreateAdapter", _A, (_W, _W, _PGUID, _PBOOL), Check.NULL),
    Prototype(_T, "WintunCreateAdapter", _A, (_W, _W, _PGUID), Check.NULL),
    Prototype(_P, "WintunOpenAdapter", _A, (_W, _W), Check.NULL),
    Prototype(_T, "WintunOpenAdapter", _A, (_W,), Check.NULL),
    Prototype(_T, "WintunCloseAdapter", None, (_A,), Check.NONE),
    Prototype(_P, "WintunDeleteAdapter", BOOL, (_A, BOOL, _PBOOL), Check.FALSE),
    Prototype(_P, "WintunEnumAdapters", BOOL, (_W, _ENUM, LPARAM), Check.FALSE),
    Prototype(_P, "WintunFreeAdapter", None, (_A,), Check.NONE),
    Prototype(_P, "WintunDeletePoolDriver", BOOL, (_W, _PBOOL), Check.FALSE),
    Prototype(_T, "WintunDeleteDriver", BOOL, (), Check.FALSE),
    Prototype(_PT, "WintunGetAdapterLUID", None, (_A, _PLUID), Check.NONE),
    Prototype(_P, "WintunGetAdapterName", BOOL, (_A, _PNAME), Check.FALSE),
    Prototype(_P, "WintunSetAdapterName", BOOL, (_A, _W), Check.FALSE),
    Prototype(_PT, "WintunGetRunningDriverVersion", DWORD, (), Check.FALSE),
    Prototype(_P, "WintunSetLogger", None, (_LOG_P,), Check.NONE),
    Prototype(_T, "WintunSetLogger", None, (_LOG_T,), Check.NONE),
    Prototype(_PT, "WintunStartSession", _S, (_A, DWORD), Check.NULL),
    Prototype(_PT, "WintunEndSession", None, (_S,), Check.NONE),
    Prototype(_PT, "WintunGetReadWaitEvent", EventHandle, (_S,), Check.NULL),
    Prototype(_PT, "WintunReceivePacket", _PKT, (_S, _PDWORD), Check.CALLER, packet_path=True),
    Prototype(_PT, "WintunReleaseReceivePacket", None, (_S, _PKT), Check.NONE, packet_path=True),
    Prototype(_PT, "WintunAllocateSendPacket", _PKT, (_S, DWORD), Check.CALLER, packet_path=True),
    Prototype(_PT, "WintunSendPacket", None, (_S, _PKT), Check.NONE, packet_path=True),
)


def prototypes_of(generation: Generation) -> tuple[Prototype, ...]:
    """Return the rows of one generation, in header order."""
    return tuple(row for row in PROTOTYPES if generation in row.generations)


def exports_of(generation: Generation) -> frozenset[str]:
    """Return the names that a library of this generation exports."""
    return frozenset(row.name for row in prototypes_of(generation))


def generation_of(names: Iterable[str]) -> Generation | None:
    """Tell the generation from exported names; None for a mixture or too few. Others are ignored.

    No released wintun.dll mixes the two, so a mixture is some other file.
    """
    known = exports_of(Generation.POOL) | exports_of(Generation.TUNNEL_TYPE)
    exported = known.intersection(names)
    for generation in Generation:
        if exported == exports_of(generation):
            return generation
    return None


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
