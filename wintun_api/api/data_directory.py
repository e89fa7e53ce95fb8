"""Create the data directory for the service's user only, and let one service use it at a time.

    token          the admin token, unless --token-file names another file
    tokens.json    issued tokens, as SHA-256
    sign-in-key    the key from which the sign-ins of browsers are derived
    sign-ins.json  the sign-ins that have not ended, without their secrets
    pools.json     the pools used before
    holds.json     adapters that are deleted with their clients
    salt           the secret from which GUIDs are derived
    captures/      named captures: a directory each, with its files and capture.json
    lock           locked while a service runs; says which service that is

The kernel releases the lock when the process ends, however it ends.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wintun_api import files
from wintun_api.drivers.windows import acl
from wintun_api.errors import WintunApiError
from wintun_api.files import UntrustedFile
from wintun_api.lock_file import MAX_NOTE, LockFile

LOCK = "lock"


class DataDirectoryInUse(WintunApiError):
    """Report that another service uses the data directory."""


class DataDirectory:
    """Hold a data directory that this process owns until `close` or until it ends."""

    def __init__(self, path: Path, lock: LockFile) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path, address: str) -> DataDirectory:
        """Create the directory if it is missing, check it and lock it.

        Args:
            path: The directory.
            address: The address of this service, which a second service shows in its message.

        Raises:
            DataDirectoryInUse: Another service uses it.
            UntrustedFile: Other users may write to it.
            OSError: It cannot be created, written or locked.
        """
        make(path)
        check(path)
        lock = LockFile.open(path / LOCK)
        try:
            _take(lock, path)
            lock.write({"pid": os.getpid(), "address": address})
        except BaseException:
            lock.close()
            raise
        files.remove_leftovers(path)
        return cls(path, lock)

    def close(self) -> None:
        """Release the directory for another service. Idempotent."""
        self._lock.close()


def make(path: Path) -> None:
    """Create a directory and its missing parents for this process's user only.

    Raises:
        OSError: It cannot be created.
    """
    if sys.platform == "win32":
        # In ProgramData, every user could put files into a directory with default permissions.
        acl.make_directory(path)
    else:
        files.make_directory(path)


def check(path: Path) -> None:
    """Refuse a directory into which other users may put files.

    Raises:
        UntrustedFile: Other users may do so.
        OSError: It cannot be opened.
    """
    if sys.platform == "win32":
        _check_windows(path)
    else:
        files.check_directory(path)


def read_private(path: Path, limit: int) -> bytes:
    """Return the content of one of the service's files.

    Raises:
        FileNotFoundError: The file does not exist.
        UntrustedFile: Another user may have written it, it is not a file, or it is too large.
        OSError: It cannot be read.
    """
    if sys.platform == "win32" and path.exists():
        _check_windows(path)
    return files.read(path, limit)


def read_secret(
    path: Path, limit: int, warn: Callable[[str], None], *, repair: bool = True
) -> bytes:
    """Return the content of a secret's file, which other users must not be able to read.

    A link is followed if it and its directory belong to root or to this process's user. If it leads
    out of its directory, other users must not be able to read its target: otherwise such a link
    could turn a public file into the secret. If other users can read a file of our own, its mode is
    corrected, with a warning. A file of root, whose mode this process cannot correct, is read with
    a warning: this is how containers get their secrets.

    Args:
        path: The file.
        limit: The largest number of bytes it may have.
        warn: Called with a sentence that says what other users can or could read.
        repair: Whether to correct the mode of our own file; a check alone does not.

    Raises:
        FileNotFoundError: The file does not exist.
        UntrustedFile: Another user may have written it, others can read it, it is not a file, or
            it is too large.
        OSError: It cannot be read.
    """
    if sys.platform == "win32":
        return read_private(path, limit)
    else:  # noqa: RET505  the type checker needs the branch
        real = files.resolve(path)
        with files.opened(real) as descriptor:
            content = files.read_all(descriptor, path, limit)
            if os.fstat(descriptor).st_mode & 0o077:
                _close_secret(descriptor, path, real, warn, repair=repair)
        return content


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner can read; it is on the disk when this returns.

    Raises:
        OSError: It could not be written; the old file is unchanged.
    """
    make(path.parent)
    protect: Callable[[Path], None] | None = None
    if sys.platform == "win32":
        protect = _protect
    files.replace(path, text.encode(), protect)


def is_private(path: Path) -> bool:
    """Return whether the file's mode keeps other users from reading it."""
    return sys.platform == "win32" or path.stat().st_mode & 0o077 == 0


def _protect(path: Path) -> None:
    acl.protect(path, owner=True)


def _check_windows(path: Path) -> None:
    if not acl.is_ours(path):
        raise UntrustedFile(
            f"{path} belongs to another user, who could control the service with it.",
            hint="Delete it, or choose another data directory.",
        )


def _close_secret(
    descriptor: int, path: Path, real: Path, warn: Callable[[str], None], *, repair: bool
) -> None:
    """Correct the mode of a secret's file that other users can read, or refuse it, or warn."""
    if sys.platform != "win32":
        status = os.fstat(descriptor)
        mode, ours = stat.S_IMODE(status.st_mode), status.st_uid == os.geteuid()
        everybody, linked = mode & 0o007, path.is_symlink()
        if everybody and linked and not real.is_relative_to(path.parent.resolve()):
            raise UntrustedFile(
                f"{path} is a link to {real}, which every user can read, so it cannot be a secret.",
                hint="Use --token-file with a file that only the service's user can read.",
            )
        if everybody and ours and status.st_nlink > 1:
            raise UntrustedFile(
                f"Every user can read {path}, which also has other names (hard links), so it "
                "cannot be a secret.",
                hint="Delete it, or copy it to a file that only the service's user can read.",
            )
        if everybody and ours and not linked and repair:
            with suppress(OSError):  # of a read-only file system
                os.fchmod(descriptor, 0o600)
                warn(
                    f"other users could read the token file {path} (its mode was {mode:04o}); the "
                    "mode is now 0600. Replace the token if another user may have read it."
                )
                return
        if everybody or ours:
            warn(f"other users can read the token file {path}; make it private with chmod 600.")


def _take(lock: LockFile, directory: Path) -> None:
    if not lock.take():
        raise DataDirectoryInUse(f"The data directory {directory} is in use by {_owner(lock)}.")


def noted_address(path: Path) -> str | None:
    """Return the address of the service that uses a data directory, or used it last.

    Return None if there is no note of it, or if other users could have written the note.
    """
    try:
        address = json.loads(read_private(path / LOCK, MAX_NOTE))["address"]
    except (OSError, WintunApiError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return address if isinstance(address, str) else None


def _owner(lock: LockFile) -> str:
    """Return which service wrote the note in the lock file."""
    note = lock.read()
    try:
        return f"the service at {note['address']} (pid {int(note['pid'])})"
    except (ValueError, TypeError, KeyError):
        return "another service"
