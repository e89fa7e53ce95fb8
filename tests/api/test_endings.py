"""To the packet: whatever ends, *received = delivered + lost by cause* holds for every client."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.host import closed_code, host_sends, numbers, start
from tests.api.watcher import (
    TOTAL,
    Watcher,
    delete_adapter,
    delete_session,
    flood,
    stop_service,
    the_session,
)
from tests.capture.samples import statistics
from tests.conftest import Rig
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import running
from tests.waiting import until
from wintun_api.api.link import FastLink
from wintun_api.capture.reader import Reader
from wintun_api.choices import Scope
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub import ending as ending_module
from wintun_api.hub import sessions
from wintun_api.hub.burst import Burst
from wintun_api.packet import build
from wintun_api.wire import BATCH, PCAPNG, RAW, Batch, pack

QUEUE = 200
READABLE = 300 if sys.platform == "win32" else TOTAL
# A system that grows its buffers while nobody reads may take the farewell too.
CUT_OFF = {1006, 1001} if sys.platform == "win32" else {1006}
LINGER = "hh" if sys.platform == "win32" else "ii"


@pytest.fixture
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """How many seconds a session's end waits for clients; what it counts is the same in any."""
    seconds = float(getattr(request, "param", 0.1))
    monkeypatch.setattr(ending_module, "FLUSH_PATIENCE", seconds)
    monkeypatch.setattr(ending_module, "REST_PATIENCE", seconds / 2)
    monkeypatch.setattr(sessions, "ENDING_PATIENCE", 3 + 3 * seconds)
    return seconds


@contextmanager
def rig_of(path: Path, *, plain: bool = False) -> Iterator[Rig]:
    """A service on the fast or on the plain link."""
    library = EmulatedLibrary(Generation.POOL, Machine())
    with running(path, emulated_driver(library), plain=plain) as service:
        yield Rig(service, library)


ENDINGS: dict[str, Callable[[Rig, str], dict[str, Any]]] = {
    "session": delete_session,
    "service": stop_service,
    "adapter": delete_adapter,
}


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("protocol", [BATCH, RAW, PCAPNG])
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "close", "block"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.usefixtures("patience")
def test_a_stalled_client(
    tmp_path: Path, ending: str, overflow: str, protocol: str, plain: bool
) -> None:
    """What a client that does not read never gets is in the session's last counters."""
    if plain and (ending == "service" or (overflow == "close" and protocol == PCAPNG)):
        pytest.skip("What a server other than ours has taken and not sent cannot be seen.")
    with rig_of(tmp_path, plain=plain) as rig:
        session = start(rig, capacity=0x4000000)
        query = f"?overflow={overflow}&queue_packets={QUEUE}&direction=received"
        client = Watcher(rig, session, protocol, query)
        until(lambda: the_session(rig, session).clients)
        flood(rig, session)
        counters = ENDINGS[ending](rig, session)
        client.join()
        lost = counters["lost"]
        assert counters["received"]["packets"] + lost["ring"] == TOTAL
        losses = lost["queue"] + lost["ended"] + lost["ring"]
        # One that is closed for its overflow may be let go before a slow flood is over.
        offered = TOTAL - (lost["unclaimed"] if overflow == "close" else 0)
        assert client.delivered + losses == offered
        assert lost["queue"] + lost["ended"] > 0
        if ending == "service":  # it was cut off: only what its kernel could take reaches it
            told = {4008} if overflow == "close" else set()  # before, where the flood was slow
            assert client.code in CUT_OFF | told
            return
        assert client.code == (4008 if overflow == "close" else 4009)
        if protocol == BATCH:
            assert client.lost().total() == losses
            last = {"ended", "lost"} if overflow == "close" else {"ended"}
            assert client.texts[-1]["type"] in last
        if protocol == PCAPNG:
            assert statistics(client.file) == (offered, offered - client.delivered)


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("protocol", [BATCH, RAW, PCAPNG])
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "block"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("patience", [30.0], indirect=True, ids=["patient"])
@pytest.mark.usefixtures("patience")
def test_a_client_that_comes_back(
    tmp_path: Path, ending: str, overflow: str, protocol: str, plain: bool
) -> None:
    """A client that reads within the patience gets what was queued."""
    with rig_of(tmp_path, plain=plain) as rig:
        session = start(rig, capacity=0x4000000)
        query = f"?overflow={overflow}&queue_packets={QUEUE}&direction=received"
        client = Watcher(rig, session, protocol, query)
        until(lambda: the_session(rig, session).clients)
        flood(rig, session, READABLE)
        client.read()
        counters = ENDINGS[ending](rig, session)
        client.join()
        lost = counters["lost"]
        assert lost["ended"] == 0
        assert client.delivered + lost["queue"] == READABLE
        assert client.code == (1001 if ending == "service" else 4009)
        if overflow == "block":
            assert client.delivered == READABLE
        if protocol != PCAPNG:
            got = numbers(client.packets)
            assert got == sorted(got)
        if protocol == BATCH:
            assert client.lost() == Counter({"queue": lost["queue"]} if lost["queue"] else {})
            assert client.texts[-1]["type"] == "ended"


