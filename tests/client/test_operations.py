"""The operations of the client are those of the OpenAPI document, argument for argument."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from wintun_api.client import AsyncClient, Client, operations
from wintun_api.client.call import UNSET, Call

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text("utf-8"))
SPOKEN = {
    one["operationId"]: (method.upper(), path, one)
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
    if "operationId" in one
}
# What events() of the clients does: an iterator, not a request.
STREAMED = {"stream_events"}
# Their bytes are given as they come.
FILES = {"capture_packets", "capture_adapters", "download_capture_file", "read_recorder"}
# The header that a client sends after a broken connection; its own argument is `since`.
HEADERS = {"last-event-id"}
TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "object",
}
# Where null says the same as a member that is left out.
NULL_IS_DEFAULT = {("start_session", "offload")} | {
    ("set_impairment", argument)
    for argument in ("match", "preset", "received", "injected", "scenario", "seed", "rules")
}
# Types of arguments that take more than JSON has, by the types of JSON.
WIDER = {
    "Guid": "str",
    "Addresses": "list",
    "Routes": "list",
    "Servers": "list",
    "OneDirection": "object",
    "Selection": "object",
    "Timetable": "object",
    "Hosts": "list",
    "Rules": "list",
    "StopConditions": "object",
    "Rotation": "object",
    "Retention": "object",
    "TriggerRule": "object",
    "Iterable[str]": "list",
    "Moment": "str",
    "Iterable[Guid]": "list",
    "Packet | Iterable[Packet]": "binary",
}


def functions() -> dict[str, Any]:
    """The functions of the module that return a request, by name."""
    return {
        name: one
        for name, one in vars(operations).items()
        if inspect.isfunction(one) and one.__module__ == operations.__name__
    }


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = {**DOCUMENT["components"]["schemas"][name], **schema}
        del schema["$ref"]
    return schema


def spoken(operation: dict[str, Any]) -> dict[str, tuple[str, bool, bool]]:
    """The parameters and members of an operation: their type, whether required, nullable."""
    found: dict[str, tuple[str, bool, bool]] = {}
    for one in operation.get("parameters", ()):
        if one["name"] not in HEADERS:
            found[one["name"]] = kind(one["schema"], required=one.get("required", False))
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = resolved(content["application/json"]["schema"])
        for name, member in body["properties"].items():
            found[name] = kind(member, required=name in body.get("required", ()))
    elif content:
        found["packets"] = ("binary", True, False)
    return found


def kind(schema: dict[str, Any], *, required: bool) -> tuple[str, bool, bool]:
    schema = resolved(schema)
    several = [resolved(one) for one in schema.get("anyOf", schema.get("oneOf", ()))]
    if isinstance(schema.get("type"), list):
        several = [{"type": one} for one in schema["type"]]
    nullable = any(one.get("type") == "null" for one in several)
    if several:
        schema = next(one for one in several if one.get("type") != "null")
    name = "list" if schema["type"] == "array" else TYPES[schema["type"]]
    return name, required, nullable


def offered(function: Any) -> dict[str, tuple[str, bool, bool]]:
    """The arguments of a function in the same form."""
    found: dict[str, tuple[str, bool, bool]] = {}
    for name, one in inspect.signature(function).parameters.items():
        if name == "self":
            continue
        words = one.annotation
        required = one.default is inspect.Parameter.empty
        if not required:
            assert one.default is None or one.default is UNSET, name
            words = words.replace(" | Unset", "")
            assert words.endswith(" | None"), f"{name}: {words}"
            words = words.removesuffix(" | None")
        found[name] = (WIDER.get(words, words), required, one.default is UNSET)
    return found


def test_every_operation_has_a_function() -> None:
    """No operation of the document is missing, and none is invented."""
    assert set(functions()) == set(SPOKEN)


@pytest.mark.parametrize("name", SPOKEN)
def test_arguments_are_those_of_the_document(name: str) -> None:
    """Names, types and what is required agree; what is left out is the service's default."""
    _, _, operation = SPOKEN[name]
    wanted = spoken(operation)
    given = offered(functions()[name])
    assert given.keys() == wanted.keys()
    for argument, (words, required, _) in wanted.items():
        assert given[argument][:2] == (words, required), argument


def test_null_can_be_sent_where_it_means_something() -> None:
    """Where null differs from a member that is left out, None is sent."""
    differing = {
        (name, argument)
        for name, (_, _, operation) in SPOKEN.items()
        for argument, (_, required, nullable) in spoken(operation).items()
        if nullable and not required and (name, argument) not in NULL_IS_DEFAULT
    }
    unset = {
        (name, argument)
        for name, function in functions().items()
        for argument, (_, _, told_apart) in offered(function).items()
        if told_apart
    }
    assert unset == differing == {("create_adapter", "metric"), ("update_adapter", "metric")}
    assert operations.create_adapter("x", metric=None).body == {"name": "x", "metric": None}
    assert operations.update_adapter("x", metric=None).body == {"metric": None}
    assert operations.update_adapter("x", mtu=1).body == {"mtu": 1}


def example(name: str) -> Call[Any]:
    """A request with a value for each required argument."""
    needed = {
        argument: ["read"] if words == "list" else b"x" if words == "binary" else "a/b"
        for argument, (words, required, _) in offered(functions()[name]).items()
        if required
    }
    call: Call[Any] = functions()[name](**needed)
    return call


@pytest.mark.parametrize("name", SPOKEN)
def test_requests_are_those_of_the_document(name: str) -> None:
    """Method, path and type of the answer agree, and a value cannot leave its part of a path."""
    method, path, operation = SPOKEN[name]
    call = example(name)
    assert (call.operation, call.method) == (name, method)
    assert call.path == re.sub(r"\{\w+\}", "a%2Fb", path)
    good = next(answer for status, answer in operation["responses"].items() if status[0] == "2")
    media, content = next(iter(good.get("content", {"": {}}).items()))
    if media == "application/json":
        schema = content["schema"]
        several = schema.get("type") == "array"
        model = (schema["items"] if several else schema)["$ref"].rpartition("/")[2]
        assert call.answer.strip("[]").partition(".")[2] == model
        assert call.answer.startswith("[") is several
    else:
        assert call.answer == {"": "nothing", "text/plain": "text"}.get(media, media)
    said = inspect.signature(functions()[name]).return_annotation
    model = call.answer.strip("[]").partition(".")[2]
    python = {"nothing": "None", "text": "str"}.get(call.answer, model if model else "bytes")
    if "/" in call.answer:
        python = "bytes"
    assert said == f"Call[{f'list[{python}]' if call.answer.startswith('[') else python}]"


@pytest.mark.parametrize("name", sorted(set(SPOKEN) - STREAMED))
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_clients_have_every_operation(client: type, name: str) -> None:
    """Both clients have a method of its name, with the same arguments and a docstring."""
    method, function = getattr(client, name), functions()[name]
    assert offered(method) == offered(function)
    assert method.__doc__
    said = inspect.signature(function).return_annotation.removeprefix("Call[")[:-1]
    returned = inspect.signature(method).return_annotation
    if name in FILES:
        assert "Iterator[bytes]" in returned
    else:
        assert returned == said


def test_only_open_operations_are_sent_without_a_token() -> None:
    """What the document lets be asked by anybody is asked without a token, and nothing else."""
    for name, (_, path, _) in SPOKEN.items():
        assert example(name).open is path.startswith("/noauth/"), name
