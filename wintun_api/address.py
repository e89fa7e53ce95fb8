"""The address of a service, as a client on the same machine writes it."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

from wintun_api.settings import Settings


def url_at(settings: Settings, port: int) -> str:
    """Return the address a client on this machine uses, without a slash at its end."""
    scheme = "http" if settings.tls_certificate is None else "https"
    host = settings.host
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "::1" if address.version == 6 and _has_ipv6_loopback() else "127.0.0.1"
    if not host:
        host = "127.0.0.1"
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}"


def _has_ipv6_loopback() -> bool:
    # Containers often have IPv6 without an IPv6 address.
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True
