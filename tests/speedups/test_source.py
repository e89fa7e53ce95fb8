"""The source compiles without a warning, and is used when compiled by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import need
from tests.speedups.building import compile_it
from wintun_api import native

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="compiles on Linux and macOS")

LEVELS = ("-O0", "-O2", "-O3")


@pytest.mark.parametrize("level", LEVELS)
def test_gcc(tmp_path: Path, level: str) -> None:
    """GCC has nothing to say."""
    compile_it(tmp_path / "made.so", level)


@pytest.mark.parametrize("level", LEVELS)
def test_clang(tmp_path: Path, level: str) -> None:
    """Clang has nothing to say, where it is installed."""
    if shutil.which("clang") is None:
        pytest.skip("clang is not here; gcc has compiled it")
    compile_it(tmp_path / "made.so", level, compiler="clang")


def test_standard_c(tmp_path: Path) -> None:
    """It is C11 without arrays of variable length, which the compiler of Windows has not."""
    compile_it(tmp_path / "made.so", "-O2", "-std=c11", "-Wvla")


def test_compiled_by_hand(tmp_path: Path) -> None:
    """A library that does not know its source is used where it has the same functions."""
    need("gcc")
    copy = tmp_path / "wintun_api"
    copy.mkdir()
    for name in ("__init__.py", "native.py", "choices.py", "speedups.c"):
        shutil.copy(native.SOURCE.with_name(name), copy)
    compile_it(copy / "speedups.abi3.so", "-O2")
    with (copy / "speedups.c").open("a") as source:
        source.write("\n")
    code = "from wintun_api import native; print(native.speedups() is not None)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
