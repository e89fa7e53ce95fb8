"""The packet socket."""

from __future__ import annotations

import gc
import json
import socket
import struct
import time
from collections import Counter

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.host import closed_code, host_sends, numbers, start
from tests.conftest import Rig
from tests.raw_websocket import RawPackets, open_websocket, raw_packets
from tests.running import RunningService
from tests.samples import BAD_FRAMES, ECHO
from tests.waiting import until
from wintun_api.api import connection
from wintun_api.hub.burst import Burst
from wintun_api.packet import build
from wintun_api.wire import BATCH, RAW, Batch, pack


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24 and fd06:7::7/64."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24", "fd06:7::7/64"])
    return str(service.session(adapter)["id"])


@pytest.mark.parametrize("offer", [[RAW], []])
def test_raw(service: RunningService, session: str, offer: list[str]) -> None:
    """One bare packet per binary message, both ways; also when nothing is offered."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", *offer) as client:
        assert client.subprotocol == (RAW if offer else None)
        for identifier in range(3):
            client.send(build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=identifier, sequence=1))
        for identifier in range(3):
            reply = client.recv(30)
            assert reply == build.icmp_echo(
                "10.6.7.7", "10.6.7.8", identifier=identifier, sequence=1, reply=True
            )


def test_raw_survives_bad_packets(service: RunningService, session: str) -> None:
    """A bad packet is counted by its reason, and told; the next good one is answered."""
    bad_packets = (b"", bytes(19), b"\x45" + bytes(65535), b"\x50" + bytes(40))
    expected = {"too_short": 2, "too_long": 1, "bad_version": 1}
    with open_websocket(service, "/v1/events") as events:
        with open_websocket(service, f"/v1/sessions/{session}/packets", RAW) as client:
            for bad in bad_packets:
                client.send(bad)
            client.send(ECHO)
            assert isinstance(client.recv(30), bytes)
        assert service.counters(session)["lost"]["rejected"] == expected
        told: Counter[str] = Counter()
        while told.total() < len(bad_packets):
            event = json.loads(events.recv(30))
            if event["type"] == "session.loss":
                told[event["data"]["cause"]] += event["data"]["count"]
    assert told == {f"rejected_{reason}": count for reason, count in expected.items()}


def test_fragmented_messages(service: RunningService, session: str) -> None:
    """A message in several WebSocket fragments is one packet."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", RAW) as client:
        client.send([ECHO[:7], ECHO[7:9], ECHO[9:]])
        assert isinstance(client.recv(30), bytes)


def test_hello(service: RunningService, session: str) -> None:
    """The first message of v1.batch says what the client deals with."""
    with raw_packets(service, session, "?queue_packets=7&snaplen=64&overflow=close") as client:
        hello = client.hello
        assert hello["protocol"] == BATCH
        assert hello["session"] == session
        assert hello["adapter"]["name"] == "OfficeNet"
        assert hello["overflow"] == "close"
        assert hello["limits"]["queue_packets"] == 7
        assert hello["limits"]["snaplen"] == 64
        assert hello["next_sequence"] == {"received": 0, "injected": 0}


def test_sequence_numbers(rig: Rig) -> None:
    """Packets are counted per direction, from the session's start, without gaps."""
    session = start(rig)
    with raw_packets(rig.service, session) as client:
        seen = 0
        while seen < 1000:
            host_sends(rig, 100, first=seen)
            end = seen + 100
            while seen < end:  # in however many messages they come
                client.read()
                for batch in client.batches:
                    assert batch.sequence == seen
                    assert not batch.injected
                    assert abs(batch.time_ns - time.time_ns()) < 60e9
                    seen += len(batch.packets)
                client.batches.clear()


@pytest.mark.parametrize("protocol", [RAW, BATCH])
def test_packets_that_were_delivered_are_kept_no_longer(rig: Rig, protocol: str) -> None:
    """What the kernel has taken is free at once, without another packet that replaces it."""
    path = f"/v1/sessions/{start(rig)}/packets"
    with open_websocket(rig.service, path, protocol) as client:
        host_sends(rig, 1)
        while not isinstance(client.recv(30), bytes):
            pass  # hello
        until(lambda: not any(type(one) is Burst for one in gc.get_objects()))


def test_ack_counts(service: RunningService, session: str) -> None:
    """Every injection is acknowledged with what became of its packets."""
    with raw_packets(service, session) as client:
        client.socket.send(pack(Batch([ECHO, ECHO, bytes(30)])))
        ack = client.text("ack")
        assert ack == {
            "type": "ack",
            "messages": 1,
            "accepted": 2,
            "rejected": {"bad_version": 1},
            "ring_full": 0,
            "refused": {},
            "failed": 0,
        }
        client.socket.send(pack(Batch([ECHO])))
        assert client.text("ack")["messages"] == 2


