"""The client of the API for commands; its errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from wintun_api.cli import filter_fault, lookup
from wintun_api.cli.exit_codes import ExitCode, code_of
from wintun_api.cli.hints import OTHER_VERSION, detail_of, hint_of, is_unknown_route, slug_of
from wintun_api.cli.output import errors_are_json, fail
from wintun_api.cli.setting_options import check_variables
from wintun_api.cli.wording import about_members, with_plain_errors
from wintun_api.cli.words import in_options, refuse_address, refuse_credential, unreachable
from wintun_api.client import operations, synchronous
from wintun_api.client.call import TIMEOUT, Call
from wintun_api.client.problems import (
    ClientError,
    CredentialError,
    ProblemError,
    ServiceUnreachable,
)
from wintun_api.paste import trimmed

# The errors that an answer causes which the service of this version would not send.
STRANGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    ClientError,
)

JsonObject = dict[str, Any]


class Client:
    """A client of one service. A request that fails ends the command with the code of its kind.

    Answers are JSON as the service wrote it, so that `--json` shows what a later version adds.
    """

    def __init__(self, api: synchronous.Client) -> None:
        self._api = api

    @property
    def url(self) -> str:
        """The address of the service."""
        return self._api.url

    @property
    def token_source(self) -> str:
        """Where the token comes from, in words."""
        return in_options(self._api.reach().token_source)

    def ask(
        self,
        call: Call[Any],
        *,
        missing: str = "",
        words: Callable[[str], str] | None = None,
        invalid: Callable[[JsonObject], NoReturn] | None = None,
    ) -> Any:
        """Send a request and return the JSON of its answer; None if it has none.

        Args:
            call: The request.
            missing: The problem type, its last part, for which None is returned as well.
            words: Puts the detail of another problem into the words of the command.
            invalid: Ends the command where the service refuses what the request says; it is given
                the problem document.
        """
        try:
            return self.attempt(call, missing=missing, words=words, invalid=invalid)
        except ServiceUnreachable as error:
            unreachable(error)

    def attempt(
        self,
        call: Call[Any],
        *,
        missing: str = "",
        words: Callable[[str], str] | None = None,
        invalid: Callable[[JsonObject], NoReturn] | None = None,
    ) -> Any:
        """Do as `ask`, but raise `ServiceUnreachable` for callers that try again."""
        try:
            return self._api.send(call.as_json())
        except CredentialError as error:
            refuse_credential(error)
        except ProblemError as error:
            if missing and slug_of(error.problem) == missing:
                return None
            if invalid is not None and slug_of(error.problem) == "invalid-request":
                invalid(with_plain_errors(error.problem))
            self._refused(error, words)

    @contextmanager
    def stream(self, call: Call[bytes]) -> Iterator[Iterator[bytes]]:
        """Return the bytes of an answer that goes on, as they come.

        An answer that breaks off raises `ServiceUnreachable` while it is read.
        """
        with ExitStack() as stack:
            try:
                chunks = stack.enter_context(self.listen(call))
            except ServiceUnreachable as error:
                unreachable(error)
            yield chunks

    @contextmanager
    def download(self, call: Call[bytes], *, missing: str) -> Iterator[Iterator[bytes] | None]:
        """Do as `stream` for a file; return None for the problem type `missing`."""
        with ExitStack() as stack:
            try:
                chunks = stack.enter_context(self._api.listen(call.as_json(), silence=TIMEOUT))
            except ServiceUnreachable as error:
                unreachable(error)
            except CredentialError as error:
                refuse_credential(error)
            except ProblemError as error:
                if slug_of(error.problem) != missing:
                    self._refused(error)
                yield None
                return
            yield chunks

    @contextmanager
    def listen(self, call: Call[bytes], silence: float | None = None) -> Iterator[Iterator[bytes]]:
        """Do as `stream`, but raise `ServiceUnreachable` at once.

        It is raised too when nothing comes for so many seconds of silence.
        """
        try:
            with self._api.listen(call.as_json(), silence=silence) as chunks:
                yield chunks
        except CredentialError as error:
            refuse_credential(error)
        except ProblemError as error:
            self._refused(error)

    def adapters(self) -> list[JsonObject]:
        """Return all adapters."""
        found: list[JsonObject] = self.ask(operations.list_adapters())
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

    def session(self, word: str) -> JsonObject:
        """Return the session that is meant by an id, its beginning, or a name of its adapter."""
        sessions: list[JsonObject] = self.ask(operations.list_sessions())
        for one in sessions:
            if one["id"] == word:
                return one
        return lookup.session_of(sessions, self.adapters(), word)

    def session_id(self, word: str) -> str:
        """Return the id of the session that a word means, as for `session`."""
        return str(self.session(word)["id"])

    def capture_id(self, word: str, preferred: Collection[str] = ()) -> str:
        """Return the id of the capture that an id, its beginning, or a name means.

        Args:
            word: What the user calls it.
            preferred: The states that a capture has which a name means, if several have the name.
        """
        return lookup.capture_id(self.ask(operations.list_captures()), word, preferred)

    def token_id(self, word: str) -> str:
        """Return the id of the token that an id, its beginning, or a label means."""
        return lookup.token_id(self.ask(operations.list_tokens()), word)

    def client_id(self, word: str) -> str:
        """Return the id of the client that an id or its beginning means."""
        return lookup.client_id(self.ask(operations.list_clients()), word)

    def _refused(self, error: ProblemError, words: Callable[[str], str] | None = None) -> NoReturn:
        problem, slug = error.problem, slug_of(error.problem)
        detail = about_members(problem) or detail_of(problem)
        detail = detail or f"The service answers with the HTTP status {error.status}."
        if words is not None:
            detail = words(detail)
        if slug == "unauthorized":
            detail = f"The service does not accept the token from {self.token_source}."
        code = ExitCode.FAILED if is_unknown_route(problem) else code_of(slug, error.status)
        hint = OTHER_VERSION if is_unknown_route(problem) else hint_of(problem)
        hints = [hint] if hint else []
        if not errors_are_json():
            hints = [*filter_fault.lines_of(problem), *hints]
            hints += [f"driver: {line}" for line in error.log]
        fail(detail, *hints, code=code, problem=with_plain_errors(problem))


@contextmanager
def connect(url: str, token: str | None, token_file: Path | None) -> Iterator[Client]:
    """Return a client that presents the token; nothing is sent yet.

    What is done with it works on answers that may come from another program. An answer that the
    service cannot have sent ends the command.
    """
    check_variables()
    try:
        api = synchronous.Client(url, token=token, token_file=token_file)
    except ServiceUnreachable as error:
        refuse_address(error, url)
    with api:
        try:
            yield Client(api)
        except STRANGE as error:
            fail(
                f"The program at {api.url} does not answer like this service "
                f"({type(error).__name__}: {str(error)[:200]}).",
                f"Give the service's address with --url. {OTHER_VERSION}",
                code=ExitCode.NOT_REACHABLE,
            )
