"""The URLs of the servers of a bus: encrypted, unless they do not leave this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from wintun_api.errors import InvalidArgument

MAX_SERVERS: Final = 16
PORT: Final = 4222


def check_servers(servers: Sequence[str]) -> tuple[str, ...]:
    """Return the URLs of servers with their ports.

    Raises:
        InvalidArgument: One of them is not the URL of a server, or does not encrypt though it leads
            to another machine.
    """
    if not 0 < len(servers) <= MAX_SERVERS:
        raise _wrong(f"There are {len(servers)} servers; there may be 1 to {MAX_SERVERS}.")
    return tuple(_checked(one) for one in servers)


def url_of(host: str, port: int, *, tls: bool) -> str:
    """Return the URL of a server at a name or an address."""
    return f"{'tls' if tls else 'nats'}://{f'[{host}]' if ':' in host else host}:{port}"


def host_in(url: str) -> str:
    """Return the name or address in a URL that was checked."""
    return urlsplit(url).hostname or ""


def is_loopback(host: str) -> bool:
    """Return whether the host part of a URL is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str) -> str:
    said = f"{url[:100]!r} is not the URL of a server: "
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(f"{said}its address or port is not valid.") from None
    if "@" in url:
        raise _wrong("The URL of a server has a user or a password, which belongs in no URL.")
    if parts.scheme not in ("tls", "nats"):
        raise _wrong(f"{said}it must begin with tls:// or nats://.")
    if not host or re.search(r"[\s\x00-\x1f]", url) or port == 0:
        raise _wrong(f"{said}it names no host, or no port.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong(f"{said}something comes after its port.")
    if parts.scheme == "nats" and not is_loopback(host):
        raise _wrong(
            f"{said}it leads to another machine without encryption. Use tls:// for it, and have "
            "the server listen with TLS."
        )
    return url_of(host, port or PORT, tls=parts.scheme == "tls")


def _wrong(detail: str) -> InvalidArgument:
    return InvalidArgument("servers", detail)
