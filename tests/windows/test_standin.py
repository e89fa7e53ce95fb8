"""The service on the stand-in library in Wine, driven from Linux over HTTP and WebSocket."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.running import TOKEN, PacketSocket
from tests.waiting import let_pass, until
from tests.windows.services import WineService, wine_service
from tests.windows.standin import VERSIONS, Control, standin_path
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.packet import build
from wintun_api.wire import BATCH, Batch, pack

PACKETS = 1_000_000
OWN_BUILD = "--allow-unverified-dll"
HEADER = build.udp("10.6.7.8", "10.6.7.7", 5000, 6000, bytes(56))[:-8]


def numbered(number: int) -> bytes:
    """A packet of 84 bytes that ends in its number."""
    return HEADER + struct.pack("<Q", number)


@dataclass
class Standin:
    """A service on a stand-in, and what the library can be told."""

    service: WineService
    tell: Control
    generation: Generation

    def pair(self, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Make two adapters, which the library joins."""
        names = [f"wt{uuid4().hex[:8]}" for _ in range(2)]
        one, other = (self.service.adapter(name=name, **body) for name in names)
        return one, other

    def sessions(self, **body: Any) -> tuple[dict[str, Any], str, str]:
        """Make a pair and start both sessions; return the second adapter and the two ids."""
        one, other = self.pair()
        ids = [self.service.session(adapter, **body)["id"] for adapter in (one, other)]
        return other, ids[0], ids[1]

    def state(self, session: str) -> dict[str, Any]:
        """The session as the service has it."""
        return dict(self.service.http.get(f"/v1/sessions/{session}").json())


@pytest.fixture(scope="module", params=list(Generation))
def shared(
    rig: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standin]:
    """One service for every test of a generation; it must end in order, without misuse."""
    folder = tmp_path_factory.mktemp("service")
    control = Control(folder / "control")
    path = standin_path(request.param)
    with wine_service(
        rig, folder, path, OWN_BUILD, STANDIN_CONTROL="Z:" + str(control.path)
    ) as service:
        yield Standin(service, control, request.param)


@pytest.fixture
def standin(shared: Standin) -> Iterator[Standin]:
    """The service, without adapters before and after."""
    yield shared
    for adapter in shared.service.http.get("/v1/adapters").json():
        shared.service.http.delete(f"/v1/adapters/{adapter['guid']}")


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something that takes a moment."""
    until(condition, seconds)


def event(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Wait for an event of this type."""
    while True:
        found: dict[str, Any] = json.loads(socket.recv(10))
        if found["type"] == kind:
            return found


def test_what_it_is(standin: Standin) -> None:
    """A Windows process, elevated, that tells the generation from the library's exports."""
    system = standin.service.http.get("/v1/system").json()
    assert (system["driver"], system["unavailable"]) == ("wintun", None)
    assert system["platform"].startswith("Windows")
    assert system["elevated"] is True
    driver = standin.service.http.get("/v1/driver").json()
    assert driver["generation"] == standin.generation
    assert driver["library_path"].endswith(f"standin-{VERSIONS[standin.generation]}.dll")


def test_driver_version(standin: Standin) -> None:
    """Once an adapter was made, the kernel driver is loaded and has its version."""
    standin.pair()
    version = standin.service.http.get("/v1/driver").json()["running_version"]
    assert version == f"0.{VERSIONS[standin.generation]}"


@pytest.mark.parametrize("name", ["Büro-Netz", "網路", "Net \U0001f30d"])
def test_names(standin: Standin, name: str) -> None:
    """A name beyond ASCII reaches the library as UTF-16 and comes back, pairs included."""
    adapter = standin.service.adapter(name=name, pool="Büro")
    body = {"name": name, "pool": "Büro"}
    opened = standin.service.http.post("/v1/adapters/open", json=body).json()
    assert opened["guid"] == adapter["guid"]
    (listed,) = standin.service.http.get("/v1/adapters", params={"pool": "Büro"}).json()
    assert (listed["name"], listed["pool"]) == (name, "Büro")


def test_rename(standin: Standin) -> None:
    """The pool generation renames; the other one says that it cannot."""
    adapter, _ = standin.pair()
    path = f"/v1/adapters/{adapter['guid']}"
    answer = standin.service.http.patch(path, json={"name": "Büro \U0001f30d"})
    if standin.generation is Generation.POOL:
        assert answer.json()["name"] == "Büro \U0001f30d"
    else:
        assert answer.status_code == 501


def test_an_adapter_lives_as_its_generation_has_it(standin: Standin) -> None:
    """A released adapter can be opened again exactly in the pool generation."""
    adapter, _ = standin.pair()
    http = standin.service.http
    exists = http.post(f"/v1/adapters/{adapter['guid']}/release").json()["exists"]
    assert exists is (standin.generation is Generation.POOL)
    body = {"name": adapter["name"], "pool": adapter["pool"]}
    answer = http.post("/v1/adapters/open", json=body)
    assert answer.status_code == (200 if exists else 404), answer.text
    if not exists:
        assert answer.json()["win32_code"] == 1168
        assert any("matching adapter name" in line for line in answer.json()["log"])


