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


SHORT: Final = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 service not reachable, 4 refused, "
    "5 not found, 6 conflict, 130 interrupted by Ctrl-C, 143 ended by SIGTERM."
)

# Problems whose HTTP status alone would give another code.
_BY_SLUG: Final = {
    "stopping": ExitCode.NOT_REACHABLE,
    "too-many-guesses": ExitCode.REFUSED,
    **dict.fromkeys(
        ("invalid-argument", "invalid-filter", "invalid-packet", "invalid-request"), ExitCode.USAGE
    ),
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
