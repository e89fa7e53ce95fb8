"""Read what a WebSocket offers: the protocols it speaks and, from a browser, its credential.

A page cannot set headers on a WebSocket, so a token or a browser's key comes as an offered
subprotocol, in base64url without padding. The service never selects such an offer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

BEARER = "bearer.wintun-api."
KEY = "key.wintun-api."


def protocols(offers: Sequence[str]) -> list[str]:
    """Return the offers that name a protocol to speak, in the client's order."""
    return [offer for offer in offers if not offer.startswith((BEARER, KEY))]


def credentials(offers: Sequence[str], prefix: str) -> list[str]:
    """Return the credentials offered with `BEARER` or `KEY`; an empty one is malformed."""
    return [_decode(offer[len(prefix) :]) for offer in offers if offer.startswith(prefix)]


def _decode(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
