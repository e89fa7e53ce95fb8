"""The API over HTTP; its errors as sentences."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote
from uuid import UUID

import httpx

from wintun_api.cli.options import environment_settings
from wintun_api.cli.output import fail
from wintun_api.paste import text_of, trimmed

TOKEN_VARIABLE = "WINTUN_API_TOKEN"  # noqa: S105  the name of a variable
MAX_TOKEN_FILE = 65_536  # bytes that are read of one; a device has no end
QUOTES = "\"'`"
TIMEOUT = 120.0  # longer than the service lets a request wait for a driver call

JsonObject = dict[str, Any]


class Client:
    """A client of one service. A request that fails ends the command with exit code 1."""

    def __init__(self, http: httpx.Client, token_source: str) -> None:
        self._http = http
        self._token_source = token_source

    def get(self, path: str, **query: str | None) -> Any:
        """Return the JSON of a resource."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.request("GET", path, params=given)

    def send(self, method: str, path: str, **body: Any) -> Any:
        """Send members that are not None as JSON, or no body, and return the answer's JSON."""
        given = {name: value for name, value in body.items() if value is not None}
        return self.request(method, path, json=given or None)

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Send a request and return the JSON of its answer; None when there is none."""
        try:
            return self.attempt(method, path, **more)
        except httpx.TransportError as error:
            self.broke(error)

    def attempt(self, method: str, path: str, **more: Any) -> Any:
        """Do as `request`, but let `httpx.TransportError` through, for who tries again."""
        answer = self._http.request(method, path, **more)
        if answer.is_success:
            return _json(answer, self._http.base_url) if answer.content else None
        return self._refused(answer)

    @contextmanager
    def stream(self, path: str, **query: str | float | None) -> Iterator[Iterator[bytes]]:
        """Return the bytes of an answer that goes on, as they come.

        An answer that breaks off raises `httpx.TransportError` while it is read.
        """
        try:
            with self.listen(path, query) as chunks:
                yield chunks
        except httpx.ConnectError as error:
            self._unreachable(error)

    @contextmanager
    def listen(
        self, path: str, query: Mapping[str, str | float | None], silence: float | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Do as `stream`, but let `httpx.TransportError` through at once.

        It is raised too when nothing comes for so many seconds of silence.
        """
        given = {name: value for name, value in query.items() if value is not None}
        timeout = httpx.Timeout(TIMEOUT, read=silence)
        with self._http.stream("GET", path, params=given, timeout=timeout) as answer:
            if not answer.is_success:
                answer.read()
                self._refused(answer)
            yield answer.iter_raw()

    def broke(self, error: httpx.TransportError) -> NoReturn:
        """End the command with the sentence of a connection that failed."""
        if isinstance(error, httpx.ConnectError):
            self._unreachable(error)
        if isinstance(error, httpx.TimeoutException):
            fail(f"{self._http.base_url} does not answer in time.")
        fail(f"The connection to {self._http.base_url} broke: {error}.")

    def adapters(self) -> list[JsonObject]:
        """Return all adapters."""
        found: list[JsonObject] = self.get("/v1/adapters")
        return found

    def adapter_guid(self, word: str) -> str:
        """Return the GUID of the adapter that a GUID or a name stands for."""
        with suppress(ValueError):
            return str(UUID(word))
        adapters = self.adapters()
        named = [one for one in adapters if one["name"] == word] or [
            one for one in adapters if trimmed(one["name"]).casefold() == word.casefold()
        ]
        if not named:
            fail(f"No adapter has the name {word!r}.", "See wintun-api adapters list.")
        if len(named) > 1:
            guids = ", ".join(f"{one['guid']} (pool {one['pool']})" for one in named)
            fail(f"Several adapters have the name {word!r}.", f"Name one by its GUID: {guids}.")
        return str(named[0]["guid"])

    def session_id(self, word: str) -> str:
        """Return the id of the session that an id, or the name or GUID of its adapter means."""
        sessions = self.get("/v1/sessions")
        if any(one["id"] == word for one in sessions):
            return word
        adapters = self.adapters()
        names = {one["guid"]: trimmed(one["name"]).casefold() for one in adapters}
        wanted = word.casefold()
        with suppress(ValueError):
            wanted = str(UUID(word))
        found = [
            one for one in sessions if wanted in (one["adapter"], names.get(one["adapter"], ""))
        ]
        found = [one for one in found if one["state"] == "running"] or found
        if not found:
            fail(
                f"No session has the id {word!r}, and no adapter of this name has one.",
                "See wintun-api sessions list; start one with wintun-api sessions start.",
            )
        if len(found) > 1:
            ids = ", ".join(one["id"] for one in found)
            fail(f"Several sessions are of {word!r}.", f"Name one by its id: {ids}.")
        return str(found[0]["id"])

    def _unreachable(self, error: httpx.ConnectError) -> NoReturn:
        url = self._http.base_url
        if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error).upper():
            fail(
                f"{url} shows a certificate that is not trusted here: {error}.",
                "Name the certificate, or the authority's, with the variable SSL_CERT_FILE.",
            )
        fail(
            f"Nothing answers at {url}.",
            "Start the service with wintun-api serve, or wintun-api demo to try it; "
            "another address goes with --url.",
        )

    def _refused(self, answer: httpx.Response) -> NoReturn:
        problem = _json(answer, self._http.base_url)
        if not isinstance(problem, dict):
            problem = {}
        detail = str(problem.get("detail") or f"The service answers {answer.status_code}.")
        if answer.status_code == 401:
            fail(
                f"The service does not know the token of {self._token_source}.",
                "It names its token file when it starts: give that one with --token-file.",
            )
        hint = str(problem.get("hint") or "")
        log = [f"driver: {line}" for line in problem.get("log", [])]
        fail(detail, *([hint] if hint else []), *log)


