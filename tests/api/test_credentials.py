"""Headers that could be read in two ways are refused; those of RFC 9110 are read as it says."""

from __future__ import annotations

import pytest

from tests.api.raw import answer, ask, connection, upgrade
from tests.running import TOKEN, RunningService

JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Origin: {own}", "Origin: {own}"),
        ("Origin: {own}", "Origin: http://evil.example"),
        ("Origin: http://evil.example", "Origin: {own}"),
        ("Authorization: Bearer {token}", "Authorization: Bearer {token}"),
        ("Authorization: Bearer {token}", "Authorization: Bearer wrong"),
        ("Authorization: Bearer wrong", "Authorization: Bearer {token}"),
        ("Authorization: Bearer {token}", "authorization: Basic eA=="),
        ("Host: {host}", "Host: {host}"),
        ("Host: {host}", "Host: evil.example"),
        ("Host: evil.example", "Host: {host}"),
        ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"),
        ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: cors"),
        ("X-Wintun-Api-Key: a", "X-Wintun-Api-Key: a"),
        ("Content-Type: application/json", "Content-Type: text/plain"),
        ("Content-Type: text/plain", "Content-Type: application/json"),
    ],
)
def test_a_header_twice(service: RunningService, first: str, second: str) -> None:
    """Two of a header that may come once are a clear refusal, for HTTP and WebSocket."""
    host = f"127.0.0.1:{service.port}"
    two = [one.format(own=service.url, token=TOKEN, host=host) for one in (first, second)]
    names = {one.partition(":")[0].lower() for one in two}
    base = [] if "host" in names else [f"Host: {host}"]
    base += [] if "authorization" in names else [f"Authorization: Bearer {TOKEN}"]
    handshake = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    for path, more in (("/v1/system", []), ("/", []), ("/v1/events", handshake)):
        lines = [f"GET {path} HTTP/1.1", *base, two[0], *more, two[1], "", ""]
        with connection(service) as opened:
            opened.sendall("\r\n".join(lines).encode())
            status, text = answer(opened)
        assert status in (400, 403), (path, text)
        if "websocket" not in "".join(more):
            assert "application/problem+json" in text
            assert '"hint":' in text


@pytest.mark.parametrize(
    "origin",
    ["null", "", "{own}, {own}", "{own},http://evil.example", "{own}/", "{own} ", "{own}%00", "//"],
)
def test_origins_that_are_not_ours(service: RunningService, origin: str) -> None:
    """An Origin is one whole origin; a list of them, or none, is not ours."""
    value = origin.format(own=service.url)
    expected = 200 if value.strip() == service.url else 403  # a blank at the end is no part of it
    assert ask(service, "GET /v1/system", [f"Origin: {value}"])[0] == expected
    assert upgrade(service, "/v1/events", [f"Origin: {value}"])[0] in (expected, 101)
    if expected == 403:
        assert upgrade(service, "/v1/events", [f"Origin: {value}"])[0] == 403


@pytest.mark.parametrize("form", ["{n} ", " {n}", "\t{n}\t ", "0{n}", "{n}"])
def test_blanks_around_a_length(service: RunningService, form: str) -> None:
    """Blanks around a value are no part of it (RFC 9110, section 5.5)."""
    body = b'{"name": "Blank"}'
    length = f"Content-Length:{form.format(n=len(body))}"
    status, text = ask(service, "POST /v1/adapters", [JSON, length], body)
    assert status == 201, text


@pytest.mark.parametrize(
    "length", ["+17", "-1", "17,17", "17, 17", "1 7", "0x11", "17.0", "", "\xb2", "1_7", "9" * 5000]
)
def test_lengths_that_are_none(service: RunningService, length: str) -> None:
    """What is not a decimal number is a 400 (RFC 9112, section 6.3), and so is one of 5,000."""
    body = b'{"name": "Length"}'
    status, _ = ask(service, "POST /v1/adapters", [JSON, f"Content-Length: {length}"], body)
    assert status == 400
    assert service.http.get("/v1/adapters").json() == []


@pytest.mark.parametrize("length", ["5000000", "05000000", "9" * 18])
def test_a_length_over_the_limit(service: RunningService, length: str) -> None:
    """A body that says that it is too large is refused before it comes."""
    status, text = ask(service, "POST /v1/adapters", [JSON, f"Content-Length: {length}"])
    assert status == 413
    assert "content-too-large" in text


def test_the_scope_comes_before_the_size(service: RunningService) -> None:
    """Who may not do it is told so, however large the body is."""
    from wintun_api.choices import Scope

    token = service.token(Scope.READ)
    headers = [JSON, "Content-Length: 5000000"]
    assert ask(service, "POST /v1/adapters", headers, token=token)[0] == 403
