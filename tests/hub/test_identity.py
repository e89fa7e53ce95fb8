"""The GUIDs of adapters that were created without one."""

from __future__ import annotations

from pathlib import Path
from uuid import RFC_4122, UUID

import pytest

from wintun_api.api.tokens import write_private
from wintun_api.files import UntrustedFile
from wintun_api.hub.identity import StableGuids, load_salt

SALT = bytes(range(32))


def test_known_value() -> None:
    """The GUID of a salt, pool and name never changes: profiles of Windows hang on it."""
    guid = StableGuids(SALT).guid("WireGuard", "OfficeNet")
    assert guid == UUID("83d1b43e-f6c1-86ad-aa6e-7fd105173d46")
    assert (guid.version, guid.variant) == (8, RFC_4122)


def test_what_it_is_made_of() -> None:
    """Salt, pool and name make the GUID; the name's case and a border between them do not."""
    guids = StableGuids(SALT)
    one = guids.guid("Pool", "Name")
    assert guids.guid("Pool", "NAME") == one
    assert guids.guid("pool", "Name") != one
    assert guids.guid("PoolN", "ame") != one
    assert StableGuids(SALT[::-1]).guid("Pool", "Name") != one


def test_without_salt() -> None:
    """Without a salt GUIDs last as long as the object, and another one has others."""
    guids = StableGuids(None)
    assert guids.guid("Pool", "Name") == guids.guid("Pool", "Name")
    assert guids.guid("Pool", "Name") != StableGuids(None).guid("Pool", "Name")


def test_salt_file(tmp_path: Path) -> None:
    """The salt is made once and then read."""
    path = tmp_path / "data" / "salt"
    salt = load_salt(path, write_private)
    assert len(salt) == 32
    assert load_salt(path, write_private) == salt
    assert load_salt(tmp_path / "other", write_private) != salt


@pytest.mark.parametrize("content", [b"", b"no digits", b"\xff\xfe", b"00" * 15])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no salt is refused with a sentence and left alone: it is not replaced."""
    path = tmp_path / "salt"
    path.write_bytes(content)
    with pytest.raises(UntrustedFile, match="is broken") as refused:
        load_salt(path, write_private)
    assert refused.value.hint
    assert path.read_bytes() == content
