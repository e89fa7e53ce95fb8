"""The user and network namespace in which the service manages TUN devices without rights.

A user who may make namespaces is root in them (user_namespaces(7)), and the kernel lets this root
create TUN devices in its own network. The programs unshare and nsenter of util-linux do the rest.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DEVICE: Final = Path("/dev/net/tun")
SYSCTL: Final = Path("/proc/sys")
UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--net", "--")
PATIENCE: Final = 20.0  # seconds that a namespace may take

# Settings of kernels that forbid users to make namespaces: the value that does, and what allows it.
_FORBIDDEN: Final = (
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def why_not(device: Path = DEVICE, sysctl: Path = SYSCTL) -> str | None:
    """Return in sentences why the service cannot run rootless here, or None if it can.

    Args:
        device: The TUN device.
        sysctl: Where the kernel shows its settings.
    """
    platform: str = sys.platform
    if platform != "linux":
        return f"The driver rootless needs namespaces, which only Linux has; this is {platform}."
    for program in ("unshare", "nsenter"):
        if shutil.which(program) is None:
            return f"The program {program} is missing. Install util-linux."
    return _closed(device) or _refused(sysctl)


def _closed(device: Path) -> str | None:
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return (
                f"There is no {device}. Load the module with modprobe tun, or give a container "
                f"--device {device}."
            )
        return (
            f"{device} cannot be opened: {error.strerror}. Let this user read and write it, as "
            "chmod 666 does; a container also needs --device."
        )
    return None


def _refused(sysctl: Path) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [*UNSHARE, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Namespaces cannot be made: {error}."
    if done.returncode == 0:
        return None
    said = " ".join(done.stderr.split()).rstrip(".")
    reason = f"This user may not make a user and a network namespace: {said}."
    for name, value, command in _FORBIDDEN:
        try:
            found = (sysctl / name).read_text().strip()
        except OSError:
            continue
        if found == value:
            setting = name.replace("/", ".")
            return (
                f"{reason} The kernel's setting {setting} is {value}. An administrator can allow "
                f"it with {command}."
            )
    return f"{reason} The sandbox of a container may forbid it."


def inside(process: int) -> Sequence[str]:
    """Return the command that runs another one in the namespaces of a process, as root there."""
    return ("nsenter", "-t", str(process), "-U", "-n", "--preserve-credentials", "--")
