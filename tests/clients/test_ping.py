"""Each client answers ping through a kernel TUN device."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.clients.conftest import Built
from tests.clients.programs import CLIENTS, HERE, Client
from tests.drivers.linux.kernel import needs_kernel
from tests.needs import need
from tests.running import TOKEN, RunningService
from tests.waiting import until

pytestmark = [pytest.mark.heavy, *needs_kernel]


@contextmanager
def running_client(service: RunningService, session: str, command: list[str]) -> Iterator[None]:
    """Run a client until it is subscribed, and for a while."""
    environment = {**os.environ, "API": service.url, "TOKEN": TOKEN}
    client = subprocess.Popen(command, env=environment)
    try:
        path = f"/v1/sessions/{session}"
        until(lambda: client.poll() is not None or service.http.get(path).json()["subscribers"])
        assert client.poll() is None, "the client ended"
        yield
        assert client.poll() is None, "the client ended"
    finally:
        client.terminate()
        client.wait(30)


def ping(service: RunningService, command: list[str]) -> None:
    """Twenty echo requests, twenty replies, nothing refused; `SESSION` in the command is filled."""
    adapter = service.adapter(name="OfficeNet", mtu=1420, addresses=["10.6.7.7/24"])
    session = service.session(adapter)["id"]
    filled = [session if part == "SESSION" else part for part in command]
    with running_client(service, session, filled):
        done = subprocess.run(
            ["ping", "-c", "20", "-i", "0.02", "-W", "5", "10.6.7.99"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert re.search(r"20 packets transmitted, 20 received, 0% packet loss", done.stdout), done
    counters = service.counters(session)
    assert counters["injected"]["packets"] == 20
    assert counters["lost"]["rejected"] == {}


@pytest.mark.parametrize(
    ("client", "protocol"),
    [
        pytest.param(client, protocol, id=f"{client.name}-{protocol}")
        for client in CLIENTS.values()
        for protocol in client.protocols
    ],
)
def test_ping(
    builder: Callable[[Client], Built],
    kernel_service: RunningService,
    client: Client,
    protocol: str,
) -> None:
    """In a packet a message, and in batches."""
    ping(kernel_service, builder(client).command(client.tunnel, "SESSION", protocol))


def test_the_short_one(kernel_service: RunningService) -> None:
    """The program for Node that the guide shows."""
    need("node")
    if not (HERE / "node" / "node_modules").is_dir():
        pytest.fail("npm ci") if os.environ.get("CI") else pytest.skip("not installed: npm ci")
    ping(kernel_service, ["node", str(HERE / "node" / "raw.mjs"), "SESSION"])