def test_overflow_close_is_told(tmp_path: Path) -> None:
    """Back within its patience, the client gets its queue, what it lost, and 4008."""
    with rig_of(tmp_path) as rig:
        session = start(rig, capacity=0x4000000)
        managed = the_session(rig, session)
        client = Watcher(rig, session, BATCH, "?overflow=close&queue_packets=50")
        until(lambda: managed.clients)
        (subscriber,) = managed.fanout.subscribers
        flood(rig, session)
        client.join()
        assert client.code == 4008
        # It may be let go before the end of the flood, and is offered nothing more then.
        assert 50 < subscriber.offered_packets <= TOTAL
        lost = subscriber.offered_packets - client.delivered
        assert client.lost() == Counter({"queue": lost})
        assert rig.service.counters(session)["lost"]["queue"] == lost


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_goes(tmp_path: Path, how: str) -> None:
    """What was queued for it is counted as ended."""
    with rig_of(tmp_path) as rig:
        session = start(rig, capacity=0x4000000)
        managed = the_session(rig, session)
        client = Watcher(rig, session, BATCH, f"?queue_packets={QUEUE}")
        until(lambda: managed.clients)
        (subscriber,) = managed.fanout.subscribers
        flood(rig, session)
        assert subscriber.queued_packets
        if how == "reset":
            linger = struct.pack(LINGER, 1, 0)  # a reset
            client.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.socket.socket.close()
        else:
            threading.Thread(target=client.socket.close, daemon=True).start()
        until(lambda: not managed.clients)
        counters = managed.counters
        assert counters.ended > 0
        assert subscriber.queued_packets == 0
        assert subscriber.offered_packets == subscriber.delivered_packets + subscriber.lost
        assert subscriber.lost == counters.ended + counters.queue_lost
        if how == "close":  # a reset wakes the client's own reader only after its time-out
            client.join()


def test_an_http_capture(tmp_path: Path) -> None:
    """A stalled file is ended whole; what it does not hold is in the counters."""
    with rig_of(tmp_path) as rig:
        session = start(rig, capacity=0x4000000)
        path = f"/v1/sessions/{session}/capture.pcapng?direction=received"
        with rig.service.http.stream("GET", path) as answer:
            parts = answer.iter_raw()
            file = next(parts)
            flood(rig, session)
            with rig.service.client("the-admin-token") as other:
                counters = other.delete(f"/v1/sessions/{session}").json()["counters"]
            file += b"".join(parts)
        delivered = len(list(Reader([file])))
        assert delivered + counters["lost"]["queue"] + counters["lost"]["ended"] == TOTAL
        assert statistics(file) == (TOTAL, TOTAL - delivered)


def test_ring_loss_is_told_while_it_runs(tmp_path: Path) -> None:
    """As a `lost` message, a gap in the numbers, an event and in the counters."""
    with rig_of(tmp_path) as rig:
        session = start(rig, capacity=0x20000)
        with (
            open_websocket(rig.service, "/v1/events") as events,
            raw_packets(rig.service, session) as client,
        ):
            with rig.library.machine.lock:  # the host is quicker than the service
                host_sends(rig, 1000, 1400)
            lost = client.text("lost", 30)
            received = client.receive(1)
            assert lost["cause"] == "ring"
            assert lost["count"] == 1000 - len(received)
            assert lost["first"] == len(received)
            host_sends(rig, 1)
            client.receive(1)
            client.batches.clear()
            assert rig.service.counters(session)["lost"]["ring"] == lost["count"]
            while (event := json.loads(events.recv(30)))["type"] != "session.loss":
                pass
            assert event["data"]["cause"] == "ring"
            assert event["data"]["count"] == lost["count"]
            host_sends(rig, 1)
            while not client.batches:
                client.read()
            assert client.batches[0].sequence == 1001


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("code", [0, 5, 13, 87])
@pytest.mark.parametrize("full", ["drop", "wait"])
def test_a_failing_injection(tmp_path: Path, full: str, code: int, plain: bool) -> None:
    """The ack comes first, then a close frame with the reason; the session goes on."""
    with rig_of(tmp_path, plain=plain) as rig:
        session = start(rig)
        packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(100))
        with raw_packets(rig.service, session, f"?full={full}") as client:
            rig.library.fail_next("WintunAllocateSendPacket", code)
            client.socket.send(pack(Batch([packet] * 10)))
            ack = client.text("ack")
            assert (ack["accepted"], ack["failed"]) == (0, 10)
            with pytest.raises(ConnectionClosed) as closed:
                client.read()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
            assert "WintunAllocateSendPacket" in closed.value.rcvd.reason
        counters = rig.service.counters(session)
        assert counters["lost"]["failed"] == 10
        assert counters["injected"]["packets"] == 0
        with raw_packets(rig.service, session) as client:
            client.socket.send(pack(Batch([packet])))
            accepted = client.text("ack")
            assert accepted["accepted"] + accepted["ring_full"] == 1
        assert rig.service.http.get(f"/v1/sessions/{session}").json()["state"] == "running"


