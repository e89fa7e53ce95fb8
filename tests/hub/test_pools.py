"""The memory of pools."""

from __future__ import annotations

import errno
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wintun_api.errors import StorageFailed
from wintun_api.files import UntrustedFile
from wintun_api.hub.pools import MAX_POOLS, KnownPools


def test_pools_survive_a_restart(tmp_path: Path) -> None:
    """What was added is there the next time, beside what the settings name."""
    path = tmp_path / "data" / "pools.json"
    pools = KnownPools(path, ["Given"])
    pools.add("Büro")
    pools.add("Büro")
    assert KnownPools(path).names == ["Büro", "Given"]


@pytest.mark.parametrize(
    "content", ["", "{", "7", "[[]", "[1]", '["a/b"]', '"text"', "{}", "[" * 100_000, '["\\ud800"]']
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    """A file that does not hold names of pools is refused with a sentence, and left alone."""
    path = tmp_path / "pools.json"
    path.write_text(content)
    with pytest.raises(UntrustedFile) as refused:
        KnownPools(path)
    assert str(path) in str(refused.value)
    assert "--pool" in refused.value.hint
    assert path.read_text() == content


class Disk:
    """A disk that may be full."""

    full = True

    def write(self, path: Path, text: str) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text(text)


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A pool that cannot be written is refused, unknown, and can be added later."""
    path, disk = tmp_path / "pools.json", Disk()
    path.write_text('["Old"]')
    pools = KnownPools(path, (), disk.write)
    with pytest.raises(StorageFailed, match=r"It was not made: .*No space left on device"):
        pools.add("Lost", "It was not made")
    assert pools.names == KnownPools(path).names == ["Old"]
    disk.full = False
    pools.add("Lost")
    assert KnownPools(path).names == ["Lost", "Old"]


def test_a_disk_that_hangs_holds_up_its_writer_alone(tmp_path: Path) -> None:
    """While a write stands still, the pools that are known can be listed."""
    begun, gate = threading.Event(), threading.Event()

    def write(_path: Path, _text: str) -> None:
        begun.set()
        gate.wait()

    pools = KnownPools(tmp_path / "pools.json", (), write)
    writer = threading.Thread(target=pools.add, args=("First",), daemon=True)
    writer.start()
    assert begun.wait(30)
    assert pools.names == []
    assert not pools.knows("First")
    gate.set()
    writer.join(30)
    assert pools.knows("First")


def test_given_pools_are_written_before_they_are_used(tmp_path: Path) -> None:
    """A pool that the settings name needs room on the disk like any other: flags may change."""
    pools = KnownPools(tmp_path / "pools.json", ["Given"], Disk().write)
    with pytest.raises(StorageFailed):
        pools.add("Given")
    assert pools.names == ["Given"]


def test_forgotten(tmp_path: Path) -> None:
    """A pool is forgotten durably or not at all; those of the settings are known all the same."""
    path, disk = tmp_path / "pools.json", Disk()
    disk.full = False
    pools = KnownPools(path, ["Given"], disk.write)
    for name in ("One", "Two", "Given"):
        pools.add(name)
    pools.forget("One")
    pools.forget("Given")
    assert pools.names == ["Given", "Two"]
    disk.full = True
    pools.forget("Two")
    assert pools.names == KnownPools(path).names == ["Given", "Two"]


def test_the_most_pools(tmp_path: Path) -> None:
    """One pool too many is refused with what to do; room is made by forgetting one."""
    path = tmp_path / "pools.json"
    path.write_text(json.dumps([f"Pool {number}" for number in range(MAX_POOLS)]))
    pools = KnownPools(path)
    with pytest.raises(StorageFailed, match="already knows 1024 pools") as refused:
        pools.add("New")
    assert "Delete a pool" in refused.value.hint
    pools.forget("Pool 7")
    pools.add("New")
    assert len(KnownPools(path).names) == MAX_POOLS


def test_pools_at_once(tmp_path: Path) -> None:
    """Of pools that are added by several threads at once none is lost."""
    pools = KnownPools(tmp_path / "pools.json")
    names = [f"Pool {number}" for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(pools.add, names))
    assert KnownPools(tmp_path / "pools.json").names == sorted(names)
