"""Where a service is and how to sign in there: found as the command line finds it."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from wintun_api import variables
from wintun_api.address import url_at
from wintun_api.client.problems import CredentialError, ServiceUnreachable
from wintun_api.errors import InvalidSettings
from wintun_api.paste import text_of, trimmed

if TYPE_CHECKING:
    import ssl

    from wintun_api.settings import Settings

MAX_TOKEN_FILE: Final = 65_536  # bytes that are read of one; a device has no end
QUOTES: Final = "\"'`"

# Where the token of a service comes from that is asked over a network of many hosts.
FAR_SOURCE: Final = "the agent there, which passes on what its --allow names,"

_WHERE_IT_IS: Final = (
    "The service prints the path of its token file when it starts, and the demo prints its token. "
    "Give the file as `token_file`, or the token as `token` or in the variable WINTUN_API_TOKEN."
)


@dataclass(frozen=True, slots=True)
class Location:
    """A service, and the token that it is used with.

    Attributes:
        url: Its address, without a slash at its end: `http://127.0.0.1:9886`.
        token: The secret of the token. It is not part of the representation.
        token_source: Where the token comes from, in words: `the file /var/lib/wintun-api/token`.
        tls: How certificates are checked; None for an address without TLS.
        advice: What to do if the service does not answer, as a sentence; empty gives the usual one.
    """

    url: str
    token: str = field(repr=False)
    token_source: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    advice: str = field(default="", repr=False)

    def websocket_url(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """Return the address of a WebSocket of this service.

        Args:
            path: The path, which begins with a slash; its parts are percent-encoded already.
            query: The parameters. One that is None is left out; a bool is written in lower case.
        """
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        address = "ws" + self.url.removeprefix("http") + path
        return f"{address}?{urlencode(given)}" if given else address


# How a stream gets its location: a client first sees, once, that it is the service that answers,
# and then looks for the token. It raises `ServiceUnreachable` and `CredentialError`.
Reach = Callable[[], Location]
AsyncReach = Callable[[], Awaitable[Location]]


def locate(
    url: str | None = None,
    token: str | None = None,
    token_file: str | Path | None = None,
    *,
    tls: ssl.SSLContext | None = None,
) -> Location:
    """Find the service and its token, as the command line does. Nothing is sent.

    Args:
        url: The address of the service. The default is the variable WINTUN_API_URL, then the
            address where a service listens by default.
        token: The token. The default is `token_file`, then the variable WINTUN_API_TOKEN, then the
            file of the service that this user would run.
        token_file: The file with the token.
        tls: How certificates are checked. The default trusts what the system trusts and heeds the
            variable SSL_CERT_FILE.

    Raises:
        ServiceUnreachable: The address cannot be one of a service.
        CredentialError: There is no token, or it cannot be read.
    """
    address = find_url(url)
    secret, source = find_token(token, token_file)
    return Location(address, secret, source, trust(address, tls))


def from_config(path: str | Path) -> Location:
    """Find the service that runs with a configuration file, and its admin token.

    Variables of the environment come before the file, as they do when the service starts. With TLS
    exactly the certificate that the file names is trusted.

    Args:
        path: The TOML file of the service.

    Raises:
        ServiceUnreachable: The file does not name a port.
        CredentialError: The file, its token file or its certificate cannot be read.
    """
    url, token_file, tls = in_config(path)
    return Location(url, *_from_file(token_file), tls)


def in_config(path: str | Path) -> tuple[str, Path, ssl.SSLContext | None]:
    """Return the address, the token file and the trust that a configuration file names.

    Raises:
        ServiceUnreachable: The file does not name a port.
        CredentialError: The file or its certificate cannot be read.
    """
    settings = _settings(Path(path))
    if not settings.port:
        raise ServiceUnreachable(
            "",
            "The port in the settings is 0, so the service takes a free one when it starts.",
            hint="Give the address that the service prints when it starts as `url`.",
            kind="address",
        )
    url, certificate, tls = url_at(settings, settings.port), settings.tls_certificate, None
    if certificate is not None:
        try:
            tls = trust_only(certificate)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise CredentialError(
                "the settings of the service",
                f"Cannot read the certificate {certificate}: {plain(error)}.",
                hint="Give `url`, `token` and `tls` instead.",
                kind="settings",
            ) from error
    return url, settings.token_path, tls


def find_url(url: str | None = None) -> str:
    """Return the address of the service without a slash at its end.

    Raises:
        ServiceUnreachable: It cannot be the address of a service.
    """
    given = url if url is not None else os.environ.get(variables.URL) or variables.DEFAULT_URL
    scheme, mark, rest = trimmed(given).rstrip("/").partition("://")
    address = scheme.lower() + mark + rest  # RFC 3986, 3.1: the case of a scheme says nothing
    fault = _fault(address)
    if fault:
        raise ServiceUnreachable(
            given,
            f"The address {given!r} is not one of a service: {fault}.",
            hint=f"Write it as {variables.DEFAULT_URL}.",
            kind="address",
        )
    return address


def find_token(token: str | None = None, token_file: str | Path | None = None) -> tuple[str, str]:
    """Return the token, and where it comes from in words.

    Raises:
        CredentialError: There is none, or it cannot be read.
    """
    if token is not None:
        return _checked(token, "the argument `token`"), "the argument `token`"
    variable = os.environ.get(variables.TOKEN)
    if token_file is None and variable:
        return _checked(variable, variables.TOKEN), f"the variable {variables.TOKEN}"
    return _from_file(Path(token_file) if token_file else _settings(None).token_path)


def read_token(path: Path) -> str:
    """Return what a token file holds; raises OSError and UnicodeDecodeError."""
    with path.open("rb") as file:
        return text_of(file.read(MAX_TOKEN_FILE))


def trust(url: str, tls: ssl.SSLContext | None = None) -> ssl.SSLContext | None:
    """Return how the certificate of an address is checked; None where it has none."""
    if urlsplit(url).scheme != "https":
        return None
    if tls is not None:
        return tls
    import ssl  # slow to import, and most services listen on the loopback address without TLS

    return ssl.create_default_context()  # that of OpenSSL, which heeds SSL_CERT_FILE


def trust_only(certificate: Path) -> ssl.SSLContext:
    """Return a context that trusts this certificate and no other, whatever name it was made for.

    Raises:
        OSError: The certificate cannot be read.
    """
    import ssl

    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def plain(error: BaseException) -> str:
    """Return the words of an error, or of its cause if it has none, without its number."""
    words, inner = "", error
    while not words:
        words = getattr(inner, "strerror", None) or str(inner)
        cause = inner.__cause__ or inner.__context__
        if cause is None:
            break
        inner = cause
    return re.sub(r"^\[Errno -?\d+\] ", "", words or type(error).__name__).rstrip(".")


def _settings(config: Path | None) -> Settings:
    """Return the settings of the service of this user, or of one with this file."""
    from wintun_api.config_file import read_settings
    from wintun_api.files import UntrustedFile

    named = os.environ.get(variables.CONFIG)
    try:
        return read_settings(config or (Path(named) if named else None))
    except (InvalidSettings, UntrustedFile) as error:
        raise CredentialError(
            "the settings of the service",
            f"The settings of the service cannot be used: {str(error).rstrip('.')}.",
            hint=error.hint or "Correct them, or give `url` and `token`.",
            kind="settings",
        ) from error


def _from_file(path: Path) -> tuple[str, str]:
    source = f"the file {path}"
    try:
        secret = read_token(path)
    except FileNotFoundError:
        raise CredentialError(
            source, f"There is no token file {path}.", hint=_WHERE_IT_IS, kind="missing"
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        detail = f"Cannot read the token file {path}: {plain(error)}."
        raise CredentialError(source, detail, hint=_WHERE_IT_IS, kind="unreadable") from None
    if not secret:
        detail = f"The token file {path} is empty."
        raise CredentialError(source, detail, hint=_WHERE_IT_IS, kind="unreadable")
    return _checked(secret, source), source


def _checked(token: str, source: str) -> str:
    token = trimmed(token)
    if not token:
        raise CredentialError(
            source,
            f"The token from {source} is empty.",
            hint="Give the token, or leave it out.",
            kind="malformed",
        )
    if len(token) > 1 and token[0] == token[-1] and token[0] in QUOTES:
        raise CredentialError(
            source,
            f"The token from {source} has quotation marks around it.",
            hint="Remove them.",
            kind="malformed",
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise CredentialError(
            source,
            f"The token from {source} has a space or a character that no token has.",
            hint="Copy the token again, without anything around it.",
            kind="malformed",
        )
    return token


def _fault(address: str) -> str:
    """Return what is wrong with an address; empty if nothing is."""
    try:
        parts: SplitResult = urlsplit(address)
        _ = parts.port  # raises ValueError where it is not a number
    except ValueError as error:
        return plain(error)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it must begin with http:// or https:// and name a host"
    if "@" in parts.netloc:
        return "it must not hold a name or a password; give the token apart from it"
    if "?" in address or "#" in address:
        return "it must end with the port or a path, without ? and #"
    return ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
