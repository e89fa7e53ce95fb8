"""Recognise this service's names in requests: the Host header, and the Origin of its own pages.

A page of another site can make its name resolve to loopback (DNS rebinding), but the browser then
sends that name as Host. So the service accepts only allowed names and names that always mean this
machine.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# An extension in the ASGI scope: the host comes from an absolute request target.
ABSOLUTE = "wintun_api.absolute"
DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{0,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/]+)")


@dataclass(frozen=True, slots=True)
class Authority:
    """Hold a host and its port, as in a Host header (RFC 9110, section 7.2).

    Attributes:
        name: Lower case, without brackets and without the final dot of a full domain name; an IP
            address in its shortest form.
        port: None if no port is given.
    """

    name: str
    port: int | None = None

    @classmethod
    def read(cls, value: str) -> Authority | None:
        """Read a Host header; return None if it is malformed."""
        match = _AUTHORITY.fullmatch(value)
        if match is None:
            return None
        return cls(_canonical(match[1].strip("[]")), int(match[2]) if match[2] else None)

    @property
    def is_loopback(self) -> bool:
        """Whether the name always means this machine."""
        if self.name == "localhost" or self.name.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.name).is_loopback
        except ValueError:
            return False

    def port_for(self, scheme: str) -> int:
        """Return the port, or the default port of the scheme."""
        return self.port or DEFAULT_PORTS[scheme]


@dataclass(frozen=True, slots=True)
class Origin:
    """Hold the origin of a page (RFC 6454)."""

    scheme: str
    authority: Authority

    @classmethod
    def read(cls, value: str) -> Origin | None:
        """Read an Origin header; return None for `null` and for schemes other than HTTP."""
        match = _ORIGIN.fullmatch(value.lower())
        authority = None if match is None else Authority.read(match[2])
        return None if match is None or authority is None else cls(match[1], authority)

    def is_of(self, host: Authority, scheme: str, *, published: bool) -> bool:
        """Return whether a request with this origin comes from a page of the host it asks.

        A proxy that terminates TLS does not always say so, and the service sees `http`. If
        `published` is true (the name was allowed and is not a loopback name), the page may still
        have come over TLS. A browser does not let other `https` pages send requests to such a name
        without TLS (mixed content), while it does for loopback.
        """
        if self.authority.name != host.name:
            return False
        mine = self.authority.port_for(self.scheme)
        if self.scheme == scheme:
            return mine == host.port_for(scheme)
        return published and self.scheme == "https" and mine == host.port_for("https")


def allowed_names(values: Iterable[str]) -> frozenset[str]:
    """Return the names that the settings allow, in the form of `Authority.name`.

    Ports are left out. So are the addresses that stand for every address (0.0.0.0 and ::), because
    a page of another site can send them too.
    """
    names = set()
    for value in values:
        found = Authority.read(value)
        names.add(_canonical(value) if found is None else found.name)
    return frozenset(names - {"", "0.0.0.0", "::"})  # noqa: S104  none is listened on here


def host_name(value: str) -> str | None:
    """Return the name in a Host header, without port and brackets; None if it is malformed."""
    found = Authority.read(value)
    return None if found is None else found.name


def host_of(scope: Any) -> Authority | None:
    """Read the Host header of a request; return None if it is missing or ambiguous."""
    values = [value for name, value in scope.get("headers", ()) if name == b"host"]
    return Authority.read(values[0].decode("latin-1")) if len(values) == 1 else None


def scheme_of(scope: Any) -> str:
    """Return `http` or `https`, also for a WebSocket."""
    return "https" if scope.get("scheme") in ("https", "wss") else "http"


def _canonical(name: str) -> str:
    name = name.lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.rstrip(".")
