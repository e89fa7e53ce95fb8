"""The event streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.answers import next_event
from tests.conftest import Rig
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import RunningService
from wintun_api.drivers.base import LogLevel
from wintun_api.packet.build import udp
from wintun_api.wire import Batch, pack


@contextmanager
def sse(service: RunningService, **options: Any) -> Iterator[Iterator[dict[str, str]]]:
    """Read server-sent events as dictionaries of their fields."""

    def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
        fields: dict[str, str] = {}
        for line in lines:
            if not line:
                yield fields
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    with service.http.stream("GET", "/v1/events", **options) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def test_a_snapshot_comes_first(service: RunningService) -> None:
    """Whoever connects learns what there is, then what happens to it, without a gap."""
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    with open_websocket(service, "/v1/events") as socket:
        snapshot = next_event(socket)
        assert snapshot["type"] == "snapshot"
        assert [known["guid"] for known in snapshot["adapters"]] == [adapter["guid"]]
        assert [known["id"] for known in snapshot["sessions"]] == [session["id"]]
        service.http.delete(f"/v1/sessions/{session['id']}")
        ended = next_event(socket)
        while ended["type"] == "driver.log":
            ended = next_event(socket)
        assert ended["type"] == "session.ended"
        assert ended["id"] > snapshot["id"]
        assert ended["data"]["id"] == session["id"]


def test_the_life_of_an_adapter(service: RunningService) -> None:
    """Every change is one event, numbered without gaps."""
    with open_websocket(service, "/v1/events") as socket:
        number = next_event(socket)["id"]
        adapter = service.adapter(name="OfficeNet")
        path = f"/v1/adapters/{adapter['guid']}"
        service.http.patch(path, json={"name": "HomeNet"})
        service.http.delete(path)
        types = []
        while "adapter.deleted" not in types:
            event = next_event(socket)
            number += 1
            assert event["id"] == number
            types.append(event["type"])
        ours = [name for name in types if name not in ("driver.log", "audit.change")]
        assert ours == ["adapter.created", "adapter.changed", "adapter.deleted"]


def test_the_history_does_not_change(rig: Rig) -> None:
    """Whoever resumes later reads every event as it was told, whatever has happened since."""
    service, machine = rig.service, rig.library.machine
    told: list[dict[str, Any]] = []
    with open_websocket(service, "/v1/events") as socket:
        since = next_event(socket)["id"]
        adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
        path = f"/v1/adapters/{adapter['guid']}"
        session = service.session(adapter)["id"]
        packet = udp("10.6.7.8", "10.6.7.7", 1, 2, b"x")
        with raw_packets(service, session, "?direction=none") as client:
            for _ in range(3):
                client.socket.send(pack(Batch([packet, b"none"])))
                client.text("ack")
        service.http.patch(path, json={"addresses": ["10.6.7.8/24"], "mtu": 1400})
        machine.device("OfficeNet").mtu = 9000
        service.http.post(f"{path}/restore")
        service.http.delete(f"/v1/sessions/{session}")
        service.http.delete(path)
        while not told or told[-1]["type"] != "adapter.deleted":
            told.append(next_event(socket))
    started = next(event for event in told if event["type"] == "session.started")
    assert started["data"]["counters"]["injected"]["packets"] == 0
    assert started["data"]["state"] == "running"
    with open_websocket(service, f"/v1/events?since={since}") as socket:
        assert [next_event(socket) for _ in told] == told


def test_resume(service: RunningService) -> None:
    """After `since` comes what was missed, and no snapshot."""
    with open_websocket(service, "/v1/events") as socket:
        since = next_event(socket)["id"]
    service.adapter(name="OfficeNet")
    with open_websocket(service, f"/v1/events?since={since}") as socket:
        event = next_event(socket)
        while event["type"] == "driver.log":
            event = next_event(socket)
        assert event["type"] == "adapter.created"


def test_resume_from_another_life(service: RunningService) -> None:
    """An id this run of the service never gave gets a snapshot instead of silence."""
    for since in (10**9, -1):
        with open_websocket(service, f"/v1/events?since={since}") as socket:
            assert next_event(socket)["type"] == "snapshot"


def test_sse(service: RunningService) -> None:
    """Server-sent events have the same content and resume as browsers do."""
    with sse(service) as events:
        first = next(events)
        assert first["event"] == "snapshot"
    service.adapter(name="OfficeNet")
    with sse(service, headers={"Last-Event-ID": first["id"]}) as events:
        event = next(event for event in events if event["event"] != "driver.log")
        assert event["event"] == "adapter.created"
        data = json.loads(event["data"])
        assert data["id"] == int(event["id"])
        assert data["data"]["name"] == "OfficeNet"


def test_driver_log_lines(rig: Rig) -> None:
    """What the driver logs, on whatever thread, arrives as events."""
    rig.service.adapter(name="OfficeNet")  # the logger is set when the library is first used
    with open_websocket(rig.service, "/v1/events") as socket:
        assert next_event(socket)["type"] == "snapshot"
        rig.library.log("Something happened \U0001f3e0", LogLevel.WARN)
        event = next_event(socket)
        while event["type"] != "driver.log" or event["data"]["level"] != "warn":
            event = next_event(socket)
        assert event["data"]["message"].endswith("Something happened \U0001f3e0")


def test_bad_since(service: RunningService) -> None:
    """A `since` that is no number is the client's error."""
    answer = service.http.get("/v1/events", params={"since": "x"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("since", ["", "x", "1.5", "9" * 30])
def test_bad_since_of_a_websocket(service: RunningService, since: str) -> None:
    """A program gets the problem document in place of the handshake."""
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, f"/v1/events?since={since}")
    answer = refused.value.response
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert b"since" in answer.body
