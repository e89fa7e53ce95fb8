from __future__ import annotations

from pathlib import Path

import pytest

from tests.drivers.windows.library_files import library_file
from wintun_api.drivers.windows.image import Image, read_image
from wintun_api.drivers.wintun.abi import Generation, exports_of
from wintun_api.drivers.wintun.library import WintunDll


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
    with pytest.raises(ValueError, match=r"damaged|not a Windows library"):
        read_image(path)


def test_other_file(path: Path) -> None:
    """A text file is no library."""
    path.write_bytes(b"This is a text, and long enough to have an offset somewhere." * 4)
    with pytest.raises(ValueError, match=r"damaged|not a Windows library"):
        read_image(path)


def test_version(path: Path) -> None:
    """The version comes from the version resource, and no other number that looks like it."""
    path.write_bytes(library_file(["One"], version=(0, 14, 1, 0)))
    assert read_image(path) == Image("amd64", frozenset({"One"}), "0.14.1")


@pytest.mark.parametrize("generation", list(Generation))
def test_generation(path: Path, generation: Generation) -> None:
    """A file of either generation tells it without being loaded."""
    path.write_bytes(library_file(sorted(exports_of(generation))))
    library = WintunDll(path)
    assert library.generation is generation
    assert library.path == str(path)
