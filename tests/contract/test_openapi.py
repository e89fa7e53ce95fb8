"""The OpenAPI document is complete, and everything in it is described."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.folder import FOLDER
from tests.contract.routes import routes
from tests.running import RunningService
from wintun_api.api.access import Access
from wintun_api.api.kinds import CAUSES, URN, Kind
from wintun_api.api.openapi.examples import BODIES
from wintun_api.api.openapi.operations import finish
from wintun_api.choices import DriverName, Scope, SessionState
from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.errors import CodeKind
from wintun_api.schemas.adapters import AdapterState
from wintun_api.schemas.problem import Problem, ProblemType

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text("utf-8"))
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def test_every_route_is_in_it() -> None:
    """The service has no HTTP route that the contract does not know, but for its pages."""
    described = {(method, path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {(method, path) for method, path in routes() if method != "websocket"}


@pytest.mark.parametrize(
    ("access", "more", "said"),
    [
        (Access(scope=Scope.READ), {}, "The function of list_shelves has no docstring."),
        (None, {"description": "List the shelves."}, "list_shelves does not say what it needs."),
    ],
)
def test_what_a_new_route_lacks_is_said(
    access: Access | None, more: dict[str, Any], said: str
) -> None:
    """To renew the document after adding a route is to read what the route lacks."""
    with pytest.raises(ValueError, match=re.escape(said)):
        finish(access, {"operationId": "list_shelves", "responses": {}, **more})


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_whole(name: str) -> None:
    """It has texts, a tag, a scope and examples; every error is a problem with an example."""
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert len(operation["description"]) > len(operation["summary"])
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}
    assert operation["security"] or name == "get_health"
    for status, response in operation["responses"].items():
        assert response["description"] != "Successful Response"
        content = response.get("content", {})
        if status.startswith(("4", "5")):
            assert list(content) == ["application/problem+json"]
            assert content["application/problem+json"]["examples"]
        elif "application/json" in content:
            assert "example" in content["application/json"]
    body = operation.get("requestBody", {}).get("content", {})
    assert "application/json" not in body or body["application/json"]["examples"]


def test_every_problem_has_an_example() -> None:
    """The documents are whole, and each is told under its own type."""
    examples = DOCUMENT["components"]["examples"]
    inside = {"ring-corrupt"}  # of the packet path, which no request meets
    assert {cause.kind.slug for cause in CAUSES.values()} - inside <= set(examples)
    for slug, example in examples.items():
        problem = Problem.model_validate(example["value"])
        assert problem.type == URN + slug
        assert problem.hint


def test_examples_of_bodies_belong_to_operations() -> None:
    """No example is left over from an operation that is gone."""
    assert set(BODIES) <= set(OPERATIONS)


@pytest.mark.parametrize("problem", ["filters-busy", "too-many-guesses"])
def test_what_is_tried_again_says_when(problem: str) -> None:
    """Answers to operations that can have Retry-After document it."""
    responses = [
        response
        for operation in OPERATIONS.values()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        if problem in content.get("examples", ())
    ]
    assert responses
    assert all("Retry-After" in response["headers"] for response in responses)


def test_links_lead_somewhere() -> None:
    """Every link names an operation and parameters that it has."""
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = OPERATIONS[link["operationId"]]
                known = {parameter["name"] for parameter in target.get("parameters", ())}
                assert set(link.get("parameters", ())) <= known


def test_schemas_are_plain() -> None:
    """No `anyOf`, of which generators make classes; every member has a description."""
    for node in nodes(DOCUMENT):
        assert "anyOf" not in node
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["description"], name
        for member, value in schema.get("properties", {}).items():
            assert "description" in value or "$ref" in value, f"{name}.{member}"
            assert "enum" not in value, f"{name}.{member}: an enum has a name"


def test_integers_have_a_size() -> None:
    """None is left to a language's idea of 31 bits: it has a limit, or 64 bits."""
    for node in nodes(DOCUMENT):
        if node.get("type") in ("integer", ["integer", "null"]):
            assert {"maximum", "enum"} & node.keys() or node.get("format") == "int64", node


