"""Clients that vanish without a word are noticed; those that only do not read are not ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.raw_connection import Raw, handshake, request
from tests.drivers.linux.kernel import ip, namespace
from tests.needs import need
from tests.running import TOKEN, RunningService, running
from tests.waiting import let_pass, within
from wintun_api.api import listener, vanished

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs network namespaces"),
    pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="needs root"),
]

AUTH = f"Authorization: Bearer {TOKEN}"
HERE, THERE = "10.9.9.1", "10.9.9.2"
PATIENCE = 30.0

# The client's side: it sends a request over the cable, reads what comes until it has the head, and
# says so; then it reads no more, and never ends.
CLIENT = """
import socket, sys
opened = socket.socket()
opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
opened.connect((sys.argv[1], int(sys.argv[2])))
opened.sendall(sys.stdin.buffer.read())
got = b""
while b"\\r\\n\\r\\n" not in got:
    got += opened.recv(100)
print(got.split(b" ")[1].decode(), flush=True)
sys.stdout.close()
import signal
signal.pause()
"""


class Cable:
    """A link between this network namespace and another one, where clients live."""

    def __init__(self) -> None:
        need("unshare", "nsenter", "ip")
        self._there = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE)
        mine = Path("/proc/thread-self/ns/net").readlink()
        theirs = Path(f"/proc/{self._there.pid}/ns/net")
        assert within(PATIENCE, lambda: theirs.readlink() != mine)
        ip("link", "add", "here", "type", "veth", "peer", "there", "netns", str(self._there.pid))
        ip("addr", "add", f"{HERE}/24", "dev", "here")
        ip("link", "set", "here", "up")
        self._inside("ip", "addr", "add", f"{THERE}/24", "dev", "there")
        self._inside("ip", "link", "set", "there", "up")
        self._clients: list[subprocess.Popen[bytes]] = []

    def _inside(self, *command: str) -> None:
        target = f"--target={self._there.pid}"
        subprocess.run(["nsenter", target, "--net", *command], check=True, timeout=30)

    def client(self, port: int, data: bytes) -> int:
        """Let a client send a request from the other side; return the status it got."""
        target = f"--target={self._there.pid}"
        command = [sys.executable, "-c", CLIENT, HERE, str(port)]
        one = subprocess.Popen(
            ["nsenter", target, "--net", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._clients.append(one)
        assert one.stdin is not None
        assert one.stdout is not None
        one.stdin.write(data)
        one.stdin.close()
        return int(one.stdout.readline())

    def cut(self) -> None:
        """Drop everything from now on; neither side is told."""
        self._inside("ip", "link", "set", "there", "down")

    def close(self) -> None:
        """End the clients, and with them the other namespace."""
        for one in self._clients:
            one.kill()
            one.wait()
            if one.stdout is not None:
                one.stdout.close()
        self._there.communicate()


@contextmanager
def wired(tmp_path: Path, **settings: Any) -> Iterator[tuple[RunningService, Cable]]:
    """A service at every address of a network namespace, with a cable to clients."""
    with namespace():
        cable = Cable()
        try:
            bind: dict[str, Any] = {"host": "0.0.0.0", "allow_insecure_bind": True}
            with running(tmp_path, allowed_hosts=(HERE,), **bind, **settings) as service:
                yield service, cable
        finally:
            cable.close()


def held(service: RunningService) -> int:
    """Return how many connections there are but for the test's own."""
    admission = service.service.context.connections
    assert admission is not None
    return sum(1 for seat in admission.seats() if seat.has_token)


def until(service: RunningService, count: int) -> bool:
    """Wait until so many streams are left; say whether that came in time."""
    return within(PATIENCE, lambda: held(service) == count)


def streams(session: str) -> list[bytes]:
    """Return the requests for every kind of stream."""
    batch = "Sec-WebSocket-Protocol: v1.batch.wintun-api"
    return [
        handshake("/v1/events", AUTH),
        handshake(f"/v1/sessions/{session}/packets", AUTH, batch),
        handshake(f"/v1/sessions/{session}/packets?direction=injected", AUTH),
        request(f"/v1/sessions/{session}/capture.pcapng", AUTH),
        request("/v1/events", AUTH),
    ]


@pytest.mark.thorough
def test_idle_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's keep-alive notices that the cable of idle streams is cut."""
    quick = (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2))
    monkeypatch.setattr(listener, "KEEPALIVE", quick)
    with wired(tmp_path) as (service, cable):
        session = service.session(service.adapter(name="A1"))["id"]
        asked = streams(session)
        for data in asked:
            assert cable.client(service.port, data) in (101, 200)
        assert until(service, len(asked))
        cable.cut()
        assert until(service, 0)


def test_busy_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While data is on its way nothing tells of the cut but the look at what is acknowledged."""
    monkeypatch.setattr(vanished, "INTERVAL", 0.2)
    monkeypatch.setattr(vanished, "SILENCE", 2.0)
    with wired(tmp_path, traffic=500) as (service, cable):
        session = service.session(service.adapter(name="A1"))["id"]
        assert cable.client(service.port, streams(session)[3]) == 200
        assert cable.client(service.port, streams(session)[1]) == 101
        assert until(service, 2)
        cable.cut()
        assert until(service, 0)
        admission = service.service.context.connections
        assert admission is not None
        assert admission.closed["vanished"] == 2


@pytest.mark.thorough
def test_a_client_that_does_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is there and pauses is not taken for one that has gone."""
    monkeypatch.setattr(vanished, "INTERVAL", 0.1)
    monkeypatch.setattr(vanished, "SILENCE", 4.0)
    with running(tmp_path, traffic=5000, socket_bytes=4096) as service:
        session = service.session(service.adapter(name="A1"))["id"]
        with Raw(service.port) as raw:
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.send(streams(session)[3])
            assert raw.answer().status == 200
            let_pass(7)  # what is tested is that nothing happens in this time
            admission = service.service.context.connections
            assert admission is not None
            assert admission.closed == {}
            assert held(service) == 1
