"""Sessions over REST, and their failures."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from tests.answers import post_packet, problem, wait_for
from tests.conftest import Rig
from tests.raw_websocket import raw_packets
from tests.running import RunningService, receive
from wintun_api.packet import build

CAPACITIES = [0, 1, -1, 0x1FFFF, 0x30000, 0x8000000, "4MiB", "4194304", 1.5, None, True, 2**70]


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_bad_capacities(service: RunningService, capacity: object) -> None:
    """Only a power of two from 128 KiB to 64 MiB is a capacity."""
    adapter = service.adapter(name="OfficeNet")
    body = {"adapter": adapter["guid"], "capacity": capacity}
    answer = service.http.post("/v1/sessions", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "capacity" in answer.json()["detail"]
    assert service.http.get("/v1/sessions").json() == []


@pytest.mark.parametrize("capacity", [0x20000, 0x400000, 0x4000000])
def test_good_capacities(service: RunningService, capacity: int) -> None:
    """The bounds themselves are fine."""
    session = service.session(service.adapter(name="OfficeNet"), capacity=capacity)
    assert session["capacity"] == capacity


@pytest.mark.parametrize("offload", [0, 1, "yes", []])
def test_bad_offloads(service: RunningService, offload: object) -> None:
    """Offload is true, false or null."""
    body = {"adapter": service.adapter(name="OfficeNet")["guid"], "offload": offload}
    problem(service.http.post("/v1/sessions", json=body), 422, "invalid-request")


def test_offload_that_the_driver_does_not_have(either_service: RunningService) -> None:
    """It is refused where it is asked for, and no session shows it."""
    service = either_service
    capabilities = service.http.get("/v1/driver").json()["capabilities"]
    assert capabilities["offload"] is False
    adapter = service.adapter(name="OfficeNet")
    body = {"adapter": adapter["guid"], "offload": True}
    found = problem(service.http.post("/v1/sessions", json=body), 501, "not-supported")
    assert "without offload" in found["hint"]
    for offload in (False, None):
        session = service.session(adapter, offload=offload)
        assert session["offload"] is False
        service.http.delete(f"/v1/sessions/{session['id']}")


def test_life(either_service: RunningService) -> None:
    """A session starts, shows in its adapter, ends and can be started again."""
    service = either_service
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    assert session["state"] == "running"
    path = f"/v1/adapters/{adapter['guid']}"
    shown = service.http.get(path).json()
    assert (shown["state"], shown["session"]) == ("up", session["id"])
    ended = service.http.delete(f"/v1/sessions/{session['id']}").json()
    assert (ended["state"], ended["reason"]) == ("ended", "It was ended on request.")
    shown = service.http.get(path).json()
    assert (shown["state"], shown["session"]) == ("down", None)
    assert service.http.get("/v1/sessions").json() == []
    again = service.session(adapter)
    assert again["id"] != session["id"]


def test_a_second_session_is_a_conflict(either_service: RunningService) -> None:
    """An adapter has one session."""
    adapter = either_service.adapter(name="OfficeNet")
    session = either_service.session(adapter)
    answer = either_service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    found = problem(answer, 409, "session-exists")
    assert (found["adapter"], found["session"]) == (adapter["guid"], session["id"])
    assert not {"function", "win32_code", "errno"} & set(found)  # no driver was asked


def test_unknown_sessions(service: RunningService) -> None:
    """An id that names nothing is a 404; ending twice finds nothing."""
    session = service.session(service.adapter(name="OfficeNet"))
    path = f"/v1/sessions/{session['id']}"
    assert service.http.delete(path).status_code == 200
    problem(service.http.delete(path), 404, "session-not-found")
    problem(service.http.get("/v1/sessions/none"), 404, "session-not-found")


def test_a_session_on_a_deleted_adapter(either_service: RunningService) -> None:
    """No session starts on what is gone."""
    adapter = either_service.adapter(name="OfficeNet")
    either_service.http.delete(f"/v1/adapters/{adapter['guid']}")
    answer = either_service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    problem(answer, 404, "adapter-not-found")


def test_deleting_the_adapter_ends_its_session(either_service: RunningService) -> None:
    """The stream is told why and closed with 4009."""
    service = either_service
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    with raw_packets(service, session["id"]) as client:
        assert service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
        assert client.text("ended")["reason"] == "Its adapter was deleted."
        with pytest.raises(ConnectionClosed) as closed:
            client.read()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4009
    problem(service.http.get(f"/v1/sessions/{session['id']}"), 404, "session-not-found")


def test_an_adapter_removed_behind_our_back(rig: Rig) -> None:
    """End of file (38) ends the session once, and says so."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    with raw_packets(service, session["id"]) as client:
        rig.library.machine.remove("OfficeNet")
        assert client.text("ended") == {
            "type": "ended",
            "state": "ended",
            "reason": "The adapter is gone.",
        }
    assert wait_for(service, "session.ended")["id"] == session["id"]
    assert service.http.get("/v1/adapters").json() == []


def test_ring_corruption_restarts_once(rig: Rig) -> None:
    """The first corruption restarts the session in place; the second one fails it."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    session = service.session(adapter)
    echo = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1)
    path = f"/v1/sessions/{session['id']}"
    with service.packets(session["id"]) as stream:
        rig.library.corrupt_ring("OfficeNet")
        assert wait_for(service, "session.restarted")["restarts"] == 1
        post_packet(service, path, echo)
        assert len(receive(stream, 1)) == 1  # the same client goes on
        rig.library.corrupt_ring("OfficeNet")
        assert list(stream) == []
        assert stream.ended is not None
        assert stream.ended.state == "failed"
    failed = service.http.get(path).json()
    assert failed["state"] == "failed"
    assert failed["win32_code"] == 13
    assert failed["counters"]["ring_corrupt"] == 2
    answer = service.http.post(
        f"{path}/packets", content=echo, headers={"Content-Type": "application/octet-stream"}
    )
    problem(answer, 409, "session-ended")
    assert service.session(adapter)["state"] == "running"  # and a new one can be started


def test_a_failing_session_takes_no_other_down(rig: Rig) -> None:
    """Two sessions: one fails, the other one goes on."""
    service = rig.service
    one = service.session(service.adapter(name="One", addresses=["10.6.1.1/24"]))
    two = service.session(service.adapter(name="Two", addresses=["10.6.2.1/24"]))
    with service.packets(one["id"]) as first, service.packets(two["id"]) as second:
        rig.library.machine.remove("One")
        assert list(first) == []
        assert first.ended is not None
        echo = build.icmp_echo("10.6.2.2", "10.6.2.1", identifier=1, sequence=1)
        post_packet(service, f"/v1/sessions/{two['id']}", echo)
        assert len(receive(second, 1)) == 1


@pytest.mark.parametrize(("code", "status"), [(5, 403), (87, 502), (1247, 409), (0, 502)])
def test_a_refused_start(rig: Rig, code: int, status: int) -> None:
    """Whatever the driver refuses a session with, the next one can start."""
    adapter = rig.service.adapter(name="OfficeNet")
    rig.library.fail_next("WintunStartSession", code)
    answer = rig.service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    assert answer.status_code == status, answer.text
    assert answer.json()["function"] == "WintunStartSession"
    assert rig.service.session(adapter)["state"] == "running"
