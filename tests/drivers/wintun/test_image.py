from __future__ import annotations

import struct
from pathlib import Path

import pytest

from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.wintun.abi import Generation, exports_of
from wintun_api.drivers.wintun.image import Image, read_image
from wintun_api.drivers.wintun.library import WintunDll, examine

SECTION = 0x1000  # where the one section lies in memory
RAW = 0x200  # and in the file


def library_file(names: list[str], *, machine: int = 0x8664, wide: bool = True) -> bytes:
    """Return a file with the headers of a library that exports these names."""
    strings, pointers = b"", []
    base = SECTION + 40 + 4 * len(names)
    for name in names:
        pointers.append(base + len(strings))
        strings += name.encode() + b"\0"
    directory = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, 0, 1, 0, len(names), 0, SECTION + 40, 0)
    section = directory + struct.pack(f"<{len(names)}I", *pointers) + strings
    magic, before = (0x20B, 112) if wide else (0x10B, 96)
    optional = struct.pack("<H", magic) + bytes(before - 2)
    optional += struct.pack("<II", SECTION, len(section)) + bytes(120)
    header = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40)
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0)
    table = b".edata\0\0" + struct.pack("<IIII", len(section), SECTION, len(section), RAW)
    content = header + b"PE\0\0" + coff + optional + table + bytes(16)
    return content.ljust(RAW, b"\0") + section


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.dll"


@pytest.mark.parametrize("wide", [True, False])
def test_exports(path: Path, wide: bool) -> None:
    """Exports are read from 32-bit and 64-bit files."""
    path.write_bytes(library_file(["One", "Two"], machine=0x8664 if wide else 0x14C, wide=wide))
    assert read_image(path) == Image("amd64" if wide else "x86", frozenset({"One", "Two"}))


@pytest.mark.parametrize("size", [0, 2, 0x3E, 0x42, 0x60, 0x120, 0x210])
def test_damaged(path: Path, size: int) -> None:
    """A file that ends too early is said to be none, never a crash."""
    path.write_bytes(library_file(["One"])[:size])
    with pytest.raises(ValueError, match=r"damaged|no Windows library"):
        read_image(path)


def test_other_file(path: Path) -> None:
    """A text file is no library."""
    path.write_bytes(b"This is a text, and long enough to have an offset somewhere." * 4)
    with pytest.raises(ValueError, match=r"damaged|no Windows library"):
        read_image(path)


def test_wrong_architecture() -> None:
    """A library for another machine is refused, with the folder to take."""
    image = Image("arm64", exports_of(Generation.TUNNEL_TYPE))
    unavailable = examine(image, Path("wintun.dll"), "amd64")
    assert unavailable is not None
    assert unavailable.reason is UnavailableReason.WRONG_ARCHITECTURE
    assert "bin/amd64/" in unavailable.hint


def test_mixture() -> None:
    """A library with functions of both generations is refused."""
    names = exports_of(Generation.POOL) | exports_of(Generation.TUNNEL_TYPE)
    unavailable = examine(Image("amd64", names), Path("wintun.dll"), "amd64")
    assert unavailable is not None
    assert unavailable.reason is UnavailableReason.LIBRARY_UNUSABLE


@pytest.mark.parametrize("generation", list(Generation))
def test_usable(path: Path, generation: Generation) -> None:
    """A file of either generation is usable, and tells its generation without being loaded."""
    path.write_bytes(library_file(sorted(exports_of(generation))))
    assert examine(read_image(path), path, "amd64") is None
    library = WintunDll(path)
    assert library.generation is generation
    assert library.path == str(path)
