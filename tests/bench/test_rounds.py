from __future__ import annotations

import pytest

from tests.bench.__main__ import exit_code
from tests.bench.rounds import as_before, at_least, at_most, ratio, spread
from tests.bench.tables import Table, summary


def test_a_spread_has_its_median_between_its_ends() -> None:
    """The median stands first, the least and the greatest in brackets."""
    assert spread([3000.0, 1000.0, 2500.0]).text(".1f", 1e-3) == "2.5 (1.0..3.0)"


def test_one_round_has_no_brackets() -> None:
    """A single value is no spread."""
    assert spread([0.5]).text() == "0.50"


def test_ratios_are_of_neighbours() -> None:
    """Each round is compared with itself, so that a slow minute of the machine cancels out."""
    assert ratio([10.0, 1.0], [20.0, 2.0]).values == (0.5, 0.5)


def test_a_ratio_to_nothing_is_zero() -> None:
    """A contender that carried nothing does not end the benchmark."""
    assert ratio([10.0], [0.0]).values == (0.0,)


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (at_least(0.85), 0.85, ">= 0.85 met"),
        (at_least(0.85), 0.84, ">= 0.85 missed"),
        (at_most(3), 3, "<= 3 met"),
        (at_most(3), 3.1, "<= 3 missed"),
        (as_before(0.5), 0.45, ">= 0.45 (was 0.5) met"),
        (as_before(0.5), 0.44, ">= 0.45 (was 0.5) missed"),
        (as_before(9, at_least=False), 10, "<= 10 (was 9) met"),
        (as_before(9, at_least=False), 10.1, "<= 10 (was 9) missed"),
    ],
)
def test_a_target_judges_from_its_side(target: object, value: float, verdict: str) -> None:
    assert target.judge(value) == verdict  # type: ignore[attr-defined]


def test_columns_are_aligned() -> None:
    """Every column is as wide as its widest cell."""
    table = Table("title", ["a", "long head"], ["a note"])
    table.add(["wider", "1"], {"a": 1})
    assert table.text().splitlines()[2:] == [
        "a      long head",
        "-----  ---------",
        "wider  1",
        "a note",
    ]


def test_a_row_that_does_not_fit_is_refused() -> None:
    """A cell too few would shift every column behind it."""
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table("title", ["a", "b"]).add(["1"], {})


def test_a_table_keeps_what_it_judged() -> None:
    """A cell with a target is a verdict of the summary; one without is empty."""
    table = Table("title", ["a"])
    assert table.judge("rate", at_least(2), 1) == ">= 2 missed"
    assert table.judge("another", None, 1) == ""
    assert [(one.what, one.is_met) for one in table.verdicts] == [("rate", False)]


def test_the_summary_begins_with_what_is_missed() -> None:
    """A reader sees first what is left to do."""
    table = Table("title", ["a"])
    table.judge("good", at_least(2), 2)
    table.judge("bad", at_most(2), 3)
    lines = summary(table.verdicts).text().splitlines()
    assert lines[0] == "targets: 1 met, 1 missed"
    assert [line.split() for line in lines[4:]] == [
        ["bad", "3", "<=", "2", "MISSED"],
        ["good", "2", ">=", "2", "met"],
    ]


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_missed_target_ends_with_1_only_if_asked(strict: bool, code: int) -> None:
    """The benchmark measures; with --strict it is a gate."""
    table = Table("title", ["a"])
    table.judge("bad", at_most(2), 3)
    assert exit_code(table.verdicts, strict=strict) == code
    assert exit_code([], strict=strict) == 0