@contextmanager
def connect(url: str, token: str | None, token_file: Path | None) -> Iterator[Client]:
    """Return a client that presents the token; nothing is sent yet."""
    secret, source = find_token(token, token_file)
    try:
        http = open_http(url, secret)
    except (httpx.InvalidURL, ValueError) as error:
        fail(f"--url: {error}.", f"Give it as in http://127.0.0.1:9886, not {url}.", code=2)
    with http:
        yield Client(http, source)


def open_http(
    url: str,
    token: str | None,
    *,
    timeout: float = TIMEOUT,
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
) -> httpx.Client:
    """Return an HTTP client of the service at this address.

    Raises:
        ValueError: It is no http or https address.
    """
    address = httpx.URL(trimmed(url).rstrip("/"))
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError("it must begin with http:// or https:// and name a host")
    return httpx.Client(
        base_url=address,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        # The default is OpenSSL's, which heeds SSL_CERT_FILE. It is slow to read: only if needed.
        verify=trust() if address.scheme == "https" else False,
        timeout=timeout,
        trust_env=False,  # a proxy has no way to this machine's loopback
    )


def find_token(token: str | None, token_file: Path | None) -> tuple[str, str]:
    """Return the token and where it comes from: flags, then environment, then the default file."""
    if token is not None:
        return _checked(token, "--token"), "--token"
    variable = os.environ.get(TOKEN_VARIABLE)
    if token_file is None and variable:
        return _checked(variable, TOKEN_VARIABLE), f"the variable {TOKEN_VARIABLE}"
    path = token_file or environment_settings().token_path
    hint = (
        "The service makes it when it starts, and names it then. Give the file with --token-file, "
        "or the token with WINTUN_API_TOKEN."
    )
    try:
        secret = read_token(path)
    except FileNotFoundError:
        fail(f"There is no token file {path}.", hint)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"Cannot read the token file {path}: {getattr(error, 'strerror', error)}.", hint)
    if not secret:
        fail(f"The token file {path} is empty.", hint)
    return _checked(secret, f"the file {path}"), f"the file {path}"


def read_token(path: Path) -> str:
    """Return what a token file holds; raises OSError and UnicodeDecodeError."""
    with path.open("rb") as file:
        return text_of(file.read(MAX_TOKEN_FILE))


def path_of(*parts: str) -> str:
    """Return a path whose parts may hold any character."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _checked(token: str, source: str) -> str:
    token = trimmed(token)
    if not token:
        fail(f"What {source} holds is empty.", "Give the token, or leave it out.")
    if len(token) > 1 and token[0] == token[-1] and token[0] in QUOTES:
        fail(f"What {source} holds has quotation marks around the token.", "Remove them.")
    if not (token.isascii() and token.isprintable()) or " " in token:
        fail(f"What {source} holds is no token: it must be ASCII without spaces.")
    return token


def _json(answer: httpx.Response, url: httpx.URL) -> Any:
    try:
        return answer.json()
    except ValueError:
        fail(
            f"What answers at {url} is not wintun-api (status {answer.status_code}).",
            "Give the service's address with --url.",
        )
