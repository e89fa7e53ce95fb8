"""Network settings over REST: metric, routes, DNS, and what is otherwise than it was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from tests.answers import problem
from tests.conftest import Rig
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from wintun_api.drivers.emulated.machine import Machine

ROUTE = {"destination": "10.0.0.0/8", "next_hop": None, "metric": 0}
SETTINGS: dict[str, Any] = {
    "mtu": 1420,
    "addresses": ["10.6.7.7/24", "fd06:7::7/64"],
    "metric": 25,
    "routes": [ROUTE, {"destination": "::/0", "next_hop": "fd06:7::1", "metric": 5}],
    "dns": ["10.6.7.1", "fd06:7::1"],
    "dns_search": ["example.com", "corp_1.example"],
}


def test_create(either_service: RunningService) -> None:
    """An adapter is created with all settings, and they are read back."""
    adapter = either_service.adapter(name="OfficeNet", **SETTINGS)
    for name, value in SETTINGS.items():
        assert adapter[name] == value
    assert adapter["wanted"] is None
    assert adapter["families"] == [4, 6]


def test_nothing_asked(either_service: RunningService) -> None:
    """Without settings the system's own are shown, and nothing is wanted."""
    adapter = either_service.adapter(name="OfficeNet")
    assert (adapter["metric"], adapter["routes"]) == (None, [])
    assert (adapter["dns"], adapter["dns_search"], adapter["wanted"]) == ([], [], None)


def test_update(either_service: RunningService) -> None:
    """A setting that is given is replaced, the others stay; null makes the metric automatic."""
    path = f"/v1/adapters/{either_service.adapter(name='OfficeNet', **SETTINGS)['guid']}"
    changes: list[tuple[str, Any]] = [
        ("metric", 0),
        ("metric", None),
        ("routes", [{**ROUTE, "next_hop": "10.6.7.1"}]),
        ("routes", []),
        ("dns", ["10.6.7.2"]),
        ("dns_search", []),
        ("dns", []),
    ]
    expected = dict(SETTINGS)
    for name, value in changes:
        expected[name] = value
        answer = either_service.http.patch(path, json={name: value})
        assert answer.status_code == 200, answer.text
        assert {key: answer.json()[key] for key in expected} == expected
        assert answer.json()["wanted"] is None


def test_short_forms(service: RunningService) -> None:
    """A route needs no more than its destination; a trailing dot of a domain is dropped."""
    adapter = service.adapter(
        name="OfficeNet", routes=[{"destination": "10.0.0.0/8"}], dns_search=["example.com."]
    )
    assert adapter["routes"] == [ROUTE]
    assert adapter["dns_search"] == ["example.com"]


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("metric", -1, "greater than or equal to 0"),
        ("metric", "5", "integer"),
        ("metric", 1 << 31, "less than or equal to"),
        ("routes", ["10.0.0.0/8"], ""),
        ("routes", [{}], "required"),
        ("routes", [{"destination": "10.0.0.0"}], "has no prefix length"),
        ("routes", [{"destination": "10.0.0.1/8"}], "do you mean 10.0.0.0/8"),
        ("routes", [{"destination": "10.0.0.0/33"}], "does not appear to be"),
        ("routes", [{"destination": "ff02::/16"}], "is a multicast group"),
        ("routes", [{"destination": 7}], "must be a text"),
        ("routes", [{**ROUTE, "next_hop": "fd06::1"}], "cannot be the next hop to"),
        ("routes", [{**ROUTE, "next_hop": "0.0.0.0"}], "cannot be the address of a host"),
        ("routes", [{**ROUTE, "metric": -1}], "greater than or equal to 0"),
        ("routes", [ROUTE, ROUTE], "is listed twice"),
        ("routes", [ROUTE, {**ROUTE, "metric": 1}], "is listed twice"),
        ("routes", [ROUTE, {**ROUTE, "next_hop": "10.6.7.1"}], "is listed twice"),
        ("routes", [{**ROUTE, "colour": 1}], "not permitted"),
        ("dns", ["10.6.7.1/24"], "does not appear to be"),
        ("dns", ["dns.example"], "does not appear to be"),
        ("dns", ["224.0.0.1"], "cannot be the address of a host"),
        ("dns", ["fe80::1%1"], "has a zone"),
        ("dns", [7], "must be a text"),
        ("dns", ["10.6.7.1"] * 17, "at most 16"),
        ("dns_search", ["two words"], "is not a domain name"),
        ("dns_search", [""], "is not a domain name"),
        ("dns_search", ["a..b"], "is not a domain name"),
        ("dns_search", ["-a"], "is not a domain name"),
        ("dns_search", ["a" * 64], "is not a domain name"),
        ("dns_search", ["a." * 128], "is not a domain name"),
        ("dns_search", ["a,b"], "is not a domain name"),
    ],
)
def test_bad_settings(service: RunningService, member: str, value: object, says: str) -> None:
    """A setting that cannot be is refused with a sentence, and nothing is made."""
    answer = service.http.post("/v1/adapters", json={"name": "x", member: value})
    found = problem(answer, 422, "invalid-request")
    assert says in str(found)
    assert member in str(found["errors"])
    assert service.http.get("/v1/adapters").json() == []


