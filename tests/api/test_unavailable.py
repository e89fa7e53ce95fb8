"""Adapters that the system does not show for the moment: looking at them destroys nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.answers import problem
from tests.conftest import Rig
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import RunningService
from wintun_api.drivers.wintun.abi import Generation

SETTINGS: dict[str, Any] = {"mtu": 1420, "addresses": ["10.6.7.7/24"]}


def first_event(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Wait for the next event of this type."""
    while (event := json.loads(socket.recv(30)))["type"] != kind:
        pass
    return dict(event["data"])


def path_of(adapter: dict[str, Any]) -> str:
    """Where it is."""
    return f"/v1/adapters/{adapter['guid']}"


@contextmanager
def event_stream(service: RunningService) -> Iterator[ClientConnection]:
    """Open the stream of events, and take its snapshot: what comes then has happened since."""
    with open_websocket(service, "/v1/events") as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"
        yield socket


def listen(service: RunningService) -> None:
    """Open and close it."""
    with event_stream(service):
        pass


READS: dict[str, Callable[[RunningService, dict[str, Any]], object]] = {
    "list": lambda service, _: service.http.get("/v1/adapters"),
    "pool": lambda service, one: service.http.get("/v1/adapters", params={"pool": one["pool"]}),
    "one": lambda service, one: service.http.get(path_of(one)),
    "driver": lambda service, _: service.http.get("/v1/driver"),
    "system": lambda service, _: service.http.get("/v1/system"),
    "sessions": lambda service, _: service.http.get("/v1/sessions"),
    "metrics": lambda service, _: service.http.get("/metrics"),
    "events": lambda service, _: listen(service),
    "another": lambda service, _: service.http.post("/v1/adapters", json={"name": "Other"}),
    "open": lambda service, one: service.http.post(
        "/v1/adapters/open", json={"name": one["name"], "pool": one["pool"]}
    ),
    "start": lambda service, one: service.http.post("/v1/sessions", json={"adapter": one["guid"]}),
    "change": lambda service, one: service.http.patch(path_of(one), json={"mtu": 1280}),
    "same": lambda service, one: service.http.post(
        "/v1/adapters", json={"name": one["name"], "requested_guid": one["guid"]}
    ),
}


@pytest.mark.parametrize("read", READS)
def test_looking_does_not_destroy(rig: Rig, read: str) -> None:
    """Whatever is asked while an adapter is disabled, it is there and works afterwards."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet", **SETTINGS)
    device = machine.device("OfficeNet")
    machine.disable("OfficeNet")
    for _ in range(2):
        READS[read](service, adapter)
    assert not device.removed
    machine.enable("OfficeNet")
    assert device.guid == UUID(adapter["guid"])
    shown = service.http.get(path_of(adapter)).json()
    assert (shown["managed"], shown["state"], shown["unavailable"]) == (True, "down", None)
    assert service.session(adapter)["state"] == "running"


def test_what_a_reader_sees(rig: Rig) -> None:
    """It is listed as unavailable with the reason, and without the settings that it has lost."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet", **SETTINGS)
    machine.disable("OfficeNet")
    (listed,) = service.http.get("/v1/adapters").json()
    assert listed == service.http.get(path_of(adapter)).json()
    assert (listed["guid"], listed["name"]) == (adapter["guid"], "OfficeNet")
    assert (listed["state"], listed["managed"]) == ("unavailable", True)
    assert "disabled" in listed["unavailable"]
    assert (listed["addresses"], listed["mtu"], listed["families"]) == ([], None, [])
    assert listed["wanted"]["addresses"] == SETTINGS["addresses"]
    assert listed["wanted"]["mtu"] == SETTINGS["mtu"]
    machine.enable("OfficeNet")
    (back,) = service.http.get("/v1/adapters").json()
    assert back["wanted"]["addresses"] == SETTINGS["addresses"]
    restored = service.http.patch(path_of(adapter), json=SETTINGS).json()
    assert (restored["wanted"], restored["addresses"]) == (None, SETTINGS["addresses"])


def test_events_tell_of_it(rig: Rig) -> None:
    """Going and coming back are changes; there is no event of a deletion."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    with event_stream(service) as events:
        machine.disable("OfficeNet")
        service.http.get("/v1/adapters")
        assert first_event(events, "adapter.changed")["state"] == "unavailable"
        machine.enable("OfficeNet")
        service.http.get("/v1/adapters")
        assert first_event(events, "adapter.changed")["state"] == "down"
        machine.remove("OfficeNet")
        service.http.get("/v1/adapters")
        assert first_event(events, "adapter.deleted")["guid"] == adapter["guid"]


def test_nothing_can_be_done_with_it(rig: Rig) -> None:
    """A session, a setting or a name is refused with 409 at once, and says what to do."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    machine.disable("OfficeNet")
    http = service.http
    start = http.post("/v1/sessions", json={"adapter": adapter["guid"]})
    failure = problem(start, 409, "adapter-unavailable")
    assert "disabled" in failure["detail"]
    assert failure["function"] == "WintunStartSession"
    assert failure["log"]
    changes: list[dict[str, object]] = [
        {"mtu": 1280},
        {"addresses": ["10.1.1.1/24"]},
        {"metric": 5},
        {"dns": []},
    ]
    for body in changes:
        problem(http.patch(path_of(adapter), json=body), 409, "adapter-unavailable")
    if rig.library.generation is Generation.TUNNEL_TYPE:  # else Wintun itself can do it
        renamed = http.patch(path_of(adapter), json={"name": "HomeNet"})
        problem(renamed, 409, "adapter-unavailable")
    problem(http.post("/v1/adapters", json={"name": "officenet"}), 409, "adapter-exists")


