"""The impairment of a session over REST: set, read, removed, refused and recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.answers import problem
from tests.raw_websocket import open_websocket
from tests.running import RunningService
from wintun_api.api.openapi.examples import BODIES
from wintun_api.choices import PresetName, Scope
from wintun_api.limits import MAX_SETTINGS
from wintun_api.schemas.impairment import MAX_ALL_STEPS, MAX_RULES, GilbertElliott, Impairment

COUNTERS = {
    *("offered", "duplicated", "delivered", "lost", "limit", "blackout", "too_large", "dropped"),
    *("delayed", "corrupted", "reordered", "too_big_replies"),
}


def started(service: RunningService) -> tuple[str, str]:
    """Start a session; return its id and the path of its impairment."""
    session = service.session(service.adapter(name="Bad"))["id"]
    return session, f"/v1/sessions/{session}/impairment"


def test_life(either_service: RunningService) -> None:
    """What is set is read until it is removed, and then there is nothing to remove."""
    http = either_service.http
    session, path = started(either_service)
    problem(http.get(path), 404, "impairment-not-found")
    problem(http.delete(path), 404, "impairment-not-found")
    answer = http.put(path, json=BODIES["set_impairment"]["delay-and-loss"])
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["session"], said["seed"], said["on_change"]) == (session, 7, "deliver")
    assert said["summary"] == (
        "received delay 60ms jitter 5ms distribution normal loss 2%; "
        "injected rate 10mbit burst 16kb"
    )
    (rule,) = said["rules"]
    assert rule["received"]["delay_ms"] == 60
    assert rule["now_received"] == rule["received"]
    assert set(said["received"]) == set(said["injected"]) == COUNTERS
    assert http.get(path).json()["rules"] == said["rules"]
    replaced = http.put(path, json={"injected": {"blackout": True}}).json()
    assert replaced["summary"] == "injected blackout"
    removed = http.delete(path)
    assert removed.status_code == 200
    assert removed.json()["summary"] == "injected blackout"
    problem(http.delete(path), 404, "impairment-not-found")


def test_an_impairment_needs_a_session(service: RunningService) -> None:
    """A session that is unknown or has ended has none."""
    session, path = started(service)
    service.http.delete(f"/v1/sessions/{session}")
    body = {"received": {"loss": 0.5}}
    for one in (path, "/v1/sessions/none/impairment"):
        problem(service.http.put(one, json=body), 404, "session-not-found")
        problem(service.http.get(one), 404, "session-not-found")
        problem(service.http.delete(one), 404, "session-not-found")


@pytest.mark.parametrize("name", BODIES["set_impairment"])
def test_the_examples_of_the_documents_work(service: RunningService, name: str) -> None:
    """Each body of the reference is accepted, and what it answers can be sent again."""
    _, path = started(service)
    said = service.http.put(path, json=BODIES["set_impairment"][name]).json()
    assert said["seed"] == 7
    body = {part: said[part] for part in ("seed", "on_change", "rules")}
    again = service.http.put(path, json=body)
    assert again.status_code == 200, again.text
    kept = ("match", "preset", "received", "injected", "scenario")
    for first, second in zip(said["rules"], again.json()["rules"], strict=True):
        assert {part: first[part] for part in kept} == {part: second[part] for part in kept}


def test_presets(service: RunningService) -> None:
    """All of them, in one order, each with its source; a token that may read is enough."""
    with service.client(service.token(Scope.READ)) as http:
        listed = http.get("/v1/impairments/presets").json()
    assert [one["name"] for one in listed] == [name.value for name in PresetName]
    _, path = started(service)
    for one in listed:
        assert one["title"]
        assert one["source"]
        assert one["received"] or one["injected"]
        said = service.http.put(path, json={"preset": one["name"]}).json()
        (rule,) = said["rules"]
        assert (rule["preset"], rule["received"]) == (one["name"], None)
        assert rule["now_received"] == one["received"]
        assert rule["now_injected"] == one["injected"]
        assert said["summary"].startswith(f"preset {one['name']}: ")


def test_only_admins_change_it(service: RunningService) -> None:
    """Reading needs the scope `read`; setting and removing need `admin`."""
    _, path = started(service)
    body = {"received": {"loss": 0.5}}
    with service.client(service.token(Scope.READ, Scope.CAPTURE, Scope.INJECT)) as http:
        problem(http.put(path, json=body), 403, "missing-scope")
        problem(http.delete(path), 403, "missing-scope")
        assert service.http.put(path, json=body).status_code == 200
        assert http.get(path).status_code == 200
    with service.client(service.token(Scope.METRICS)) as http:
        problem(http.get(path), 403, "missing-scope")
        problem(http.get("/v1/impairments/presets"), 403, "missing-scope")


def test_a_change_is_audited_with_what_it_does(service: RunningService) -> None:
    """The audit has the session, and the line about the impairment."""
    session, path = started(service)
    since = service.service.context.registry.events.last_id
    service.http.put(path, json={"preset": "lossy-5"})
    with open_websocket(service, f"/v1/events?since={since}") as socket:
        while (event := json.loads(socket.recv(30)))["type"] != "audit.change":
            pass
    assert event["data"]["operation"] == "set_impairment"
    assert event["data"]["subject"] == (
        f"impairment of session {session}: preset lossy-5: received and injected loss 5%"
    )


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["body"]),
    ({"received": {"distribution": "normal"}}, ["received.distribution"]),
    ({"received": {"loss": 2}}, ["received.loss"]),
    ({"received": {"loss": True}}, ["received.loss"]),
    ({"received": {"loss": None}}, ["received.loss"]),
    ({"recieved": {}}, ["recieved"]),
    ({"preset": "4g"}, ["preset"]),
    ({"rules": [{"received": {}}], "preset": "3g"}, ["preset"]),
    ({"match": {"port": "x"}, "received": {}}, ["match.port"]),
    ({"match": {"protocol": "icmp", "port": 5}, "received": {}}, ["match.port"]),
    (
        {"rules": [{}, {"received": {"reorder": 0.1}, "injected": {"burst_bytes": 5}}]},
        ["rules.1.received.reorder", "rules.1.injected.burst_bytes"],
    ),
    ({"scenario": {"steps": [{"at": 5}, {"at": 4}]}}, ["scenario.steps.1.at"]),
]


@pytest.mark.parametrize(("body", "fields"), REFUSED, ids=lambda one: str(one)[:50])
def test_a_refusal_names_the_field(
    service: RunningService, body: dict[str, Any], fields: list[str]
) -> None:
    """The problem lists each place, once, with a sentence; what was set before stays."""
    _, path = started(service)
    service.http.put(path, json={"injected": {"loss": 0.25}})
    found = problem(service.http.put(path, json=body), 422, "invalid-request")
    assert [one["field"] for one in found["errors"]] == fields
    assert all(len(one["message"]) > 10 for one in found["errors"])
    for field in fields:
        assert field in found["detail"]
    assert service.http.get(path).json()["summary"] == "injected loss 25%"


ODD = [
    *(b"null", b"[]", b'"3g"', b"7", b"true", b"{", b"", b"NaN", b'{"received":NaN}'),
    b'{"received":{"loss":NaN}}',
    b'{"received":{"delay_ms":1e999}}',
    b'{"received":{"delay_ms":' + b"9" * 5000 + b"}}",
    b'{"seed":' + b"9" * 5000 + b',"received":{}}',
    b'{"received":' * 400 + b"{}" + b"}" * 400,
    b'{"rules":[' * 300 + b"{}" + b"]}" * 300,
    b'{"received":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"received":' * 100_000,
    b'{"preset":"\\ud800"}',
    b'{"match":{"address":"' + b"1" * 100_000 + b'"},"received":{}}',
    json.dumps({"rules": [{"received": {}}] * 10_000}).encode(),
    json.dumps({"scenario": {"steps": [{"at": 0}] * 10_000}}).encode(),
]


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_odd_bodies_are_refused(service: RunningService, content: bytes) -> None:
    """No body is an error of the service, however it is nested."""
    _, path = started(service)
    answer = service.http.put(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 100_000
    problem(service.http.get(path), 404, "impairment-not-found")


def test_the_largest_impairment_can_be_sent_again(service: RunningService) -> None:
    """As many rules and steps as there may be, each with every member, in both directions."""
    _, path = started(service)
    whole = Impairment(gilbert_elliott=GilbertElliott(p=0.123456789, r=0.123456789))
    step = {side: whole.model_dump(mode="json") for side in ("received", "injected")}
    count = MAX_ALL_STEPS // MAX_RULES
    steps = [{"at": number + 0.123456789, "ramp": 0.5, **step} for number in range(count)]
    rules = [{"match": {"port": port}, "scenario": {"steps": steps}} for port in range(MAX_RULES)]
    said = service.http.put(path, json={"rules": rules})
    assert said.status_code == 200, said.text
    body = {"rules": said.json()["rules"]}
    assert len(json.dumps(body)) > 1_000_000
    again = service.http.put(path, json=body)
    assert again.status_code == 200, again.text
    assert len(again.json()["rules"]) == MAX_RULES
    assert len(again.json()["summary"]) < 1000
    headers = {"Content-Type": "application/json"}
    large = service.http.put(path, content=b" " * (MAX_SETTINGS + 1), headers=headers)
    problem(large, 413, "content-too-large")
