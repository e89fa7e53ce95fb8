"""The traffic that peers answer: both ends together, over a path whose time a test lets pass."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_interface
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.drivers.emulated import dialogues, peers, scenery
from wintun_api.drivers.emulated.dialogues import MAX_TALKS, Dialogues
from wintun_api.drivers.emulated.machine import Device, Machine
from wintun_api.drivers.emulated.message import message_of
from wintun_api.drivers.emulated.peers import Peers
from wintun_api.drivers.emulated.segment import segment_of
from wintun_api.packet import build
from wintun_api.packet.check import rejection

MTU = 1420


def device(*addresses: str) -> Device:
    """Return a device with these addresses."""
    made = Machine().create("Demo", "Example", None, persistent=True)
    made.set_addresses([ip_interface(one) for one in addresses])
    return made


@dataclass
class Path:
    """A host and its peers, and the packets that passed between them, in order."""

    host: Dialogues
    peers: Peers
    sent: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    strays: list[bytes] = field(default_factory=list)

    def run(self, seconds: float, *, every: float = 0.1) -> None:
        """Let time pass; the host begins a conversation so often, and answers travel."""
        numbers = itertools.count()
        travelling: list[tuple[float, int, bytes]] = []
        now, next_talk = 0.0, 0.0

        def send(packets: list[bytes]) -> None:
            for packet in packets:
                self.sent.append(packet)
                for delay, answer in self.peers.answers(packet, now):
                    assert delay > 0
                    heapq.heappush(travelling, (now + delay, next(numbers), answer))

        while now < seconds:
            arrival = travelling[0][0] if travelling else seconds
            now = min(arrival, next_talk, self.host.due(), seconds)
            if now == next_talk:
                next_talk += every
                send(self.host.begin(now))
            send(self.host.run(now))
            while travelling and travelling[0][0] <= now:
                packet = heapq.heappop(travelling)[2]
                self.answered.append(packet)
                replies = self.host.receive(packet, now)
                if replies is None:
                    self.strays.append(packet)
                send(replies or [])


@pytest.fixture(scope="module", params=[("10.6.7.7/24",), ("10.6.7.7/24", "fd06:7::7/64"), ()])
def path(request: pytest.FixtureRequest) -> Path:
    """Ten minutes of it."""
    one = Path(Dialogues(device(*request.param), Random(1)), Peers(Random(2)))
    one.run(600)
    return one


def test_every_packet_is_right(path: Path) -> None:
    """All are whole IP packets that fit the MTU, with right checksums, in both directions."""
    for packet in [*path.sent, *path.answered]:
        assert rejection(packet) is None
        assert len(packet) <= MTU
        message = message_of(packet)
        assert message is not None
        if message.protocol == build.ICMP:
            continue
        assert message.sound(len(message.data))
    assert len(path.sent) > 1000
    assert len(path.answered) > 1000


def test_what_goes_wrong(path: Path) -> None:
    """There are resets, names that do not exist, and segments that are sent again."""
    flags: Counter[int] = Counter()
    codes: Counter[int] = Counter()
    seen: set[tuple[bytes, bytes, int, int, int]] = set()
    again = 0
    for packet in path.answered:
        message = message_of(packet)
        assert message is not None
        if message.protocol == build.UDP and message.data[0:2] == b"\0\x35":
            codes[message.data[11] & 15] += 1
        segment = segment_of(message) if message.protocol == build.TCP else None
        if segment is not None:
            flags[segment.flags] += 1
    for packet in path.sent:
        message = message_of(packet)
        assert message is not None
        segment = segment_of(message) if message.protocol == build.TCP else None
        if segment is not None and segment.length:
            key = (
                *(message.source, message.destination),
                *(segment.source_port, segment.sequence, segment.length),
            )
            again += key in seen
            seen.add(key)
    assert flags[build.TCP_RST | build.TCP_ACK] > 0
    assert flags[build.TCP_SYN | build.TCP_ACK] > 20
    assert codes[0] > 50
    assert codes[3] > 5
    assert again > 0


def test_no_answer_is_a_stray(path: Path) -> None:
    """Nearly all that comes belongs to a conversation that the host still has."""
    assert len(path.strays) < len(path.answered) / 50


def test_connections_end(path: Path) -> None:
    """The peers keep no more of them than the host could have."""
    assert len(path.peers) <= 4 * MAX_TALKS
    assert len(path.host) <= MAX_TALKS


def test_streams_are_complete(path: Path) -> None:
    """The acknowledgements of a host never go back, and reach the end of what its peer sent."""
    highest: dict[tuple[bytes, int], int] = {}
    for packet in path.sent:
        message = message_of(packet)
        assert message is not None
        segment = segment_of(message) if message.protocol == build.TCP else None
        if segment is None:
            continue
        key = (message.destination, segment.source_port)
        if segment.syn:
            highest.pop(key, None)
        elif key in highest:
            assert (segment.acknowledgement - highest[key]) & 0xFFFFFFFF < 1 << 31
        if segment.ack:
            highest[key] = segment.acknowledgement
    assert len(highest) > 50


def test_without_answers_the_host_gives_up() -> None:
    """It repeats what it asks, and then ends; there are never too many conversations."""
    host, now = Dialogues(device("10.6.7.7/24"), Random(3)), 0.0
    sent = 0
    for _ in range(2000):
        now += 0.05
        sent += len(host.begin(now)) + len(host.run(now))
        assert len(host) <= MAX_TALKS
    assert sent > 500
    for _ in range(400):
        now += 0.5
        host.run(now)
    assert len(host) == 0
    assert host.due() == float("inf")


def test_what_belongs_to_no_conversation() -> None:
    """It is left to the hosts, which answer as they did before."""
    host = Dialogues(device("10.6.7.7/24"), Random(4))
    assert (
        host.receive(build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1), 0) is None
    )
    assert host.receive(build.tcp("10.6.7.8", "10.6.7.7", 1, 2), 0) is None


@given(st.binary(max_size=120), st.booleans())
def test_bytes_from_a_host(data: bytes, udp: bool) -> None:
    """Nothing that a host sends makes the peers fail."""
    one = Peers(Random(5))
    one.answers(data, 0.0)
    ports = (peers.DNS, peers.NTP, peers.MDNS, peers.TLS, peers.SYSLOG, peers.HTTP)
    for port in ports:
        if udp:
            one.answers(build.udp("10.6.7.7", "198.51.100.10", 50000, port, data), 0.0)
        else:
            one.answers(
                build.tcp("10.6.7.7", "198.51.100.10", 50000, port, flags=24, payload=data), 0.0
            )


@given(st.binary(max_size=200))
def test_bytes_to_a_host(data: bytes) -> None:
    """Nothing that comes to a host makes its conversations fail."""
    host = Dialogues(device("10.6.7.7/24"), Random(6))
    first = [packet for _ in range(MAX_TALKS) for packet in host.begin(0.0)]
    host.receive(data, 0.1) if len(data) >= 40 else None
    for packet in first:
        message = message_of(packet)
        assert message is not None
        if message.protocol == build.UDP and not message.receiver.is_multicast:
            own = int.from_bytes(message.data[0:2], "big")
            port = int.from_bytes(message.data[2:4], "big")
            host.receive(build.udp(message.receiver, message.sender, port, own, data), 0.2)


@pytest.mark.parametrize("kind", [scenery.A, scenery.AAAA])
def test_names_have_the_addresses_that_are_used(kind: int) -> None:
    """What a resolver answers is where the host then connects to."""
    for name in scenery.NAMES:
        answer = scenery.answer(scenery.question(name, kind, 7))
        version = 4 if kind == scenery.A else 6
        assert answer.endswith(scenery.address_of(name, version).packed)
        assert scenery.asked(answer) == (name, kind)
    for name in scenery.MISSING:
        assert scenery.answer(scenery.question(name, kind, 7))[3] & 15 == 3


def test_the_patience_of_both_ends() -> None:
    """A host waits longer than any peer takes."""
    assert dialogues.PATIENCE > 0.008 + 0.063 * 1.25
