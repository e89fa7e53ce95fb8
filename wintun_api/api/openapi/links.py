"""OpenAPI links: the answers whose values are parameters of other operations."""

from __future__ import annotations

from wintun_api.api.openapi.operations import Operations

# The parameter, and the place of its value in the answer.
_GUID = {"guid": "$response.body#/guid"}
_SESSION = {"session_id": "$response.body#/id"}
_TOKEN = {"token_id": "$response.body#/id"}
_ON_ADAPTER = (
    "get_adapter",
    "update_adapter",
    "restore_adapter",
    "release_adapter",
    "delete_adapter",
)
_ON_SESSION = ("get_session", "inject_packets", "end_session")

# Operation of the answer -> operation of the link -> parameters. A link may also have a body, but
# openapi-generator refuses a document with a body that is an object.
PARAMETERS: dict[str, dict[str, dict[str, str]]] = {
    "create_adapter": dict.fromkeys(_ON_ADAPTER, _GUID),
    "open_adapter": dict.fromkeys(_ON_ADAPTER, _GUID),
    "start_session": dict.fromkeys(_ON_SESSION, _SESSION),
    "create_token": {"revoke_token": _TOKEN},
}


def add_links(operations: Operations) -> None:
    """Write the links into the successful answers."""
    for source, targets in PARAMETERS.items():
        for target, parameters in targets.items():
            _add(operations, source, target, parameters)


def _add(operations: Operations, source: str, target: str, parameters: dict[str, str]) -> None:
    summary = operations[target]["summary"]
    link = {
        "operationId": target,
        "description": f"{summary}, with a value of this answer.",
        "parameters": parameters,
    }
    responses = operations[source]["responses"]
    for status in responses:
        if status.startswith("2"):
            responses[status].setdefault("links", {})[target] = link
