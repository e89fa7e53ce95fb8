"""The file of settings, which decides what an elevated process loads and whom it trusts."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wintun_api.files import UntrustedFile
from wintun_api.paste import trimmed
from wintun_api.settings import Settings
from wintun_api.variables import check_variables


def read_settings(config: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a service, once their file and their variables can be believed.

    Args:
        config: The TOML file, or None.
        flags: Settings that were given in another way; they come first.

    Raises:
        InvalidSettings: A setting is wrong, or a variable has a name that nothing reads.
        UntrustedFile: Another user could have written the file.
    """
    check_variables()
    if config is not None:
        config = Path(trimmed(str(config)))
        check_config(config)
    return Settings.load(config, **(flags or {}))


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
            hint="Give another configuration file.",
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
            hint="Read it and then change its owner, or give another configuration file.",
        )
    if status.st_mode & stat.S_IWOTH:
        raise UntrustedFile(
            f"Every user may write the configuration file {path}.",
            hint=f"Read it, and then protect it with: chmod o-w {path}",
        )
