"""The exceptions of the client: each says what is the case, and holds it in fields.

ClientError                base of them all
├── ProblemError           the service refused a request; `kind` says why
├── ServiceUnreachable     no service answers at the address
│   └── NotTheService      another program answers there
├── UnexpectedAnswer       an answer of the service does not fit this version of the client
├── CredentialError        there is no token, or it cannot be read
├── FilterRefused          a stream cannot have this filter; `offset` says where it is wrong
└── StreamClosed           a stream has ended before its session has; `code`
    ├── ConnectionLost     without a close frame: the network failed, or the service was killed
    ├── TokenRevoked       4001: the token was revoked or has expired
    ├── Disconnected       4002: an administrator disconnected this client
    ├── ScopeMissing       4003: the token does not allow this
    ├── TooSlow            4008: the program reads too slowly for its queue
    └── FrameRefused       4010: the service could not read what was sent
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar
from uuid import UUID

from wintun_api.choices import CloseCode
from wintun_api.client.burst import Accounts
from wintun_api.errors import WintunApiError

T = TypeVar("T")

URN: Final = "urn:wintun-api:problem:"
PASSING_STATUS: Final = (429, 502, 503, 504)  # later the same request may succeed
ITS_ADDRESS: Final = "Give the address that the service printed when it started as `url`."


class ClientError(WintunApiError):
    """Base class of every error that the client raises on purpose.

    Attributes:
        detail: A sentence that says what is the case.
        hint: A sentence that says what to do next; it may be empty.
    """

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}".rstrip()


class ProblemError(ClientError):
    """Report that the service has refused a request (RFC 9457).

    Attributes:
        status: The HTTP status of the answer.
        type: The type of the problem, for programs: `urn:wintun-api:problem:adapter-exists`.
        kind: Its last part: `adapter-exists`. It is empty if the answer is not a problem document.
        title: The type in words.
        function: The name of the driver's function that failed; None if no function did.
        win32_code: The error number that the driver returned on Windows; None if there was none.
        errno: The error number that the driver returned on Linux; None if there was none.
        errors: What is wrong with the fields of the request: (path of the field, sentence).
        log: The lines that the driver wrote to its log during the call that failed.
        deleted: The GUID of the adapter that was deleted, to be replaced, before the request
            failed; None if there was none.
        problem: All members of the problem document.
        retry_after: The seconds after which the request may be sent again, if the answer says
            them, as one with the status 429 does; None otherwise.
    """

    def __init__(
        self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None
    ) -> None:
        detail = str(problem.get("detail") or problem.get("title") or "")
        super().__init__(
            detail or f"The service answers with the HTTP status {status}.",
            hint=str(problem.get("hint") or ""),
        )
        self.status = status
        self.problem: dict[str, Any] = dict(problem)
        self.type: str = str(problem.get("type", ""))
        self.kind: str = self.type.removeprefix(URN) if self.type.startswith(URN) else ""
        self.title: str = str(problem.get("title", ""))
        self.function: str | None = _known(problem.get("function"), str)
        self.win32_code: int | None = _known(problem.get("win32_code"), int)
        self.errno: int | None = _known(problem.get("errno"), int)
        self.errors: Sequence[tuple[str, str]] = tuple(
            (str(one.get("field", "")), str(one.get("message", "")))
            for one in _list(problem.get("errors"))
            if isinstance(one, dict)
        )
        self.log: Sequence[str] = tuple(map(str, _list(problem.get("log"))))
        with suppress(ValueError):
            self.deleted: UUID | None = UUID(str(problem.get("deleted")))
        self.retry_after = retry_after


class UnexpectedAnswer(ClientError):
    """Report an answer that this version of the client cannot read.

    Attributes:
        operation: The `operationId` of the request.
        answer: The answer, as JSON.
    """

    def __init__(self, operation: str, detail: str, *, hint: str = "", answer: Any = None) -> None:
        super().__init__(detail, hint=hint)
        self.operation = operation
        self.answer = answer


class ServiceUnreachable(ClientError):
    """Report that no service answers at an address.

    Attributes:
        url: The address.
        kind: Why, in a word for programs: `refused`, `silent`, `broken`, `late`, `unknown-host`,
            `address`, `tls`, `plain`, `certificate`; and for another program also `redirect`,
            `proxy`, `between`, `other`.
        better: The address that would work, if one is known: the same with TLS, or where a
            redirect leads.
        status: The HTTP status of the answer; None if there was none.
    """

    def __init__(
        self,
        url: str,
        detail: str,
        *,
        hint: str = "",
        kind: str = "",
        better: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self.url = url
        self.kind = kind
        self.better = better
        self.status = status


class NotTheService(ServiceUnreachable):
    """Report that another program answers at the address."""


class CredentialError(ClientError):
    """Report that there is no token, or that it cannot be read.

    Attributes:
        source: Where the token was looked for, in words.
        kind: Why, in a word for programs: `missing`, `unreadable`, `malformed`, `settings`.
    """

    def __init__(self, source: str, detail: str, *, hint: str = "", kind: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.source = source
        self.kind = kind


class FilterRefused(ClientError):
    """Report that a stream cannot have another filter, and keeps the one that it has.

    Attributes:
        filter: The filter that was asked for.
        reason: What is wrong with it, in the words of the service.
        offset: Where the fault begins, in characters from the start of the filter.
    """

    def __init__(self, expression: str, reason: str, offset: int) -> None:
        super().__init__(
            f"The filter is refused at character {offset + 1}: {reason.rstrip('.')}.",
            hint="pcap-filter(7) describes the language. The stream keeps the filter that it has.",
        )
        self.filter = expression
        self.reason = reason
        self.offset = offset


class StreamClosed(ClientError):
    """Report that a stream has ended before its session has.

    Attributes:
        code: The close code of the WebSocket; `CloseCode.ABNORMAL` if there was no close frame.
        reason: The reason that the service gave; it may be empty.
        accounts: What became of the packets of the `send` that raised this; None otherwise. Packets
            that these accounts do not cover were not sent.
    """

    def __init__(self, code: int, reason: str, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.code = code
        self.reason = reason
        self.accounts: Accounts | None = None


class ConnectionLost(StreamClosed):
    """Report that the connection ended without a close frame."""


class TokenRevoked(StreamClosed):
    """Report that the token was revoked or has expired."""


class Disconnected(StreamClosed):
    """Report that an administrator disconnected this client."""


class ScopeMissing(StreamClosed):
    """Report that the token does not have the scope for what was sent."""


class TooSlow(StreamClosed):
    """Report that the program reads too slowly for its queue."""


class FrameRefused(StreamClosed):
    """Report that the service could not read what was sent."""


# Close code -> the error, and what to do next
_CLOSED: Final[dict[int, tuple[type[StreamClosed], str]]] = {
    CloseCode.ABNORMAL: (ConnectionLost, "Connect again; the option `reconnect` does so."),
    CloseCode.GOING_AWAY: (StreamClosed, "Connect again when the service has started again."),
    CloseCode.ENDED: (StreamClosed, "Start a new session."),
    CloseCode.TOKEN: (TokenRevoked, "Connect again with a token that is valid."),
    CloseCode.DISCONNECTED: (Disconnected, "Connect again if the administrator agrees."),
    CloseCode.SCOPE: (ScopeMissing, "Use a token with the scope that the reason names."),
    CloseCode.SLOW: (TooSlow, "Read faster, or choose another `overflow` or a longer queue."),
    CloseCode.BAD_FRAME: (FrameRefused, "Send complete IP packets without an Ethernet header."),
}


def closed(code: int | None, reason: str) -> StreamClosed:
    """Return the error for a WebSocket that was closed with this code; None if without one."""
    number = CloseCode.ABNORMAL if code is None else code
    kind, hint = _CLOSED.get(number, (StreamClosed, ""))
    if not reason:
        known = {one.value: one.reason for one in CloseCode}
        reason = known.get(number, f"The stream was closed with the code {number}.")
    return kind(number, reason, reason, hint=hint)


def _known(value: object, kind: type[T]) -> T | None:
    # The answer may come from another program.
    return value if isinstance(value, kind) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
