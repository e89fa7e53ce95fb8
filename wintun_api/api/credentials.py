"""Read the credentials of a request: a token, or a browser's cookie and key."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope as ASGIScope

from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal
from wintun_api.api.sign_ins import KEY_HEADER, cookie_values
from wintun_api.api.subprotocols import BEARER, KEY, credentials
from wintun_api.paste import trimmed

BOM = "\xef\xbb\xbf"  # a byte order mark in UTF-8, as headers are read

# Headers that a request may have once (RFC 9110, section 5.3), because programs would disagree on
# which of two counts. `security` checks Host itself.
SINGLE = (
    "origin",
    "authorization",
    "content-type",
    "content-length",
    "sec-fetch-site",
    "sec-fetch-mode",
    KEY_HEADER.lower(),
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of one request.

    Attributes:
        bearer: The token; empty for an Authorization header of another kind, None without a token.
        key: The key of a browser's sign-in.
        cookies: The values of the browser's cookies that have our name.
    """

    bearer: str | None
    key: str | None
    cookies: list[str]

    @classmethod
    def of(cls, scope: ASGIScope, headers: Headers) -> Credentials:
        """Read them. A token takes precedence over a sign-in, a header over a subprotocol.

        Raises:
            Refusal: There are several, and it is not clear which one to use.
        """
        bearer, key = headers.get("authorization"), headers.get(KEY_HEADER)
        if bearer is not None:
            kind, *rest = bearer.replace(BOM, "").split(None, 1) or [""]
            bearer = trimmed("".join(rest)) if kind.lower() == "bearer" else ""
        if scope["type"] == "websocket":
            offered = _only(credentials(scope["subprotocols"], BEARER))
            offered_key = _only(credentials(scope["subprotocols"], KEY))
            bearer = trimmed(offered) if bearer is None and offered is not None else bearer
            key = offered_key if key is None else key
        return cls(bearer, key, cookie_values(scope, headers))


def check_single(headers: Headers) -> None:
    """Refuse a request that has one of the `SINGLE` headers several times.

    Raises:
        Refusal: One of these headers occurs more than once.
    """
    for name in SINGLE:
        if len(headers.getlist(name)) > 1:
            raise Refusal(
                Kind.REPEATED_HEADER,
                f"The request has the header {name} more than once.",
                f"Send the header {name} once, with one value.",
            )


def _only(values: list[str]) -> str | None:
    if len(values) > 1:
        raise Refusal(
            Kind.REPEATED_HEADER,
            "The request offers several credentials as subprotocols.",
            "Offer only one token or one key.",
        )
    return values[0] if values else None
