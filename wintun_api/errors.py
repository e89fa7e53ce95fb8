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
        ├── AdapterExists              name or GUID in use
        ├── DriverInUse                the driver cannot go while adapters use it
        ├── SessionExists              one session per adapter, machine-wide
        ├── SessionEnded               the adapter is gone, or the session was ended
        ├── RingFull                   the send ring has no room
        ├── RingCorrupt                the receive ring is inconsistent: restart the session
        └── NotSupported               this driver or generation has no such call

What only ends a start is beside what it refuses: `hub.files.UntrustedFile`,
`api.data_directory.DataDirectoryInUse`.

*Nothing there* is a value (`[]`, `None`), never an exception.
"""

from __future__ import annotations

from typing import ClassVar, Literal

CodeDomain = Literal["win32", "errno"]


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
        code: The error number as unsigned 32 bits; 0 when the call failed without one.
        domain: Whose number it is: "win32" or "errno".
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

    def __str__(self) -> str:
        # HRESULTs and SetupAPI codes are only recognised in hexadecimal.
        code = f"{self.code}" if self.code < 0x10000 else f"0x{self.code:08X}"
        where = f"{self.function}: {self.domain} error {code}"
        return f"{self.detail or self.sentence + '.'} ({where})"


class AccessDenied(DriverError):
    """Say that the process lacks the privilege (Win32 5, EPERM)."""

    sentence = "Access denied"
    hint = "Run the service elevated: as Administrator on Windows, with CAP_NET_ADMIN on Linux."


class AdapterNotFound(DriverError):
    """Say that no such adapter exists (Win32 2, 1168)."""

    sentence = "No such adapter"
    hint = "List the adapters with GET /v1/adapters; create one with POST /v1/adapters."


class AdapterExists(DriverError):
    """Say that the name or the GUID is in use (Win32 52, 183)."""

    sentence = "An adapter with this name or GUID exists already"
    hint = "Open it with POST /v1/adapters/open, choose another name, or delete it first."


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
