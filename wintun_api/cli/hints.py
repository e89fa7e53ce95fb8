"""What to do about a problem of the API, in the words of the command line: one table.

The API's own hints are for those who write HTTP clients: they name routes and members. Here every
problem type has the hint for a person at a terminal, who knows commands and options.
"""

from __future__ import annotations

import re
from typing import Any, Final

from wintun_api.errors import WintunApiError

URN = "urn:wintun-api:problem:"

_ROUTE: Final = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) /|/v1/")

_REPORT = "This is a fault of wintun-api. The log of the service says more; please report it."
OTHER_VERSION = (
    "The command and the service may be of different versions: compare them with "
    "wintun-api version."
)
_ADDRESS = "Use the address that the service printed when it started, as --url."
_VALUES = "Correct the value and run the command again; --help says what it takes."

# None: the API's hint fits here too, as it speaks of the machine or of the service's options.
HINTS: Final[dict[str, str | None]] = {
    # What was asked for
    "invalid-argument": _VALUES,
    "invalid-request": _VALUES,
    "invalid-packet": "Give one whole IPv4 or IPv6 packet, without an Ethernet header.",
    "bad-frame": OTHER_VERSION,
    "adapter-not-found": "List the adapters with: wintun-api adapters list",
    "adapter-exists": "Use the adapter that is there with --if-exists open, delete it first with "
    "--if-exists replace, or choose another name.",
    "adapter-unavailable": "Enable the adapter in the Device Manager, or wait until its driver has "
    "been replaced; wintun-api events --follow shows when it is back.",
    "address-exists": None,
    "route-exists": None,
    "setting-refused": None,
    "session-not-found": "List the sessions with: wintun-api sessions list",
    "session-exists": "An adapter has one session at a time. Use it with wintun-api capture or "
    "wintun-api inject, end it with wintun-api sessions end, or stop the program that holds it.",
    "session-ended": "Start a new session with: wintun-api sessions start ADAPTER",
    "impairment-not-found": "Impair it with wintun-api impair; wintun-api impair --help shows how.",
    "recorder-not-found": "Switch it on with wintun-api recorder ADAPTER on; from then on the last "
    "packets are kept.",
    "invalid-filter": "Correct the filter at the mark. It is in the language of tcpdump; "
    "wintun-api guide filters has examples.",
    "filter-unavailable": None,
    "filters-busy": "Try again in some seconds. Filters with addresses instead of names do not "
    "wait for a resolver.",
    "recorders-full": "Ask for fewer --bytes, switch a recorder off with wintun-api recorder "
    "ADAPTER off, or let the service have more memory for them with its setting recorder_bytes.",
    "too-many-readers": "Run the command again when another download has ended.",
    "capture-not-found": "List the captures with: wintun-api captures list",
    "capture-over": "Start another one with wintun-api captures start; the files of this one can "
    "still be downloaded.",
    "captures-full": "Delete a capture that is not needed with wintun-api captures delete; to stop "
    "it does not help. Or start the service with a larger --captures-bytes.",
    "too-many-captures": "Delete a capture that is not needed with wintun-api captures delete, and "
    "try again.",
    "not-found": "Look for it with the list command: wintun-api adapters list, sessions list, "
    "tokens list or clients list.",
    "conflict": "Revoke a token that is not needed with wintun-api tokens revoke, and try again.",
    # Who may ask
    "unauthorized": "The service prints the path of its token file when it starts: give that "
    "path with --token-file.",
    "missing-scope": "Use a token that has this scope, or make one as an administrator with: "
    "wintun-api tokens create SCOPE",
    "forbidden": OTHER_VERSION,
    "too-many-guesses": None,
    "too-many-requests": "Wait a minute and try again.",
    "foreign-host": None,
    "foreign-origin": _ADDRESS,
    "bad-host": _ADDRESS,
    # The driver and the machine
    "access-denied": "Run the service with more rights: as Administrator on Windows, with "
    "CAP_NET_ADMIN on Linux. wintun-api doctor says what is missing.",
    "driver-unavailable": None,
    "driver-busy": "The call goes on by itself; wintun-api events --follow shows how it ends.",
    "driver-in-use": "Delete the adapters first, those of other programs too.",
    "driver-error": "The driver's log lines, below or in wintun-api events, say why.",
    "not-supported": "wintun-api status shows the driver; this version of it cannot do this.",
    "ring-full": "Send more slowly, or start the session with a larger --capacity.",
    "ring-corrupt": "End the session and start a new one with wintun-api sessions end and "
    "sessions start.",
    "out-of-threads": None,
    "storage-failed": "Nothing has changed. Make room on the service's disk, delete captures that "
    "are not needed with wintun-api captures delete, or make the data directory writable; then run "
    "the command again.",
    # The service and the connection
    "stopping": "Start the service again with: wintun-api serve",
    "full": None,
    "internal": _REPORT,
    "request-timeout": "Run the command again; the connection to the service is slow.",
    "content-too-large": "Send less at a time: for many packets use wintun-api inject --pcap.",
    # What only a client that is not this one, or a program between, can cause
    "bad-request": OTHER_VERSION,
    "bad-handshake": OTHER_VERSION,
    "bad-coding": OTHER_VERSION,
    "bad-version": OTHER_VERSION,
    "large-head": OTHER_VERSION,
    "long-target": "Use shorter values.",
    "method-not-allowed": OTHER_VERSION,
    "not-implemented": OTHER_VERSION,
    "repeated-header": "A program between the command and the service repeats a header: use the "
    "service's own address as --url.",
    "unknown-subprotocol": OTHER_VERSION,
    "unsupported-media-type": OTHER_VERSION,
}

