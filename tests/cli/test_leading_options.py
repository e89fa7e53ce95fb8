"""Options that may stand before the command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.commands import invoke
from wintun_api.cli import app
from wintun_api.cli.client_options import PANEL
from wintun_api.cli.leading_options import OTHERS, behind_the_command


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("--host hub adapters list", "adapters list --host hub"),
        ("--host=hub status --json", "status --json --host=hub"),
        ("--network lab --host hub --key f status", "status --network lab --host hub --key f"),
        ("--host hub inject A -- -x", "inject A --host hub -- -x"),
        ("adapters --host hub list", "adapters --host hub list"),
        ("--version --host hub", "--version --host hub"),
        ("--host hub", "--host hub"),
        ("--host", "--host"),
        ("", ""),
    ],
)
def test_what_is_meant(written: str, meant: str) -> None:
    """Only what stands before the command is moved, with its values and in its order."""
    assert behind_the_command(written.split()) == meant.split()


def test_a_command_that_is_for_this_machine_only() -> None:
    """It refuses the option as it does behind its name."""
    for arguments in (("--host", "hub", "guide"), ("guide", "--host", "hub")):
        refused = invoke(*arguments)
        assert (refused.exit_code, "--host" in refused.stderr) == (2, True)


@pytest.mark.parametrize("rest", [(), ("doctor",), ("version",)])
def test_what_the_option_is_for(rest: tuple[str, ...]) -> None:
    """A command that does not take it says which do; so does the option without a command."""
    refused = invoke("--host", "hub", *rest)
    assert "asks the service" in refused.stderr


def with_another_host(command: Any, *words: str) -> Iterator[str]:
    """Yield the first words of the commands whose --host is not that of a network."""
    for name, one in getattr(command, "commands", {}).items():
        yield from with_another_host(one, *words, name)
    hosts = [one for one in command.params if "--host" in one.opts]
    if hosts and getattr(hosts[0], "rich_help_panel", None) != PANEL:
        yield words[0]


def test_an_address_to_listen_at_stands_behind_its_command() -> None:
    """Before a command --host is a host of a network, and so it is refused for these."""
    found = set(with_another_host(get_command(app))) - {"capture"}  # of a network too
    assert found <= OTHERS
    for name in found:
        assert behind_the_command(["--host", "hub", name]) == ["--host", "hub", name]
    refused = invoke("--host", "hub", "serve")
    assert (refused.exit_code, "--host" in refused.stderr) == (2, True)
