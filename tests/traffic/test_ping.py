"""ping, answered by a WebSocket client behind the adapter."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.running import RunningService
from tests.traffic.peers import responder
from wintun_api.wire import BATCH, RAW

pytestmark = needs_kernel


@pytest.mark.parametrize("protocol", [RAW, BATCH])
@pytest.mark.parametrize("destination", ["10.6.7.8", "fd06:7::8"])
def test_ping_without_loss(kernel_service: RunningService, protocol: str, destination: str) -> None:
    """20 of 20 echo requests are answered."""
    adapter = kernel_service.adapter(
        name="OfficeNet", mtu=1420, addresses=["10.6.7.7/24", "fd06:7::7/64"]
    )
    session = kernel_service.session(adapter)["id"]
    with responder(kernel_service, session, protocol):
        ping = subprocess.run(
            ["ping", "-c", "20", "-i", "0.05", "-W", "2", destination],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert re.search(r"20 packets transmitted, 20 received, 0% packet loss", ping.stdout), ping
    counters = kernel_service.counters(session)
    assert counters["injected"]["packets"] >= 20
    assert counters["lost"]["queue"] == counters["lost"]["ring"] == 0
