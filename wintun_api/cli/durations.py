"""Lengths of time as people write and read them."""

from __future__ import annotations

import re

UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def seconds_of(text: str) -> float | None:
    """Read `90m`, `12h`, `7d` or `3600`; return None if it is not a length of time above zero."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        return None
    return float(found[1]) * _SECONDS[found[2]]


def is_zero(text: str) -> bool:
    """Return whether the text is a length of time, but one of zero."""
    found = _LENGTH.fullmatch(text.strip())
    return found is not None and float(found[1]) == 0


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    left = max(0, int(seconds))
    words: list[str] = []
    for unit, length in UNITS:
        count, left = divmod(left, length)
        if count or (unit == "second" and not words):
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(words[:2])


def rough(seconds: float) -> str:
    """Return a length of time in the largest unit of which it has two or more."""
    for unit, length in UNITS:
        count = round(seconds / length)
        if count >= 2:
            return f"{count} {unit}s"
    return "a moment"
