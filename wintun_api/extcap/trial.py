"""Run a launcher as Wireshark does, to see what it lists."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE: Final = 30.0  # seconds for the list; the service may take 10 of them to be given up
_INTERFACE: Final = re.compile(r"^interface \{value=([^}]*)\}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold what a launcher answered.

    Attributes:
        interfaces: The interfaces that Wireshark gets.
        problem: Why they are not all; empty if nothing is wrong. Wireshark does not show it.
    """

    interfaces: tuple[str, ...]
    problem: str


def listed_by(launcher: Path) -> Listed:
    """Return what a launcher answers to the question for its interfaces."""
    try:
        done = subprocess.run(  # noqa: S603 - the launcher is a file of this program
            [launcher, "--extcap-interfaces"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Listed((), f"The launcher has not answered for {PATIENCE:g} seconds.")
    except OSError as error:
        return Listed((), f"The launcher cannot be run: {error.strerror or error}.")
    problem = done.stderr.decode("utf-8", "replace").strip()
    found = _INTERFACE.findall(done.stdout.decode("utf-8", "replace"))
    if not found and not problem:
        problem = f"The launcher has ended with the code {done.returncode}."
    return Listed(tuple(found), problem)
