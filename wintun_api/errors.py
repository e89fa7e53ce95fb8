"""The exceptions of the package: each says what is the case, and holds it in fields.

    WintunApiError                     `hint`, where the place that raises it knows what helps
    ├── InvalidArgument (ValueError)   a name, pool, capacity, address ... that is not valid
    ├── InvalidSettings (ValueError)   flags, variables or keys that are wrong; `problems`
    ├── InvalidPacket (ValueError)     bytes that are not an IP packet; `reason`
    ├── FrameError (ValueError)        bytes that are not a batch frame; `reason`
    ├── InvalidFilter (ValueError)     a filter that libpcap does not accept; `offset`
    ├── FilterUnavailable              no libpcap is installed that could compile a filter
    ├── FiltersBusy                    too many filters are compiled now; try again
    ├── DriverUnavailable              the driver cannot work here; `reason`
    ├── DriverBusy                     a driver call did not finish in time, or was not begun
    ├── OutOfThreads                   the system does not let the process start another thread
    ├── SessionNotFound                no session has this id
    ├── ImpairmentNotFound             the session is not impaired; `session`
    ├── RecorderNotFound               the session has no recorder; `session`
    ├── CaptureNotFound                no named capture, or no file of one, has this name
    ├── CaptureOver                    the named capture has ended; `capture`
    ├── CapturesFull                   the named captures take all the bytes that they may
    ├── TooManyCaptures                there is no room for another named capture
    ├── TooManyReaders                 as many clients read recorders as can at a time
    ├── RecordersFull                  the recorders use all the memory that they may together
    ├── ServiceStopping                the service is shutting down
    ├── TokenEnded                     the token was revoked or expired, or its sign-in ended
    ├── TokenNotFound                  no token has this id
    ├── ClientNotFound                 no client that is connected has this id
    ├── TooManyTokens                  there is no room for another token
    ├── StorageFailed                  a change could not be written to the disk; nothing changed
    └── DriverError                    a driver refused; `failed` is the call, if one was made
        ├── AccessDenied               not elevated, no CAP_NET_ADMIN
        ├── AdapterNotFound            `adapter`
        ├── AdapterUnavailable         disabled, or its driver is being replaced; `adapter`
        ├── AdapterExists              name or GUID in use; `name`, `guid`
        ├── AddressExists              another interface of the machine has the address
        ├── RouteExists                another program's route has this destination and metric
        ├── SettingRefused             the system cannot apply this address or route at present
        ├── DriverInUse                the driver cannot be removed while adapters use it
        ├── SessionExists              one session per adapter, machine-wide; `adapter`, `session`
        ├── SessionEnded               the adapter is gone, or it was ended; `session`, `reason`
        ├── RingCorrupt                the receive ring is inconsistent: restart the session
        └── NotSupported               this driver or generation does not have the call
            └── CreatedElsewhere       another program created the adapter and must remove it

A few errors are defined beside the code that raises them, on the same tree: `files.UntrustedFile`,
`api.data_directory.DataDirectoryInUse` and `api.problems.Refusal`.

What to do about an error depends on where it is read, so each surface has its own table of advice:
`api.kinds` for HTTP and WebSocket clients, `cli.hints` for people at a terminal. A `hint` is given
here only where the place that raises the error knows more than its class says; then it speaks of
the machine, never of a route or an option of a command.

An empty result is a value (`[]`, `None`), never an exception.
"""

from __future__ import annotations

import copyreg
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

CodeDomain = Literal["win32", "errno", "configret"]


class CodeKind(StrEnum):
    """Name the kind of an error number; the values are the usual names of these kinds."""

    WIN32 = "Win32"
    SETUPAPI = "SetupAPI"
    HRESULT = "HRESULT"
    NTSTATUS = "NTSTATUS"


# winerror.h, ntstatus.h: HRESULT_FROM_WIN32, NTSTATUS_FROM_WIN32, HRESULT_FROM_NT of the latter.
_WIN32_FACILITIES = (0x8007, 0xC007, 0xD007)
_SETUPAPI_FACILITY = 0x800F  # setupapi.h: HRESULT_FROM_SETUPAPI
_SETUPAPI = 0xE000  # APPLICATION_ERROR_MASK and ERROR_SEVERITY_ERROR


