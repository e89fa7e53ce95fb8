from __future__ import annotations

from pathlib import Path

import pytest

from tests.drivers.wintun.genuine import needs_windows
from wintun_api.drivers.windows import acl

pytestmark = needs_windows

EVERYBODY = (";WD)", ";BU)", ";AU)")


def open_to_others(path: Path) -> bool:
    """Whether an entry names everybody, users or whoever signed in."""
    return any(entry in acl.describe(path) for entry in EVERYBODY)


def test_directory(tmp_path: Path) -> None:
    """A new directory, and what is made in it, is closed to others; its parents are not touched."""
    path = tmp_path / "a" / "data"
    acl.make_directory(path)
    assert not open_to_others(path)
    (path / "token").write_text("secret")
    assert (path / "token").read_text() == "secret"
    acl.make_directory(path)


def test_protect(tmp_path: Path) -> None:
    """A file that is there can be closed."""
    path = tmp_path / "token"
    path.write_text("secret")
    acl.protect(path, owner=True)
    assert not open_to_others(path)
    assert path.read_text() == "secret"


def test_owner(tmp_path: Path) -> None:
    """What this process makes is its own."""
    assert acl.is_ours(tmp_path)


def test_missing(tmp_path: Path) -> None:
    """A missing file is an OSError of its kind, with its name."""
    with pytest.raises(FileNotFoundError) as caught:
        acl.protect(tmp_path / "missing")
    assert caught.value.filename == str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        acl.describe(tmp_path / "missing")
