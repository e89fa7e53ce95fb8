"""The exceptions of the package.

    WintunApiError                     `hint` says what to do next
    ├── InvalidArgument (ValueError)   a name, pool, capacity, address ... that is not valid
    ├── InvalidSettings (ValueError)   flags, variables or keys that are wrong; `problems`
    ├── InvalidPacket (ValueError)     bytes that are not an IP packet; `reason`
    ├── FrameError (ValueError)        bytes that are not a batch frame; `reason`
    ├── DriverUnavailable              the driver cannot work here; `reason`
    ├── DriverBusy                     a driver call did not finish in time
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
        ├── SettingRefused             the system cannot apply this address or route at present
        ├── DriverInUse                the driver cannot be removed while adapters use it
        ├── SessionExists              one session per adapter, machine-wide
        ├── SessionEnded               the adapter is gone, or the session was ended
        ├── RingFull                   the send ring has no room
        ├── RingCorrupt                the receive ring is inconsistent: restart the session
        └── NotSupported               this driver or generation does not have the call

Two errors that only prevent the service from starting are defined beside the code that raises
them: `files.UntrustedFile` and `api.data_directory.DataDirectoryInUse`.

An empty result is a value (`[]`, `None`), never an exception.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

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

    Attributes:
        hint: One sentence that tells the user what to do next.
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
    """Refuse a value that is not valid for any driver; `field` names it."""

    hint = "Correct the value and send the request again."

    def __init__(self, field: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field}: {message}", hint=hint)
        self.field = field


class InvalidSettings(WintunApiError, ValueError):
    """Refuse the settings; `problems` has one sentence for each wrong setting."""

    hint = "Run wintun-api serve --help for a list of all settings."

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidPacket(WintunApiError, ValueError):
    """Refuse bytes that are not an IP packet; `reason` names the counter that counts it."""

    hint = "Send one complete IP packet: at least 20 bytes for IPv4, or at least 40 bytes for IPv6."

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FrameError(WintunApiError, ValueError):
    """Refuse bytes that are not a sequence of batch frames; `reason` is a `wire.Fault`."""

    hint = (
        "Compare it with the table of the batch frame in the guide. One broken batch makes the "
        "service refuse the whole message."
    )

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DriverUnavailable(WintunApiError):
    """Report that the driver cannot work on this machine now; `reason` is machine-readable."""

    def __init__(self, reason: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class DriverBusy(WintunApiError):
    """Report that a driver call is still running after its time limit."""

    hint = (
        "The call continues, and its outcome is reported as an event. GET /v1/driver lists the "
        "calls that are still running."
    )

    def __init__(self, call: str, seconds: float, detail: str = "") -> None:
        super().__init__(f"{call} is still running after {seconds:.0f} s. {detail}".rstrip())
        self.call = call


class OutOfThreads(WintunApiError):
    """Report that the system does not let this process start another thread; nothing was begun."""

    hint = (
        "End sessions that you do not need, or raise the limit on threads: pids.max of the "
        "container, TasksMax of the systemd unit, or ulimit -u."
    )

    def __init__(self) -> None:
        super().__init__("The system does not let the service start another thread.")


class SessionNotFound(WintunApiError):
    """Report that no session has this id."""

    hint = "List the sessions with GET /v1/sessions; start one with POST /v1/sessions."

    def __init__(self, session_id: str) -> None:
        super().__init__(f"No session has the id {session_id!r}.")
        self.session_id = session_id


class ServiceStopping(WintunApiError):
    """Refuse new work while the service shuts down."""

    hint = "Connect again after the service has been restarted."

    def __init__(self) -> None:
        super().__init__("The service is shutting down.")


class TokenEnded(WintunApiError):
    """Report that the token or sign-in of a connection or request is no longer valid."""

    hint = "Get a new token, or sign in again."

    def __init__(self) -> None:
        super().__init__("The token was revoked or has expired, or its sign-in has ended.")


class StorageFailed(WintunApiError):
    """Report that a change could not be written to the disk and was therefore not made."""

    hint = (
        "Nothing has changed. Free space on the disk, or make the data directory writable, then "
        "send the request again."
    )


class DriverError(WintunApiError):
    """Report a failed driver call.

    Attributes:
        function: The name of the failed function, spelt as its vendor spells it.
        code: The error number as it was returned, as unsigned 32 bits; 0 when the call failed
            without one.
        domain: Where the number comes from: "errno"; "configret" for the functions of
            cfgmgr32.dll; "win32" for all others of Windows, which may be an HRESULT or an NTSTATUS.
        detail: A sentence with what else is known; may be empty.
        log: The driver's log lines of this call, oldest first.
    """

    hint = "Read the driver's log lines for the cause."
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
        """The Win32 code that an HRESULT or an NTSTATUS carries; otherwise `code` itself."""
        return carried_code(self.code) if self.domain == "win32" else self.code

    def __str__(self) -> str:
        return f"{self.detail or self.sentence + '.'} ({self.function}: {self._number()})"

    def _number(self) -> str:
        # People recognise codes other than plain ones only in hexadecimal.
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
    """Report that the process lacks the privilege (Win32 5, EPERM)."""

    sentence = "Access denied"
    hint = "Run the service as Administrator on Windows, or with CAP_NET_ADMIN on Linux."


class AdapterNotFound(DriverError):
    """Report that the adapter does not exist (Win32 2, 1168)."""

    sentence = "No such adapter"
    hint = "List the adapters with GET /v1/adapters; create one with POST /v1/adapters."


class AdapterUnavailable(DriverError):
    """Report that the adapter exists but cannot be used now."""

    sentence = "The adapter is disabled, or its driver is being replaced"
    hint = (
        "Enable it in the Device Manager, or wait until the driver has been replaced, then try "
        "again. GET /v1/adapters shows when it can be used again."
    )


class AdapterExists(DriverError):
    """Report that the name or the GUID is in use (Win32 52, 183).

    Attributes:
        guid_in_use: Whether it is certainly the GUID that is in use, so another GUID may work.
    """

    guid_in_use = False
    sentence = "An adapter with this name or GUID already exists"
    hint = "Open it with POST /v1/adapters/open, choose another name, or delete it first."


class AddressExists(DriverError):
    """Report that another interface of the machine has the address (Win32 5010)."""

    sentence = "Another interface has this address"
    hint = "Remove the address from that interface first, or choose another address."


class RouteExists(DriverError):
    """Report that another program's route has this destination and metric (EEXIST)."""

    sentence = "A route to this destination with this metric already exists"
    hint = "Give this route another metric, or remove the other route first."


