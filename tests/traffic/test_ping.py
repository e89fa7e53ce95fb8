"""ping, answered by a WebSocket client behind the adapter."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.needs import needs
from tests.running import RunningService
from tests.traffic.peers import responder
from tests.traffic.pings import ping
from wintun_api.wire import BATCH, RAW

pytestmark = needs_kernel

COUNT = 20


@contextmanager
def answered(service: RunningService, protocol: str) -> Iterator[None]:
    """An adapter with a client that answers; at the end nothing was lost on the way."""
    adapter = service.adapter(name="OfficeNet", mtu=1420, addresses=["10.6.7.7/24", "fd06:7::7/64"])
    session = service.session(adapter)["id"]
    with responder(service, session, protocol):
        yield
    counters = service.counters(session)
    assert counters["injected"]["packets"] >= COUNT
    assert counters["lost"]["queue"] == counters["lost"]["ring"] == 0


@pytest.mark.parametrize("protocol", [RAW, BATCH])
@pytest.mark.parametrize("destination", ["10.6.7.8", "fd06:7::8"])
def test_ping_without_loss(kernel_service: RunningService, protocol: str, destination: str) -> None:
    """20 of 20 echo requests are answered, with their data."""
    with answered(kernel_service, protocol):
        assert ping(destination, COUNT) == COUNT


@needs("ping")
@pytest.mark.parametrize("destination", ["10.6.7.8", "fd06:7::8"])
def test_the_program_ping(kernel_service: RunningService, destination: str) -> None:
    """The system's own ping says the same."""
    with answered(kernel_service, BATCH):
        done = subprocess.run(
            ["ping", "-c", str(COUNT), "-i", "0.01", "-W", "30", destination],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert re.search(r"20 packets transmitted, 20 received, 0% packet loss", done.stdout), done
