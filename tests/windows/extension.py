"""The C extension for Windows: compiled with mingw, and put beside its source for the rig's Python.

The headers are Linux's with a `pyconfig.h` for Windows, and the import library is the rig's
python3.dll itself, so that it is bound to the stable ABI alone.
"""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from tests.windows.rig import CC, HERE, run
from wintun_api import native

EXTENSION = native.SOURCE.with_suffix(".pyd")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")


def build_extension(rig: Path) -> None:
    """Compile it, unless it is there and of the same source."""
    source = native.digest(native.SOURCE)
    if EXTENSION.is_file() and source.encode() in EXTENSION.read_bytes():
        return
    include = make_headers(rig / "include")
    library = rig / "python" / "python3.dll"
    places = (f"-I{include}", native.SOURCE, library, "-o", EXTENSION)
    run([CC, "-O2", "-s", "-shared", *WARNINGS, f"-DSOURCE={source}", *places])


def make_headers(place: Path) -> Path:
    """Copy the headers of this Python, for an extension of the stable ABI on Windows."""
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        raise SystemExit("The rig needs the headers of Python: the Debian package python3-dev.")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(headers, place)
    shutil.copy(HERE / "pyconfig.h", place / "pyconfig.h")
    return place
