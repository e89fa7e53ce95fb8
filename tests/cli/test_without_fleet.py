"""The commands of many hosts where their packages are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import environment

WITHOUT = """
import sys

sys.modules["nats"] = sys.modules["nkeys"] = None
sys.argv[0] = "wintun-api"
from wintun_api.__main__ import main

main()
"""


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("join lab --adapter A", "fleet"),
        ("hosts", "fleet"),
        ("capture --network lab", "fleet"),
        ("--host desk status", "fleet"),
        ("bus", "fleet-server"),
        ("join keys --network lab", "fleet-server"),
    ],
)
def test_what_to_install_is_said(tmp_path: Path, command: str, extra: str) -> None:
    """Each says it at once, before it looks for a service or a bus."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *command.split()],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"Install it with: pip install '.[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
