"""The extension uses the stable ABI of CPython 3.11 alone: `abi3audit` of the wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import need
from tests.release.building import uv

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform == "win32", reason="runs programs of Linux"),
]


def test_stable_abi(tmp_path: Path) -> None:
    """Nothing of the wheel's extension is outside of what its name promises."""
    need("uv", "gcc", "abi3audit")
    uv("build", "--quiet", "--wheel", "--out-dir", tmp_path)
    (wheel,) = tmp_path.glob("*-cp311-abi3-*.whl")
    done = subprocess.run(
        ["abi3audit", "--strict", "--report", wheel], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"is_abi3": true' in done.stdout
    assert '"is_abi3_baseline_compatible": true' in done.stdout
