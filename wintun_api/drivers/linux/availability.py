"""Why the driver cannot work here, as a value."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.linux import tun
from wintun_api.drivers.linux.capability import CAP_NET_ADMIN
from wintun_api.errors import DriverUnavailable, WintunApiError

PROCESS_STATUS = Path("/proc/self/status")

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
    if not _is_character_device(device):
        return _unavailable(tun.no_tun_device(device))
    if not has_net_admin(status):
        return Unavailable(
            reason=UnavailableReason.NOT_ELEVATED,
            message="The process has no CAP_NET_ADMIN.",
            hint=f"Run the service as root or with AmbientCapabilities=CAP_NET_ADMIN; "
            f"{_CONTAINER_HINT}",
        )
    try:
        os.close(tun.open_device(device))
    except DriverUnavailable as error:
        return _unavailable(error)
    except WintunApiError:
        return Unavailable(
            reason=UnavailableReason.NO_TUN_DEVICE,
            message=f"{device} is there but may not be opened.",
            hint=f"Allow the service's user to read and write it; {_CONTAINER_HINT}",
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


def _unavailable(error: DriverUnavailable) -> Unavailable:
    return Unavailable(
        reason=UnavailableReason(error.reason), message=error.message, hint=error.hint
    )
