"""CAP_NET_ADMIN of this thread, as permitted and in effect (capabilities(7), capget(2))."""

from __future__ import annotations

import ctypes
import sys

CAP_NET_ADMIN = 12  # linux/capability.h
_VERSION_3 = 0x20080522  # linux/capability.h: _LINUX_CAPABILITY_VERSION_3


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int32))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def put_into_effect(wanted: bool = True) -> bool:
    """Put CAP_NET_ADMIN into effect, or out of it, for this thread and those it starts.

    A file capability can permit it without that: then the same program also starts where it is
    not to be had, and says so. Returns whether it could be done; changes nothing else.
    """
    platform: str = sys.platform
    if platform != "linux":
        return False
    libc = ctypes.CDLL(None)
    header, data = _Header(_VERSION_3, 0), (_Data * 2)()
    if libc.capget(ctypes.byref(header), data) != 0:
        return False
    right = 1 << CAP_NET_ADMIN
    if not data[0].permitted & right:
        return False
    data[0].effective = data[0].effective | right if wanted else data[0].effective & ~right
    done: int = libc.capset(ctypes.byref(header), data)
    return done == 0
