"""The mark below the place where a filter is wrong."""

from __future__ import annotations

import pytest

from wintun_api.cli.filter_fault import CUT, MARGIN, WIDTH, lines_of, width_of


@pytest.mark.parametrize(
    ("expression", "offset", "shown", "column"),
    [
        ("tcp prot 80", 4, "tcp prot 80", 4),
        ("tcp and", 7, "tcp and", 7),
        ("", 0, "", 0),
        ("host 日本 xyz", 8, "host 日本 xyz", 10),  # each takes two columns
        ("host 🐈 xyz", 7, "host 🐈 xyz", 8),
        ("e\u0301 x", 3, "e\u0301 x", 2),  # a mark on the letter before it takes none
        ("a\u200db x", 4, "a\u200db x", 3),  # nor does a character that joins two others
        ("tcp\tor\nprot", 7, "tcp or prot", 7),
        ("\x1b[31m x", 6, "?[31m x", 6),
    ],
)
def test_the_mark(expression: str, offset: int, shown: str, column: int) -> None:
    """It stands in the column in which a terminal shows the character."""
    assert lines_of({"filter": expression, "offset": offset}) == [
        f"{MARGIN}{shown}",
        f"{MARGIN}{' ' * column}^",
    ]


@pytest.mark.parametrize("word", ["tcp port 443 or ", "host 日本語 or "])
@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 1.0])
def test_a_long_filter(word: str, part: float) -> None:
    """What is around the place is shown in one line of a terminal, and where it was cut."""
    expression = word * 200
    offset = round(part * len(expression))
    line, mark = lines_of({"filter": expression, "offset": offset})
    assert width_of(line) <= len(MARGIN) + WIDTH + 1 + 2 * len(CUT)
    before = line[: next(at for at in range(len(line) + 1) if width_of(line[:at]) == len(mark) - 1)]
    assert line[len(before) :].removesuffix(CUT)[:5] == expression[offset : offset + 5]
    assert before.startswith(MARGIN + CUT) == (offset > WIDTH)
    assert line.endswith(CUT) == (offset < len(expression) - WIDTH)


@pytest.mark.parametrize("offset", [None, "4", -1, 99])
def test_no_place(offset: object) -> None:
    """A problem that names no place in the filter shows nothing."""
    assert lines_of({"filter": "tcp prot", "offset": offset}) == []
    assert lines_of({"offset": 0}) == []
