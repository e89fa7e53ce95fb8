"""The door: one check for HTTP and WebSocket, before anything else sees a request.

Loopback is not a login. In this order: Host, content type, Sec-Fetch-Site and Origin,
authentication, scope, body limit. The route comes after.

    a program      Authorization: Bearer <token>
    a browser      GET /?token=<token> once, then an HttpOnly SameSite=Strict cookie
    a WebSocket    either of these, or the subprotocol bearer.wintun-api.<base64url token>
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope
from starlette.websockets import WebSocket

from wintun_api.api.problems import (
    CLOSE_INTERNAL,
    CLOSE_SCOPE,
    CLOSE_TOKEN,
    Refusal,
    response,
)
from wintun_api.api.tokens import Principal, Scope, TokenStore

logger = logging.getLogger(__name__)

HEALTH = "/noauth/health"
# What the sign-in is made of. These files are in every installation and hold no secret.
OPEN = frozenset({HEALTH, "/app.js", "/app.css", "/icon.svg"})
BEARER = "bearer.wintun-api."
BATCH_TYPE = "application/vnd.wintun-api.batch"
PACKET_TYPE = "application/octet-stream"
SAFE_METHODS = frozenset({"GET", "HEAD"})
CONTENT_TYPES = frozenset({"application/json", PACKET_TYPE, BATCH_TYPE})

# What a route asks for, where it is not `read` for safe methods and `admin` for the others.
# None: the endpoint decides, as it depends on what the client wants to do.
SCOPES: list[tuple[str, re.Pattern[str], Scope | None]] = [
    ("POST", re.compile(r"/v1/sessions/[^/]+/packets"), Scope.INJECT),
    ("WEBSOCKET", re.compile(r"/v1/sessions/[^/]+/packets"), None),
    ("GET", re.compile(r"/v1/sessions/[^/]+/capture\.pcapng"), Scope.CAPTURE),
    ("GET", re.compile(r"/v1/tokens(/.*)?"), Scope.ADMIN),
    ("POST", re.compile(r"/v1/sign-out"), None),
    ("GET", re.compile(r"/metrics"), Scope.METRICS),
]

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """What the check needs to know."""

    tokens: TokenStore
    allowed_hosts: frozenset[str]
    max_body: int

    def check(self, scope: ASGIScope) -> Principal | None:
        """Return who asks; None on the open routes.

        Raises:
            Refusal: The request must not pass.
        """
        headers = Headers(scope=scope)
        websocket = scope["type"] == "websocket"
        method = "WEBSOCKET" if websocket else scope["method"]
        path = scope["path"]
        self._check_host(headers)
        if not websocket:
            _check_content_type(method, headers)
        _check_site(scope, headers, method)
        if path in OPEN and method in SAFE_METHODS:
            return None
        principal, by_cookie = self._authenticate(scope, headers)
        if principal is None:
            raise Refusal(
                401,
                "unauthorized",
                "There is no valid token with this request.",
                "Send the header Authorization: Bearer <token>; the token is in the token file "
                "that wintun-api serve names when it starts.",
                CLOSE_TOKEN,
            )
        if by_cookie and method not in SAFE_METHODS and not _from_own_page(headers):
            raise Refusal(
                403,
                "foreign-origin",
                "A cookie alone does not allow this request without a word where it comes from.",
                "Send the token in the Authorization header.",
                CLOSE_SCOPE,
            )
        needed = required_scope(method, path)
        if needed is not None and not principal.allows(needed):
            raise Refusal(
                403,
                "missing-scope",
                f"The token does not have the scope {needed}.",
                f"Use a token with the scope {needed}; POST /v1/tokens makes one.",
                CLOSE_SCOPE,
            )
        self._check_size(headers)
        return principal

    def exchange(self, scope: ASGIScope) -> Response | None:
        """Answer a page request that carries ?token= with a cookie and the address without it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith("/v1/"):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = query.pop("token", None)
        principal = self.tokens.authenticate(token) if token is not None else None
        if principal is None:
            return None
        rest = f"?{urlencode(query)}" if query else ""
        answer = RedirectResponse(scope["path"] + rest, 303)
        answer.set_cookie(
            cookie_name(scope),
            self.tokens.make_cookie(principal),
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] in ("https", "wss"),
            path="/",
        )
        return answer

    def _check_host(self, headers: Headers) -> None:
        values = headers.getlist("host")
        name = host_name(values[0]) if len(values) == 1 else None
        if name is None or not (_is_loopback(name) or name in self.allowed_hosts):
            raise Refusal(
                403,
                "foreign-host",
                "The Host header does not name this service.",
                "Use 127.0.0.1 or localhost, or add the name with --allowed-host.",
            )

    def _check_size(self, headers: Headers) -> None:
        # A body without this header is counted by the framework while it is read.
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.max_body:
            raise Refusal(
                413,
                "content-too-large",
                f"The body has {length} bytes; {self.max_body} is the limit.",
                "Send less at a time; for packets, use the WebSocket.",
            )

    def _authenticate(self, scope: ASGIScope, headers: Headers) -> tuple[Principal | None, bool]:
        authorization = headers.get("authorization")
        if authorization is not None:
            kind, _, token = authorization.partition(" ")
            known = kind.lower() == "bearer"
            return (self.tokens.authenticate(token.strip()) if known else None), False
        if scope["type"] == "websocket":
            for offer in scope["subprotocols"]:
                if offer.startswith(BEARER):
                    return self.tokens.authenticate(_decode(offer.removeprefix(BEARER))), False
        value = cookie_value(scope, headers)
        return (self.tokens.authenticate_cookie(value) if value else None), True


