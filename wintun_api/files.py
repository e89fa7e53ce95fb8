"""Private files: made for their owner alone, checked when read, replaced as a whole.

What the service keeps on disk decides who may use it, so a file is believed only when no other
user could have written it. Everything is checked on the open descriptor, never on a path before:

    kind         a regular file; a FIFO or a device is refused at once, without waiting for it
    owner        the service's user, or root
    mode         not writable by the group or by others
    directory    the same owners; not writable by others, unless it is sticky as /tmp is
    length       bounded

On Windows the access control lists of the directory do this, see `api.data_directory`.
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

MARK_BYTES = 4  # of the random part of a name that a file has for a moment
MAX_LINKS = 40
# Windows refuses to replace a file while another program reads it, often a virus scanner.
REPLACE_PATIENCE, REPLACE_PAUSE = 2.0, 0.02

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _NO_LINK
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _READ |= getattr(os, _name, 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | _NO_LINK


class UntrustedFile(WintunApiError, ValueError):
    """Refuse a file that another user may have written, or that does not hold what it should."""


def read(path: Path, limit: int) -> bytes:
    """Return what a private file holds, up to `limit` bytes.

    Raises:
        FileNotFoundError: There is no such file.
        UntrustedFile: Another user may have written it, or it is not a file, or it is too large.
        OSError: It cannot be read.
    """
    with opened(path) as descriptor:
        return read_all(descriptor, path, limit)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file for reading, with all checks but that of its length; give the descriptor.

    Raises:
        FileNotFoundError: There is no such file.
        UntrustedFile: Another user may have written it, or it is not a file.
        OSError: It cannot be opened.
    """
    descriptor = _open(path)
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
            f"{path} is larger than {limit} bytes, so the service did not write it.",
            hint="Look at what it is; delete it, or name another path.",
        )
    return b"".join(parts)


def replace(
    path: Path,
    content: bytes,
    protect: Callable[[Path], None] | None = None,
    *,
    settle: Callable[[int], None] | None = None,
) -> None:
    """Write a whole file for its owner alone; it is on the disk when this returns.

    The old file stays as it is until the new one is complete, whatever happens in between. Where
    the disk refuses the new entry of the directory, the old file is put back, so a caller who is
    told of an error can go on with what was before. The new file stays only if the disk refuses
    that too, or has no hard links.

    Args:
        path: The file; its directory exists.
        content: All of it.
        protect: Closes the new file to other users where modes do not (Windows).
        settle: Writes the entries of the directory, which it is given open, to the disk.

    Raises:
        OSError: It could not be written; the old file is as it was.
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


def remove_leftovers(directory: Path, name: str | None = None) -> None:
    """Remove what a process left that was killed while it replaced files here, or this file.

    Only for the owner of the files: a replacement that another process is making would fail.
    """
    file, mark = "*" if name is None else glob.escape(name), "[0-9a-f]" * 2 * MARK_BYTES
    for end in ("new", "old"):
        for leftover in directory.glob(f".{file}.{mark}.{end}"):
            with suppress(OSError):
                leftover.unlink()


def make_directory(path: Path) -> None:
    """Make a directory and its missing parents, mode 0700 whatever the umask.

    Raises:
        OSError: It cannot be made.
    """
    missing = [one for one in (path, *path.absolute().parents) if not one.exists()]
    for one in reversed(missing):
        try:
            one.mkdir(mode=0o700)
        except FileExistsError:
            continue  # another process was quicker, or it is a link that leads nowhere
        if sys.platform != "win32":
            one.chmod(0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def check_directory(path: Path) -> None:
    """Refuse a directory into which other users may put files.

    Raises:
        UntrustedFile: They may.
        OSError: It cannot be opened.
    """
    if sys.platform != "win32":
        os.close(_open_directory(path))


def check_kind(path: Path, status: os.stat_result) -> None:
    """Refuse what is not a regular file.

    Raises:
        UntrustedFile: That is so.
    """
    if not stat.S_ISREG(status.st_mode):
        raise _not_a_file(path)


def check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse what another user owns or may write.

    Raises:
        UntrustedFile: That is so.
    """
    if sys.platform != "win32":
        if status.st_uid not in (0, os.geteuid()):
            raise UntrustedFile(
                f"{path} belongs to another user (uid {status.st_uid}), who could give orders to "
                "the service with it.",
                hint="Delete it, or change its owner once you know what it holds.",
            )
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_mode & 0o022 and not sticky:
            raise UntrustedFile(
                f"Other users may write {path} (its mode is {stat.S_IMODE(status.st_mode):04o}), "
                "so its content may be theirs.",
                hint=f"Look at what is in it, then close it with: chmod go-w {path}",
            )


def resolve(path: Path) -> Path:
    """Return the path without links; every link in it must be root's or the service's user's.

    Secrets of containers are links to links (`token` -> `..data/token` in Kubernetes).

    Raises:
        UntrustedFile: Another user could turn one of the links, or there are too many.
        OSError: A part of the path cannot be looked at.
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
                    f"{done} is a link of another user (uid {status.st_uid}), who can turn it.",
                    hint="Name the file itself, by a path that other users cannot change.",
                )
            check_directory(done.parent)
            target = done.readlink()
            done = Path("/") if target.is_absolute() else done.parent
            left += [one for one in reversed(target.parts) if one != "/"]
        return done


def _open(path: Path) -> int:
    if sys.platform == "win32":
        if path.is_symlink():
            raise _link(path)
        return os.open(path, _READ)
    else:  # noqa: RET505  the type checker needs the branch
        directory = _open_directory(path.parent)
        try:
            return os.open(path.name, _READ, dir_fd=directory)
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
    # Search permission is enough: the directory of a container's secrets is not ours to list.
    descriptor = os.open(path, _DIRECTORY | getattr(os, "O_PATH", 0))
    try:
        check_owner(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _beside(path: Path, end: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(MARK_BYTES)}.{end}")


def _write(new: Path, content: bytes, protect: Callable[[Path], None] | None) -> None:
    """Make a file, or nothing."""
    descriptor = os.open(new, _CREATE, 0o600)
    try:
        try:
            if sys.platform != "win32":
                os.fchmod(descriptor, 0o600)  # a umask may have taken the owner's bits too
            elif protect is not None:
                protect(new)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


@contextmanager
def _entries_of(path: Path) -> Iterator[int | None]:
    """Open a directory to write its entries, before one changes; None where nothing needs it."""
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
    """Keep the old file for a moment by a second name; give what puts it back."""
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
    """Let a file take the place of another one, or remove it."""
    try:
        _replace(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _replace(new: Path, path: Path) -> None:
    if sys.platform != "win32":
        new.replace(path)
    else:
        deadline = time.monotonic() + REPLACE_PATIENCE
        while True:
            try:
                new.replace(path)
            except PermissionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(REPLACE_PAUSE)
            else:
                return


def _link(path: Path) -> UntrustedFile:
    return UntrustedFile(
        f"{path} is a symbolic link; the service follows none here.",
        hint="Put the file itself there, or delete the link.",
    )


def _not_a_file(path: Path) -> UntrustedFile:
    return UntrustedFile(f"{path} is not a regular file.", hint="Delete it, or name another path.")
