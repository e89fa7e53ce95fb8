"""The memory of pools."""

from __future__ import annotations

from pathlib import Path

import pytest

from wintun_api.hub.pools import KnownPools


def test_pools_survive_a_restart(tmp_path: Path) -> None:
    """What was added is there the next time, beside what the settings name."""
    path = tmp_path / "data" / "pools.json"
    pools = KnownPools(path, ["Given"])
    pools.add("Büro")
    pools.add("Büro")
    assert KnownPools(path).names == ["Büro", "Given"]


@pytest.mark.parametrize("content", ["", "{", "7", "[[]"])
def test_a_broken_file_is_no_end(tmp_path: Path, content: str) -> None:
    """A file that cannot be read costs its memory, not the service."""
    path = tmp_path / "pools.json"
    path.write_text(content)
    pools = KnownPools(path)
    pools.add("New")
    assert KnownPools(path).names == ["New"]
