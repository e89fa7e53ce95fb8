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
    PBOOL,
    PCWSTR,
    PDWORD,
    PGUID,
    PLUID,
    Check,
    EventHandle,
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
class Export(Prototype):
    """A function of wintun.dll.

    Attributes:
        only: The generation that exports it with these types; None if both do.
    """

    only: Generation | None = None


# Short names of this table, as wintun.h and the headers of Windows write them.
ADAPTER, SESSION, PACKET, PNAME = AdapterHandle, SessionHandle, c_void_p, POINTER(AdapterName)
POOL, TUNNEL_TYPE = Generation.POOL, Generation.TUNNEL_TYPE
VOID, NULL, FALSE, CALLER = Check.NONE, Check.NULL, Check.FALSE, Check.CALLER

# In the order of wintun.h. WintunGetAdapterLUID is exported so; its README spells it differently.
PROTOTYPES: tuple[Export, ...] = (
    Export("WintunCreateAdapter", ADAPTER, (PCWSTR, PCWSTR, PGUID, PBOOL), NULL, only=POOL),
    Export("WintunCreateAdapter", ADAPTER, (PCWSTR, PCWSTR, PGUID), NULL, only=TUNNEL_TYPE),
    Export("WintunOpenAdapter", ADAPTER, (PCWSTR, PCWSTR), NULL, only=POOL),
    Export("WintunOpenAdapter", ADAPTER, (PCWSTR,), NULL, only=TUNNEL_TYPE),
    Export("WintunCloseAdapter", None, (ADAPTER,), VOID, only=TUNNEL_TYPE),
    Export("WintunDeleteAdapter", BOOL, (ADAPTER, BOOL, PBOOL), FALSE, only=POOL),
    Export("WintunEnumAdapters", BOOL, (PCWSTR, EnumCallback, LPARAM), FALSE, only=POOL),
    Export("WintunFreeAdapter", None, (ADAPTER,), VOID, only=POOL),
    Export("WintunDeletePoolDriver", BOOL, (PCWSTR, PBOOL), FALSE, only=POOL),
    Export("WintunDeleteDriver", BOOL, (), FALSE, only=TUNNEL_TYPE),
    Export("WintunGetAdapterLUID", None, (ADAPTER, PLUID), VOID),
    Export("WintunGetAdapterName", BOOL, (ADAPTER, PNAME), FALSE, only=POOL),
    Export("WintunSetAdapterName", BOOL, (ADAPTER, PCWSTR), FALSE, only=POOL),
    Export("WintunGetRunningDriverVersion", DWORD, (), FALSE),
    Export("WintunSetLogger", None, (PoolLoggerCallback,), VOID, only=POOL),
    Export("WintunSetLogger", None, (TunnelTypeLoggerCallback,), VOID, only=TUNNEL_TYPE),
    Export("WintunStartSession", SESSION, (ADAPTER, DWORD), NULL),
    Export("WintunEndSession", None, (SESSION,), VOID),
    Export("WintunGetReadWaitEvent", EventHandle, (SESSION,), NULL),
    Export("WintunReceivePacket", PACKET, (SESSION, PDWORD), CALLER, packet_path=True),
    Export("WintunReleaseReceivePacket", None, (SESSION, PACKET), VOID, packet_path=True),
    Export("WintunAllocateSendPacket", PACKET, (SESSION, DWORD), CALLER, packet_path=True),
    Export("WintunSendPacket", None, (SESSION, PACKET), VOID, packet_path=True),
)


def prototypes_of(generation: Generation) -> tuple[Export, ...]:
    """Return the rows of one generation, in header order."""
    return tuple(row for row in PROTOTYPES if row.only in (None, generation))


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
