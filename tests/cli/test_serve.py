"""`wintun-api serve` as a process."""

from __future__ import annotations

import base64
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.certificates import make_certificate
from tests.cli.commands import COMMAND, EMULATED, environment, run, token_of
from tests.cli.conftest import Start
from tests.posix import mkfifo, open_terminal
from tests.waiting import let_pass, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and modes")


def test_it_tells_where_it_is(start: Start) -> None:
    """One line names the address with the real port and the token file; both are good."""
    program = start(*EMULATED)
    url = program.wait_for_url()
    headers = {"Authorization": f"Bearer {token_of(program)}"}
    system = httpx.get(f"{url}/v1/system", headers=headers, trust_env=False).json()
    assert system["driver"] == "emulated"
    assert len(program.stderr.splitlines()) == 1
    assert program.stdout == ""


@posix_only
def test_token_file_is_private(start: Start) -> None:
    """The token file is made for its owner alone."""
    program = start(*EMULATED)
    program.wait_for_url()
    path = Path(program.wait_for(r"\(token file: (.+)\)")[1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.thorough
@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_in_order(start: Start, number: int) -> None:
    """SIGINT and SIGTERM end the service within three seconds, with exit code 0 and no word."""
    program = start(*EMULATED)
    url = program.wait_for_url()
    headers = {"Authorization": f"Bearer {token_of(program)}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as http:
        adapter = http.post("/v1/adapters", json={"name": "OfficeNet"}).json()
        assert http.post("/v1/sessions", json={"adapter": adapter["guid"]}).status_code == 201
        with http.stream("GET", "/v1/events"):  # an open stream does not hold it up
            code, seconds = program.end(number)
    assert code == 0
    assert seconds < 10
    assert "Traceback" not in program.stderr


@posix_only
def test_a_second_signal_breaks_nothing(start: Start) -> None:
    """Ctrl-C twice still ends the service with code 0."""
    program = start(*EMULATED)
    program.wait_for_url()
    program.process.send_signal(signal.SIGINT)
    let_pass(0.05)  # the second comes while the first is obeyed
    code, _ = program.end(signal.SIGINT)
    assert code == 0
    assert "Traceback" not in program.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_token_in_the_log(start: Start, level: str) -> None:
    """No log level shows a token, wherever a request carries it."""
    program = start(*EMULATED, "--log-level", level)
    url = program.wait_for_url()
    token = token_of(program)
    headers = {"Authorization": f"Bearer {token}"}
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
    }
    with httpx.Client(base_url=url, trust_env=False) as http:
        assert http.get("/v1/adapters", headers=headers).is_success
        http.get("/", params={"token": token})
        host, port = url.removeprefix("http://").split(":")
        for path, more in (("/v1/events", headers), (f"/v1/events?token={token}", {})):
            lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}"]
            lines += [f"{name}: {value}" for name, value in {**upgrade, **more}.items()]
            with socket.create_connection((host, int(port)), 5) as connection:
                connection.sendall("\r\n".join([*lines, "", ""]).encode())
                assert connection.recv(1000).startswith(b"HTTP/1.1 ")
    program.end(signal.SIGTERM)
    assert token not in program.stdout + program.stderr
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    assert encoded not in program.stderr


def test_token_file_is_read(start: Start, tmp_path: Path) -> None:
    """A token that is in the file is the token."""
    path = tmp_path / "my-token"
    path.write_text("correct-horse\n")
    path.chmod(0o600)
    url = start(*EMULATED, "--token-file", str(path)).wait_for_url()
    for token, status in (("correct-horse", 200), ("battery-staple", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{url}/v1/system", headers=headers, trust_env=False).status_code == status


@posix_only
def test_open_token_file(start: Start, tmp_path: Path) -> None:
    """A token file that others can read gets a warning."""
    path = tmp_path / "my-token"
    path.write_text("correct-horse\n")
    path.chmod(0o644)
    program = start(*EMULATED, "--token-file", str(path))
    program.wait_for_url()
    assert f"other users could read the token file {path}" in program.stderr


def test_settings_combine(start: Start, tmp_path: Path) -> None:
    """A flag beats a variable, a variable the file; all of them reach the service."""
    config = tmp_path / "settings.toml"
    config.write_text('driver = "wintun"\nport = 1\nmax_message = 70000\nqueue_packets = 7\n')
    program = start(
        *EMULATED, "--config", str(config), WINTUN_API_PORT="2", WINTUN_API_QUEUE_PACKETS="9"
    )
    url = program.wait_for_url()
    headers = {"Authorization": f"Bearer {token_of(program)}"}
    system = httpx.get(f"{url}/v1/system", headers=headers, trust_env=False).json()
    assert system["driver"] == "emulated"
    assert system["limits"]["max_message"] == 70000
    assert system["limits"]["queue_packets"] == 9


def test_unavailable_driver(start: Start) -> None:
    """With a driver that cannot work the service starts all the same, and says what to do."""
    name = "linux" if sys.platform == "win32" else "wintun"
    program = start("serve", "--driver", name, "--port", "0")
    url = program.wait_for_url()
    assert httpx.get(f"{url}/noauth/health", trust_env=False).is_success
    assert f"Warning: the driver {name} is unavailable: " in program.stderr
    assert "--driver emulated" in program.stderr


def test_port_in_use(tmp_path: Path) -> None:
    """A port in use is a sentence and exit code 1, before any token is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "serve", "--driver", "emulated", "--port", port)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}: it is in use" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "99999"), "--port must be at most 65535."),
        (("--driver", "tap"), "'tap' is not one of"),
        (("--host", "0.0.0.0"), "can be reached from other machines"),
        (("--config", "missing.toml"), "The configuration file missing.toml does not exist."),
        (("--tls-key", "key.pem"), "tls_key needs tls_certificate"),
        (("--tls-certificate", "none.pem"), "Cannot use the TLS certificate none.pem"),
        (("--traffic", "-1"), "--traffic must be at least 0."),
    ],
)
def test_bad_settings(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Wrong settings are a sentence and exit code 2."""
    done = run(tmp_path, *EMULATED, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "many"), ("DRIVER", "tap"), ("TLS_KEY", "key.pem")]
)
def test_bad_variable(tmp_path: Path, name: str, value: str) -> None:
    """A wrong variable is a sentence and exit code 2."""
    done = run(tmp_path, "serve", **{f"WINTUN_API_{name}": value})
    assert done.returncode == 2
    assert name in done.stderr.upper()
    assert "Traceback" not in done.stderr


def test_bad_state_file(tmp_path: Path) -> None:
    """A state file of something else is a sentence and exit code 2."""
    (tmp_path / "state").write_text("no state")
    done = run(tmp_path, *EMULATED, "--emulated-state", "state")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_unwritable_token_file(tmp_path: Path) -> None:
    """A token file that cannot be made is a sentence and exit code 1."""
    (tmp_path / "file").write_text("")
    done = run(tmp_path, *EMULATED, "--data-dir", "file/below")
    assert done.returncode == 1
    assert "Cannot read or make the token file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_unknown_host(tmp_path: Path) -> None:
    """An address of another machine is a sentence and exit code 1."""
    done = run(tmp_path, *EMULATED, "--host", "192.0.2.1", "--allow-insecure-bind")
    assert done.returncode == 1
    assert "Cannot listen on 192.0.2.1 port 0: " in done.stderr


@pytest.mark.thorough
def test_tls(start: Start, tmp_path: Path) -> None:
    """With a certificate the service speaks TLS, and the client commands trust it when told."""
    certificate, key = make_certificate(tmp_path)
    program = start(*EMULATED, "--tls-certificate", str(certificate), "--tls-key", str(key))
    url = program.wait_for(r"(https://127\.0\.0\.1:\d+)")[1]
    client = ("adapters", "list", "--json", "--url", url, "--token", token_of(program))
    assert "not trusted" in run(tmp_path, *client).stderr
    trusting = run(tmp_path, *client, SSL_CERT_FILE=str(certificate))
    assert (trusting.returncode, trusting.stdout) == (0, "[]\n")
    port = url.rpartition(":")[2]
    examined = run(
        tmp_path,
        *("doctor", "--driver", "emulated", "--port", port),
        WINTUN_API_TLS_CERTIFICATE=str(certificate),
        WINTUN_API_TLS_KEY=str(key),
        WINTUN_API_TOKEN=token_of(program),
    )
    assert f"a service answers at {url}" in examined.stdout
    assert examined.returncode == 0


@posix_only
def test_terminal_gets_the_dashboard(tmp_path: Path) -> None:
    """Only a terminal is shown the address that signs a browser in."""
    master, slave = open_terminal()
    process = subprocess.Popen(
        [*COMMAND, *EMULATED],
        env=environment(tmp_path / "data"),
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
    )
    try:
        os.close(slave)
        shown = b""
        while b"\n" not in shown:
            shown += os.read(master, 1000)
        token = (tmp_path / "data" / "token").read_text().strip()
        assert shown.decode().startswith("Dashboard: http://127.0.0.1:")
        assert f"/?token={token}" in shown.decode()
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
        os.close(master)
    assert process.returncode == 0
    assert token.encode() not in errors


@posix_only
def test_without_standard_streams(tmp_path: Path) -> None:
    """A service manager may give no standard streams at all."""
    shell = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *COMMAND, *EMULATED]
    process = subprocess.Popen(shell, env=environment(tmp_path / "data"), cwd=tmp_path)
    token = tmp_path / "data" / "token"
    try:
        until(
            lambda: (
                process.poll() is not None
                or (token.exists() and catches(process.pid, signal.SIGTERM))
            )
        )
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(30) == 0


