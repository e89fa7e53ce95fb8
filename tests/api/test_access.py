"""What a route needs belongs to the route that was matched, and to nothing that looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from tests.api.raw import answer, ask, connection, head, upgrade
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.api.access import access_of, needs
from wintun_api.choices import Scope

SCOPES: tuple[Scope | None, ...] = (
    None,
    Scope.READ,
    Scope.CAPTURE,
    Scope.INJECT,
    Scope.METRICS,
)
EXPECT = "Expect: 100-continue"
SUFFIXES = (
    "%0A", "%0D", "%0D%0A", "%00", "%20", "%09", "%0B", "%0C", "%1F", "%7F", "%85", "%C2%85",
    "%E2%80%A8", ";", ";a=b", "%3B", "?", "%3F", "#", "%23", "/", "//", "/.", "/..", "/%2e", "%2F",
    "%252F", "%250A", "\\", "%5C", ".json", "%", "%zz", "%0A?seconds=0.1", "/%0A", "%0A/",
)  # fmt: skip


def disguises(path: str) -> Iterator[str]:
    """Return targets that a router might take for this path."""
    yield from (path + suffix for suffix in SUFFIXES)
    yield from (prefix + path for prefix in ("/", "/.", "/x/..", "/%2e", "/v1/..", "%0A", "/;x"))
    yield path.upper()
    yield path.title()
    yield path[0] + path[1:].replace("/", "//")
    yield path[0] + path[1:].replace("/", "%2F")
    yield path[0] + path[1:].replace("/", "%252F")
    yield path[0] + path[1:].replace("/", "/./")
    yield path[0] + path[1:].replace("/", "\\")
    yield path.replace("/", "/;/")
    yield "/" + "".join(f"%{ord(letter):02x}" for letter in path[1:])
    yield "/" + "".join(f"%25{ord(letter):02x}" for letter in path[1:])
    yield path[:-1] + f"%{ord(path[-1]):02x}%0a"
    for authority in ("127.0.0.1", "evil.example"):
        yield f"http://{authority}{path}"
        yield f"http://{authority}{path}%0A"


def leaves(routes: list[BaseRoute]) -> Iterator[tuple[str, str, BaseRoute]]:
    """Return every route of the app with a method and its path."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", route.path_format, route
        else:
            assert isinstance(route, Route), route
            yield from ((method, route.path_format, route) for method in route.methods or ())


@pytest.fixture
def filled(service: RunningService) -> Iterator[dict[str, str]]:
    """The ids of things that are there, so that a path with them leads somewhere."""
    adapter = service.adapter(name="Walked", pool="Walk")
    issued = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
    with open_websocket(service, "/v1/events"):
        until(lambda: service.http.get("/v1/clients").json())
        yield {
            "guid": adapter["guid"],
            "session_id": service.session(adapter)["id"],
            "token_id": issued["id"],
            "capture_id": service.http.post("/v1/captures", json={}).json()["id"],
            "client_id": service.http.get("/v1/clients").json()[0]["id"],
            "number": "1",
            "pool": "Walk",
            "network": "lab",
            "topic": "quick-start",
        }


def status_of(service: RunningService, method: str, target: str, token: str | None) -> int:
    """Return the status that one request gets."""
    if method == "WEBSOCKET":
        return upgrade(service, target, token=token)[0]
    return ask(service, f"{method} {target}", token=token)[0]


@pytest.mark.thorough
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.heavy, id="every"), 6])
def test_no_disguise_opens_a_route(
    service: RunningService, filled: dict[str, str], step: int
) -> None:
    """Where the plain path refuses a token, no other spelling of it is answered to that token."""
    tokens = {scope: service.token(scope) if scope else None for scope in SCOPES}
    routes = list(leaves(list(service.service.api.router.routes)))
    assert {method for method, _, _ in routes} >= {"GET", "POST", "PATCH", "DELETE", "WEBSOCKET"}
    opened, cells = [], 0
    for method, template, _ in routes:
        path = template.format_map(filled)
        for scope, token in tokens.items():
            if status_of(service, method, path, token) not in (401, 403):
                continue
            with_head = [method, "HEAD"] if method == "GET" else [method]
            # With a step each route and scope is asked for other disguises.
            for target in [path, *disguises(path)][cells % step :: step]:
                cells += 1
                status = status_of(service, with_head[cells % len(with_head)], target, token)
                if status == 101 or 200 <= status < 400:
                    opened.append((method, target, scope, status))
    assert opened == []
    assert cells > 5000 / step


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/tokens", Scope.READ),
        ("/metrics", Scope.READ),
        ("/v1/sessions/{session_id}/capture.pcapng", Scope.READ),
        ("/v1/adapters", Scope.METRICS),
    ],
)
def test_a_line_feed_opens_nothing(
    service: RunningService, filled: dict[str, str], path: str, scope: Scope
) -> None:
    """A path that ends with a line feed is no route's, whatever the token."""
    target = path.format_map(filled) + "%0A"
    for token in (service.token(scope), service.token(Scope.ADMIN)):
        assert ask(service, f"GET {target}", token=token)[0] == 404
    assert ask(service, f"GET {target}", token=None)[0] == 401