class Security:
    """The ASGI middleware around the app: the check, the cookie exchange and the headers."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, sign_in: str) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._sign_in = sign_in

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Let the request pass with `scope["principal"]` set, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        secured = send if scope["type"] == "websocket" else _with_headers(send, scope["path"])
        try:
            scope["principal"] = self._doorkeeper.check(scope)
        except Refusal as refusal:
            if refusal.status == 401:
                exchanged = self._doorkeeper.exchange(scope)
                if exchanged is not None:
                    await exchanged(scope, receive, secured)
                    return
            await self._refuse(refusal, scope, receive, secured)
            return
        exchanged = self._doorkeeper.exchange(scope)
        try:
            await (exchanged or self._app)(scope, receive, secured)
        except Exception:
            # An HTTP request was answered and logged by `problems`; the framework raises all the
            # same, which would make the server cut the connection.
            if scope["type"] == "websocket":
                logger.exception("Unexpected error in WebSocket %s", scope["path"])
                with suppress(RuntimeError):
                    await send({"type": "websocket.close", "code": CLOSE_INTERNAL})

    async def _refuse(
        self, refusal: Refusal, scope: ASGIScope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "websocket":
            await refuse_websocket(refusal, WebSocket(scope, receive, send))
            return
        headers = {"www-authenticate": "Bearer"} if refusal.status == 401 else {}
        answer: Response
        if refusal.status == 401 and _wants_page(scope):
            answer = HTMLResponse(self._sign_in, 401, headers)
        else:
            answer = response(refusal.problem(scope["path"]), headers)
        await answer(scope, receive, send)


async def refuse_websocket(refusal: Refusal, websocket: WebSocket) -> None:
    """Refuse a WebSocket so that its client can tell why.

    A program gets the problem document in place of the handshake. A page cannot read that: once its
    Origin is known to be ours, its socket is accepted and closed with the code.
    """
    if websocket.headers.get("origin") is not None and refusal.close_code != CLOSE_INTERNAL:
        offers = [o for o in websocket.scope["subprotocols"] if not o.startswith(BEARER)]
        await websocket.accept(offers[0] if offers else None)
        await websocket.close(refusal.close_code, refusal.detail[:120])
    elif "websocket.http.response" in websocket.scope.get("extensions", {}):
        answer = response(refusal.problem(websocket.scope["path"]))
        await websocket.send_denial_response(answer)
    else:
        await websocket.close(refusal.close_code)


def required_scope(method: str, path: str) -> Scope | None:
    """Return the scope a route asks for; None where the endpoint decides."""
    method = "GET" if method == "HEAD" else method
    for known, pattern, scope in SCOPES:
        if known == method and pattern.fullmatch(path):
            return scope
    return Scope.READ if method in SAFE_METHODS or method == "WEBSOCKET" else Scope.ADMIN


def cookie_name(scope: ASGIScope) -> str:
    """Return the cookie's name: cookies ignore ports, so the name carries it."""
    server = scope.get("server") or ("", 0)
    return f"wintun-api-{server[1]}"


def cookie_value(scope: ASGIScope, headers: Headers) -> str | None:
    """Return the value of our cookie in this request."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    morsel = cookies.get(cookie_name(scope))
    return morsel.value if morsel is not None else None


def host_name(value: str) -> str | None:
    """Return the name in a Host header, without port and brackets; None when it is malformed."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", value)
    return match[1].strip("[]").lower().rstrip(".") if match else None


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _check_content_type(method: str, headers: Headers) -> None:
    if method in SAFE_METHODS:
        return
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if (has_body or kind) and kind not in CONTENT_TYPES:
        raise Refusal(
            415,
            "unsupported-media-type",
            f"The content type is {kind or 'missing'}.",
            f"Send application/json; packets go as {PACKET_TYPE} or {BATCH_TYPE}.",
        )


def _check_site(scope: ASGIScope, headers: Headers, method: str) -> None:
    origin = headers.get("origin")
    if origin is not None and not _is_own(origin, scope, headers):
        raise Refusal(
            403,
            "foreign-origin",
            f"Pages of {origin[:100]} may not use this service.",
            "Open the dashboard at the service's own address.",
        )
    site = headers.get("sec-fetch-site")
    if site in (None, "same-origin", "none"):
        return
    # Following a link to a page is harmless: it carries no cookie, so it meets the sign-in.
    visit = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
    if not visit or scope["path"].startswith("/v1/"):
        raise Refusal(
            403,
            "foreign-origin",
            "Pages of other sites may not use this service.",
            "Open the dashboard at the service's own address.",
        )


def _is_own(origin: str, scope: ASGIScope, headers: Headers) -> bool:
    scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
    return origin.lower() == f"{scheme}://{headers.get('host', '')}".lower()


def _from_own_page(headers: Headers) -> bool:
    # A foreign Origin was refused before; what is left is ours, or missing.
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


def _wants_page(scope: ASGIScope) -> bool:
    accepts = "text/html" in Headers(scope=scope).get("accept", "")
    return accepts and not scope["path"].startswith("/v1/")


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _with_headers(send: Send, path: str) -> Send:
    api = path.startswith(("/v1/", "/noauth/", "/metrics"))

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["content-security-policy"] = API_POLICY if api else PAGE_POLICY
            headers.setdefault("cache-control", "no-store" if api else "no-cache")
        await send(message)

    return secured
