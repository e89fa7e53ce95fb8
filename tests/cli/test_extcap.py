"""`wintun-api extcap`: install, remove and show the launcher; Wireshark's own arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.cli.commands import invoke, run
from tests.running import TOKEN, RunningService
from wintun_api.choices import Scope
from wintun_api.extcap import launcher


def variables(service: RunningService) -> dict[str, str]:
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


@tshark.needs_tshark
def test_where_wireshark_looks(service: RunningService, tmp_path: Path) -> None:
    """Without a folder the launcher is where the installed Wireshark looks, in the user's home."""
    home = {"HOME": str(tmp_path), **variables(service)}
    before = run(tmp_path, "extcap", "status", **home)
    assert before.returncode == 5
    assert "Install it with: wintun-api extcap install" in before.stderr
    done = run(tmp_path, "extcap", "install", "--json", **home)
    assert done.returncode == 0, done.stderr
    path = Path(json.loads(done.stdout)["path"])
    assert path.is_relative_to(tmp_path)
    status = run(tmp_path, "extcap", "status", **home)
    assert (status.returncode, status.stderr) == (0, "")
    lines = status.stdout.splitlines()
    assert lines[0] == f"user: installed, {path}"
    assert lines[1].startswith("system: ")
    assert lines[2:] == ["interface: wintun-api:all"]
    assert run(tmp_path, "extcap", "remove", **home).returncode == 0
    assert not path.exists()


@pytest.mark.thorough
@tshark.needs_tshark
def test_system(tmp_path: Path) -> None:
    """--system is the folder that Wireshark names for all users."""
    fake = tmp_path / "tshark"
    folder = tmp_path / "all users"
    fake.write_text(f"#!/bin/sh\necho 'Extcap path:\t{folder}'\n")
    fake.chmod(0o755)
    done = run(tmp_path, "extcap", "install", "--system", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert launcher.at(folder).state == "installed"


def test_no_wireshark(tmp_path: Path) -> None:
    """Without a Wireshark the folder of all users is not known, and the hint says what to give."""
    result = invoke("extcap", "install", "--system", PATH=str(tmp_path))
    assert result.exit_code == 5
    assert "--dir" in result.stderr


def test_a_folder(service: RunningService, tmp_path: Path) -> None:
    """--dir is any folder; --url and --token-file are what Wireshark will use."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    given = ("--dir", str(tmp_path / "extcap"))
    options = ("--url", service.url, "--token-file", str(token))
    assert invoke("extcap", "install", *given, *options).exit_code == 0
    service.adapter(name="OfficeNet")
    shown = json.loads(invoke("extcap", "status", "--json", *given).stdout)
    assert shown["interfaces"] == ["wintun-api:all", "wintun-api:OfficeNet"]
    assert shown["problem"] is None
    assert [one["state"] for one in shown["launchers"]] == ["installed"]
    assert invoke("extcap", "remove", *given).stdout.startswith("Removed: ")
    assert invoke("extcap", "remove", *given).stdout.startswith("Nothing was there: ")


def test_a_problem_in_status(tmp_path: Path) -> None:
    """Status says why Wireshark lists no adapters, which Wireshark does not show."""
    given = ("--dir", str(tmp_path))
    assert invoke("extcap", "install", *given, "--url", "http://127.0.0.1:1").exit_code == 0
    result = invoke("extcap", "status", *given, WINTUN_API_TOKEN="x")
    assert (result.exit_code, "interface: wintun-api:all" in result.stdout) == (1, True)
    assert "Nothing answers at http://127.0.0.1:1" in result.stderr


def test_a_token_that_only_reads(service: RunningService, tmp_path: Path) -> None:
    """Status fails also where the interfaces are listed but cannot be captured from."""
    token = tmp_path / "token"
    token.write_text(service.token(Scope.READ))
    given = ("--dir", str(tmp_path / "extcap"))
    options = ("--url", service.url, "--token-file", str(token))
    assert invoke("extcap", "install", *given, *options).exit_code == 0
    service.adapter(name="OfficeNet")
    result = invoke("extcap", "status", *given)
    assert (result.exit_code, "interface: wintun-api:OfficeNet" in result.stdout) == (1, True)
    assert "The token allows to read, but not to capture." in result.stderr


def test_a_wrong_address(tmp_path: Path) -> None:
    """An address that cannot be one of a service is refused before anything is written."""
    result = invoke("extcap", "install", "--dir", str(tmp_path), "--url", "nonsense")
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["install", "remove", "status"])
def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """It would be the one in which the command runs, which nobody means."""
    monkeypatch.chdir(tmp_path)
    result = invoke("extcap", command, "--dir", "")
    assert result.exit_code == 2
    assert "It is empty." in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, "", "two words", "'quoted'", b"\xff\xfe\xff"])
def test_a_wrong_token_file(tmp_path: Path, content: str | bytes | None) -> None:
    """A file that has no token is refused before anything is written."""
    token, folder = tmp_path / "token", tmp_path / "extcap"
    if content is not None:
        token.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = invoke("extcap", "install", "--dir", str(folder), "--token-file", str(token))
    assert (result.exit_code, folder.exists()) == (2, False)
    assert "--token-file" in result.stderr


def test_a_token_file_that_is_gone(service: RunningService, tmp_path: Path) -> None:
    """Status fails if the file was removed after the launcher was installed."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    given = ("--dir", str(tmp_path / "extcap"))
    options = ("--url", service.url, "--token-file", str(token))
    assert invoke("extcap", "install", *given, *options).exit_code == 0
    token.unlink()
    result = invoke("extcap", "status", *given)
    assert (result.exit_code, f"There is no token file {token}." in result.stderr) == (1, True)


@pytest.mark.parametrize("command", ["install", "remove"])
def test_another_program(tmp_path: Path, command: str) -> None:
    """Another program's file stays, and the command says so."""
    path = tmp_path / launcher.NAME
    path.write_text("other")
    result = invoke("extcap", command, "--dir", str(tmp_path))
    assert result.exit_code == 6
    assert "another program's file" in result.stderr
    assert path.read_text() == "other"


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A file in the place of the folder is a sentence."""
    path = tmp_path / "file"
    path.write_text("")
    for command in ("install", "remove", "status"):
        result = invoke("extcap", command, "--dir", str(path))
        assert result.exit_code == 1, command
        assert "Not a directory" in result.stderr


def test_both_folders(tmp_path: Path) -> None:
    """--system and --dir are two answers to one question."""
    assert invoke("extcap", "install", "--system", "--dir", str(tmp_path)).exit_code == 2


def test_wireshark_s_arguments(service: RunningService) -> None:
    """The command itself answers Wireshark, as a launcher that people write may call it."""
    result = invoke("extcap", "--extcap-interfaces", **variables(service))
    assert result.exit_code == 0
    assert "interface {value=wintun-api:all}" in result.stdout
    refused = invoke("extcap", "--extcap-interface", "x", "--capture", **variables(service))
    assert refused.exit_code == 2
