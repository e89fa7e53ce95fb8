"""Manage signed-in browsers: a cookie, and a key that only the service's own pages have.

Both are derived from the token with which the browser signed in (`sign_in_memory`). So a restart
of the service signs no browser out.

Browsers send a cookie to every port of a host, so a program that serves pages on another port of
this machine gets it too. The cookie therefore gives access to pages only. For everything else a
browser adds the key, which the page keeps in the storage of its origin, which includes the port.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from starlette.datastructures import Headers
from starlette.types import Scope as ASGIScope

from wintun_api.api.hosts import host_of, scheme_of
from wintun_api.api.sign_in_memory import SignInMemory
from wintun_api.api.tokens import Principal, TokenStore

KEY_HEADER = "X-Wintun-Api-Key"
PER_TOKEN = 32
# More than browsers keep for one host, so that other pages' cookies cannot crowd out ours.
MAX_COOKIES = 512


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """Hold the two secrets of a browser that has just signed in; only digests are kept."""

    id: str
    cookie: str
    key: str


@dataclass(frozen=True, slots=True)
class _SignIn:
    principal: Principal
    cookie: bytes
    key: bytes


class SignIns:
    """Hold all signed-in browsers. Event loop thread only.

    A token has at most `PER_TOKEN` sign-ins; beyond that, its least recently used one is ended, and
    those of other tokens stay. Sign-ins end with their token.

    Attributes:
        ended: Called with the id of each sign-in that ends.
    """

    def __init__(self, tokens: TokenStore, per_token: int = PER_TOKEN) -> None:
        self.ended: list[Callable[[str], None]] = []
        self._tokens = tokens
        self._per_token = per_token
        self._memory = SignInMemory()
        self._by_id: dict[str, _SignIn] = {}
        self._by_key: dict[bytes, str] = {}
        self._by_cookie: dict[bytes, str] = {}
        self._by_token: dict[str, OrderedDict[str, None]] = {}
        tokens.ended.append(self.end_all)

    def __len__(self) -> int:
        return len(self._by_id)

    def recall(self, memory: SignInMemory) -> None:
        """Continue the sign-ins of the last run whose tokens are still valid.

        From now on they are kept in this memory. Call this before the first sign-in.
        """
        self._memory = memory
        for token_id, digest in self._tokens.digests().items():
            principal = self._tokens.principal(token_id)
            if principal is not None:
                for sign_in in memory.kept(token_id, digest)[-self._per_token :]:
                    self._add(self._derived(sign_in, digest), principal)

    def make(self, principal: Principal) -> NewSignIn:
        """Sign a browser in with the token of this principal."""
        digest = self._tokens.digests()[principal.id]
        made = self._derived(secrets.token_hex(8), digest)
        self._add(made, principal)
        of_token = self._by_token[principal.id]
        while len(of_token) > self._per_token:
            self._end(next(iter(of_token)))
        self._keep()
        return made

    def renew(self, principal: Principal, cookies: Iterable[str]) -> NewSignIn:
        """Sign a browser in that shows these cookies.

        If one of them is that of a sign-in with the same token, the browser gets that one again.
        Its sign-ins with other tokens end: the new cookie replaces the old one, so the browser
        could not sign out of them any more.
        """
        present: NewSignIn | None = None
        for cookie in cookies:
            found = self._by_cookie.get(_digest(cookie))
            if found is None or self._current(found) is None:
                continue
            if self._by_id[found].principal.id != principal.id:
                self.end(found)
            elif present is None:
                present = self._derived(found, self._tokens.digests()[principal.id])
        return self.make(principal) if present is None else present

    async def written(self) -> None:
        """Wait until the present sign-ins are on the disk, or the failure was logged."""
        await self._memory.written()

    def authenticate(self, key: str, cookies: Iterable[str]) -> Principal | None:
        """Return the principal of a key, if one of the cookies belongs to it; otherwise None."""
        found = self._by_key.get(_digest(key))
        if found is None:
            return None
        matched = False
        for cookie in cookies:
            matched |= hmac.compare_digest(_digest(cookie), self._by_id[found].cookie)
        return self._current(found) if matched else None

    def visitor(self, cookies: Iterable[str]) -> Principal | None:
        """Return the principal of one of these cookies, for pages only; None if unknown."""
        principal = None
        for cookie in cookies:
            found = self._by_cookie.get(_digest(cookie))
            if found is not None and principal is None:
                principal = self._current(found)
        return principal

    def current(self, principal: Principal) -> bool:
        """Return whether the token and, if there is one, the sign-in of a principal are valid."""
        if principal.sign_in is not None and principal.sign_in not in self._by_id:
            return False
        return self._tokens.current(principal)

    def end(self, sign_in: str) -> None:
        """End a sign-in: its cookie and key stop working. Idempotent."""
        if self._end(sign_in):
            self._keep()

    def _end(self, sign_in: str) -> bool:
        one = self._by_id.pop(sign_in, None)
        if one is None:
            return False
        del self._by_key[one.key], self._by_cookie[one.cookie]
        of_token = self._by_token[one.principal.id]
        del of_token[sign_in]
        if not of_token:
            del self._by_token[one.principal.id]
        for tell in self.ended:
            tell(sign_in)
        return True

    def end_all(self, token_id: str) -> None:
        """End all sign-ins of a token that was revoked or has expired. Idempotent."""
        ended = [self._end(sign_in) for sign_in in list(self._by_token.get(token_id, ()))]
        if ended:
            self._keep()

    def _derived(self, sign_in: str, token: str) -> NewSignIn:
        derive = self._memory.derive
        return NewSignIn(sign_in, derive("cookie", token, sign_in), derive("key", token, sign_in))

    def _add(self, made: NewSignIn, principal: Principal) -> None:
        one = _SignIn(replace(principal, sign_in=made.id), _digest(made.cookie), _digest(made.key))
        self._by_id[made.id] = one
        self._by_key[one.key] = made.id
        self._by_cookie[one.cookie] = made.id
        self._by_token.setdefault(principal.id, OrderedDict())[made.id] = None

    def _keep(self) -> None:
        digests = self._tokens.digests()
        self._memory.keep(
            {one: (digests[one], ids) for one, ids in self._by_token.items() if one in digests}
        )

    def _current(self, sign_in: str) -> Principal | None:
        principal = self._by_id[sign_in].principal
        if not self._tokens.current(principal):
            self.end_all(principal.id)
            return None
        self._by_token[principal.id].move_to_end(sign_in)
        return principal


def cookie_name(scope: ASGIScope) -> str:
    """Return the cookie's name, which includes the port because cookies ignore ports.

    If a proxy or a tunnel publishes the service at another port, the name includes both: services
    behind one host name may all listen on the same port, each on its own machine.
    """
    port = (scope.get("server") or ("", 0))[1]
    host = host_of(scope)
    published = port if host is None else host.port_for(scheme_of(scope))
    return f"wintun-api-{port}" if published == port else f"wintun-api-{published}-{port}"


def cookie_values(scope: ASGIScope, headers: Headers) -> list[str]:
    """Return the values of every cookie with our name, whatever other cookies there are.

    Other pages of this host may set cookies of any form, and cookies with our name for other paths.
    """
    name, values = cookie_name(scope), []
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            its_name, equals, value = pair.partition("=")
            if equals and its_name.strip(" \t") == name:
                values.append(value.strip(" \t").strip('"'))
    return values[:MAX_COOKIES]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
