"""The exceptions of the package.

    WintunApiError                     `hint` says what to do next
    ├── InvalidArgument (ValueError)   a name, pool, capacity, address ... that no driver would take
    ├── InvalidSettings (ValueError)   flags, variables or keys that are wrong; `problems`
    ├── InvalidPacket (ValueError)     bytes that are no IP packet; `reason`
    ├── FrameError (ValueError)        bytes that are no batch frame; `reason`
    ├── DriverUnavailable              the driver cannot work here; `reason`
    ├── DriverBusy                     a driver call did not come back in time
    ├── SessionNotFound                no session has this id
    ├── ServiceStopping                the service is shutting down
    ├── TokenEnded                     the token was revoked or expired, or its sign-in ended
    ├── StorageFailed                  a change could not be written to the disk; nothing changed
    └── DriverError                    a driver call failed; `function`, `code`
        ├── AccessDenied               not elevated, no CAP_NET_ADMIN
        ├── AdapterNotFound
        ├── AdapterUnavailable         disabled, or its driver is being replaced
        ├── AdapterExists              name or GUID in use
        ├── AddressExists              another interface of the machine has the address
        ├── RouteExists                another program's route has this destination and metric
        ├── SettingRefused             the system cannot have this address or route as things are
        ├── DriverInUse                the driver cannot go while adapters use it
        ├── SessionExists              one session per adapter, machine-wide
        ├── SessionEnded               the adapter is gone, or the session was ended
        ├── RingFull                   the send ring has no room
        ├── RingCorrupt                the receive ring is inconsistent: restart the session
        └── NotSupported               this driver or generation has no such call

What only ends a start is beside what it refuses: `files.UntrustedFile`,
`api.data_directory.DataDirectoryInUse`.

*Nothing there* is a value (`[]`, `None`), never an exception.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

CodeDomain = Literal["win32", "errno", "configret"]


class CodeKind(StrEnum):
    """What sort of number an error number is; the values are how people write them."""

    WIN32 = "Win32"
    SETUPAPI = "SetupAPI"
    HRESULT = "HRESULT"
    NTSTATUS = "NTSTATUS"


# winerror.h, ntstatus.h: HRESULT_FROM_WIN32, NTSTATUS_FROM_WIN32 and HRESULT_FROM_NT of that.
_WIN32_FACILITIES = (0x8007, 0xC007, 0xD007)
_SETUPAPI_FACILITY = 0x800F  # setupapi.h: HRESULT_FROM_SETUPAPI
_SETUPAPI = 0xE000  # APPLICATION_ERROR_MASK and ERROR_SEVERITY_ERROR


def kind_of_code(code: int) -> CodeKind:
    """Return what sort of number Windows gave, by its upper bits (winerror.h, ntstatus.h)."""
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

    Any other number is returned as it is. Results are unsigned; `code` may be signed, as an HRESULT
    comes from ctypes.
    """
    code &= 0xFFFFFFFF
    if code >> 16 in _WIN32_FACILITIES:
        return code & 0xFFFF
    if code >> 16 == _SETUPAPI_FACILITY:
        return _SETUPAPI << 16 | code & 0xFFFF
    return code


class WintunApiError(Exception):
    """Base of every error the package raises on purpose.

    Attributes:
        hint: One sentence that says what to do next.
    """

    hint: str = ""

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message


class InvalidArgument(WintunApiError, ValueError):
    """Refuse a value that no driver would take; `field` names it."""

    hint = "Correct the value and send the request again."

    def __init__(self, field: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field}: {message}", hint=hint)
        self.field = field