def kind_of_code(code: int) -> CodeKind:
    """Return the kind of a Windows error number, from its upper bits (winerror.h, ntstatus.h)."""
    code &= 0xFFFFFFFF
    match code >> 28:
        case 0xE if code >> 16 == _SETUPAPI:
            return CodeKind.SETUPAPI
        case 0xC:
            return CodeKind.NTSTATUS
        case number if number >= 0x8:
            return CodeKind.HRESULT
        case _:
            return CodeKind.WIN32


def carried_code(code: int) -> int:
    """Return the Win32 or SetupAPI code that an HRESULT or an NTSTATUS carries.

    Any other number is returned unchanged. Results are unsigned; `code` may be signed, because
    ctypes returns an HRESULT as a signed number.
    """
    code &= 0xFFFFFFFF
    if code >> 16 in _WIN32_FACILITIES:
        return code & 0xFFFF
    if code >> 16 == _SETUPAPI_FACILITY:
        return _SETUPAPI << 16 | code & 0xFFFF
    return code


class WintunApiError(Exception):
    """Base class of every error that the package raises on purpose.

    Every one of them can be pickled and copied with its fields, and takes notes.

    Attributes:
        message: The sentence that was given for what is wrong; may be empty.
        hint: What helps, if the place that raises the error knows more than its class says.
        deleted: The GUID of an adapter that was deleted before the error occurred, to be replaced;
            None if the operation that failed has deleted none.
    """

    hint: str = ""
    deleted: UUID | None = None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is rebuilt from `args` by default, but these take fields instead.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InvalidArgument(WintunApiError, ValueError):
    """Refuse a value that is not valid for any driver; `field` names it."""

    def __init__(self, field: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field}: {message}", hint=hint)
        self.field = field


class InvalidSettings(WintunApiError, ValueError):
    """Refuse the settings; `problems` has one sentence for each wrong setting."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidPacket(WintunApiError, ValueError):
    """Refuse bytes that are not an IP packet; `reason` names the counter that counts it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FrameError(WintunApiError, ValueError):
    """Refuse bytes that are not a sequence of batch frames; `reason` is a `wire.Fault`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidFilter(WintunApiError, ValueError):
    """Refuse a filter that libpcap does not accept.

    Attributes:
        expression: The filter.
        reason: What libpcap says.
        offset: Where the fault begins, in characters; the length of the filter if it is incomplete.
    """

    def __init__(self, expression: str, reason: str, offset: int) -> None:
        super().__init__(f"The filter is not valid at character {offset + 1}: {reason}.")
        self.expression = expression
        self.reason = reason
        self.offset = offset


class FilterUnavailable(WintunApiError):
    """Report that no libpcap is installed that could compile a filter."""


class FiltersBusy(WintunApiError):
    """Report that a filter was not compiled because too many others are; it may be valid.

    Attributes:
        retry_after: The seconds after which another request has a chance.
    """

    retry_after: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__("The service is busy with other filters and did not compile this one.")


class DriverUnavailable(WintunApiError):
    """Report that the driver cannot work on this machine now; `reason` is machine-readable."""

    def __init__(self, reason: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class DriverBusy(WintunApiError):
    """Report that a driver call did not finish in time, or was refused because of others.

    Attributes:
        call: The call that was asked for, in the driver's words.
        ahead: The call that it waited for, if it waited for another one.
        seconds: How long the running call has taken; None if nothing was waited for.
        unfinished: How many earlier calls were in its way, if it was refused at once.
    """

    def __init__(
        self,
        call: str,
        seconds: float | None = None,
        *,
        ahead: str = "",
        unfinished: int = 0,
        detail: str = "",
    ) -> None:
        super().__init__(" ".join(filter(None, (_busy(call, seconds, ahead, unfinished), detail))))
        self.call = call
        self.seconds = seconds
        self.ahead = ahead
        self.unfinished = unfinished


def _busy(call: str, seconds: float | None, ahead: str, unfinished: int) -> str:
    if unfinished:
        first = f", the first of them {ahead}" if ahead else ""
        return f"{call} was not begun: {unfinished} earlier operations are unfinished{first}."
    if ahead:
        after = "" if seconds is None else f" after {_duration(seconds)}"
        waited = f"{call} waited for it and was cancelled without effect."
        return f"{ahead} is still running{after}. {waited}"
    if seconds is None:
        return f"{call} is still running."
    return f"{call} is still running after {_duration(seconds)}."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


class OutOfThreads(WintunApiError):
    """Report that the system does not let this process start another thread; nothing was begun."""

    def __init__(self) -> None:
        super().__init__("The system does not let the service start another thread.")


class SessionNotFound(WintunApiError):
    """Report that no session has this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"No session has the id {session_id!r}.")
        self.session_id = session_id


