"""A flood through a kernel TUN device, with a client that does not read."""

from __future__ import annotations

import socket
import time

import psutil
import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.running import RunningService, receive
from tests.traffic.datagrams import flooded, numbered
from wintun_api.client import Loss

pytestmark = needs_kernel

SECONDS = 3


@pytest.mark.thorough
def test_a_stalled_client_under_a_flood(kernel_service: RunningService) -> None:
    """The other client gets every packet, the stalled one an exact account, memory its bounds."""
    adapter = kernel_service.adapter(name="Flood", mtu=1420, addresses=["10.6.7.7/24"])
    session = kernel_service.session(adapter, capacity=0x4000000)["id"]
    before = psutil.Process().memory_info().rss
    with (
        kernel_service.packets(session, queue_packets=4096, max_queue=1) as stalled,
        kernel_service.packets(session) as reader,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood,
    ):
        flood.connect(("10.6.7.9", 9))
        sent = 0
        numbers: list[int] = []
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for _ in range(100):
                flood.send(numbered(sent))
                sent += 1
            while len(numbers) < sent:  # in step with the reader, so that the ring loses nothing
                numbers += flooded(receive(reader, 1))
        assert numbers == list(range(sent))
        grown = psutil.Process().memory_info().rss - before
        got: list[bytes] = []
        lost = 0
        total = kernel_service.counters(session)["received"]["packets"]
        for one in stalled:
            if isinstance(one, Loss):
                assert one.count is not None
                lost += one.count
            else:
                got += one.packets
            if len(got) + lost >= total:
                break
        counters = kernel_service.counters(session)
        assert lost == counters["lost"]["queue"] > 0
        assert counters["lost"]["ring"] == 0
        assert grown < 64 * 1024 * 1024  # whatever was offered
