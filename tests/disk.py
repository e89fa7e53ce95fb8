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
def mounted(path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB; needs root."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", path], check=True)
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
