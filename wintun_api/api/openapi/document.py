"""OpenAPI 3.1 of the REST routes: the document that FastAPI generates, completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wintun_api.api.access import Access
from wintun_api.api.openapi.enums import described
from wintun_api.api.openapi.links import add_links
from wintun_api.api.openapi.operations import SCHEMA, Operations, finish
from wintun_api.api.openapi.refusals import problem_examples
from wintun_api.api.openapi.shapes import plain
from wintun_api.api.sign_ins import KEY_HEADER
from wintun_api.schemas.problem import Problem
from wintun_api.settings import Settings

PORT = Settings.declared()["port"].default
REFERENCE = SCHEMA + "{model}"
# Schemas of FastAPI that no answer of the service has.
FOREIGN = ("HTTPValidationError", "ValidationError")

LICENSE = {"name": "MIT", "identifier": "MIT"}
SERVERS = [
    {
        "url": f"http://127.0.0.1:{PORT}",
        "description": "The service on this machine, at its default port.",
    }
]
TAGS = {
    "system": "Read the state of the service, its limits and metrics, and the scopes of the token.",
    "driver": "Read the driver that the service uses, or remove it from the system.",
    "adapters": "Create, open, update, restore, release and delete TUN adapters.",
    "sessions": "Start and end sessions of adapters, and read their counters.",
    "captures": "Record packets in memory and in files, and check filters.",
    "impairment": "Make the network of a session bad on purpose, and count what that does.",
    "packets": "Inject and capture IP packets over plain HTTP. The file asyncapi.json describes "
    "the WebSocket.",
    "networks": "Read which hosts have joined a network of many hosts, as the agent beside this "
    "service reports them.",
    "events": "Follow what happens to adapters, sessions and the driver.",
    "clients": "See who is connected, and disconnect clients.",
    "tokens": "Create, list and revoke tokens for other programs.",
}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The admin token of the token file, or a token that POST /v1/tokens created. The role "
            "that an operation requires is a scope of the token: `read` reads adapters, sessions "
            "and events, `capture` gets packets, `inject` injects packets, `metrics` reads the "
            "metrics, and `admin` allows everything."
        ),
    },
    "cookie": {
        "type": "apiKey",
        # As a header, for the name of the cookie depends on the port, and some generators cannot
        # send cookies: that for Ruby writes a client that fails at its first request.
        "in": "header",
        "name": "Cookie",
        "description": (
            "The cookie of a signed-in browser, `wintun-api-<port>=<value>`. The browser gets it "
            "from GET /?token=<token>. Together with the key it allows the pages of the service "
            "what the token allows. Without the key it opens only the pages themselves. Programs "
            "use a bearer token instead."
        ),
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": (
            "The second secret of a signed-in browser. GET /?token=<token> redirects to the page "
            "with the fragment #key=<key>, and the page keeps it for its own origin. It is needed "
            "because a browser sends a cookie to every port of the host."
        ),
    },
}


def finished(
    document: dict[str, Any], accesses: Mapping[tuple[str, str], Access]
) -> dict[str, Any]:
    """Return the document of FastAPI, completed; `accesses` holds what the routes need."""
    schemas = document["components"]["schemas"]
    for name in FOREIGN:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=REFERENCE)
    schemas |= problem.pop("$defs") | {"Problem": problem}
    document["components"]["schemas"] = described(dict(sorted(schemas.items())))
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
