"""Why the driver cannot work here, as a value.

The kernel is asked instead of guessing: whether this thread may manage the network namespace that
it is in, and whether the TUN device opens. Neither changes anything.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from pathlib import Path

from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.linux import capability, tun
from wintun_api.drivers.linux.capability import CAP_NET_ADMIN
from wintun_api.errors import DriverError, DriverUnavailable

PROCESS_STATUS = Path("/proc/thread-self/status")

# Reasons for which adapters can be listed all the same: links can be read without any right.
MISSING_RIGHTS = frozenset({UnavailableReason.NOT_ELEVATED, UnavailableReason.NETWORK_NOT_OWNED})

_CONTAINER_HINT = "give a container --device /dev/net/tun --cap-add NET_ADMIN."


def unavailable_reason(
    device: Path = tun.TUN_DEVICE, status: Path = PROCESS_STATUS
) -> Unavailable | None:
    """Say why there can be no adapters here, or None. Creates nothing, never raises."""
    platform: str = sys.platform
    if platform != "linux":
        return Unavailable(
            reason=UnavailableReason.WRONG_PLATFORM,
            message=f"The linux driver needs Linux; this is {platform}.",
            hint="Choose --driver wintun on Windows, --driver emulated elsewhere.",
        )
    rights = missing_right(status)
    if rights is not None and rights.reason is UnavailableReason.NETWORK_NOT_OWNED:
        return rights  # a device would be of no use
    return missing_device(device) or rights


def missing_device(device: Path = tun.TUN_DEVICE) -> Unavailable | None:
    """Say why the TUN device cannot be opened, or None. Creates nothing, never raises."""
    if not _is_character_device(device):
        return _no_device(device)
    try:
        os.close(tun.open_device(device))
    except DriverUnavailable:
        return _no_device(device)
    except DriverError as error:
        return Unavailable(
            reason=UnavailableReason.NO_TUN_DEVICE,
            message=f"{device} is there but may not be opened: {_refusal(error.code)}.",
            hint=f"Allow the service's user to read and write it; {_CONTAINER_HINT}",
        )
    return None


def missing_right(status: Path = PROCESS_STATUS) -> Unavailable | None:
    """Say why this thread may not manage this network, or None. Creates nothing, never raises.

    In a user namespace a process has every capability, but over what belongs to that namespace
    alone. The network that it shares with the rest of the machine does not (user_namespaces(7)).
    """
    counts = capability.counts_here()
    if counts is False and capability.owns_network() is False:
        return Unavailable(
            reason=UnavailableReason.NETWORK_NOT_OWNED,
            message="The process is in a user namespace that does not own the network namespace "
            "it is in, so no CAP_NET_ADMIN of it counts for this network.",
            hint="Give it a network namespace of its own: unshare -Urn in place of unshare -Ur; "
            "for a rootless container, leave out --network host. Or start the service outside of "
            "the user namespace, where CAP_NET_ADMIN counts for this network.",
        )
    if not has_net_admin(status):
        return Unavailable(
            reason=UnavailableReason.NOT_ELEVATED,
            message="The process has no CAP_NET_ADMIN over the network namespace it is in.",
            hint=f"Run the service as root or with AmbientCapabilities=CAP_NET_ADMIN; "
            f"{_CONTAINER_HINT}",
        )
    if counts is False:
        return Unavailable(
            reason=UnavailableReason.NOT_ELEVATED,
            message="The process has CAP_NET_ADMIN, but the kernel does not let it use the "
            "capability for the network namespace it is in.",
            hint="A security module such as AppArmor or SELinux may forbid it: look into the "
            "kernel's log (dmesg), and allow the service capability net_admin.",
        )
    return None


def has_net_admin(status: Path = PROCESS_STATUS) -> bool:
    """Tell whether CAP_NET_ADMIN is among the effective capabilities (proc_pid_status(5))."""
    try:
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
    except OSError:
        return True  # without /proc nobody can tell: the first call will
    return found is None or bool(int(found[1], 16) >> CAP_NET_ADMIN & 1)


def _is_character_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False


def _refusal(code: int) -> str:
    if code == errno.EACCES:
        return "its mode does not let this user read and write it, or its mount has nodev"
    if code == errno.EPERM:
        return "the device rules of a container or of a service do not allow it"
    return os.strerror(code)


def _no_device(device: Path) -> Unavailable:
    error = tun.no_tun_device(device)
    return Unavailable(
        reason=UnavailableReason(error.reason), message=error.message, hint=error.hint
    )
