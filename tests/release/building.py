"""Runs uv as somebody does who has nothing else of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def program() -> str:
    """Return where uv is."""
    return os.environ.get("UV") or str(shutil.which("uv"))


def uv(*arguments: object, cwd: Path = PROJECT, variables: Mapping[str, str] | None = None) -> str:
    """Run uv, of which only the environment's own settings are left; return what it says."""
    done = subprocess.run(
        [program(), *map(str, arguments)],
        cwd=cwd,
        env={
            **{key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
            **(variables or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def project_files() -> list[str]:
    """Return the names of the files that git has, or will have."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]
