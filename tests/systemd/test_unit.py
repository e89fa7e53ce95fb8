"""The unit, read by systemd's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.needs import need
from wintun_api.cli.unit import unit

pytestmark = pytest.mark.heavy

# systemd-analyze security, 0 to 10: under 2 is its second best word. What is left is the device,
# the capability, the network and its address families: what adapters are made of.
EXPOSURE = 1.6


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The unit of a program that is there."""
    need("systemd-analyze")
    path = tmp_path / "wintun-api.service"
    path.write_text(unit([str(shutil.which("true"))]))
    return path


def analyze(*arguments: object) -> str:
    """Run systemd-analyze and return what it prints."""
    done = subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_verify(file: Path) -> None:
    """Every key and value is known to systemd, which has nothing to say."""
    assert analyze("verify", file) == ""


def test_exposure(file: Path) -> None:
    """The score is what it was."""
    report = analyze("security", "--offline=true", "--no-pager", file)
    found = re.search(r"Overall exposure level for wintun-api\.service: ([\d.]+)", report)
    assert found, report
    print(f"Exposure: {found[1]}")
    assert float(found[1]) <= EXPOSURE, report
