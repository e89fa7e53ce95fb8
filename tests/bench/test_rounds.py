from __future__ import annotations

import pytest

from tests.bench.rounds import at_least, at_most, ratio, spread
from tests.bench.tables import Table


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
