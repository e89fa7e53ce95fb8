"""Packet functions of a library in C in place of those of wintun.dll, for tests and benchmark."""

from __future__ import annotations

import ctypes
from _ctypes import FUNCFLAG_USE_ERRNO
from typing import Any

from wintun_api.drivers.windows.binding import bind
from wintun_api.drivers.windows.foreign import EventHandle
from wintun_api.drivers.wintun.abi import Generation, prototypes_of
from wintun_api.drivers.wintun.library import PacketAddresses, packet_addresses


class StandIn:
    """As much of the lower seam as a session uses, over the stand-in."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path, use_errno=True)
        self.ring: Any = ctypes.PyDLL(path)
        self.ring.RingOpen.restype = ctypes.c_void_p
        self.ring.RingFill.argtypes = ctypes.c_void_p, ctypes.c_uint32
        self.ring.RingEmpty.argtypes = (ctypes.c_void_p,)
        rows = [row for row in prototypes_of(Generation.TUNNEL_TYPE) if hasattr(library, row.name)]
        self.functions = bind(
            rows, lambda row: (row.name, library), ctypes.get_errno, FUNCFLAG_USE_ERRNO
        )

    @property
    def packet_addresses(self) -> PacketAddresses:
        """The functions for packets, for C code."""
        return packet_addresses(self.functions, self.ring.RingLastError)

    def last_error(self) -> int:
        """Return what ctypes saved after the last call."""
        return ctypes.get_errno() & 0xFFFFFFFF  # as GetLastError: unsigned

    def clear_last_error(self) -> None:
        """Clear it."""
        ctypes.set_errno(0)

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Return a handle; nobody waits for it."""
        return EventHandle(1 + manual_reset)

    def set_event(self, event: EventHandle) -> None:
        """Do nothing."""

    def close_handle(self, event: EventHandle) -> None:
        """Do nothing."""
