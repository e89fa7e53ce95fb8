"""The memory of pools."""

from __future__ import annotations

import errno
import threading
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


@pytest.mark.parametrize(
    "content", ["", "{", "7", "[[]", "[1]", '["a/b"]', '"text"', "{}", "[" * 100_000, '["\\ud800"]']
)
def test_a_broken_file_is_no_end(tmp_path: Path, content: str) -> None:
    """A file that cannot be read costs its memory, not the service."""
    path = tmp_path / "pools.json"
    path.write_text(content)
    pools = KnownPools(path)
    pools.add("New")
    assert KnownPools(path).names == ["New"]


def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a write fails the old file stays, and the next new pool writes all of them."""
    path, full = tmp_path / "pools.json", True

    def write(path: Path, text: str) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text(text)

    path.write_text('["Old"]')
    pools = KnownPools(path, (), write)
    pools.add("Lost")
    assert pools.names == ["Lost", "Old"]
    assert not pools.knows("Lost")
    assert KnownPools(path).names == ["Old"]
    assert "No space left on device" in caplog.text
    full = False
    pools.add("Lost")
    assert KnownPools(path).names == ["Lost", "Old"]


def test_a_disk_that_hangs_holds_up_its_writer_alone(tmp_path: Path) -> None:
    """While a write stands still, pools can be noted and listed."""
    begun, gate = threading.Event(), threading.Event()

    def write(_path: Path, _text: str) -> None:
        begun.set()
        gate.wait()

    pools = KnownPools(tmp_path / "pools.json", (), write)
    writer = threading.Thread(target=pools.add, args=("First",), daemon=True)
    writer.start()
    assert begun.wait(10)
    noted = threading.Thread(target=pools.note, args=("Second",), daemon=True)
    noted.start()
    noted.join(10)
    assert pools.names == ["First", "Second"]
    assert not pools.knows("Second")
    gate.set()
    writer.join(10)
    assert pools.knows("First")
