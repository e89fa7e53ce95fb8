"""A recorder under a flood of a kernel TUN device."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.capture import tshark
from tests.capture.capinfos import info_of
from tests.drivers.linux.kernel import needs_kernel
from tests.running import RunningService
from tests.traffic.datagrams import DATAGRAM, flooded, numbered
from tests.waiting import until

pytestmark = [*needs_kernel, pytest.mark.thorough]

SECONDS = 1
MIB = 1 << 20


def flood(service: RunningService, limits: dict[str, Any]) -> str:
    """Record a session while the host sends as fast as it can; return its id when all is there."""
    adapter = service.adapter(name="Flood", mtu=1420, addresses=["10.6.7.7/24"])
    session = str(service.session(adapter, capacity=0x4000000)["id"])
    before = received(service, session)
    service.http.put(f"/v1/sessions/{session}/recorder", json=limits).raise_for_status()
    after = received(service, session)  # the host says other things too, perhaps just now
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("10.6.7.9", 9))
        sent, deadline = 0, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for _ in range(1000):
                sender.send(numbered(sent))
                sent += 1
            view = state(service, session)
            assert view["used"] <= view["bytes"]
            assert view["recorded"] == view["packets"] + view["expired"] + view["displaced"]

    def all_recorded() -> bool:
        taken, lost = received(service, session), service.counters(session)["lost"]["ring"]
        missed = taken - int(state(service, session)["recorded"])
        return bool(taken + lost >= sent) and before <= missed <= after

    until(all_recorded)
    return session


def received(service: RunningService, session: str) -> int:
    """Return how many packets the session has received."""
    return int(service.counters(session)["received"]["packets"])


def state(service: RunningService, session: str) -> dict[str, Any]:
    """Return the recorder."""
    return dict(service.http.get(f"/v1/sessions/{session}/recorder").json())


@tshark.needs_tshark
def test_what_is_displaced_is_counted(kernel_service: RunningService, tmp_path: Path) -> None:
    """All that the session received was recorded, and the newest packets are in the file."""
    session = flood(kernel_service, {"bytes": MIB, "seconds": 3600})
    view = state(kernel_service, session)
    assert view["recorded"] == view["packets"] + view["displaced"]
    assert view["displaced"] > view["packets"] > 0.4 * MIB / (DATAGRAM + 28)
    path = tmp_path / "flood.pcapng"
    path.write_bytes(kernel_service.http.get(f"/v1/sessions/{session}/recorder.pcapng").content)
    assert info_of(path).packets == len(tshark.read(path)) == view["packets"]
    numbers = flooded(tshark.contents(path))
    assert len(numbers) > 0.9 * view["packets"]
    assert numbers == sorted(set(numbers))


def test_what_is_too_old_is_counted(kernel_service: RunningService) -> None:
    """When the flood is over, everything expires, and no memory is used."""
    session = flood(kernel_service, {"bytes": 64 * MIB, "seconds": 0.2})
    until(lambda: state(kernel_service, session)["packets"] == 0)
    view = state(kernel_service, session)
    assert view["recorded"] == view["expired"] + view["displaced"]
    assert view["expired"] > 0
    assert view["used"] == 0
