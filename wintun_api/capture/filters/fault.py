"""Find where a filter is wrong.

libpcap says what is wrong, and not where. The fault begins at the first word that no continuation
makes right, so libpcap is asked about the beginnings of the filter, each with a few continuations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from wintun_api.capture.filters.names import WORD

DIGIT: Final = "8"
ENDS_WITH_WORD: Final = re.compile(r"[A-Za-z][\w.-]*$")
# What may follow: a filter, a number, an address, what stands between a protocol and its value.
CONTINUATIONS: Final = (
    *("", " tcp", " 80", " 1.1.1.1", " 1", " ::1", " host 1.1.1.1", " port 80", " portrange 1-2"),
    *(" proto 6", " proto 17", " protochain 6", " net 10", " mask 255.0.0.0", " \\tcp", DIGIT),
)
COMPARISONS: Final = ("", " = 1")  # a number alone is not a filter
CLOSES: Final = {"(": ")", "[": "]"}
# In seconds. libpcap may look names up each time, so the search is given up then.
PATIENCE: Final = 1.0
# What libpcap says of a name that it does not find.
UNKNOWN: Final = re.compile(r"unknown .*'(?P<name>[^']+)'")


def find_fault(expression: str, message: str, compiles: Callable[[str], bool]) -> int:
    """Return the offset of the first word that makes a filter wrong.

    It is the length of the filter if something is missing at its end. If the search takes long,
    the answer is the place before which nothing wrong was found.

    Args:
        expression: A filter that libpcap does not accept.
        message: What libpcap says of it.
        compiles: Whether libpcap accepts a filter.
    """
    words = list(WORD.finditer(expression))
    if (unknown := UNKNOWN.fullmatch(message)) is not None:
        # It is not looked up again, which may take seconds.
        named = (word.start() for word in words if word[0] == unknown["name"])
        if (found := next(named, None)) is not None:
            return found
    until = monotonic() + PATIENCE
    right, wrong = 0, len(words) + 1  # beginnings of so many words: can be continued, and cannot
    while wrong - right > 1:
        middle = (right + wrong) // 2
        beginning = expression[: words[middle - 1].end()]
        try:
            continued = any(compiles(one) for one in _continued(beginning) if _in_time(until))
        except TimeoutError:
            break
        if continued:
            right = middle
        else:
            wrong = middle
    return words[right].start() if right < len(words) else len(expression)


def _in_time(until: float) -> bool:
    if monotonic() > until:
        raise TimeoutError
    return True


def _continued(beginning: str) -> Iterator[str]:
    """Yield filters that begin so, with what closes their brackets."""
    closes: list[str] = []
    for character in beginning:
        if character in CLOSES:
            closes.append(CLOSES[character])
        elif closes and character == closes[-1]:
            closes.pop()
    closing = "".join(reversed(closes))
    for continuation in CONTINUATIONS:
        if continuation == DIGIT and ENDS_WITH_WORD.search(beginning):
            continue  # together they are a name, which libpcap would look up
        for comparison in COMPARISONS:
            yield beginning + continuation + closing + comparison
