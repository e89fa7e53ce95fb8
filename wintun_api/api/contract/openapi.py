"""OpenAPI 3.1 of the REST routes: FastAPI's document, finished.

What FastAPI cannot know is added here: who may call an operation, where the service listens, and
that every error is a problem document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from wintun_api.api.contract.shapes import plain
from wintun_api.api.schemas.problem import Problem
from wintun_api.api.security import HEALTH, required_scope
from wintun_api.settings import Settings

PORT = Settings.model_fields["port"].default
REFERENCE = "#/components/schemas/{model}"
# FastAPI's own, which no answer of the service has.
FOREIGN = ("HTTPValidationError", "ValidationError")

LICENSE = {"name": "MIT", "identifier": "MIT"}
SERVERS = [{"url": f"http://127.0.0.1:{PORT}", "description": "The service on this machine."}]
TAGS = {
    "system": "The service itself: whether it is up, what it runs on, what this token allows.",
    "driver": "The driver behind the service: its generation, its version, its removal.",
    "adapters": "TUN adapters: create, open, change, release, delete.",
    "sessions": "Sessions of adapters: start, read counters, end.",
    "packets": "IP packets over plain HTTP; the WebSocket is described in asyncapi.json.",
    "events": "What happens to adapters and sessions, as it happens.",
    "tokens": "Tokens for other programs, with scopes and an expiry.",
}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The admin token of the token file, or a token of POST /v1/tokens. The roles that an "
            "operation names are the token's scopes: `read` reads adapters, sessions and events, "
            "`capture` receives packets, `inject` injects packets, `admin` allows everything."
        ),
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": f"wintun-api-{PORT}",
        "description": (
            "A browser's, made from a token by GET /?token=<token>; the name carries the port. "
            "It allows what the token allows, from the service's own pages."
        ),
    },
}


class Api(FastAPI):
    """The application; its document is the contract, with this origin as the server."""

    def openapi(self) -> dict[str, Any]:
        """Return the document that `/openapi.json` serves: /docs then talks to its own origin."""
        if self.openapi_schema is None:
            self.openapi_schema = {**self.contract(), "servers": [{"url": "/"}]}
        return self.openapi_schema

    def contract(self) -> dict[str, Any]:
        """Return the document of the folder openapi/."""
        return finished(super().openapi())


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's document with what it cannot know."""
    schemas = document["components"]["schemas"]
    for name in FOREIGN:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=REFERENCE)
    schemas |= problem.pop("$defs") | {"Problem": problem}
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    document["info"]["license"] = LICENSE
    document["info"]["description"] = document["info"]["description"].strip()
    for method, path, operation in operations(document):
        _without_foreign(operation)
        _secure(method, path, operation)
        _parameters(operation)
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    return {
        "openapi": document["openapi"],
        "info": document["info"],
        "servers": SERVERS,
        "tags": tags,
        "paths": plain(document["paths"]),
        "components": plain(document["components"]),
    }


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation with its method and path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def _without_foreign(operation: dict[str, Any]) -> None:
    # FastAPI promises its own 422 wherever there is a parameter; the routes name what they give.
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def _secure(method: str, path: str, operation: dict[str, Any]) -> None:
    if path == HEALTH:
        operation["security"] = []
        return
    scope = required_scope(method, path)
    roles = [] if scope is None else [scope.value]
    operation["security"] = [{"bearer": roles}, {"cookie": roles}]


def _parameters(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        schema.pop("title", None)
        schema.pop("description", None)
        # A query has no null: what may be missing is not required, and that is all.
        options = schema.pop("anyOf", None)
        if options is not None:
            schema |= next(option for option in options if option.get("type") != "null")
