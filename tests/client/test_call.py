"""Answers are read without I/O: those of the service, of later versions, and of other programs."""

from __future__ import annotations

import json
from ipaddress import IPv4Interface, IPv6Network
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from wintun_api.client import operations
from wintun_api.client.call import Call, Reply
from wintun_api.client.problems import (
    ClientError,
    NotTheService,
    ProblemError,
    UnexpectedAnswer,
)
from wintun_api.schemas.adapters import Adapter
from wintun_api.schemas.network import Route

DOCUMENT = Path(__file__).parents[2] / "openapi" / "openapi.json"
ADAPTER: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))["paths"]["/v1/adapters/{guid}"][
    "get"
]["responses"]["200"]["content"]["application/json"]["example"]
URL = "http://127.0.0.1:9886"
ADAPTERS = operations.list_adapters()
ONE = operations.get_adapter(ADAPTER["guid"])


def reply(content: Any, status: int = 200, **headers: str) -> Reply:
    """An answer with this JSON, or these bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, body, **headers)


def test_answers_become_models() -> None:
    """An answer is a model of the schemas, and a list of them."""
    assert isinstance(ONE.read(reply(ADAPTER), URL), Adapter)
    assert [one.name for one in ADAPTERS.read(reply([ADAPTER]), URL)] == [ADAPTER["name"]]
    assert operations.revoke_token("x").read(Reply(204, b""), URL) is None
    assert operations.get_metrics().read(Reply(200, b"a 1\n"), URL) == "a 1\n"


def test_members_of_a_later_version_are_passed_over() -> None:
    """Members that are not known are ignored, also deep inside and in what requests share."""
    route = {"destination": "10.0.0.0/8", "next_hop": None, "metric": 0, "color": "red"}
    later = {**ADAPTER, "routes": [route], "mood": "fine"}
    assert ONE.read(reply(later), URL).routes[0].metric == 0


@pytest.mark.parametrize(
    "strange",
    [
        {},
        [],
        None,
        17,
        "text",
        {**ADAPTER, "state": "asleep"},
        {**ADAPTER, "guid": "x"},
        {name: value for name, value in ADAPTER.items() if name != "guid"},
        {**ADAPTER, "mtu": 2**70, "routes": "none"},
    ],
    ids=str,
)
def test_an_answer_of_another_shape(strange: Any) -> None:
    """A member that is missing, or a value that is not known, is told by its name."""
    with pytest.raises(UnexpectedAnswer) as caught:
        ONE.read(reply(strange), URL)
    assert "get_adapter" in str(caught.value)
    assert "pydantic" not in str(caught.value)
    assert caught.value.operation == "get_adapter"
    assert caught.value.answer == strange
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff\xfe", b"{", b"[" * 100_000, b'{"a": 1}}'], ids=len
)
@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_answer_that_is_not_json(content: bytes, status: int) -> None:
    """A page of a proxy is named as what it is, whatever its status."""
    with pytest.raises(NotTheService, match=f"HTTP status {status}") as caught:
        ONE.read(reply(content, status), URL)
    assert caught.value.kind == "between"
    assert caught.value.url == URL


def test_a_redirect_is_told() -> None:
    """An answer that leads elsewhere is not followed; the error says where it leads."""
    with pytest.raises(NotTheService, match=r"on to http://x/") as caught:
        ONE.read(reply(b"", 302, location="http://x/"), URL)
    assert caught.value.kind == "redirect"


def test_a_problem_has_all_its_fields() -> None:
    """A refusal carries what the problem document says."""
    problem = {
        "type": "urn:wintun-api:problem:access-denied",
        "title": "Access denied",
        "status": 403,
        "detail": "The driver refused.",
        "hint": "Run it with more rights.",
        "function": "WintunCreateAdapter",
        "win32_code": 5,
        "log": ["one", "two"],
        "errors": [{"field": "addresses.0", "message": "is wrong"}],
    }
    with pytest.raises(ProblemError) as caught:
        ONE.read(reply(problem, 403), URL)
    error = caught.value
    assert (error.status, error.kind, error.title) == (403, "access-denied", "Access denied")
    assert (error.function, error.win32_code, error.errno) == ("WintunCreateAdapter", 5, None)
    assert error.log == ("one", "two")
    assert error.errors == (("addresses.0", "is wrong"),)
    assert str(error) == "The driver refused. Run it with more rights."
    assert error.problem == problem


@pytest.mark.parametrize(
    "said",
    [
        [],
        17,
        None,
        {},
        {"type": 7, "title": [], "detail": {}, "hint": 3, "errors": 5, "log": "x", "errno": "e"},
        {"type": "urn:wintun-api:problem:of-the-future", "errors": ["x", {}], "log": [1, None]},
        {"error": "not found"},
    ],
    ids=str,
)
def test_a_refusal_of_another_shape(said: Any) -> None:
    """A refusal that is not a problem document, or one of an unknown type, is one all the same."""
    with pytest.raises(ProblemError) as caught:
        ONE.read(reply(said, 418), URL)
    assert caught.value.status == 418
    assert str(caught.value)
    assert caught.value.errno is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_when_to_try_again(header: str, seconds: float | None) -> None:
    """The header Retry-After of a 429 is a number of the error."""
    with pytest.raises(ProblemError) as caught:
        ONE.read(reply({}, 429, retry_after=header), URL)
    assert caught.value.retry_after == seconds


def test_values_of_requests() -> None:
    """GUIDs, addresses, routes as models or mappings, and sets of texts become JSON."""
    guid = UUID(int=1)
    call = operations.create_adapter(
        "A",
        requested_guid=guid,
        addresses=(IPv4Interface("10.0.0.1/24"), "fd00::1/64"),
        routes=[
            Route.model_validate({"destination": "10.0.0.0/8"}),
            {"destination": IPv6Network("fd00::/8"), "metric": 5},
        ],
        dns=iter(["10.0.0.2"]),
    )
    assert json.loads(call.payload()[0] or b"") == {
        "name": "A",
        "requested_guid": str(guid),
        "addresses": ["10.0.0.1/24", "fd00::1/64"],
        "routes": [
            {"destination": "10.0.0.0/8", "next_hop": None, "metric": 0},
            {"destination": "fd00::/8", "metric": 5},
        ],
        "dns": ["10.0.0.2"],
    }


def test_plain_answers() -> None:
    """The command line takes answers as they are, with what a later version adds."""
    later = {**ADAPTER, "mood": "fine"}
    assert ONE.as_json().read(reply(later), URL) == later
    with pytest.raises(ClientError):
        ONE.as_json().read(reply(b"<html>"), URL)


def test_a_call_can_be_compared() -> None:
    """Two calls of the same request are equal."""
    call: Call[Any] = operations.get_adapter("x")
    assert call == operations.get_adapter("x")


@pytest.mark.parametrize(("name", "written"), [(".", "%2E"), ("..", "%2E%2E"), ("a.b", "a.b")])
def test_dots_do_not_change_the_route(name: str, written: str) -> None:
    """A name of dots alone stays one part of the path, as RFC 3986 would take it for a folder."""
    assert operations.delete_pool(name).path == f"/v1/pools/{written}"


def test_numbers_are_not_packets() -> None:
    """A number in place of a packet is refused, and not taken for so many zero bytes."""
    with pytest.raises(TypeError):
        operations.inject_packets("s", [1, 2])  # type: ignore[list-item]
