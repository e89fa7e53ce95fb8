"""Files that the service kept and that are bad now: a sentence at its start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.posix import chown, mkfifo

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="gives files to another user"
)
GOOD = {"pools.json": '["First"]', "salt": "00" * 32}


def broken(path: Path) -> None:
    path.write_text("{")


def foreign(path: Path) -> None:
    path.write_text(GOOD[path.name])
    chown(path, 65534, 65534)


def writable(path: Path) -> None:
    path.write_text(GOOD[path.name])
    path.chmod(0o666)


def link(path: Path) -> None:
    other = path.parent.parent / path.name
    other.write_text(GOOD[path.name])
    path.symlink_to(other)


def fifo(path: Path) -> None:
    mkfifo(path)


def large(path: Path) -> None:
    path.write_text("0" * (2 << 20))


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("spoil", [broken, foreign, writable, link, fifo, large, directory])
def test_refused_at_start(tmp_path: Path, name: str, spoil: Callable[[Path], None]) -> None:
    """The service names the file, says what to do and exits with 1; the file stays as it is."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    spoil(data / name)
    before = (data / name).lstat()
    done = run(tmp_path, "serve", "--driver", "linux", "--port", "0")
    assert done.returncode == 1, done.stderr
    assert str(data / name) in done.stderr
    assert "Traceback" not in done.stderr
    assert (data / name).lstat().st_ino == before.st_ino
    assert (data / name).lstat().st_size == before.st_size