def test_acks_of_many_messages(service: RunningService, session: str) -> None:
    """However many messages share an ack, every packet is acknowledged once."""
    with raw_packets(service, session, "?direction=none") as client:
        for _ in range(200):
            client.socket.send(pack(Batch([ECHO])))
        acks = [client.text("ack")]
        while acks[-1]["messages"] < 200:
            acks.append(client.text("ack"))
        assert sum(ack["accepted"] for ack in acks) == 200


def test_directions(service: RunningService, session: str) -> None:
    """A tap on injected packets sees what other clients inject, flagged as such."""
    with (
        raw_packets(service, session, "?direction=injected") as tap,
        raw_packets(service, session, "?direction=both") as both,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        sender.socket.send(pack(Batch([ECHO, ECHO])))
        assert sender.text("ack")["accepted"] == 2
        assert tap.receive(2) == [ECHO, ECHO]
        while sum(len(batch.packets) for batch in both.batches) < 4:
            both.read()
        assert sorted(batch.injected for batch in both.batches) == [False, True]
        with pytest.raises(TimeoutError):
            sender.read(0.2)


def test_snap_length(service: RunningService, session: str) -> None:
    """A cut packet comes with its original length."""
    with raw_packets(service, session, "?snaplen=28") as client:
        packet = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1, data=bytes(100))
        client.socket.send(pack(Batch([packet])))
        while not client.batches:
            client.read()
        (batch,) = client.batches
        assert [len(cut) for cut in batch.packets] == [28]
        assert batch.original_lengths is not None
        assert list(batch.original_lengths) == [128]


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_bad_frames(service: RunningService, session: str, frame: bytes) -> None:
    """A broken frame closes its own connection with 4010, and the session goes on."""
    with raw_packets(service, session) as other:
        with raw_packets(service, session) as client:
            client.socket.send(frame)
            with pytest.raises(ConnectionClosed) as closed:
                client.read()
            assert closed_code(closed) == 4010
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.reason
        other.socket.send(pack(Batch([ECHO])))
        assert len(other.receive(1)) == 1


@pytest.mark.parametrize("protocol", [RAW, BATCH])
def test_text_where_binary_belongs(service: RunningService, session: str, protocol: str) -> None:
    """A text message closes the connection with 4010."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", protocol) as client:
        client.send("hello?")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(30)
        assert closed_code(closed) == 4010


def test_an_oversized_message(service: RunningService, session: str) -> None:
    """A message over the limit closes the connection with 1009 before it is in memory."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", RAW) as client:
        client.send(bytes(300_000))
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(30)
        assert closed_code(closed) == 1009


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?overflow=maybe", 422),
        ("?queue_packets=0", 422),
        ("?queue_bytes=x", 422),
        ("?snaplen=70000", 422),
        ("?full=perhaps", 422),
        ("?direction=up", 422),
        ("?color=red", 422),
        ("?overflow=block&direction=both", 422),
    ],
)
def test_bad_queries(service: RunningService, session: str, query: str, status: int) -> None:
    """A wrong parameter refuses the handshake with a problem document."""
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, f"/v1/sessions/{session}/packets{query}", BATCH)
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_unknown_offers(service: RunningService, session: str) -> None:
    """An unknown subprotocol is refused; beside a known one it is passed over."""
    path = f"/v1/sessions/{session}/packets"
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, path, "v9.batch.wintun-api")
    assert refused.value.response.status_code == 400
    with open_websocket(service, path, "v9.batch.wintun-api", BATCH) as client:
        assert client.subprotocol == BATCH


def test_an_unknown_session(service: RunningService) -> None:
    """A program gets 404 in place of the handshake, a page the close code 4004."""
    path = "/v1/sessions/none/packets"
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, path, RAW)
    assert refused.value.response.status_code == 404
    with open_websocket(service, path, RAW, headers={"Origin": service.url}) as client:
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(30)
        assert closed_code(closed) == 4004


