"""A disk that is soon full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.needs import needs

if sys.platform == "linux" and os.geteuid() == 0:
    mounts = needs("mount", "umount")
else:
    mounts = pytest.mark.skip(reason="mounts a file system")


@contextmanager
def mounted(path: Path, size: str = "64k") -> Iterator[Path]:
    """Mount a small disk; needs root."""
    path.mkdir()
    options = f"size={size},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def remount(path: Path, mode: str) -> None:
    """Let a disk take no writes ("ro"), or take them again ("rw")."""
    subprocess.run(["mount", "-o", f"remount,{mode}", path], check=True)


def fill(path: Path) -> Path:
    """Take all room that a disk has left."""
    filler = path / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler
