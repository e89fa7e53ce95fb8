"""Check CAP_NET_ADMIN of this thread and put it into effect (capabilities(7))."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

from wintun_api.drivers.linux.headers import OWN_NAMESPACE

if sys.platform == "linux":
    from fcntl import ioctl
else:

    def ioctl(*_: object) -> Any:
        """Fail: only Linux has network namespaces."""
        raise OSError(errno.ENOSYS, "")


CAP_NET_ADMIN = 12  # linux/capability.h

_VERSION_3 = 0x20080522  # linux/capability.h: _LINUX_CAPABILITY_VERSION_3
_SIOCGSKNS = 0x894C  # linux/sockios.h
_NS_GET_USERNS = 0xB701  # linux/nsfs.h


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int32))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def put_into_effect(wanted: bool = True) -> bool:
    """Put CAP_NET_ADMIN into effect, or out of effect, for this thread and those it starts.

    A file capability can permit it without putting it into effect, so that the program also starts
    where the capability is not available, and says so. Return whether it succeeded; nothing else
    is changed.
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


def counts_here() -> bool | None:
    """Return whether this thread has CAP_NET_ADMIN for its network namespace.

    The kernel makes the same check for this call as for the creation of a device (SIOCGSKNS, since
    Linux 4.10); it changes nothing. None if the kernel does not say.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
            os.close(ioctl(anything.fileno(), _SIOCGSKNS))
    except OSError as error:
        return False if error.errno == errno.EPERM else None
    return True


def owns_network(namespace: Path = OWN_NAMESPACE) -> bool | None:
    """Return whether this network namespace belongs to this process's user namespace.

    It may also belong to a user namespace inside that one (ioctl_ns(2): NS_GET_USERNS, since
    Linux 4.9). Otherwise capabilities have no effect. None if the kernel does not say.
    """
    try:
        descriptor = os.open(namespace, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        os.close(ioctl(descriptor, _NS_GET_USERNS))
    except OSError as error:
        return False if error.errno == errno.EPERM else None
    finally:
        os.close(descriptor)
    return True
