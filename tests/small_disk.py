"""A disk with little room, on which a program of a test runs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.needs import need

_MOUNT: Final = """
mount -t tmpfs -o size="$1" none "$2"
head -c "$3" /dev/zero >"$2/filler"
shift 3
exec "$@"
"""


def small_disk(path: Path, size: int, *, full: int = 0) -> tuple[str, ...]:
    """Return what runs a program that has such a disk at a new folder; no other program has it.

    Args:
        path: The folder, which is made.
        size: The bytes of the disk.
        full: How many of them are in use.
    """
    need("unshare", "mount")
    path.mkdir()
    return ("unshare", "-Urm", "sh", "-euc", _MOUNT, "sh", str(size), str(path), str(full))