def test_the_library_logs_after_the_call(standin: Standin) -> None:
    """A line from a thread of the library's own, long after the call, becomes an event."""
    with standin.service.connect("/v1/events") as socket:
        standin.pair()
        while True:
            line = event(socket, "driver.log")["data"]
            if "orphaned" in line["message"]:
                break
        standin.tell("log 2 Grüße \U0001f30d")
        while "Grüße" not in line["message"]:
            line = event(socket, "driver.log")["data"]
        assert line["message"].endswith("Grüße \U0001f30d")
        assert line["level"] == "err"


def test_a_million_packets(standin: Standin, capsys: pytest.CaptureFixture[str]) -> None:
    """What one client sends on one adapter another one receives on the other: all, in order."""
    _, first, second = standin.sessions()
    service = standin.service
    seen = 0
    started = time.monotonic()
    with (
        service.connect(f"/v1/sessions/{first}/packets?full=wait&direction=none", BATCH) as sending,
        service.packets(second, "?overflow=block") as receiver,
    ):
        sender = PacketSocket(sending)

        def send() -> None:
            for start in range(0, PACKETS, 600):
                stop = min(start + 600, PACKETS)
                sending.send(pack(Batch([numbered(n) for n in range(start, stop)])))

        def acknowledged() -> None:
            accepted = 0
            while accepted < PACKETS:
                ack = sender.text("ack", 30)
                assert ack["ring_full"] == 0
                assert ack["rejected"] == {}
                accepted += ack["accepted"]

        threads = [threading.Thread(target=one, daemon=True) for one in (send, acknowledged)]
        for thread in threads:
            thread.start()
        while seen < PACKETS:
            for packet in receiver.receive(1, 30):
                assert packet == numbered(seen)
                seen += 1
        for thread in threads:
            thread.join(30)
    seconds = time.monotonic() - started
    counters = service.counters(second)
    assert counters["received"]["packets"] == seen == PACKETS
    assert not any(counters["lost"].values()), counters
    assert not receiver.texts
    with capsys.disabled():
        rate = PACKETS / seconds
        print(f"\n{PACKETS:,} packets of 84 bytes in {seconds:.1f} s, {rate:,.0f} packets/s")


def test_an_adapter_goes_under_its_session(standin: Standin) -> None:
    """Readers are told (38), the session has ended, and a new one finds no adapter."""
    adapter, _, session = standin.sessions()
    with standin.service.packets(session) as client:
        standin.tell(f"remove {adapter['name']}")
        assert client.text("ended")["state"] == "ended"
        with pytest.raises(ConnectionClosed) as closed:
            client.read()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4009
    assert standin.state(session)["state"] == "ended"
    answer = standin.service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    assert answer.status_code == 404


