"""Whether wintun-api answers at an address, and in a sentence what is there instead.

Asked before the first request of a command, without the token: another program does not get to see
it. Every answer comes within `PATIENCE`, however slow or silent the other side is.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx

PATIENCE: Final = 6.0  # seconds that the service has to say that it is there
SECOND_LOOK: Final = 2.0  # seconds to find out what else may be there
HEALTH: Final = "/noauth/health"
TLS_WORDS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "UNEXPECTED_EOF", "HTTP_REQUEST")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at an address, and what to do next; two sentences."""

    detail: str
    hint: str


class TooSlow(Exception):
    """Say that something did not end in time."""


def look(http: httpx.Client, *, start_hint: str) -> Finding | None:
    """Ask the health route; return None where the service answers.

    Args:
        http: The client, whose token is not sent.
        start_hint: What to do where nothing listens.
    """
    url = http.base_url
    try:
        answer = within(PATIENCE, lambda: _ask(http))
    except (TooSlow, httpx.TimeoutException):
        return Finding(
            f"Something at {url} takes the connection, but does not answer.",
            "If that is the service, it hangs: look at its log and start it again. Otherwise give "
            "the service's own address with --url.",
        )
    except httpx.TransportError as error:
        return _broken(url, error, start_hint)
    return _judged(url, answer)


def is_service(http: httpx.Client) -> bool:
    """Ask the health route, without the token, within the client's own time limit.

    Raises:
        httpx.HTTPError: Nothing that speaks HTTP answers.
    """
    return _judged(http.base_url, _ask(http, http.timeout)) is None


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Do something in a thread of its own, and return its result.

    A look-up of a name or a server that sends a byte now and then has no time limit otherwise.

    Raises:
        TooSlow: It took longer. The thread is left behind and ends with the process.
    """
    ended: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            ended.append((None, error))

    thread = threading.Thread(target=run, name="look", daemon=True)
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TooSlow
    result, error = ended[0]
    if error is not None:
        raise error
    return result


def _ask(http: httpx.Client, timeout: httpx.Timeout | float = PATIENCE) -> httpx.Response:
    request = http.build_request("GET", HEALTH, timeout=timeout)
    request.headers.pop("Authorization", None)
    return http.send(request)


def _judged(url: httpx.URL, answer: httpx.Response) -> Finding | None:
    with suppress(ValueError):
        said = answer.json()
        if isinstance(said, dict):
            ours = str(said.get("type", "")).startswith("urn:wintun-api:")
            if ours or (answer.is_success and said.get("status") == "ok"):
                return None
    if answer.is_redirect:
        to = httpx.URL(url).join(answer.headers.get("Location", ""))
        return Finding(
            f"What answers at {url} sends its clients on to {to}.",
            f"If the service is there, give that address: --url {to.copy_with(path='')}",
        )
    if answer.status_code in (502, 503, 504):
        return Finding(
            f"A proxy answers at {url}, but it does not reach the service behind it.",
            "Start the service there, or correct the address in the proxy's configuration.",
        )
    if answer.status_code == 400 and b"HTTPS" in answer.content.upper():
        return _is_tls(url)
    return _other_program(url)


def _broken(url: httpx.URL, error: httpx.TransportError, start_hint: str) -> Finding:
    words = str(error)
    certificate = _certificate_words(error)
    if certificate:
        return Finding(
            f"The certificate that {url} shows is not trusted here: {certificate}.",
            "Give the certificate, or that of the authority that signed it, with the variable "
            "SSL_CERT_FILE; and use a name in --url that the certificate has.",
        )
    if url.scheme == "https" and (isinstance(error.__cause__, ssl.SSLError) or _is_ssl(words)):
        if _speaks_http(url):
            plain = url.copy_with(scheme="http")
            return Finding(
                f"What answers at {url} speaks HTTP without TLS.",
                f"Give the address with http: --url {plain}",
            )
        return _other_program(url)
    if isinstance(error, httpx.ConnectError):
        return _unreachable(url, words, start_hint)
    if url.scheme == "http" and _speaks_tls(url):
        return _is_tls(url)
    if url.scheme == "https" and _speaks_http(url):
        return Finding(
            f"What answers at {url} speaks HTTP without TLS.",
            f"Give the address with http: --url {url.copy_with(scheme='http')}",
        )
    return _other_program(url)


def _unreachable(url: httpx.URL, words: str, start_hint: str) -> Finding:
    if any(part in words for part in ("Name or service", "getaddrinfo", "nodename", "resolution")):
        return Finding(
            f"The host name {url.host} in {url} is not known here.", "Correct the name in --url."
        )
    return Finding(f"Nothing answers at {url}.", start_hint)


def _is_tls(url: httpx.URL) -> Finding:
    return Finding(
        f"What answers at {url} speaks TLS.",
        f"Give the address with https: --url {url.copy_with(scheme='https')}",
    )


def _other_program(url: httpx.URL) -> Finding:
    return Finding(
        f"Another program answers at {url}, not wintun-api.",
        "Give the address that the service printed when it started with --url.",
    )


def _certificate_words(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message.rstrip(".")
        cause = cause.__cause__ or cause.__context__
    words = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return words.rpartition("failed: ")[2].partition(" (_ssl")[0]
    return ""


def _is_ssl(words: str) -> bool:
    return "[SSL" in words or any(word in words for word in TLS_WORDS)


def _speaks_http(url: httpx.URL) -> bool:
    request = f"GET {HEALTH} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nConnection: close\r\n\r\n"

    def ask() -> bool:
        with socket.create_connection(_place(url), SECOND_LOOK) as connection:
            connection.sendall(request.encode())
            return connection.recv(5, socket.MSG_WAITALL) == b"HTTP/"

    return _second_look(ask)


def _speaks_tls(url: httpx.URL) -> bool:
    def ask() -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(_place(url), SECOND_LOOK) as connection,
            context.wrap_socket(connection, server_hostname=url.host),
        ):
            return True

    return _second_look(ask)


def _second_look(ask: Callable[[], bool]) -> bool:
    try:
        return bool(within(SECOND_LOOK, ask))
    except (OSError, ValueError, TooSlow):
        return False


def _place(url: httpx.URL) -> tuple[str, int]:
    return url.host, url.port or (443 if url.scheme == "https" else 80)
