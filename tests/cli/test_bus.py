"""`wintun-api bus`: a real nats-server, from the command to the last process."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import stat
import sys
from pathlib import Path

import psutil
import pytest
import typer

pytest.importorskip("nats", reason="not installed: nats")

from tests.cli.commands import Program, invoke, run
from tests.cli.conftest import Start
from tests.fleet.server.servers import free_port, need_server
from tests.needs import needs
from tests.running import TOKEN, RunningService
from tests.waiting import PATIENCE, until
from wintun_api.cli import join_group
from wintun_api.fleet.keys.identity import PREFIX
from wintun_api.fleet.network import COMMANDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its signals are of POSIX")


def begin(start: Start, data: Path, *options: str, **env: str) -> Program:
    """Run a bus until it is ready."""
    need_server()
    port = free_port()
    listen = () if "--listen" in options else ("--listen", f"127.0.0.1:{port}")
    program = start("bus", "--data-dir", str(data), *listen, *options, **env)
    program.wait_for("runs nats-server" if "--json" not in options else "nats_server")
    return program


def server_of(program: Program) -> psutil.Process:
    """Return the nats-server of a bus."""
    (found,) = psutil.Process(program.process.pid).children()
    return found


def is_alive(server: psutil.Process) -> bool:
    """Return whether a process runs and is not merely waited for."""
    return bool(server.is_running() and server.status() != psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(start: Start, tmp_path: Path, number: int) -> None:
    """Its exit code is 0, and nothing of it is left."""
    program = begin(start, tmp_path / "bus")
    server = server_of(program)
    code, seconds = program.end(number)
    assert (code, is_alive(server)) == (0, False)
    assert seconds < 10
    assert "Traceback" not in program.stderr


def test_it_says_how_to_go_on(start: Start, tmp_path: Path) -> None:
    """The next command for this machine and for others, with the name of each network."""
    program = begin(start, tmp_path / "bus", "--network", "lab", "--network", "rig")
    program.wait_for("wintun-api join rig --adapter ADAPTER")
    program.wait_for("wintun-api join keys --network lab")


def test_the_lines_that_it_prints_work_as_they_are(
    start: Start, tmp_path: Path, service: RunningService
) -> None:
    """They name the folder of a bus that is not in the usual place, whatever is in its name."""
    service.adapter(name="L", addresses=["10.7.1.1/24"])
    program = begin(start, tmp_path / "my bus")
    keys = shlex.split(program.wait_for(r"another host: (wintun-api join keys .+)")[1])
    made = run(tmp_path, *keys[1:])
    assert made.stdout.startswith(PREFIX), made.stderr
    line = program.wait_for(r"of this user: (wintun-api join lab .+)")[1]
    join = shlex.split(line.replace("ADAPTER", "L"))
    own = ("--data-dir", str(tmp_path / "agents"), "--url", service.url)
    agent = start(*join[1:], *own, WINTUN_API_TOKEN=TOKEN)
    agent.wait_for("10.7.1.1/32 leads to this host")


def test_json_says_the_same_to_a_script(start: Start, tmp_path: Path) -> None:
    """One document on standard output, as soon as hosts can connect."""
    program = begin(start, tmp_path / "bus", "--json")
    until(lambda: program.stdout.endswith("}\n"))
    said = json.loads(program.stdout)
    assert said["networks"] == ["lab"]
    assert said["servers"] == [said["url"]]
    assert said["nats_server"]["pid"] == server_of(program).pid
    assert said["data_dir"] == str(tmp_path / "bus")


def test_what_options_said_holds_at_the_next_start(start: Start, tmp_path: Path) -> None:
    """The address and the networks stay; a network that is named later comes in addition."""
    need_server()
    first = begin(start, tmp_path / "bus", "--network", "one")
    url = first.wait_for(r"at (nats://\S+)")[1]
    first.end()
    second = start("bus", "--data-dir", str(tmp_path / "bus"), "--network", "two")
    assert second.wait_for(r"at (nats://\S+)")[1] == url
    second.wait_for("--network one")
    second.wait_for("--network two")


def test_a_second_bus_of_the_same_directory_is_refused(start: Start, tmp_path: Path) -> None:
    """It says where the first one is, and its exit code is that of a conflict."""
    program = begin(start, tmp_path / "bus")
    url = program.wait_for(r"at (nats://\S+)")[1]
    second = run(tmp_path, "bus", "--data-dir", str(tmp_path / "bus"))
    assert second.returncode == 6
    assert f"is in use by the bus at {url} (pid {server_of(program).pid})" in second.stderr
    assert is_alive(server_of(program))


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """In plain words, with the option that chooses another one; nothing is left behind."""
    need_server()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(
            tmp_path, "bus", "--data-dir", str(tmp_path / "bus"), "--listen", f"127.0.0.1:{port}"
        )
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in ended.stderr
    assert "--listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    """It is no reason for a traceback either."""
    need_server()
    ended = run(tmp_path, "bus", "--data-dir", str(tmp_path / "bus"), "--listen", "192.0.2.9:4222")
    assert ended.returncode == 1
    assert "Cannot listen on 192.0.2.9 port 4222: Cannot assign requested address." in ended.stderr


@pytest.mark.parametrize(
    "given",
    [
        ("--listen", "hub"),
        ("--listen", "127.0.0.1:x"),
        ("--listen", "127.0.0.1:0"),
        ("--listen", "127.0.0.1:65536"),
        ("--listen", ""),
        ("--listen", "127.0.0.1", "--listen", "::1"),
        ("--hostname", "http://hub"),
        ("--hostname", "-"),
        ("--hostname", "ünï"),
        ("--network", "Lab"),
        ("--network", "a.b"),
        ("--network", "keys"),
        ("--captures-bytes", "1"),
        ("--captures-age", "never"),
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_wrong_usage(tmp_path: Path, given: tuple[str, ...]) -> None:
    """Its exit code is 2, and nothing is written."""
    need_server()
    ended = invoke("bus", "--data-dir", str(tmp_path / "bus"), *given)
    assert ended.exit_code == 2, ended.output
    assert not (tmp_path / "bus" / "laboratory.json").exists()


def test_no_network_has_the_name_of_a_command_of_join() -> None:
    """Hosts could not join it."""
    group = typer.main.get_group(join_group.app)
    assert {*group.commands} - {join_group.NETWORK} == COMMANDS


def fake(folder: Path, text: str) -> str:
    """Make a nats-server of one's own, and return a PATH that has it first."""
    folder.mkdir()
    path = folder / "nats-server"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


