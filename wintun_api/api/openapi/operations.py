"""The operations of an OpenAPI document, completed one by one.

FastAPI knows routes and models. This module adds what FastAPI cannot know: the scope that an
operation requires, the errors that are answered before a route is called, and examples of answers.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Any, TypeAlias

from wintun_api.api.access import Access
from wintun_api.api.context import only_problems
from wintun_api.api.kinds import Kind
from wintun_api.api.openapi.examples import ANSWERS, BODIES
from wintun_api.schemas.problem import MEDIA_TYPE

Operation: TypeAlias = dict[str, Any]
Operations: TypeAlias = dict[str, Operation]

JSON = "application/json"
SCHEMA = "#/components/schemas/"
BY_SCHEMA = {SCHEMA + type(answer).__name__: answer.model_dump(mode="json") for answer in ANSWERS}

TEXTS = {SCHEMA + type(answer).__name__: getdoc(type(answer)) or "" for answer in ANSWERS}
FASTAPI_DESCRIPTION = "Successful Response"

LOCATION = {"description": "The path of the new resource.", "schema": {"type": "string"}}
AGE = {
    "description": "The age of the answer in seconds.",
    "schema": {"type": "integer", "minimum": 0},
}
RETRY = {
    "description": "The number of seconds to wait before the next attempt.",
    "schema": {"type": "integer", "minimum": 1},
}
RETRY_FILTER = {
    **RETRY,
    "description": "The number of seconds to wait before the next attempt, if too many filters "
    "are being compiled. Other causes do not have it.",
}
CHALLENGE = {"description": "Always `Bearer`.", "schema": {"type": "string"}}
HEADERS: dict[tuple[str, str], dict[str, Any]] = {
    ("create_adapter", "200"): {"Location": LOCATION},
    ("create_adapter", "201"): {"Location": LOCATION},
    ("start_session", "201"): {"Location": LOCATION},
    ("list_adapters", "200"): {"Age": AGE},
}


def finish(access: Access | None, operation: Operation) -> None:
    """Complete one operation in place; `access` is what its route needs.

    Raises:
        ValueError: The route does not declare what it needs, or its function has no docstring.
    """
    if "description" not in operation:
        raise ValueError(f"The function of {operation['operationId']} has no docstring.")
    _without_foreign(operation)
    _parameters(operation)
    _refusals(operation)
    _secure(access, operation)
    _describe(operation)
    _bodies(operation)


def _without_foreign(operation: Operation) -> None:
    # FastAPI promises its own 422 wherever there is a parameter; the service gives problems.
    if JSON in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def _parameters(operation: Operation) -> None:
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        schema.pop("title", None)
        schema.pop("description", None)
        # A query has no null: what may be missing is not required, and that is all.
        options = schema.pop("anyOf", None)
        if options is not None:
            schema |= next(option for option in options if option.get("type") != "null")


def _refusals(operation: Operation) -> None:
    """Add the errors of bodies and parameters that do not fit, which no route sees."""
    body = operation.get("requestBody")
    parsed = any(_may_be_wrong(p["schema"]) for p in operation.get("parameters", ()))
    causes: list[Kind] = []
    if body is not None:
        causes += [Kind.CONTENT_TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE]
        parsed = parsed or JSON in body["content"]
    if body is not None and JSON in body["content"]:
        causes.append(Kind.BAD_REQUEST)
    if parsed:
        causes.append(Kind.INVALID_REQUEST)
    responses = operation["responses"]
    for status, response in only_problems(*causes).items():
        there = responses.setdefault(str(status), response)
        if there is not response:  # the route has causes of its own for this status
            first, second = (r["content"].popitem()[1] for r in (there, response))
            first["examples"] |= second["examples"]
            there["content"] = {MEDIA_TYPE: first}
            there["description"] = there["description"].rstrip(".") + "; " + response["description"]
    operation["responses"] = dict(sorted(responses.items()))
    if "401" in responses:
        responses["401"]["headers"] = {"WWW-Authenticate": CHALLENGE}
    if "429" in responses:
        responses["429"]["headers"] = {"Retry-After": RETRY}
    if "503" in responses and Kind.FILTERS_BUSY.slug in _examples(responses["503"]):
        responses["503"]["headers"] = {"Retry-After": RETRY_FILTER}


def _examples(response: dict[str, Any]) -> dict[str, Any]:
    examples: dict[str, Any] = response["content"][MEDIA_TYPE]["examples"]
    return examples


def _may_be_wrong(schema: dict[str, Any]) -> bool:
    return schema.get("type") != "string" or "format" in schema or "minLength" in schema


def _secure(access: Access | None, operation: Operation) -> None:
    if access is None:
        raise ValueError(f"The route of {operation['operationId']} does not say what it needs.")
    if not access.token:
        operation["security"] = []
        return
    roles = [] if access.scope is None else [access.scope.value]
    operation["security"] = [{"bearer": roles}, {"cookie": roles, "key": roles}]
    needed = (
        f"This operation requires the scope `{access.scope}`."
        if access.scope
        else "This operation accepts any valid token."
    )
    operation["description"] = f"{operation['description']}\n\n{needed}"


def _describe(operation: Operation) -> None:
    """Use the first sentence as the summary; that of FastAPI is the name of the function."""
    first = operation["description"].replace("\n", " ").partition(". ")[0]
    operation["summary"] = first.rstrip(".")


def _bodies(operation: Operation) -> None:
    """Add the examples of the request and of the answers."""
    name = operation["operationId"]
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None:
        body["examples"] = {
            title: {"value": value} for title, value in BODIES.get(name, {}).items()
        }
    for status, response in operation["responses"].items():
        answer = response.get("content", {}).get(JSON)
        if response["description"] == FASTAPI_DESCRIPTION:
            response["description"] = _answer_text(answer)
        if answer is not None:
            answer["schema"].pop("title", None)
            example = _example(answer["schema"])
            if example is not None:
                answer["example"] = example
        headers = HEADERS.get((name, status))
        if headers is not None:
            response["headers"] = headers


def _answer_text(answer: dict[str, Any] | None) -> str:
    if answer is None:
        return "The request succeeded. The answer has no body."
    schema = answer["schema"]
    if schema.get("type") == "array":
        return "A list of the requested objects."
    return TEXTS.get(schema.get("$ref", ""), "The request succeeded.")


def _example(schema: dict[str, Any]) -> Any:
    if schema.get("type") == "array":
        item = _example(schema["items"])
        return None if item is None else [item]
    return BY_SCHEMA.get(schema.get("$ref", ""))
