"""Captures of several adapters over HTTP and over WebSocket, read by Wireshark."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.host import closed_code, packet
from tests.api.live import GET, PATH, WAYS, WEBSOCKET, live
from tests.capture import tshark
from tests.capture.capinfos import info_of
from tests.capture.samples import interface_statistics
from tests.libpcap import need_libpcap
from tests.needs import needs
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.choices import Scope
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub.burst import Burst
from wintun_api.limits import MAX_CAPTURE_ADAPTERS
from wintun_api.packet import build
from wintun_api.packet.block import measured
from wintun_api.wire import BATCH, PCAPNG

GUID = "deadbabe-cafe-beef-0123-456789abcdef"
each_way = pytest.mark.parametrize("way", WAYS)


def start(service: RunningService, name: str, **body: Any) -> str:
    """Create an adapter and start its session; return the session's id."""
    return str(service.session(service.adapter(name=name, **body))["id"])


def inject(service: RunningService, session: str, *numbers: int, size: int = 12) -> None:
    """Inject packets, each with a request of its own."""
    for number in numbers:
        service.api.inject_packets(session, [packet(number, size)])


def refused(service: RunningService, way: str, query: str, *protocols: str) -> httpx.Response:
    """Ask for a capture that is refused; return the answer."""
    if way == GET:
        return service.http.get(PATH + query)
    with pytest.raises(InvalidStatus) as error:
        open_websocket(service, PATH + query, *(protocols or (PCAPNG,)))
    answer = error.value.response
    return httpx.Response(answer.status_code, content=bytes(answer.body))


@each_way
def test_an_unknown_adapter(service: RunningService, way: str) -> None:
    """A GUID that no adapter has is answered with 404, also beside one that there is."""
    guid = service.adapter(name="OfficeNet")["guid"]
    answer = refused(service, way, f"?adapter={guid}&adapter={GUID}")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("adapter-not-found")


@each_way
@pytest.mark.parametrize(
    "query",
    [
        f"?adapter={GUID}&pool=Wintun",
        "?adapter=OfficeNet",
        "?" + f"adapter={GUID}&" * (MAX_CAPTURE_ADAPTERS + 1),
        "?snaplen=70000",
        "?packets=0",
        "?seconds=0",
        "?marks=perhaps",
        "?adapters=all",
    ],
    ids=["both", "a name", "too many", "snaplen", "packets", "seconds", "marks", "unknown"],
)
def test_bad_queries(service: RunningService, way: str, query: str) -> None:
    """What cannot be meant is a problem with status 422."""
    answer = refused(service, way, query)
    assert answer.status_code == 422
    assert ":invalid-" in answer.json()["type"]


def test_another_subprotocol(service: RunningService) -> None:
    """The socket has pcapng alone, which is also what a client gets that offers nothing."""
    answer = refused(service, WEBSOCKET, "", BATCH)
    assert answer.json()["type"].endswith("unknown-subprotocol")
    with open_websocket(service, PATH) as client:
        assert client.subprotocol is None
        assert pcapng.whole(bytes(client.recv(30))) > 0  # type: ignore[arg-type]


def test_scope(service: RunningService) -> None:
    """It needs the scope capture, on either way."""
    token = service.token(Scope.INJECT, Scope.READ)
    with service.client(token) as client:
        assert client.get(PATH).status_code == 403
    with pytest.raises(InvalidStatus) as error:
        open_websocket(service, PATH, PCAPNG, token=token)
    assert error.value.response.status_code == 403


@each_way
def test_without_a_session(service: RunningService, way: str) -> None:
    """A capture while no session runs begins at once, and is a whole file without packets."""
    with live(service, way, seconds=0.05) as capture:
        assert interface_statistics(capture.rest()) == {}
        assert capture.code == (None if way == GET else 4009)


@tshark.needs_tshark
@each_way
def test_two_sessions(service: RunningService, way: str, tmp_path: Path) -> None:
    """Each packet stands at the interface that has the name of its adapter, with its bytes."""
    sessions = [start(service, name) for name in ("A", "B")]
    with live(service, way, packets=4) as capture:
        for number in range(4):
            inject(service, sessions[number % 2], number)
        path = capture.save(tmp_path / "two.pcapng")
    assert [frame.interface for frame in tshark.read(path)] == ["A", "B", "A", "B"]
    assert tshark.contents(path) == [packet(number) for number in range(4)]


