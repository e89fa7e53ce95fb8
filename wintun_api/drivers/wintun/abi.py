"""wintun.h as data: types, structures, callbacks and the prototypes of both API generations.

The *pool* generation is wintun.dll 0.9 to 0.13 with 18 exports, the *tunnel-type* generation 0.14
with 14. `PROTOTYPES` is the only place that gives a function its types: the real library and the
emulated one are bound with the same rows. Importable on every system: fixed-width types only, and
text as UTF-16 bytes, for `wintypes.DWORD` has 8 bytes and `c_wchar` 4 where this is not Windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import POINTER, c_int32, c_uint16, c_void_p
from dataclasses import dataclass
from typing import TypeAlias

from wintun_api import choices
from wintun_api.drivers.windows.foreign import (
    BOOL,
    DWORD,
    DWORD64,
    LPARAM,
    Check,
    EventHandle,
    Guid,
    NetLuid,
    Prototype,
    WideString,
    callback_type,
)
from wintun_api.limits import MAX_ADAPTER_NAME

AdapterName = c_uint16 * MAX_ADAPTER_NAME


class AdapterHandle(c_void_p):
    """WINTUN_ADAPTER_HANDLE; a separate type, so that ctypes refuses a session's handle."""


class SessionHandle(c_void_p):
    """WINTUN_SESSION_HANDLE."""


EnumCallback = callback_type(BOOL, AdapterHandle, LPARAM)
# 0.9 declares BOOL as the result and ignores it, so one shape serves 0.9 to 0.13.
PoolLoggerCallback = callback_type(None, c_int32, WideString)
TunnelTypeLoggerCallback = callback_type(None, c_int32, DWORD64, WideString)


# The two shapes of the API; never call one with the arguments of the other.
Generation: TypeAlias = choices.Generation


@dataclass(frozen=True, slots=True)
class Export:
    """A function of wintun.dll, and the generations that export it."""

    generations: frozenset[Generation]
    prototype: Prototype


_P = frozenset({Generation.POOL})
_T = frozenset({Generation.TUNNEL_TYPE})
_PT = _P | _T
_A, _S, _W, _PKT = AdapterHandle, SessionHandle, WideString, c_void_p
_PBOOL, _PGUID, _PDWORD, _PLUID = POINTER(BOOL), POINTER(Guid), POINTER(DWORD), POINTER(NetLuid)
_PNAME = POINTER(AdapterName)
_F = Prototype
_ENUM, _LOG_P, _LOG_T = EnumCallback, PoolLoggerCallback, TunnelTypeLoggerCallback

# In the order of wintun.h. WintunGetAdapterLUID is exported so; its README spells it differently.
PROTOTYPES: tuple[Export, ...] = (
    Export(_P, _F("WintunCreateAdapter", _A, (_W, _W, _PGUID, _PBOOL), Check.NULL)),
    Export(_T, _F("WintunCreateAdapter", _A, (_W, _W, _PGUID), Check.NULL)),
    Export(_P, _F("WintunOpenAdapter", _A, (_W, _W), Check.NULL)),
    Export(_T, _F("WintunOpenAdapter", _A, (_W,), Check.NULL)),
    Export(_T, _F("WintunCloseAdapter", None, (_A,), Check.NONE)),
    Export(_P, _F("WintunDeleteAdapter", BOOL, (_A, BOOL, _PBOOL), Check.FALSE)),
    Export(_P, _F("WintunEnumAdapters", BOOL, (_W, _ENUM, LPARAM), Check.FALSE)),
    Export(_P, _F("WintunFreeAdapter", None, (_A,), Check.NONE)),
    Export(_P, _F("WintunDeletePoolDriver", BOOL, (_W, _PBOOL), Check.FALSE)),
    Export(_T, _F("WintunDeleteDriver", BOOL, (), Check.FALSE)),
    Export(_PT, _F("WintunGetAdapterLUID", None, (_A, _PLUID), Check.NONE)),
    Export(_P, _F("WintunGetAdapterName", BOOL, (_A, _PNAME), Check.FALSE)),
    Export(_P, _F("WintunSetAdapterName", BOOL, (_A, _W), Check.FALSE)),
    Export(_PT, _F("WintunGetRunningDriverVersion", DWORD, (), Check.FALSE)),
    Export(_P, _F("WintunSetLogger", None, (_LOG_P,), Check.NONE)),
    Export(_T, _F("WintunSetLogger", None, (_LOG_T,), Check.NONE)),
    Export(_PT, _F("WintunStartSession", _S, (_A, DWORD), Check.NULL)),
    Export(_PT, _F("WintunEndSession", None, (_S,), Check.NONE)),
    Export(_PT, _F("WintunGetReadWaitEvent", EventHandle, (_S,), Check.NULL)),
    Export(_PT, _F("WintunReceivePacket", _PKT, (_S, _PDWORD), Check.CALLER, packet_path=True)),
    Export(_PT, _F("WintunReleaseReceivePacket", None, (_S, _PKT), Check.NONE, packet_path=True)),
    Export(_PT, _F("WintunAllocateSendPacket", _PKT, (_S, DWORD), Check.CALLER, packet_path=True)),
    Export(_PT, _F("WintunSendPacket", None, (_S, _PKT), Check.NONE, packet_path=True)),
)


def prototypes_of(generation: Generation) -> tuple[Prototype, ...]:
    """Return the rows of one generation, in header order."""
    return tuple(row.prototype for row in PROTOTYPES if generation in row.generations)


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