class SettingRefused(DriverError):
    """Report that the system cannot apply this address or route at present."""

    sentence = "The system refuses this setting"
    hint = "Change the setting that the message names, then send the request again."


class DriverInUse(DriverError):
    """Report that adapters still use the driver (SetupAPI 0xE000023D)."""

    sentence = "Adapters still use the driver"
    hint = "Delete all adapters that use it first, including those of other programs."


class SessionExists(DriverError):
    """Report that another session owns the adapter (Win32 1247)."""

    sentence = "The adapter already has a session, perhaps in another process"
    hint = "End that session first: an adapter can have only one session on the whole machine."


class SessionEnded(DriverError):
    """Report that the adapter was removed or the session was ended (Win32 38)."""

    sentence = "The session has ended"
    hint = "Start a new session with POST /v1/sessions."


class RingFull(DriverError):
    """Report that the send ring has no room for the packet (Win32 111)."""

    sentence = "The send ring is full"
    hint = "Send more slowly, use full=wait, or start the session with a larger capacity."


class RingCorrupt(DriverError):
    """Report that the receive ring is inconsistent (Win32 13); the session must be restarted."""

    sentence = "The receive ring is corrupt"
    hint = "The service restarts the session once. If it fails again, start a new session."


class NotSupported(DriverError):
    """Report that this driver or generation does not have the call (Win32 50)."""

    sentence = "The driver does not support this call"
    hint = "The capabilities in GET /v1/driver show what this driver can do."
