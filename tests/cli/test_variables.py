"""Environment variables whose names are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService

MISSPELT = {
    "WINTUN_API_PROT": "WINTUN_API_PORT",
    "WINTUN_API_TOKEN_FIEL": "WINTUN_API_TOKEN_FILE",
    "WINTUN_API_TOKENS": "WINTUN_API_TOKEN",
    "WINTUN_API_ALLOWED_HOST": "WINTUN_API_ALLOWED_HOSTS",
    "WINTUN_API_DATADIR": "WINTUN_API_DATA_DIR",
}


@pytest.mark.parametrize("name", MISSPELT)
@pytest.mark.parametrize("command", ["serve", "demo", "doctor", "health", "tokens path"])
def test_a_misspelt_variable_is_refused(command: str, name: str, tmp_path: Path) -> None:
    """Commands that read settings refuse it, with the name that was meant."""
    env = {name: "1", "WINTUN_API_DATA_DIR": str(tmp_path)}
    result = invoke(*command.split(), **env)
    assert result.exit_code == 2
    assert f"variable {name} is not known. Did you mean {MISSPELT[name]}?" in result.stderr


@pytest.mark.parametrize("command", ["adapters list", "status", "events"])
def test_client_commands_refuse_it_too(service: RunningService, command: str) -> None:
    """A client command refuses it as well, although the token and the address are given."""
    result = invoke(*command.split(), "--url", service.url, "--token", TOKEN, WINTUN_API_TOKKEN="x")
    assert result.exit_code == 2
    assert "Did you mean WINTUN_API_TOKEN?" in result.stderr


def test_an_empty_one_is_refused(service: RunningService) -> None:
    """The name shows what was meant, whatever the value is."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, "WINTUN_API_PROT": ""}
    assert invoke("adapters", "list", **variables).exit_code == 2


def test_several_are_named_together() -> None:
    """All of them are named, so that they can be corrected at once."""
    said = invoke("doctor", WINTUN_API_PROT="1", WINTUN_API_HOTS="x").stderr
    assert "WINTUN_API_PROT " in said
    assert "WINTUN_API_HOTS " in said


def test_as_json() -> None:
    """With --json it is a problem document."""
    problem = json.loads(invoke("doctor", "--json", WINTUN_API_PROT="1").stderr)
    assert problem["type"] == "urn:wintun-api:command:usage"
    assert problem["exit_code"] == 2


def test_variables_of_kubernetes_are_left_alone(service: RunningService) -> None:
    """What Kubernetes sets for a Service named wintun-api is not a slip of the user."""
    links = {
        "WINTUN_API_SERVICE_HOST": "10.0.0.1",
        "WINTUN_API_SERVICE_PORT": "9886",
        "WINTUN_API_SERVICE_PORT_HTTP": "9886",
        "WINTUN_API_PORT_9886_TCP": "tcp://10.0.0.1:9886",
        "WINTUN_API_PORT_9886_TCP_ADDR": "10.0.0.1",
    }
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **links}
    assert invoke("adapters", "list", **variables).exit_code == 0


def test_a_known_variable_without_a_value_is_not_set(tmp_path: Path) -> None:
    """An empty variable is as good as none, as with the token and the address."""
    config = tmp_path / "settings.toml"
    config.write_text(f"token_file = '{tmp_path / 'here'}'\n")
    env = {"WINTUN_API_PORT": "", "WINTUN_API_TOKEN_FILE": "", "WINTUN_API_DRIVER": ""}
    result = invoke("tokens", "path", "--config", str(config), **env)
    assert result.stdout == f"{tmp_path / 'here'}\n", result.output


def test_help_is_never_refused() -> None:
    """A misspelt variable does not keep anybody from reading the help."""
    assert invoke("serve", "--help", WINTUN_API_PROT="1").exit_code == 0
