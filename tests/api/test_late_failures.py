"""What becomes of an operation after its 504 is an event, be it good or bad."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.answers import problem, wait_for
from tests.conftest import Rig
from tests.raw_websocket import open_websocket
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.wintun.driver import WintunDriver

GUID = UUID(int=7)


def test_a_creation_that_fails_late(rig: Rig) -> None:
    """The event names the adapter and has the problem that the request would have got."""
    http = rig.service.http
    gate = rig.library.hold_next("WintunCreateAdapter", then=4319)
    try:
        body = {"name": "OfficeNet", "pool": "Example"}
        with rig.service.impatient():
            problem(http.post("/v1/adapters", json=body), 504, "driver-busy")
    finally:
        gate.set()
    failed = wait_for(rig.service, "adapter.create_failed")
    assert failed["operation"] == "create_adapter"
    assert (failed["name"], failed["pool"], failed["adapter"]) == ("OfficeNet", "Example", None)
    told = failed["problem"]
    assert told["type"] == "urn:wintun-api:problem:driver-error"
    assert (told["status"], told["function"]) == (502, "WintunCreateAdapter")
    assert told["win32_code"] == 4319
    assert "NetSetupSvc" in told["detail"]
    assert told["hint"]
    assert told["log"]
    assert "errno" not in told
    assert http.get("/v1/adapters").json() == []


@pytest.mark.parametrize(
    ("code", "slug"), [(5, "access-denied"), (0x80070005, "access-denied"), (52, "adapter-exists")]
)
def test_its_cause_is_told(rig: Rig, code: int, slug: str) -> None:
    """The cause is the same as that of a request that waited."""
    gate = rig.library.hold_next("WintunCreateAdapter", then=code)
    try:
        with rig.service.impatient():
            answer = rig.service.http.post(
                "/v1/adapters", json={"name": "x", "requested_guid": str(GUID)}
            )
        problem(answer, 504, "driver-busy")
    finally:
        gate.set()
    failed = wait_for(rig.service, "adapter.create_failed")
    assert failed["problem"]["type"] == f"urn:wintun-api:problem:{slug}"


def test_settings_that_fail_late(rig: Rig) -> None:
    """A creation whose settings are refused after its 504 has failed, and leaves nothing."""
    gate = rig.library.hold_next("WintunCreateAdapter")
    try:
        body: dict[str, Any] = {"name": "OfficeNet", "dns": ["10.6.7.1"]}
        driver = rig.service.service.context.registry.driver
        assert isinstance(driver, WintunDriver)
        assert isinstance(driver.ip_helper, EmulatedIpHelper)
        driver.ip_helper.has_dns = False
        with rig.service.impatient():
            problem(rig.service.http.post("/v1/adapters", json=body), 504, "driver-busy")
    finally:
        gate.set()
    failed = wait_for(rig.service, "adapter.create_failed")
    assert failed["problem"]["type"] == "urn:wintun-api:problem:not-supported"
    assert rig.service.http.get("/v1/adapters").json() == []


def test_a_creation_that_succeeds_late(rig: Rig) -> None:
    """The adapter comes after all, as the event of any creation."""
    gate = rig.library.hold_next("WintunCreateAdapter")
    try:
        with rig.service.impatient():
            answer = rig.service.http.post("/v1/adapters", json={"name": "OfficeNet"})
        problem(answer, 504, "driver-busy")
    finally:
        gate.set()
    assert wait_for(rig.service, "adapter.created", "adapter.create_failed")["name"] == "OfficeNet"


def test_a_session_that_fails_to_start_late(rig: Rig) -> None:
    """Other operations tell their failure as operation.failed, with the adapter's GUID."""
    adapter = rig.service.adapter(name="OfficeNet")
    gate = rig.library.hold_next("WintunStartSession", then=1247)
    try:
        with rig.service.impatient():
            answer = rig.service.http.post("/v1/sessions", json={"adapter": adapter["guid"]})
        problem(answer, 504, "driver-busy")
    finally:
        gate.set()
    failed = wait_for(rig.service, "operation.failed")
    assert (failed["operation"], failed["adapter"]) == ("start_session", adapter["guid"])
    assert failed["problem"]["type"] == "urn:wintun-api:problem:session-exists"


def test_an_opening_that_fails_late(rig: Rig) -> None:
    """An opening names what was to be opened."""
    gate = rig.library.hold_next("WintunOpenAdapter", then=1168)
    try:
        with rig.service.impatient():
            answer = rig.service.http.post(
                "/v1/adapters/open", json={"name": "Nothing", "pool": "Example"}
            )
        problem(answer, 504, "driver-busy")
    finally:
        gate.set()
    failed = wait_for(rig.service, "operation.failed")
    assert failed["operation"] == "open_adapter"
    assert (failed["name"], failed["pool"]) == ("Nothing", "Example")
    assert failed["problem"]["status"] == 404


def test_a_failure_in_time_causes_no_event(rig: Rig) -> None:
    """Who waited for the answer has it; the events do not repeat it."""
    rig.library.fail_next("WintunCreateAdapter", 4319)
    problem(rig.service.http.post("/v1/adapters", json={"name": "x"}), 502, "driver-error")
    rig.service.adapter(name="OfficeNet")
    assert wait_for(rig.service, "adapter.created", "adapter.create_failed")["name"] == "OfficeNet"


@pytest.mark.parametrize("what", ["adapter", "other"])
def test_removals_that_are_done_late(rig: Rig, what: str) -> None:
    """Who was answered with 504 learns that it was done, and whether a reboot is wanted."""
    http = rig.service.http
    pools = http.get("/v1/driver").json()["capabilities"]["delete_pool"]
    named: dict[str, str | None] = {"adapter": None, "pool": None}
    if what == "adapter":
        guid = named["adapter"] = rig.service.adapter(name="OfficeNet")["guid"]
        function = "WintunDeleteAdapter" if pools else "WintunCloseAdapter"
        operation, path = "delete_adapter", f"/v1/adapters/{guid}"
    elif pools:
        named["pool"] = "Example"
        function, operation, path = "WintunDeletePoolDriver", "delete_pool", "/v1/pools/Example"
    else:
        function, operation, path = "WintunDeleteDriver", "delete_driver", "/v1/driver"
    gate = rig.library.hold_next(function)
    try:
        with rig.service.impatient():
            problem(http.delete(path), 504, "driver-busy")
    finally:
        gate.set()
    done = wait_for(rig.service, "operation.done")
    assert done == {"operation": operation, "reboot_required": False, **named}


def test_a_removal_in_time_is_no_such_event(rig: Rig) -> None:
    """Who waited for the answer has it."""
    adapter = rig.service.adapter(name="OfficeNet")
    assert rig.service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
    rig.service.adapter(name="Another")
    with open_websocket(rig.service, "/v1/events?since=0") as socket:
        kinds: list[str] = []
        while kinds.count("adapter.created") < 2:
            kinds.append(json.loads(socket.recv(timeout=20))["type"])
    assert "operation.done" not in kinds