HIDE = """
import sys
from wintun_api.fleet.server import program
program.PACKAGE = "a-package-that-nobody-has"
sys.executable = "/nowhere/python"
"""


@pytest.fixture
def hidden(tmp_path: Path) -> dict[str, str]:
    """Hide the server of the extra from a command."""
    folder = tmp_path / "hide"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDE)
    return {"PYTHONPATH": str(folder)}


def test_a_machine_without_a_server_is_told_how_to_get_one(
    tmp_path: Path, hidden: dict[str, str]
) -> None:
    """It names the extra, and makes nothing."""
    ended = run(tmp_path, "bus", "--data-dir", str(tmp_path / "bus"), **hidden, PATH="/nowhere")
    assert ended.returncode == 1
    assert "There is no nats-server on this machine." in ended.stderr
    assert "'.[fleet-server]'" in ended.stderr
    assert not (tmp_path / "bus").exists()


def test_an_old_server_is_warned_of_and_run(
    start: Start, tmp_path: Path, hidden: dict[str, str]
) -> None:
    """The version of Debian has known holes: a person is told so, and can go on."""
    real = need_server().path
    text = (
        f'[ "$1" = --version ] && echo "nats-server: v2.9.10" || exec {shlex.quote(str(real))} "$@"'
    )
    path = fake(tmp_path / "old", text)
    program = begin(start, tmp_path / "bus", **hidden, PATH=path)
    program.wait_for("Warning: nats-server 2.9.10 has known security holes")
    assert program.end()[0] == 0


def test_a_server_that_ends_by_itself_ends_the_bus(start: Start, tmp_path: Path) -> None:
    """It is not started again; the exit code is 1, and a sentence says what has happened."""
    program = begin(start, tmp_path / "bus")
    server_of(program).kill()
    assert program.process.wait(PATIENCE) == 1
    program.wait_for("nats-server was ended by the signal SIGKILL")
    assert "Traceback" not in program.stderr


def test_a_server_that_does_not_start_says_why(tmp_path: Path, hidden: dict[str, str]) -> None:
    """What it writes last is the reason."""
    text = '[ "$1" = --version ] && echo "nats-server: v2.15.1" || { echo "no room" >&2; exit 3; }'
    ended = run(
        tmp_path,
        *("bus", "--data-dir", str(tmp_path / "bus"), "--listen", f"127.0.0.1:{free_port()}"),
        **hidden,
        PATH=fake(tmp_path / "bad", text),
    )
    assert ended.returncode == 1
    assert "nats-server has ended by itself: no room." in ended.stderr


