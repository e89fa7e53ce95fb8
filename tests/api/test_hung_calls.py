"""A call of the driver that hangs, or a wait that fails, harms its own session alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.answers import problem, wait_for
from tests.conftest import Rig
from tests.raw_websocket import raw_packets
from tests.running import RunningService, receive, running
from tests.waiting import until
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.packet import build


def adapter_of(service: RunningService, number: int) -> dict[str, Any]:
    """Create the adapter of this number."""
    return service.adapter(name=f"A{number}", addresses=[f"10.6.{number}.1/24"])


def carries(service: RunningService, session: dict[str, Any], number: int) -> None:
    """See that a session answers an echo request."""
    echo = build.icmp_echo(f"10.6.{number}.2", f"10.6.{number}.1", identifier=1, sequence=1)
    with service.packets(session["id"]) as stream:
        assert stream.send(echo).accepted == 1
        assert len(receive(stream, 1)) == 1


def calls(service: RunningService) -> list[str]:
    """Return the names of the driver calls under way."""
    return [call["call"] for call in service.http.get("/v1/driver").json()["calls"]]


def everything_else_works(service: RunningService, number: int) -> None:
    """See that a new adapter's session starts, carries and ends, and that all can be read."""
    adapter = adapter_of(service, number)
    session = service.session(adapter)
    carries(service, session, number)
    assert service.http.get("/v1/sessions").status_code == 200
    assert service.http.get("/metrics").status_code == 200
    assert service.http.delete(f"/v1/sessions/{session['id']}").json()["state"] == "ended"
    assert service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200


def test_a_hung_end(rig: Rig) -> None:
    """DELETE answers 504, the state stays true, all else goes on; then it is over after all."""
    service, http = rig.service, rig.service.http
    adapter, other = adapter_of(service, 1), adapter_of(service, 2)
    session, second = service.session(adapter), service.session(other)
    path = f"/v1/sessions/{session['id']}"
    gate = rig.library.hold_next("WintunEndSession")
    try:
        with service.impatient():
            assert "end_session" in problem(http.delete(path), 504, "driver-busy")["detail"]
        assert http.get(path).json()["state"] == "ending"
        assert calls(service) == ["end_session"]
        problem(http.post("/v1/sessions", json={"adapter": adapter["guid"]}), 409, "session-exists")
        carries(service, second, 2)
        everything_else_works(service, 3)
        with service.impatient():
            problem(http.delete(path), 504, "driver-busy")
        with service.impatient():
            problem(http.delete(f"/v1/adapters/{adapter['guid']}"), 504, "driver-busy")
        assert http.delete(f"/v1/sessions/{second['id']}").json()["state"] == "ended"
    finally:
        gate.set()
    assert wait_for(service, "adapter.deleted")["name"] == "A3"
    until(lambda: http.get(path).status_code == 404)
    assert "end_session" not in calls(service)
    events = [
        event["type"] for event in all_events(service) if event["data"].get("id") == session["id"]
    ]
    assert events == ["session.started", "session.ended"]


