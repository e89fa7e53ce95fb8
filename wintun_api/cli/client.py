"""The API over HTTP; its errors as sentences."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote
from uuid import UUID

import httpx

from wintun_api.cli import variables
from wintun_api.cli.diagnosis import look
from wintun_api.cli.exit_codes import ExitCode, code_of
from wintun_api.cli.hints import OTHER_VERSION, detail_of, hint_of, is_unknown_route, slug_of
from wintun_api.cli.output import errors_are_json, fail
from wintun_api.cli.setting_options import environment_settings
from wintun_api.paste import text_of, trimmed

MAX_TOKEN_FILE = 65_536  # bytes that are read of one; a device has no end
QUOTES = "\"'`"
TIMEOUT = 120.0  # longer than the service lets a request wait for a driver call
START_HINT = (
    "Start the service with wintun-api serve, or try it with wintun-api demo. If it runs at "
    "another address, give that with --url."
)

# The errors that an answer causes which the service of this version would not send.
STRANGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    httpx.DecodingError,
)

JsonObject = dict[str, Any]


class Client:
    """A client of one service. A request that fails ends the command with the code of its kind."""

    def __init__(self, http: httpx.Client, token: str | None, token_file: Path | None) -> None:
        self._http = http
        self._token = token
        self._token_file = token_file
        self._token_source = ""
        self._met = False

    @property
    def url(self) -> str:
        """The address of the service."""
        return str(self._http.base_url)

    @property
    def token_source(self) -> str:
        """Where the token comes from, in words; known after the first request."""
        return self._token_source

    def get(self, path: str, **query: str | None) -> Any:
        """Return the JSON of a resource."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.request("GET", path, params=given)

    def send(self, method: str, path: str, **body: Any) -> Any:
        """Send members that are not None as JSON, or no body, and return the answer's JSON."""
        given = {name: value for name, value in body.items() if value is not None}
        return self.request(method, path, json=given or None)

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Send a request and return the JSON of its answer; None if that is empty."""
        try:
            return self.attempt(method, path, **more)
        except httpx.TransportError as error:
            self.broke(error)

    def attempt(self, method: str, path: str, **more: Any) -> Any:
        """Do as `request`, but raise `httpx.TransportError` for callers that try again."""
        self._meet()
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
            self.broke(error)

    @contextmanager
    def listen(
        self, path: str, query: Mapping[str, str | float | None], silence: float | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Do as `stream`, but raise `httpx.TransportError` at once.

        It is raised too when nothing comes for so many seconds of silence.
        """
        self._meet()
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
            detail, hint = f"{self.url} no longer answers.", START_HINT
        elif isinstance(error, httpx.TimeoutException):
            detail = f"{self.url} did not answer in time."
            hint = "The service may still do what was asked: look with wintun-api status."
        else:
            detail = f"The connection to {self.url} broke: {plain(error)}."
            hint = "See whether the service still runs with: wintun-api status"
        fail(detail, hint, code=ExitCode.NOT_REACHABLE)

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
            fail(
                f"No adapter has the name {word!r}.",
                "See wintun-api adapters list.",
                code=ExitCode.NOT_FOUND,
            )
        if len(named) > 1:
            guids = ", ".join(f"{one['guid']} (pool {one['pool']})" for one in named)
            fail(
                f"Several adapters have the name {word!r}.",
                f"Give the GUID of one instead: {guids}.",
                code=ExitCode.CONFLICT,
            )
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
                f"No session has the id {word!r}, and no adapter of this name has a session.",
                "See wintun-api sessions list; start one with wintun-api sessions start.",
                code=ExitCode.NOT_FOUND,
            )
        if len(found) > 1:
            ids = ", ".join(one["id"] for one in found)
            fail(
                f"The name {word!r} stands for several sessions.",
                f"Give the id of one instead: {ids}.",
                code=ExitCode.CONFLICT,
            )
        return str(found[0]["id"])

    def _meet(self) -> None:
        """Make sure, once, that it is the service that answers, then take the token.

        In this order: where no service has run there is no token file either, and the missing
        service is what its user needs to know.
        """
        if self._met:
            return
        self._met = True
        finding = look(self._http, start_hint=START_HINT)
        if finding is not None:
            fail(finding.detail, finding.hint, code=ExitCode.NOT_REACHABLE)
        secret, self._token_source = find_token(self._token, self._token_file)
        self._http.headers["Authorization"] = f"Bearer {secret}"

    def _refused(self, answer: httpx.Response) -> NoReturn:
        problem = _json(answer, self._http.base_url)
        if not isinstance(problem, dict):
            problem = {}
        slug, status = slug_of(problem), answer.status_code
        detail = detail_of(problem) or f"The service answers with the HTTP status {status}."
        if slug == "unauthorized":
            detail = f"The service does not accept the token from {self._token_source}."
        code = ExitCode.FAILED if is_unknown_route(problem) else code_of(slug, status)
        hint = OTHER_VERSION if is_unknown_route(problem) else hint_of(problem)
        log = [f"driver: {line}" for line in problem.get("log", ())]
        hints = [hint] if hint else []
        if not errors_are_json():
            hints += log
        fail(detail, *hints, code=code, problem=problem)


