"""The door refuses before any route sees a request."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.raw_connection import Raw, handshake
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from tests.waiting import let_pass
from wintun_api.api.hosts import host_name
from wintun_api.choices import Scope

OPEN = {
    "/noauth/health",
    *("/app.js", "/base.js", "/app.css", "/icon.svg"),
    *("/guide", "/guide.css", "/guide.js", "/guide/00000000-0000-0000-0000-000000000000"),
}


def routes(service: RunningService) -> Iterator[tuple[str, str]]:
    """Every (method, path) of the app, WebSockets included, with ids filled in."""

    def walk(found: list[object], prefix: str = "") -> Iterator[tuple[str, str]]:
        for route in found:
            path = prefix + getattr(route, "path", "")
            filled = re.sub(r"\{[^}]+\}", "00000000-0000-0000-0000-000000000000", path)
            if isinstance(route, WebSocketRoute) or type(route).__name__ == "APIWebSocketRoute":
                yield "WEBSOCKET", filled
            elif isinstance(route, APIRoute) or getattr(route, "methods", None):
                for method in route.methods:  # type: ignore[attr-defined]
                    yield method, filled
            elif hasattr(route, "original_router"):
                yield from walk(route.original_router.routes, prefix)
            elif hasattr(route, "routes"):
                yield from walk(route.routes, path)

    yield from walk(list(service.service.api.routes))


def test_the_walk_finds_every_documented_route(service: RunningService) -> None:
    """The walk below forgets none: it finds all that the OpenAPI document lists, and more."""
    found = set(routes(service))
    for path, methods in service.service.api.openapi()["paths"].items():
        filled = re.sub(r"\{[^}]+\}", "00000000-0000-0000-0000-000000000000", path)
        for method in methods:
            assert (method.upper(), filled) in found
    assert sum(method == "WEBSOCKET" for method, _ in found) == 4


def test_every_route_refuses_without_a_token(service: RunningService) -> None:
    """Only the health route, the files of the sign-in and the guide answer without a token."""
    with service.client(None) as http:
        for method, path in routes(service):
            if path in OPEN:
                continue
            if method == "WEBSOCKET":
                with pytest.raises(InvalidStatus) as refused:
                    open_websocket(service, path, token=None)
                assert refused.value.response.status_code == 401
            else:
                answer = http.request(method, path)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"


def test_every_route_refuses_a_foreign_host(service: RunningService) -> None:
    """A page that rebinds its name to loopback gets nowhere, token or not, but to the health."""
    for method, path in routes(service):
        if path == "/noauth/health":
            continue
        if method == "WEBSOCKET":
            head = handshake(path, f"Authorization: Bearer {TOKEN}")
            with Raw(service.port) as raw:
                raw.send(head.replace(b"Host: 127.0.0.1", b"Host: evil.example"))
                assert raw.answer().status == 403
        else:
            answer = service.http.request(method, path, headers={"Host": "evil.example"})
            assert answer.status_code == 403, (method, path)


def test_every_route_refuses_a_foreign_origin(service: RunningService) -> None:
    """A page of another origin gets nowhere, token or not."""
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{service.port + 1}"):
        for method, path in routes(service):
            if method == "WEBSOCKET":
                with pytest.raises(InvalidStatus) as refused:
                    open_websocket(service, path, headers={"Origin": origin})
                assert refused.value.response.status_code == 403
            else:
                answer = service.http.request(method, path, headers={"Origin": origin})
                assert answer.status_code == 403, (method, path, origin)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil.example:9886", 403),
        ("", 403),
        ("a b", 400),
        ("[::1", 400),
    ],
)
def test_hosts_that_look_like_ours_are_refused(
    service: RunningService, host: str, status: int
) -> None:
    """The Host check is no prefix match."""
    assert service.http.get("/v1/system", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1:1", "[::1]:9886", "a.localhost", "LocalHost.:443", "127.1.2.3"),
        *("[0:0:0:0:0:0:0:1]", "[::1]:", "localhost:"),
    ],
)
def test_loopback_names_are_accepted(service: RunningService, host: str) -> None:
    """Every name that always means this machine is fine."""
    assert service.http.get("/v1/system", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("LOCALHOST:80", "localhost"),
        ("[::1]:80", "::1"),
        ("a.b.", "a.b"),
        ("[FD00:0::1]:80", "fd00::1"),
        ("Box.Lan:443", "box.lan"),
        ("a:", "a"),
        ("a:b", None),
        ("a@b", None),
        ("a/b", None),
        ("", None),
    ],
)
def test_host_name(value: str, name: str | None) -> None:
    """The name is taken out of a Host header, or nothing is."""
    assert host_name(value) == name


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_of_other_sites_are_refused(service: RunningService, site: str) -> None:
    """Sec-Fetch-Site tells on a page even where it sends no Origin."""
    answer = service.http.get("/v1/adapters", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403


def test_a_link_to_the_dashboard_meets_the_sign_in(service: RunningService) -> None:
    """Following a link from elsewhere is allowed, but carries no cookie."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
    with service.client(None) as http:
        answer = http.get("/", headers=headers)
    assert answer.status_code == 401
    assert "/app.js" in answer.text


@pytest.mark.parametrize("token", ["wrong", TOKEN[:-1], TOKEN + "x", "t\xf6ken"])
def test_a_wrong_token_is_refused(service: RunningService, token: str) -> None:
    """Only the whole token counts."""
    headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
    with service.client(None) as http:
        answer = http.get("/v1/system", headers=headers)
    assert answer.status_code == 401


def test_a_websocket_takes_the_token_as_subprotocol(service: RunningService) -> None:
    """A browser cannot set headers on a WebSocket; the token it offers is never echoed."""
    offer = "bearer.wintun-api." + base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")
    with open_websocket(service, "/v1/events", offer, token=None) as socket:
        assert socket.subprotocol is None
        assert '"snapshot"' in str(socket.recv(30))


