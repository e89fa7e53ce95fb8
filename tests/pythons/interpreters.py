"""Which versions of Python can be had here, and which of them are worth a run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wintun_api.api.protocol import BLIND_WRITELINES

MIN_VERSION = (3, 11, 0)
HOLED = "with CVE-2024-12254"
PLACES = (
    (Path("/usr/bin"), "python3.[0-9]*"),
    (Path("/usr/local/bin"), "python3.[0-9]*"),
    (Path.home() / ".pyenv" / "versions", "*/bin/python3"),
)
ASK = (
    "import json, platform, sys;"
    "print(json.dumps([platform.python_implementation(), sys.version_info[:4]]))"
)

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One interpreter of this machine, or of a tree that is entered by `root`."""

    version: Version
    path: Path
    root: Path | None = None

    @property
    def has_hole(self) -> bool:
        """Whether asyncio's `writelines` never holds a writer back (CVE-2024-12254)."""
        return any(first <= self.version <= last for first, last in BLIND_WRITELINES)

    def __str__(self) -> str:
        name = ".".join(map(str, self.version))
        return f"{name} of Debian testing" if self.root is not None else f"{name} ({self.path})"


def installed(uv: str) -> list[Interpreter]:
    """Return the released versions of CPython on this machine, the oldest first."""
    listed = subprocess.run(
        [uv, "python", "list", "--only-installed", "--output-format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows: list[dict[str, Any]] = json.loads(listed.stdout)
    paths = [Path(row["path"]) for row in rows]
    paths += [path for place, pattern in PLACES if place.is_dir() for path in place.glob(pattern)]
    found = [look(path, ()) for path in paths]
    return one_of_each(one for one in found if one is not None)


def look(path: Path, enter: Sequence[str], root: Path | None = None) -> Interpreter | None:
    """Ask what is at a path; None for what is no released CPython that the service supports."""
    try:
        said = subprocess.run(
            [*enter, str(path), "-I", "-c", ASK], capture_output=True, text=True, check=True
        )
        kind, (major, minor, micro, level) = json.loads(said.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    version = (major, minor, micro)
    if kind != "CPython" or level != "final" or version < MIN_VERSION:
        return None
    return Interpreter(version, path, root)


def one_of_each(found: Iterable[Interpreter]) -> list[Interpreter]:
    """Return one interpreter of each version, the oldest first."""
    by_version: dict[Version, Interpreter] = {}
    for one in found:
        by_version.setdefault(one.version, one)
    return [by_version[version] for version in sorted(by_version)]


def chosen(found: Sequence[Interpreter]) -> dict[str, Interpreter]:
    """Return the oldest, the newest and one with the hole, without naming one twice."""
    picks: dict[str, Interpreter] = {}
    if found:
        picks["oldest"] = found[0]
        holed = [one for one in found if one.has_hole]
        if holed:
            picks[HOLED] = holed[-1]
        picks["newest"] = found[-1]
    seen: set[Version] = set()
    return {
        name: one
        for name, one in picks.items()
        if one.version not in seen and not seen.add(one.version)  # type: ignore[func-returns-value]
    }
