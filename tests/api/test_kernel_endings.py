"""On kernel TUN devices too: *sent by the host = received + lost*, in every ending."""

from __future__ import annotations

import json
import socket
from collections import Counter
from typing import Any

import pytest

from tests.api.watcher import Watcher, delete_session, the_session
from tests.conftest import Rig
from tests.drivers.linux.kernel import ip, keep_quiet, needs_kernel
from tests.raw_websocket import open_websocket
from tests.running import RunningService
from tests.waiting import until
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub.session import ManagedSession
from wintun_api.packet import build
from wintun_api.wire import BATCH

pytestmark = needs_kernel

NAME = "t0"
PEER = "10.6.7.9"


class Started:
    """A session on a kernel device that nothing but the test sends through."""

    def __init__(self, service: RunningService, **more: Any) -> None:
        keep_quiet()
        self.service = service
        self.rig = Rig(service, EmulatedLibrary(Generation.POOL, Machine()))
        self.adapter = service.adapter(name=NAME, addresses=["10.6.7.7/24"], **more)
        self.link = self.adapter["interface_name"]
        self.id = str(service.session(self.adapter)["id"])
        self.managed: ManagedSession = the_session(self.rig, self.id)

    def watch(self, query: str) -> Watcher:
        """Connect a client that does not read yet."""
        client = Watcher(self.rig, self.id, BATCH, f"{query}&direction=received")
        until(lambda: bool(self.managed.clients))
        return client

    def flood(self, total: int, size: int = 1000) -> int:
        """Let the host send as fast as it can; return how many it took."""
        payload, sent = bytes(size), 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 26)
            sender.setblocking(False)
            for _ in range(total):
                try:
                    sender.sendto(payload, (PEER, 9))
                    sent += 1
                except OSError:  # its own buffer is full, or the device has gone
                    continue
        return sent

    def host_packets(self) -> int:
        """Count what the host gave to the device, or lost on the way into it."""
        view = self.managed.view()
        counters = view.counters
        assert view.ring_lost is not None
        return counters.received_packets + view.ring_lost + counters.truncated


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "block"])
@pytest.mark.parametrize("reads", [True, False], ids=["fast", "stalled"])
def test_a_flood_before_the_end(kernel_service: RunningService, reads: bool, overflow: str) -> None:
    """What the host sent is received or lost in the ring; what was received, delivered or lost."""
    started = Started(kernel_service)
    client = started.watch(f"?overflow={overflow}&queue_packets=1000")
    if reads:
        client.read()
    sent = started.flood(20_000)
    counters = delete_session(started.rig, started.id)
    client.join()
    lost = counters["lost"]
    total = counters["received"]["packets"] + lost["ring"] + lost["truncated"]
    assert total == sent
    assert {packet[0] >> 4 for packet in client.packets} == {4}
    delivered = len(client.packets)
    offered = counters["received"]["packets"] - started.managed.counters.received_unclaimed
    assert delivered + lost["queue"] + lost["ended"] == offered
    assert client.lost().total() == lost["queue"] + lost["ended"] + lost["ring"]


def test_removed_from_outside(kernel_service: RunningService) -> None:
    """What was dropped before the device went is known, and told."""
    started = Started(kernel_service)
    client = started.watch("?overflow=drop_oldest&queue_packets=1000")
    sent = started.flood(5000)
    until(lambda: started.host_packets() == sent)  # what still waits would go with the device
    ip("link", "del", started.link)
    until(lambda: started.managed.state.over)
    client.join()
    counters = started.managed.counters
    assert started.managed.view().ring_lost is not None
    assert started.host_packets() == sent
    delivered = len(client.packets)
    offered = counters.received_packets - counters.received_unclaimed  # before it connected
    assert delivered + counters.queue_lost + counters.ended == offered


def test_a_queue_shortened_from_outside(kernel_service: RunningService) -> None:
    """What another program throws out of the host's queue is lost in the ring, and told."""
    started = Started(kernel_service)
    client = started.watch("?overflow=block&queue_packets=100")
    with open_websocket(kernel_service, "/v1/events") as events:
        sent = fill(started)
        ip("link", "set", started.link, "txqueuelen", "20")
        sent += started.flood(100)
        counters = delete_session(started.rig, started.id)
        told = losses_in(events)
    client.join()
    lost = counters["lost"]
    assert counters["received"]["packets"] + lost["ring"] == sent
    assert lost["ring"] > 100
    assert told["ring"] == lost["ring"] == client.lost()["ring"]


def test_removed_with_a_queue(kernel_service: RunningService) -> None:
    """A device that goes with packets in its queue: what is known is counted, the rest is told."""
    started = Started(kernel_service)
    client = started.watch("?overflow=block&queue_packets=100")
    sent = fill(started)
    ip("link", "del", started.link)
    client.read()
    until(lambda: started.managed.state.over)
    client.join()
    assert "waited in its queue were lost" in str(started.managed.reason)
    assert "waited in its queue were lost" in client.texts[-1]["reason"]
    assert 0 < started.host_packets() <= sent


def fill(started: Started) -> int:
    """Send until a client that does not read holds the queue back, and packets wait there."""
    sent = 0
    while not started.managed.fanout.blocked:
        sent += started.flood(100)
    return sent + started.flood(500)


def losses_in(events: Any) -> Counter[str]:
    """Return what was lost by the end of the session, by cause."""
    counts: Counter[str] = Counter()
    while (event := json.loads(events.recv(10)))["type"] != "session.ended":
        if event["type"] == "session.loss":
            counts[event["data"]["cause"]] += event["data"]["count"]
    return counts


def test_a_link_set_down_while_injecting(kernel_service: RunningService) -> None:
    """What finds it down is refused in acks and counters, not accepted."""
    started = Started(kernel_service)
    packet = build.udp("10.6.7.8", "10.6.7.7", 1, 2, bytes(100))
    before = host_received(started.link)
    with kernel_service.packets(started.id, direction="none") as stream:
        first = stream.send([packet] * 50)
        ip("link", "set", started.link, "down")
        second = stream.send([packet] * 30)
    assert (first.accepted, second.accepted) == (50, 0)
    assert second.refused == {"link_down": 30}
    counters = kernel_service.counters(started.id)
    assert counters["lost"]["refused"] == {"link_down": 30}
    assert counters["injected"]["packets"] == 50
    assert host_received(started.link) - before == 50


def test_a_raised_mtu(kernel_service: RunningService) -> None:
    """Packets larger than the MTU was at first come whole."""
    started = Started(kernel_service)
    client = started.watch("?queue_packets=8000")
    client.read()
    ip("link", "set", started.link, "mtu", "9000")
    sent = started.flood(200, 8000)
    counters = delete_session(started.rig, started.id)
    client.join()
    assert counters["lost"]["truncated"] == 0
    large = [packet for packet in client.packets if len(packet) == 8028]
    assert len(large) + counters["lost"]["ring"] == sent


def host_received(link: str) -> int:
    """Return how many packets the kernel got through the device."""
    fields = ip("-s", "link", "show", link).split("RX:")[1].splitlines()[1].split()
    return int(fields[1])
