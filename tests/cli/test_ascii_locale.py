"""In a locale that has ASCII alone, paths and names beyond it work as elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import wintun_api
from tests.cli.commands import Program, environment, run

ASCII = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
pytestmark = [
    # Without Python's UTF-8 mode, Windows and macOS have UTF-8 in names of files all the same.
    pytest.mark.skipif(sys.platform != "linux", reason="needs an ASCII locale"),
    # There, Python finds no module that lies below a directory whose name is not ASCII.
    pytest.mark.skipif(
        not f"{sys.executable}{wintun_api.__file__}".isascii(),
        reason="needs a clone in a directory with an ASCII name",
    ),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory to work in, and to be the user's home, whose name is not ASCII."""
    place = tmp_path / "Büro 網路"
    place.mkdir()
    return place


@pytest.fixture
def config(place: Path) -> Path:
    """A settings file with paths that are not ASCII."""
    config = place / "dienst-ä.toml"
    config.write_text(
        f'driver = "emulated"\nport = 0\ndata_dir = "{place}/daten-ü"\n'
        f'emulated_state = "{place}/zustand-ß"\n',
        "utf-8",
    )
    return config


def settings(place: Path) -> dict[str, str]:
    # An empty variable unsets the one that the tests' commands get.
    return {**ASCII, "HOME": str(place), "TMPDIR": str(place), "WINTUN_API_DATA_DIR": ""}


def with_data(place: Path) -> dict[str, str]:
    return {**settings(place), "WINTUN_API_DATA_DIR": f"{place}/daten-ü"}


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., Program]]:
    """Start a command that is gone after the test."""
    started: list[Program] = []

    def begin(*arguments: str, **env: str) -> Program:
        started.append(Program(place, *arguments, **env))
        return started[-1]

    yield begin
    for program in started:
        program.close()


def test_serve(start: Callable[..., Program], place: Path, config: Path) -> None:
    """A service keeps its files at such paths, and clients send names as they are."""
    program = start("serve", "--config", str(config), **settings(place))
    env = {**with_data(place), "WINTUN_API_URL": program.wait_for_url()}
    made = run(place, "adapters", "create", "Büro-Netz", "--json", **env)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["name"] == "Büro-Netz"
    status = run(place, "status", **env)
    assert status.returncode == 0, status.stderr
    assert f"{place}/daten-ü" in status.stdout
    assert program.end()[0] == 0
    assert (place / "zustand-ß").is_file()
    assert "Traceback" not in program.stderr


def test_demo(start: Callable[..., Program], place: Path) -> None:
    """The demo starts there, and ends in order."""
    program = start("demo", "--port", "0", **with_data(place))
    program.wait_for("Ctrl-C ends the demo")
    assert program.end()[0] == 0
    assert "Traceback" not in program.stderr


def test_the_path_of_the_token(place: Path) -> None:
    """The path is written as it is, so that a script can open it."""
    done = run(place, "tokens", "path", **with_data(place))
    assert (done.returncode, done.stdout) == (0, f"{place}/daten-ü/token\n")


def test_doctor(place: Path, config: Path) -> None:
    """The doctor looks at the paths of a settings file."""
    done = run(place, "doctor", "--config", str(config), **settings(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{place}/daten-ü" in done.stdout
    assert "Traceback" not in done.stderr


def test_python_is_not_started_for_ever(place: Path) -> None:
    """With UTF-8 mode switched off on Python's own command line, that is respected."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "wintun_api", "version"],
        env=environment(place, **ASCII),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_path_that_cannot_be_named(place: Path) -> None:
    """A path with letters that the locale does not have is a sentence."""
    config = place / "dienst.toml"
    config.write_text('data_dir = "/srv/daten-\u00fc"\n', "utf-8")
    program = [sys.executable, "-X", "utf8=0", "-m", "wintun_api"]
    done = subprocess.run(
        [*program, "serve", "--config", os.fspath(config)],
        env=environment(place, **settings(place)),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert b"dienst.toml: has letters that the locale's encoding, ascii, does not" in done.stderr
    assert b"LC_ALL=C.UTF-8" in done.stderr
