"""Captures over HTTP and on the packet socket, read by Wireshark."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.host import closed_code, host_sends, start
from tests.capture import tshark
from tests.capture.samples import statistics
from tests.conftest import Rig
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import RunningService, receive
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.capture.filters.program import Program
from wintun_api.capture.reader import Reader
from wintun_api.choices import Scope
from wintun_api.hub.filters import Filters
from wintun_api.packet import build
from wintun_api.wire import BATCH, PCAPNG


def path_of(session: str, query: str = "") -> str:
    return f"/v1/sessions/{session}/capture.pcapng{query}"


def emptied(service: RunningService, session: str) -> None:
    """Wait until nobody subscribes any more."""
    until(lambda: not service.http.get(f"/v1/sessions/{session}").json()["subscribers"])


@tshark.needs_tshark
def test_both_directions(service: RunningService, session: str, tmp_path: Path) -> None:
    """A ping and its answer are in the file, the first into the host, the second out of it."""
    before = time.time_ns()
    with service.http.stream("GET", path_of(session, "?packets=2")) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-pcapng"
        parts = answer.iter_raw()
        file = next(parts)
        with service.packets(session, direction="none") as sender:
            sender.put(ECHO)
            file += b"".join(parts)
    path = tmp_path / "ping.pcapng"
    path.write_bytes(file)
    frames = tshark.read(path)
    assert [frame.direction for frame in frames] == ["inbound", "outbound"]
    assert {frame.interface for frame in frames} == {"OfficeNet"}
    assert all(before <= frame.time_ns <= time.time_ns() for frame in frames)
    assert tshark.contents(path) == [ECHO, build.echo_reply(ECHO)]
    assert statistics(file) == (2, 0)
    emptied(service, session)


@pytest.mark.parametrize(("direction", "count"), [("received", 1), ("injected", 2)])
def test_one_direction(service: RunningService, session: str, direction: str, count: int) -> None:
    """Packets of the other direction are left out."""
    packets = [ECHO] if direction == "received" else [ECHO, bytes([0x45]) + bytes(40)]
    with service.http.stream("GET", path_of(session, f"?direction={direction}")) as answer:
        parts = answer.iter_raw()
        file = next(parts)
        with service.packets(session) as sender:
            sender.put(packets)
            receive(sender, 1)
        service.http.delete(f"/v1/sessions/{session}")
        file += b"".join(parts)
    assert statistics(file) == (count, 0)


def test_seconds(service: RunningService, session: str) -> None:
    """It ends by itself when its time is over."""
    file = service.http.get(path_of(session, "?seconds=0.05")).content
    assert pcapng.whole(file) == len(file)
    assert statistics(file) == (0, 0)


def test_the_service_stops(service: RunningService, session: str) -> None:
    """A capture ends whole when the service stops, and does not hold it up."""
    with (
        httpx.Client(base_url=service.url, headers=service.http.headers, timeout=30) as client,
        client.stream("GET", path_of(session)) as answer,
    ):
        parts = answer.iter_raw()
        file = next(parts)
        service.stop()
        file += b"".join(parts)
    assert statistics(file) == (0, 0)


def test_the_client_goes(service: RunningService, session: str) -> None:
    """Its place is freed."""
    with service.client("the-admin-token") as client, client.stream("GET", path_of(session)) as it:
        parts = it.iter_raw()
        assert next(parts)
        assert service.http.get(f"/v1/sessions/{session}").json()["subscribers"] == 1
    emptied(service, session)


@pytest.mark.thorough
@tshark.needs_tshark
@pytest.mark.parametrize("snaplen", [0, 1000])
def test_a_slow_client(rig: Rig, tmp_path: Path, snaplen: int) -> None:
    """What a slow client lost stands in the file, before the packet that came next."""
    session = start(rig, capacity=0x4000000)
    total = 30_000
    query = f"?queue_packets=1000&direction=received&snaplen={snaplen}"
    service = rig.service
    with (
        open_websocket(
            service, f"/v1/sessions/{session}/packets{query}", PCAPNG, max_queue=1
        ) as slow,
        raw_packets(service, session) as other,
    ):
        file = bytes(slow.recv(30))  # type: ignore[arg-type]
        for first in range(0, total, 1000):
            host_sends(rig, 1000, 1400, first)
            other.receive(1000)
        service.http.delete(f"/v1/sessions/{session}")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                blocks = slow.recv(30)
                assert isinstance(blocks, bytes)
                assert pcapng.whole(blocks) == len(blocks)
                file += blocks
        assert closed_code(closed) == 4009
    path = tmp_path / "slow.pcapng"
    path.write_bytes(file)
    frames = tshark.read(path)
    dropped = sum(frame.dropped for frame in frames)
    assert dropped > 0
    assert len(frames) + dropped == total
    assert statistics(file) == (total, dropped)
    assert {frame.length for frame in frames} == {1400}
    if not snaplen:
        numbers = [struct.unpack_from("<I", packet.data or b"", 28)[0] for packet in Reader([file])]
        gaps = [after - before - 1 for before, after in zip([-1, *numbers], numbers, strict=False)]
        assert gaps == [frame.dropped for frame in frames]


@pytest.mark.parametrize("message", [b"a packet", "a text"])
def test_the_socket_takes_nothing(
    service: RunningService, session: str, message: bytes | str
) -> None:
    """A message from the client closes v1.pcapng with 4010."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", PCAPNG) as client:
        assert client.subprotocol == PCAPNG
        client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(30)
        assert closed_code(closed) == 4010
    emptied(service, session)


