"""The systemd units that `wintun-api service unit` prints, from the templates beside it."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

SERVICE: Final = "wintun-api.service"
AGENT: Final = "wintun-api-join@.service"
# What ProtectHome and PrivateTmp hide (systemd.exec(5)).
HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - names


def unit(command: Sequence[str], template: str = SERVICE) -> str:
    """Return the unit that runs `command` with `serve` appended, or with `join` as an agent does.

    Args:
        command: The command.
        template: Which unit: `SERVICE` or `AGENT`.
    """
    line = " ".join(map(quoted, command))
    text = files("wintun_api.cli").joinpath(template).read_text("utf-8")
    return text.replace("@COMMAND@", line)


def command() -> list[str]:
    """Return the command that runs this installation, with absolute paths."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    script = Path(sysconfig.get_path("scripts"), "wintun-api")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-I", "-m", "wintun_api"]


def hidden_paths(command: Sequence[str]) -> list[Path]:
    """Return the paths that the command needs but that a service under systemd cannot see."""
    needed = [Path(command[0]), Path(__file__), Path(sys.executable)]
    resolved = dict.fromkeys(path.resolve() for path in needed)
    return [path for path in resolved if any(path.is_relative_to(place) for place in HIDDEN)]


def quoted(word: str) -> str:
    """Return a word quoted for a command line in a systemd unit (systemd.service(5))."""
    word = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w%$+=:,./@-]+", word):
        return word
    return '"' + word.replace("\\", r"\\").replace('"', r"\"") + '"'