def all_events(service: RunningService) -> list[dict[str, Any]]:
    """Return the events so far, up to one that is provoked now."""
    last = adapter_of(service, 9)
    found: list[dict[str, Any]] = []
    with service.http.stream("GET", "/v1/events", params={"since": 0}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                data = found[-1]["data"]
                if data.get("guid") == last["guid"] and found[-1]["type"] == "adapter.created":
                    return found[:-1]
    raise AssertionError("The stream ended.")


def test_an_adapter_after_a_hung_end(rig: Rig) -> None:
    """Once the call has come back, the adapter takes a new session."""
    service = rig.service
    adapter = adapter_of(service, 1)
    path = f"/v1/sessions/{service.session(adapter)['id']}"
    gate = rig.library.hold_next("WintunEndSession")
    with service.impatient():
        problem(service.http.delete(path), 504, "driver-busy")
    gate.set()
    assert wait_for(service, "session.ended")["state"] == "ended"
    carries(service, service.session(adapter), 1)


def test_a_hung_start(rig: Rig) -> None:
    """POST answers 504; what waits behind it is withdrawn; the start counts when it is done."""
    service, http = rig.service, rig.service.http
    adapter = adapter_of(service, 1)
    path = f"/v1/adapters/{adapter['guid']}"
    gate = rig.library.hold_next("WintunStartSession")
    try:
        body = {"adapter": adapter["guid"]}
        with service.impatient():
            answer = http.post("/v1/sessions", json=body)
        assert "start_session" in problem(answer, 504, "driver-busy")["detail"]
        assert calls(service) == ["start_session"]
        everything_else_works(service, 2)
        with ThreadPoolExecutor(3) as pool, service.impatient():
            waiting = [
                pool.submit(http.post, "/v1/sessions", json=body),
                pool.submit(http.patch, path, json={"addresses": ["10.99.0.1/24"]}),
                pool.submit(http.delete, path),
            ]
            for late in waiting:
                detail = problem(late.result(), 504, "driver-busy")["detail"]
                assert detail.startswith("start_session is still running after")
                assert detail.endswith("waited for it and was cancelled without effect.")
    finally:
        gate.set()
    until(lambda: http.get("/v1/sessions").json())
    running = http.get("/v1/sessions").json()
    assert [one["adapter"] for one in running] == [adapter["guid"]]
    carries(service, running[0], 1)
    assert http.get(path).json()["addresses"] == ["10.6.1.1/24"]


def test_hung_counters(rig: Rig) -> None:
    """Reading sessions, metrics and the driver waits a second for counters, and only once."""
    service, http = rig.service, rig.service.http
    adapter = adapter_of(service, 1)
    session = service.session(adapter)
    path = f"/v1/sessions/{session['id']}"
    gate = rig.library.hold_next("GetIfEntry2")
    try:
        assert [one["state"] for one in http.get("/v1/sessions").json()] == ["running"]
        assert calls(service) == ["counters"]
        assert http.get(path).json()["state"] == "running"
        carries(service, session, 1)
        everything_else_works(service, 2)
        with service.impatient():
            problem(http.delete(path), 504, "driver-busy")
        assert http.get(path).json()["state"] == "ending"
    finally:
        gate.set()
    assert wait_for(service, "session.ended") is not None
    until(lambda: http.get(path).status_code == 404)


def test_hung_counters_before_a_start(rig: Rig) -> None:
    """A start that reads counters first answers 504 and is done later."""
    service, http = rig.service, rig.service.http
    adapter = adapter_of(service, 1)
    gate = rig.library.hold_next("GetIfEntry2")
    with service.impatient():
        problem(http.post("/v1/sessions", json={"adapter": adapter["guid"]}), 504, "driver-busy")
    everything_else_works(service, 2)
    gate.set()
    until(lambda: http.get("/v1/sessions").json())
    carries(service, http.get("/v1/sessions").json()[0], 1)


@pytest.mark.parametrize("generation", [Generation.POOL], indirect=True)
def test_a_pool_with_a_hung_end(rig: Rig) -> None:
    """Deleting the pool answers 504; other pools go on; it is deleted when the call is back."""
    service, http = rig.service, rig.service.http
    adapter = service.adapter(name="One", pool="Doomed")
    service.session(adapter)
    gate = rig.library.hold_next("WintunEndSession")
    try:
        with service.impatient():
            problem(http.delete("/v1/pools/Doomed"), 504, "driver-busy")
        everything_else_works(service, 2)
        with service.impatient():
            detail = problem(http.delete("/v1/pools/Doomed"), 504, "driver-busy")["detail"]
        assert detail.startswith("delete_pool is still running after")
    finally:
        gate.set()
    until(lambda: http.get(f"/v1/adapters/{adapter['guid']}").status_code == 404)


@pytest.fixture(params=["pool", "tunnel-type"])
def generation(request: pytest.FixtureRequest) -> Generation:
    """Both generations."""
    return Generation(request.param)


@pytest.fixture
def rig(generation: Generation, tmp_path: Path) -> Iterator[Rig]:
    """A service whose library must not have been misused at the end."""
    library = EmulatedLibrary(generation, Machine())
    with running(tmp_path, emulated_driver(library)) as service:
        yield Rig(service, library)
    assert library.misuse == []
    assert library.open_handles() == (0, 0)


HELD = ["WintunStartSession", "WintunEndSession", "GetIfEntry2", "WaitForMultipleObjects"]


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("function", HELD)
def test_the_service_ends_while_a_call_hangs(
    tmp_path: Path, generation: Generation, function: str
) -> None:
    """Whatever hangs, the service ends within about three seconds, though a request waits."""
    library = EmulatedLibrary(generation, Machine())
    with running(tmp_path, emulated_driver(library), management_timeout=30.0) as service:
        adapter = adapter_of(service, 1)
        other = service.session(adapter_of(service, 2))
        gate = library.hold_next(function)
        body = {"adapter": adapter["guid"]}
        hanging = threading.Thread(target=quietly, args=(service, "POST", "/v1/sessions", body))
        if function in ("WintunEndSession", "WaitForMultipleObjects"):
            path = f"/v1/sessions/{service.session(adapter)['id']}"
            hanging = threading.Thread(target=quietly, args=(service, "DELETE", path, None))
        hanging.start()
        if function != "WaitForMultipleObjects":
            until(lambda: calls(service))
        try:
            carries(service, other, 2)
            assert service.stop() < 10
        finally:
            gate.set()
        hanging.join(30)
    assert library.misuse == []


def quietly(service: RunningService, method: str, path: str, body: Any) -> None:
    """Send a request whose answer does not matter."""
    with service.client("the-admin-token") as http:
        try:
            http.request(method, path, json=body)
        except Exception:
            return


def test_a_wait_that_does_not_come_back(rig: Rig) -> None:
    """The session fails with what is stuck, nothing is freed under it, and all else goes on."""
    service, http = rig.service, rig.service.http
    adapter = adapter_of(service, 1)
    gate = rig.library.hold_next("WaitForMultipleObjects")
    session = service.session(adapter)
    with raw_packets(service, session["id"]) as client:
        with service.impatient():
            answer = http.delete(f"/v1/sessions/{session['id']}")
        problem(answer, 504, "driver-busy")  # its patience is longer than the management time-out
        assert "wait_readable is still running" in client.text("ended")["reason"]
    failed = wait_for(service, "session.failed")
    assert failed["reason"].startswith("It was ended on request. wait_readable is still running")
    assert rig.library.open_handles()[1] == 1
    again = http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    problem(again, 409, "session-exists")
    everything_else_works(service, 2)
    gate.set()
    until(lambda: not rig.library.open_handles()[1])
    carries(service, service.session(adapter), 1)


@pytest.mark.parametrize("code", [0, 5, 6, 14])
@pytest.mark.parametrize("function", ["WintunGetReadWaitEvent", "CreateEventW"])
def test_a_session_without_an_event(rig: Rig, function: str, code: int) -> None:
    """It is refused by the driver's own error, and the next one starts."""
    service = rig.service
    adapter = adapter_of(service, 1)
    rig.library.fail_next(function, code)
    answer = service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    assert answer.status_code == (403 if code == 5 else 502)
    assert (answer.json()["function"], answer.json()["win32_code"]) == (function, code)
    assert rig.library.open_handles()[1] == 0
    assert service.http.get("/v1/sessions").json() == []
    carries(service, service.session(adapter), 1)


def test_a_wait_that_fails(rig: Rig) -> None:
    """The session fails by that error at once, its clients are told, and a new one works."""
    service = rig.service
    adapter = adapter_of(service, 1)
    session = service.session(adapter)
    with raw_packets(service, session["id"]) as client:
        rig.library.break_wait("A1")
        assert client.text("ended")["state"] == "failed"
    failed = service.http.get(f"/v1/sessions/{session['id']}").json()
    assert (failed["state"], failed["win32_code"]) == ("failed", 6)
    assert "WaitForMultipleObjects" in failed["reason"]
    carries(service, service.session(adapter), 1)


@pytest.mark.parametrize("function", ["CreateEventW", "GetIfEntry2"])
@pytest.mark.parametrize("raised", [SystemExit(1), StopIteration(), MemoryError()])
def test_a_call_that_leaves_by_something_else(
    rig: Rig, function: str, raised: BaseException
) -> None:
    """Whatever a call of a session raises, the service goes on."""
    service = rig.service
    adapter = adapter_of(service, 1)
    rig.library.raise_next(function, raised)
    service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    everything_else_works(service, 2)


def test_threads_end_with_their_sessions(rig: Rig) -> None:
    """Fifty sessions later there are as many threads as before."""
    service = rig.service
    adapter = adapter_of(service, 1)
    for _ in range(50):
        session = service.session(adapter)
        assert service.http.delete(f"/v1/sessions/{session['id']}").status_code == 200
    until(lambda: not session_threads())


def session_threads() -> list[str]:
    """Return the names of the threads of sessions."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("session:", "wait:"))]
