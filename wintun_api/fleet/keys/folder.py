"""Where this user's agents and commands keep their keys, and for which networks they have one.

Wireshark asks for this often, so nothing is read here and little is imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from wintun_api.errors import InvalidArgument, InvalidSettings
from wintun_api.fleet.network import Network

READER: Final = "reader"  # the name of the key with which commands read
SUFFIX: Final = ".key"


def default_directory() -> Path:
    """Return where this user's agents keep their things.

    Raises:
        InvalidSettings: This user has no home directory, as in a container that runs as a number.
    """
    return folder_of_user("agents", "the counters of the agent")


def folder_of_user(name: str, content: str) -> Path:
    """Return where this user keeps something that belongs to many hosts.

    Args:
        name: The name of the folder.
        content: What it has, in words.

    Raises:
        InvalidSettings: This user has no home directory, as in a container that runs as a number.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        # Not in /var/lib/wintun-api: its unit gives that directory to another user.
        return Path(f"/var/lib/wintun-api-{name}")
    import platformdirs  # slow, and only this user needs it

    try:
        return Path(platformdirs.user_state_dir("wintun-api", appauthor=False)) / name
    except RuntimeError:
        raise InvalidSettings(
            f"This user has no home directory to keep {content} in. Give a folder with --data-dir."
        ) from None


def readable_networks(path: Path) -> list[Network]:
    """Return the networks for which a folder has the key of a reader, by their names."""
    try:
        names = sorted(one.name for one in path.iterdir() if (one / f"{READER}{SUFFIX}").is_file())
    except OSError:
        return []
    found = []
    for name in names:
        try:
            found.append(Network(name))
        except InvalidArgument:
            continue  # no agent has made it
    return found
