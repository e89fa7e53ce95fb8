"""What is said where something else than the service answers; never a traceback, never for long."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from tests.cli.commands import invoke
from tests.running import TOKEN, running
from tests.strangers import OTHERS, answering, other_server, silent

LIMIT = 10.0  # seconds


def failure(*arguments: str, **env: str) -> tuple[str, str]:
    """Run a command that cannot reach the service; return its sentence and what to do."""
    started = time.monotonic()
    result = invoke(*arguments, WINTUN_API_TOKEN=TOKEN, **env)
    assert time.monotonic() - started < LIMIT
    assert (result.exit_code, result.stdout) == (3, ""), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    sentence, hint = result.stderr.splitlines()
    return sentence, hint


@pytest.mark.parametrize("kind", OTHERS)
def test_another_program(kind: str) -> None:
    """What answers instead of the service is told in one sentence, with what to do next."""
    behave, said, todo = OTHERS[kind]
    with other_server(behave) as port:
        sentence, hint = failure("adapters", "list", "--url", f"http://127.0.0.1:{port}")
    assert said in sentence
    assert todo in hint


def test_another_program_does_not_get_the_token() -> None:
    """The token is sent only to what has answered as the service does."""
    seen: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with other_server(behave) as port:
        failure("adapters", "list", "--url", f"http://127.0.0.1:{port}")
    assert b"GET /noauth/health" in seen[0]
    assert TOKEN.encode() not in b"".join(seen)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for wintun.example.com that nobody has signed, and its key."""
    return make_certificate(tmp_path / "pair", "wintun.example.com")


def test_tls_where_http_was_expected(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """A service with TLS that is asked over plain HTTP: the address to use is told."""
    with running(tmp_path, tls_certificate=pair[0], tls_key=pair[1]) as service:
        url = f"http://127.0.0.1:{service.port}"
        sentence, hint = failure("adapters", "list", "--url", url)
    assert "speaks TLS" in sentence
    assert f"--url https://127.0.0.1:{service.port}" in hint


def test_http_where_tls_was_expected(tmp_path: Path) -> None:
    """A service without TLS that is asked over https: the address to use is told."""
    with running(tmp_path) as service:
        url = f"https://127.0.0.1:{service.port}"
        sentence, hint = failure("adapters", "list", "--url", url)
    assert "speaks HTTP without TLS" in sentence
    assert f"--url http://127.0.0.1:{service.port}" in hint


@pytest.mark.thorough
def test_a_silent_server_where_tls_was_expected() -> None:
    """A server that never begins TLS is not waited for either."""
    with other_server(silent) as port:
        sentence, _ = failure("adapters", "list", "--url", f"https://127.0.0.1:{port}")
    assert "does not answer" in sentence


def test_ssh_where_tls_was_expected() -> None:
    """A server that speaks neither is another program."""
    with other_server(answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as port:
        sentence, _ = failure("adapters", "list", "--url", f"https://127.0.0.1:{port}")
    assert "Another program answers" in sentence


def test_a_certificate_that_is_not_trusted(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """A certificate of an unknown authority is named as the reason, with where to put it."""
    with running(tmp_path, tls_certificate=pair[0], tls_key=pair[1]) as service:
        sentence, hint = failure("adapters", "list", "--url", service.url)
    assert "is not trusted here: self" in sentence
    assert "SSL_CERT_FILE" in hint
    assert "_ssl.c" not in sentence


def test_a_certificate_of_another_name(
    tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is trusted, but for another name, is told with that name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    with running(tmp_path, tls_certificate=pair[0], tls_key=pair[1]) as service:
        url = f"https://localhost:{service.port}"
        sentence, hint = failure("adapters", "list", "--url", url)
    assert "localhost" in sentence.partition("here: ")[2]
    assert "a name in --url that the certificate has" in hint


def test_a_host_name_that_is_not_known() -> None:
    """A host name that nothing resolves is told by its name."""
    sentence, hint = failure("adapters", "list", "--url", "http://no-such-host.invalid:9886")
    assert "no-such-host.invalid" in sentence
    assert "--url" in hint


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("command", ["status", "events --follow", "capture x", "inject x --hex 45"])
def test_every_command_looks_first(command: str) -> None:
    """Long commands tell it as the short ones do."""
    with other_server(silent) as port:
        failure(*command.split(), WINTUN_API_URL=f"http://127.0.0.1:{port}")


def test_as_json() -> None:
    """With --json it is a problem document."""
    with other_server(OTHERS["ssh"][0]) as port:
        url = f"http://127.0.0.1:{port}"
        result = invoke("status", "--json", "--url", url, WINTUN_API_TOKEN=TOKEN)
    problem = json.loads(result.stderr)
    assert (problem["title"], problem["exit_code"]) == ("Service not reachable", 3)
