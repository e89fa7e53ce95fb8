"""Errors leave as problem documents, whatever they are."""

from __future__ import annotations

import inspect
import re
from typing import cast
from uuid import UUID

import pytest

from tests.answers import problem
from tests.running import RunningService
from wintun_api import errors
from wintun_api.api.kinds import CAUSES, Kind
from wintun_api.api.problems import Refusal, close_code, hint_of, kind_of, problem_of
from wintun_api.settings import Settings


def test_an_unexpected_error(service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    """A defect is a 500 with a reference that the log explains, and the service goes on."""
    context = service.service.context
    settings, context.settings = context.settings, cast(Settings, None)
    answer = service.http.get("/v1/system")
    context.settings = settings
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert "NoneType" not in answer.text
    reference = re.findall(r"[0-9a-f]{8}", problem["hint"])[0]
    assert reference in caplog.text
    assert service.http.get("/v1/system").status_code == 200


def test_every_error_has_its_row() -> None:
    """No error of the tree falls through to 500, and each has a hint for client programs."""
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, errors.WintunApiError) and cls is not errors.WintunApiError:
            if name in ("InvalidSettings", "AdapterError"):
                continue  # the one ends the start, before there is an API; the other is a base
            assert CAUSES[cls].hint, name
    assert all(kind.hint and kind.title for kind in Kind)


def test_a_subclass_uses_its_base() -> None:
    """An error without a row of its own is told as what it is a kind of."""

    class Special(errors.AdapterExists):
        pass

    assert kind_of(Special("OfficeNet")).slug == "adapter-exists"
    assert kind_of(ValueError()) is Kind.INTERNAL
    assert close_code(errors.SessionEnded()) == 4009


def test_driver_errors_tell_all() -> None:
    """Function, unsigned code, hexadecimal and log lines are members of their own."""
    error = errors.DriverError("WintunCreateAdapter", -2147024891)
    error.log = ("first", "second")
    problem = problem_of(error, "/x")
    assert problem["function"] == "WintunCreateAdapter"
    assert problem["win32_code"] == 0x80070005
    assert problem["win32_code_hex"] == "0x80070005"
    assert problem["log"] == ["first", "second"]
    assert "0x80070005" in problem["detail"]
    errno = problem_of(errors.AccessDenied.from_call("TUNSETIFF", 1, domain="errno"), "/x")
    assert errno["errno"] == 1
    assert "win32_code" not in errno


def test_what_no_driver_returned_is_not_told() -> None:
    """An error of the service itself has fields, but neither a function nor a number."""
    guid = UUID("deadbabe-cafe-beef-0123-456789abcdef")
    problem = problem_of(errors.SessionExists(guid, "s1"), "/x")
    assert (problem["adapter"], problem["session"]) == (str(guid), "s1")
    without_number = problem_of(errors.DriverError("resolvectl", detail="It failed."), "/x")
    assert without_number["function"] == "resolvectl"
    numbers = {"win32_code", "win32_code_hex", "errno", "configret"}
    assert not numbers & (set(problem) | set(without_number))
    assert "function" not in problem


def test_an_own_hint_comes_first() -> None:
    """What the place that raises an error knows is more than what its kind says."""
    assert hint_of(errors.SessionExists()) == Kind.SESSION_EXISTS.hint
    assert hint_of(errors.SessionExists(hint="End it.")) == "End it."
    assert hint_of(Refusal(Kind.FULL, "No room.")) == Kind.FULL.hint
    assert hint_of(Refusal(Kind.FULL, "No room.", "Wait.")) == "Wait."


