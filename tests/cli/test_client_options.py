"""The options of the commands that talk to a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService
from wintun_api.cli import app
from wintun_api.cli.client_options import PANEL
from wintun_api.variables import DEFAULT_URL

OPTIONS = {"url": "--url", "token": "--token", "token_file": "--token-file", "as_json": "--json"}


def commands(command: Any = None, *words: str) -> Iterator[tuple[str, Any]]:
    """Every command that takes the address of a service."""
    command = command or get_command(app)
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, *words, name)
    if words[:1] == ("extcap",):
        return  # what it installs is written into a launcher
    if any("--url" in option.opts for option in command.params):
        yield " ".join(words), command


COMMANDS = dict(commands())


def test_client_commands() -> None:
    """The commands that talk to a service are known, their second names too."""
    groups = {name.split()[0] for name in COMMANDS}
    assert groups == {
        *("adapters", "sessions", "tokens", "token", "capture", "impair", "inject", "events"),
        *("captures", "recorder", "clients", "health", "status", "version", "join"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_options_everywhere(name: str) -> None:
    """Each of them takes the same options with the same defaults, and says the same of them."""
    found = {one.name: one for one in COMMANDS[name].params}
    assert {key: found[key].opts[0] for key in OPTIONS} == OPTIONS
    assert [found[key].default for key in OPTIONS] == [DEFAULT_URL, None, None, False]
    status = {one.name: one for one in COMMANDS["status"].params}
    for key in ("url", "token", "token_file"):
        assert found[key].help == status[key].help


def test_options_stand_where_users_write_them(service: RunningService) -> None:
    """They are accepted before and behind what is the command's own."""
    where = ["--url", service.url, "--token", TOKEN]
    made = invoke("adapters", "create", *where, "Placed", "--mtu", "1400", "--json")
    assert made.exit_code == 0, made.stderr
    shown = invoke("adapters", "show", "Placed", *where)
    assert "1400" in shown.stdout


def test_which_commands_reach_other_hosts() -> None:
    """Those that send requests only; the others read this machine, or what does not end."""
    without = {
        name
        for name, command in COMMANDS.items()
        if PANEL not in [getattr(option, "rich_help_panel", None) for option in command.params]
    }
    assert without == {"capture", "events", "health", "version", "join NETWORK"}