class ImpairmentNotFound(WintunApiError):
    """Report that a session is not impaired; `session` is its id."""

    def __init__(self, session: str) -> None:
        super().__init__(f"The session {session} is not impaired.")
        self.session = session


class RecorderNotFound(WintunApiError):
    """Report that a session has no recorder; `session` is its id."""

    def __init__(self, session: str) -> None:
        super().__init__(f"The session {session} has no recorder.")
        self.session = session


class CaptureNotFound(WintunApiError):
    """Report that no named capture has this id, or that it does not have this file."""

    def __init__(self, capture: str, file: int | None = None) -> None:
        what = f"No capture has the id {capture!r}."
        if file is not None:
            what = f"The capture {capture} does not have a file {file}, or has it no longer."
        super().__init__(what)
        self.capture = capture
        self.file = file


class CaptureOver(WintunApiError):
    """Report that a named capture has ended; `capture` is its id."""

    def __init__(self, capture: str) -> None:
        super().__init__(f"The capture {capture} has ended.")
        self.capture = capture


class CapturesFull(WintunApiError):
    """Refuse another capture, because the files of all of them may not take more of the disk.

    Attributes:
        limit: The bytes that they may take.
        used: The bytes that they take.
    """

    def __init__(self, limit: int, used: int) -> None:
        super().__init__(
            f"The captures of the service may take {limit} bytes together, and they take {used}."
            if limit
            else "The service keeps no captures: its captures_bytes are 0, as always in the demo."
        )
        self.limit = limit
        self.used = used


class TooManyCaptures(WintunApiError):
    """Refuse another capture; `what` and `limit` say which limit is reached."""

    def __init__(self, what: str, limit: int, *, hint: str | None = None) -> None:
        super().__init__(f"There are {limit} {what}, which is the limit.", hint=hint)
        self.what = what
        self.limit = limit


class TooManyReaders(WintunApiError):
    """Refuse another reader of a recorder; `limit` is how many there can be."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} clients read recorders now, which is the limit.")
        self.limit = limit


class RecordersFull(WintunApiError):
    """Refuse memory for a recorder, because all of them together may not use more.

    Attributes:
        limit: The bytes that all of them may use.
        taken: The bytes that the others may come to use.
    """

    def __init__(self, limit: int, taken: int) -> None:
        super().__init__(
            f"The recorders of the service may use {limit} bytes together, and {taken} of them are "
            "taken."
        )
        self.limit = limit
        self.taken = taken


class ServiceStopping(WintunApiError):
    """Refuse new work while the service shuts down."""

    def __init__(self) -> None:
        super().__init__("The service is shutting down.")


class TokenEnded(WintunApiError):
    """Report that the token or sign-in of a connection or request is no longer valid."""

    def __init__(self) -> None:
        super().__init__("The token was revoked or has expired, or its sign-in has ended.")


class TokenNotFound(WintunApiError):
    """Report that no token has this id."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"No token has the id {token_id!r}.")
        self.token_id = token_id


class ClientNotFound(WintunApiError):
    """Report that no client that is connected has this id."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"No client that is connected has the id {client_id!r}.")
        self.client_id = client_id


class TooManyTokens(WintunApiError):
    """Refuse another token, because there are already as many as there may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} tokens, which is the limit.")
        self.limit = limit


