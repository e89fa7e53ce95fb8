from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface
from math import inf

import pytest

from tests.drivers.emulated.tcp_peer import segments
from tests.waiting import until
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.link import Link
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.packet import build
from wintun_api.packet.build import TCP_ACK, TCP_SYN

PEER, HOST = "10.6.7.8", "10.6.7.9"


@pytest.fixture
def library() -> EmulatedLibrary:
    return EmulatedLibrary(Generation.POOL)


@pytest.fixture
def adapter(library: EmulatedLibrary) -> WintunAdapter:
    adapter = emulated_driver(library).create_adapter("Demo", "Example")
    adapter.set_addresses([ip_interface("10.6.7.7/24")])
    return adapter


@pytest.fixture
def session(library: EmulatedLibrary, adapter: WintunAdapter) -> Iterator[WintunSession]:
    session = adapter.start_session(0x20000)
    yield session
    session.end()
    assert library.misuse == []


def link_of(library: EmulatedLibrary) -> Link:
    link = library.machine.device("Demo").link
    assert link is not None
    return link


def talk(session: WintunSession, **fields: int | bytes) -> None:
    """Send a segment to the echo service."""
    assert session.send_packets([build.tcp(PEER, HOST, 4000, 7, **fields)]) == 1  # type: ignore[arg-type]


def connect(session: WintunSession) -> int:
    """Make a connection; return the host's initial sequence number."""
    talk(session, flags=TCP_SYN)
    (answer,) = segments(session.receive_packets(10))
    talk(session, sequence=1, acknowledgement=answer.sequence + 1 & 0xFFFFFFFF, flags=TCP_ACK)
    return answer.sequence


def test_a_waiting_thread_gets_what_is_sent_again(
    library: EmulatedLibrary, session: WintunSession
) -> None:
    """What is not acknowledged comes again to a thread that only waits."""
    initial = connect(session)
    talk(session, sequence=1, acknowledgement=initial + 1 & 0xFFFFFFFF, flags=TCP_ACK, payload=b"x")
    first = session.receive_packets(10)
    assert session.wait_readable()  # from the first time
    again: list[bytes] = []
    while not again:
        assert session.wait_readable()
        again = list(session.receive_packets(10))
    assert again == list(first)
    assert link_of(library).due() < inf


def test_a_reading_thread_gets_what_is_sent_again(
    library: EmulatedLibrary, session: WintunSession
) -> None:
    """It comes to an application that reads without waiting, too."""
    initial = connect(session)
    talk(session, sequence=1, acknowledgement=initial + 1 & 0xFFFFFFFF, flags=TCP_ACK, payload=b"x")
    assert len(session.receive_packets(10)) == 1
    until(lambda: session.receive_packets(10))
    assert library.machine.device("Demo").counters.received_packets == 3


def test_nothing_is_due_without_connections(
    library: EmulatedLibrary, session: WintunSession
) -> None:
    """Pings, datagrams and refused segments leave nothing to do."""
    for packet in (
        build.icmp_echo(PEER, HOST, identifier=1, sequence=1),
        build.udp(PEER, HOST, 4000, 7, b"x"),
        build.udp(PEER, HOST, 4000, 50000, b"x"),
        build.tcp(PEER, HOST, 4000, 80),
    ):
        session.send_packets([packet])
    assert len(session.receive_packets(10)) == 4
    assert link_of(library).due() == inf


def test_connections_end_with_the_session(library: EmulatedLibrary, adapter: WintunAdapter) -> None:
    """A session ends its connections: in the next one the host refuses what goes on."""
    session = adapter.start_session(0x20000)
    initial = connect(session)
    session.end()
    assert library.machine.events.links == {}
    session = adapter.start_session(0x20000)
    talk(session, sequence=1, acknowledgement=initial + 1 & 0xFFFFFFFF, flags=TCP_ACK, payload=b"x")
    (refusal,) = segments(session.receive_packets(10))
    assert refusal.rst
    session.end()


def test_mtu(session: WintunSession, adapter: WintunAdapter) -> None:
    """The hosts' segments fit the adapter's MTU, also after a change."""
    for mtu in (1280, 9000):
        adapter.set_mtu(mtu)
        talk(session, flags=TCP_SYN)
        (answer,) = segments(session.receive_packets(10))
        assert answer.mss == mtu - 40
