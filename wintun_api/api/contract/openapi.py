"""OpenAPI 3.1 of the REST routes: FastAPI's document, finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wintun_api.api.access import Access
from wintun_api.api.contract.links import add_links
from wintun_api.api.contract.operations import SCHEMA, Operations, finish
from wintun_api.api.contract.refusals import problem_examples
from wintun_api.api.contract.shapes import plain
from wintun_api.api.schemas.problem import Problem
from wintun_api.api.sign_ins import KEY_HEADER
from wintun_api.settings import Settings

PORT = Settings.model_fields["port"].default
REFERENCE = SCHEMA + "{model}"
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
            "Together with the key it allows what the token allows, from the service's own pages; "
            "alone it opens only the pages."
        ),
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": (
            "The second secret of a browser's sign-in. GET /?token=<token> redirects to the page "
            "with the fragment #key=<key>; the page keeps it for its own origin, for a cookie is "
            "sent to every port of the host."
        ),
    },
}


def finished(
    document: dict[str, Any], accesses: Mapping[tuple[str, str], Access]
) -> dict[str, Any]:
    """Return FastAPI's document with what it cannot know; `accesses` has what the routes need."""
    schemas = document["components"]["schemas"]
    for name in FOREIGN:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=REFERENCE)
    schemas |= problem.pop("$defs") | {"Problem": problem}
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    document["info"]["license"] = LICENSE
    document["info"]["description"] = document["info"]["description"].strip()
    document["components"]["examples"] = problem_examples()
    operations: Operations = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            finish(accesses.get((method.upper(), path)), operation)
            operations[operation["operationId"]] = operation
    add_links(operations)
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    return {
        "openapi": document["openapi"],
        "info": document["info"],
        "servers": SERVERS,
        "tags": tags,
        "paths": plain(document["paths"]),
        "components": plain(document["components"]),
    }
