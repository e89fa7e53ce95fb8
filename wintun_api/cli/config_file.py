"""The file of settings, which decides what an elevated process loads and whom it trusts."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from wintun_api.files import UntrustedFile


def check_config(path: Path) -> None:
    """Refuse a file of settings that another user owns or may write.

    Root may use a file of the user who called sudo. A missing file is not refused here.

    Raises:
        UntrustedFile: It is such a file, or it is not a regular file.
    """
    try:
        status = path.stat()
    except OSError:
        return  # reading it will say so
    if not stat.S_ISREG(status.st_mode):
        raise UntrustedFile(
            f"The configuration file {path} is not a regular file.",
            hint="Give another file with --config.",
        )
    if sys.platform != "win32":
        _check_owner(path, status)


def _check_owner(path: Path, status: os.stat_result) -> None:
    owners = {0}
    if sys.platform != "win32":
        owners.add(os.geteuid())
        if os.geteuid() == 0:
            with suppress(KeyError, ValueError):
                owners.add(int(os.environ["SUDO_UID"]))
    if status.st_uid not in owners:
        raise UntrustedFile(
            f"The configuration file {path} belongs to another user (uid {status.st_uid}), who "
            "could use it to control the service.",
            hint="Read it and then change its owner, or give another file with --config.",
        )
    if status.st_mode & stat.S_IWOTH:
        raise UntrustedFile(
            f"Every user may write the configuration file {path}.",
            hint=f"Read it, and then protect it with: chmod o-w {path}",
        )
