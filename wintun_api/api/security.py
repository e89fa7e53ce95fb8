"""Check every HTTP request and WebSocket before anything else sees it.

Using loopback does not authenticate a client. The checks run in this order: Host, content type,
Sec-Fetch-Site and Origin, authentication, what the matched route requires, body limit. Then the
route runs. Clients authenticate like this:

    a program      Authorization: Bearer <token>
    a browser      GET /?token=<token> once, then an HttpOnly SameSite=Strict cookie, and with every
                   API request the key that came in the fragment: X-Wintun-Api-Key: <key>
    a WebSocket    the same, or the subprotocol bearer.wintun-api.<base64url token>, or the cookie
                   and the subprotocol key.wintun-api.<base64url key>
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope
from starlette.websockets import WebSocket

from wintun_api.api.audit import SAFE_METHODS, Auditor
from wintun_api.api.credentials import Credentials, check_single
from wintun_api.api.guesses import Guesses, too_many_guesses
from wintun_api.api.hosts import ABSOLUTE, Origin, host_name, host_of, scheme_of
from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal, problem_of, response
from wintun_api.api.routes import FOUND, Found
from wintun_api.api.sign_ins import SignIns, cookie_name, cookie_values
from wintun_api.api.subprotocols import protocols
from wintun_api.api.tally import Tally
from wintun_api.api.tokens import Principal, TokenStore
from wintun_api.choices import CloseCode
from wintun_api.frames import close_reason
from wintun_api.paste import trimmed
from wintun_api.wire import BATCH_TYPE, RAW_TYPE

logger = logging.getLogger(__name__)

CONTENT_TYPES = frozenset({"application/json", RAW_TYPE, BATCH_TYPE})
UNAUTHORIZED = "The request does not carry a valid token."
CHALLENGE = ("WWW-Authenticate", "Bearer")

ALLOWS_META = "wintun-api-token-allows"

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
    """Check requests against the settings, the tokens and the sign-ins."""

    tokens: TokenStore
    sign_ins: SignIns
    guesses: Guesses
    allowed_hosts: frozenset[str]
    max_body: int

    def check(self, scope: ASGIScope, found: Found) -> Principal | None:
        """Let a request pass and set `scope["principal"]`, which is None on open routes.

        If the request has a token in the address of a page, return the principal that signs in
        with it; the request is then answered with the sign-in and does not pass.

        Raises:
            Refusal: The request must not pass. If the token was valid, the principal is set.
        """
        headers = Headers(scope=scope)
        scope["principal"] = None
        self._check_host(scope, headers, found)
        check_single(headers)
        if scope["type"] == "http":
            _check_content_type(scope["method"], headers)
        self._check_site(scope, headers, found)
        if found.access is not None and not found.access.token:
            return None
        arriving = _arriving_token(scope, found)
        if arriving and (arrived := self.tokens.authenticate(arriving)) is not None:
            return arrived
        wrong = arriving is not None
        scope["principal"] = principal = self._authenticate(scope, headers, found, wrong=wrong)
        _check_access(found, principal)
        self._check_size(headers, found)
        return None

    def current(self, principal: Principal) -> bool:
        """Return whether the token and, if there is one, the browser's sign-in are valid now."""
        return self.sign_ins.current(principal)

    def _check_host(self, scope: ASGIScope, headers: Headers, found: Found) -> None:
        values = headers.getlist("host")
        if len(values) > 1:
            raise _bad_host("The request has more than one Host header.")
        # HTTP/1.0 does not require the header (RFC 9112, section 3.2).
        if not values and scope.get("http_version", "1.1") != "1.0":
            raise _bad_host("The request has no Host header.")
        if found.access is not None and found.access.any_host:
            return
        value = values[0] if values else ""
        name = host_name(value)
        if name is None and value:
            raise _bad_host("The Host header is not a name or an address with an optional port.")
        host = host_of(scope)
        if host is None or not (host.is_loopback or host.name in self.allowed_hosts):
            if ABSOLUTE in scope.get("extensions", {}):
                raise _bad_host("The target of the request names a host that is not this service.")
            raise Refusal(
                Kind.FOREIGN_HOST,
                "The Host header does not name this service.",
            )

    def _check_site(self, scope: ASGIScope, headers: Headers, found: Found) -> None:
        value = headers.get("origin")
        if value is not None and not self._is_own(value, scope):
            raise Refusal(
                Kind.FOREIGN_ORIGIN,
                f"Pages of {value[:100]} may not use this service.",
                self._origin_hint(value, scope, headers),
            )
        site = headers.get("sec-fetch-site")
        if site in (None, "same-origin", "none"):
            return
        # Following a link to a page is harmless: it carries no cookie and gets the sign-in page.
        visit = headers.get("sec-fetch-mode") == "navigate" and found.page
        if not (visit and scope["type"] == "http" and scope["method"] in SAFE_METHODS):
            raise Refusal(
                Kind.FOREIGN_ORIGIN,
                "Pages of other sites may not use this service.",
            )

    def _is_own(self, value: str, scope: ASGIScope) -> bool:
        origin, host = Origin.read(value), host_of(scope)
        if origin is None or host is None:
            return False
        published = host.name in self.allowed_hosts and not host.is_loopback
        return origin.is_of(host, scheme_of(scope), published=published)

    def _origin_hint(self, value: str, scope: ASGIScope, headers: Headers) -> str:
        """Return what to do if the refused page is in fact the service's own."""
        origin, host = Origin.read(value), host_of(scope)
        if origin is not None and host is not None and origin.authority.name == host.name:
            if origin.scheme == scheme_of(scope):
                return (
                    "The Origin and the Host header have different ports. Configure your reverse "
                    "proxy to pass the Host header on unchanged, with its port: in nginx, "
                    "proxy_set_header Host $http_host."
                )
            if origin.scheme == "https":
                told = next((n for n in ("X-Forwarded-Proto", "Forwarded") if n in headers), None)
                return (
                    "The page was loaded over https, but this request came over http. Behind a "
                    f"reverse proxy with TLS, start the service with --trusted-proxy "
                    f"{_address(scope)}"
                    + (
                        f", so that it trusts this proxy's {told} header."
                        if told
                        else ", and configure the proxy to send the header X-Forwarded-Proto: "
                        "https and to pass the Host header on with its port."
                    )
                )
            return "Open the dashboard with https, because the service uses https."
        return (
            "Open the dashboard at the service's own address. Configure a reverse proxy to pass "
            "the Host header on unchanged (in nginx, proxy_set_header Host $http_host), and allow "
            "its name with --allowed-host."
        )

    def _check_size(self, headers: Headers, found: Found) -> None:
        # A body without this header is counted by the framework while it is read.
        length = headers.get("content-length", "0")
        if re.fullmatch(r"[0-9]+", length) is None:
            raise Refusal(
                Kind.BAD_REQUEST,
                "The header Content-Length is not a decimal number.",
                "Send the number of bytes in the body.",
            )
        # 18 digits are beyond any limit and still few enough for Python to convert.
        limit = found.max_body or self.max_body
        if len(length.lstrip("0")) > 18 or int(length) > limit:
            raise Refusal(
                Kind.CONTENT_TOO_LARGE,
                f"The body has {length[:20]} bytes; {limit} is the limit.",
            )

    def _authenticate(
        self, scope: ASGIScope, headers: Headers, found: Found, *, wrong: bool
    ) -> Principal:
        shown = Credentials.of(scope, headers)
        principal, wrong_too = self._recognise(shown, page=found.page)
        wait = self.guesses.wrong(_address(scope)) if wrong or wrong_too else None
        if principal is None:
            if wait is not None:
                raise too_many_guesses(math.ceil(wait))
            raise Refusal(Kind.UNAUTHORIZED, UNAUTHORIZED, headers=(CHALLENGE,))
        safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if principal.sign_in is not None and not safe and not _from_own_page(headers):
            raise Refusal(
                Kind.FOREIGN_ORIGIN,
                "A request that signs in with a browser's cookie must carry an Origin header or "
                "Sec-Fetch-Site: same-origin.",
                "Send the token in the Authorization header.",
                close_code=CloseCode.SCOPE,
            )
        return principal

    def _recognise(self, shown: Credentials, *, page: bool) -> tuple[Principal | None, bool]:
        """Return the principal; without one, whether the credentials are wrong, not missing."""
        if shown.bearer is not None:
            principal = self.tokens.authenticate(shown.bearer) if shown.bearer else None
            return principal, principal is None
        visitor = self.sign_ins.visitor(shown.cookies)
        if page and visitor is not None:
            return visitor, False
        if shown.key is None:
            return None, bool(shown.cookies) and visitor is None
        principal = self.sign_ins.authenticate(shown.key, shown.cookies)
        return principal, principal is None


