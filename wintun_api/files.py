"""Private files: readable by their owner only, checked when read, replaced as a whole.

The service's files on disk decide who may use it, so a file is trusted only if no other user could
have written it. Everything is checked on the open descriptor, never on a path before it is opened:

    kind         a regular file; a FIFO or a device is refused at once, without waiting for it
    owner        the service's user, or root
    mode         not writable by the group or by others
    directory    the same owners; not writable by others, unless it is sticky as /tmp is
    length       bounded

On Windows the directory's access control lists do this, see `api.data_directory`.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wintun_api.errors import WintunApiError

MARK_BYTES = 4  # of the random part of a temporary file's name
MAX_LINKS = 40
# Windows refuses to replace a file while another program reads it, often a virus scanner.
REPLACE_PATIENCE, READ_PAUSE = 2.0, 0.02
# What a reader of JSON raises for a file of another form.
BROKEN = (ValueError, TypeError, KeyError, AttributeError, RecursionError)

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_SAFELY = _NO_LINK
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _SAFELY |= getattr(os, _name, 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | _NO_LINK


class UntrustedFile(WintunApiError, ValueError):
    """Refuse a file that another user may have written, or that has unexpected content."""


def read(path: Path, limit: int) -> bytes:
    """Return the content of a private file, up to `limit` bytes.

    Raises:
        FileNotFoundError: The file does not exist.
        UntrustedFile: Another user may have written it, it is not a file, or it is too large.
        OSError: It cannot be read.
    """
    with opened(path) as descriptor:
        return read_all(descriptor, path, limit)


@contextmanager
def opened(path: Path, *, change: bool = False) -> Iterator[int]:
    """Open a file, check everything but its length, and yield the descriptor.

    Args:
        path: The file.
        change: Whether it is opened for writing in it too, not for reading alone.

    Raises:
        FileNotFoundError: The file does not exist.
        UntrustedFile: Another user may have written it, or it is not a file.
        OSError: It cannot be opened.
    """
    descriptor = _open(path, (os.O_RDWR if change else os.O_RDONLY) | _SAFELY)
    try:
        status = os.fstat(descriptor)
        check_kind(path, status)
        check_owner(path, status)
        yield descriptor
    finally:
        os.close(descriptor)


def read_all(descriptor: int, path: Path, limit: int) -> bytes:
    """Read an open file to its end.

    Raises:
        UntrustedFile: It has more than `limit` bytes.
    """
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise UntrustedFile(
            f"{path} is larger than {limit} bytes, so it is not a file of this program.",
            hint="Look at its content, then delete it or choose another path.",
        )
    return b"".join(parts)


def replace(
    path: Path,
    content: bytes,
    protect: Callable[[Path], None] | None = None,
    *,
    settle: Callable[[int], None] | None = None,
) -> None:
    """Write a whole file that only its owner can read; it is on the disk when this returns.

    The old file stays unchanged until the new one is complete, whatever happens in between. If the
    disk refuses the new directory entry, the old file is restored, so a caller that gets an error
    can continue with the old content. The new file stays only if the disk refuses that too, or if
    the file system has no hard links.

    Args:
        path: The file; its directory exists.
        content: All of it.
        protect: Closes the new file to other users on systems where modes do not (Windows).
        settle: Gets the open directory and writes its entries to the disk.

    Raises:
        OSError: It could not be written; the old file is unchanged.
    """
    with _entries_of(path.parent) as directory:
        new = _beside(path, "new")
        _write(new, content, protect)
        if directory is None:
            _move(new, path)
            return
        with _undo(path) as undo:
            _move(new, path)
            try:
                (settle or _settle)(directory)
            except OSError:
                with suppress(OSError):
                    undo()
                raise


def place(path: Path, content: bytes) -> None:
    """Write a whole file that only its owner can read; the system puts it on the disk later.

    Programs see all of it or nothing, also if the process is killed. Only the loss of power can
    cost it, until the file and its directory are synchronized.

    Raises:
        OSError: It could not be written; nothing is left of it.
    """
    new = _beside(path, "new")
    _write(new, content, None, sync=False)
    _move(new, path)


def settle(directory: Path) -> None:
    """Put the entries of a directory on the disk.

    Raises:
        OSError: The disk does not take them.
    """
    with _entries_of(directory) as descriptor:
        if descriptor is not None:
            _settle(descriptor)


def remove_leftovers(directory: Path, name: str | None = None) -> None:
    """Remove temporary files of a process that was killed while it replaced files here.

    With `name`, remove only those of that file. Only the process that owns the files may call
    this: a replacement that another process has begun would fail.
    """
    file, mark = "*" if name is None else glob.escape(name), "[0-9a-f]" * 2 * MARK_BYTES
    for end in ("new", "old"):
        for leftover in directory.glob(f".{file}.{mark}.{end}"):
            with suppress(OSError):
                leftover.unlink()


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents with mode 0700, whatever the umask.

    Raises:
        OSError: It cannot be created.
    """
    missing = [one for one in (path, *path.absolute().parents) if not one.exists()]
    for one in reversed(missing):
        try:
            one.mkdir(mode=0o700)
        except FileExistsError:
            continue  # another process created it first, or it is a dangling link
        if sys.platform != "win32":
            one.chmod(0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def check_directory(path: Path) -> None:
    """Refuse a directory into which other users may put files.

    Raises:
        UntrustedFile: Other users may do so.
        OSError: It cannot be opened.
    """
    if sys.platform != "win32":
        os.close(_open_directory(path))


def check_kind(path: Path, status: os.stat_result) -> None:
    """Refuse anything that is not a regular file.

    Raises:
        UntrustedFile: It is not a regular file.
    """
    if not stat.S_ISREG(status.st_mode):
        raise _not_a_file(path)


def check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse a file that another user owns or may write.

    Raises:
        UntrustedFile: Another user owns it or may write it.
    """
    if sys.platform != "win32":
        if status.st_uid not in (0, os.geteuid()):
            raise UntrustedFile(
                f"{path} belongs to another user (uid {status.st_uid}), who could control the "
                "service with it.",
                hint="Check its content, then change its owner or delete it.",
            )
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_mode & 0o022 and not sticky:
            raise UntrustedFile(
                f"Other users may write {path} (its mode is {stat.S_IMODE(status.st_mode):04o}), "
                "so its content cannot be trusted.",
                hint=f"Check its content, then make it private with: chmod go-w {path}",
            )


def resolve(path: Path) -> Path:
    """Return the path without links; every link in it must belong to root or the service's user.

    A container's secrets are links to links (`token` -> `..data/token` in Kubernetes).

    Raises:
        UntrustedFile: Another user could change one of the links, or there are too many.
        OSError: A part of the path cannot be examined.
    """
    if sys.platform == "win32":
        return path
    else:  # noqa: RET505  the type checker needs the branch
        done, left = Path("/"), list(reversed(path.absolute().parts[1:]))
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                done = done.parent
                continue
            done /= part
            status = done.lstat()
            if not stat.S_ISLNK(status.st_mode):
                continue
            links += 1
            if links > MAX_LINKS:
                raise UntrustedFile(f"{path} leads through more than {MAX_LINKS} links.")
            if status.st_uid not in (0, os.geteuid()):
                raise UntrustedFile(
                    f"{done} is a link that belongs to another user (uid {status.st_uid}), who "
                    "can change where it leads.",
                    hint="Give the path of the file itself, which other users cannot change.",
                )
            check_directory(done.parent)
            target = done.readlink()
            done = Path("/") if target.is_absolute() else done.parent
            left += [one for one in reversed(target.parts) if one != "/"]
        return done


def _open(path: Path, flags: int) -> int:
    if sys.platform == "win32":
        if path.is_symlink():
            raise _link(path)
        return os.open(path, flags)
    else:  # noqa: RET505  the type checker needs the branch
        directory = _open_directory(path.parent)
        try:
            return os.open(path.name, flags, dir_fd=directory)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _link(path) from None
            if error.errno in (errno.ENXIO, errno.ENODEV, errno.EISDIR):
                raise _not_a_file(path) from None
            error.filename = str(path)
            raise
        finally:
            os.close(directory)


def _open_directory(path: Path) -> int:
    # Search permission is enough: we may not be allowed to list a container's secrets directory.
    descriptor = os.open(path, _DIRECTORY | getattr(os, "O_PATH", 0))
    try:
        check_owner(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _beside(path: Path, end: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(MARK_BYTES)}.{end}")


def _write(
    new: Path, content: bytes, protect: Callable[[Path], None] | None, *, sync: bool = True
) -> None:
    """Create a complete file, or none at all."""
    descriptor = os.open(new, _CREATE, 0o600)
    try:
        try:
            if sys.platform != "win32":
                os.fchmod(descriptor, 0o600)  # a umask may have removed the owner's bits too
            elif protect is not None:
                protect(new)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


@contextmanager
def _entries_of(path: Path) -> Iterator[int | None]:
    """Open a directory before an entry changes, to write its entries; None if not needed."""
    if sys.platform == "win32":
        yield None  # NTFS keeps entries in its journal
    else:
        descriptor = os.open(path, _DIRECTORY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _settle(directory: int) -> None:
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise


@contextmanager
def _undo(path: Path) -> Iterator[Callable[[], object]]:
    """Keep the old file briefly under a second name; yield a function that restores it."""
    old = _beside(path, "old")
    try:
        os.link(path, old, follow_symlinks=False)
    except FileNotFoundError:
        yield path.unlink
    except OSError:
        yield lambda: None  # a file system without hard links
    else:
        try:
            yield lambda: old.replace(path)
        finally:
            with suppress(OSError):
                old.unlink(missing_ok=True)


def _move(new: Path, path: Path) -> None:
    """Move a file to the place of another one, or remove it."""
    try:
        _replace(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _replace(new: Path, path: Path) -> None:
    while_read(lambda: new.replace(path), REPLACE_PATIENCE)


def while_read(change: Callable[[], object], patience: float) -> None:
    """Do what Windows refuses while another program reads the file; try for so many seconds.

    Raises:
        OSError: It cannot be done.
    """
    if sys.platform != "win32":
        change()
    else:
        deadline = time.monotonic() + patience
        while True:
            try:
                change()
            except PermissionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(READ_PAUSE)
            else:
                return


def _link(path: Path) -> UntrustedFile:
    return UntrustedFile(
        f"{path} is a symbolic link, which the service does not follow here.",
        hint="Put the file itself there, or delete the link.",
    )


def _not_a_file(path: Path) -> UntrustedFile:
    return UntrustedFile(
        f"{path} is not a regular file.", hint="Delete it, or choose another path."
    )
