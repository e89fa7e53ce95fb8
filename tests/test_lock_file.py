"""Lock files: one process at a time, a note, and a wait that can be given up."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.posix import mkfifo
from tests.waiting import PATIENCE
from wintun_api.files import UntrustedFile
from wintun_api.lock_file import MAX_NOTE, LockFile

HOLDS = """
import sys
from pathlib import Path
from wintun_api.lock_file import LockFile
lock = LockFile.open(Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process have the lock as long as it lives."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_the_kernel_gives_the_lock_of_a_killed_process_to_the_next(tmp_path: Path) -> None:
    """While the process lives nobody else has the lock; nothing has to be tidied up after it."""
    with LockFile.open(tmp_path / "lock") as lock, held(lock.path) as process:
        assert not lock.take()
        process.kill()
        process.wait(PATIENCE)
        assert lock.take()


def test_a_wait_ends_when_the_other_process_does(tmp_path: Path) -> None:
    """Nothing is tried again and again: the kernel wakes the one that waits."""
    with LockFile.open(tmp_path / "lock") as lock, held(lock.path) as process:
        got: list[bool] = []
        wait = lock.waiting()
        thread = threading.Thread(target=lambda: got.append(wait()))
        thread.start()
        process.kill()
        thread.join(PATIENCE)
        assert got == [True]
        with LockFile.open(lock.path) as other:
            assert not other.take()


def test_what_a_wait_gets_too_late_is_released(tmp_path: Path) -> None:
    """A lock that its owner has closed meanwhile keeps nobody from it."""
    lock = LockFile.open(tmp_path / "lock")
    with held(lock.path) as process:
        wait = lock.waiting()
        thread = threading.Thread(target=wait)
        thread.start()
        lock.close()
        process.kill()
        thread.join(PATIENCE)
        with LockFile.open(lock.path) as other:
            assert other.take()


def test_a_note_says_who_has_it(tmp_path: Path) -> None:
    """The last note is read, whatever was longer before."""
    with LockFile.open(tmp_path / "lock") as lock, LockFile.open(lock.path) as other:
        assert lock.take()
        lock.write({"pid": 1, "url": "a long one"})
        lock.write({"pid": 2})
        assert other.read() == {"pid": 2}


@pytest.mark.parametrize("note", [b"", b"[]", b"{", b"\xff", b"[" * MAX_NOTE, b"1" * 5000])
def test_a_note_that_cannot_be_read_says_nothing(tmp_path: Path, note: bytes) -> None:
    """Whatever is in the file, it can be locked."""
    (tmp_path / "lock").write_bytes(note)
    (tmp_path / "lock").chmod(0o600)
    with LockFile.open(tmp_path / "lock") as lock:
        assert lock.read() == {}
        assert lock.take()


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are of POSIX")
def test_a_file_that_others_control_is_refused(tmp_path: Path) -> None:
    """A link, a directory, a FIFO, or a file that others can write."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "directory").mkdir()
    mkfifo(tmp_path / "fifo")
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    for name in ("link", "directory", "fifo", "open"):
        with pytest.raises(UntrustedFile):
            LockFile.open(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_only_its_owner_can_use_it(tmp_path: Path) -> None:
    """Its mode is the same whatever the umask."""
    before = os.umask(0o277)
    try:
        LockFile.open(tmp_path / "lock").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
