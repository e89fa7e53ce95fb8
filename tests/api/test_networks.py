"""`/v1/networks`: what agents report is listed for a while, and nothing else comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import RunningService
from wintun_api.api import inventory
from wintun_api.api.inventory import Inventory
from wintun_api.api.openapi.examples import NETWORK
from wintun_api.choices import Scope
from wintun_api.client import ProblemError
from wintun_api.limits import MAX_INVENTORY
from wintun_api.schemas.networks import MAX_HOSTS, Network

HOST: dict[str, Any] = {"id": "a" * 12, "name": "hub", "state": "attached"}


def report(service: RunningService, network: str = "lab", **members: Any) -> Network:
    """Report a network as an agent does."""
    body: dict[str, Any] = {"host": "a" * 12, "hosts": [HOST], **members}
    return service.api.set_network(network, **body)


def test_what_is_reported_is_listed(service: RunningService) -> None:
    """Networks are listed by their names, each with its latest report."""
    assert service.api.list_networks() == []
    for name in ("rig", "lab"):
        report(service, name)
    latest = report(service, "lab", connected=False, more_hosts=2, hosts=NETWORK.hosts)
    assert latest.hosts == NETWORK.hosts
    listed = service.api.list_networks()
    assert [one.name for one in listed] == ["lab", "rig"]
    assert listed[0] == latest
    assert (latest.connected, latest.more_hosts) == (False, 2)


def test_reports_leave_no_audit(service: RunningService) -> None:
    """A report every ten seconds would push what is worth reading out of the history."""
    report(service)
    with service.api.events(since=0) as events:
        service.adapter(name="Later")
        told = []
        for event in events:
            told.append(repr(event))
            if event.type == "adapter.created":
                break
    assert not [text for text in told if "set_network" in text]


@pytest.mark.parametrize(
    ("scopes", "may_read", "may_report"),
    [((Scope.READ,), True, False), ((Scope.INJECT,), False, True), ((Scope.ADMIN,), True, True)],
)
def test_scopes(
    service: RunningService, scopes: tuple[Scope, ...], *, may_read: bool, may_report: bool
) -> None:
    """To list needs read; to report needs inject, as an agent has it."""
    with service.client(service.token(*scopes)) as http:
        listed = http.get("/v1/networks").status_code
        reported = http.put("/v1/networks/lab", json={"host": "a", "hosts": []}).status_code
    assert (listed == 200, reported == 200) == (may_read, may_report)
    assert {listed, reported} <= {200, 403}


@pytest.mark.parametrize(
    "members",
    [
        {"hosts": [HOST] * (MAX_HOSTS + 1)},
        {"hosts": [{**HOST, "name": "x" * 129}]},
        {"hosts": [{**HOST, "state": "asleep"}]},
        {"hosts": [{**HOST, "sent": -1}]},
        {"hosts": [{**HOST, "sent": 2**53}]},
        {"hosts": [{**HOST, "adapters": [{"name": "A", "state": "up"}] * 17}]},
        {"hosts": [{**HOST, "prefixes": ["::/0"] * 33}]},
        {"hosts": [{**HOST, "refused": ["::/0"] * 33}]},
        {"hosts": [{**HOST, "more_refused": -1}]},
        {"hosts": [{**HOST, "lost": {f"cause {n}": 1 for n in range(17)}}]},
        {"hosts": [{**HOST, "clock_offset_ms": 1e13}]},
        {"hosts": [{**HOST, "unknown": 1}]},
        {"hosts": [{**HOST, "seen": 0}]},
        {"hosts": [{**HOST, "since": "1767323045"}]},
        {"hosts": [{**HOST, "since": "2026-01-02T03:04:05"}]},
        {"host": ""},
        {"connected": 0},
    ],
)
def test_reports_are_bounded(service: RunningService, members: dict[str, Any]) -> None:
    """What is too much, or of another form, is refused and not kept."""
    with pytest.raises(ProblemError) as refused:
        report(service, **members)
    assert refused.value.kind == "invalid-request"
    assert service.api.list_networks() == []


def test_half_a_character_is_refused(service: RunningService) -> None:
    """Half of a surrogate pair is in no text that could be shown."""
    answer = service.http.put(
        "/v1/networks/lab",
        content=rb'{"host": "a", "hosts": [{"id": "a", "name": "\ud800", "state": "attached"}]}',
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, service.api.list_networks()) == (422, [])


@pytest.mark.parametrize("name", ["Lab", "-lab", "l_b", "x" * 33, "%20"])
def test_names_of_networks(service: RunningService, name: str) -> None:
    """A network has the names that a bus can have."""
    answer = service.http.put(f"/v1/networks/{name}", json={"host": "a", "hosts": []})
    assert (answer.status_code, service.api.list_networks()) == (422, [])


def test_a_report_has_a_largest_size(service: RunningService) -> None:
    """More than a mebibyte is refused before it is read as a whole."""
    answer = service.http.put(
        "/v1/networks/lab",
        content=b" " * (MAX_INVENTORY + 1),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_a_report_is_forgotten() -> None:
    """What was not reported again for half a minute is not listed."""
    now = [0.0]
    kept = Inventory(lambda: now[0])
    kept.put(NETWORK)
    now[0] = inventory.LIFETIME - 1
    assert kept.all() == [NETWORK]
    kept.put(NETWORK)
    now[0] += inventory.LIFETIME - 1
    assert kept.all() == [NETWORK]
    now[0] += 1
    assert kept.all() == []


def test_too_many_networks() -> None:
    """Beyond the bound the network with the oldest report is dropped and counted."""
    kept = Inventory()
    names = [f"lab{number}" for number in range(inventory.MAX_NETWORKS + 1)]
    for name in (*names[:-1], names[0], names[-1]):  # the first one is reported again
        kept.put(NETWORK.model_copy(update={"name": name}))
    assert {one.name for one in kept.all()} == {*names} - {names[1]}
    assert kept.displaced == 1
