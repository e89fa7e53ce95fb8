"""What shells complete."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(service: RunningService) -> Complete:
    """Return what bash would offer for a line whose last word may be unfinished."""

    def offers(line: str, **env: str) -> list[str]:
        variables = {
            "WINTUN_API_URL": service.url,
            "WINTUN_API_TOKEN": TOKEN,
            "_WINTUN_API_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        }
        result = invoke(**{**variables, **env})
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout.split()

    return offers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_scripts(shell: str) -> None:
    """Every shell gets a script that calls the command."""
    result = invoke("--show-completion", shell)
    assert result.exit_code == 0
    assert "_WINTUN_API_COMPLETE" in result.stdout


def test_bash_reads_its_script() -> None:
    """Bash takes the script and completes the command by it."""
    script = invoke("--show-completion", "bash").stdout
    done = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p wintun-api"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_wintun_api_completion wintun-api" in done.stdout


def test_unknown_shell() -> None:
    """A shell that is not known is wrong usage."""
    assert invoke("--show-completion", "tcsh").exit_code == 2


def test_commands(complete: Complete) -> None:
    """Commands complete; the second name of one does not show."""
    assert complete("wintun-api tok") == ["tokens"]


def test_adapters(complete: Complete, service: RunningService) -> None:
    """Names of adapters complete."""
    for name in ("OfficeNet", "HomeNet"):
        service.adapter(name=name)
    assert complete("wintun-api adapters show Off") == ["OfficeNet"]
    assert complete("wintun-api sessions start Ho") == ["HomeNet"]


def test_sessions(complete: Complete, service: RunningService) -> None:
    """Ids of sessions complete, and the names of adapters that have one."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    service.adapter(name="HomeNet")
    assert complete("wintun-api inject ") == [session, "OfficeNet"]
    assert complete(f"wintun-api sessions end {session[:6]}") == [session]


def test_kinds_and_scopes(complete: Complete) -> None:
    """Kinds of events and scopes complete, without the service."""
    assert complete("wintun-api tokens create me", WINTUN_API_URL="none") == ["metrics"]
    offered = complete("wintun-api events --type driver", WINTUN_API_URL="none")
    assert offered == ["driver.log", "driver.slow"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "none", "http://[::1"])
def test_no_service(complete: Complete, url: str) -> None:
    """Where nothing answers, nothing is offered and nothing said."""
    assert complete("wintun-api adapters show ", WINTUN_API_URL=url) == []


def test_wrong_token(complete: Complete) -> None:
    """A token that is refused, or is none, offers nothing and says nothing."""
    for token in ("wrong", "two words"):
        assert complete("wintun-api adapters show ", WINTUN_API_TOKEN=token) == []


def test_a_service_that_does_not_answer(complete: Complete) -> None:
    """A service that is silent is not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert complete("wintun-api adapters show ", WINTUN_API_URL=url) == []
