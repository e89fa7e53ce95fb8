"""What a service manager is told, over a socket as systemd makes one."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Program
from tests.needs import leave_out
from wintun_api.cli import notify

if sys.platform == "win32":
    leave_out("systemd is Linux's", module=True)
assert sys.platform != "win32"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket on which a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(20)
        yield listener


def test_life(manager: socket.socket, tmp_path: Path) -> None:
    """`serve` says when it answers, and when it ends."""
    address = manager.getsockname()
    program = Program(
        tmp_path / "run", "serve", "--driver", "emulated", "--port", "0", NOTIFY_SOCKET=address
    )
    try:
        ready, status = manager.recv(4096).decode().splitlines()
        assert ready == "READY=1"
        assert status.startswith("STATUS=The driver emulated at http://127.0.0.1:")
        code, _ = program.end(signal.SIGTERM)
        assert code == 0
        assert manager.recv(4096) == b"STOPPING=1"
    finally:
        program.close()


@pytest.mark.skipif(sys.platform != "linux", reason="such names are Linux's")
def test_abstract_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager's socket may be in no file system."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("")  # takes a free abstract name
        listener.settimeout(20)
        name = listener.getsockname()
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name[1:].decode())
        notify.stopping()
        assert listener.recv(4096) == b"STOPPING=1"


def test_no_socket_to_notify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A manager that is gone, or was never there, is no error."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify.ready("here")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify.stopping()
