"""Detect whether files in some directories have changed since the last check (inotify(7))."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable
from pathlib import Path

# sys/inotify.h
IN_NONBLOCK, IN_CLOEXEC = os.O_NONBLOCK if hasattr(os, "O_NONBLOCK") else 0, 0x80000
IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x8, 0x80, 0x100, 0x200
EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE

ROOM = 65536


class FilesWatch:
    """Watch the files in directories, not in their subdirectories. One thread at a time.

    Args:
        directories: Those that exist are watched at once, the others once `seen` finds them.

    Raises:
        OSError: The kernel does not provide the descriptor.
    """

    def __init__(self, directories: Iterable[Path]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._checked(self._libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
        self._waiting = list(directories)
        self._add()

    def fileno(self) -> int:
        """Return the descriptor, which is readable until `seen` is called."""
        return self._descriptor

    def seen(self) -> bool:
        """Return whether something changed since the last call. Never blocks."""
        changed = False
        while True:
            try:
                os.read(self._descriptor, ROOM)
            except BlockingIOError:
                break
            changed = True
        if changed:
            self._add()
        return changed

    def close(self) -> None:
        """Stop watching. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _add(self) -> None:
        for directory in list(self._waiting):
            path = os.fsencode(directory)
            if self._libc.inotify_add_watch(self._descriptor, path, EVENTS) >= 0:
                self._waiting.remove(directory)

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            code = ctypes.get_errno() or errno.EMFILE
            raise OSError(code, os.strerror(code))
        return result
