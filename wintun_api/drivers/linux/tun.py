"""Make the calls of /dev/net/tun (linux/if_tun.h; Documentation/networking/tuntap.rst).

Descriptors are non-blocking, without packet information, and belong to the caller.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from array import array
from pathlib import Path
from typing import Any

from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.errors import DriverError, DriverUnavailable

if sys.platform == "linux":
    from fcntl import ioctl
    from os import O_NONBLOCK
else:
    O_NONBLOCK = 0

    def ioctl(*_: object) -> Any:
        """Fail: only Linux has these TUN devices."""
        raise OSError(errno.ENOSYS, "")


TUN_DEVICE = Path("/dev/net/tun")

TUNSETIFF = 0x400454CA
TUNSETPERSIST = 0x400454CB
TUNGETIFF = 0x800454D2
TUNSETCARRIER = 0x400454E2
TUNGETDEVNETNS = 0x54E3
SIOCETHTOOL = 0x8946
ETHTOOL_GLINK = 0x0000000A

IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
IFF_TUN_EXCL = 0x8000

_IFREQ = struct.Struct("@16sH22x")  # if.h: struct ifreq with ifr_flags
_IFREQ_ADDRESS = struct.Struct("@16sP16x")  # with ifr_data


def create(name: str) -> tuple[int, str]:
    """Create a device and return its descriptor and kernel name.

    The device vanishes when the descriptor is closed, unless `set_persistent` was called. `name`
    may be a pattern like "wt%d".

    Raises:
        DriverError: EBUSY if the name is in use, EINVAL if it is not valid.
        AccessDenied: The process lacks CAP_NET_ADMIN or may not open the TUN device.
    """
    return _set_interface(name, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL)


def attach(name: str) -> tuple[int, str]:
    """Attach to the device with this kernel name; return descriptor and kernel name.

    TUNSETIFF *creates* a device that does not exist, so the caller compares the interface index. A
    device created in this way vanishes when the descriptor is closed.

    Raises:
        DriverError: EBUSY if another session is attached.
        AccessDenied: The process lacks CAP_NET_ADMIN or may not open the TUN device.
    """
    return _set_interface(name, IFF_TUN | IFF_NO_PI)


def set_persistent(descriptor: int, persistent: bool) -> None:
    """Set whether the attached device outlives the descriptor (if_tun.h: TUNSETPERSIST)."""
    _ioctl(descriptor, TUNSETPERSIST, "TUNSETPERSIST", int(persistent))


def kernel_name(descriptor: int) -> str:
    """Return the present name of the attached device (if_tun.h: TUNGETIFF)."""
    answer = _ioctl(descriptor, TUNGETIFF, "TUNGETIFF", bytes(_IFREQ.size))
    return _text(answer)


def namespace(descriptor: int) -> int:
    """Return a descriptor of the network namespace the device is in (if_tun.h: TUNGETDEVNETNS).

    The caller closes it soon: while it is open the namespace cannot vanish.

    Raises:
        AccessDenied: The process lacks CAP_NET_ADMIN in the user namespace that owns it.
        DriverError: ENOTTY or EINVAL: kernels before 5.7 do not support this.
    """
    try:
        found: int = ioctl(descriptor, TUNGETDEVNETNS)
    except OSError as error:
        raise driver_error("TUNGETDEVNETNS", error.errno or 0) from None
    return found


def drop_carrier(descriptor: int) -> None:
    """Drop the carrier of the attached device; attaching again restores it (TUNSETCARRIER).

    Raises:
        DriverError: The device is gone, or a kernel before 4.20 cannot.
    """
    _ioctl(descriptor, TUNSETCARRIER, "TUNSETCARRIER", struct.pack("@i", 0))


def ask_carrier(name: str) -> bool:
    """Return whether the device with this name has a carrier (ethtool.h: ETHTOOL_GLINK).

    Also return False if no device in this network namespace has the name.
    """
    answer = array("I", (ETHTOOL_GLINK, 0))
    request = _IFREQ_ADDRESS.pack(os.fsencode(name), answer.buffer_info()[0])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
            _ioctl(anything.fileno(), SIOCETHTOOL, "ETHTOOL_GLINK", request)
    except (DriverError, OSError):
        return False
    return bool(answer[1])


def open_device(path: Path = TUN_DEVICE) -> int:
    """Open the TUN device, without attaching to an adapter yet.

    Raises:
        AccessDenied: The user or a container's device rules do not allow it.
        DriverUnavailable: The TUN device does not exist.
    """
    try:
        return os.open(path, os.O_RDWR | O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            raise no_tun_device(path) from None
        raise driver_error("open", error.errno or 0, f"{path} may not be opened.") from None


def no_tun_device(path: Path = TUN_DEVICE) -> DriverUnavailable:
    """Return the exception for a missing TUN device, with a hint."""
    return DriverUnavailable(
        UnavailableReason.NO_TUN_DEVICE,
        f"There is no TUN device at {path}.",
        hint="Load the module with modprobe tun, or start the container with "
        "--device /dev/net/tun --cap-add NET_ADMIN.",
    )


def _set_interface(name: str, flags: int) -> tuple[int, str]:
    descriptor = open_device()
    try:
        request = _IFREQ.pack(os.fsencode(name), flags)
        return descriptor, _text(_ioctl(descriptor, TUNSETIFF, "TUNSETIFF", request))
    except BaseException:
        os.close(descriptor)
        raise


def _ioctl(descriptor: int, request: int, function: str, argument: bytes | int) -> bytes:
    try:
        answer: bytes | int = ioctl(descriptor, request, argument)
    except OSError as error:
        raise driver_error(function, error.errno or 0) from None
    return answer if isinstance(answer, bytes) else b""


def _text(request: bytes) -> str:
    return os.fsdecode(request[:16].partition(b"\0")[0])
