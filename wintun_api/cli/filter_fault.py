"""Show where a filter is wrong: the expression, and a mark below the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import errors_are_json, fail, printable
from wintun_api.cli.table import text_width

if TYPE_CHECKING:
    from wintun_api.errors import InvalidFilter

WIDTH: Final = 72  # columns of a filter that are shown around the place
MARGIN: Final = "  "
CUT: Final = "..."
_SPACES: Final = str.maketrans(dict.fromkeys("\t\n\r\v\f", " "))


def refuse(error: InvalidFilter) -> NoReturn:
    """End the command with what is wrong with a filter, and a mark at the place."""
    from wintun_api.cli.hints import hint_for

    problem = {"filter": error.expression, "offset": error.offset}
    fail(
        str(error),
        *([] if errors_are_json() else lines_of(problem)),
        hint_for(error),
        code=ExitCode.USAGE,
        problem=problem,
    )


def lines_of(problem: Mapping[str, Any]) -> list[str]:
    """Return the lines that show it; none if the problem document names no place in a filter.

    Of a long filter they have what is around the place.
    """
    expression, offset = problem.get("filter"), problem.get("offset")
    if not isinstance(expression, str) or not isinstance(offset, int):
        return []
    if not 0 <= offset <= len(expression):
        return []
    text = printable(expression.translate(_SPACES))
    begin, end = _around(text, offset)
    before = (CUT if begin else "") + text[begin:offset]
    after = text[offset:end] + (CUT if end < len(text) else "")
    return [f"{MARGIN}{before}{after}", f"{MARGIN}{' ' * width_of(before)}^"]


def width_of(text: str) -> int:
    """Return the columns that a text takes where the terminal joins no letters by a joiner."""
    return sum(map(text_width, text))


def _around(text: str, offset: int) -> tuple[int, int]:
    """Return what fits around a place: as much as possible, and the place near the middle."""
    if width_of(text) <= WIDTH:
        return 0, len(text)
    begin, left = offset, WIDTH
    end = offset
    while left > 0 and (begin > 0 or end < len(text)):
        # Take from the side of which less is shown, unless nothing is left there.
        if begin > 0 and (end == len(text) or offset - begin <= end - offset):
            begin -= 1
            left -= text_width(text[begin])
        else:
            left -= text_width(text[end])
            end += 1
    return begin, end
