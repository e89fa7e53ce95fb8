from __future__ import annotations

import random
from ipaddress import ip_address
from math import inf

import pytest

from tests.drivers.emulated.tcp_peer import ACK, ADDRESSES, FIN, RST, SYN, Peer, segments
from wintun_api.drivers.emulated.connection import CAPACITY
from wintun_api.drivers.emulated.echo import MAX_CONNECTIONS, EchoService
from wintun_api.drivers.emulated.message import message_of


@pytest.fixture
def service() -> EchoService:
    return EchoService(lambda: 1500)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("port", [0, 6, 8, 80, 1024, 65535])
def test_closed_port(service: EchoService, version: int, port: int) -> None:
    """Every other port refuses a SYN (RFC 9293, section 3.10.7.1)."""
    peer = Peer(service, version, to=port)
    (answer,) = peer.says(SYN, 0, data=b"xyz")
    assert (answer.flags, answer.sequence, peer.places(answer)[1]) == (RST | ACK, 0, 4)
    assert (answer.source_port, answer.destination_port) == (port, 40000)
    assert service.accounts.refused == 1
    assert len(service) == 0


@pytest.mark.parametrize("port", [7, 80])
@pytest.mark.parametrize("flags", [ACK, SYN | ACK, FIN | ACK])
def test_no_connection(service: EchoService, port: int, flags: int) -> None:
    """What acknowledges something without a connection gets a reset with that number."""
    peer = Peer(service, to=port)
    (answer,) = peer.says(flags, 1, 55)
    assert (answer.flags, answer.sequence) == (RST, 55)


@pytest.mark.parametrize("port", [7, 80])
@pytest.mark.parametrize("flags", [RST, RST | ACK])
def test_no_answer_to_a_reset(service: EchoService, port: int, flags: int) -> None:
    """A reset is never answered."""
    assert Peer(service, to=port).says(flags) == []


@pytest.mark.parametrize("flags", [0, FIN, SYN | FIN])
def test_dropped_by_a_listener(service: EchoService, flags: int) -> None:
    """What neither asks for a connection nor acknowledges is dropped by a port that listens."""
    assert Peer(service).says(flags) == []
    assert len(service) == 0


def test_broken(service: EchoService) -> None:
    """Segments with a wrong checksum are dropped and counted."""
    packet = bytearray(Peer(service).packet(SYN, 0))
    packet[-1] ^= 1
    message = message_of(bytes(packet))
    assert message is not None
    assert service.receive(message, 0.0) == []
    assert service.accounts.broken == 1


def test_initial_numbers(service: EchoService) -> None:
    """Initial numbers differ by connection and grow with time (RFC 9293, section 3.4.1)."""
    numbers = set()
    for port in range(30):
        peer = Peer(service, port=port)
        peer.asks()
        numbers.add(peer.heard)
    assert len(numbers) == 30
    first, later = Peer(service, port=99), Peer(service, port=99)
    first.asks()
    first.says(RST, 1)
    later.now += 10
    later.asks()
    assert 0 < (later.heard - first.heard) & 0xFFFFFFFF < 1 << 31


def test_separate(service: EchoService) -> None:
    """Connections of several ports and versions do not meet."""
    peers = [Peer(service, version, port=port).opens() for version in (4, 6) for port in (1, 2)]
    for number, peer in enumerate(peers):
        (answer,) = peer.says(ACK, 1, 1, bytes((number,)))
        assert answer.data == bytes((number,))


def test_the_silent_one_makes_room(service: EchoService) -> None:
    """One more than there is room for: the one that was silent longest is reset and counted."""
    peers = [Peer(service, port=port).opens() for port in range(MAX_CONNECTIONS)]
    peers[0].says(ACK, 1, 1, b"x")
    extra = Peer(service, port=50000)
    reset, answer = extra.says(SYN, 0)
    assert (reset.flags, reset.destination_port) == (RST | ACK, 1)
    assert peers[1].places(reset) == (1, 1)
    assert answer.flags == SYN | ACK
    assert len(service) == MAX_CONNECTIONS
    assert service.accounts.dropped == 1
    (gone,) = peers[1].says(ACK, 1, 1, b"x")
    assert gone.flags == RST
    assert peers[0].says(ACK, 2, 2, b"y")[0].data == b"y"


def test_a_flood_harms_no_connection(service: EchoService) -> None:
    """Handshakes that nobody ends make room for each other, not at the cost of connections."""
    peer = Peer(service, port=9).opens()
    for port in range(10_000, 10_000 + 3 * MAX_CONNECTIONS):
        Peer(service, port=port).asks()
    assert len(service) == MAX_CONNECTIONS
    assert peer.says(ACK, 1, 1, b"x")[0].data == b"x"


def test_memory(service: EchoService) -> None:
    """What all connections hold has a bound."""
    for port in range(MAX_CONNECTIONS):
        peer = Peer(service, port=port).opens(window=0)
        for place in range(1, 400_000, 20_000):
            peer.says(ACK, place + 5, 1, bytes(20_000), window=0)
            peer.says(ACK, place, 1, bytes(20_000), window=0)
    assert 0 < service.held <= MAX_CONNECTIONS * (CAPACITY + 65535)


def test_forget(service: EchoService) -> None:
    """Connections of addresses that are gone are forgotten, with their timers."""
    four, six = Peer(service, 4).opens(), Peer(service, 6).opens()
    for peer in (four, six):
        peer.says(ACK, 1, 1, b"x")
    service.forget(lambda address: address == ip_address(ADDRESSES[6][1]))
    assert len(service) == 1
    assert service.due() < inf
    service.forget()
    assert (len(service), service.due()) == (0, inf)
    assert six.says(ACK, 2, 2)[0].flags == RST


@pytest.mark.parametrize("seed", range(4))
def test_never_raises(service: EchoService, seed: int) -> None:
    """The service answers any segments with right ones, and never fails."""
    choose = random.Random(seed)
    peers = [Peer(service, choose.choice((4, 6)), port=port) for port in range(6)]
    for _ in range(6000):
        peer = choose.choice(peers)
        peer.now += choose.choice((0, 0, 0, 0.01, 1, 30))
        if choose.random() < 0.1:
            peer.asks(choose.choice((None, 1, 88, 1460)), choose.choice((0, 1, 500, 65535)))
            continue
        flags = choose.choice((ACK, ACK, ACK, ACK | FIN, SYN, RST, choose.randrange(256)))
        near = choose.choice((1, 1, 2, 500, choose.randrange(70000), choose.randrange(-9, 1 << 32)))
        known = choose.choice((1, 1, 2, 500, choose.randrange(70000)))
        data = bytes(choose.choice((0, 0, 1, 500, 1460)))
        peer.says(flags, near, known, data, window=choose.choice((0, 1, 700, 65535)))
        if choose.random() < 0.2:
            segments(service.run(peer.now))
    assert len(service) <= len(peers)
