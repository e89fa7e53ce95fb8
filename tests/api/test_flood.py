"""A real process under clients that send without end, say nothing, or never read."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psutil
import pytest

from tests.waiting import until

if sys.platform != "win32":
    import resource

from tests.api.raw_connection import Raw, frame, handshake, request
from tests.certificates import make_certificate
from tests.cli.commands import COMMAND, Program, environment
from tests.needs import leave_out

if sys.platform == "win32":
    leave_out("POSIX limits and descriptors", module=True)
assert sys.platform != "win32"

MIB = 1024 * 1024
HEALTH = request("/noauth/health")


class Victim:
    """A service in a process of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.port = int(program.wait_for_url().rpartition(":")[2])
        token = Path(program.wait_for(r"\(token file: (.+)\)")[1]).read_text().strip()
        self.auth = f"Authorization: Bearer {token}"
        self.process = psutil.Process(program.process.pid)

    @property
    def rss(self) -> int:
        """Its resident memory."""
        return int(self.process.memory_info().rss)

    def answers(self, target: str = "/noauth/health") -> bool:
        """Whether it answers on a new connection."""
        with Raw(self.port) as raw:
            raw.send(request(target, self.auth))
            return raw.answer().status == 200


Start = Callable[..., Victim]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services, under a limit of open files if told so."""
    with ExitStack() as stack:

        def start_service(*arguments: str, files: int | None = None) -> Victim:
            program = Program(
                tmp_path / "program", "serve", "--driver", "emulated", "--port", "0", *arguments
            )
            stack.enter_context(closing(program))
            if files is not None:
                resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (files, files))
            return Victim(program)

        yield start_service


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have many sockets."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 20_000), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def pour(raw: Raw, chunk: bytes, size: int) -> bool:
    """Send a lot; return whether the other side took it all, and has not had enough."""
    with suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for _ in range(size // len(chunk)):
            raw.socket.sendall(chunk)
        return True
    return False


HEADS = {
    "header lines": b"A: b\r\n" * 10_000,
    "one header": b"a" * 60_000,
    "empty lines": b"\r\n" * 30_000,
}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", HEADS)
def test_endless_heads(start: Start, kind: str) -> None:
    """40 MB of header lines without a token cost no memory."""
    victim = start()
    assert victim.answers()
    before = victim.rss
    with Raw(victim.port) as raw:
        if kind != "empty lines":
            raw.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        pour(raw, HEADS[kind], 40 * MIB)
    assert victim.answers()
    assert victim.rss - before < 8 * MIB


@pytest.mark.thorough
@pytest.mark.parametrize(
    "message",
    [
        frame(9, bytes(125)),
        frame(9),
        frame(10, b"x"),
        frame(1, b"x"),
        frame(2, b""),
        frame(0, b"", fin=False),
        HEALTH,
    ],
    ids=["pings", "empty pings", "pongs", "texts", "empty", "fragments", "requests"],
)
def test_messages_of_a_client_that_does_not_read(start: Start, message: bytes) -> None:
    """Two million messages cost no memory, whether they are answered or not."""
    victim = start()
    assert victim.answers()
    with Raw(victim.port, timeout=2) as raw:  # which it waits for once it stalls
        if message is not HEALTH:
            raw.send(handshake("/v1/events", victim.auth))
            assert raw.answer().status == 101
        if message[0] & 0x0F == 0:
            raw.send(frame(1, b"", fin=False))
        before = victim.rss
        highest = before
        chunk = message * (MIB // len(message))
        for _ in range(max(1, 2_000_000 * len(message) // len(chunk) // 8)):
            poured = pour(raw, chunk, 8 * len(chunk))
            highest = max(highest, victim.rss)
            if not poured:
                break
    assert victim.answers()
    assert highest - before < 20 * MIB


@pytest.mark.thorough
@pytest.mark.parametrize("count", [1100, 5000])
def test_silent_connections(start: Start, many_files: None, count: int) -> None:
    """With 1,024 descriptors, silent connections stop neither health, REST nor open streams."""
    victim = start("--request-timeout", "300", files=1024)
    with ExitStack() as stack:
        stream = stack.enter_context(Raw(victim.port))
        stream.send(handshake("/v1/events", victim.auth))
        assert stream.answer().status == 101
        stream.frame()
        for number in range(count):
            stack.enter_context(Raw(victim.port))
            if number % 200 == 0:
                assert victim.answers()
        assert victim.answers()
        assert victim.answers("/v1/system")
        assert victim.process.num_fds() < 1000
        stream.send(frame(9, b"still there"))
        assert stream.frame() == (10, b"still there")
        with Raw(victim.port) as raw:
            raw.send(request("/metrics", victim.auth))
            metrics = raw.answer().body.decode()
    assert 'wintun_api_connections_closed_total{cause="evicted_waiting"}' in metrics
    assert len(victim.program.stderr.splitlines()) < 5


@pytest.mark.thorough
def test_descriptors_that_others_take(start: Start, many_files: None) -> None:
    """When `accept` fails, one line says so, and accepting goes on once there is room."""
    victim = start("--request-timeout", "300")
    assert victim.answers()
    limit = victim.process.num_fds() + 5
    resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(Raw(victim.port))
        until(lambda: "Cannot accept" in victim.program.stderr)
        assert victim.answers()
    assert victim.answers()
    assert victim.program.stderr.count("Cannot accept") == 1
    assert "Traceback" not in victim.program.stderr


def test_held_connections_leave_the_health_route(start: Start, many_files: None) -> None:
    """When streams hold every place but the reserve, health still answers; others get 503."""
    victim = start("--max-connections", "40")
    with ExitStack() as stack:
        statuses = []
        for _ in range(60):
            raw = stack.enter_context(Raw(victim.port))
            raw.send(handshake("/v1/events", victim.auth))
            statuses.append(raw.answer().status)
        assert statuses.count(101) == 24
        assert set(statuses[24:]) == {503}
        assert victim.answers()
        assert not victim.answers("/v1/system")
    until(lambda: victim.answers("/v1/system"))


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_aborted_streams_hold_no_descriptors(start: Start, many_files: None, method: str) -> None:
    """Clients that ask for the events and go leave nothing open."""
    victim = start()
    assert victim.answers()
    before = victim.process.num_fds()
    data = request("/v1/events", victim.auth, method=method)
    highest = 0
    for number in range(2000):
        with Raw(victim.port) as raw:
            raw.send(data)
            if number % 2:  # an abort rather than an end
                linger = b"\x01\0\0\0\0\0\0\0"
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if number % 100 == 0:
            highest = max(highest, victim.process.num_fds())
    until(lambda: victim.process.num_fds() <= before + 3)
    assert highest < 1100
    assert victim.answers("/v1/system")
    assert "Traceback" not in victim.program.stderr


# Signals and standard error


def test_hangup(start: Start) -> None:
    """SIGHUP ends nothing."""
    victim = start()
    for _ in range(3):
        victim.process.send_signal(signal.SIGHUP)
        assert victim.answers()
    assert victim.program.end(signal.SIGTERM)[0] == 0


@pytest.mark.thorough
@pytest.mark.parametrize("where", ["full", "broken", "unread"])
def test_standard_error_that_takes_nothing(tmp_path: Path, where: str) -> None:
    """A full disk, a reader that left and one that does not read do not end the service."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [*COMMAND, "serve", "--driver", "emulated", "--port", str(port)]
    with Path("/dev/full").open("wb", buffering=0) as full:
        log = full if where == "full" else subprocess.PIPE
        process = subprocess.Popen(
            [*command, "--log-level", "debug"],
            env=environment(tmp_path / "data"),
            stdout=log,
            stderr=log,
        )
    with process, ExitStack() as stack:
        stack.callback(process.kill)
        if where == "broken":
            for stream in (process.stdout, process.stderr):
                assert stream is not None
                stream.close()
        until(lambda: process.poll() is not None or is_healthy(port))
        assert process.poll() is None
        token = (tmp_path / "data" / "token").read_text().strip()
        for _ in range(1500):  # each is a line of the log
            with Raw(port) as raw:
                raw.send(handshake("/v1/events", f"Authorization: Bearer {token}"))
                assert raw.answer().status == 101
        process.terminate()
        assert process.wait(30) == 0
        stack.pop_all()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("data", "inside", "begins"),
    [
        pytest.param(b"", False, b"", id="nothing"),
        pytest.param(b"\x16\x03\x01", False, b"", id="half a TLS handshake"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", False, b"", id="no TLS"),
        pytest.param(b"", True, b"", id="nothing within TLS"),
        pytest.param(b"GET / HT", True, b"HTTP/1.1 408 ", id="half a head within TLS"),
        pytest.param(b"GARBAGE\r\n\r\n", True, b"HTTP/1.1 400 ", id="garbage within TLS"),
    ],
)
def test_tls(tmp_path: Path, data: bytes, inside: bool, begins: bytes) -> None:
    """With TLS the same bounds of time hold, from before its handshake on, without a log line."""
    certificate, key = make_certificate(tmp_path)
    files = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    command = ("serve", "--driver", "emulated", "--port", "0", "--request-timeout", "1", *files)
    with closing(Program(tmp_path / "program", *command)) as program:
        url = program.wait_for(r"(https://127\.0\.0\.1:\d+)")[1]
        with Raw(int(url.rpartition(":")[2])) as raw:
            if inside:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                raw.socket = context.wrap_socket(raw.socket)
            raw.send(data)
            with suppress(ssl.SSLError):
                raw.until_closed()
            assert raw.rest.startswith(begins)
            assert begins or not raw.rest
        assert len(program.stderr.splitlines()) == 1


def is_healthy(port: int) -> bool:
    """Return whether a service answers at this port."""
    with suppress(ConnectionRefusedError), Raw(port) as raw:
        raw.send(HEALTH)
        assert raw.answer().status == 200
        return True
    return False
