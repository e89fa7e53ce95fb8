"""The plain link: the same packets on a server without our WebSocket protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.host import closed_code, host_sends, numbers, start
from tests.conftest import Rig
from tests.raw_websocket import RawPackets, open_websocket, raw_packets
from tests.running import running
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.packet import build
from wintun_api.wire import BATCH, RAW, Batch, pack


@pytest.fixture
def plain_rig(tmp_path: Path) -> Iterator[Rig]:
    """A service under uvicorn's own WebSocket protocol."""
    library = EmulatedLibrary(Generation.POOL, Machine())
    with running(tmp_path, emulated_driver(library), plain=True) as service:
        yield Rig(service, library)
    assert library.misuse == []


def test_raw(plain_rig: Rig) -> None:
    """One packet per message, both ways."""
    path = f"/v1/sessions/{start(plain_rig)}/packets"
    with open_websocket(plain_rig.service, path, RAW) as socket:
        for identifier in range(20):
            socket.send(build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=identifier, sequence=1))
        for identifier in range(20):
            reply = build.icmp_echo(
                "10.6.7.7", "10.6.7.8", identifier=identifier, sequence=1, reply=True
            )
            assert socket.recv(30) == reply


def test_batch(plain_rig: Rig) -> None:
    """Hello, batches and acks."""
    with raw_packets(plain_rig.service, start(plain_rig)) as client:
        client.socket.send(pack(Batch([ECHO] * 10)))
        assert client.text("ack")["accepted"] == 10
        assert len(client.receive(10)) == 10


def test_text_is_refused(plain_rig: Rig) -> None:
    """The close code is the same."""
    path = f"/v1/sessions/{start(plain_rig)}/packets"
    with open_websocket(plain_rig.service, path, RAW) as socket:
        socket.send("hello?")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed_code(closed) == 4010


def test_the_end_of_the_session(plain_rig: Rig) -> None:
    """The stream is told and closed with 4009."""
    session = start(plain_rig)
    with raw_packets(plain_rig.service, session) as client:
        plain_rig.service.http.delete(f"/v1/sessions/{session}")
        assert client.text("ended")["state"] == "ended"
        with pytest.raises(ConnectionClosed) as closed:
            client.read()
        assert closed_code(closed) == 4009


def test_a_slow_client(plain_rig: Rig) -> None:
    """The queue is as bounded, and its account as exact, as on the fast link."""
    session = start(plain_rig, capacity=0x4000000)
    total = 20_000
    with open_websocket(
        plain_rig.service, f"/v1/sessions/{session}/packets?queue_packets=1000", BATCH, max_queue=1
    ) as socket:
        slow = RawPackets(socket)
        for first in range(0, total, 1000):
            host_sends(plain_rig, 1000, 1400, first)
        until(lambda: plain_rig.service.counters(session)["received"]["packets"] >= total)
        got: list[int] = []
        lost = 0
        while len(got) + lost < total:
            slow.read()
            got += numbers([packet for batch in slow.batches for packet in batch.packets])
            slow.batches.clear()
            lost += sum(text["count"] for text in slow.texts if text["type"] == "lost")
            slow.texts.clear()
        assert lost > 0
        assert got == sorted(got)


def test_full_wait(plain_rig: Rig) -> None:
    """The receive loop waits for the ring as TCP would."""
    session = start(plain_rig, capacity=0x20000)
    plain_rig.library.hold_consumer("OfficeNet")
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    with raw_packets(plain_rig.service, session, "?full=wait&direction=none") as client:
        for _ in range(10):
            client.socket.send(pack(Batch([packet] * 20)))
        with pytest.raises(TimeoutError):
            while True:
                client.text("ack", 0.3)
        plain_rig.library.release_consumer("OfficeNet")
        accepted = 0
        while plain_rig.service.counters(session)["injected"]["packets"] < 200:
            accepted += client.text("ack")["accepted"]
        assert plain_rig.service.counters(session)["lost"]["ring_full"] == 0
