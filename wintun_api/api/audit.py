"""Record what requests did in the audit: changes, refused attempts, sign-ins and sign-outs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from starlette.routing import BaseRoute
from starlette.types import Message, Scope, Send

from wintun_api.api.routes import Found
from wintun_api.api.subjects import SUBJECT
from wintun_api.api.tally import INTERVAL
from wintun_api.api.tokens import MAX_TOKENS, Principal, TokenStore
from wintun_api.hub.audit import Change, Trail, clean

SWITCHING = 101  # the status of a handshake that succeeds
SAFE_METHODS = frozenset({"GET", "HEAD"})
# Attempts that change nothing may be repeated endlessly. For each token, so many per minute are
# recorded one by one, and the rest as one count.
MAX_ATTEMPTS = 10
RECORD = "wintun_api.record"  # in the scope of a WebSocket: records a change that it made
# Ids are shorter; anything longer may be a token that was put into a path by mistake.
MAX_ID = 40


def record_change(scope: Scope, subject: str) -> None:
    """Record that a WebSocket's handshake has changed something, such as "session ID"."""
    scope[RECORD](subject)


class Watch:
    """Record one request: when its answer begins, or at its end if there was no answer."""

    def __init__(self, send: Send, answered: Callable[[int | None], None]) -> None:
        self._send = send
        self._answered: Callable[[int | None], None] | None = answered

    async def send(self, message: Message) -> None:
        """Record the status before the client gets it, and pass the message on."""
        if message["type"] == "http.response.start":
            self._record(message["status"])
        await self._send(message)

    def close(self) -> None:
        """Record that there was no answer, unless there was one. Idempotent."""
        self._record(None)

    def _record(self, status: int | None) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status)


class Auditor:
    """Write an audit line and an event for what requests do. Event loop thread only."""

    def __init__(self, trail: Trail, tokens: TokenStore) -> None:
        self._trail = trail
        self._tokens = tokens
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    def watch(self, send: Send, scope: Scope, found: Found, principal: Principal) -> Watch | None:
        """Return an object that records a request when its answer begins; None if nothing changes.

        Requests with a safe method and injected packets do not count as changes. Neither does a
        sign-out without a sign-in. What a WebSocket changes is told by its route (`record_change`).
        """
        access = found.access
        if scope["type"] == "websocket":
            scope[RECORD] = partial(self._opened, scope, found, principal)
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            return None
        if access is not None:
            ends_sign_in = principal.sign_in is not None
            if not (access.audited and (access.scope is not None or ends_sign_in)):
                return None
        # A request may revoke its own token, so the token's details are read beforehand.
        change = self._change(scope, found, principal)
        record = self._trail.record if access is not None else self._attempt

        subjects: list[str] = []
        scope[SUBJECT] = subjects

        def answered(status: int | None) -> None:
            path = self._path(found, status)
            subject = clean(", ".join(subjects)) if subjects else None
            record(replace(change, status=status, path=path, subject=subject))

        return Watch(send, answered)

    def refused(self, scope: Scope, found: Found, principal: Principal, status: int) -> None:
        """Record that a request with a valid token was refused."""
        self._attempt(replace(self._change(scope, found, principal), status=status))

    def signed_in(self, scope: Scope, found: Found, principal: Principal, status: int) -> None:
        """Record that a browser signed in, and with which status that was answered."""
        change = self._change(scope, found, principal)
        self._attempt(replace(change, status=status, operation="sign_in", browser=True))

    def _opened(self, scope: Scope, found: Found, principal: Principal, subject: str) -> None:
        change = self._change(scope, found, principal)
        path = self._path(found, SWITCHING)
        self._trail.record(replace(change, status=SWITCHING, path=path, subject=clean(subject)))

    def close(self) -> None:
        """Record the attempts that were only counted so far. Idempotent."""
        for attempts in self._attempts.values():
            attempts.close()
        self._attempts.clear()

    def _attempt(self, change: Change) -> None:
        attempts = self._attempts.get(change.who)
        if attempts is None:
            if len(self._attempts) >= MAX_TOKENS:
                self._attempts.popitem(last=False)[1].close()
            attempts = _Attempts(self._trail)
            self._attempts[change.who] = attempts
        attempts.add(change)

    def _change(self, scope: Scope, found: Found, principal: Principal) -> Change:
        client = scope.get("client")
        return Change(
            who=principal.id,
            label=clean(self._tokens.label_of(principal.id)),
            browser=principal.sign_in is not None,
            client=clean(client[0]) if client else "unknown",
            operation=_operation(found.route),
            method="WEBSOCKET" if scope["type"] == "websocket" else clean(scope["method"]),
            path=self._path(found, None),
            status=None,
        )

    def _path(self, found: Found, status: int | None) -> str:
        """Return the path with its ids, but without anything that may be a token."""
        if found.template is None:
            return "(unknown path)"
        path = found.template
        done = status is not None and status < 400
        for name, value in found.child_scope.get("path_params", {}).items():
            text = str(value)
            if self._tokens.authenticate(text) is not None:
                text = "(a token)"
            elif len(text) > MAX_ID and not done:
                text = f"({len(text)} characters)"
            else:
                text = quote(text, safe="(){}-._~ ")
            path = path.replace(f"{{{name}}}", text)
        return clean(path)


def _operation(route: BaseRoute | None) -> str:
    named = getattr(route, "operation_id", None) or getattr(route, "name", None)
    return str(named or "unknown")


class _Attempts:
    """Record the attempts of one token: the first ones of a minute singly, the rest as a count."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._told = 0
        self._untold: Change | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, change: Change) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(INTERVAL, self.close)
        if self._told < MAX_ATTEMPTS:
            self._told += 1
            self._trail.record(change)
        else:
            count = 1 if self._untold is None else self._untold.count + 1
            self._untold = replace(change, count=count)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._told = 0
        untold, self._untold = self._untold, None
        if untold is not None:
            self._trail.record(untold)