class InvalidSettings(WintunApiError, ValueError):
    """Refuse the settings; `problems` has a sentence for every wrong one."""

    hint = "See wintun-api serve --help for every setting."

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidPacket(WintunApiError, ValueError):
    """Refuse bytes that are no IP packet; `reason` is the counter it is counted under."""

    hint = "Send one whole IPv4 packet of at least 20 bytes or IPv6 packet of at least 40 bytes."

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FrameError(WintunApiError, ValueError):
    """Refuse bytes that are no sequence of batch frames; `reason` is one of `wire.Fault`."""

    hint = "See the table of the batch frame in the README; one broken batch refuses its message."

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DriverUnavailable(WintunApiError):
    """Say that the driver cannot work on this machine now; `reason` is machine-readable."""

    def __init__(self, reason: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class DriverBusy(WintunApiError):
    """Say that a driver call is still running after the time that was given to it."""

    hint = "The call goes on; its outcome arrives as an event. See calls in GET /v1/driver."

    def __init__(self, call: str, seconds: float, detail: str = "") -> None:
        super().__init__(f"{call} is still running after {seconds:.0f} s. {detail}".rstrip())
        self.call = call


class OutOfThreads(WintunApiError):
    """Say that the system starts no more threads for this process, and nothing was begun."""

    hint = (
        "End sessions that are not needed, or raise the limit of threads: pids.max of the "
        "container, TasksMax of the unit, or ulimit -u."
    )

    def __init__(self) -> None:
        super().__init__("The system starts no more threads for the service.")


class SessionNotFound(WintunApiError):
    """Say that no session has this id."""

    hint = "List the sessions with GET /v1/sessions; start one with POST /v1/sessions."

    def __init__(self, session_id: str) -> None:
        super().__init__(f"No session has the id {session_id!r}.")
        self.session_id = session_id


class ServiceStopping(WintunApiError):
    """Refuse new work while the service shuts down."""

    hint = "Connect again when the service has been started again."

    def __init__(self) -> None:
        super().__init__("The service is shutting down.")


class TokenEnded(WintunApiError):
    """Say that what opened a connection or began a request is void by now."""

    hint = "Ask for a new token, or sign in again."

    def __init__(self) -> None:
        super().__init__("The token was revoked or has expired, or its sign-in has ended.")


class StorageFailed(WintunApiError):
    """Say that a change could not be written to the disk, so that it was not made."""

    hint = (
        "Nothing has changed. Make room on the disk, or make the data directory writable, and "
        "send the request again."
    )


class DriverError(WintunApiError):
    """Report a failed driver call.

    Attributes:
        function: The name of the failed call as its vendor spells it.
        code: The error number as it was returned, as unsigned 32 bits; 0 when the call failed
            without one.
        domain: Whose number it is: "errno"; "configret" for the functions of cfgmgr32.dll; "win32"
            for every other one of Windows, which may be an HRESULT or an NTSTATUS.
        detail: What else is known, as a sentence; may be empty.
        log: The driver's log lines of this call, oldest first.
    """

    hint = "See the driver's log lines for the cause."
    sentence: ClassVar[str] = "The driver refused the call"

    def __init__(
        self,
        function: str,
        code: int,
        detail: str = "",
        *,
        domain: CodeDomain = "win32",
        hint: str | None = None,
    ) -> None:
        super().__init__(hint=hint)
        self.function = function
        self.code = code & 0xFFFFFFFF
        self.domain: CodeDomain = domain
        self.detail = detail
        self.log: tuple[str, ...] = ()

    @property
    def carried(self) -> int:
        """The Win32 code that an HRESULT or an NTSTATUS carries; else `code` itself."""
        return carried_code(self.code) if self.domain == "win32" else self.code

    def __str__(self) -> str:
        return f"{self.detail or self.sentence + '.'} ({self.function}: {self._number()})"

    def _number(self) -> str:
        # What is not a plain code is only recognised in hexadecimal.
        if self.domain == "configret":
            return f"CONFIGRET 0x{self.code:08X}"
        if self.domain == "errno" or self.code < 0x10000:
            return f"{self.domain} error {self.code}"
        kind, carried = kind_of_code(self.code), self.carried
        number = f"{kind} {'error ' if kind is CodeKind.SETUPAPI else ''}0x{self.code:08X}"
        if carried == self.code:
            return f"win32 error {self.code:#x}" if kind is CodeKind.WIN32 else number
        plain = f"{carried}" if carried < 0x10000 else f"0x{carried:08X}"
        return f"{number}, which is win32 error {plain}"


class AccessDenied(DriverError):
    """Say that the process lacks the privilege (Win32 5, EPERM)."""

    sentence = "Access denied"
    hint = "Run the service elevated: as Administrator on Windows, with CAP_NET_ADMIN on Linux."


class AdapterNotFound(DriverError):
    """Say that no such adapter exists (Win32 2, 1168)."""

    sentence = "No such adapter"
    hint = "List the adapters with GET /v1/adapters; create one with POST /v1/adapters."


class AdapterUnavailable(DriverError):
    """Say that the adapter is there, and that the system can do nothing with it now."""

    sentence = "The adapter is disabled, or its driver is being replaced"
    hint = (
        "Enable it in the Device Manager, or wait until the driver has been replaced, and try "
        "again. unavailable in GET /v1/adapters says when it is back."
    )


class AdapterExists(DriverError):
    """Say that the name or the GUID is in use (Win32 52, 183).

    Attributes:
        guid_in_use: It is known to be the GUID, so another one may work.
    """

    guid_in_use = False
    sentence = "An adapter with this name or GUID exists already"
    hint = "Open it with POST /v1/adapters/open, choose another name, or delete it first."


class AddressExists(DriverError):
    """Say that another interface of the machine has the address (Win32 5010)."""

    sentence = "Another interface has this address"
    hint = "Remove it there first, or choose another one."


class RouteExists(DriverError):
    """Say that a route of another program has this destination and metric (EEXIST)."""

    sentence = "There is a route to this destination with this metric already"
    hint = "Give this route another metric, or remove the other one first."


class SettingRefused(DriverError):
    """Say that the system cannot have this address or route as things are."""

    sentence = "The system refuses this setting"
    hint = "Change what the sentence names, and send the request again."


class DriverInUse(DriverError):
    """Say that adapters still use the driver (SetupAPI 0xE000023D)."""

    sentence = "Adapters still use the driver"
    hint = "Delete the adapters first, those of other programs too."


class SessionExists(DriverError):
    """Say that another session owns the adapter (Win32 1247)."""

    sentence = "The adapter has a session already, perhaps of another process"
    hint = "End that session first: an adapter has one session, machine-wide."


class SessionEnded(DriverError):
    """Say that the adapter is gone or the session was ended (Win32 38)."""

    sentence = "The session has ended"
    hint = "Start a new session with POST /v1/sessions."


class RingFull(DriverError):
    """Say that the send ring has no room for the packet (Win32 111)."""

    sentence = "The send ring is full"
    hint = "Send more slowly, use full=wait, or start the session with a larger capacity."


class RingCorrupt(DriverError):
    """Say that the receive ring is inconsistent (Win32 13); the session must be restarted."""

    sentence = "The receive ring is corrupt"
    hint = "The service restarts the session once by itself; after that, start a new session."


class NotSupported(DriverError):
    """Say that this driver or generation has no such call (Win32 50)."""

    sentence = "The driver has no such call"
    hint = "See capabilities in GET /v1/driver for what this driver can do."
