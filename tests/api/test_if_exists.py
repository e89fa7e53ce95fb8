"""The member `if_exists` of a creation, over REST."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.answers import problem, wait_for
from tests.conftest import Rig
from tests.running import RunningService, running
from wintun_api.choices import Scope
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver

EXISTING = ("open", "replace")


def create(service: RunningService, **body: Any) -> httpx.Response:
    """Ask for an adapter named OfficeNet."""
    return service.http.post("/v1/adapters", json={"name": "OfficeNet", **body})


def listed(service: RunningService) -> list[dict[str, Any]]:
    """Return the adapters."""
    return list(service.http.get("/v1/adapters").json())


@pytest.mark.parametrize("if_exists", [*EXISTING, "error"])
def test_a_new_name_is_created(either_service: RunningService, if_exists: str) -> None:
    """Nothing has the name, so each choice creates the adapter: 201."""
    answer = create(either_service, if_exists=if_exists, mtu=1280)
    assert (answer.status_code, answer.json()["mtu"]) == (201, 1280)
    assert answer.headers["location"] == f"/v1/adapters/{answer.json()['guid']}"


def test_the_hint_of_a_conflict(either_service: RunningService) -> None:
    """Without the member the answer is 409, and its hint names each way out."""
    either_service.adapter(name="OfficeNet")
    for more in ({}, {"if_exists": "error"}):
        hint = problem(create(either_service, **more), 409, "adapter-exists")["hint"]
        for way in ("if_exists=open", "if_exists=replace", "POST /v1/adapters/open"):
            assert way in hint


def test_open(either_service: RunningService) -> None:
    """Given settings are applied, others and the session stay: 200, in any case of the name."""
    made = either_service.adapter(name="OfficeNet", mtu=1400, addresses=["10.6.7.7/24"])
    session = either_service.session(made)
    answer = create(either_service, name="OFFICENET", if_exists="open", mtu=1280)
    assert answer.status_code == 200
    assert answer.headers["location"] == f"/v1/adapters/{made['guid']}"
    assert answer.json() == {**made, "mtu": 1280, "state": "up", "session": session["id"]}
    emptied = create(either_service, if_exists="open", addresses=[]).json()
    assert (emptied["addresses"], emptied["mtu"]) == ([], 1280)
    assert either_service.http.get(f"/v1/sessions/{session['id']}").json()["state"] == "running"


def test_open_gives_the_metric_back_to_the_system(service: RunningService) -> None:
    """Null is the automatic metric, as in an update; left out it stays."""
    service.adapter(name="OfficeNet", metric=7)
    assert create(service, if_exists="open").json()["metric"] == 7
    assert create(service, if_exists="open", metric=None).json()["metric"] is None


def test_replace(either_service: RunningService) -> None:
    """The session ends with a reason, and the adapter is a new one with only its settings: 201."""
    made = either_service.adapter(name="OfficeNet", mtu=1280, addresses=["10.6.7.7/24"])
    either_service.session(made)
    answer = create(either_service, if_exists="replace", dns=["10.6.7.1"])
    adapter = answer.json()
    assert (answer.status_code, adapter["session"], adapter["addresses"]) == (201, None, [])
    assert (adapter["dns"], adapter["managed"]) == (["10.6.7.1"], True)
    assert adapter["guid"] == made["guid"]  # the GUID of this pool and name
    assert listed(either_service) == [adapter]
    assert wait_for(either_service, "session.ended")["reason"] == "Its adapter was replaced."
    assert wait_for(either_service, "adapter.deleted")["guid"] == made["guid"]


@pytest.mark.parametrize("if_exists", EXISTING)
def test_a_name_used_elsewhere(either_service: RunningService, if_exists: str) -> None:
    """The name of an adapter in another pool is a conflict, and nothing changes."""
    made = either_service.adapter(name="OfficeNet", pool="Other")
    answer = create(either_service, if_exists=if_exists, mtu=1280)
    assert "'Other'" in problem(answer, 409, "adapter-exists")["hint"]
    assert listed(either_service) == [made]


@pytest.mark.parametrize("if_exists", EXISTING)
def test_the_guid_of_another_adapter(either_service: RunningService, if_exists: str) -> None:
    """It cannot be had, so nothing is opened and nothing is deleted."""
    made = either_service.adapter(name="OfficeNet")
    other = either_service.adapter(name="Other")
    answer = create(either_service, if_exists=if_exists, requested_guid=other["guid"])
    assert "deleted" not in problem(answer, 409, "adapter-exists")
    assert listed(either_service) == sorted([made, other], key=lambda one: one["name"])


def test_a_new_guid(either_service: RunningService) -> None:
    """An adapter keeps its GUID when it is opened and gets another one when it is replaced."""
    made, guid = either_service.adapter(name="OfficeNet"), str(uuid4())
    refused = create(either_service, if_exists="open", requested_guid=guid)
    assert made["guid"] in problem(refused, 409, "adapter-exists")["detail"]
    own = create(either_service, if_exists="open", requested_guid=made["guid"])
    assert (own.status_code, own.json()) == (200, made)
    replaced = create(either_service, if_exists="replace", requested_guid=guid)
    assert (replaced.status_code, replaced.json()["guid"]) == (201, guid)


def test_the_name_of_another_interface(rig: Rig) -> None:
    """Ethernet is not opened and not deleted, and the hint does not propose it."""
    rig.library.machine.add_interface("Ethernet")
    for if_exists in EXISTING:
        answer = create(rig.service, name="Ethernet", if_exists=if_exists)
        hint = problem(answer, 409, "adapter-exists")["hint"]
        assert hint == "A network interface outside of this pool has the name: choose another one."


@pytest.mark.parametrize("if_exists", EXISTING)
def test_a_disabled_adapter(rig: Rig, if_exists: str) -> None:
    """It can be opened but not changed; it can be replaced, and the new one can be used."""
    made = rig.service.adapter(name="OfficeNet", mtu=1400)
    rig.library.machine.disable("OfficeNet")
    if if_exists == "open":
        opened = create(rig.service, if_exists="open")
        assert (opened.status_code, opened.json()["state"]) == (200, "unavailable")
        refused = create(rig.service, if_exists="open", mtu=1280)
        assert "deleted" not in problem(refused, 409, "adapter-unavailable")
        assert [one["guid"] for one in listed(rig.service)] == [made["guid"]]
    else:
        replaced = create(rig.service, if_exists="replace")
        assert (replaced.status_code, replaced.json()["state"]) == (201, "down")
        assert len(listed(rig.service)) == 1


def test_settings_that_fail(rig: Rig) -> None:
    """An opening changes nothing then; a replacement names the adapter that it deleted."""
    driver = rig.service.service.context.registry.driver
    assert isinstance(driver, WintunDriver)
    assert isinstance(driver.ip_helper, EmulatedIpHelper)
    driver.ip_helper.has_dns = False
    made = rig.service.adapter(name="OfficeNet", mtu=1400)
    more = {"mtu": 1280, "dns": ["10.6.7.1"]}
    refused = problem(create(rig.service, if_exists="open", **more), 501, "not-supported")
    assert ("deleted" in refused, listed(rig.service)) == (False, [made])
    refused = problem(create(rig.service, if_exists="replace", **more), 501, "not-supported")
    assert (refused["deleted"], listed(rig.service)) == (made["guid"], [])
    assert (
        f"The adapter {made['guid']}, which was to be replaced, was already deleted."
        in (refused["detail"])
    )


def test_a_replacement_that_fails_late(rig: Rig) -> None:
    """The event after the 504 names the adapter that was deleted, as the 504 does."""
    made = rig.service.adapter(name="OfficeNet")
    gate = rig.library.hold_next("WintunCreateAdapter", then=4319)
    try:
        with rig.service.impatient():
            busy = problem(create(rig.service, if_exists="replace"), 504, "driver-busy")
    finally:
        gate.set()
    assert busy["deleted"] == made["guid"]
    failed = wait_for(rig.service, "adapter.create_failed")
    assert failed["problem"]["deleted"] == made["guid"]
    assert made["guid"] in failed["problem"]["detail"]


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("if_exists", EXISTING)
def test_an_adapter_of_another_program(
    tmp_path: Path, generation: Generation, if_exists: str
) -> None:
    """It is opened. It is replaced where Wintun lets another program than its own delete it."""
    machine = Machine()
    theirs = emulated_driver(EmulatedLibrary(generation, machine))
    guid = str(theirs.create_adapter("OfficeNet", "WireGuard").info().guid)
    library = EmulatedLibrary(generation, machine)
    with running(tmp_path, emulated_driver(library)) as service:
        answer = create(service, pool="WireGuard", if_exists=if_exists, mtu=1280)
        if if_exists == "open":
            assert answer.status_code == 200, answer.text
            adapter = answer.json()
            assert (adapter["guid"], adapter["managed"], adapter["mtu"]) == (guid, True, 1280)
        elif generation is Generation.POOL:
            assert (answer.status_code, answer.json()["managed"]) == (201, True)
        else:
            assert "deleted" not in problem(answer, 501, "not-supported")
            assert [one["guid"] for one in service.http.get("/v1/adapters").json()] == [guid]
    assert library.misuse == []


@pytest.mark.parametrize("if_exists", EXISTING)
def test_many_at_once(either_service: RunningService, if_exists: str) -> None:
    """All of them succeed, one creates, and one adapter is left."""
    with ThreadPoolExecutor(6) as threads:
        ask = [threads.submit(create, either_service, if_exists=if_exists) for _ in range(6)]
        statuses = sorted(one.result().status_code for one in ask)
    assert statuses == ([200] * 5 + [201] if if_exists == "open" else [201] * 6)
    assert len(listed(either_service)) == 1


def test_the_audit_says_what_was_done(
    either_service: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """An opening and a replacement are told as such, with the adapter that is gone."""
    caplog.set_level("INFO", "wintun_api.audit")
    guid = either_service.adapter(name="OfficeNet")["guid"]
    create(either_service, if_exists="open")
    create(either_service, if_exists="replace")
    assert [line.rpartition(", ")[2] for line in caplog.messages] == [
        f"adapter {guid}",
        f"adapter {guid} (opened)",
        f"adapter {guid} (replaced)",
    ]


def test_the_audit_says_what_is_gone(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """A replacement that fails has deleted an adapter, which is a change."""
    guid = rig.service.adapter(name="OfficeNet")["guid"]
    caplog.set_level("INFO", "wintun_api.audit")
    rig.library.fail_next("WintunCreateAdapter", 4319)
    problem(create(rig.service, if_exists="replace"), 502, "driver-error")
    (line,) = caplog.messages
    assert line.endswith(f"adapter {guid} (deleted)")
    assert "502" in line


@pytest.mark.parametrize("value", [None, "", "Open", "delete", 1])
def test_other_values_are_refused(service: RunningService, value: object) -> None:
    """They change nothing."""
    made = service.adapter(name="OfficeNet")
    refused = problem(create(service, if_exists=value), 422, "invalid-request")
    assert [one["field"] for one in refused["errors"]] == ["if_exists"]
    assert listed(service) == [made]


def test_only_an_administrator_may(service: RunningService) -> None:
    """The scope is that of every creation."""
    service.adapter(name="OfficeNet")
    with service.client(service.token(Scope.READ, Scope.INJECT)) as http:
        answer = http.post("/v1/adapters", json={"name": "OfficeNet", "if_exists": "open"})
    problem(answer, 403, "missing-scope")
