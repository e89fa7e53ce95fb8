"""Read the moments of requests and commands, a time or one before now; write those of answers.

Sources: RFC 3339, section 5.6, for a time; `-30s` is how far back systemd and Prometheus write it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from wintun_api.errors import InvalidArgument

NS_PER_SECOND: Final = 1_000_000_000
NEVER: Final = 2**63
MAX_MOMENT: Final = 64  # characters
HOW: Final = (
    "a time with its zone (2026-11-29T10:15:00Z) or a time before now in ms, s, m, h or d (-30s, "
    "-5m or -1.5h)"
)

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_BEFORE: Final = re.compile(r"-(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def moment(text: str, name: str, now_ns: int) -> int:
    """Return a moment in nanoseconds since 1970.

    Args:
        text: The moment as the request has it.
        name: The parameter, for the error.
        now_ns: The present time, likewise in nanoseconds since 1970.

    Raises:
        InvalidArgument: It is not a moment.
    """
    before = _BEFORE.fullmatch(text)
    if before is not None:
        return now_ns - round(float(before[1]) * _UNITS[before[2]] * NS_PER_SECOND)
    time = _TIME.fullmatch(text)
    if time is not None:
        day, clock, fraction, zone = time.groups()
        try:
            whole = datetime.fromisoformat(f"{day}T{clock}{zone.upper()}")
        except ValueError as error:
            raise InvalidArgument(name, f"{text} is not a time: {error}.") from None
        return int(whole.timestamp()) * NS_PER_SECOND + int((fraction or "0").ljust(9, "0"))
    if " " in text and _TIME.fullmatch(text.replace(" ", "+")) is not None:
        raise InvalidArgument(name, f"{text!r} has a space; in a URL a + is written as %2B.")
    raise InvalidArgument(name, f"{text!r} is not {HOW}.")


def time_of(time_ns: int) -> datetime:
    """Return a moment in nanoseconds since 1970 as a time in UTC, to microseconds."""
    return datetime.fromtimestamp(time_ns / NS_PER_SECOND, UTC)


def span(since: str | None, until: str | None, now_ns: int) -> tuple[int, int]:
    """Return a time from `since` to `until` in nanoseconds since 1970.

    Left out, `since` is 1970 and `until` is never, so that all packets are in it, even those whose
    times are later than now because the clock was set back.

    Raises:
        InvalidArgument: One of them is not a moment, or the end is before the beginning.
    """
    since_ns = 0 if since is None else moment(since, "since", now_ns)
    until_ns = NEVER if until is None else moment(until, "until", now_ns)
    if since is not None and until is not None and until_ns < since_ns:
        raise InvalidArgument("until", f"{until} is before since, which is {since}.")
    return since_ns, until_ns
