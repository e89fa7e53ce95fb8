"""Names of this service in requests: the Host header, and the Origin of its own pages.

A page of another site can make its name lead to loopback (DNS rebinding), but a browser then sends
that name as Host. So only names that always mean this machine, and those that were allowed, pass.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Of the extensions of an ASGI scope: the host is that of an absolute target.
ABSOLUTE = "wintun_api.absolute"
DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{0,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/]+)")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host and its port, as in a Host header (RFC 9110, section 7.2).

    Attributes:
        name: Lower case, without brackets and without the dot at the end of a full domain name; an
            IP address in its shortest form.
        port: None where none is given.
    """

    name: str
    port: int | None = None

    @classmethod
    def read(cls, value: str) -> Authority | None:
        """Return what a Host header says; None where it is malformed."""
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
        """Return the port, or the usual one of the scheme."""
        return self.port or DEFAULT_PORTS[scheme]


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a page (RFC 6454)."""

    scheme: str
    authority: Authority

    @classmethod
    def read(cls, value: str) -> Origin | None:
        """Return what an Origin header says; None for `null` and all that is not of HTTP."""
        match = _ORIGIN.fullmatch(value.lower())
        authority = None if match is None else Authority.read(match[2])
        return None if match is None or authority is None else cls(match[1], authority)

    def is_of(self, host: Authority, scheme: str, *, published: bool) -> bool:
        """Say whether a request with this origin comes from a page of the host that it asks.

        A proxy that ends TLS does not always tell of it, and the service sees `http`. The page may
        have come over TLS all the same where `published` is true: the name was allowed, and it is
        not one of loopback. Then a browser lets no other page of `https` ask a service in clear
        (mixed content), as it does for loopback.
        """
        if self.authority.name != host.name:
            return False
        mine = self.authority.port_for(self.scheme)
        if self.scheme == scheme:
            return mine == host.port_for(scheme)
        return published and self.scheme == "https" and mine == host.port_for("https")


def allowed_names(values: Iterable[str]) -> frozenset[str]:
    """Return the names that settings allow, in the form of `Authority.name`.

    Ports are left out, and so are the addresses that stand for every address (0.0.0.0 and ::), as
    a page of another site can send these too.
    """
    names = set()
    for value in values:
        found = Authority.read(value)
        names.add(_canonical(value) if found is None else found.name)
    return frozenset(names - {"", "0.0.0.0", "::"})  # noqa: S104  none is listened on here


def host_name(value: str) -> str | None:
    """Return the name in a Host header, without port and brackets; None when it is malformed."""
    found = Authority.read(value)
    return None if found is None else found.name


def host_of(scope: Any) -> Authority | None:
    """Return what the Host header of a request says; None where it says nothing clear."""
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
