"""The OpenAPI document: nothing is missing, and nothing in it is bare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.routes import routes
from tests.contract.test_documents import FOLDER
from tests.running import RunningService
from wintun_api.api.contract.examples import BODIES
from wintun_api.api.problems import KINDS, URN
from wintun_api.api.schemas.problem import Problem

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text("utf-8"))
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


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_whole(name: str) -> None:
    """It has words, a tag, a scope, examples; every error is a problem with an example."""
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
    inside = {"ring-full", "ring-corrupt"}  # of the packet path, which no request meets
    assert {kind.slug for kind in KINDS.values()} - inside <= set(examples)
    for slug, example in examples.items():
        problem = Problem.model_validate(example["value"])
        assert problem.type == URN + slug
        assert problem.hint


def test_examples_of_bodies_belong_to_operations() -> None:
    """No example is left over from an operation that is gone."""
    assert set(BODIES) <= set(OPERATIONS)


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
            assert "maximum" in node or node.get("format") == "int64", node


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
