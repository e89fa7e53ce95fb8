"""`wintun-api demo` as a process, and its curl lines in a shell."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.commands import Program
from tests.cli.conftest import Start
from tests.needs import need
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")

DEMO = ("demo", "--no-browser", "--port", "0")


def lines_of(program: Program) -> list[str]:
    """The lines to paste."""
    program.wait_for("Ctrl-C ends the demo")
    return [line for line in program.stdout.splitlines() if line.startswith(("curl", "printf"))]


def paste(line: str) -> Any:
    """Run a line as a shell does, and return the JSON it prints."""
    need("curl")
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    assert done.stdout.endswith("\n")
    return json.loads(done.stdout)


@pytest.mark.parametrize("generation", ["pool", "tunnel-type"])
def test_the_lines_work(start: Start, generation: str) -> None:
    """The three lines list the adapter, read the counters, and send a ping that is answered."""
    program = start(*DEMO, "--traffic", "0", "--generation", generation)
    adapters, counters, ping = lines_of(program)
    (adapter,) = paste(adapters)
    assert (adapter["name"], adapter["pool"]) == ("OfficeNet", "WireGuard")
    assert (adapter["mtu"], adapter["state"]) == (1420, "up")
    assert adapter["addresses"] == ["10.6.7.7/24", "fd06:7::7/64"]
    before = paste(counters)["counters"]
    assert paste(ping) == {"accepted": 1, "rejected": {}, "ring_full": 0, "refused": {}}
    after = _wait_for(counters, before["received"]["packets"] + 1)
    assert after["injected"]["packets"] == before["injected"]["packets"] + 1
    # The reply is as long as the request: the same data, nothing lost.
    assert after["received"]["bytes"] == after["injected"]["bytes"]


def _wait_for(counters: str, received: int) -> Any:
    deadline = time.monotonic() + 30
    while True:
        found = paste(counters)["counters"]
        if found["received"]["packets"] >= received:
            assert found["received"]["packets"] == received
            return found
        assert time.monotonic() < deadline, found


@pytest.mark.thorough
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_ping_is_the_same_in_every_shell(start: Start, shell: str) -> None:
    """The packet is the same whatever the shell: no escape that only some of them know."""
    need(shell)
    printf = lines_of(start(*DEMO))[2].partition(" | ")[0]
    packet = subprocess.run([shell, "-c", printf], capture_output=True, check=True).stdout
    assert len(packet) == 38
    assert packet[0] == 0x45
    assert packet.endswith(b"wintun-api")


def test_traffic_lives(start: Start) -> None:
    """Packets come by themselves."""
    counters = lines_of(start(*DEMO, "--traffic", "50"))[1]
    first = paste(counters)["counters"]["received"]["packets"]
    until(lambda: paste(counters)["counters"]["received"]["packets"] >= first + 20)


def test_peers_answer(start: Start) -> None:
    """Packets go both ways: the host's, and what its peers answer."""
    program = start(*DEMO, "--traffic", "200")
    counters = lines_of(program)[1]
    until(lambda: paste(counters)["counters"]["injected"]["packets"] >= 20)
    found = paste(counters)["counters"]
    assert found["received"]["packets"] > 5
    assert found["injected"]["bytes"] > 0


def test_address_signs_in(start: Start) -> None:
    """The printed address gives a browser its cookie; the printed token is the address's."""
    program = start(*DEMO)
    url = program.wait_for(r"(http://\S+/\?token=(\S+))")
    assert program.wait_for(r"Token +(\S+)")[1] == url[2]
    answer = httpx.get(url[1], trust_env=False)
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.thorough
def test_it_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    """The demo writes no file, and ends within three seconds with code 0."""
    program = start(*DEMO)
    lines_of(program)
    code, seconds = program.end(signal.SIGINT)
    assert (code, program.stderr) == (0, "")
    assert seconds < 10
    assert not (tmp_path / "program-1" / "data").exists()


def test_it_keeps_no_captures(start: Start) -> None:
    """A capture is refused with the reason, which is not that something failed."""
    program = start(*DEMO, WINTUN_API_CAPTURES_BYTES="1000000")
    url, token = program.wait_for(r"(http://\S+)/\?token=(\S+)").groups()
    variables = {"WINTUN_API_URL": url, "WINTUN_API_TOKEN": token}
    refused = start("captures", "start", **variables)
    assert refused.process.wait(30) == 1
    assert "keeps no captures" in refused.stderr
    assert start("captures", "list", "-q", **variables).process.wait(30) == 0


@pytest.mark.thorough
def test_port_in_use(start: Start) -> None:
    """A port that was asked for and is in use is an error; the demo takes no other."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, env in ((("--port", port), {}), ((), {"WINTUN_API_PORT": port})):
            program = start("demo", "--no-browser", *arguments, **env)
            assert program.process.wait(30) == 1
            assert f"port {port}: it is in use" in program.stderr


def test_default_port_in_use(start: Start) -> None:
    """While the default port is in use the demo takes a free one, and says so."""
    try:
        taken = socket.create_server(("127.0.0.1", 9886))
    except OSError:
        taken = socket.socket()  # somebody else has it, which does as well
    with taken:
        program = start("demo", "--no-browser")
        url = program.wait_for_url()
        assert not url.endswith(":9886")
        assert "Port 9886 is in use; taking a free one." in program.stderr


def test_state_of_the_environment_is_left_alone(start: Start, tmp_path: Path) -> None:
    """The demo's machine is its own, whatever the service's settings are."""
    state = tmp_path / "state.json"
    program = start(*DEMO, WINTUN_API_EMULATED_STATE=str(state), WINTUN_API_DRIVER="linux")
    lines_of(program)
    program.end()
    assert not state.exists()