def test_every_route_declares_what_it_needs(service: RunningService) -> None:
    """Every route says what it needs; only health, the sign-in and the guide are open."""
    routes = list(leaves(list(service.service.api.router.routes)))
    undeclared = [path for _, path, route in routes if access_of(route) is None]
    assert undeclared == []
    opened = {path for _, path, route in routes if not access_of(route).token}  # type: ignore[union-attr]
    sign_in = {"/app.js", "/base.js", "/app.css", "/icon.svg"}
    guide = {"/guide", "/guide/{topic}", "/guide.css", "/guide.js"}
    assert opened == {"/noauth/health"} | sign_in | guide


def test_the_document_says_what_the_routes_need(service: RunningService) -> None:
    """The scope in the OpenAPI document is the one that the door asks for."""
    document = service.service.api.openapi()
    for method, path, route in leaves(list(service.service.api.router.routes)):
        operation = document["paths"].get(path, {}).get(method.lower())
        access = access_of(route)
        if operation is None or access is None:
            continue
        roles = [access.scope.value] if access.scope else []
        both = [{"bearer": roles}, {"cookie": roles, "key": roles}]
        assert operation["security"] == (both if access.token else [])


async def _answer() -> PlainTextResponse:
    return PlainTextResponse("secret")


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()


async def _asgi(scope: ASGIScope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("secret")(scope, receive, send)


def test_a_route_without_a_declaration_is_refused(service: RunningService) -> None:
    """However a route is added: without a declaration it answers 403 to every token."""
    api, included, prefixed = service.service.api, APIRouter(), APIRouter()
    included.add_api_route("/v1/included", _answer)
    included.add_api_websocket_route("/v1/included-socket", _stream)
    prefixed.add_api_route("/deep", _answer)
    api.add_api_route("/v1/undeclared", _answer)
    api.add_api_websocket_route("/v1/undeclared-socket", _stream)
    api.add_route("/v1/plain", lambda _: PlainTextResponse("secret"))
    api.router.add_websocket_route("/v1/plain-socket", _stream)
    api.include_router(included)
    api.include_router(prefixed, prefix="/v1/under")
    api.mount("/v1/mounted", _asgi)
    api.router.routes.append(Mount("/v1/tree", routes=[Route("/leaf", lambda _: _answer())]))
    for path in ("undeclared", "plain", "included", "under/deep", "mounted/x", "tree/leaf"):
        for method in ("GET", "HEAD"):
            assert status_of(service, method, f"/v1/{path}", TOKEN) == 403, path
            assert status_of(service, method, f"/v1/{path}", None) == 401, path
    for path in ("undeclared-socket", "plain-socket", "included-socket"):
        assert status_of(service, "WEBSOCKET", f"/v1/{path}", TOKEN) == 403, path
        assert status_of(service, "WEBSOCKET", f"/v1/{path}", None) == 401, path


def test_a_declared_route_is_served(service: RunningService) -> None:
    """A declaration is all that a new route needs, and it is kept."""
    service.service.api.add_api_route("/v1/declared", needs(Scope.CAPTURE)(_answer))
    assert status_of(service, "GET", "/v1/declared", service.token(Scope.CAPTURE)) == 200
    assert status_of(service, "GET", "/v1/declared", service.token(Scope.READ)) == 403


def test_the_app_without_its_door_answers_nothing(service: RunningService) -> None:
    """A request that reaches the routes past the door is refused, not served."""
    import asyncio

    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/tokens",
        "raw_path": b"/v1/tokens",
        "query_string": b"",
        "headers": [],
        "scheme": "http",
        "server": ("127.0.0.1", 1),
    }
    asyncio.run(service.service.api(scope, receive, send))
    assert sent[0]["status"] == 403


