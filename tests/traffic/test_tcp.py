"""TCP between two hosts, each with a service of its own, joined by a WebSocket client.

The hosts are network namespaces; no other program takes part.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import inside, needs_kernel
from tests.traffic.hosts import Host, host
from tests.traffic.peers import joined

pytestmark = needs_kernel

SIZE = 16 * 1024 * 1024
BLOCK = 1024 * 1024


def test_tcp_each_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """16 MiB arrive whole in each direction, and the log is clean."""
    with host(tmp_path / "one", "10.6.7.1") as one, host(tmp_path / "other", "10.6.7.2") as other:
        ends = []
        for end in (one, other):
            with inside(end.descriptor):
                ends.append(end.service.packets(end.session).__enter__())
        with joined(*ends):
            for sender, receiver in ((one, other), (other, one)):
                assert sent(sender, receiver) == SIZE
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")] == []


def sent(sender: Host, receiver: Host) -> int:
    """Send random bytes over one connection; return how many came, if they are the same."""
    with inside(receiver.descriptor):
        listener = socket.create_server((receiver.address, 0))
    arrived, count = hashlib.sha256(), 0

    def receive() -> None:
        nonlocal count
        with listener, listener.accept()[0] as connection:
            while data := connection.recv(BLOCK):
                arrived.update(data)
                count += len(data)

    thread = threading.Thread(target=receive)
    thread.start()
    given = hashlib.sha256()
    with inside(sender.descriptor):
        connection = socket.create_connection(listener.getsockname(), timeout=60)
    with connection:
        for _ in range(SIZE // BLOCK):
            block = os.urandom(BLOCK)
            given.update(block)
            connection.sendall(block)
    thread.join(60)
    return count if arrived.digest() == given.digest() else -1
