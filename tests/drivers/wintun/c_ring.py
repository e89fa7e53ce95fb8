"""A library of C functions for one session, which tests fill, empty and make fail (ring.c)."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import cast

from tests.drivers.wintun.c_library import StandIn
from wintun_api.drivers.wintun.abi import SessionHandle
from wintun_api.drivers.wintun.library import WintunLibrary

SOURCE = Path(__file__).with_name("ring.c")
GCC = ("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-lpthread")
CAPACITY = 0x400000
FULL, EMPTY = 111, 259


def build(directory: Path) -> Path:
    """Compile the library."""
    path = directory / "ring.so"
    subprocess.run([*GCC, "-o", str(path), str(SOURCE)], check=True)
    return path


class CRing(StandIn):
    """The library with one session; `library` and `handle` are what a session is made of."""

    def __init__(self, path: Path, capacity: int = CAPACITY) -> None:
        super().__init__(str(path))
        ring = self.ring
        for name in ("RingPut", "RingTake", "WintunEndSession"):
            getattr(ring, name).argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32)[
                : {"RingPut": 3, "RingTake": 2, "WintunEndSession": 1}[name]
            ]
        ring.RingTake.restype = ctypes.c_int64
        ring.RingFail.argtypes = (ctypes.c_int, *[ctypes.c_uint32] * 3)
        ring.RingClaim.argtypes = (ctypes.c_uint32, ctypes.c_uint32)
        ring.RingReset()
        self.capacity = capacity
        self.handle = SessionHandle(ring.RingOpen(capacity))
        self._room = ctypes.create_string_buffer(65536)

    @property
    def library(self) -> WintunLibrary:
        """The library as the driver takes it."""
        return cast(WintunLibrary, self)

    def put(self, *packets: bytes) -> None:
        """Put packets into the receive ring."""
        for packet in packets:
            assert self.ring.RingPut(self.handle, packet, len(packet))

    def take(self) -> list[bytes]:
        """Take all packets from the send ring."""
        packets = []
        while (size := self.ring.RingTake(self.handle, self._room)) >= 0:
            packets.append(self._room.raw[:size])
        return packets

    def fail_receive(self, code: int, *, after: int = 0, times: int = 1) -> None:
        """Let WintunReceivePacket fail after some more packets."""
        self.ring.RingFail(0, after, times, code)

    def fail_allocate(self, code: int, *, after: int = 0, times: int = 1) -> None:
        """Let WintunAllocateSendPacket fail after some more packets."""
        self.ring.RingFail(1, after, times, code)

    def claim(self, size: int, *, after: int = 0) -> None:
        """Let a packet be said to have another size, after some more packets."""
        self.ring.RingClaim(after, size)

    @property
    def held(self) -> int:
        """How many received packets were not given back."""
        count: int = self.ring.RingHeld()
        return count

    @property
    def misuse(self) -> int:
        """How many calls were wrong; a packet that is allocated and not sent counts too."""
        count: int = self.ring.RingMisuse()
        return count

    @property
    def allocations(self) -> int:
        """How often WintunAllocateSendPacket was called."""
        count: int = self.ring.RingAllocations()
        return count

    def close(self) -> None:
        """Free the rings."""
        self.ring.WintunEndSession(self.handle)
