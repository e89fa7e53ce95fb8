"""The calls of /dev/net/tun (linux/if_tun.h; Documentation/networking/tuntap.rst).

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
        """Fail: there are no TUN devices off Linux."""
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

    It vanishes when the descriptor is closed, until `set_persistent`. `name` may be a pattern like
    "wt%d".

    Raises:
        DriverError: EBUSY when the name is in use, EINVAL when it is none.
        AccessDenied: No CAP_NET_ADMIN, or no right to open the TUN device.
    """
    return _set_interface(name, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL)


def attach(name: str) -> tuple[int, str]:
    """Attach to the device of this kernel name and return descriptor and kernel name.

    TUNSETIFF *creates* a device that does not exist; the caller compares the interface index. What
    was created so vanishes when the descriptor is closed.

    Raises:
        DriverError: EBUSY when somebody else is attached.
        AccessDenied: No CAP_NET_ADMIN, or no right to open the TUN device.
    """
    return _set_interface(name, IFF_TUN | IFF_NO_PI)


def set_persistent(descriptor: int, persistent: bool) -> None:
    """Let the attached device outlive the descriptor, or not (if_tun.h: TUNSETPERSIST)."""
    _ioctl(descriptor, TUNSETPERSIST, "TUNSETPERSIST", int(persistent))


def kernel_name(descriptor: int) -> str:
    """Return the present name of the attached device (if_tun.h: TUNGETIFF)."""
    answer = _ioctl(descriptor, TUNGETIFF, "TUNGETIFF", bytes(_IFREQ.size))
    return _text(answer)


def namespace(descriptor: int) -> int:
    """Return a descriptor of the network namespace the device is in (if_tun.h: TUNGETDEVNETNS).

    The caller closes it soon: while it is open the namespace cannot vanish.

    Raises:
        AccessDenied: No CAP_NET_ADMIN in the user namespace that owns it.
        DriverError: ENOTTY or EINVAL: a kernel before 5.7 cannot tell.
    """
    try:
        found: int = ioctl(descriptor, TUNGETDEVNETNS)
    except OSError as error:
        raise driver_error("TUNGETDEVNETNS", error.errno or 0) from None
    return found


def drop_carrier(descriptor: int) -> None:
    """Take the carrier from the attached device; attaching again gives it back (TUNSETCARRIER).

    Raises:
        DriverError: The device is gone, or a kernel before 4.20 cannot.
    """
    _ioctl(descriptor, TUNSETCARRIER, "TUNSETCARRIER", struct.pack("@i", 0))


def ask_carrier(name: str) -> bool:
    """Tell whether the device of this name has a carrier (ethtool.h: ETHTOOL_GLINK).

    False also where no device of this network namespace has the name.
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
    """Open the TUN device, which attaches to nothing yet.

    Raises:
        AccessDenied: The user, or a container's device rules, do not allow it.
        DriverUnavailable: There is no TUN device.
    """
    try:
        return os.open(path, os.O_RDWR | O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            raise no_tun_device(path) from None
        raise driver_error("open", error.errno or 0, f"{path} may not be opened.") from None


def no_tun_device(path: Path = TUN_DEVICE) -> DriverUnavailable:
    """Return the exception that says that there is no TUN device and what to do."""
    return DriverUnavailable(
        UnavailableReason.NO_TUN_DEVICE,
        f"There is no TUN device at {path}.",
        hint="Load the module with modprobe tun; give a container "
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
