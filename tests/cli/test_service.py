"""`wintun-api service` where no Windows is.

tests.windows.test_service has what Wine can show, tests.systemd what systemd makes of the unit.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from wintun_api.cli.service import command_line
from wintun_api.cli.setting_options import Flags
from wintun_api.cli.unit import hidden_paths, quoted

elsewhere = pytest.mark.skipif(sys.platform == "win32", reason="for systems that are not Windows")


@elsewhere
@pytest.mark.parametrize("command", ["install", "start", "stop", "status", "remove", "run"])
def test_elsewhere(command: str) -> None:
    """Off Windows every command is a sentence and exit code 2."""
    result = invoke("service", command)
    assert result.exit_code == 2
    assert "wintun-api service unit" in result.stderr


def test_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program is quoted whatever it is called, and so is what has spaces."""
    monkeypatch.setattr(sys, "executable", r"C:\Python\python.exe")
    data = tmp_path / "some data"
    line = command_line(Flags(None, {"port": 1, "data_dir": data, "allow_unverified_dll": True}))
    program, _, rest = line.partition('" ')
    assert program == r'"C:\Python\python.exe'
    words = ["-I", "-B", "-m", "wintun_api", "service", "run", "--port", "1"]
    words += ["--data-dir", str(data), "--allow-unverified-dll"]
    assert rest == subprocess.list2cmdline(words)


def test_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of one file is started as it is."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_line(Flags()).endswith('" service run')


@elsewhere
def test_unit() -> None:
    """The unit runs this installation, by an absolute path."""
    result = invoke("service", "unit")
    assert result.exit_code == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("ExecStart=")]
    program = line.removeprefix("ExecStart=").removesuffix(" serve")
    assert Path(shlex.split(program)[0]).is_file()
    assert f"#   {program} service unit > /etc/systemd/system/" in result.stdout


@elsewhere
def test_unit_of_an_agent() -> None:
    """It joins the network that it is an instance of, with what root has put beside it."""
    result = invoke("service", "unit", "--join", "--executable", "/opt/wintun-api")
    assert "\nExecStart=/opt/wintun-api join %i --adapter ${ADAPTER} " in result.stdout
    assert "service unit --join > /etc/systemd/system/wintun-api-join@.service" in result.stdout


@elsewhere
def test_unit_of_another_executable() -> None:
    """It can be printed for an installation that is elsewhere."""
    result = invoke("service", "unit", "--executable", "/opt/wintun-api/bin/wintun-api")
    assert "\nExecStart=/opt/wintun-api/bin/wintun-api serve\n" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("/opt/wintun-api/bin/wintun-api", "/opt/wintun-api/bin/wintun-api"),
        ("/opt/with space/api", '"/opt/with space/api"'),
        ("/opt/100%/$HOME", "/opt/100%%/$$HOME"),
        ('/opt/"', r'"/opt/\""'),
    ],
)
def test_quoted(word: str, line: str) -> None:
    """Words reach the program as they are, whatever systemd would read into them."""
    assert quoted(word) == line


@elsewhere
def test_hidden_paths() -> None:
    """A program in a home directory is one that the service could not see."""
    assert Path("/home/ada/bin/wintun-api") in hidden_paths(["/home/ada/bin/wintun-api"])
    assert Path("/opt/bin/wintun-api") not in hidden_paths(["/opt/bin/wintun-api"])
