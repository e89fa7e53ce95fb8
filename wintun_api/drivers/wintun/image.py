"""What a DLL file tells about itself without being loaded: its machine and its exports.

Loading has effects (a 0.14 library deletes the adapters of older programs when an elevated process
loads it), so what can be known from the file is read from the file. Layout: the PE format's
specification, sections "COFF file header" and "The .edata section".
"""

from __future__ import annotations

import struct
import sysconfig
from dataclasses import dataclass
from pathlib import Path

MACHINES = {0x014C: "x86", 0x8664: "amd64", 0xAA64: "arm64", 0x01C4: "arm"}
_PROCESS = {"win32": "x86", "win-amd64": "amd64", "win-arm64": "arm64", "win-arm32": "arm"}
_PE32_PLUS = 0x20B


@dataclass(frozen=True, slots=True)
class Image:
    """A library file.

    Attributes:
        machine: "amd64", "arm64", "x86", "arm", or a number in hexadecimal.
        exports: The exported names.
    """

    machine: str
    exports: frozenset[str]


def process_machine() -> str | None:
    """Return the machine that a library must be for to be loaded here; None off Windows.

    It is the interpreter's, not the computer's: 32-bit Python on 64-bit Windows loads x86.
    """
    return _PROCESS.get(sysconfig.get_platform())


def read_image(path: Path) -> Image:
    """Read a library file.

    Raises:
        ValueError: It is no library file.
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    try:
        return _parse(content)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ValueError(f"{path} is damaged.") from None


def _parse(content: bytes) -> Image:
    (header,) = struct.unpack_from("<I", content, 0x3C)
    if content[:2] != b"MZ" or content[header : header + 4] != b"PE\0\0":
        raise ValueError("The file is no Windows library.")
    machine, sections = struct.unpack_from("<HH", content, header + 4)
    (optional_size,) = struct.unpack_from("<H", content, header + 20)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", content, optional)
    directories = optional + (112 if magic == _PE32_PLUS else 96)
    (exports,) = struct.unpack_from("<I", content, directories)

    def offset(address: int) -> int:
        for index in range(sections):
            row = optional + optional_size + 40 * index
            _, start, size, raw = struct.unpack_from("<IIII", content, row + 8)
            if start <= address < start + size:
                return int(raw + address - start)
        raise IndexError(address)

    names: set[str] = set()
    if exports:
        table = offset(exports)
        (count,) = struct.unpack_from("<I", content, table + 24)
        (pointers,) = struct.unpack_from("<I", content, table + 32)
        for (pointer,) in struct.iter_unpack("<I", _slice(content, offset(pointers), 4 * count)):
            start = offset(pointer)
            names.add(content[start : content.index(0, start)].decode("ascii"))
    return Image(MACHINES.get(machine, f"{machine:#06x}"), frozenset(names))


def _slice(content: bytes, start: int, size: int) -> bytes:
    if start + size > len(content):
        raise IndexError(start)
    return content[start : start + size]
