"""Write the moments that the service takes as text: a time, or how long before now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

Moment: TypeAlias = str | datetime | timedelta


def moment_of(value: Moment | None, name: str) -> str | None:
    """Return a moment as the service reads it; a text is left to the service to judge.

    Args:
        value: A text such as `-30s`; a time with its zone; or how long before now it was.
        name: The argument, for the error.

    Raises:
        TypeError: It is something else.
        ValueError: It is a time without a zone, or a negative duration.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{name} needs a zone, such as datetime.now(UTC)")
        return value.isoformat()
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise ValueError(f"{name} is how long before now, so it cannot be negative")
        seconds, rest = divmod(value, timedelta(seconds=1))
        return f"-{seconds}.{rest.microseconds:06}s"
    raise TypeError(f"{name} is a text, a datetime or a timedelta, not {type(value).__name__}")