class StorageFailed(WintunApiError):
    """Report that a change could not be written to the disk and was therefore not made."""


@dataclass(frozen=True, slots=True)
class FailedCall:
    """Hold what the system returned for a call that failed.

    Attributes:
        function: The name of the function, spelt as its vendor spells it.
        code: The error number as it was returned, as unsigned 32 bits; None if the call has none.
        domain: Where the number comes from: "errno"; "configret" for the functions of
            cfgmgr32.dll; "win32" for all others of Windows, which may be an HRESULT or an NTSTATUS.
    """

    function: str
    code: int | None = None
    domain: CodeDomain = "win32"

    def __post_init__(self) -> None:
        if self.code is not None:
            object.__setattr__(self, "code", self.code & 0xFFFFFFFF)

    @property
    def carried(self) -> int | None:
        """The Win32 code that an HRESULT or an NTSTATUS carries; otherwise `code` itself."""
        return self.code if self.win32_code is None else carried_code(self.win32_code)

    @property
    def win32_code(self) -> int | None:
        """The number, if it is one of Windows."""
        return self.code if self.domain == "win32" else None

    @property
    def errno(self) -> int | None:
        """The number, if it is an errno."""
        return self.code if self.domain == "errno" else None

    def __str__(self) -> str:
        number = self._number()
        return f"{self.function}: {number}" if number else self.function

    def _number(self) -> str:
        code = self.code
        if code is None:
            return ""
        # People recognise codes other than plain ones only in hexadecimal.
        if self.domain == "configret":
            return f"CONFIGRET 0x{code:08X}"
        if self.domain == "errno" or code < 0x10000:
            return f"{self.domain} error {code}"
        kind, carried = kind_of_code(code), carried_code(code)
        number = f"{kind} {'error ' if kind is CodeKind.SETUPAPI else ''}0x{code:08X}"
        if carried == code:
            return f"win32 error {code:#x}" if kind is CodeKind.WIN32 else number
        plain = f"{carried}" if carried < 0x10000 else f"0x{carried:08X}"
        return f"{number}, which is win32 error {plain}"


class DriverError(WintunApiError):
    """Report what a driver refused, or what stands in the way of asking it.

    Attributes:
        failed: The call that failed and its number; None if no driver was asked.
        detail: A sentence with what else is known; may be empty.
        log: The driver's log lines of this call, oldest first.
    """

    sentence: ClassVar[str] = "The driver refused the call."

    def __init__(
        self,
        function: str | None = None,
        code: int | None = None,
        detail: str = "",
        *,
        domain: CodeDomain = "win32",
        hint: str | None = None,
    ) -> None:
        super().__init__(hint=hint)
        self.failed = None if function is None else FailedCall(function, code, domain)
        self.detail = detail
        self.log: tuple[str, ...] = ()

    @classmethod
    def from_call(
        cls,
        function: str,
        code: int | None = None,
        detail: str = "",
        *,
        domain: CodeDomain = "win32",
        hint: str | None = None,
        **fields: Any,
    ) -> Self:
        """Return the error for a call that failed; `fields` are those of the class."""
        error = cls(**fields, detail=detail, hint=hint)
        error.failed = FailedCall(function, code, domain)
        return error

    @property
    def function(self) -> str | None:
        """The name of the function that failed."""
        return self.failed.function if self.failed else None

    @property
    def code(self) -> int:
        """The number that the function returned, of whatever kind; 0 if there is none."""
        return (self.failed.code if self.failed else None) or 0

    @property
    def domain(self) -> CodeDomain | None:
        """Where the number comes from."""
        return self.failed.domain if self.failed else None

    @property
    def carried(self) -> int:
        """The Win32 code that an HRESULT or an NTSTATUS carries; otherwise `code` itself."""
        return (self.failed.carried if self.failed else None) or 0

    @property
    def win32_code(self) -> int | None:
        """The number, if it is one of Windows."""
        return self.failed.win32_code if self.failed else None

    @property
    def errno(self) -> int | None:
        """The number, if it is an errno."""
        return self.failed.errno if self.failed else None

    def __str__(self) -> str:
        said = self.detail or self._sentence()
        return f"{said} ({self.failed})" if self.failed else said

    def _sentence(self) -> str:
        return self.sentence


