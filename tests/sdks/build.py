"""The compilers, and the walk against a running service."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.sdks.generate import java_program
from tests.sdks.languages import Command, Language

WALK = """\
created: OfficeNet, down
started: true
accepted: 1
ended: ended, 28 bytes injected
deleted: reboot false
refused: 404 urn:wintun-api:problem:adapter-not-found
"""


def compile_client(language: Language, folder: Path) -> None:
    """Compile a client and its walk, made in a folder below this one."""
    for command in language.compile:
        _run(language, command, folder)


def walk(language: Language, folder: Path, url: str, token: str) -> str:
    """Walk through a compiled client against a service; return what it prints, see `WALK`."""
    assert language.run is not None, "only made, not compiled"
    return _run(language, language.run, folder, API=url, TOKEN=token)


def _run(language: Language, command: Command, folder: Path, **environment: str) -> str:
    jar = java_program() if "{jar}" in " ".join(command) else ""
    done = subprocess.run(
        [part.format(here=language.here, jar=jar) for part in command],
        cwd=folder / language.name,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
    return done.stdout