# Who refuses these often says what to do instead, which is better than the table.
_PARTICULAR: Final = frozenset(("adapter-exists", "not-supported"))


# Errors that end a command of this process, before there is an API that could answer.
STARTING: Final[dict[str, str]] = {
    "InvalidSettings": "Run wintun-api serve --help for a list of all settings.",
    "UntrustedFile": "Let only the user of the service write the file, or remove it.",
    "DataDirectoryInUse": "Stop that service first, or give this one another directory with "
    "--data-dir.",
}


def hint_for(error: WintunApiError) -> str:
    """Return what to do about an error that was raised in this process, not by a service."""
    if error.hint:
        return error.hint
    for cls in type(error).__mro__:
        if cls.__name__ in STARTING:
            return STARTING[cls.__name__]
    from wintun_api.api.kinds import cause_of  # the commands of a client do not need it

    cause = cause_of(type(error))
    return HINTS[cause.kind.slug] or cause.hint


def slug_of(problem: dict[str, Any]) -> str:
    """Return the last part of a problem's type."""
    return str(problem.get("type", "")).removeprefix(URN)


def hint_of(problem: dict[str, Any]) -> str:
    """Return what to do about a problem of the API; one of a later version keeps its own hint."""
    slug = slug_of(problem)
    told = str(problem.get("hint", ""))
    if _ROUTE.search(told):
        told = ""
    if slug in _PARTICULAR and told:
        return told
    hint = HINTS.get(slug)
    return told if hint is None else hint


def detail_of(problem: dict[str, Any]) -> str:
    """Return what is wrong in the words of the command line; empty where the problem says none.

    The API answers a route that it does not have with the method and the path, which say nothing
    to a person at a terminal.
    """
    detail = str(problem.get("detail", ""))
    if is_unknown_route(problem):
        return "The service does not know this request."
    return detail


def is_unknown_route(problem: dict[str, Any]) -> bool:
    """Return whether the service has no such route, as one of another version may not."""
    unknown = slug_of(problem) in ("not-found", "method-not-allowed")
    return unknown and _ROUTE.search(str(problem.get("detail", ""))) is not None