def test_a_page_reads_the_close_code(service: RunningService) -> None:
    """Our own page cannot see a refused handshake, so it gets an accepted and closed socket."""
    with open_websocket(
        service, "/v1/events", token=None, headers={"Origin": service.url}
    ) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


GRANTS = [
    ("GET", "/v1/system", Scope.READ),
    ("GET", "/v1/adapters", Scope.READ),
    ("GET", "/v1/tokens", Scope.ADMIN),
    ("HEAD", "/v1/tokens", Scope.ADMIN),
    ("HEAD", "/v1/sessions/x/capture.pcapng", Scope.CAPTURE),
    ("POST", "/v1/adapters", Scope.ADMIN),
    ("POST", "/v1/sessions", Scope.ADMIN),
    ("POST", "/v1/sessions/x/packets", Scope.INJECT),
    ("DELETE", "/v1/driver", Scope.ADMIN),
]


@pytest.mark.parametrize(("method", "path", "needed"), GRANTS)
def test_scopes(service: RunningService, method: str, path: str, needed: Scope) -> None:
    """A token opens what its scope names, and nothing else."""
    for scope in Scope:
        with service.client(service.token(scope)) as http:
            status = http.request(method, path).status_code
        allowed = scope in (needed, Scope.ADMIN)
        assert (status != 403) is allowed, (scope, status)


def test_packet_scopes(service: RunningService) -> None:
    """Receiving asks for capture, sending for inject; each can be had without the other."""
    adapter = service.adapter(name="Scopes")
    path = f"/v1/sessions/{service.session(adapter)['id']}/packets"
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, path, token=service.token(Scope.READ))
    assert refused.value.response.status_code == 403
    with open_websocket(service, path, token=service.token(Scope.CAPTURE)) as socket:
        socket.send(b"E" + bytes(19))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4003
    with open_websocket(service, path, token=service.token(Scope.INJECT)) as socket:
        socket.send(b"E" + bytes(19))
    with pytest.raises(InvalidStatus):
        open_websocket(service, path + "?direction=received", token=service.token(Scope.INJECT))


def test_issued_tokens_expire_and_are_revoked(service: RunningService) -> None:
    """A token is void after its time and after its revocation."""
    brief = service.http.post("/v1/tokens", json={"scopes": ["read"], "expires_in": 1}).json()
    with service.client(brief["token"]) as http:
        assert http.get("/v1/system").json()["scopes"] == ["read"]
        other = service.http.post("/v1/tokens", json={"scopes": ["read"], "label": "x"}).json()
        let_pass(1.02)  # the clock itself is what is tested; it ticks in 16 ms on Windows
        assert http.get("/v1/system").status_code == 401
    listed = service.http.get("/v1/tokens").json()
    assert [token["id"] for token in listed] == [other["id"]]
    assert "token" not in listed[0]
    assert service.http.delete(f"/v1/tokens/{other['id']}").status_code == 204
    assert service.http.delete(f"/v1/tokens/{other['id']}").status_code == 404
    with service.client(other["token"]) as http:
        assert http.get("/v1/system").status_code == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_bodies_of_other_types_are_refused(service: RunningService, kind: str) -> None:
    """What a foreign form could send without asking is not taken."""
    headers = {"Content-Type": kind} if kind else {}
    answer = service.http.post("/v1/adapters", content=b'{"name":"x"}', headers=headers)
    assert answer.status_code == 415


def test_answers_carry_the_headers(service: RunningService) -> None:
    """Pages cannot be framed, sniffed or made to run foreign scripts."""
    for path in ("/", "/docs", "/v1/system", "/noauth/health"):
        headers = service.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_a_large_body_is_refused(service: RunningService) -> None:
    """A body over the limit is a 413, not memory; adapters have settings, and a limit of theirs."""
    json = {"Content-Type": "application/json"}
    most = service.http.get("/v1/system").json()["limits"]["max_settings"]
    for path, size in (("/v1/adapters/open", 300_000), ("/v1/adapters", most)):
        body = b'{"name":"' + b"x" * size + b'"}'
        for content in (body, iter([body[:1000], body[1000:]])):  # with its length, and in chunks
            answer = service.http.post(path, content=content, headers=json)
            assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("scope", [one for one in Scope if one not in (Scope.READ, Scope.ADMIN)])
def test_a_browser_whose_token_may_not_read(
    service: RunningService, scope: Scope, path: str
) -> None:
    """It gets a page that says what the token allows, and may sign out or in with another one."""
    with service.browser(service.token(scope)) as http:
        http.headers["Accept"] = "text/html"
        refused = http.get(path)
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("text/html")
        assert refused.headers["cache-control"] == "no-store"
        assert f'<meta name="wintun-api-token-allows" content="{scope}"></head>' in refused.text
        for file in ("/app.js", "/app.css"):
            assert http.get(file).status_code == 200
        # A program still gets the problem document.
        http.headers["Accept"] = "application/json"
        assert http.get(path).json()["type"] == "urn:wintun-api:problem:missing-scope"
        arrived = http.get(path, params={"token": TOKEN})
        assert arrived.status_code == 303
        assert http.get(path).status_code == 200


def test_a_browser_whose_token_may_not_read_signs_out(service: RunningService) -> None:
    """After that it gets the page to sign in."""
    with service.browser(service.token(Scope.INJECT)) as http:
        http.headers["Accept"] = "text/html"
        assert http.get("/").status_code == 403
        assert http.post("/v1/sign-out").status_code == 204
        page = http.get("/")
        assert page.status_code == 401
        assert "wintun-api-token-allows" not in page.text