@each_way
@pytest.mark.parametrize("choice", ["adapter", "pool"])
def test_only_what_was_chosen(service: RunningService, way: str, choice: str) -> None:
    """Adapters by GUID, or those of a pool; a pool's adapters that come later too."""
    chosen = service.adapter(name="Chosen", pool="Mine")
    start(service, "Other")
    value = chosen["guid"] if choice == "adapter" else "Mine"
    with live(service, way, **{choice: value}, packets=2) as capture:
        session = service.session(chosen)["id"]
        capture.until(interfaces=1)
        second = start(service, "Second", pool="Mine")
        inject(service, start(service, "Third"), 0)
        inject(service, session, 1)
        if choice == "pool":
            capture.until(interfaces=2)
            inject(service, second, 2)
        else:
            inject(service, second, 2)
            inject(service, session, 3)
        file = capture.rest()
    names = [b"Chosen"] if choice == "adapter" else [b"Chosen", b"Second"]
    assert [name in file for name in (b"Chosen", b"Second")] == [
        name in names for name in (b"Chosen", b"Second")
    ]
    assert b"Other" not in file
    assert b"Third" not in file
    assert sum(count for count, _ in interface_statistics(file).values()) == 2


@tshark.needs_tshark
@each_way
def test_adapters_that_come_and_go(service: RunningService, way: str, tmp_path: Path) -> None:
    """A session, a deleted adapter that is made again, and a new name are interfaces of a file."""
    with live(service, way, packets=5) as capture:
        first = service.adapter(name="A")
        inject(service, service.session(first)["id"], 0)
        capture.until(packets=1, interfaces=1)
        service.http.delete(f"/v1/adapters/{first['guid']}").raise_for_status()
        capture.until(statistics=1)
        again = service.adapter(name="A", requested_guid=first["guid"])
        session = str(service.session(again)["id"])
        inject(service, session, 1)
        inject(service, start(service, "B"), 2)
        capture.until(packets=3, interfaces=3)
        renamed = service.http.patch(f"/v1/adapters/{again['guid']}", json={"name": "Z"})
        renamed.raise_for_status()
        inject(service, session, 3, 4)
        path = capture.save(tmp_path / "come.pcapng")
    rows, complaints = tshark.rows(path, "frame.interface_id", "frame.interface_name")
    assert complaints == ""
    assert rows == [["0", "A"], ["1", "A"], ["2", "B"], ["3", "Z"], ["3", "Z"]]
    statistics = interface_statistics(capture.file)
    assert statistics == {0: (1, 0), 1: (1, 0), 2: (1, 0), 3: (2, 0)}
    info = info_of(path)
    assert (info.packets, info.interfaces, info.statistics) == (5, 4, 4)


@each_way
def test_the_service_stops(service: RunningService, way: str) -> None:
    """A capture ends whole when the service stops, with all packets, and does not hold it up."""
    session = start(service, "A")
    with live(service, way) as capture:
        inject(service, session, 1, 2, 3)
        assert service.stop() < 10
        assert interface_statistics(capture.rest()) == {0: (3, 0)}
        assert capture.code == (None if way == GET else 1001)


@each_way
def test_the_service_stops_without_a_session(service: RunningService, way: str) -> None:
    """A capture that waits for sessions ends then too."""
    with live(service, way) as capture:
        assert service.stop() < 10
        assert interface_statistics(capture.rest()) == {}
        assert capture.code == (None if way == GET else 1001)


@each_way
def test_a_revoked_token(service: RunningService, way: str) -> None:
    """The capture of a token that is revoked ends whole, with 4001 on a WebSocket."""
    session = start(service, "A")
    made = service.api.create_token([Scope.CAPTURE])
    with live(service, way, token=made.token) as capture:
        inject(service, session, 1)
        capture.until(packets=1)
        service.api.revoke_token(made.id)
        assert interface_statistics(capture.rest()) == {0: (1, 0)}
        assert capture.code == (None if way == GET else 4001)
    inject(service, session, 2)