class Security:
    """Wrap the app in ASGI middleware: the check, the sign-in and the headers."""

    def __init__(
        self,
        app: ASGIApp,
        find: Callable[[ASGIScope], Found],
        doorkeeper: Doorkeeper,
        auditor: Auditor,
        sign_in_page: str,
    ) -> None:
        """Guard `app`; `find` looks up its routes."""
        self._app = app
        self._find = find
        self._doorkeeper = doorkeeper
        self._auditor = auditor
        self._sign_in_page = sign_in_page
        self._refused_handshakes = Tally(_tell_refused)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Let the request pass with `scope["principal"]` set, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # Blanks around a value do not belong to it (RFC 9110, 5.5), but the parser leaves some.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        scope[FOUND] = found = self._find(scope)
        websocket = scope["type"] == "websocket"
        secured = self._counting(send) if websocket else _with_headers(send, page=found.page)
        try:
            arrived = self._doorkeeper.check(scope, found)
            if websocket and found.route is None:
                raise _not_found()
        except Refusal as refusal:
            if scope["principal"] is not None and refusal.status == 403:
                self._auditor.refused(scope, found, scope["principal"], refusal.status)
            await self._refuse(refusal, scope, receive, secured)
            return
        if arrived is not None:
            await self._sign_in(arrived, scope, found)(scope, receive, secured)
            return
        if found.access is not None and found.access.signs_in:
            await self._sign_in_here(scope, found)(scope, receive, secured)
            return
        await self._pass_on(scope, receive, secured, found)

    def close(self) -> None:
        """Log the refusals that were only counted so far. Idempotent."""
        self._refused_handshakes.close()
        self._doorkeeper.guesses.tally.close()
        self._auditor.close()

    async def _pass_on(self, scope: ASGIScope, receive: Receive, send: Send, found: Found) -> None:
        principal: Principal | None = scope["principal"]
        watch = None
        if principal is not None:
            watch = self._auditor.watch(send, scope, found, principal)
            send = send if watch is None else watch.send
            if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
                receive = self._checking(receive, principal)
        try:
            await self._app(scope, receive, send)
        except Exception:
            # `problems` has answered and logged an HTTP request; the framework raises the error
            # anyway, which would make the server cut the connection.
            if scope["type"] == "websocket":
                # The declared path is logged: the request's path may contain a token.
                logger.exception("Unexpected error in WebSocket %s", found.template)
                with suppress(RuntimeError):
                    await send({"type": "websocket.close", "code": CloseCode.INTERNAL_ERROR})
        finally:
            if watch is not None:
                watch.close()

    def _checking(self, receive: Receive, principal: Principal) -> Receive:
        """Return a `receive` that refuses a body if the token ends while the body arrives."""

        async def checking() -> Message:
            message = await receive()
            last = message["type"] == "http.request" and not message.get("more_body", False)
            if last and not self._doorkeeper.current(principal):
                # The framework takes every other exception while a body is read for a bad body.
                raise HTTPException(401, UNAUTHORIZED, dict([CHALLENGE]))
            return message

        return checking

    def _counting(self, send: Send) -> Send:
        """Return a `send` that counts a refused handshake: a log line for each has no limit."""
        accepted = False

        async def counting(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "websocket.accept":
                accepted = True
            elif not accepted and message["type"] in (
                "websocket.close",
                "websocket.http.response.start",
            ):
                self._refused_handshakes.add()
            await send(message)

        return counting

    def _sign_in(self, principal: Principal, scope: ASGIScope, found: Found) -> Response:
        """Return the answer that gives a browser its two secrets and the address without token.

        The address is the route's own, whatever the request's looks like, so that no part of the
        request can redirect the browser elsewhere.
        """
        query = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
        return self._signed_in(
            principal,
            scope,
            found,
            lambda key: RedirectResponse(
                f"{found.template}{'?' if query else ''}{query}#key={key}",
                303,
                {"Cache-Control": "no-store"},
            ),
        )

    def _sign_in_here(self, scope: ASGIScope, found: Found) -> Response:
        """Return the answer that gives the same to a page that stays where it is."""
        return self._signed_in(
            scope["principal"], scope, found, lambda key: JSONResponse({"key": key})
        )

    def _signed_in(
        self,
        principal: Principal,
        scope: ASGIScope,
        found: Found,
        answered: Callable[[str], Response],
    ) -> Response:
        cookies = cookie_values(scope, Headers(scope=scope))
        made = self._doorkeeper.sign_ins.renew(principal, cookies)
        answer = answered(made.key)
        self._auditor.signed_in(scope, found, principal, answer.status_code)
        answer.set_cookie(
            cookie_name(scope),
            made.cookie,
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] in ("https", "wss"),
            path="/",
        )
        return answer

    async def _refuse(
        self, refusal: Refusal, scope: ASGIScope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "websocket":
            await refuse_websocket(refusal, WebSocket(scope, receive, send))
            return
        answer: Response
        if refusal.status in (401, 429) and scope[FOUND].page and _accepts_page(scope):
            answer = HTMLResponse(self._sign_in_page, refusal.status, dict(refusal.headers))
        elif refusal.kind is Kind.MISSING_SCOPE and scope[FOUND].page and _accepts_page(scope):
            # A browser that is signed in with such a token must be able to leave again.
            page = page_of_token(self._sign_in_page, scope["principal"])
            answer = HTMLResponse(page, refusal.status, {"Cache-Control": "no-store"})
        else:
            answer = response(problem_of(refusal, scope["path"]), dict(refusal.headers))
        await answer(scope, receive, send)


def page_of_token(page: str, principal: Principal) -> str:
    """Return the page for a token that may not see pages, which says what the token allows."""
    allows = " ".join(sorted(principal.scopes))
    meta = f'<meta name="{ALLOWS_META}" content="{escape(allows)}">'
    return page.replace("</head>", f"{meta}</head>", 1)


async def refuse_websocket(refusal: Refusal, websocket: WebSocket) -> None:
    """Refuse a WebSocket so that its client can see why.

    A program gets the problem document instead of the handshake. A page cannot read that: if its
    Origin is ours, its socket is accepted and closed with the code.
    """
    code = refusal.close_code
    if websocket.headers.get("origin") is not None and code is not CloseCode.INTERNAL_ERROR:
        offers = protocols(websocket.scope["subprotocols"])
        await websocket.accept(offers[0] if offers else None)
        await websocket.close(code, close_reason(str(refusal)))
    elif "websocket.http.response" in websocket.scope.get("extensions", {}):
        answer = response(problem_of(refusal, websocket.scope["path"]), dict(refusal.headers))
        await websocket.send_denial_response(answer)
    else:
        await websocket.close(code)


def _check_content_type(method: str, headers: Headers) -> None:
    if method in SAFE_METHODS:
        return
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if (has_body or kind) and kind not in CONTENT_TYPES:
        raise Refusal(
            Kind.UNSUPPORTED_MEDIA_TYPE,
            f"The content type is {kind or 'missing'}.",
            f"Send application/json, or packets as {RAW_TYPE} or {BATCH_TYPE}.",
        )


def _check_access(found: Found, principal: Principal) -> None:
    if found.route is None:
        return  # it is answered with 404 or 405
    access = found.access
    if access is None:
        raise Refusal(
            Kind.FORBIDDEN,
            "The service does not declare which scope this route needs, so it refuses all tokens.",
        )
    if access.scope is not None and not principal.allows(access.scope):
        raise Refusal(
            Kind.MISSING_SCOPE,
            f"The token does not have the scope {access.scope}.",
            f"Use a token with the scope {access.scope}; create one with POST /v1/tokens.",
        )


def _from_own_page(headers: Headers) -> bool:
    # A foreign Origin was refused before, so here it is our own or missing.
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


def _accepts_page(scope: ASGIScope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def _query(scope: ASGIScope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _arriving_token(scope: ASGIScope, found: Found) -> str | None:
    """Return the token in the address of a page; empty for several, None for none."""
    if not (found.page and scope["type"] == "http" and scope["method"] == "GET"):
        return None
    tokens = [value for name, value in _query(scope) if name == "token"]
    return (trimmed(tokens[0]) if len(tokens) == 1 else "") if tokens else None


def _address(scope: ASGIScope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"


def _bad_host(detail: str) -> Refusal:
    return Refusal(
        Kind.BAD_HOST,
        detail,
    )


def _not_found() -> Refusal:
    return Refusal(
        Kind.NOT_FOUND,
        "There is no WebSocket at this path.",
        "The WebSockets are described in asyncapi.json.",
    )


def _tell_refused(count: int) -> None:
    if count == 1:
        logger.info("A WebSocket handshake was refused; its client was told why.")
    else:
        logger.info("%d WebSocket handshakes were refused; their clients were told why.", count)


def _with_headers(send: Send, *, page: bool) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["content-security-policy"] = PAGE_POLICY if page else API_POLICY
            headers.setdefault("cache-control", "no-cache" if page else "no-store")
        await send(message)

    return secured