def test_a_page_is_told_in_a_long_word(
    service: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """A reason of more bytes than a close frame has is cut, and nothing is logged."""
    path = "/v1/sessions/" + "%C3%A9" * 100 + "/packets"
    with open_websocket(service, path, RAW, headers={"Origin": service.url}) as client:
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(30)
        assert closed_code(closed) == 4004
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


@pytest.mark.parametrize("protocol", [BATCH, RAW])
def test_an_end_with_a_long_reason(rig: Rig, protocol: str) -> None:
    """A session that fails with a long text of the system closes its clients with 4009."""
    session = start(rig)
    with open_websocket(rig.service, f"/v1/sessions/{session}/packets", protocol) as client:
        error = OSError(1450, "Nicht genügend Systemressourcen: " + "ä" * 200)
        rig.library.raise_next("WaitForMultipleObjects", error)
        host_sends(rig, 3)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(30)
        assert closed_code(closed) == 4009


@pytest.mark.thorough
@pytest.mark.parametrize(("policy", "keeps"), [("drop_oldest", "end"), ("drop_newest", "start")])
def test_a_client_that_stops_reading(rig: Rig, policy: str, keeps: str) -> None:
    """It loses its own packets and is told how many; the others get everything."""
    session = start(rig, capacity=0x4000000)
    total, size = 30_000, 1400
    with (
        raw_packets(rig.service, session) as other,
        open_websocket(
            rig.service,
            f"/v1/sessions/{session}/packets?overflow={policy}&queue_packets=1000",
            BATCH,
            max_queue=1,
        ) as slow_socket,
    ):
        slow = RawPackets(slow_socket)
        received: list[int] = []
        for first in range(0, total, 1000):
            host_sends(rig, 1000, size, first)
            received += numbers(other.receive(1000))
        assert received == list(range(total))
        got: list[int] = []
        lost = 0
        while len(got) + lost < total:
            slow.read()
            got += numbers([p for batch in slow.batches for p in batch.packets])
            slow.batches.clear()
            while slow.texts:
                message = slow.texts.pop(0)
                assert message["type"] == "lost"
                assert message["cause"] == "queue"
                assert message["last"] - message["first"] + 1 >= message["count"]
                lost += message["count"]
        assert lost > 0
        assert got == sorted(got)
        assert (got[-1] == total - 1) is (keeps == "end")
        counters = rig.service.counters(session)
        assert counters["lost"]["queue"] == lost
        assert counters["received"]["packets"] == total


@pytest.mark.thorough
def test_overflow_close(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asked for it is closed with 4008 instead of losing packets."""
    monkeypatch.setattr(connection, "SLOW_PATIENCE", 60.0)  # it reads when the host has sent all
    session = start(rig, capacity=0x4000000)
    with open_websocket(
        rig.service,
        f"/v1/sessions/{session}/packets?overflow=close&queue_packets=500",
        RAW,
        max_queue=1,
    ) as slow:
        for first in range(0, 20_000, 500):
            host_sends(rig, 500, 1400, first)
        count = 0
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                assert numbers([bytes(slow.recv(30))]) == [count]  # type: ignore[arg-type]
                count += 1
        assert closed_code(closed) == 4008
        assert count < 20_000


@pytest.mark.thorough
def test_overflow_block(rig: Rig) -> None:
    """A blocking client loses nothing in its queue: what it does not read stays in the ring."""
    session = start(rig, capacity=0x4000000)
    total = 30_000
    with open_websocket(
        rig.service,
        f"/v1/sessions/{session}/packets?overflow=block&queue_packets=500",
        BATCH,
        max_queue=1,
    ) as socket_:
        slow = RawPackets(socket_)
        for first in range(0, total, 1000):
            host_sends(rig, 1000, 1400, first)
        assert rig.service.counters(session)["received"]["packets"] < total
        got: list[int] = []
        while len(got) < total:
            got += numbers(slow.receive(1))
        assert got == list(range(total))
        assert rig.service.counters(session)["lost"]["queue"] == 0


def test_full_wait(rig: Rig) -> None:
    """With full=wait nothing is dropped: the client is held back until the ring has room."""
    session = start(rig, capacity=0x20000)
    rig.library.hold_consumer("OfficeNet")
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    with raw_packets(rig.service, session, "?full=wait&direction=none") as client:
        for _ in range(10):
            client.socket.send(pack(Batch([packet] * 20)))
        with pytest.raises(TimeoutError):
            while True:
                client.text("ack", 0.3)
        before = rig.service.counters(session)["injected"]["packets"]
        assert before < 200
        rig.library.release_consumer("OfficeNet")
        while rig.service.counters(session)["injected"]["packets"] < 200:
            client.text("ack")
        lost = rig.service.counters(session)["lost"]
        assert lost["ring_full"] == 0


@pytest.mark.parametrize("how", ["abort", "half", "vanish"])
def test_killing_the_client(service: RunningService, session: str, how: str) -> None:
    """A client may die at any moment: its place is freed and the session goes on."""
    raw = socket.create_connection(("127.0.0.1", service.port))
    request = (
        f"GET /v1/sessions/{session}/packets HTTP/1.1\r\nHost: localhost\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Authorization: Bearer the-admin-token\r\n\r\n"
    ).encode()
    if how == "half":
        raw.sendall(request[:50])
    else:
        raw.sendall(request)
        assert raw.recv(4096).startswith(b"HTTP/1.1 101")
        raw.sendall(b"\x82\xfe\x05")  # the beginning of a frame
    if how == "abort":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()
    with raw_packets(service, session) as client:
        client.socket.send(pack(Batch([ECHO])))
        assert len(client.receive(1)) == 1
    until(lambda: not service.http.get(f"/v1/sessions/{session}").json()["subscribers"])
