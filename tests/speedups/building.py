"""Builds of speedups.c with other compilers and flags than an installation has."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from tests.needs import leave_out
from wintun_api import native

VARIABLE = "SPEEDUPS_LIBRARY"  # which replaced.py loads
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
# The first access beyond an object, and the first undefined operation, end the process.
SANITIZERS = (
    *("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"),
    "-fno-sanitize-recover=all",
)


def headers() -> Path:
    """Return where Python.h is; the test is left out where it is not installed."""
    place = Path(sysconfig.get_path("include"))
    if not (place / "Python.h").is_file():
        leave_out("not installed: the headers of Python")
    return place


def compile_it(
    made: Path,
    *flags: str,
    compiler: str = "gcc",
    include: Path | None = None,
    source: Path = native.SOURCE,
) -> Path:
    """Compile the source without a warning into a library that can be imported."""
    if shutil.which(compiler) is None:
        leave_out(f"not installed: {compiler}")
    where = f"-I{include or headers()}"
    places = (str(source), "-o", str(made))
    command = [compiler, *WARNINGS, where, "-shared", "-fPIC", *places, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return made