# Where the document must name every value.
CLOSED = {
    ("Problem", "type"): ProblemType,
    ("Problem", "code_kind"): CodeKind,
    ("Driver", "name"): tuple(DriverName),
    ("Driver", "generation"): (*Generation, "kernel"),
    ("System", "driver"): tuple(DriverName),
    ("UnavailableReason", "reason"): UnavailableReason,
    ("Adapter", "families"): (4, 6),
    ("Adapter", "state"): AdapterState,
    ("Session", "state"): SessionState,
    ("Token", "scopes"): Scope,
    ("System", "scopes"): Scope,
    ("TokenCreate", "scopes"): Scope,
}


@pytest.mark.parametrize(("schema", "member"), CLOSED)
def test_a_closed_set_is_an_enum(schema: str, member: str) -> None:
    """The document lists the values that the code knows, in a schema with a name."""
    value = SCHEMAS[schema]["properties"][member]
    name = value.get("items", value)["$ref"].removeprefix("#/components/schemas/")
    assert set(SCHEMAS[name]["enum"]) == set(CLOSED[schema, member])
    assert SCHEMAS[name]["title"] == name


def test_every_type_of_problem_is_known() -> None:
    """The enum has what the tables and the places in the code have that refuse a request."""
    assert {kind.type for kind in Kind} == set(ProblemType)


def test_served_titles_are_the_documented_ones() -> None:
    """Every example has the title of its kind, and every response names the kinds it can be."""
    titles = {kind.slug: kind.title for kind in Kind}
    for slug, example in DOCUMENT["components"]["examples"].items():
        assert example["summary"] == example["value"]["title"] == titles[slug]
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/problem+json", {})
            for slug in content.get("examples", {}):
                assert titles[slug] in response["description"]


def test_members_with_defaults_may_be_left_out() -> None:
    """No member has `default`, for which openapi-typescript makes it required; the text says it."""
    for name, schema in SCHEMAS.items():
        for member, value in schema.get("properties", {}).items():
            assert "default" not in value, f"{name}.{member}"
    create = SCHEMAS["AdapterCreate"]
    assert create["required"] == ["name"]
    assert create["properties"]["pool"]["description"].endswith("The default is `wintun-api`.")
    assert create["properties"]["dns"]["description"].endswith("The default is an empty list.")
    assert SCHEMAS["Route"]["required"] == ["destination"]


def test_every_scheme_is_sent_in_a_header() -> None:
    """The generator for Ruby writes broken code for a cookie."""
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {scheme.get("in", "header") for scheme in schemes.values()} == {"header"}


STUMBLES = re.compile(
    r"\b(?:is|are) no\b(?! longer)|\b(?:whoever|nobody|somebody|shall|for ever)\b|\bof ours\b", re.I
)


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_texts_are_sentences(name: str) -> None:
    """Summaries and descriptions begin with a capital and end as sentences do, in plain words."""
    for node in nodes({**json.loads((FOLDER / name).read_text("utf-8")), "examples": {}}):
        text = node.get("description")
        binary = node.get("contentType") == "application/octet-stream"  # the codec's own table
        if not isinstance(text, str) or binary:
            continue
        assert text[0].isupper() or text[0] in "`*", text
        assert text.rstrip().endswith((".", "!", ":")), text
        assert not STUMBLES.search(text), text


def test_summaries_are_commands() -> None:
    """A summary is a verb and its object, at most six words."""
    for name, operation in OPERATIONS.items():
        summary = operation["summary"]
        assert 2 <= len(summary.split()) <= 6, summary
        first = summary.split()[0].lower()
        assert name.startswith(first), f"{name}: {summary}"


def test_no_schema_is_called_like_a_constructor() -> None:
    """Go makes a `NewToken` of a `Token`."""
    schemas = set(DOCUMENT["components"]["schemas"])
    assert not {f"New{name}" for name in schemas} & schemas


def test_an_operation_has_one_place() -> None:
    """One tag each: generators write an operation once per tag."""
    assert all(len(operation["tags"]) == 1 for operation in OPERATIONS.values())


def test_what_is_served_is_the_contract(service: RunningService) -> None:
    """The running service gives the same document, with itself as the server."""
    served = service.http.get("/openapi.json").json()
    assert served.pop("servers") == [{"url": "/"}]
    assert served == {key: value for key, value in DOCUMENT.items() if key != "servers"}
