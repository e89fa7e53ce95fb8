"""Where Wireshark looks for extcap programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE: Final = 20.0  # seconds for a program of Wireshark to say where it looks


@dataclass(frozen=True, slots=True)
class Folders:
    """Hold where the installed Wireshark looks; None where that is not known.

    Attributes:
        user: The folder of this user.
        system: The folder of all users.
        asked: The program of Wireshark that said so; None if none is installed.
    """

    user: Path
    system: Path | None
    asked: str | None


def find(environment: Mapping[str, str] | None = None) -> Folders:
    """Ask the installed Wireshark where it looks; without one, return where current ones do."""
    variables = os.environ if environment is None else environment
    for program in _programs(variables):
        said = _ask(program)
        if said:
            return read(said, program, variables)
    return Folders(usual(variables), None, None)


def usual(variables: Mapping[str, str]) -> Path:
    """Return this user's folder of Wireshark 4.2 and later."""
    if sys.platform == "win32":
        return Path(variables.get("APPDATA", Path.home())) / "Wireshark" / "extcap"
    else:  # noqa: RET505 - the type checker needs the branch
        return Path.home() / ".local" / "lib" / "wireshark" / "extcap"


def read(said: str, program: str, variables: Mapping[str, str]) -> Folders:
    """Return the folders that `tshark -G folders` names.

    Wireshark before 4.2 does not name this user's folder, which is in that of its settings.
    """
    named: dict[str, Path] = {}
    for line in said.splitlines():
        name, colon, path = line.partition(":")
        if colon and path.strip():
            named[name.strip().casefold()] = Path(path.strip())
    user = named.get("personal extcap path")
    if user is None:
        settings = named.get("personal configuration")
        user = settings / "extcap" if settings is not None else usual(variables)
    system = named.get("global extcap path", named.get("extcap path"))
    return Folders(user, system, program)


def _programs(variables: Mapping[str, str]) -> Iterable[str]:
    path = variables.get("PATH")
    if sys.platform == "win32":
        more = (variables.get(name) for name in ("ProgramFiles", "ProgramW6432"))
        path = os.pathsep.join([path or "", *(rf"{one}\Wireshark" for one in more if one)])
    for name in ("tshark", "wireshark"):
        found = shutil.which(name, path=path)
        if found is not None:
            yield found


def _ask(program: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user's own path
            [program, "-G", "folders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