def test_what_was_taken_before_a_failure_is_accepted(tmp_path: Path) -> None:
    """Only the rest has failed."""
    with rig_of(tmp_path) as rig:
        session = start(rig)
        packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(100))
        with raw_packets(rig.service, session, "?direction=none") as client:
            for _ in range(4):
                rig.library.delay_next("WintunAllocateSendPacket", 0)
            rig.library.fail_next("WintunAllocateSendPacket", 87)
            client.socket.send(pack(Batch([packet] * 10)))
            ack = client.text("ack")
            assert (ack["accepted"], ack["failed"]) == (4, 6)
        counters = rig.service.counters(session)
        assert counters["injected"]["packets"] == 4
        assert counters["lost"]["failed"] == 6


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
def test_packets_that_wait_at_the_end(tmp_path: Path, plain: bool) -> None:
    """With full=wait they are in the last ack and in the counters."""
    with rig_of(tmp_path, plain=plain) as rig:
        session = start(rig, capacity=0x20000)
        rig.library.hold_consumer("OfficeNet")
        packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
        with raw_packets(rig.service, session, "?full=wait&direction=none") as client:
            for _ in range(2):
                client.socket.send(pack(Batch([packet] * 100)))
            managed = the_session(rig, session)
            until(lambda: managed.counters.injected_packets >= 90)
            counters = delete_session(rig, session)
            acks = Counter[str]()
            with suppress(ConnectionClosed):
                while True:
                    client.read()
            for text in client.texts:
                if text["type"] == "ack":
                    acks += Counter({k: text[k] for k in ("accepted", "ring_full", "failed")})
            done = counters["injected"]["packets"], counters["lost"]["ring_full"]
            assert (acks["accepted"], acks["ring_full"]) == done
            assert acks.total() in (100, 200)  # the second message may still be in the socket


def test_no_packet_overtakes(tmp_path: Path) -> None:
    """A small one that would fit waits behind a large one that does not."""
    with rig_of(tmp_path) as rig:
        session = start(rig, capacity=0x20000)
        rig.library.hold_consumer("OfficeNet")
        large = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(60_000))
        small = build.udp("10.6.7.8", "10.6.7.200", 1, 3, b"")
        with (
            raw_packets(rig.service, session, "?direction=injected") as tap,
            open_websocket(
                rig.service, f"/v1/sessions/{session}/packets?full=wait&direction=none", RAW
            ) as client,
        ):
            order = [large, large, large, small, small]
            for packet in order:
                client.send(packet)
            assert tap.receive(2) == [large, large]
            with pytest.raises(TimeoutError):
                tap.read(0.3)
            rig.library.release_consumer("OfficeNet")
            assert tap.receive(3) == [large, small, small]


def test_a_reader_that_fails_harms_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in one connection closes it with 1011; the others and the drain go on."""
    send, links = FastLink.send_batches, list[FastLink]()

    def send_or_fail(link: FastLink, bursts: Sequence[Burst]) -> None:
        links.append(link)
        if link is links[0]:
            raise RuntimeError("a mistake in one connection")
        send(link, bursts)

    monkeypatch.setattr(FastLink, "send_batches", send_or_fail)
    with rig_of(tmp_path) as rig:
        session = start(rig)
        managed = the_session(rig, session)
        with raw_packets(rig.service, session) as broken:
            until(lambda: managed.clients)
            with raw_packets(rig.service, session) as other:
                host_sends(rig, 10)
                assert len(other.receive(10)) == 10
                assert managed.counters.ended == 10
            with pytest.raises(ConnectionClosed) as closed:
                broken.text("no such message")
            assert closed_code(closed) == 1011


@pytest.mark.parametrize("protocol", [BATCH, RAW])
def test_packets_without_the_scope(tmp_path: Path, protocol: str) -> None:
    """They are counted as failed, and the connection is closed with 4003."""
    with rig_of(tmp_path) as rig:
        session = start(rig)
        token = rig.service.token(Scope.CAPTURE, Scope.READ)
        packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(100))
        path = f"/v1/sessions/{session}/packets"
        with open_websocket(rig.service, path, protocol, token=token) as client:
            client.send(packet if protocol == RAW else pack(Batch([packet] * 3)))
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    client.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4003
        counters = rig.service.counters(session)
        assert counters["lost"]["failed"] == (1 if protocol == RAW else 3)
        assert counters["injected"]["packets"] == 0
