"""HEAD answers as GET does, without the body."""

from __future__ import annotations

import pytest

from tests.running import RunningService
from tests.waiting import until

PATHS = [
    "/noauth/health",
    "/v1/system",
    "/v1/driver",
    "/v1/adapters",
    "/v1/sessions",
    "/v1/tokens",
    "/metrics",
    "/",
    "/app.js",
    "/docs",
    "/v1/sessions/none",
    "/v1/nothing",
]
VARYING = {"date", "age"}


@pytest.mark.parametrize("path", PATHS)
def test_the_headers_of_get(service: RunningService, path: str) -> None:
    """Status and headers are those of GET, the length of its body among them; no body comes."""
    get, head = service.http.get(path), service.http.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    names = (set(get.headers) | set(head.headers)) - VARYING - {"content-length"}
    assert {name: head.headers.get(name) for name in names} == {
        name: get.headers.get(name) for name in names
    }
    if path != "/metrics":  # what it counts has changed
        assert head.headers.get("content-length") == get.headers.get("content-length")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/sessions/{session}/capture.pcapng"])
def test_a_stream_is_not_begun(service: RunningService, path: str) -> None:
    """The headers of a stream come at once, and nobody stays subscribed."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    head = service.http.head(path.format(session=session))
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"].startswith(("text/event-stream", "application/"))
    until(lambda: not service.http.get(f"/v1/sessions/{session}").json()["subscribers"])


def test_a_path_without_get(service: RunningService) -> None:
    """Where there is no GET there is no HEAD."""
    answer = service.http.head("/v1/adapters/open")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_a_token_is_needed(service: RunningService) -> None:
    """Without a token HEAD says as little as GET."""
    with service.client(None) as http:
        assert http.head("/v1/adapters").status_code == 401


def test_it_is_measured_by_its_route(service: RunningService) -> None:
    """The latency of a HEAD request is counted under the route that answered."""
    service.http.head("/v1/sessions/none")
    text = service.http.get("/metrics").text
    counts = [line for line in text.splitlines() if "request_seconds_count" in line]
    (line,) = [line for line in counts if 'method="HEAD"' in line]
    assert 'route="/v1/sessions/{session_id}"' in line