@each_way
def test_the_number_of_packets_is_exact(service: RunningService, way: str) -> None:
    """A burst that goes over the limit is divided; the packets after it are not lost."""
    session = start(service, "A")
    with live(service, way, packets=3) as capture:
        service.api.inject_packets(session, [packet(number) for number in range(10)])
        assert interface_statistics(capture.rest()) == {0: (3, 0)}
        assert capture.code == (None if way == GET else 4009)
    assert service.counters(session)["lost"]["queue"] == 0
    assert service.counters(session)["lost"]["ended"] == 0


@tshark.needs_tshark
@each_way
def test_a_filter_and_a_snap_length(service: RunningService, way: str, tmp_path: Path) -> None:
    """The filter sees whole packets; those that it lets through are cut."""
    need_libpcap()
    sessions = [start(service, name) for name in ("A", "B")]
    with live(service, way, filter="greater 100", snaplen=40, packets=2) as capture:
        for session in sessions:
            inject(service, session, 1)
            inject(service, session, 2, size=200)
        path = capture.save(tmp_path / "filtered.pcapng")
    frames = tshark.read(path)
    assert [(one.interface, one.captured, one.length) for one in frames] == [
        ("A", 40, 220),
        ("B", 40, 220),
    ]
    assert capture.file.count(b"greater 100") == 2
    assert interface_statistics(capture.file) == {0: (1, 0), 1: (1, 0)}


@each_way
def test_the_number_of_filtered_packets(service: RunningService, way: str) -> None:
    """Bursts that wait behind the last packet that was wanted do not end the file early."""
    need_libpcap()
    session = start(service, "A")
    fanout = service.service.context.registry.sessions.by_id(session).fanout
    packets = [packet(number, size) for number, size in enumerate((12, 200, 12, 200))]
    bursts = [
        Burst(packets, *measured(packets), sequence, time.time_ns(), injected=False)
        for sequence in (0, 4)
    ]

    def publish() -> None:
        for one in bursts:
            fanout.publish(one)

    with live(service, way, filter="greater 100", packets=2) as capture:
        service.loop.call_soon_threadsafe(publish)
        assert interface_statistics(capture.rest()) == {0: (2, 0)}


@each_way
def test_one_direction(service: RunningService, way: str) -> None:
    """Packets of the other direction are left out, of all adapters."""
    sessions = [start(service, name, addresses=[f"10.6.{n}.7/24"]) for n, name in enumerate("AB")]
    with live(service, way, direction="received", packets=2) as capture:
        for number, session in enumerate(sessions):
            echo = build.icmp_echo(f"10.6.{number}.8", f"10.6.{number}.7", identifier=1, sequence=1)
            service.api.inject_packets(session, [echo])
        file = capture.rest()
    assert interface_statistics(file) == {0: (1, 0), 1: (1, 0)}


@pytest.mark.parametrize("message", [b"a packet", "a text"])
def test_the_socket_takes_nothing(service: RunningService, message: bytes | str) -> None:
    """A message from the client closes the socket with 4010."""
    with open_websocket(service, PATH, PCAPNG) as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(30)
        assert closed_code(closed) == 4010


@each_way
def test_the_client_goes(service: RunningService, way: str) -> None:
    """Its places at all sessions are freed, and a session that comes then has none."""
    sessions = [start(service, name) for name in ("A", "B")]

    def subscribers(session: str) -> int:
        return int(service.http.get(f"/v1/sessions/{session}").json()["subscribers"])

    with live(service, way):
        until(lambda: all(subscribers(one) == 1 for one in sessions))
    until(lambda: not any(map(subscribers, sessions)))
    assert subscribers(start(service, "C")) == 0