@contextmanager
def connect(url: str, token: str | None, token_file: Path | None) -> Iterator[Client]:
    """Return a client that presents the token; nothing is sent yet.

    What is done with it works on answers that may come from another program. An answer that the
    service cannot have sent ends the command.
    """
    variables.check_variables()
    try:
        http = open_http(url, None)
    except (httpx.InvalidURL, ValueError) as error:
        fail(
            f"--url: {error}.",
            f"Write the address as http://127.0.0.1:9886, not {url}.",
            code=ExitCode.USAGE,
        )
    with http:
        try:
            yield Client(http, token, token_file)
        except STRANGE as error:
            fail(
                f"The program at {http.base_url} does not answer like this service "
                f"({type(error).__name__}: {str(error)[:200]}).",
                f"Give the service's address with --url. {OTHER_VERSION}",
                code=ExitCode.NOT_REACHABLE,
            )


def open_http(
    url: str,
    token: str | None,
    *,
    timeout: float = TIMEOUT,
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
) -> httpx.Client:
    """Return an HTTP client of the service at this address.

    Raises:
        ValueError: The address does not begin with http or https.
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
    variable = os.environ.get(variables.TOKEN)
    if token_file is None and variable:
        return _checked(variable, variables.TOKEN), f"the variable {variables.TOKEN}"
    path = token_file or environment_settings().token_path
    hint = (
        "The service prints the path of its token file when it starts, and the demo prints its "
        "token. Give the file with --token-file, or the token in the variable WINTUN_API_TOKEN."
    )
    try:
        secret = read_token(path)
    except FileNotFoundError:
        fail(f"There is no token file {path}.", hint, code=ExitCode.REFUSED)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"Cannot read the token file {path}: {plain(error)}.", hint, code=ExitCode.REFUSED)
    if not secret:
        fail(f"The token file {path} is empty.", hint, code=ExitCode.REFUSED)
    return _checked(secret, f"the file {path}"), f"the file {path}"


def read_token(path: Path) -> str:
    """Return what a token file holds; raises OSError and UnicodeDecodeError."""
    with path.open("rb") as file:
        return text_of(file.read(MAX_TOKEN_FILE))


def path_of(*parts: str) -> str:
    """Return a path whose parts may hold any character."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def plain(error: Exception) -> str:
    """Return the words of an error without its number."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return re.sub(r"^\[Errno -?\d+\] ", "", words).rstrip(".")


def _checked(token: str, source: str) -> str:
    token = trimmed(token)
    if not token:
        fail(
            f"The token from {source} is empty.",
            "Give the token, or leave it out.",
            code=ExitCode.REFUSED,
        )
    if len(token) > 1 and token[0] == token[-1] and token[0] in QUOTES:
        fail(
            f"The token from {source} has quotation marks around it.",
            "Remove them.",
            code=ExitCode.REFUSED,
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        fail(
            f"The token from {source} has a space or a character that no token has.",
            "Copy the token again, without anything around it.",
            code=ExitCode.REFUSED,
        )
    return token


def _json(answer: httpx.Response, url: httpx.URL) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        fail(
            f"Another program answers at {url}, or one between here and the service "
            f"(HTTP status {answer.status_code}).",
            "Give the address that the service printed when it started with --url.",
            code=ExitCode.NOT_REACHABLE,
        )
