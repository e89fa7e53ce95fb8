"""Find out why the driver cannot work here.

Instead of guessing, ask the kernel whether this thread may manage its network namespace and whether
the TUN device can be opened. Neither changes anything.
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

# With these reasons adapters can still be listed, because links can be read without privileges.
MISSING_RIGHTS = frozenset({UnavailableReason.NOT_ELEVATED, UnavailableReason.NETWORK_NOT_OWNED})

_CONTAINER_HINT = "give a container --device /dev/net/tun --cap-add NET_ADMIN."


def unavailable_reason(
    device: Path = tun.TUN_DEVICE, status: Path = PROCESS_STATUS
) -> Unavailable | None:
    """Return why adapters are not possible here, or None. Creates nothing, never raises."""
    platform: str = sys.platform
    if platform != "linux":
        return Unavailable(
            reason=UnavailableReason.WRONG_PLATFORM,
            message=f"The linux driver needs Linux; this is {platform}.",
            hint="Use --driver wintun on Windows and --driver emulated on other systems.",
        )
    rights = missing_right(status)
    if rights is not None and rights.reason is UnavailableReason.NETWORK_NOT_OWNED:
        return rights  # a device would be useless
    return missing_device(device) or rights


def missing_device(device: Path = tun.TUN_DEVICE) -> Unavailable | None:
    """Return why the TUN device cannot be opened, or None. Creates nothing, never raises."""
    if not _is_character_device(device):
        return _no_device(device)
    try:
        os.close(tun.open_device(device))
    except DriverUnavailable:
        return _no_device(device)
    except DriverError as error:
        return Unavailable(
            reason=UnavailableReason.NO_TUN_DEVICE,
            message=f"{device} exists but may not be opened: {_refusal(error.code)}.",
            hint=f"Allow the service's user to read and write it; {_CONTAINER_HINT}",
        )
    return None


def missing_right(status: Path = PROCESS_STATUS) -> Unavailable | None:
    """Return why this thread may not manage this network, or None. Creates nothing, never raises.

    In a user namespace a process has every capability, but only over resources of that namespace,
    not over a network that it shares with the rest of the machine (user_namespaces(7)).
    """
    counts = capability.counts_here()
    if counts is False and capability.owns_network() is False:
        return Unavailable(
            reason=UnavailableReason.NETWORK_NOT_OWNED,
            message="The process is in a user namespace that does not own its network namespace, "
            "so its CAP_NET_ADMIN has no effect on this network.",
            hint="Give it its own network namespace: use unshare -Urn instead of unshare -Ur, or "
            "start a rootless container without --network host. Or start the service outside the "
            "user namespace, with CAP_NET_ADMIN.",
        )
    if not has_net_admin(status):
        return Unavailable(
            reason=UnavailableReason.NOT_ELEVATED,
            message="The process does not have CAP_NET_ADMIN for its network namespace.",
            hint=f"Run the service as root or with AmbientCapabilities=CAP_NET_ADMIN; "
            f"{_CONTAINER_HINT}",
        )
    if counts is False:
        return Unavailable(
            reason=UnavailableReason.NOT_ELEVATED,
            message="The process has CAP_NET_ADMIN, but the kernel does not let it use the "
            "capability for its network namespace.",
            hint="Check the kernel's log (dmesg), because a security module such as AppArmor or "
            "SELinux may forbid it. Allow the capability net_admin for the service.",
        )
    return None


def has_net_admin(status: Path = PROCESS_STATUS) -> bool:
    """Return whether CAP_NET_ADMIN is an effective capability (proc_pid_status(5))."""
    try:
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
    except OSError:
        return True  # unknown without /proc: the first call will show it
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