class AccessDenied(DriverError):
    """Report that the process lacks the privilege."""

    sentence = "Access denied."


class AdapterError(DriverError):
    """Base class of the errors about one adapter.

    Attributes:
        adapter: Its GUID, or the name by which it was asked for; None if it is not known.
    """

    def __init__(
        self, adapter: UUID | str | None = None, detail: str = "", *, hint: str | None = None
    ) -> None:
        super().__init__(detail=detail, hint=hint)
        self.adapter = adapter


class AdapterNotFound(AdapterError):
    """Report that the adapter does not exist."""

    sentence = "No such adapter."

    def _sentence(self) -> str:
        match self.adapter:
            case None:
                return self.sentence
            case str():
                return f"No adapter is named {self.adapter!r}."
            case _:
                return f"No adapter has the GUID {self.adapter}."


class AdapterUnavailable(AdapterError):
    """Report that the adapter exists but cannot be used now."""

    sentence = "The adapter is disabled, or its driver is being replaced."


class AdapterExists(DriverError):
    """Report that the name or the GUID of an adapter is in use.

    Attributes:
        name: The name that was asked for; None if it is not known.
        guid: The GUID that was asked for, likewise.
        guid_in_use: Whether it is certainly the GUID that is in use, so another GUID may work.
    """

    sentence = "An adapter with this name or GUID already exists."

    def __init__(
        self,
        name: str | None = None,
        guid: UUID | None = None,
        detail: str = "",
        *,
        hint: str | None = None,
    ) -> None:
        super().__init__(detail=detail, hint=hint)
        self.name = name
        self.guid = guid
        self.guid_in_use = False


class AddressExists(DriverError):
    """Report that another interface of the machine has the address."""

    sentence = "Another interface has this address."


class RouteExists(DriverError):
    """Report that another program's route has this destination and metric."""

    sentence = "A route to this destination with this metric already exists."


class SettingRefused(DriverError):
    """Report that the system cannot apply this address or route at present."""

    sentence = "The system refuses this setting."


class DriverInUse(DriverError):
    """Report that adapters still use the driver."""

    sentence = "Adapters still use the driver."


class SessionExists(AdapterError):
    """Report that another session owns the adapter.

    Attributes:
        session: The id of that session; None if the service does not have it.
    """

    def __init__(
        self,
        adapter: UUID | str | None = None,
        session: str | None = None,
        detail: str = "",
        *,
        hint: str | None = None,
    ) -> None:
        super().__init__(adapter, detail, hint=hint)
        self.session = session

    def _sentence(self) -> str:
        if self.session is not None:
            return f"The adapter already has the session {self.session}."
        return "The adapter already has a session, perhaps in another process."


class SessionEnded(DriverError):
    """Report that the adapter was removed or the session was ended.

    Attributes:
        session: The id of the session; None if the driver ended it, which knows no ids.
        reason: Why it has ended, as a sentence; may be empty.
    """

    def __init__(
        self,
        session: str | None = None,
        reason: str = "",
        detail: str = "",
        *,
        hint: str | None = None,
    ) -> None:
        super().__init__(detail=detail, hint=hint)
        self.session = session
        self.reason = reason

    def _sentence(self) -> str:
        return self.reason or "The session has ended."


class RingCorrupt(DriverError):
    """Report that the receive ring is inconsistent; the session must be restarted."""

    sentence = "The receive ring is corrupt."


class NotSupported(DriverError):
    """Report that this driver or generation does not have the call."""

    sentence = "The driver does not support this call."


class CreatedElsewhere(NotSupported):
    """Report that only the program that created the adapter can remove it, by ending."""

    sentence = "Only the program that created the adapter can remove it, by ending."


@contextmanager
def about_adapter(adapter: UUID | str) -> Iterator[None]:
    """Enter an adapter into the errors about one that pass, where the call itself knew none."""
    try:
        yield
    except AdapterError as error:
        if error.adapter is None:
            error.adapter = adapter
        raise
