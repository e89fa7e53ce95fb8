"""Read a DLL file's machine, exports and version without loading it.

Loading has effects: a 0.14 library deletes the adapters of older programs when an elevated process
loads it. So as much as possible is read from the file. Layout: the specification of the PE format,
sections "COFF file header", "The .edata section" and "The .rsrc section".
"""

from __future__ import annotations

import struct
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MACHINES = {0x014C: "x86", 0x8664: "amd64", 0xAA64: "arm64", 0x01C4: "arm"}
_PROCESS = {"win32": "x86", "win-amd64": "amd64", "win-arm64": "arm64", "win-arm32": "arm"}
_PE32_PLUS = 0x20B
_RT_VERSION = 16
_FIXED_FILE_INFO = struct.pack("<I", 0xFEEF04BD)  # how VS_FIXEDFILEINFO starts


@dataclass(frozen=True, slots=True)
class Image:
    """Describe a library file.

    Attributes:
        machine: "amd64", "arm64", "x86", "arm", or a number in hexadecimal.
        exports: The exported names.
        version: The version in its version resource, such as "0.14.1"; None without one.
    """

    machine: str
    exports: frozenset[str]
    version: str | None = None


def process_machine() -> str | None:
    """Return the machine type of libraries that this process can load; None off Windows.

    It is the interpreter's, not the computer's: 32-bit Python on 64-bit Windows loads x86.
    """
    return _PROCESS.get(sysconfig.get_platform())


def read_image(path: Path) -> Image:
    """Read a library file.

    Raises:
        ValueError: It is not a library file.
        OSError: It cannot be read.
    """
    return parse_image(path.read_bytes())


def parse_image(content: bytes) -> Image:
    """Read the content of a library file.

    Raises:
        ValueError: It is not a library file.
    """
    try:
        return _parse(content)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ValueError("The file is damaged.") from None


def _parse(content: bytes) -> Image:
    (header,) = struct.unpack_from("<I", content, 0x3C)
    if content[:2] != b"MZ" or content[header : header + 4] != b"PE\0\0":
        raise ValueError("The file is not a Windows library.")
    machine, sections = struct.unpack_from("<HH", content, header + 4)
    (optional_size,) = struct.unpack_from("<H", content, header + 20)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", content, optional)
    directories = optional + (112 if magic == _PE32_PLUS else 96)
    (exports,) = struct.unpack_from("<I", content, directories)
    (resources,) = struct.unpack_from("<I", content, directories + 16)

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
    version = _version(content, offset(resources), offset) if resources else None
    return Image(MACHINES.get(machine, f"{machine:#06x}"), frozenset(names), version)


def _version(content: bytes, root: int, offset: Callable[[int], int]) -> str | None:
    # Three floors of directories: type, name, language; the first of the last two will do.
    place = _entry(content, root, root, _RT_VERSION)
    for _ in range(2):
        place = None if place is None else _entry(content, root, place, None)
    if place is None:
        return None
    address, size = struct.unpack_from("<II", content, place)
    block = _slice(content, offset(address), size)
    fixed = block.find(_FIXED_FILE_INFO)
    if fixed < 0:
        return None
    high, low = struct.unpack_from("<II", block, fixed + 8)
    numbers = [high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF]
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    return ".".join(map(str, numbers))


def _entry(content: bytes, root: int, directory: int, wanted: int | None) -> int | None:
    named, numbered = struct.unpack_from("<HH", content, directory + 12)
    for index in range(named + numbered):
        name, place = struct.unpack_from("<II", content, directory + 16 + 8 * index)
        if wanted in (None, name):
            return root + int(place & 0x7FFFFFFF)
    return None


def _slice(content: bytes, start: int, size: int) -> bytes:
    if start + size > len(content):
        raise IndexError(start)
    return content[start : start + size]
