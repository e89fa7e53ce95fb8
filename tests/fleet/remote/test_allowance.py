"""What may be asked over the bus: the scopes as the service says them, and the paths."""

from __future__ import annotations

import pytest

from tests.contract.documents import openapi
from wintun_api.choices import Scope
from wintun_api.fleet.remote.allowance import Allow, Operations, parts_of

SERVICE = Operations.of_document(openapi())


def allowed(method: str, path: str, allow: Allow) -> bool:
    """Return whether a request may be sent to the service."""
    parts = parts_of(path)
    found = [] if parts is None else SERVICE.find(method, parts)
    return bool(found) and all(one.scope in allow.scopes and not one.streams for one in found)


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", "/v1/adapters", Allow.READ),
        ("GET", "/v1/sessions/a", Allow.READ),
        ("POST", "/v1/captures", Allow.CAPTURE),
        ("POST", "/v1/filters/check", Allow.CAPTURE),
        ("POST", "/v1/adapters", Allow.ADMIN),
        ("DELETE", "/v1/driver", Allow.ADMIN),
        ("POST", "/v1/tokens", Allow.ADMIN),
        ("POST", "/v1/sessions/a/packets", Allow.ADMIN),
    ],
)
def test_what_needs_which_word(method: str, path: str, least: Allow) -> None:
    """An operation is allowed by the word that has its scope, and by those after it."""
    words = list(Allow)
    allows = [one for one in words if allowed(method, path, one)]
    assert allows == words[words.index(least) :]


def test_every_operation_has_one_scope() -> None:
    """All operations below /v1 but the end of a browser's sign-in name exactly one scope."""
    unknown = [one.name for one in SERVICE if one.scope not in set(Scope)]
    assert unknown == ["sign_out"]


@pytest.mark.parametrize(
    "path", ["/v1/events", "/v1/capture.pcapng", "/v1/sessions/a/capture.pcapng"]
)
def test_streams_are_not_allowed(path: str) -> None:
    """What does not end, or is not JSON, is allowed by no word."""
    assert not allowed("GET", path, Allow.ADMIN)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "v1/adapters",
        "//v1/adapters",
        "/v1//adapters",
        "/v1/adapters/",
        "/v1/../metrics",
        "/v1/%2e%2e/metrics",
        "/v1/adapters/..",
        "/v1/sessions/a%2Fimpairment",
        "/v1/sessions/a%5Cimpairment",
        "/v1/sessions/a%00",
        "/v1/sessions/%ff",
        "/metrics",
        "/noauth/health",
        "/openapi.json",
        "/V1/adapters",
        "/v2/adapters",
        "/v1/unknown",
    ],
)
def test_paths_that_are_not_allowed(path: str) -> None:
    """A path that leads elsewhere, or would for whoever decodes it, is allowed by no word."""
    assert not any(allowed(method, path, Allow.ADMIN) for method in ("GET", "POST", "DELETE"))


def test_a_document_of_a_stranger() -> None:
    """A document that says nothing of scopes allows nothing, whatever its form."""
    documents: tuple[object, ...] = (
        None,
        [],
        {"paths": []},
        {"paths": {"/v1/x": []}},
        {"paths": {"/v1/x": {"get": {}}}},
        {"paths": {"/v1/x": {"get": {"security": [{"bearer": ["read", "admin"]}]}}}},
        {"paths": {"/v1/x": {"get": {"security": [{"bearer": [["read"]]}]}}}},
    )
    for document in documents:
        assert not [one for one in Operations.of_document(document) if one.scope is not None]
