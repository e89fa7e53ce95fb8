"""The service of Windows under Wine: its manager starts and stops it, Linux talks to it.

Wine shows the life of the service, its log file, its event source and its command line. It does not
show what the account LocalSystem may do, inherited access rights, restarts after failures, the
delayed start, or what arrives in the event log: for these it has only stubs.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.windows.rig import PROJECT
from tests.windows.wine import windows_path, windows_python

Service = Callable[..., tuple[int, str]]


@pytest.fixture
def service(rig: Path) -> Iterator[Service]:
    """Run `wintun-api service` as the service itself is run; it is removed in the end."""
    packages = rig / "python" / "Lib" / "site-packages"
    if not (packages / "win32" / "win32service.pyd").is_file():
        pytest.skip("the rig has no pywin32")
    # Isolated, the interpreter does not look into the working directory.
    here = packages / "wintun-api-here.pth"
    here.write_text(windows_path(PROJECT))

    def run(*arguments: str) -> tuple[int, str]:
        words = ("-I", "-B", "-m", "wintun_api", "service", *arguments)
        with windows_python(rig, *words) as program:
            return program.wait(90), program.output

    try:
        yield run
        run("remove")
    finally:
        here.unlink()


def install(service: Service, data: Path, *options: str) -> str:
    """Install it on the emulated driver."""
    code, output = service(
        "install", "--driver", "emulated", "--data-dir", windows_path(data), *options
    )
    assert code == 0, output
    return output


def answer(port: int, path: str, data: Path) -> httpx.Response:
    """Ask the service from Linux, with the token it made."""
    token = (data / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10)


def test_life(service: Service, tmp_path: Path) -> None:
    """Installed, started, asked, stopped in order, removed."""
    data = tmp_path / "the data"
    assert service("status") == (
        3,
        "The service is not installed.\nInstall it with: wintun-api service install\n",
    )
    install(service, data, "--port", "0")
    assert service("start")[0] == 0
    code, output = service("status", "--json")
    status = json.loads(output)
    assert (code, status["state"], status["account"]) == (0, "running", "LocalSystem")
    assert re.fullmatch(
        r'"[^"]+python\.exe" -I -B -m wintun_api .*"[^"]+the data"', status["command"]
    )
    log = data / "logs" / "service.log"
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", log.read_text())[-1])
    assert answer(port, "/v1/driver", data).json()["name"] == "emulated"
    started = time.monotonic()
    assert service("stop")[0] == 0
    assert time.monotonic() - started < 20
    assert log.read_text().rstrip().endswith("Stopped.")
    assert (data / "token").read_text().strip() not in log.read_text()
    assert json.loads(service("status", "--json")[1])["exit_code"] == 0
    assert service("remove")[0] == 0
    assert service("status")[0] == 3
    assert (data / "token").is_file()


def test_closed_directory(service: Service, tmp_path: Path) -> None:
    """The data directory and the token are closed to other users, as far as modes show it."""
    data = tmp_path / "data"
    install(service, data)
    assert data.stat().st_mode & 0o007 == 0
    assert (data / "token").stat().st_mode & 0o007 == 0


def test_failure(service: Service, tmp_path: Path) -> None:
    """A service that cannot start says so, and its log says why."""
    data = tmp_path / "data"
    install(service, data, "--host", "192.0.2.1")
    code, output = service("start")
    assert code == 1
    assert "did not start" in output
    log = (data / "logs" / "service.log").read_text()
    assert "ERROR wintun_api.service: " in log


def test_on_a_console(service: Service) -> None:
    """What Windows starts is refused on a console, with the command to use there."""
    code, output = service("run")
    assert code == 2
    assert "wintun-api serve" in output
