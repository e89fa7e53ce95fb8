"""`wintun-api status` and `wintun-api version`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService
from wintun_api import __version__
from wintun_api.cli.status import size


def variables(service: RunningService, token: str = TOKEN) -> dict[str, str]:
    """Name the service and its token."""
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": token}


def free_url() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_what_runs_is_on_one_screen(service: RunningService) -> None:
    """Service, driver, token, adapters and sessions with their counts are told in ten lines."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    service.adapter(name="HomeNet")
    session = service.session(adapter)
    result = invoke("status", **variables(service))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) <= 10
    assert lines[0].startswith(f"Service   wintun-api {__version__} at {service.url}, up ")
    assert "emulated" in lines[1]
    assert "WINTUN_API_TOKEN allows admin" in lines[2]
    assert any("OfficeNet" in line and "10.6.7.7/24" in line for line in lines)
    (counts,) = [line for line in lines if session["id"] in line]
    assert "running: received 0 (0 bytes), injected 0 (0 bytes), lost 0" in counts


def test_many_adapters_are_counted(service: RunningService) -> None:
    """However many adapters there are, the screen stays one, and says how to see the rest."""
    for number in range(12):
        service.adapter(name=f"Net{number}")
    lines = invoke("status", **variables(service)).stdout.splitlines()
    assert len(lines) <= 11
    assert "and 8 more: wintun-api adapters list" in "\n".join(lines)


def test_status_as_json(service: RunningService) -> None:
    """With --json everything is one object."""
    service.session(service.adapter(name="OfficeNet"))
    found = json.loads(invoke("status", "--json", **variables(service)).stdout)
    assert found["url"] == service.url
    assert (found["driver"]["name"], found["system"]["version"]) == ("emulated", __version__)
    assert [one["name"] for one in found["adapters"]] == ["OfficeNet"]
    assert len(found["sessions"]) == 1


def test_status_without_a_service(tmp_path: Path) -> None:
    """Where no service runs, and none ever has, it exits with 3 and says how to start one."""
    result = invoke("status", WINTUN_API_URL=free_url(), WINTUN_API_DATA_DIR=str(tmp_path / "none"))
    assert (result.exit_code, result.stdout) == (3, "")
    sentence, hint = result.stderr.splitlines()
    assert sentence.startswith("Nothing answers at http://127.0.0.1:")
    assert "wintun-api serve" in hint


def test_status_with_a_wrong_token(service: RunningService) -> None:
    """A service that runs but does not accept the token is another case: exit code 4."""
    assert invoke("status", **variables(service, "wrong")).exit_code == 4


def test_version_of_all(service: RunningService) -> None:
    """The versions of the command, the service and the driver are told."""
    service.adapter(name="OfficeNet")  # which loads the driver
    lines = invoke("version", **variables(service)).stdout.splitlines()
    assert lines[0].startswith(f"Command  {__version__} ")
    assert lines[1] == f"Service  {__version__} at {service.url}"
    assert lines[2].startswith("Driver   emulated 0.13")
    found = json.loads(invoke("version", "--json", **variables(service)).stdout)
    assert found["client"]["version"] == found["service"]["version"] == __version__


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_version_without_a_service(options: tuple[str, ...]) -> None:
    """Without a service the command's own version is told all the same, and why no other is."""
    url = free_url()
    result = invoke("version", *options, WINTUN_API_URL=url)
    assert result.exit_code == 0
    assert __version__ in result.stdout
    assert f"Nothing answers at {url}." in result.stdout
    assert result.stderr == ""


def test_short_version_flag() -> None:
    """-V is --version."""
    assert invoke("-V").stdout == invoke("--version").stdout == f"wintun-api {__version__}\n"


@pytest.mark.parametrize("words", [(), ("adapters",), ("adapters", "create")])
def test_help_is_a_command(words: tuple[str, ...]) -> None:
    """`help COMMAND` shows what `COMMAND --help` shows."""
    shown = invoke("help", *words)
    assert (shown.exit_code, shown.stdout) == (0, invoke(*words, "--help").stdout)


def test_help_of_an_unknown_command() -> None:
    """The help of a command that does not exist is wrong usage."""
    assert invoke("help", "adaptors").exit_code == 2


def test_sizes() -> None:
    """Bytes are told in the unit that people read."""
    assert [size(1), size(2048), size(5 * 2**30)] == ["1 byte", "2.0 KiB", "5.0 GiB"]