def test_wanted(rig: Rig) -> None:
    """What somebody else changed is shown beside what was asked for, until it is so again."""
    service, machine = rig.service, rig.library.machine
    path = f"/v1/adapters/{service.adapter(name='OfficeNet', **SETTINGS)['guid']}"
    device = machine.device("OfficeNet")
    device.mtu = 9000
    device.metric = None
    device.routes = device.routes[:1]
    device.set_addresses([*device.addresses, ip_interface("fe80::1/64")])  # the system's own
    adapter = service.http.get(path).json()
    assert (adapter["mtu"], adapter["metric"]) == (9000, None)
    assert adapter["wanted"] == {"mtu": 1420, "metric": 25, "routes": SETTINGS["routes"]}
    again: dict[str, object] = {"mtu": 1420, "metric": None, "routes": []}
    assert service.http.patch(path, json=again).json()["wanted"] is None
    device.metric = 7
    device.dns = tuple(reversed(device.dns))
    device.dns_search = ()
    device.set_addresses([])
    assert service.http.get(path).json()["wanted"] == {
        "metric": None,
        "addresses": SETTINGS["addresses"],
        "dns_search": SETTINGS["dns_search"],
    }


CHANGES: dict[str, Callable[[Machine], object]] = {
    "mtu": lambda machine: setattr(machine.device("OfficeNet"), "mtu", 9000),
    "metric": lambda machine: setattr(machine.device("OfficeNet"), "metric", None),
    "routes": lambda machine: setattr(machine.device("OfficeNet"), "routes", ()),
    "dns": lambda machine: setattr(machine.device("OfficeNet"), "dns", ()),
    "dns_search": lambda machine: setattr(machine.device("OfficeNet"), "dns_search", ()),
    "addresses": lambda machine: machine.device("OfficeNet").set_addresses([]),
}


@pytest.mark.parametrize("member", CHANGES)
def test_changed_outside(rig: Rig, member: str) -> None:
    """A change by another program is an event without a request, and restoring undoes it."""
    service, machine = rig.service, rig.library.machine
    path = f"/v1/adapters/{service.adapter(name='OfficeNet', **SETTINGS)['guid']}"
    with open_websocket(service, "/v1/events") as socket:
        socket.recv(timeout=30)
        CHANGES[member](machine)
        while True:
            event = json.loads(socket.recv(timeout=30))
            if event["type"] == "adapter.changed" and event["data"]["wanted"]:
                break
    assert event["data"]["wanted"] == {member: SETTINGS[member]}
    difference = event["data"]["difference"]
    if isinstance(SETTINGS[member], list):
        assert difference == {"missing": {member: SETTINGS[member]}, "extra": {}}
    else:
        assert difference is None
    restored = service.http.post(f"{path}/restore").json()
    assert (restored["wanted"], restored["difference"]) == (None, None)
    assert {name: restored[name] for name in SETTINGS} == SETTINGS


def test_removed_outside(rig: Rig) -> None:
    """An adapter that another program removes is told of, and cannot be restored."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet")
    with open_websocket(service, "/v1/events") as socket:
        socket.recv(timeout=30)
        rig.library.machine.remove("OfficeNet")
        while json.loads(socket.recv(timeout=30))["type"] != "adapter.deleted":
            pass
    refusal = service.http.post(f"/v1/adapters/{adapter['guid']}/restore")
    problem(refusal, 404, "adapter-not-found")


def test_all_or_nothing(rig: Rig) -> None:
    """An adapter whose DNS cannot be set is not there."""
    driver = rig.service.service.context.registry.driver
    driver.ip_helper.has_dns = False  # type: ignore[attr-defined]
    http = rig.service.http
    assert http.get("/v1/driver").json()["capabilities"]["dns"] is False
    body = {"name": "OfficeNet", "dns": ["10.6.7.1"]}
    refusal = problem(http.post("/v1/adapters", json=body), 501, "not-supported")
    assert "SetInterfaceDnsSettings" in refusal["detail"]
    assert "function" not in refusal  # there is nothing to call
    assert http.get("/v1/adapters").json() == []


def test_settings_survive_a_restart(tmp_path: Path) -> None:
    """The emulated driver's file keeps the settings of persistent adapters."""
    state = tmp_path / "state.json"
    with running(tmp_path, emulated_state=state) as service:
        made = service.adapter(name="OfficeNet", **SETTINGS)
    with running(tmp_path, emulated_state=state) as service:
        (found,) = service.http.get("/v1/adapters").json()
    for name in (*SETTINGS, "guid"):
        assert found[name] == made[name]
