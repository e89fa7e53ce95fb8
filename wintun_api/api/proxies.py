"""Read what reverse proxies say about the client, but only from proxies that are trusted.

    X-Forwarded-Proto   how the client reached the proxy: http or https
    X-Forwarded-For     the addresses that the request passed, the nearest last
    Forwarded           both of these (RFC 7239), read only if neither header above is there

Other programs on this machine can reach the service too, and any client can send these headers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SCHEMES = {"http": ("http", "ws"), "https": ("https", "wss"), "ws": ("http", "ws")}
SCHEMES["wss"] = SCHEMES["https"]

# A parameter of Forwarded, or the comma before the next proxy's (RFC 7239, section 4).
_WORD = r"[!#$%&'*+.^_`|~\w-]"
_PARAMETER = re.compile(
    rf'(?<!{_WORD})({_WORD}+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))|(,)', re.ASCII
)


class Proxies:
    """Set `scheme` and `client` of requests that come through a trusted proxy (ASGI middleware)."""

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        self._app = app
        self._trusted: list[Network] = [ipaddress.ip_network(one) for one in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as its client sent it."""
        if scope["type"] in ("http", "websocket"):
            self._unfold(scope)
        await self._app(scope, receive, send)

    def _unfold(self, scope: Scope) -> None:
        peer = address_of(scope["client"][0]) if scope.get("client") else None
        if peer is None or not self._trusts(peer):
            return
        schemes = _values(scope, b"x-forwarded-proto")
        addresses = _values(scope, b"x-forwarded-for")
        if not schemes and not addresses:
            hops = _forwarded(scope)
            schemes = [hop["proto"] for hop in hops[-1:] if "proto" in hop]
            addresses = [hop.get("for", "unknown") for hop in hops]
        if schemes and schemes[-1].lower() in SCHEMES:
            scope["scheme"] = SCHEMES[schemes[-1].lower()][scope["type"] == "websocket"]
        client: Address | None = None
        for value in reversed(addresses):
            address = address_of(value)
            if address is None:
                break  # the addresses before it come from an unknown program
            client = address
            if not self._trusts(address):
                break
        if client is not None:
            scope["client"] = (str(client), 0)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def address_of(value: str) -> Address | None:
    """Return the address in `10.0.0.1`, `10.0.0.1:80`, `::1` or `[::1]:80`; otherwise None.

    An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is returned as an IPv4 address.
    """
    text = value.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _values(scope: Scope, name: bytes) -> list[str]:
    """Return the members of a list header, in order."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _forwarded(scope: Scope) -> list[dict[str, str]]:
    """Return the parameters that each proxy added to Forwarded, in order."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == b"forwarded"]
    hops: list[dict[str, str]] = [{}]
    for name, quoted, plain, comma in _PARAMETER.findall(",".join(lines)):
        if comma:
            hops.append({})
        else:
            hops[-1][name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or plain
    return hops if any(hops) else []
