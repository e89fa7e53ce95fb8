"""The files of captures: where they lie, and how they are created, read and deleted.

    DATA/captures/ID/capture.json     what the capture is (`index`)
    DATA/captures/ID/00001.pcapng     its first file, and so on

Only the owner can read them: the directories are made as the data directory is, and a file has the
mode 0600. All functions here may block, so they run on other threads than the event loop's.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from wintun_api import files

FOLDER: Final = "captures"  # in the data directory
INDEX: Final = "capture.json"
ID: Final = re.compile(r"[0-9a-f]{12}")

_FILE: Final = re.compile(r"([0-9]{5,})\.pcapng")
_ADD: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
# Windows deletes no file that is being read; a download of a small file is soon over.
_DELETE_PATIENCE: Final = 1.0


def path_of(directory: Path, number: int) -> Path:
    """Return where a file of a capture is."""
    return directory / f"{number:05}.pcapng"


def create(path: Path, beginning: bytes) -> int:
    """Create a file for its owner only, and return its descriptor for adding to it.

    It has its beginning from the first moment on, so that programs can always open it.

    Raises:
        OSError: It exists, or cannot be created; nothing is left of it.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    files.place(path, beginning)
    try:
        return os.open(path, _ADD)
    except OSError:
        path.unlink()
        raise


def delete(path: Path) -> None:
    """Delete a file; on Windows, wait a little for who reads it. Idempotent.

    Raises:
        OSError: It cannot be deleted.
    """
    files.while_read(lambda: path.unlink(missing_ok=True), _DELETE_PATIENCE)


def delete_all(directory: Path) -> None:
    """Delete a capture with everything that it wrote. Idempotent.

    The index is deleted first, so that a capture of which only a part could be deleted does not
    come back at the next start.

    Raises:
        OSError: A file cannot be deleted, or the directory has files that are not of the service.
    """
    if not directory.is_dir():
        return
    delete(directory / INDEX)
    files.remove_leftovers(directory)
    with suppress(FileNotFoundError):  # a deletion that took too long went on meanwhile
        for number in numbers(directory):
            delete(path_of(directory, number))
        directory.rmdir()


def numbers(directory: Path) -> list[int]:
    """Return the numbers of the files in a directory, in order.

    Raises:
        OSError: The directory cannot be read.
    """
    found = (_FILE.fullmatch(one.name) for one in directory.iterdir())
    return sorted(int(one[1]) for one in found if one is not None)


class Reading:
    """Read the beginning of a file, also while more is written to it, or after it was deleted.

    Attributes:
        left: Bytes that were not read yet.

    Raises:
        FileNotFoundError: It was deleted.
        UntrustedFile: Another user may have written it.
        OSError: It cannot be opened, or it is shorter than `size`.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.left = self._size = size
        self._path = path
        self._cancelled = False
        self._stack = ExitStack()
        self._descriptor = self._stack.enter_context(files.opened(path))
        found = os.fstat(self._descriptor).st_size
        if found < size:
            self.close()
            raise self._shorter(found)

    def read(self, size: int) -> bytes:
        """Return the next bytes, up to `size`; none at the end.

        Raises:
            OSError: It cannot be read, or it has become shorter.
        """
        if self._cancelled or not self.left:
            return b""
        data = os.read(self._descriptor, min(size, self.left))
        if not data:
            raise self._shorter(self._size - self.left)
        self.left -= len(data)
        return data

    def cancel(self) -> None:
        """Let the next reading be the end."""
        self._cancelled = True

    def _shorter(self, found: int) -> OSError:
        reason = f"it has only {found} of the {self._size} bytes that the service wrote to it"
        return OSError(errno.EIO, reason, str(self._path))

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._stack.close()


Make = Callable[[Path], None]
Write = Callable[[Path, str], None]
Read = Callable[[Path, int], bytes]


class Store:
    """Hold the directory of all captures, and how private directories and files are made there.

    Args:
        path: The directory.
        make: Creates a directory for its owner only.
        write: Writes a whole file that only its owner can read.
        read: Reads a file, up to a number of bytes, that only its owner can have written.
    """

    def __init__(self, path: Path, *, make: Make, write: Write, read: Read) -> None:
        self.path = path
        self.make = make
        self.write = write
        self.read = read

    def directory(self, capture: str) -> Path:
        """Return the directory of one capture."""
        return self.path / capture


def _nothing(path: Path, _text: str = "") -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))


# For a service that keeps no files.
NOWHERE: Final = Store(Path(os.devnull, FOLDER), make=_nothing, write=_nothing, read=files.read)
