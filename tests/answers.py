"""What the API answers, checked."""

from __future__ import annotations

import json
from typing import Any

from websockets.sync.client import ClientConnection

from tests.running import RunningService


def problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    """Check that the answer is this problem, whole, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:wintun-api:problem:{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["hint"]
    return body


def wait_for(service: RunningService, *types: str) -> dict[str, Any]:
    """Wait for the next event of one of these types, by way of the event stream."""
    with service.http.stream("GET", "/v1/events", params={"since": 0}) as stream:
        kind = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: ") and kind in types:
                return dict(json.loads(line.removeprefix("data: "))["data"])
    raise AssertionError("The stream ended.")


def post_packet(service: RunningService, path: str, packet: bytes) -> dict[str, Any]:
    """Inject with one request."""
    headers = {"Content-Type": "application/octet-stream"}
    answer = service.http.post(f"{path}/packets", content=packet, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def next_event(socket: ClientConnection) -> dict[str, Any]:
    """Return the next message of an event socket."""
    return dict(json.loads(socket.recv(30)))