@needs("setpriv")
def test_a_bus_that_is_killed_takes_its_server_along(start: Start, tmp_path: Path) -> None:
    """The system ends it, so that the next bus can start at once."""
    program = begin(start, tmp_path / "bus")
    server = server_of(program)
    program.process.kill()
    program.process.wait()
    until(lambda: not is_alive(server))
    start("bus", "--data-dir", str(tmp_path / "bus")).wait_for("runs nats-server")


def test_a_server_that_outlives_its_bus_keeps_its_streams(start: Start, tmp_path: Path) -> None:
    """Where no program ties the two, a new bus says which process has the streams."""
    program = begin(start, tmp_path / "bus", PATH="/nowhere")
    server = server_of(program)
    try:
        program.process.kill()
        program.process.wait()
        second = run(tmp_path, "bus", "--data-dir", str(tmp_path / "bus"))
        assert second.returncode == 6
        assert f"(pid {server.pid})" in second.stderr
    finally:
        server.terminate()
        until(lambda: not is_alive(server))
    start("bus", "--data-dir", str(tmp_path / "bus")).wait_for("runs nats-server")


def test_tls_is_there_beyond_loopback(start: Start, tmp_path: Path) -> None:
    """Without another option than the address; keys have the names, and the authority."""
    port = free_port()
    data = ("--data-dir", str(tmp_path / "bus"))
    program = begin(start, tmp_path / "bus", "--listen", f"0.0.0.0:{port}", "--hostname", "hub")
    program.wait_for(f"Other machines reach it at tls://hub:{port}")
    said = json.loads(run(tmp_path, "join", "keys", *data, "--json").stdout)
    assert said["servers"] == [f"tls://hub:{port}"]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
        assert b'"tls_required":true' in plain.recv(4096)


def test_no_seed_is_told_to_anyone(start: Start, tmp_path: Path) -> None:
    """Not in what it writes, nor in the arguments and the environment of its server."""
    data = ("--data-dir", str(tmp_path / "bus"))
    program = begin(start, tmp_path / "bus")
    made = run(tmp_path, "join", "keys", *data, "--output", str(tmp_path / "key"))
    assert made.returncode == 0
    server = server_of(program)
    told = [
        program.stdout,
        program.stderr,
        made.stdout,
        made.stderr,
        *server.cmdline(),
        *server.environ().values(),
        (tmp_path / "bus" / "nats-server.conf").read_text(),
    ]
    assert not [text for text in told if re.search(r"SU[A-Z2-7]{56}", text)]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_signal_ends_it_while_its_server_starts(
    start: Start, tmp_path: Path, hidden: dict[str, str]
) -> None:
    """A server that does not become ready is ended as well, and it is not a failure."""
    text = '[ "$1" = --version ] && echo "nats-server: v2.15.1" || exec sleep 1000'
    listen = ("--listen", f"127.0.0.1:{free_port()}")
    path = fake(tmp_path / "slow", text)
    program = start("bus", "--data-dir", str(tmp_path / "bus"), *listen, **hidden, PATH=path)
    children = psutil.Process(program.process.pid).children
    until(
        lambda: (
            "sleep"
            in [
                one.info["name"]
                for one in psutil.process_iter(["name", "ppid"])
                if one.info["ppid"] == program.process.pid
            ]
        )
    )
    (server,) = children()
    assert program.end(signal.SIGTERM)[0] == 0
    assert not is_alive(server)


def test_it_goes_on_when_its_terminal_is_closed(start: Start, tmp_path: Path) -> None:
    """SIGHUP ends neither the bus nor its server."""
    program = begin(start, tmp_path / "bus")
    server = server_of(program)
    if sys.platform != "win32":
        program.process.send_signal(signal.SIGHUP)
    made = run(tmp_path, "join", "keys", "--data-dir", str(tmp_path / "bus"))
    assert made.returncode == 0
    assert program.process.poll() is None
    assert is_alive(server)


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    """It names the path, and is not a traceback."""
    need_server()
    path = tmp_path / "file"
    path.touch()
    ended = invoke("bus", "--data-dir", str(path))
    assert ended.exit_code == 1
    assert f"Cannot read or write {path}" in ended.stderr


def test_more_than_the_disk_has_is_refused(tmp_path: Path) -> None:
    """Before anything is written, with the option that helps."""
    need_server()
    listen = ("--listen", f"127.0.0.1:{free_port()}")
    ended = invoke("bus", "--data-dir", str(tmp_path / "bus"), *listen, "--captures-bytes", "999tb")
    assert ended.exit_code == 1
    assert "but the disk of" in ended.stderr
    assert "--captures-bytes" in ended.stderr
    assert not (tmp_path / "bus" / "laboratory.json").exists()