def test_sending_to_an_adapter_that_went(standin: Standin) -> None:
    """An injection after the removal is refused, and harms nothing."""
    adapter, session, _ = standin.sessions()
    one = next(
        known
        for known in standin.service.http.get("/v1/adapters").json()
        if known["guid"] != adapter["guid"]
    )
    standin.tell(f"remove {one['name']}")
    wait_until(lambda: standin.state(session)["state"] == "ended")
    answer = standin.service.http.post(
        f"/v1/sessions/{session}/packets",
        content=numbered(0),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 409


def test_ring_corruption(standin: Standin) -> None:
    """A corrupt ring (13) is restarted once, with an event; the second time is the end."""
    adapter, first, second = standin.sessions()
    service = standin.service
    with (
        service.connect("/v1/events") as events,
        service.packets(second) as receiver,
        service.packets(first, "?direction=none") as sender,
    ):
        standin.tell(f"corrupt {adapter['name']}")
        assert event(events, "session.restarted")["data"]["id"] == second
        sender.socket.send(pack(Batch([numbered(7)])))
        assert receiver.receive(1) == [numbered(7)]
        standin.tell(f"corrupt {adapter['name']}")
        failed = event(events, "session.failed")["data"]
        assert failed["win32_code"] == 13
        assert receiver.text("ended")["state"] == "failed"
    state = standin.state(second)
    assert (state["state"], state["restarts"]) == ("failed", 1)
    assert state["counters"]["ring_corrupt"] == 2


def test_session_of_another_process(standin: Standin) -> None:
    """An adapter has one session, machine-wide (1247)."""
    adapter, _ = standin.pair()
    standin.tell(f"seize {adapter['name']}")
    let_pass(0.1)
    answer = standin.service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    assert answer.status_code == 409
    assert (answer.json()["function"], answer.json()["win32_code"]) == ("WintunStartSession", 1247)
    standin.tell(f"yield {adapter['name']}")
    let_pass(0.1)
    assert standin.service.session(adapter)["state"] == "running"
    answer = standin.service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    assert answer.status_code == 409
    assert "win32_code" not in answer.json()  # the service itself knows, and asked no driver


@pytest.mark.parametrize(
    ("code", "status"), [(5, 403), (0, 502), (0x80070005, 403), (0xE0000203, 502), (4319, 502)]
)
def test_create_fails(standin: Standin, code: int, status: int) -> None:
    """NULL with any last error, none and an HRESULT included, is a problem document."""
    standin.tell(f"fail WintunCreateAdapter {code:#x}")
    let_pass(0.1)
    answer = standin.service.http.post("/v1/adapters", json={"name": "never"})
    assert answer.status_code == status
    problem = answer.json()
    assert (problem["function"], problem["win32_code"]) == ("WintunCreateAdapter", code)
    assert problem["win32_code_hex"] == f"0x{code:08X}"
    assert any("Told to fail" in line for line in problem["log"])
    assert standin.service.http.get("/v1/adapters").json() == []


def test_full_ring(standin: Standin) -> None:
    """While the kernel takes nothing, a full ring (111) drops and counts; then all is well."""
    adapter, first, second = standin.sessions(capacity=0x20000)
    one = next(
        known
        for known in standin.service.http.get("/v1/adapters").json()
        if known["guid"] != adapter["guid"]
    )
    standin.tell(f"hold {one['name']}")
    let_pass(0.1)
    taken = 0x1FFFC // 88
    with (
        standin.service.packets(first, "?direction=none") as sender,
        standin.service.packets(second) as receiver,
    ):
        sender.socket.send(pack(Batch([numbered(n) for n in range(2000)])))
        ack = sender.text("ack")
        assert (ack["accepted"], ack["ring_full"]) == (taken, 2000 - taken)
        standin.tell(f"let {one['name']}")
        assert receiver.receive(taken) == [numbered(n) for n in range(taken)]


def test_create_blocks(standin: Standin, capsys: pytest.CaptureFixture[str]) -> None:
    """While a creation hangs for 15 s, everything else answers in milliseconds."""
    if standin.generation is Generation.POOL:
        pytest.skip("15 s are long; one generation is enough")
    _, first, second = standin.sessions()
    service = standin.service
    answers: list[Any] = []
    standin.tell("delay WintunCreateAdapter 15000")
    let_pass(0.1)
    started = time.monotonic()

    def create() -> None:
        with service.client(TOKEN) as http:
            answers.append(http.post("/v1/adapters", json={"name": "late"}))

    creator = threading.Thread(target=create)
    creator.start()
    wait_until(lambda: bool(service.http.get("/v1/driver").json()["calls"]))
    took: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        asked = time.monotonic()
        yield
        took[what].append(1000 * (time.monotonic() - asked))

    with (
        service.packets(first, "?direction=none") as sender,
        service.packets(second) as receiver,
    ):
        number = 0
        while creator.is_alive():
            for path in ("adapters", "sessions", "driver", "system"):
                with timed(path):
                    assert service.http.get(f"/v1/{path}").status_code == 200
            with timed("packet"):
                sender.socket.send(pack(Batch([numbered(number)])))
                assert receiver.receive(1) == [numbered(number)]
            assert sender.text("ack")["accepted"] == 1
            number += 1
            let_pass(0.02)
    creator.join()
    assert time.monotonic() - started > 14
    assert answers[0].status_code == 201, answers[0].text
    with capsys.disabled():
        for what, each in took.items():
            each.sort()
            median = each[len(each) // 2]
            print(f"\n{what}: {len(each)} times, median {median:.1f} ms, at most {each[-1]:.1f} ms")
    assert all(each[len(each) // 2] < 50 and each[-1] < 1000 for each in took.values())


@pytest.mark.parametrize("generation", list(Generation))
def test_the_end_under_load(rig: Path, tmp_path: Path, generation: Generation) -> None:
    """Ctrl-C amid traffic, with a line of the library's own thread due: 1001 to all, in 3 s."""
    codes: list[int | None] = []

    def read(client: PacketSocket) -> None:
        with suppress(ConnectionClosed):
            while True:
                client.read()
                client.batches.clear()
        codes.append(client.socket.close_code)

    with wine_service(rig, tmp_path, standin_path(generation), OWN_BUILD) as service:
        ids = [service.session(service.adapter(name=name))["id"] for name in ("One", "Two")]
        with (
            service.packets(ids[0], "?direction=none&full=wait") as sender,
            service.packets(ids[1], "?overflow=block") as receiver,
        ):
            readers = [threading.Thread(target=read, args=(one,)) for one in (sender, receiver)]
            for reader in readers:
                reader.start()
            message = pack(Batch([numbered(n) for n in range(600)]))
            for _ in range(50):
                sender.socket.send(message)
            service.adapter(name="Three")
            assert service.stop() < 3
            for reader in readers:
                reader.join(10)
    assert codes == [1001, 1001]
