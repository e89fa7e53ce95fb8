"""What the exit codes of the command line mean: one per kind of end, so that scripts can tell."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_REACHABLE = 3
    REFUSED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.DONE: "The command did what it was asked to do.",
    ExitCode.FAILED: "The command failed for another reason; the message says which.",
    ExitCode.USAGE: "An argument, an option, a setting or a variable is wrong.",
    ExitCode.NOT_REACHABLE: "The service is not running, or it cannot be reached.",
    ExitCode.REFUSED: "The service refused: the token is wrong, or it does not allow this.",
    ExitCode.NOT_FOUND: "The adapter, session or token does not exist.",
    ExitCode.CONFLICT: "Something else is in the way, such as an adapter of the same name.",
    ExitCode.INTERRUPTED: "Ctrl-C (SIGINT) interrupted the command.",
    ExitCode.TERMINATED: "SIGTERM ended the command.",
}

SHORT: Final = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 service not reachable, 4 refused, "
    "5 not found, 6 conflict, 130 interrupted by Ctrl-C, 143 ended by SIGTERM."
)

# Problems whose HTTP status alone would give another code.
_BY_SLUG: Final = {
    "stopping": ExitCode.NOT_REACHABLE,
    "too-many-guesses": ExitCode.REFUSED,
}
_BY_STATUS: Final = {
    401: ExitCode.REFUSED,
    403: ExitCode.REFUSED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.CONFLICT,
}


def code_of(slug: str, status: int) -> ExitCode:
    """Return the exit code for a problem of the API.

    Args:
        slug: The last part of its type.
        status: Its HTTP status.
    """
    return _BY_SLUG.get(slug) or _BY_STATUS.get(status, ExitCode.FAILED)


def signal_code(number: int) -> int:
    """Return the exit code of a command that a signal ended, as shells count it."""
    return 128 + number
