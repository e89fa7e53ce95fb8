"""One request of the API as data, and how its answer is read. Nothing is sent here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote

from wintun_api.client.problems import ITS_ADDRESS, NotTheService, ProblemError, UnexpectedAnswer

T = TypeVar("T")

JSON_TYPE: Final = "application/json"
OTHER_VERSION: Final = "The client and the service may be of different versions."


TIMEOUT: Final = 120.0  # seconds; longer than the service lets a request wait for a driver call
MAX_ANSWER: Final = 64 * 1024 * 1024  # bytes; longer than any answer that does not go on
CREATED: Final = 201  # the status of an answer to a request that has created something
# Problems that mean that what a handle would undo is already undone.
GONE: Final = (
    "adapter-not-found",
    "session-not-found",
    "session-ended",
    "impairment-not-found",
    "recorder-not-found",
    "capture-not-found",
)


class Unset(Enum):
    """The value of an argument that was not given, where None has a meaning of its own."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has arrived.

    Attributes:
        status: The HTTP status.
        content: The body.
        content_type: The media type of the body, with its parameters; empty if there is none.
        retry_after: What the header `Retry-After` says; empty if there is none.
        location: What the header `Location` says; empty if there is none.
    """

    status: int
    content: bytes
    content_type: str = ""
    retry_after: str = ""
    location: str = ""

    @property
    def good(self) -> bool:
        """Whether the service has done what was asked."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and the type of its answer.

    Attributes:
        operation: The `operationId` in the OpenAPI document.
        method: The method of HTTP.
        path: The path, with its parts percent-encoded.
        answer: What the answer holds: a model of `wintun_api.schemas` such as `adapters.Adapter`,
            `[adapters.Adapter]` for a list of them, `text`, `json`, or `nothing`; for an answer
            that does not end, its media type.
        query: The parameters of the query.
        body: The members that are sent as JSON; None for no body.
        content: The bytes that are sent in its place.
        content_type: The media type of these bytes.
        open: Whether the operation needs no token. Then none is sent.
    """

    operation: str
    method: str
    path: str
    answer: str
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content: bytes | None = None
    content_type: str = ""
    open: bool = False

    def as_json(self) -> Call[Any]:
        """Return the same request, whose answer is taken as the service wrote it: as plain JSON."""
        known = self.answer in ("nothing", "text")
        return cast("Call[Any]", self if known else replace(self, answer="json"))

    def payload(self) -> tuple[bytes | None, str]:
        """Return the bytes of the body and their media type.

        Raises:
            TypeError: A value cannot be written as JSON.
            ValueError: A number is infinite, or a text has half of a surrogate pair.
        """
        if self.body is None:
            return self.content, self.content_type
        text = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode(), JSON_TYPE

    def read(self, reply: Reply, url: str) -> T:
        """Return what an answer says.

        Args:
            reply: The answer.
            url: The address it came from, for errors.

        Raises:
            ProblemError: The service has refused the request.
            NotTheService: The answer is not one of the service.
            UnexpectedAnswer: The answer does not fit this version of the client.
        """
        if not reply.good:
            raise refusal(reply, url)
        if self.answer == "nothing":
            return cast("T", None)
        if self.answer == "text":
            return cast("T", reply.content.decode("utf-8", "replace"))
        said = _json(reply, url)
        return cast("T", said if self.answer == "json" else self._model(said, url))

    def _model(self, said: object, url: str) -> object:
        from pydantic import ValidationError  # slow to import; only an answer needs it

        try:
            return _adapter(self.answer).validate_python(said, extra="ignore")
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            count = error.error_count()
            more = f", and {count - 1} more" if count > 1 else ""
            raise UnexpectedAnswer(
                self.operation,
                f"The answer of {url} to {self.operation} does not fit this version of the client: "
                f"{place}: {first['msg']}{more}.",
                hint=OTHER_VERSION,
                answer=said,
            ) from None


def refusal(reply: Reply, url: str) -> ProblemError | NotTheService:
    """Return the error for an answer whose status is not one of success."""
    if 300 <= reply.status < 400:
        to = f" to {reply.location}" if reply.location else ""
        return NotTheService(
            url,
            f"What answers at {url} sends its clients on{to}.",
            hint="If the service is there, give that address as `url`.",
            kind="redirect",
            status=reply.status,
        )
    said = _json(reply, url)
    wait = reply.retry_after
    return ProblemError(
        reply.status,
        said if isinstance(said, dict) else {},
        retry_after=float(wait) if wait.isascii() and wait.isdigit() else None,
    )


def given(*, sparse: bool = False, **members: Any) -> dict[str, Any]:
    """Return the members that were given, as JSON knows them. None and UNSET are not given.

    Args:
        sparse: As `plain_value` takes it.
        members: The members by their names.
    """
    return {
        name: plain_value(value, sparse=sparse)
        for name, value in members.items()
        if value is not None and value is not UNSET
    }


def plain_value(value: Any, *, sparse: bool = False) -> Any:
    """Return a value as JSON knows it: models as objects; GUIDs and addresses as texts.

    Args:
        value: The value.
        sparse: Whether members of a model that were not given are left out, where they differ from
            null.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "model_dump"):  # a model of pydantic
        return value.model_dump(mode="json", exclude_unset=sparse)
    if isinstance(value, Mapping):
        return {str(name): plain_value(one, sparse=sparse) for name, one in value.items()}
    if type(value).__module__ in ("ipaddress", "uuid"):  # some addresses are iterable
        return str(value)
    if isinstance(value, Iterable):
        return [plain_value(one, sparse=sparse) for one in value]
    return value


def path_of(*parts: object) -> str:
    """Return a path whose parts may hold any character."""
    return "/" + "/".join(map(_part, parts))


def query_of(**parameters: Any) -> dict[str, str | list[str]]:
    """Return the parameters of a query that were given, as texts; a list is given several times."""
    return {
        name: [*map(_text, value)] if isinstance(value, list) else _text(value)
        for name, value in given(**parameters).items()
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(part: object) -> str:
    text = quote(str(part), safe="")
    # A part of dots alone would name a folder above (RFC 3986, 5.2.4).
    return text.replace(".", "%2E") if text in (".", "..") else text


def _json(reply: Reply, url: str) -> Any:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        raise NotTheService(
            url,
            f"Another program answers at {url}, or one between here and the service "
            f"(HTTP status {reply.status}).",
            hint=ITS_ADDRESS,
            kind="between",
            status=reply.status,
        ) from None


@cache
def _adapter(answer: str) -> Any:
    """Return what reads answers of a type; imported when the first of them comes."""
    from importlib import import_module

    from pydantic import TypeAdapter

    module, _, name = answer.strip("[]").partition(".")
    model: Any = getattr(import_module(f"wintun_api.schemas.{module}"), name)
    return TypeAdapter[Any](list[model] if answer.startswith("[") else model)
