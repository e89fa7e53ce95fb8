"""The command line as a whole: help, version, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.cli.commands import invoke, run
from wintun_api import __version__
from wintun_api.cli import app
from wintun_api.settings import Settings

COMMANDS = {
    (): {"serve", "demo", "doctor", "adapters", "sessions", "captures", "inject", "tokens"},
    ("adapters",): {
        "list",
        "create",
        "open",
        "show",
        "rename",
        "set",
        "restore",
        "release",
        "delete",
    },
    ("sessions",): {"list", "start", "show", "end"},
    ("captures",): {"list", "start", "show", "stop", "trigger", "delete", "download"},
    ("tokens",): {"list", "create", "revoke", "path"},
    ("clients",): {"list", "disconnect"},
}
LEAVES = [
    (*group, name)
    for group, names in COMMANDS.items()
    for name in sorted(names)
    if (*group, name) not in COMMANDS
]


def test_version(tmp_path: Path) -> None:
    """--version prints the package's version."""
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, f"wintun-api {__version__}\n")


@pytest.mark.parametrize("group", COMMANDS, ids=" ".join)
def test_help_names_the_commands(group: tuple[str, ...]) -> None:
    """The help of a group names its commands."""
    help_text = invoke(*group, "--help").stdout
    assert all(f" {name} " in help_text for name in COMMANDS[group])


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_help(command: tuple[str, ...]) -> None:
    """Every command has a help page that says what it does."""
    result = invoke(*command, "-h")
    assert result.exit_code == 0
    assert f"wintun-api {' '.join(command)}" in result.stdout


def test_no_command() -> None:
    """Without a command the help is shown."""
    assert "Usage" in invoke().output


def test_unknown_command() -> None:
    """An unknown command is wrong usage."""
    assert invoke("server").exit_code == 2


def test_serve_has_every_setting() -> None:
    """Every field of the settings is a flag of serve, and serve has no others."""
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    flags = {flag for one in command.commands["serve"].params for flag in one.opts}
    wanted = {one.flag for one in Settings.declared().values()}
    assert flags == wanted | {"--config"}


def test_help_imports_little() -> None:
    """Help and completion need neither the server nor the client nor the settings."""
    code = "import sys, wintun_api.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"uvicorn", "fastapi", "httpx", "rich", "pydantic", "asyncio"} & set(loaded)


def test_module_and_script_are_one(tmp_path: Path) -> None:
    """The installed script runs the same command line."""
    script = Path(sys.executable).with_name("wintun-api")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run(tmp_path, "--version").stdout
