"""TCP between two hosts, each with a service of its own, joined by a WebSocket client.

The hosts are network namespaces; no other program takes part.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import inside, namespace, needs_kernel
from tests.running import RunningService, running
from tests.traffic.peers import joined
from wintun_api.wire import BATCH

pytestmark = needs_kernel

SIZE = 16 * 1024 * 1024
BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace, its address in the tunnel, and its service with a running session."""

    descriptor: int
    address: str
    service: RunningService
    session: str


@contextmanager
def host(folder: Path, address: str) -> Iterator[Host]:
    """Make a namespace with a service and an adapter."""
    folder.mkdir()
    with (
        namespace(),
        Path("/proc/thread-self/ns/net").open() as here,
        running(folder, driver="linux", log_level="warning") as service,
    ):
        adapter = service.adapter(name="Tunnel", mtu=1420, addresses=[f"{address}/24"])
        yield Host(here.fileno(), address, service, service.session(adapter)["id"])


def test_tcp_each_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """16 MiB arrive whole in each direction, and the log is clean."""
    with host(tmp_path / "one", "10.6.7.1") as one, host(tmp_path / "other", "10.6.7.2") as other:
        ends = []
        for end in (one, other):
            with inside(end.descriptor):
                ends.append(
                    end.service.connect(f"/v1/sessions/{end.session}/packets", BATCH).__enter__()
                )
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
