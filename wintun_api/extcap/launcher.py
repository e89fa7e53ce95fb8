"""The file that Wireshark runs: install it, find it, remove it. Files of others stay."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wintun_api import files

WINDOWS: Final = sys.platform == "win32"
NAME: Final = "wintun-api.bat" if WINDOWS else "wintun-api"
MARK: Final = "Written by: wintun-api extcap install"  # tells our file from those of others
MAX_LAUNCHER: Final = 65_536  # bytes that are read of one
PROGRAM: Final = ("-P", "-m", "wintun_api.extcap")  # -P: nothing is imported from where it runs


class ForeignFile(Exception):
    """Refuse to touch a file that this program did not write."""


@dataclass(frozen=True, slots=True)
class Launcher:
    """What is in a folder.

    Attributes:
        path: Where the launcher is, or would be.
        state: `installed`, `missing`, `foreign` for another program's file, or `broken` for a
            launcher whose Python is not there any more.
        program: The Python that it starts; None if there is none.
    """

    path: Path
    state: str
    program: Path | None = None


def at(folder: Path) -> Launcher:
    """Return what is in a folder.

    Raises:
        OSError: It cannot be read.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            text = file.read(MAX_LAUNCHER).decode("utf-8", "replace")
    except FileNotFoundError:
        return Launcher(path, "missing")
    if MARK not in text:
        return Launcher(path, "foreign")
    program = _program_in(text)
    there = program is not None and program.exists()
    return Launcher(path, "installed" if there else "broken", program)


def install(folder: Path, arguments: Sequence[str] = ()) -> Launcher:
    """Write the launcher into a folder, which is made if it is not there. Idempotent.

    Args:
        folder: The folder.
        arguments: What the launcher passes on before the arguments of Wireshark.

    Raises:
        ForeignFile: Another program's file has its name.
        OSError: It cannot be written.
    """
    found = at(folder)
    if found.state == "foreign":
        raise ForeignFile(f"{found.path} is another program's file.")
    folder.mkdir(parents=True, exist_ok=True)
    files.replace(found.path, text_of(arguments).encode())
    if not WINDOWS:
        found.path.chmod(0o755)
    return at(folder)


def remove(folder: Path) -> Launcher:
    """Remove the launcher from a folder; return what was there. Idempotent.

    Raises:
        ForeignFile: Another program's file has its name.
        OSError: It cannot be removed.
    """
    found = at(folder)
    if found.state == "foreign":
        raise ForeignFile(f"{found.path} is another program's file.")
    found.path.unlink(missing_ok=True)
    return found


def text_of(arguments: Sequence[str], program: str | None = None) -> str:
    """Return the launcher: a script of the shell, or on Windows a batch file.

    Args:
        arguments: What it passes on before the arguments of Wireshark.
        program: The Python that it starts; None for this one.
    """
    words = [program or os.path.abspath(sys.executable), *PROGRAM, *arguments]  # noqa: PTH100
    if WINDOWS:
        quoted = " ".join(f'"{one}"' for one in words).replace("%", "%%")
        lines = ("@echo off", f"rem {MARK}", "chcp 65001 >nul", f"{quoted} %*")
        return "".join(f"{line}\r\n" for line in lines)
    return f'#!/bin/sh\n# {MARK}\nexec {shlex.join(words)} "$@"\n'


def _program_in(text: str) -> Path | None:
    last = text.strip().splitlines()[-1]
    if last.startswith('"'):
        return Path(last.split('"')[1].replace("%%", "%"))
    try:
        first, *words = shlex.split(last)
    except ValueError:  # a quotation does not end
        return None
    return Path(words[0]) if first == "exec" and words else None