@pytest.mark.parametrize(
    "target", ["/v1/nothing", "/v1/adapters/", "//v1/adapters", "/V1/adapters"]
)
def test_unknown_paths(service: RunningService, target: str) -> None:
    """A path that is not known is a 404 with a token, and a 401 without; there is no redirect."""
    assert ask(service, f"GET {target}")[0] == 404
    assert ask(service, f"GET {target}", token=None)[0] == 401
    assert upgrade(service, target)[0] == 404
    assert upgrade(service, target, token=None)[0] == 401


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "TRACE", "PATCH", "DELETE"])
def test_other_methods(service: RunningService, method: str) -> None:
    """A method that a path does not have is a 405 with a token, and a 401 without."""
    status, text = ask(service, f"{method} /v1/sessions")
    assert status == 405
    assert "allow: GET, HEAD, POST\r\n" in text
    assert ask(service, f"{method} /v1/sessions", token=None)[0] == 401


def test_an_http_request_does_not_find_a_socket(service: RunningService) -> None:
    """A plain request for a WebSocket's path, and the reverse, is answered as not there."""
    assert upgrade(service, "/v1/adapters")[0] == 404
    assert ask(service, "GET /v1/sessions/x/packets")[0] == 405


def test_a_token_revoked_while_the_body_comes(service: RunningService) -> None:
    """A request that began before its token was revoked changes nothing after it."""
    issued = service.http.post("/v1/tokens", json={"scopes": ["admin"], "label": "slow"}).json()
    body = b'{"scopes": ["admin"], "label": "made late"}'
    headers = [EXPECT, "Content-Type: application/json", f"Content-Length: {len(body)}"]
    with connection(service) as opened:
        opened.sendall(head(service, "POST /v1/tokens", headers, issued["token"]))
        assert answer(opened)[0] == 100  # the route waits for the body
        opened.sendall(body[:10])
        assert service.http.delete(f"/v1/tokens/{issued['id']}").status_code == 204
        opened.sendall(body[10:])
        status, text = answer(opened)
    assert status == 401
    assert "www-authenticate: bearer" in text.lower()
    assert "application/problem+json" in text
    assert service.http.get("/v1/tokens").json() == []


@pytest.mark.parametrize("chunked", [False, True])
def test_packets_of_a_revoked_token(service: RunningService, *, chunked: bool) -> None:
    """Packets whose token was revoked while they came are not injected."""
    session = service.session(service.adapter(name="Late"))["id"]
    issued = service.http.post("/v1/tokens", json={"scopes": ["inject"]}).json()
    packet = bytes.fromhex("450000140000000040 00 0000 0a060763 0a060707".replace(" ", ""))
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(packet)}"
    first, last = packet[:4], packet[4:]
    if chunked:
        first, last = (b"%x\r\n%b\r\n" % (len(part), part) for part in (first, last))
        last += b"0\r\n\r\n"
    with connection(service) as opened:
        line = f"POST /v1/sessions/{session}/packets"
        headers = [EXPECT, "Content-Type: application/octet-stream", size]
        opened.sendall(head(service, line, headers, issued["token"]))
        assert answer(opened)[0] == 100
        opened.sendall(first)
        assert service.http.delete(f"/v1/tokens/{issued['id']}").status_code == 204
        opened.sendall(last)
        assert answer(opened)[0] == 401
    assert service.counters(session)["injected"]["packets"] == 0


def test_a_sign_out_while_the_body_comes(service: RunningService) -> None:
    """The same for a browser that signs out meanwhile."""
    body = b'{"scopes": ["admin"]}'
    with service.browser() as http, connection(service) as opened:
        headers = [
            EXPECT,
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Origin: {service.url}",
            f"X-Wintun-Api-Key: {http.headers['X-Wintun-Api-Key']}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in http.cookies.items()),
        ]
        opened.sendall(head(service, "POST /v1/tokens", headers, None))
        assert answer(opened)[0] == 100
        opened.sendall(body[:5])
        assert http.post("/v1/sign-out").status_code == 204
        opened.sendall(body[5:])
        assert answer(opened)[0] == 401
    assert service.http.get("/v1/tokens").json() == []


def test_the_paths_of_this_walk_are_whole() -> None:
    """The disguises differ from the path, and there are many."""
    found = list(disguises("/v1/tokens"))
    assert len(set(found)) == len(found) > 50
    assert "/v1/tokens" not in found
    assert re.search("%0A", "".join(found))
