"""Whether wintun-api answers at an address, and in a sentence what is there instead.

Asked before the first request of a client, without the token: another program does not get to see
it. Every answer comes within `PATIENCE`, however slow or silent the other side is.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import httpx

from wintun_api.client.location import plain
from wintun_api.client.problems import ITS_ADDRESS, URN, NotTheService, ServiceUnreachable

PATIENCE: Final = 6.0  # seconds that the service has to say that it is there
SECOND_LOOK: Final = 2.0  # seconds to find out what else may be there
HEALTH: Final = "/noauth/health"
TLS_WORDS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "UNEXPECTED_EOF", "HTTP_REQUEST")

START: Final = (
    "Start the service with wintun-api serve, or give the address where it runs as `url`."
)
STILL_RUNS: Final = "See whether the service still runs with: wintun-api status"


class _OutOfTime(Exception):
    """Say that something did not end in time."""


def look(http: httpx.Client) -> None:
    """Ask the health route, without the token.

    Raises:
        ServiceUnreachable: The service does not answer; its kind and its words say why.
    """
    url = http.base_url
    try:
        answer = within(PATIENCE, partial(http.send, http.build_request("GET", HEALTH)))
    except (_OutOfTime, httpx.TimeoutException):
        raise _silent(url) from None
    except httpx.DecodingError:
        raise _other_program(url) from None
    except httpx.TransportError as error:
        raise _broken(url, error) from error
    _judge(url, answer)


async def async_look(http: httpx.AsyncClient) -> None:
    """Do as `look`, in an event loop."""
    url = http.base_url
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await http.send(http.build_request("GET", HEALTH))
    except (TimeoutError, httpx.TimeoutException):
        raise _silent(url) from None
    except httpx.DecodingError:
        raise _other_program(url) from None
    except httpx.TransportError as error:
        # It may look a second time, which blocks for as long as `SECOND_LOOK`.
        raise await asyncio.to_thread(_broken, url, error) from error
    await asyncio.to_thread(_judge, url, answer)


def broken(url: str, error: httpx.TransportError) -> ServiceUnreachable:
    """Return the error of a request that failed although the service has answered before."""
    if isinstance(error, httpx.ConnectError):
        return ServiceUnreachable(url, f"{url} no longer answers.", hint=START, kind="refused")
    if isinstance(error, httpx.TimeoutException):
        return late(url)
    detail = f"The connection to {url} broke: {plain(error)}."
    return ServiceUnreachable(url, detail, hint=STILL_RUNS, kind="broken")


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Do something in a thread of its own, and return its result.

    A look-up of a name or a server that sends a byte now and then has no time limit otherwise.

    Raises:
        _OutOfTime: It took longer. The thread is left behind and ends with the process.
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
        raise _OutOfTime
    result, error = ended[0]
    if error is not None:
        raise error
    return result


def late(url: str) -> ServiceUnreachable:
    """Return the error of an answer that was not complete in time."""
    detail = f"{url} did not answer in time."
    hint = "The service may still do what was asked: look with wintun-api status."
    return ServiceUnreachable(url, detail, hint=hint, kind="late")


def _silent(url: httpx.URL) -> ServiceUnreachable:
    return ServiceUnreachable(
        str(url),
        f"Something at {url} takes the connection, but does not answer.",
        hint="If that is the service, it hangs: look at its log and start it again. Otherwise give "
        "the service's own address as `url`.",
        kind="silent",
    )


def _judge(url: httpx.URL, answer: httpx.Response) -> None:
    """Raise `ServiceUnreachable` if this answer to the health route is not the service's."""
    with suppress(ValueError, RecursionError):
        said = answer.json()
        if isinstance(said, dict):
            ours = str(said.get("type", "")).startswith(URN)
            if ours or (answer.is_success and said.get("status") == "ok"):
                return
    if answer.is_redirect:
        to = redirected(url, answer)
        raise NotTheService(
            str(url),
            f"What answers at {url} sends its clients on to {to}.",
            hint=f"If the service is there, give that address: {to.copy_with(path='')}",
            kind="redirect",
            better=str(to.copy_with(path="")),
        )
    if answer.status_code in (502, 503, 504):
        raise NotTheService(
            str(url),
            f"A proxy answers at {url}, but it does not reach the service behind it.",
            hint="Start the service there, or correct the address in the proxy's configuration.",
            kind="proxy",
        )
    if answer.status_code == 400 and b"HTTPS" in answer.content.upper():
        raise _is_tls(url)
    raise _other_program(url)


def redirected(url: httpx.URL, answer: httpx.Response) -> httpx.URL:
    """Return where a redirect leads; the address itself if that cannot be read."""
    try:
        return url.join(answer.headers.get("Location", ""))
    except (httpx.InvalidURL, ValueError):
        return url


def _broken(url: httpx.URL, error: httpx.TransportError) -> ServiceUnreachable:
    words = str(error)
    certificate = _certificate_words(error)
    if certificate:
        return ServiceUnreachable(
            str(url),
            f"The certificate that {url} shows is not trusted here: {certificate}.",
            hint="Give the certificate, or that of the authority that signed it, with the variable "
            "SSL_CERT_FILE or as `tls`; and use a name in `url` that the certificate has.",
            kind="certificate",
        )
    if url.scheme == "https" and (isinstance(error.__cause__, ssl.SSLError) or _is_ssl(words)):
        return _is_plain(url) if _speaks_http(url) else _other_program(url)
    if isinstance(error, httpx.ConnectError):
        return _unreachable(url, words)
    if url.scheme == "http" and _speaks_tls(url):
        return _is_tls(url)
    if url.scheme == "https" and _speaks_http(url):
        return _is_plain(url)
    return _other_program(url)


def _unreachable(url: httpx.URL, words: str) -> ServiceUnreachable:
    if any(part in words for part in ("Name or service", "getaddrinfo", "nodename", "resolution")):
        return ServiceUnreachable(
            str(url),
            f"The host name {url.host} in {url} is not known here.",
            hint="Correct the name in `url`.",
            kind="unknown-host",
        )
    return ServiceUnreachable(str(url), f"Nothing answers at {url}.", hint=START, kind="refused")


def _is_tls(url: httpx.URL) -> ServiceUnreachable:
    better = str(url.copy_with(scheme="https"))
    return ServiceUnreachable(
        str(url),
        f"What answers at {url} speaks TLS.",
        hint=f"Give the address with https: {better}",
        kind="tls",
        better=better,
    )


def _is_plain(url: httpx.URL) -> ServiceUnreachable:
    better = str(url.copy_with(scheme="http"))
    return ServiceUnreachable(
        str(url),
        f"What answers at {url} speaks HTTP without TLS.",
        hint=f"Give the address with http: {better}",
        kind="plain",
        better=better,
    )


def _other_program(url: httpx.URL) -> NotTheService:
    return NotTheService(
        str(url),
        f"Another program answers at {url}, not wintun-api.",
        hint=ITS_ADDRESS,
        kind="other",
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
    except (OSError, ValueError, _OutOfTime):
        return False


def _place(url: httpx.URL) -> tuple[str, int]:
    return url.host, url.port or (443 if url.scheme == "https" else 80)
