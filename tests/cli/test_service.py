"""`wintun-api service` where no Windows is; tests.windows.test_service has what Wine can show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from wintun_api.cli.service import command_line

elsewhere = pytest.mark.skipif(sys.platform == "win32", reason="for systems that are not Windows")


@elsewhere
@pytest.mark.parametrize("command", ["install", "start", "stop", "status", "remove", "run"])
def test_elsewhere(command: str) -> None:
    """Off Windows every command is a sentence and exit code 2."""
    result = invoke("service", command)
    assert result.exit_code == 2
    assert "wintun-api serve" in result.stderr


def test_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program is quoted whatever it is called, and so is what has spaces."""
    monkeypatch.setattr(sys, "executable", r"C:\Python\python.exe")
    data = tmp_path / "some data"
    line = command_line({"port": 1, "data_dir": data, "config": None, "allow_unverified_dll": True})
    program, _, rest = line.partition('" ')
    assert program == r'"C:\Python\python.exe'
    words = ["-I", "-B", "-m", "wintun_api", "service", "run", "--port", "1"]
    words += ["--data-dir", str(data), "--allow-unverified-dll"]
    assert rest == subprocess.list2cmdline(words)


def test_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of one file is started as it is."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_line({}).endswith('" service run')
