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

from tests.raw_websocket import RawPackets, open_websocket, raw_packets
from tests.running import TOKEN, receive
from tests.waiting import let_pass, until
from tests.windows.services import WineService, wine_service
from tests.windows.standin import VERSIONS, Control, standin_path
from wintun_api.choices import Native
from wintun_api.client import Accounts, Loss
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.native import SOURCE
from wintun_api.packet import build
from wintun_api.wire import Batch, pack

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
    native: Native

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


# Both generations, and both ways of the packets.
KINDS = [
    (Generation.POOL, Native.AUTO),
    (Generation.TUNNEL_TYPE, Native.AUTO),
    (Generation.TUNNEL_TYPE, Native.OFF),
]


@pytest.fixture(scope="module", params=KINDS, ids=":".join)
def shared(
    rig: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standin]:
    """One service for every test of a kind; it must end in order, without misuse."""
    generation, native = request.param
    folder = tmp_path_factory.mktemp("service")
    control = Control(folder / "control")
    told = "Z:" + str(control.path)
    options = (OWN_BUILD, "--native", native)
    with wine_service(
        rig, folder, standin_path(generation), *options, STANDIN_CONTROL=told
    ) as service:
        yield Standin(service, control, generation, native)


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
    built = SOURCE.with_suffix(".pyd").is_file()
    assert system["native"] is (built and standin.native is Native.AUTO)
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


def test_a_name_that_exists(standin: Standin) -> None:
    """It is opened with its session, then replaced, which ends the session."""
    adapter, _ = standin.pair(pool="Büro")
    session = standin.service.session(adapter)["id"]
    body = {"name": adapter["name"].upper(), "pool": "Büro"}
    http = standin.service.http
    opened = http.post("/v1/adapters", json={**body, "if_exists": "open"})
    assert (opened.status_code, opened.json()["session"]) == (200, session)
    replaced = http.post("/v1/adapters", json={**body, "if_exists": "replace"})
    assert (replaced.status_code, replaced.json()["session"]) == (201, None)
    assert http.get(f"/v1/sessions/{session}").status_code == 404
    assert len(http.get("/v1/adapters", params={"pool": "Büro"}).json()) == 2


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
    with open_websocket(standin.service, "/v1/events") as socket:
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
        service.packets(first, full="wait", direction="none") as sender,
        service.packets(second, overflow="block") as receiver,
    ):

        def send() -> None:
            for start in range(0, PACKETS, 600):
                stop = min(start + 600, PACKETS)
                sender.put([numbered(n) for n in range(start, stop)])
            sender.send([])  # which waits for all acks

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        while seen < PACKETS:
            burst = next(receiver)
            assert not isinstance(burst, Loss)
            for packet in burst.packets:
                assert packet == numbered(seen)
                seen += 1
        thread.join(30)
        assert sender.accounts == Accounts(accepted=PACKETS)
    seconds = time.monotonic() - started
    counters = service.counters(second)
    assert counters["received"]["packets"] == seen == PACKETS
    assert not any(counters["lost"].values()), counters
    with capsys.disabled():
        rate = PACKETS / seconds
        print(f"\n{PACKETS:,} packets of 84 bytes in {seconds:.1f} s, {rate:,.0f} packets/s")


def test_an_adapter_goes_under_its_session(standin: Standin) -> None:
    """Readers are told (38), the session has ended, and a new one finds no adapter."""
    adapter, _, session = standin.sessions()
    with raw_packets(standin.service, session) as client:
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
        open_websocket(service, "/v1/events") as events,
        raw_packets(service, second) as receiver,
        raw_packets(service, first, "?direction=none") as sender,
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
        standin.service.packets(first, direction="none") as sender,
        standin.service.packets(second) as receiver,
    ):
        accounts = sender.send([numbered(n) for n in range(2000)])
        assert (accounts.accepted, accounts.ring_full) == (taken, 2000 - taken)
        standin.tell(f"let {one['name']}")
        assert receive(receiver, taken) == [numbered(n) for n in range(taken)]


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
        service.packets(first, direction="none") as sender,
        service.packets(second) as receiver,
    ):
        number = 0
        while creator.is_alive():
            for path in ("adapters", "sessions", "driver", "system"):
                with timed(path):
                    assert service.http.get(f"/v1/{path}").status_code == 200
            with timed("packet"):
                sender.put(numbered(number))
                assert receive(receiver, 1) == [numbered(number)]
            number += 1
            let_pass(0.02)
        sender.send([])
        assert sender.accounts == Accounts(accepted=number)
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

    def read(client: RawPackets) -> None:
        with suppress(ConnectionClosed):
            while True:
                client.read()
                client.batches.clear()
        codes.append(client.socket.close_code)

    with wine_service(rig, tmp_path, standin_path(generation), OWN_BUILD) as service:
        ids = [service.session(service.adapter(name=name))["id"] for name in ("One", "Two")]
        with (
            raw_packets(service, ids[0], "?direction=none&full=wait") as sender,
            raw_packets(service, ids[1], "?overflow=block") as receiver,
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
