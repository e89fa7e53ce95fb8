"""README does what it says: its lines can be pasted, and its program is one end of a tunnel."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guide import shell
from tests.guide.blocks import README, only
from tests.running import TOKEN, RunningService

# An ICMP echo request from 10.6.7.8 to 10.6.7.7, as README writes it for printf.
ECHO = bytes.fromhex("4500001c00000000400158c70a0607080a0607070800f7fd00010001")
TRIES = 120


@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a POSIX shell")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(service: RunningService, tmp_path: Path) -> None:
    """The five lines of the block "curl" work one by one, and the session is there after them."""
    lines = only(README, "curl").splitlines()
    assert len(lines) == 5
    # Programs that are started later have the variables too.
    after = 'sh -c \'test -n "$API" -a -n "$TOKEN" -a -n "$SESSION" && printenv SESSION\''
    done = shell.run(service, tmp_path, "\n".join([*lines, after]))
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()  # a line each: none runs into the next
    assert len(answers) == 4, done.stdout
    assert '"name":"OfficeNet"' in answers[0]
    assert '"accepted":1' in answers[1]
    assert '"received":{"packets":1,' in answers[2]  # the host answered
    assert service.http.get(f"/v1/sessions/{answers[3]}").json()["state"] == "running"


def test_the_tunnel(service: RunningService, tmp_path: Path) -> None:
    """The program of the block "tunnel" carries a ping of its peer to the host, and the answer."""
    code = only(README, "tunnel")
    assert sum(map(bool, code.splitlines())) <= 13
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        try:
            peer.bind(("127.0.0.2", 0))
        except OSError:
            pytest.skip("this system has one loopback address")
        port = peer.getsockname()[1]
        assert code.count("51820") == 2
        file = tmp_path / "tunnel.py"
        code = code.replace("51820", str(port)).replace("0.0.0.0", "127.0.0.1")
        file.write_text(code.replace("10.9.0.1/24", "10.6.7.7/24"))
        environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
        with subprocess.Popen([sys.executable, file, "127.0.0.2"], env=environment) as program:
            try:
                assert answer(peer, ("127.0.0.1", port), program)[20] == 0  # an echo reply
            finally:
                program.terminate()


def answer(peer: socket.socket, to: tuple[str, int], program: subprocess.Popen[bytes]) -> bytes:
    """Send pings until the program, which needs a moment to start, brings an answer."""
    peer.settimeout(0.5)
    for _ in range(TRIES):
        assert program.poll() is None
        try:
            peer.sendto(ECHO, to)
            return peer.recv(65535)
        except (TimeoutError, ConnectionError):
            continue
    raise AssertionError("The peer got nothing.")