def test_a_refusal_is_an_answer_of_the_app() -> None:
    """A refusal has the title and type of its kind, and may have a status of its own."""
    problem = problem_of(Refusal(Kind.BAD_HANDSHAKE, "No.", status=426), "/x")
    assert (problem["status"], problem["title"]) == (426, Kind.BAD_HANDSHAKE.title)
    assert problem["type"] == "urn:wintun-api:problem:bad-handshake"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/adapters/open/x", 404),
        ("PATCH", "/v1/system", 405),
    ],
)
def test_unknown_routes(service: RunningService, method: str, path: str, status: int) -> None:
    """A wrong path or method is a problem document too."""
    answer = service.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/adapters/open", "POST"),
        ("/v1/adapters/deadbabe-cafe-beef-0123-456789abcdef", "DELETE, GET, HEAD, PATCH"),
        ("/", "GET, HEAD"),
    ],
)
def test_allow_names_every_method_of_the_path(
    service: RunningService, path: str, methods: str
) -> None:
    """A 405 says what the path has, over all its routes."""
    answer = service.http.put(path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == methods


@pytest.mark.parametrize("member", ["mtu", "addresses", "dns", "name", "routes"])
def test_null_is_not_missing(service: RunningService, member: str) -> None:
    """A member that may be missing may not be null, where null means nothing."""
    adapter = service.adapter(name="OfficeNet")
    answer = service.http.patch(f"/v1/adapters/{adapter['guid']}", json={member: None})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [member]


@pytest.mark.parametrize("name", ["a\u202eexe.live", "a\u200bb"])
def test_a_name_with_what_cannot_be_seen(service: RunningService, name: str) -> None:
    """It is refused at its field: for a new adapter, its pool, a rename and a token."""
    adapter = service.adapter(name="OfficeNet")
    path = f"/v1/adapters/{adapter['guid']}"
    answers = {
        "name": [
            service.http.post("/v1/adapters", json={"name": name}),
            service.http.patch(path, json={"name": name}),
        ],
        "pool": [service.http.post("/v1/adapters", json={"name": "Other", "pool": name})],
        "label": [service.http.post("/v1/tokens", json={"scopes": ["read"], "label": name})],
    }
    for field, refused in answers.items():
        for answer in refused:
            assert answer.status_code == 422, answer.text
            (error,) = answer.json()["errors"]
            assert error["field"] == field
            assert "cannot be seen" in error["message"]
    assert [one["name"] for one in service.http.get("/v1/adapters").json()] == ["OfficeNet"]


TAKEN: dict[str, tuple[dict[str, object], str]] = {
    "name": ({"name": "OFFICENET"}, "An adapter with this name already exists."),
    "requested_guid": (
        {"name": "Other", "requested_guid": "GUID"},
        "An adapter with this GUID already exists.",
    ),
    "routes": ({"name": "Other", "routes": [{"destination": "10.9.0.0/16"}]}, "10.9.0.0/16: "),
}


@pytest.mark.parametrize("field", TAKEN)
def test_what_is_taken_is_told_at_its_field(either_service: RunningService, field: str) -> None:
    """A form shows the sentence at the field, so it names no function and no number."""
    service = either_service
    first = service.adapter(name="OfficeNet", routes=[{"destination": "10.9.0.0/16"}])
    body, said = TAKEN[field]
    if "requested_guid" in body:
        body = {**body, "requested_guid": first["guid"]}
    answer = service.http.post("/v1/adapters", json=body)
    assert answer.status_code == 409, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].startswith(said)
    assert "win32" not in error["message"]


def test_a_name_taken_by_a_rename(service: RunningService) -> None:
    """So it is when an adapter is renamed."""
    service.adapter(name="OfficeNet")
    other = service.adapter(name="HomeNet")
    answer = service.http.patch(f"/v1/adapters/{other['guid']}", json={"name": "OfficeNet"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "name")


def test_a_filter_that_is_wrong(service: RunningService) -> None:
    """It is told at the field of the filter."""
    answer = service.http.post("/v1/captures", json={"filter": "tcp prot 80"})
    if answer.status_code == 422:
        assert [one["field"] for one in answer.json()["errors"]] == ["filter"]


def test_wrong_fields_are_named(service: RunningService) -> None:
    """A 422 names every wrong field as the client wrote it, once."""
    body = {"name": "x", "mtu": 1, "requested_guid": 7, "addresses": ["10.0.0.1"]}
    answer = service.http.post("/v1/adapters", json=body)
    fields = [error["field"] for error in answer.json()["errors"]]
    assert sorted(fields) == ["addresses.0", "mtu", "requested_guid"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stop": {"seconds": "5"}}, "stop.seconds"),
        ({"stop": {"seconds": True}}, "stop.seconds"),
        ({"stop": {"packets": 1.5}}, "stop.packets"),
        ({"rotate": {"seconds": "1"}}, "rotate.seconds"),
        ({"keep": {"files": "3"}}, "keep.files"),
        ({"trigger": {}}, "trigger.on"),
        ({"trigger": 7}, "trigger"),
        ({"trigger": {"on": "call", "before": "1"}}, "trigger.before"),
        ({"trigger": {"on": "call", "after": False}}, "trigger.after"),
        ({"trigger": {"on": "never"}}, "trigger.on"),
        ({"adapters": [7]}, "adapters.0"),
        ({"adapters": "all"}, "adapters"),
        ({"pool": 7}, "pool"),
        ({"marks": "yes"}, "marks"),
        ({"name": None}, "name"),
        ({"snaplen": "96"}, "snaplen"),
    ],
)
def test_fields_have_the_names_of_the_body(
    service: RunningService, body: dict[str, object], field: str
) -> None:
    """A place is told in members of the request, and a number is neither a text nor a truth."""
    found = problem(service.http.post("/v1/captures", json=body), 422, "invalid-request")
    assert {one["field"] for one in found["errors"]} == {field}


@pytest.mark.parametrize("value", ["30", True, None, [30]])
def test_seconds_of_a_recorder_are_a_number(service: RunningService, value: object) -> None:
    """Nothing else is taken for one."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    answer = service.http.put(f"/v1/sessions/{session}/recorder", json={"seconds": value})
    found = problem(answer, 422, "invalid-request")
    assert [one["field"] for one in found["errors"]] == ["seconds"]


def test_fields_of_a_query(service: RunningService) -> None:
    """They have the names of the parameters, and lists the index of the value."""
    answer = service.http.get("/v1/capture.pcapng?adapter=x&seconds=0&packets=none")
    found = problem(answer, 422, "invalid-request")
    assert [one["field"] for one in found["errors"]] == ["packets", "seconds", "adapter.0"]
