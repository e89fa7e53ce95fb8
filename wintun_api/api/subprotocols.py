"""Read what a WebSocket offers: the protocols it speaks and, from a browser, its credential.

A page cannot set headers on a WebSocket, so a token or a browser's key comes as an offered
subprotocol, in base64url without padding. The service never selects such an offer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence

from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal

BEARER = "bearer.wintun-api."
KEY = "key.wintun-api."


def protocols(offers: Sequence[str]) -> list[str]:
    """Return the offers that name a protocol to speak, in the client's order."""
    return [offer for offer in offers if not offer.startswith((BEARER, KEY))]


def negotiate(offers: Sequence[str], known: Collection[str], hint: str) -> str | None:
    """Return the first offer that a socket knows; None if none is offered, or only a credential.

    Raises:
        Refusal: The socket knows none of them; `hint` says what to offer.
    """
    found = protocols(offers)
    for offer in found:
        if offer in known:
            return offer
    if found:
        raise Refusal(
            Kind.UNKNOWN_SUBPROTOCOL,
            f"This socket has none of the offered subprotocols: {', '.join(found)[:200]}.",
            hint,
        )
    return None


def credentials(offers: Sequence[str], prefix: str) -> list[str]:
    """Return the credentials offered with `BEARER` or `KEY`; an empty one is malformed."""
    return [_decode(offer[len(prefix) :]) for offer in offers if offer.startswith(prefix)]


def _decode(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
