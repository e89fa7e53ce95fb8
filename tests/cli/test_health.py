"""`wintun-api health`, and the container's check that calls it."""

from __future__ import annotations

import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from tests.cli.commands import COMMAND, environment, invoke
from tests.cli.conftest import Start
from tests.running import RunningService

CHECK = Path(__file__).parents[2] / "docker" / "health.py"
EMULATED = ("serve", "--driver", "emulated")


def check(data: Path, *arguments: str, script: bool = False, **env: str) -> tuple[int, str]:
    """Run the command, or the container's script; return its exit code and what it said."""
    command = [sys.executable, "-I", str(CHECK)] if script else [*COMMAND, "health"]
    done = subprocess.run(
        [*command, *arguments],
        env=environment(data, **env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


PLACES: dict[str, tuple[str, ...]] = {
    "a free port": ("--port", "0"),
    "every address": ("--port", "0", "--host", "::", "--allow-insecure-bind"),
    "every address of IPv4": ("--port", "0", "--host", "0.0.0.0", "--allow-insecure-bind"),
    "another host": ("--port", "0", "--host", "127.0.0.2"),
    "IPv6": ("--port", "0", "--host", "::1"),
    "a name": ("--port", "0", "--host", "localhost"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("place", PLACES)
def test_it_finds_the_service(start: Start, place: str) -> None:
    """The service is found by its data directory, wherever it listens; a proxy is not asked."""
    program = start(*EMULATED, *PLACES[place])
    program.wait_for("serves the driver")
    data = program.data
    assert check(data, http_proxy="http://127.0.0.1:9")[0] == 0
    assert check(data, script=True, all_proxy="http://127.0.0.1:9")[0] == 0
    assert check(data, WINTUN_API_PORT="9")[0] == 0  # a flag of the service beats a variable
    program.end()
    assert check(data)[0] == 1


@pytest.mark.thorough
def test_a_file_and_variables(start: Start, tmp_path: Path) -> None:
    """A port of the file of settings is found too, and so is one that a flag names here."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "config.toml"
    config.write_text(f"port = {port}\n")
    program = start(*EMULATED, "--config", str(config))
    program.wait_for("serves the driver")
    elsewhere = tmp_path / "elsewhere"
    assert check(elsewhere, WINTUN_API_CONFIG=str(config))[0] == 0
    assert check(elsewhere, "--config", str(config))[0] == 0
    assert check(elsewhere, "--port", str(port))[0] == 0
    assert check(elsewhere, WINTUN_API_PORT=str(port))[0] == 0
    code, said = check(program.data, "--port", "9")
    assert code == 1
    assert "does not answer at http://127.0.0.1:9" in said


@pytest.mark.thorough
def test_tls(start: Start, tmp_path: Path) -> None:
    """A certificate of any name will do."""
    certificate, key = make_certificate(tmp_path / "pair", "wintun.example.com")
    files = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    program = start(*EMULATED, "--port", "0", *files)
    program.wait_for("serves the driver")
    assert check(program.data)[0] == 0


@pytest.mark.thorough
@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n\r\n{}"])
def test_another_program(tmp_path: Path, answer: bytes) -> None:
    """What answers in another way is not the service."""
    server = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); c = s.accept()[0]; c.recv(9999);"
        f"c.sendall({answer!r}); c.close()"
    )
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        code, said = check(tmp_path, "--port", str(port))
    assert code == 1
    assert "another program" in said or "reset" in said or "closed" in said


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("wintun-api\0serve\0--port\x009999\0", ["--port", "9999"]),
        ("/usr/bin/python3\0/opt/bin/wintun-api\0serve\0--port=1\0", ["--port=1"]),
        ("/init\0--\0wintun-api\0serve\0--data-dir\0/d\0-x\0", ["--data-dir", "/d"]),
        ("python\0-m\0wintun_api\0serve\0--host\0::\0", ["--host", "::"]),
        ("/sbin/init\0--port\x005\0", []),
    ],
)
def test_flags_of_the_container(command: str, flags: list[str]) -> None:
    """The flags of a container's first process count, if it is the service."""
    script = runpy.run_path(str(CHECK))
    assert script["flags_of"](command.split("\0")) == flags


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_an_address(service: RunningService, tmp_path: Path, way: str) -> None:
    """It takes --url and its variable as other commands do; a token is not needed."""
    told = 0, f"The service answers at {service.url}.\n"
    if way == "flag":
        assert check(tmp_path, "--url", service.url, "--token", "none") == told
    else:
        assert check(tmp_path, "--token", "none", WINTUN_API_URL=service.url) == told


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--url", "http://127.0.0.1:9"), 1),
        (("--url", "nowhere"), 2),
        (("--url", "http://127.0.0.1:9", "--port", "9"), 2),
        (("--timeout", "0"), 2),
    ],
)
def test_a_wrong_address(arguments: tuple[str, ...], code: int) -> None:
    """Where nothing answers it ends with 1, and with 2 where the arguments are wrong."""
    assert invoke("health", *arguments).exit_code == code
