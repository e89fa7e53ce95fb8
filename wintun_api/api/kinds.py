"""Every kind of problem, once: its type, HTTP status, title, hint and close code.

The hints are for those who write HTTP and WebSocket clients; those of the command line are in
`cli.hints`. A `Refusal` names its kind, and `CAUSES` has the kind of every error of the tree.
"""

from __future__ import annotations

from enum import Enum, unique
from typing import Final, NamedTuple

from wintun_api import errors
from wintun_api.capture.filters.binding import INSTALL
from wintun_api.choices import CloseCode

URN: Final = "urn:wintun-api:problem:"


@unique
class Kind(Enum):
    """Hold a kind of problem: status, title, what to do about it, and close code.

    The end of a problem's `type` is the member's name, in lower case with hyphens.
    """

    # What was asked for
    INVALID_ARGUMENT = (
        422,
        "Invalid argument",
        "Correct the value and send the request again.",
    )
    INVALID_REQUEST = (
        422,
        "Invalid request",
        "Correct the fields named in errors and send the request again.",
    )
    INVALID_PACKET = (
        422,
        "Not an IP packet",
        "Send one complete IP packet: at least 20 bytes for IPv4, or at least 40 bytes for IPv6.",
        CloseCode.BAD_FRAME,
    )
    BAD_FRAME = (
        422,
        "Not a batch frame",
        (
            "Compare it with the table of the batch frame in the guide. One broken batch makes the "
            "service refuse the whole message."
        ),
        CloseCode.BAD_FRAME,
    )
    ADAPTER_NOT_FOUND = (
        404,
        "No such adapter",
        "List the adapters with GET /v1/adapters; create one with POST /v1/adapters.",
        CloseCode.NO_SESSION,
    )
    ADAPTER_EXISTS = (
        409,
        "Adapter exists",
        (
            "Send if_exists=open to use the adapter that is there, if_exists=replace to delete it "
            "first, or take it over with POST /v1/adapters/open. Otherwise choose another name."
        ),
    )
    ADAPTER_UNAVAILABLE = (
        409,
        "Adapter unavailable",
        (
            "Enable it in the Device Manager, or wait until the driver has been replaced, then try "
            "again. GET /v1/adapters shows when it can be used again."
        ),
    )
    ADDRESS_EXISTS = (
        409,
        "Address exists",
        "Remove the address from that interface first, or choose another address.",
    )
    ROUTE_EXISTS = (
        409,
        "Route exists",
        "Give this route another metric, or remove the other route first.",
    )
    SETTING_REFUSED = (
        422,
        "Setting refused by the system",
        "Change the setting that the message names.",
    )
    SESSION_NOT_FOUND = (
        404,
        "No such session",
        "List the sessions with GET /v1/sessions; start one with POST /v1/sessions.",
        CloseCode.NO_SESSION,
    )
    IMPAIRMENT_NOT_FOUND = (
        404,
        "No impairment",
        "Impair the session with PUT /v1/sessions/{id}/impairment first.",
    )
    INVALID_FILTER = (
        422,
        "Invalid filter",
        (
            "Correct the filter at the offset and send the request again; POST /v1/filters/check "
            "checks one. The language is that of pcap-filter(7), as tcpdump takes it."
        ),
    )
    FILTER_UNAVAILABLE = (
        501,
        "Filters unavailable",
        INSTALL,
    )
    FILTERS_BUSY = (
        503,
        "Too many filters at once",
        (
            "Send the request again after the seconds of Retry-After. Filters with addresses "
            "instead of names do not wait for a resolver."
        ),
    )
    RECORDER_NOT_FOUND = (
        404,
        "No recorder",
        "Switch it on with PUT /v1/sessions/{id}/recorder first.",
    )
    CAPTURE_NOT_FOUND = (
        404,
        "No such capture",
        "List the captures and their files with GET /v1/captures.",
    )
    CAPTURE_OVER = (
        409,
        "Capture has ended",
        "Start another one with POST /v1/captures; the files of this one can still be downloaded.",
    )
    CAPTURES_FULL = (
        503,
        "No room for captures",
        (
            "Delete captures that you no longer need; to stop them does not help. Or start the "
            "service with a larger captures_bytes."
        ),
    )
    TOO_MANY_CAPTURES = (
        503,
        "Too many captures",
        (
            "Delete captures that you no longer need, then send the request again; to stop them "
            "does not help."
        ),
    )
    RECORDERS_FULL = (
        503,
        "No memory for the recorder",
        (
            "Ask for fewer bytes, switch off a recorder that you no longer need, or let the "
            "service have more memory for them with its setting recorder_bytes."
        ),
    )
    TOO_MANY_READERS = (
        503,
        "Too many downloads of recorders",
        "Send the request again when another download has ended.",
    )
    SESSION_EXISTS = (
        409,
        "Session exists",
        (
            "Join it with WS /v1/sessions/{id}/packets or WS /v1/adapters/{guid}/packets, or end "
            "it with DELETE /v1/sessions/{id}."
        ),
    )
    SESSION_ENDED = (
        409,
        "Session ended",
        "Start a new session with POST /v1/sessions.",
        CloseCode.ENDED,
    )
    NOT_FOUND = (404, "Not Found", "The routes are listed at /docs and in /openapi.json.")
    CONFLICT = (
        409,
        "Conflict",
        "Revoke a token that you no longer need, then send the request again.",
    )

    # Who may ask
    UNAUTHORIZED = (
        401,
        "No valid token",
        (
            "Send the header Authorization: Bearer <token>. The token is in the token file that "
            "wintun-api serve names when it starts."
        ),
        CloseCode.TOKEN,
    )
    MISSING_SCOPE = (
        403,
        "Missing scope",
        "Use a token with this scope; create one with POST /v1/tokens.",
        CloseCode.SCOPE,
    )
    FORBIDDEN = (
        403,
        "Forbidden",
        "Use a route that is listed in /openapi.json.",
        CloseCode.SCOPE,
    )
    TOO_MANY_GUESSES = (
        429,
        "Too many wrong tokens",
        "Correct the token, or wait. A request with a valid token is always answered.",
        CloseCode.TOKEN,
    )
    TOO_MANY_REQUESTS = (429, "Too Many Requests", "Wait a minute and send the request again.")
    FOREIGN_HOST = (
        403,
        "Foreign Host header",
        (
            "Use 127.0.0.1 or localhost, or allow the name with --allowed-host. Configure a "
            "reverse proxy to pass the Host header on unchanged."
        ),
    )
    FOREIGN_ORIGIN = (
        403,
        "Foreign Origin",
        "Open the dashboard at the service's own address.",
    )
    BAD_HOST = (
        400,
        "Bad Host header",
        "Send one Host header with the name of this service (RFC 9112, section 3.2).",
    )
    REPEATED_HEADER = (400, "Repeated header", "Send this header once, with one value.")

    # The driver and the machine
    ACCESS_DENIED = (
        403,
        "Access denied by the system",
        "Run the service as Administrator on Windows, or with CAP_NET_ADMIN on Linux.",
    )
    DRIVER_UNAVAILABLE = (
        503,
        "Driver unavailable",
        "Run wintun-api doctor on the machine of the service to see what is missing.",
    )
    DRIVER_BUSY = (
        504,
        "Driver busy",
        (
            "A call that was begun continues, and its outcome is reported as an event. GET "
            "/v1/driver lists the calls that are still running."
        ),
    )
    DRIVER_IN_USE = (
        409,
        "Driver in use",
        "Delete all adapters that use it first, including those of other programs.",
    )
    DRIVER_ERROR = (502, "Driver call failed", "Read the driver's log lines for the cause.")
    NOT_SUPPORTED = (
        501,
        "Not supported",
        "The capabilities in GET /v1/driver show what this driver can do.",
    )
    RING_CORRUPT = (
        500,
        "Receive ring corrupt",
        "The service restarts the session once. If it fails again, start a new session.",
    )
    # No longer used, but a type that was documented never disappears.
    RING_FULL = (
        503,
        "Send ring full",
        "Send more slowly, use full=wait, or start the session with a larger capacity.",
    )
    OUT_OF_THREADS = (
        503,
        "Out of threads",
        (
            "End sessions that you do not need, or raise the limit on threads: pids.max of the "
            "container, TasksMax of the systemd unit, or ulimit -u."
        ),
    )
    STORAGE_FAILED = (
        503,
        "Storage failed",
        (
            "Nothing has changed. Free space on the disk, or make the data directory writable, "
            "then send the request again."
        ),
    )

    # The service and the connection
    STOPPING = (
        503,
        "Service stopping",
        "Connect again after the service has been restarted.",
        CloseCode.GOING_AWAY,
    )
    FULL = (
        503,
        "Too many connections",
        "Close unused connections, or raise --max-connections.",
    )
    INTERNAL = (500, "Internal error", "Look into the service's log for the cause.")
    REQUEST_TIMEOUT = (
        408,
        "Request timeout",
        "Send the whole request at once, or allow more time with --request-timeout.",
    )
    CONTENT_TOO_LARGE = (
        413,
        "Content Too Large",
        "Send less at a time; for packets, use the WebSocket.",
    )
    BAD_REQUEST = (400, "Bad Request", "Send a JSON document in UTF-8.")
    BAD_HANDSHAKE = (
        400,
        "Bad WebSocket handshake",
        "Send a handshake as described in RFC 6455, section 4.1, as client libraries do.",
    )
    BAD_CODING = (
        501,
        "Unknown transfer coding",
        "Send it with a Content-Length, or chunked in HTTP/1.1.",
    )
    BAD_VERSION = (505, "Unknown version of HTTP", "Send the request as HTTP/1.1 or 1.0.")
    LARGE_HEAD = (
        431,
        "Head of the request too large",
        "Send fewer or shorter headers, for example by removing cookies.",
    )
    LONG_TARGET = (414, "Target of the request too long", "Send a shorter query.")
    METHOD_NOT_ALLOWED = (
        405,
        "Method Not Allowed",
        "Use one of the methods that the Allow header lists; /docs describes them.",
    )
    NOT_IMPLEMENTED = (501, "Not Implemented", "Use one of the methods that /docs lists.")
    UNKNOWN_SUBPROTOCOL = (
        400,
        "Unknown subprotocol",
        "Offer one of the subprotocols of the guide; without an offer the service uses v1.raw.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "Unsupported Media Type",
        "Send application/json, or for packets one of the two types that /docs lists.",
    )

    def __init__(
        self,
        status: int,
        title: str,
        hint: str,
        close_code: CloseCode = CloseCode.INTERNAL_ERROR,
    ) -> None:
        self.status = status
        self.title = title
        self.hint = hint
        self.close_code = close_code

    @property
    def slug(self) -> str:
        """The last part of the problem's type."""
        return self.name.lower().replace("_", "-")

    @property
    def type(self) -> str:
        """The problem's type."""
        return URN + self.slug


