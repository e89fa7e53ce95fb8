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
from contextlib import suppress
from pathlib import Path
from typing import Any

from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.errors import DriverError, DriverUnavailable
from wintun_api.packet.segments import HEADER

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
TUNSETOFFLOAD = 0x400454D0
TUNGETIFF = 0x800454D2
TUNSETVNETHDRSZ = 0x400454D8
TUNSETVNETLE = 0x400454DC
TUNSETCARRIER = 0x400454E2
TUNGETDEVNETNS = 0x54E3
SIOCETHTOOL = 0x8946
ETHTOOL_GLINK = 0x0000000A
ETHTOOL_STXCSUM = 0x00000017

IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
IFF_TUN_EXCL = 0x8000

# What a device may leave to a session: checksums, segments of TCP over IPv4 and IPv6, of TCP with
# congestion marks, and of UDP over both (since Linux 6.2).
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, TUN_F_TSO_ECN, TUN_F_USO4, TUN_F_USO6 = 1, 2, 4, 8, 32, 64
_TCP = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6
UDP_OFFLOAD = TUN_F_USO4 | TUN_F_USO6
OFFLOADS = (_TCP | TUN_F_TSO_ECN | UDP_OFFLOAD, _TCP | TUN_F_TSO_ECN, _TCP)

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


def attach(name: str, *, headers: bool = False) -> tuple[int, str]:
    """Attach to the device with this kernel name; return descriptor and kernel name.

    With `headers`, each packet has a header in front of it, as in `packet.segments`.

    TUNSETIFF *creates* a device that does not exist, so the caller compares the interface index. A
    device created in this way vanishes when the descriptor is closed.

    Raises:
        DriverError: EBUSY if another session is attached.
        AccessDenied: The process lacks CAP_NET_ADMIN or may not open the TUN device.
    """
    return _set_interface(name, IFF_TUN | IFF_NO_PI | (IFF_VNET_HDR if headers else 0))


def begin_offload(descriptor: int) -> int:
    """Let the host leave segmentation and checksums to the session; return what the kernel takes.

    The descriptor was attached with headers. The device keeps the offload features, the size of the
    header and its byte order when the session is detached, so `end_offload` must be called.

    Raises:
        DriverError: The kernel, or the sandbox of a container, does not support it.
    """
    _ioctl(descriptor, TUNSETVNETHDRSZ, "TUNSETVNETHDRSZ", struct.pack("@i", HEADER.size))
    try:
        _ioctl(descriptor, TUNSETVNETLE, "TUNSETVNETLE", struct.pack("@i", 1))
    except DriverError:
        if sys.byteorder != "little":  # otherwise that is the kernel's order anyway
            raise
    for features in OFFLOADS:
        with suppress(DriverError):
            _ioctl(descriptor, TUNSETOFFLOAD, "TUNSETOFFLOAD", features)
            return features
    _ioctl(descriptor, TUNSETOFFLOAD, "TUNSETOFFLOAD", TUN_F_CSUM)
    return TUN_F_CSUM


def end_offload(descriptor: int) -> None:
    """Leave the device as it was before `begin_offload`. Idempotent; raises nothing."""
    with suppress(DriverError):
        _ioctl(descriptor, TUNSETOFFLOAD, "TUNSETOFFLOAD", 0)
    with suppress(DriverError):
        _ioctl(descriptor, TUNSETVNETLE, "TUNSETVNETLE", struct.pack("@i", 0))


def drop_offload(name: str) -> None:
    """Remove the offload features that a session which was killed has left on a device.

    It needs no session: without checksums, the kernel drops the rest too (ETHTOOL_STXCSUM).
    """
    value = array("I", (ETHTOOL_STXCSUM, 0))
    with suppress(DriverError, OSError):
        _ask_ethtool(name, value, "ETHTOOL_STXCSUM")


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
    try:
        _ask_ethtool(name, answer, "ETHTOOL_GLINK")
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


def _ask_ethtool(name: str, value: array[int], function: str) -> None:
    request = _IFREQ_ADDRESS.pack(os.fsencode(name), value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        _ioctl(anything.fileno(), SIOCETHTOOL, function, request)


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
