"""A lock file: one process at a time has it, and it may say which one that is.

The kernel releases the lock when the process ends, however it ends. The file is checked as all
private files are; its directory, the caller checks.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from wintun_api import files
from wintun_api.files import UntrustedFile

MAX_NOTE: Final = 1024  # bytes that the file says of the process that has it
# Offset of the lock on Windows. It is behind the content: others cannot read locked bytes.
LOCKED_BYTE: Final = 1 << 20

_OPEN = os.O_RDWR | os.O_CREAT
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _OPEN |= getattr(os, _name, 0)


class LockFile:
    """An open lock file, until `close`. A context manager that closes it.

    Attributes:
        path: The file.
        descriptor: The open file. A child that inherits it holds the lock as well.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a lock file that only this process's user can use, or make it; nothing is locked.

        Raises:
            UntrustedFile: Another user may have written it, or it is not a file.
            OSError: It cannot be opened.
        """
        try:
            descriptor = os.open(path, _OPEN, 0o600)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                raise UntrustedFile(
                    f"{path} is not a regular file.", hint="Delete it and start again."
                ) from None
            raise
        try:
            status = os.fstat(descriptor)
            files.check_kind(path, status)
            files.check_owner(path, status)
            if sys.platform != "win32" and status.st_uid == os.geteuid():
                os.fchmod(descriptor, 0o600)  # the umask may have removed bits
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock, unless a child has inherited it. Idempotent."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def take(self) -> bool:
        """Lock it; return False if another process has locked it.

        Raises:
            OSError: The file system has no locks.
        """
        return _take(self.descriptor, self.path, wait=False)

    def waiting(self) -> Callable[[], bool]:
        """Return what waits for the lock and takes it, in a thread of its own.

        It returns False if it has not got the lock, as on Windows after about ten seconds. If the
        file is closed meanwhile, it waits on, and what it gets then is released at once.
        """
        path, own = self.path, os.dup(self.descriptor)  # the lock is of both, until both are closed

        def wait() -> bool:
            try:
                return _take(own, path, wait=True)
            finally:
                os.close(own)

        return wait

    def write(self, note: Mapping[str, object]) -> None:
        """Say which process has it; on a full disk only the note is missing."""
        with suppress(OSError):
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.ftruncate(self.descriptor, 0)
            os.write(self.descriptor, json.dumps(note).encode())

    def read(self) -> dict[str, Any]:
        """Return what the process that has it, or had it last, has said; empty if nothing."""
        try:
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            said = json.loads(os.read(self.descriptor, MAX_NOTE))
        except (OSError, ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


def _take(descriptor: int, path: Path, *, wait: bool) -> bool:
    try:
        return _locked(descriptor, wait=wait)
    except OSError as error:
        error.filename = str(path)
        raise


def _locked(descriptor: int, *, wait: bool) -> bool:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError as error:
            # Wine gives 0, and no other reason.
            if error.errno in (errno.EACCES, errno.EDEADLK, 0):
                return False
            raise
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    else:  # noqa: RET505  the type checker needs the branch
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
