"""The service on sockets that the program which starts it has made, as systemd does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from tests.certificates import make_certificate
from tests.cli.commands import COMMAND, Program, environment, token_of
from tests.needs import leave_out, need

if sys.platform == "win32":
    leave_out("systemd is Linux's", module=True)
assert sys.platform != "win32"

# Puts sockets where sd_listen_fds(3) expects them; the process stays the same.
PASS = """
import os, sys
count = int(sys.argv[1])
for n, one in enumerate(sys.argv[2:2 + count]):
    os.dup2(int(one), 3 + n)
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.environ.setdefault("LISTEN_FDS", str(count))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


class Listening(Protocol):
    """Makes sockets that listen."""

    def __call__(self, *addresses: tuple[str, int]) -> list[socket.socket]: ...


@pytest.fixture
def listening() -> Iterator[Listening]:
    """Sockets with high descriptors, so that none is in the place of another."""
    import fcntl

    with ExitStack() as made:

        def listen(*addresses: tuple[str, int]) -> list[socket.socket]:
            found = []
            for address in addresses:
                with socket.create_server(address) as one:
                    number = fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 50)
                found.append(made.enter_context(socket.socket(fileno=number)))
            return found

        yield listen


def passing(*given: socket.socket) -> list[str]:
    """Return the command that passes sockets to another one."""
    numbers = [str(one.fileno()) for one in given]
    return [sys.executable, "-c", PASS, str(len(given)), *numbers]


def started(tmp_path: Path, given: Sequence[socket.socket], *more: str, **env: str) -> Program:
    """Start the service on these sockets."""
    for one in given:
        one.set_inheritable(True)
    serve = ("serve", "--driver", "emulated", "--port", "1", *more)
    env = {"WINTUN_API_DATA_DIR": str(tmp_path / "data"), **env}
    return Program(tmp_path, *serve, within=passing(*given), **env)


def failed(tmp_path: Path, given: Sequence[socket.socket], *more: str, **env: str) -> str:
    """Return what a start on these sockets ends with."""
    program = started(tmp_path, given, *more, **env)
    try:
        assert program.process.wait(30) == 2
        return program.stderr
    finally:
        program.close()


def health(port: int, host: str = "127.0.0.1") -> int:
    """Return the status with which a service on this port says that it answers."""
    return httpx.get(f"http://{host}:{port}/noauth/health", timeout=60, trust_env=False).status_code


def test_the_service_listens_on_the_socket_that_it_was_given(
    tmp_path: Path, listening: Listening
) -> None:
    """A request that is made before the service has started is answered, on the known port."""
    (given,) = listening(("127.0.0.1", 0))
    port = given.getsockname()[1]
    program = started(tmp_path, [given])
    given.close()
    try:
        assert health(port) == 200
        line = program.wait_for(r"serves the driver emulated at (\S+)")
        assert line[1] == f"http://127.0.0.1:{port}"
        url = line[1]
        assert httpx.get(
            f"{url}/v1/system",
            headers={"Authorization": f"Bearer {token_of(program)}"},
            timeout=60,
            trust_env=False,
        ).is_success
        assert program.end()[0] == 0
    finally:
        program.close()


def test_several_sockets(tmp_path: Path, listening: Listening) -> None:
    """It listens on all of them."""
    given = listening(("127.0.0.1", 0), ("127.0.0.2", 0))
    program = started(tmp_path, given)
    try:
        for one in given:
            host, port = one.getsockname()
            one.close()
            answer = httpx.get(
                f"http://{host}:{port}/noauth/health",
                timeout=60,
                trust_env=False,
                headers={"Host": "localhost"},
            )
            assert answer.status_code == 200
    finally:
        program.close()


def test_sockets_for_another_process_are_left(tmp_path: Path, listening: Listening) -> None:
    """LISTEN_PID of another process means that the sockets are not for this one."""
    given = listening(("127.0.0.1", 0))
    program = started(tmp_path, given, "--port", "0", LISTEN_PID="1")
    try:
        port = int(program.wait_for_url().rpartition(":")[2])
        assert port != given[0].getsockname()[1]
    finally:
        program.close()


def test_an_open_address_needs_tls(tmp_path: Path, listening: Listening) -> None:
    """A passed socket beyond loopback is refused without TLS, as --host would be."""
    given = listening(("127.0.0.1", 0), ("0.0.0.0", 0))
    assert "0.0.0.0 can be reached from other machines" in failed(tmp_path, given)
    program = started(tmp_path / "open", given, "--allow-insecure-bind")
    try:
        assert health(given[1].getsockname()[1]) == 200
    finally:
        program.close()


def test_tls(tmp_path: Path, listening: Listening) -> None:
    """A passed socket serves TLS where the service has a certificate."""
    certificate = make_certificate(tmp_path)
    given = listening(("0.0.0.0", 0))
    program = started(
        tmp_path, given, "--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1])
    )
    try:
        program.wait_for(r"at https://127\.0\.0\.1:")
    finally:
        program.close()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("pipe", "is not a socket"),
        ("unix", "is not a TCP socket"),
        ("udp", "is not a TCP socket"),
        ("silent", "does not listen"),
    ],
)
def test_unsuitable_descriptors(tmp_path: Path, kind: str, sentence: str) -> None:
    """What cannot accept TCP connections is refused with a sentence."""
    if kind == "pipe":
        reading, writing = os.pipe()
        os.close(writing)
        descriptor = reading
    else:
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        with socket.socket(
            family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
        ) as one:
            descriptor = os.dup(one.fileno())
    os.set_inheritable(descriptor, True)
    serve = [*COMMAND, "serve", "--driver", "emulated"]
    done = subprocess.run(
        [sys.executable, "-c", PASS, "1", str(descriptor), *serve],
        env=environment(tmp_path),
        pass_fds=[descriptor],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    os.close(descriptor)
    assert done.returncode == 2
    assert f"The descriptor 3 {sentence}." in done.stderr
    assert "ListenStream" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "value"), [("LISTEN_FDS", "many"), ("LISTEN_PID", "-1")])
def test_wrong_variables(tmp_path: Path, name: str, value: str, listening: Listening) -> None:
    """Variables that hold something else are refused, not ignored."""
    given = listening(("127.0.0.1", 0))
    said = failed(tmp_path, given, **{name: value})
    assert f"{name}: {value!r} is not a number." in said


def test_fewer_sockets_than_announced(tmp_path: Path, listening: Listening) -> None:
    """A descriptor that is not open is refused."""
    given = listening(("127.0.0.1", 0))
    assert "The descriptor 4 is not a socket." in failed(tmp_path, given, LISTEN_FDS="2")


def test_systemd_socket_activate(tmp_path: Path) -> None:
    """The program that systemd has for it starts the service at the first connection."""
    need("systemd-socket-activate")
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    program = Program(
        tmp_path,
        *("serve", "--driver", "emulated"),
        within=["systemd-socket-activate", "--listen", f"127.0.0.1:{port}"]
        + [
            f"--setenv={n}"
            for n in ("WINTUN_API_DATA_DIR", "PATH", "HOME")
            if n in environment(tmp_path)
        ],
    )
    try:
        program.wait_for("Listening on")
        assert health(port) == 200
        program.wait_for(rf"serves the driver emulated at http://127\.0\.0\.1:{port}")
        assert program.end()[0] == 0
    finally:
        program.close()