def catches(process: int, number: int) -> bool:
    """Return whether a process has a handler for a signal (proc_pid_status(5): SigCgt)."""
    status = Path(f"/proc/{process}/status").read_text()
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> (number - 1) & 1)


@pytest.mark.thorough
@posix_only
def test_it_is_lean(tmp_path: Path) -> None:
    """The service never loads the client's parts."""
    code = (
        "import sys; from wintun_api.cli import app;"
        "app(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *EMULATED],
        env=environment(tmp_path / "data"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "http://" in process.stderr.readline()  # it is up
        process.send_signal(signal.SIGTERM)
        loaded = set(process.communicate(timeout=30)[0].split())
    assert process.returncode == 0
    assert "uvicorn" in loaded
    assert not {"httpx", "rich", "wintun_api.cli.client", "wintun_api.drivers.linux"} & loaded


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It did not start, and said why in two lines."""
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 2
    for word in words:
        assert word in done.stderr


def data_of(tmp_path: Path) -> Path:
    """Make the data directory of `run`."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


@pytest.mark.thorough
@posix_only
@pytest.mark.parametrize("name", ["token", "tokens.json", "lock"])
def test_a_fifo_does_not_hold_the_start(tmp_path: Path, name: str) -> None:
    """A FIFO in place of a file is refused at once; who opened it would wait for ever."""
    mkfifo(data_of(tmp_path) / name)
    refused(run(tmp_path, *EMULATED), str(tmp_path / "data" / name), "not a regular file")


@posix_only
def test_a_public_token(tmp_path: Path) -> None:
    """The machine's own id, which every user can read, does not become the admin token."""
    public = tmp_path / "machine-id"
    public.write_text("0123456789abcdef0123456789abcdef\n")
    public.chmod(0o644)
    (data_of(tmp_path) / "token").symlink_to(public)
    refused(run(tmp_path, *EMULATED), "every user can read", "--token-file")


@pytest.mark.thorough
@posix_only
def test_a_directory_that_every_user_may_write(tmp_path: Path) -> None:
    """A data directory that every user may write is refused, and nothing is made in it."""
    data_of(tmp_path).chmod(0o777)
    refused(run(tmp_path, *EMULATED), "Other users may write", "chmod go-w")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_short_token(tmp_path: Path) -> None:
    """A token that can be guessed is refused."""
    (data_of(tmp_path) / "token").write_text("x\n")
    (tmp_path / "data" / "token").chmod(0o600)
    refused(run(tmp_path, *EMULATED), "can be guessed")


@pytest.mark.thorough
@pytest.mark.parametrize("content", ["[", "[1]", "{}", "[" * 9999, '[{"id": "a"}]', "\udcff"])
def test_broken_tokens(tmp_path: Path, content: str) -> None:
    """A broken file of tokens keeps the service from its start, with a sentence."""
    path = data_of(tmp_path) / "tokens.json"
    path.write_text(content, "utf-8", "surrogateescape")
    refused(run(tmp_path, *EMULATED), f"The file of issued tokens {path} is broken")


@pytest.mark.thorough
def test_one_service_per_data_directory(start: Start, tmp_path: Path) -> None:
    """A second service on a data directory is told the first one's address and process."""
    data = tmp_path / "shared"
    first = start(*EMULATED, "--data-dir", str(data))
    url = first.wait_for_url()
    second = run(tmp_path, *EMULATED, "--data-dir", str(data))
    refused(second, f"{url} (pid {first.process.pid})", "--data-dir")
    first.process.kill()
    first.process.wait()
    start(*EMULATED, "--data-dir", str(data)).wait_for_url()


@pytest.mark.thorough
def test_a_demo_beside_a_service(start: Start, tmp_path: Path) -> None:
    """The demo works beside a service, for it has nothing on the disk."""
    data = str(tmp_path / "shared")
    start(*EMULATED, "--data-dir", data).wait_for_url()
    start("demo", "--no-browser", "--port", "0", WINTUN_API_DATA_DIR=data).wait_for_url()


@pytest.mark.thorough
@posix_only
def test_what_was_answered_survives_a_kill(start: Start, tmp_path: Path) -> None:
    """After kill -9 in the midst of changes, every change that was answered is there."""
    data = tmp_path / "shared"
    good: set[str] = set()
    revoked: set[str] = set()
    for round_ in range(5):
        program = start(*EMULATED, "--data-dir", str(data))
        url = program.wait_for_url()
        headers = {"Authorization": f"Bearer {token_of(program)}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as http:
            listed = {row["id"] for row in http.get("/v1/tokens").json()}
            assert good <= listed
            assert not revoked & listed
            killer = threading.Timer(0.2 + round_ * 0.01, program.process.kill)
            killer.start()
            try:
                while True:
                    made = http.post("/v1/tokens", json={"scopes": ["read"]}).json()["id"]
                    good.add(made)
                    if len(good) > 5:
                        gone = good.pop()
                        answer = http.delete(f"/v1/tokens/{gone}")
                        assert answer.status_code == 204
                        revoked.add(gone)
            except httpx.HTTPError:
                killer.join()
        program.process.wait()
    assert revoked
