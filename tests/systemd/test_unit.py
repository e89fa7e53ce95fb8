"""The units, read by systemd's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.needs import need
from wintun_api.cli.unit import AGENT, SERVICE, unit

pytestmark = pytest.mark.heavy

# systemd-analyze security, 0 to 10: under 2 is its second best word. What is left of the service is
# the device, the capability, the network and its address families: what adapters are made of. What
# is left of the agent is the network.
EXPOSURES = {SERVICE: 1.6, AGENT: 1.1}


@pytest.fixture(params=EXPOSURES)
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The unit of a program that is there."""
    need("systemd-analyze")
    path = tmp_path / str(request.param)
    path.write_text(unit([str(shutil.which("true"))], path.name))
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
    assert analyze("verify", file.with_name(file.name.replace("@", "@lab"))) == ""


def test_exposure(file: Path) -> None:
    """The score is what it was."""
    report = analyze("security", "--offline=true", "--no-pager", file)
    found = re.search(r"Overall exposure level for .*\.service: ([\d.]+)", report)
    assert found, report
    print(f"Exposure of {file.name}: {found[1]}")
    assert float(found[1]) <= EXPOSURES[file.name], report