class Cause(NamedTuple):
    """Hold the kind of an error, and its own hint if the one of the kind does not fit."""

    kind: Kind
    own_hint: str = ""

    @property
    def hint(self) -> str:
        """What to do about it, for those who write clients."""
        return self.own_hint or self.kind.hint


CAUSES: Final[dict[type[errors.WintunApiError], Cause]] = {
    errors.InvalidArgument: Cause(Kind.INVALID_ARGUMENT),
    errors.InvalidPacket: Cause(Kind.INVALID_PACKET),
    errors.FrameError: Cause(Kind.BAD_FRAME),
    errors.DriverUnavailable: Cause(Kind.DRIVER_UNAVAILABLE),
    errors.DriverBusy: Cause(Kind.DRIVER_BUSY),
    errors.OutOfThreads: Cause(Kind.OUT_OF_THREADS),
    errors.SessionNotFound: Cause(Kind.SESSION_NOT_FOUND),
    errors.ImpairmentNotFound: Cause(Kind.IMPAIRMENT_NOT_FOUND),
    errors.InvalidFilter: Cause(Kind.INVALID_FILTER),
    errors.FilterUnavailable: Cause(Kind.FILTER_UNAVAILABLE),
    errors.FiltersBusy: Cause(Kind.FILTERS_BUSY),
    errors.RecorderNotFound: Cause(Kind.RECORDER_NOT_FOUND),
    errors.CaptureNotFound: Cause(Kind.CAPTURE_NOT_FOUND),
    errors.CaptureOver: Cause(Kind.CAPTURE_OVER),
    errors.CapturesFull: Cause(Kind.CAPTURES_FULL),
    errors.TooManyCaptures: Cause(Kind.TOO_MANY_CAPTURES),
    errors.TooManyReaders: Cause(Kind.TOO_MANY_READERS),
    errors.RecordersFull: Cause(Kind.RECORDERS_FULL),
    errors.ServiceStopping: Cause(Kind.STOPPING),
    errors.TokenEnded: Cause(Kind.UNAUTHORIZED, "Get a new token, or sign in again."),
    errors.ClientNotFound: Cause(Kind.NOT_FOUND, "List the clients with GET /v1/clients."),
    errors.TokenNotFound: Cause(Kind.NOT_FOUND, "List the tokens with GET /v1/tokens."),
    errors.TooManyTokens: Cause(Kind.CONFLICT),
    errors.StorageFailed: Cause(Kind.STORAGE_FAILED),
    errors.DriverError: Cause(Kind.DRIVER_ERROR),
    errors.AccessDenied: Cause(Kind.ACCESS_DENIED),
    errors.AdapterNotFound: Cause(Kind.ADAPTER_NOT_FOUND),
    errors.AdapterUnavailable: Cause(Kind.ADAPTER_UNAVAILABLE),
    errors.AdapterExists: Cause(Kind.ADAPTER_EXISTS),
    errors.AddressExists: Cause(Kind.ADDRESS_EXISTS),
    errors.RouteExists: Cause(Kind.ROUTE_EXISTS),
    errors.SettingRefused: Cause(Kind.SETTING_REFUSED),
    errors.DriverInUse: Cause(Kind.DRIVER_IN_USE),
    errors.SessionExists: Cause(Kind.SESSION_EXISTS),
    errors.SessionEnded: Cause(Kind.SESSION_ENDED),
    errors.RingCorrupt: Cause(Kind.RING_CORRUPT),
    errors.NotSupported: Cause(Kind.NOT_SUPPORTED),
    errors.CreatedElsewhere: Cause(
        Kind.NOT_SUPPORTED,
        "End that program. If it has crashed, DELETE /v1/driver removes the adapter.",
    ),
}

# What the framework refuses with a plain status.
STATUSES: Final[dict[int, Kind]] = {
    400: Kind.BAD_REQUEST,
    401: Kind.UNAUTHORIZED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.METHOD_NOT_ALLOWED,
    413: Kind.CONTENT_TOO_LARGE,
    415: Kind.UNSUPPORTED_MEDIA_TYPE,
    429: Kind.TOO_MANY_REQUESTS,
}


def cause_of(error: type[BaseException]) -> Cause:
    """Return the cause of a class of errors: its own, or that of its nearest base class."""
    for cls in error.__mro__:
        if cls in CAUSES:
            return CAUSES[cls]
    return Cause(Kind.INTERNAL)


def status_kind(status: int) -> Kind:
    """Return the kind of a status with which the framework refuses a request."""
    return STATUSES.get(status, Kind.BAD_REQUEST if status < 500 else Kind.INTERNAL)