def test_the_socket_shows_both_directions(service: RunningService, session: str) -> None:
    """Unlike the other subprotocols, v1.pcapng begins with both."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", PCAPNG) as client:
        file = bytes(client.recv(30))  # type: ignore[arg-type]
        with service.packets(session) as sender:
            sender.put(ECHO)
            receive(sender, 1)
        service.http.delete(f"/v1/sessions/{session}")
        with pytest.raises(ConnectionClosed):
            while True:
                file += bytes(client.recv(30))  # type: ignore[arg-type]
    assert statistics(file) == (2, 0)


@pytest.mark.parametrize(
    ("query", "status"),
    [("?direction=none", 422), ("?snaplen=70000", 422), ("?packets=0", 422), ("?seconds=0", 422)],
)
def test_bad_queries(service: RunningService, session: str, query: str, status: int) -> None:
    """A wrong parameter is a problem document."""
    answer = service.http.get(path_of(session, query))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_socket_needs_a_direction(service: RunningService, session: str) -> None:
    """A capture of nothing is refused."""
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, f"/v1/sessions/{session}/packets?direction=none", PCAPNG)
    assert refused.value.response.status_code == 422


def test_scope(service: RunningService, session: str) -> None:
    """It needs the scope capture, on either way."""
    token = service.token(Scope.INJECT)
    with service.client(token) as client:
        assert client.get(path_of(session)).status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, f"/v1/sessions/{session}/packets", PCAPNG, token=token)
    assert refused.value.response.status_code == 403
    with service.client(service.token(Scope.CAPTURE)) as client:
        assert client.get(path_of(session, "?seconds=0.01")).status_code == 200


def test_an_ended_session(rig: Rig) -> None:
    """One that ended by itself is 409, an unknown one 404."""
    session = start(rig)
    with open_websocket(rig.service, f"/v1/sessions/{session}/packets", BATCH) as client:
        rig.library.machine.remove("OfficeNet")
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(30)
    assert rig.service.http.get(path_of(session)).status_code == 409
    assert rig.service.http.get(path_of("none")).status_code == 404


def test_a_session_that_ends_while_its_filter_is_compiled(
    service: RunningService, session: str
) -> None:
    """The client is told, and does not get an empty file."""

    def end(expression: str) -> Program:
        assert service.http.delete(f"/v1/sessions/{session}").is_success
        return Program(expression, b"")

    service.service.context.registry.filters = Filters(compiler=end)
    assert service.http.get(path_of(session, "?filter=tcp&seconds=1")).status_code == 404