@tshark.needs_tshark
@needs("capinfos")
def test_losses_of_a_slow_client(tmp_path: Path) -> None:
    """Each loss is told at the packet after it, by adapter; all that is counted agrees.

    The client reads nothing while both hosts send more than its queue and its socket hold.
    """
    total = 400
    library = EmulatedLibrary(Generation.TUNNEL_TYPE, Machine())
    host_packet = build.udp("10.6.7.7", "10.6.7.9", 1, 2, bytes(60_000))
    with (
        running(tmp_path, emulated_driver(library), queue_packets=20) as service,
        live(service, WEBSOCKET) as capture,
    ):
        sessions = {name: start(service, name, addresses=["10.6.7.7/24"]) for name in ("A", "B")}
        for number in range(0, total, 40):
            for name, session in sessions.items():
                for _ in range(40):
                    library.machine.device(name).deliver(host_packet)
                until(lambda s=session, n=number: received(service, s) == n + 40)  # type: ignore[misc]
        for session in sessions.values():
            inject(service, session, 1)
        while capture.file.count(packet(1)) < 2:
            assert capture.more()
        lost = [service.counters(session)["lost"]["queue"] for session in sessions.values()]
        for session in sessions.values():
            service.http.delete(f"/v1/sessions/{session}").raise_for_status()
        capture.until(statistics=2)
    path = tmp_path / "slow.pcapng"
    path.write_bytes(capture.file)
    fields = ("frame.interface_name", "frame.drop_count", "frame.comment")
    rows, complaints = tshark.rows(path, *fields)
    assert complaints == ""
    for number, name in enumerate("AB"):
        mine = [(int(drops or 0), comment) for one, drops, comment in rows if one == name]
        dropped = sum(drops for drops, _ in mine)
        assert dropped > 0
        for drops, comment in mine:
            count = "1 packet was" if drops == 1 else f"{drops} packets were"
            assert comment == (f"{count} lost before this one: queue {drops}" if drops else "")
        assert len(mine) + dropped == total + 1
        assert lost[number] == dropped
        assert interface_statistics(capture.file)[number] == (total + 1, dropped)
    assert info_of(path).packets == len(rows)


def received(service: RunningService, session: str) -> int:
    """How many packets of the host a session has read."""
    return int(service.counters(session)["received"]["packets"])


@pytest.mark.thorough
@tshark.needs_tshark
@needs("capinfos")
def test_as_many_adapters_as_there_may_be(tmp_path: Path) -> None:
    """256 adapters are 256 interfaces, each with its name, its packets and its statistics."""
    count = 256
    with running(tmp_path) as service:
        sessions = [start(service, f"A{number}") for number in range(count)]
        with live(service, packets=2 * count) as capture:
            for session in (*sessions, *reversed(sessions)):
                inject(service, session, 1)
            path = capture.save(tmp_path / "many.pcapng")
    rows, complaints = tshark.rows(path, "frame.interface_id", "frame.interface_name")
    assert complaints == ""
    names = [f"A{number}" for number in range(count)]
    assert [name for _, name in rows] == [*names, *reversed(names)]
    assert all(name == f"A{number}" for number, name in rows)
    assert interface_statistics(capture.file) == dict.fromkeys(range(count), (2, 0))
    info = info_of(path)
    assert (info.packets, info.interfaces, info.statistics) == (2 * count, count, count)


@tshark.needs_tshark
def test_wireshark_reads_along(service: RunningService, tmp_path: Path) -> None:
    """Tshark shows each packet when it passes, also of an adapter that comes while it reads."""
    with (
        live(service) as capture,
        subprocess.Popen(
            tshark.command("-i", "-"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=tshark.environment(tmp_path),
        ) as reader,
    ):
        assert reader.stdin is not None
        assert reader.stdout is not None
        stdin, stdout = reader.stdin, reader.stdout

        def pass_on() -> None:
            passed = 0
            with stdin:
                while True:
                    stdin.write(capture.file[passed:])
                    stdin.flush()
                    passed = len(capture.file)
                    if not capture.more():
                        return

        passing = threading.Thread(target=pass_on)
        passing.start()
        shown = []
        for name in ("A", "B"):
            session = start(service, name)
            for number in range(3):
                inject(service, session, number)
                shown.append(tshark.frame_of(stdout.readline().decode()).interface)
        assert shown == ["A"] * 3 + ["B"] * 3
        service.stop()
        passing.join(30)
        assert stdout.read() == b""
        assert reader.wait(30) == 0
