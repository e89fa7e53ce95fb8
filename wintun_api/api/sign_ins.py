"""Signed-in browsers: a cookie, and a key that only the service's own pages have.

Browsers send a cookie to every port of a host, so a program that serves pages on another port of
this machine gets it too. The cookie therefore opens pages only. For everything else a browser adds
the key, which the page keeps in its own origin's storage, and an origin has a port.
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
from wintun_api.api.tokens import TOKEN_BYTES, Principal, TokenStore

KEY_HEADER = "X-Wintun-Api-Key"
PER_TOKEN = 32
# More than browsers keep for one host, so that the cookies of other pages cannot hide ours.
MAX_COOKIES = 512


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """The two secrets of a browser that has just signed in; they are kept as digests only."""

    id: str
    cookie: str
    key: str


@dataclass(frozen=True, slots=True)
class _SignIn:
    principal: Principal
    cookie: bytes
    key: bytes


class SignIns:
    """All signed-in browsers. They live in memory. Event loop thread only.

    A token has at most `PER_TOKEN` of them; at the bound the one that was not used for longest is
    ended, and those of other tokens stay. They end with their token.

    Attributes:
        ended: Told the id of each sign-in that ends.
    """

    def __init__(self, tokens: TokenStore, per_token: int = PER_TOKEN) -> None:
        self.ended: list[Callable[[str], None]] = []
        self._tokens = tokens
        self._per_token = per_token
        self._by_id: dict[str, _SignIn] = {}
        self._by_key: dict[bytes, str] = {}
        self._by_cookie: dict[bytes, str] = {}
        self._by_token: dict[str, OrderedDict[str, None]] = {}
        tokens.ended.append(self.end_all)

    def __len__(self) -> int:
        return len(self._by_id)

    def make(self, principal: Principal) -> NewSignIn:
        """Sign a browser in for the token of this principal."""
        made = NewSignIn(
            id=secrets.token_hex(8),
            cookie=secrets.token_urlsafe(TOKEN_BYTES),
            key=secrets.token_urlsafe(TOKEN_BYTES),
        )
        one = _SignIn(replace(principal, sign_in=made.id), _digest(made.cookie), _digest(made.key))
        self._by_id[made.id] = one
        self._by_key[one.key] = made.id
        self._by_cookie[one.cookie] = made.id
        of_token = self._by_token.setdefault(principal.id, OrderedDict())
        of_token[made.id] = None
        while len(of_token) > self._per_token:
            self.end(next(iter(of_token)))
        return made

    def authenticate(self, key: str, cookies: Iterable[str]) -> Principal | None:
        """Return whose key this is, if one of the cookies belongs to it; else None."""
        found = self._by_key.get(_digest(key))
        if found is None:
            return None
        matched = False
        for cookie in cookies:
            matched |= hmac.compare_digest(_digest(cookie), self._by_id[found].cookie)
        return self._current(found) if matched else None

    def visitor(self, cookies: Iterable[str]) -> Principal | None:
        """Return whose cookie one of these is, for pages alone; None when none is known."""
        principal = None
        for cookie in cookies:
            found = self._by_cookie.get(_digest(cookie))
            if found is not None and principal is None:
                principal = self._current(found)
        return principal

    def current(self, principal: Principal) -> bool:
        """Say whether the token is valid, and the sign-in, where the principal came by one."""
        if principal.sign_in is not None and principal.sign_in not in self._by_id:
            return False
        return self._tokens.current(principal)

    def end(self, sign_in: str) -> None:
        """Make the cookie and the key of a sign-in void. Idempotent."""
        one = self._by_id.pop(sign_in, None)
        if one is None:
            return
        del self._by_key[one.key], self._by_cookie[one.cookie]
        of_token = self._by_token[one.principal.id]
        del of_token[sign_in]
        if not of_token:
            del self._by_token[one.principal.id]
        for tell in self.ended:
            tell(sign_in)

    def end_all(self, token_id: str) -> None:
        """End all sign-ins of a token, when it is revoked or has expired. Idempotent."""
        for sign_in in list(self._by_token.get(token_id, ())):
            self.end(sign_in)

    def _current(self, sign_in: str) -> Principal | None:
        principal = self._by_id[sign_in].principal
        if not self._tokens.current(principal):
            self.end_all(principal.id)
            return None
        self._by_token[principal.id].move_to_end(sign_in)
        return principal


def cookie_name(scope: ASGIScope) -> str:
    """Return the cookie's name: cookies ignore ports, so the name carries it.

    Where a proxy or a tunnel publishes the service at another port, the name carries both: the
    services behind one name may all listen on the same port, each on a machine of its own.
    """
    port = (scope.get("server") or ("", 0))[1]
    host = host_of(scope)
    published = port if host is None else host.port_for(scheme_of(scope))
    return f"wintun-api-{port}" if published == port else f"wintun-api-{published}-{port}"


def cookie_values(scope: ASGIScope, headers: Headers) -> list[str]:
    """Return the values of every cookie with our name, whatever stands beside them.

    Other pages of this host may set cookies of any form, and of our name for other paths.
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
