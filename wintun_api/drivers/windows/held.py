"""Keep a file from changing while it is checked and loaded.

On Windows it is opened so that no program can write, rename or delete it until it is closed, and
its final path is used, without links through which another file could take its place.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_void_p
from dataclasses import dataclass
from pathlib import Path

from wintun_api.drivers.windows.binding import last_error, load_system
from wintun_api.drivers.windows.foreign import DWORD, Check, Prototype, WideString

# winnt.h, fileapi.h
GENERIC_READ = 0x80000000
FILE_SHARE_READ = 1
OPEN_EXISTING = 3

FILE_PROTOTYPES = (
    Prototype(
        "CreateFileW",
        c_void_p,
        (WideString, DWORD, DWORD, c_void_p, DWORD, DWORD, c_void_p),
        Check.NONE,
    ),
    Prototype("GetFinalPathNameByHandleW", DWORD, (c_void_p, c_void_p, DWORD, DWORD), Check.NONE),
)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """Hold an open file: its final path, its content, and on Windows its handle."""

    path: Path
    content: bytes
    handle: int


@contextmanager
def hold(path: Path) -> Iterator[HeldFile]:
    """Open a file, read it, and keep it from changing until the end.

    Raises:
        OSError: It cannot be read, or another program is writing it.
    """
    if sys.platform == "win32":
        import msvcrt

        kernel32 = load_system("kernel32.dll", FILE_PROTOTYPES)
        handle = kernel32["CreateFileW"](
            str(path), GENERIC_READ, FILE_SHARE_READ, None, OPEN_EXISTING, 0, None
        )
        if handle is None or handle == c_void_p(-1).value:
            raise ctypes.WinError(last_error())
        buffer = ctypes.create_unicode_buffer(0x8000)
        size = kernel32["GetFinalPathNameByHandleW"](handle, buffer, len(buffer), 0)
        # The descriptor owns the handle from here on.
        with os.fdopen(msvcrt.open_osfhandle(handle, os.O_RDONLY), "rb") as file:
            final = _plain(buffer.value) if 0 < size < len(buffer) else str(path)
            yield HeldFile(Path(final), file.read(), handle)
    else:
        yield HeldFile(path, path.read_bytes(), 0)


def _plain(path: str) -> str:
    # LoadLibrary looks for neighbours by the path it is given, and knows no \\?\ there.
    if path.startswith("\\\\?\\UNC\\"):
        return "\\" + path[7:]
    return path.removeprefix("\\\\?\\")