@pytest.mark.parametrize("way", ["delete", "release"])
def test_it_is_given_back_on_request(rig: Rig, way: str) -> None:
    """Deleting and releasing work while it is disabled."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    machine.disable("OfficeNet")
    if way == "delete":
        assert service.http.delete(path_of(adapter)).status_code == 200
    else:
        assert service.http.post(f"{path_of(adapter)}/release").status_code == 200
    assert rig.library.open_handles() == (0, 0)


def test_a_disabled_adapter_ends_its_session(rig: Rig) -> None:
    """Clients, the session and an event say why, and the adapter is shown as it is, unasked."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    with (
        event_stream(service) as events,
        raw_packets(service, session["id"]) as client,
    ):
        machine.disable("OfficeNet")
        reason = client.text("ended")["reason"]
        assert "disabled" in reason
        assert "driver is being replaced" in reason
        assert "Start a new session" in reason
        with pytest.raises(ConnectionClosed) as closed:
            client.read()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4009, reason)
        assert first_event(events, "session.ended")["reason"] == reason
        # Its link went down with the session; why is known by then, or with the next reading.
        states = iter(lambda: first_event(events, "adapter.changed")["state"], "unavailable")
        assert set(states) <= {"down"}
    machine.enable("OfficeNet")
    assert service.session(adapter)["state"] == "running"


def test_a_replaced_driver_ends_every_session(rig: Rig) -> None:
    """Each says that the driver was replaced and that a new session works, and it does."""
    service, machine = rig.service, rig.library.machine
    adapters = [service.adapter(name=name) for name in ("One", "Two")]
    sessions = [service.session(adapter) for adapter in adapters]
    old = service.http.get("/v1/driver").json()["running_version"]
    with (
        raw_packets(service, sessions[0]["id"]) as one,
        raw_packets(service, sessions[1]["id"]) as two,
    ):
        machine.replace_driver((0, 15))
        for client in (one, two):
            said = f"The driver was updated from {old} to 0.15. Start a new session."
            assert client.text("ended")["reason"] == said
    ended = service.http.get(f"/v1/sessions/{sessions[0]['id']}").json()
    assert (ended["state"], ended["reason"]) == ("ended", said)
    for adapter in adapters:
        assert service.session(adapter)["state"] == "running"


def test_a_restarted_driver(rig: Rig) -> None:
    """Disabled and enabled again, with the same driver, the session says that too."""
    service, machine = rig.service, rig.library.machine
    session = service.session(service.adapter(name="OfficeNet"))
    with raw_packets(service, session["id"]) as client:
        machine.replace_driver(machine.driver_version or (0, 0))
        assert client.text("ended")["reason"].startswith("The driver was restarted or replaced")


def test_a_removed_adapter_is_told_unasked(rig: Rig) -> None:
    """When the device is gone for good, an event says so soon after the session's end."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    session = service.session(adapter)
    with event_stream(service) as events:
        machine.remove("OfficeNet")
        ended = first_event(events, "session.ended")
        assert (ended["id"], ended["reason"]) == (session["id"], "The adapter is gone.")
        assert first_event(events, "adapter.deleted")["guid"] == adapter["guid"]
    path = f"/v1/sessions/{session['id']}"
    assert service.http.get(path).json()["reason"] == "The adapter is gone."
    assert service.http.delete(path).status_code == 200
    problem(service.http.get(path), 404, "session-not-found")


def test_a_reason_that_cannot_be_had(rig: Rig) -> None:
    """A driver that does not answer keeps no session from ending."""
    service, machine = rig.service, rig.library.machine
    session = service.session(service.adapter(name="OfficeNet"))
    gate = rig.library.hold_next("WintunGetRunningDriverVersion")
    try:
        with raw_packets(service, session["id"]) as client:
            started = time.monotonic()
            machine.replace_driver((0, 15))
            assert client.text("ended")["state"] == "ended"
            assert time.monotonic() - started < 15
    finally:
        gate.set()


def test_the_stable_guid_after_a_removal_unseen(rig: Rig) -> None:
    """An adapter that went unnoticed is made anew with its own GUID."""
    service, machine = rig.service, rig.library.machine
    adapter = service.adapter(name="OfficeNet")
    machine.remove("OfficeNet")
    again = service.adapter(name="OfficeNet")
    assert again["guid"] == adapter["guid"]
    assert [one["managed"] for one in service.http.get("/v1/adapters").json()] == [True]
    assert rig.library.open_handles() == (1, 0)
