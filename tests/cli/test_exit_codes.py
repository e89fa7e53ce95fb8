"""Exit codes by kind, and errors as problem documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from typer.main import get_command
from typer.testing import Result

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService
from wintun_api.choices import Scope
from wintun_api.cli import app, exit_codes
from wintun_api.cli.exit_codes import ExitCode

Cli = Callable[..., Result]
GUID = "deadbabe-cafe-beef-0123-456789abcdef"
HEX = ("--hex", "4500")


@pytest.fixture
def cli(service: RunningService) -> Cli:
    """Run a command against a service with an adapter that has a session, and one without."""
    service.session(service.adapter(name="OfficeNet"))
    service.adapter(name="HomeNet")

    def run_command(*arguments: str, **env: str) -> Result:
        variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **env}
        return invoke(*arguments, **variables)

    return run_command


CLIENT_COMMANDS = [
    ("adapters", "list"),
    ("adapters", "create", "X"),
    ("adapters", "open", "X"),
    ("adapters", "show", "OfficeNet"),
    ("adapters", "rename", "OfficeNet", "X"),
    ("adapters", "set", "OfficeNet", "--mtu", "1400"),
    ("adapters", "restore", "OfficeNet"),
    ("adapters", "release", "OfficeNet"),
    ("adapters", "delete", "OfficeNet"),
    ("sessions", "list"),
    ("sessions", "start", "HomeNet"),
    ("sessions", "show", "OfficeNet"),
    ("sessions", "end", "OfficeNet"),
    ("tokens", "list"),
    ("tokens", "create", "read"),
    ("tokens", "revoke", "x"),
    ("capture", "OfficeNet", "--count", "1"),
    ("captures", "list"),
    ("captures", "start"),
    ("captures", "show", "x"),
    ("captures", "stop", "x"),
    ("captures", "trigger", "x"),
    ("captures", "delete", "x"),
    ("captures", "download", "x"),
    ("impair", "OfficeNet"),
    ("impair", "OfficeNet", "--delay", "1ms"),
    ("recorder", "OfficeNet"),
    ("recorder", "OfficeNet", "on"),
    ("inject", "OfficeNet", *HEX),
    ("events",),
    ("status",),
]


@pytest.mark.parametrize("command", CLIENT_COMMANDS, ids=" ".join)
def test_every_command_tells_a_missing_service(command: tuple[str, ...]) -> None:
    """Where nothing listens, every client command exits with 3, also as a problem document."""
    where = {"WINTUN_API_URL": "http://127.0.0.1:1", "WINTUN_API_TOKEN": TOKEN}
    assert invoke(*command, **where).exit_code == 3
    result = invoke(*command, "--json", **where)
    problem = json.loads(result.stderr)
    assert (result.exit_code, result.stdout, problem["exit_code"]) == (3, "", 3)
    assert problem["type"] == "urn:wintun-api:command:not-reachable"
    assert problem["detail"] == "Nothing answers at http://127.0.0.1:1."
    assert "wintun-api serve" in problem["hint"]


@pytest.mark.parametrize("command", CLIENT_COMMANDS, ids=" ".join)
def test_every_command_tells_a_wrong_token(cli: Cli, command: tuple[str, ...]) -> None:
    """A token that the service does not know makes every client command exit with 4."""
    result = cli(*command, "--json", WINTUN_API_TOKEN="wrong")
    assert (result.exit_code, result.stdout) == (4, "")
    problem = json.loads(result.stderr)
    assert problem["type"] == "urn:wintun-api:problem:unauthorized"
    assert problem["status"] == 401


@pytest.mark.parametrize(
    "command",
    [
        ("adapters", "show", "Nowhere"),
        ("adapters", "show", GUID),
        ("adapters", "delete", "OfficeNet", "Nowhere"),
        ("adapters", "open", "Nowhere"),
        ("sessions", "start", "Nowhere"),
        ("sessions", "show", "Nowhere"),
        ("sessions", "end", "Nowhere"),
        ("capture", "Nowhere"),
        ("inject", "Nowhere", *HEX),
        ("tokens", "revoke", "Nowhere"),
        ("captures", "start", "--adapter", "Nowhere"),
        ("captures", "show", "Nowhere"),
        ("captures", "stop", "Nowhere"),
        ("captures", "trigger", "Nowhere"),
        ("captures", "delete", "Nowhere"),
        ("captures", "download", "Nowhere"),
    ],
    ids=" ".join,
)
def test_what_does_not_exist(cli: Cli, command: tuple[str, ...]) -> None:
    """An adapter, session or token that does not exist is exit code 5; nothing is changed."""
    assert cli(*command).exit_code == 5
    result = cli(*command, "--json")
    assert (result.exit_code, json.loads(result.stderr)["exit_code"]) == (5, 5)
    assert len(json.loads(cli("adapters", "list", "--json").stdout)) == 2


@pytest.mark.parametrize(
    "command", [("adapters", "create", "OfficeNet"), ("sessions", "start", "OfficeNet")]
)
def test_what_is_in_the_way(cli: Cli, command: tuple[str, ...]) -> None:
    """A second adapter of the same name and pool, or a second session, is exit code 6."""
    result = cli(*command, "--json")
    problem = json.loads(result.stderr)
    assert (result.exit_code, problem["status"], problem["exit_code"]) == (6, 409, 6)


def test_a_token_that_allows_less(service: RunningService, cli: Cli) -> None:
    """A missing scope is exit code 4, with how to get a token that has it."""
    result = cli("adapters", "create", "X", WINTUN_API_TOKEN=service.token(Scope.READ))
    assert result.exit_code == 4
    assert "wintun-api tokens create" in result.stderr.splitlines()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("server",),
        ("--bogus",),
        ("adapters", "create"),
        ("adapters", "set", "OfficeNet"),
        ("adapters", "list", "-q"),
        ("sessions", "start", "OfficeNet", "--capacity", "4M"),
        ("adapters", "list", "--url", "localhost"),
        ("serve", "--port", "x"),
    ],
    ids=" ".join,
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    """Wrong usage is exit code 2, and with --json a problem document too."""
    result = cli(*arguments, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    problem = json.loads(result.stderr)
    assert problem["type"] == "urn:wintun-api:command:usage"
    assert problem["detail"]


def test_json_behind_two_dashes_is_a_name(cli: Cli) -> None:
    """Behind -- it is an argument, and errors stay sentences."""
    assert cli("adapters", "show", "--", "--json").stderr.startswith("No adapter has the name")


def test_every_code_is_described() -> None:
    """The help names every exit code."""
    assert {int(number) for number in re.findall(r"\d+", exit_codes.SHORT)} == set(ExitCode)
    help_text = " ".join(invoke("--help").stdout.split())
    assert exit_codes.SHORT in help_text


def test_every_client_command_takes_json() -> None:
    """--json is an option of every command except those that only serve."""
    without = []

    def walk(command: object, name: str) -> None:
        for child, one in getattr(command, "commands", {}).items():
            walk(one, f"{name} {child}".strip())
        if not hasattr(command, "commands"):
            flags = {flag for parameter in command.params for flag in parameter.opts}  # type: ignore[attr-defined]
            if "--json" not in flags:
                without.append(name)

    walk(get_command(app), "")
    assert set(without) == {"serve", "demo", "service unit", "service run", "help"}
