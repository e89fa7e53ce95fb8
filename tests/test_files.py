"""Private files: replaced as a whole, or as they were."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import leave_out
from wintun_api import files

if sys.platform == "win32":
    leave_out("directories are not synced", module=True)
assert sys.platform != "win32"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


def refuse(_directory: int) -> None:
    """Fail as a disk does that is about to die."""
    raise OSError(errno.EIO, "Input/output error")


def test_a_failed_replacement_keeps_the_old_file(tmp_path: Path) -> None:
    """A file that cannot be replaced stays as it was, and nothing is left beside it."""
    path = tmp_path / "file"
    files.replace(path, b"old")
    path.unlink()
    path.mkdir()  # which a file cannot replace
    with pytest.raises(OSError, match="directory"):
        files.replace(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_an_entry_that_does_not_reach_the_disk(tmp_path: Path) -> None:
    """Whoever is told that a replacement failed finds the old file there."""
    path = tmp_path / "file"
    files.replace(path, b"old")
    with pytest.raises(OSError, match="Input/output error"):
        files.replace(path, b"new", settle=refuse)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_entry_that_does_not_reach_the_disk(tmp_path: Path) -> None:
    """A file that was not there is not there after a failure either."""
    with pytest.raises(OSError, match="Input/output error"):
        files.replace(tmp_path / "file", b"new", settle=refuse)
    assert list(tmp_path.iterdir()) == []


@root_only
def test_a_directory_that_cannot_be_written_to_the_disk(tmp_path: Path) -> None:
    """A directory without permission to read cannot be synced, so nothing is changed in it."""
    path = tmp_path / "file"
    path.write_text("old")
    for one in (tmp_path, *tmp_path.parents):
        if one != Path("/tmp") and one.is_relative_to("/tmp"):
            one.chmod(0o755)
    os.chown(tmp_path, 65534, 65534)
    tmp_path.chmod(0o300)
    code = (
        "import os, sys; from pathlib import Path; from wintun_api import files;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "files.replace(Path(sys.argv[1]), b'new')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr.endswith(f"PermissionError: [Errno 13] Permission denied: '{tmp_path}'\n")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("end", ["new", "old"])
def test_leftovers(tmp_path: Path, end: str) -> None:
    """What a killed process left of one file is removed; what others keep is not."""
    left, others = tmp_path / f".[a].0badcafe.{end}", tmp_path / f".a.0badcafe.{end}"
    own = tmp_path / f".[a].notes.{end}"
    for path in (left, others, own):
        path.write_text("")
    files.remove_leftovers(tmp_path, "[a]")
    assert sorted(tmp_path.iterdir()) == sorted([others, own])
