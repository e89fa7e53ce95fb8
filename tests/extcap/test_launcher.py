"""The file that Wireshark runs: what it starts, and whose files are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extcap.wireshark import PATIENCE, variables
from tests.running import TOKEN, RunningService
from wintun_api.extcap import launcher
from wintun_api.extcap.launcher import ForeignFile, at, install, remove, text_of


def test_install_and_remove(tmp_path: Path) -> None:
    """Both can be repeated, and the folder is made."""
    folder = tmp_path / "some/extcap"
    assert at(folder).state == "missing"
    for _ in range(2):
        made = install(folder)
        assert (made.state, made.program) == ("installed", Path(os.path.abspath(sys.executable)))  # noqa: PTH100
        assert os.access(made.path, os.X_OK)
    assert [remove(folder).state for _ in range(2)] == ["installed", "missing"]
    assert list(folder.iterdir()) == []


def test_it_runs_elsewhere(service: RunningService, tmp_path: Path) -> None:
    """It starts this package from any folder, and with arguments of its own before the others."""
    token = tmp_path / "$(false)' \"x"
    token.write_text(TOKEN)
    arguments = ["--url", service.url, "--token-file", str(token)]
    made = install(tmp_path / "with blank and 'quote'", arguments)
    done = subprocess.run(
        [made.path, "--extcap-interfaces"],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "wintun-api:all" in done.stdout
    assert done.stderr == ""


def test_modules_beside_it(tmp_path: Path) -> None:
    """Nothing is imported from the folder in which Wireshark runs it."""
    made = install(tmp_path)
    (tmp_path / "argparse.py").write_text("raise SystemExit('imported')")
    done = subprocess.run(
        [made.path, "--extcap-dlts"],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.startswith("dlt ")


@pytest.mark.parametrize("change", [install, remove])
def test_another_program(tmp_path: Path, change: object) -> None:
    """Another program's file is neither overwritten nor removed."""
    path = tmp_path / launcher.NAME
    path.write_text("#!/bin/sh\n")
    assert at(tmp_path).state == "foreign"
    with pytest.raises(ForeignFile, match=launcher.NAME):
        install(tmp_path) if change is install else remove(tmp_path)
    assert path.read_text() == "#!/bin/sh\n"


def test_a_python_that_is_gone(tmp_path: Path) -> None:
    """A launcher whose Python is not there is told as broken, and installed again."""
    (tmp_path / launcher.NAME).write_text(text_of([], "/gone/python"))
    assert (at(tmp_path).state, at(tmp_path).program) == ("broken", Path("/gone/python"))
    assert install(tmp_path).state == "installed"


@pytest.mark.parametrize("last", ["", "exec", "exec '/opt/a folder/pyth"])
def test_a_launcher_that_was_cut(tmp_path: Path, last: str) -> None:
    """A file of which only a part is left is broken, not an error, and installed again."""
    (tmp_path / launcher.NAME).write_text(f"# {launcher.MARK}\n{last}")
    assert at(tmp_path).state == "broken"
    assert install(tmp_path).state == "installed"


def test_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch file names the program by its path, keeps per cent signs and takes UTF-8."""
    monkeypatch.setattr(launcher, "WINDOWS", True)
    monkeypatch.setattr(launcher, "NAME", "wintun-api.bat")
    program = r"C:\Program Files\100% Python\python.exe"
    lines = text_of(["--last", "9"], program).split("\r\n")
    assert lines == [
        "@echo off",
        f"rem {launcher.MARK}",
        "chcp 65001 >nul",
        r'"C:\Program Files\100%% Python\python.exe" "-P" "-m" "wintun_api.extcap" "--last" "9" %*',
        "",
    ]
    (tmp_path / launcher.NAME).write_text(text_of([], program))
    assert at(tmp_path).program == Path(program)
