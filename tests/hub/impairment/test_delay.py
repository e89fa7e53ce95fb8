"""hub.impairment.delay: the shapes, and chains of delays that keep their mean and deviation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import erf, sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from tests.hub.impairment.bounds import (
    PACKETS,
    deviation_of,
    mean_of,
    moment,
    near_correlation,
    near_counts,
    near_moments,
)
from wintun_api.choices import Distribution
from wintun_api.hub.impairment.chance import BLOCK
from wintun_api.hub.impairment.delay import SCALE, SIZE, Delays, table

SHAPES = list(Distribution)
OWN_DEVIATION = [one for one in Distribution if one is not Distribution.UNIFORM]
TC = [*sorted(Path("/usr/lib").glob("*/tc")), Path("/usr/lib/tc"), Path("/usr/share/tc")]
MS = 1_000_000


def values_of(shape: Distribution) -> list[float]:
    """Return the table of a shape as numbers."""
    return [value / SCALE for value in table(shape)]


def delays(
    shape: Distribution, correlation: float, delay_ms: float = 1000, jitter_ms: float = 100
) -> list[int]:
    """Return the delays of many packets in nanoseconds."""
    chain = Delays("delays", 0)
    chain.change(delay_ms, jitter_ms, shape, correlation)
    chosen: list[int] = []
    for number in range(PACKETS):
        if not number % BLOCK:
            chain.seek(number)
        chosen.append(chain.choose())
    return chosen


@pytest.mark.parametrize("shape", SHAPES)
def test_tables_ascend_around_nought(shape: Distribution) -> None:
    """A table has as many values as tc's, in order, and their mean is 0."""
    values = table(shape)
    assert len(values) == SIZE
    assert list(values) == sorted(values)
    assert mean_of(values) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("shape", OWN_DEVIATION)
def test_tables_have_a_deviation_of_one(shape: Distribution) -> None:
    """The jitter is the standard deviation."""
    assert deviation_of(values_of(shape)) == pytest.approx(1, abs=1e-5)


def test_the_uniform_table_lies_between_one_and_minus_one() -> None:
    """As in sch_netem, the jitter of the uniform distribution is the farthest that it goes."""
    values = values_of(Distribution.UNIFORM)
    assert deviation_of(values) == pytest.approx(1 / sqrt(3), rel=1e-6)
    assert -1 <= values[0] == -values[-1]
    assert {two - one for one, two in itertools.pairwise(values)} == {2 / SIZE}


@pytest.mark.parametrize(
    ("shape", "skew", "kurtosis"),
    [(Distribution.UNIFORM, 0, 1.8), (Distribution.NORMAL, 0, 3)],
)
def test_the_moments_of_even_shapes(shape: Distribution, skew: float, kurtosis: float) -> None:
    """The third and fourth moments are those of the distribution, but for the table's ends."""
    values = values_of(shape)
    deviation = deviation_of(values)
    assert moment(values, 3) / deviation**3 == pytest.approx(skew, abs=1e-4)
    assert moment(values, 4) / deviation**4 == pytest.approx(kurtosis, rel=0.02)


def test_the_normal_table_is_the_normal_distribution() -> None:
    """The share of values below each one is that of the bell, within the table's grain."""
    for place, value in enumerate(values_of(Distribution.NORMAL)):
        assert 0.5 + erf(value / sqrt(2)) / 2 == pytest.approx((place + 0.5) / SIZE, abs=2e-4)


def pareto(share: float) -> float:
    """Return what this share of a Pareto distribution of shape 3 is below, cut where tc cuts it."""
    value: float = (1 - share) ** (-1 / 3)
    return (min(value, 4.5) - 1.5) * 4 / 3


def paretonormal(share: float) -> float:
    """Return a quarter of the bell and three quarters of the other, as in tc."""
    return (NormalDist().inv_cdf(share) + 3 * pareto(share)) / 4


@pytest.mark.parametrize(
    ("shape", "below"),
    [(Distribution.PARETO, pareto), (Distribution.PARETONORMAL, paretonormal)],
)
def test_skew_tables_are_as_skew_as_the_distributions(
    shape: Distribution, below: Callable[[float], float]
) -> None:
    """Skewness and kurtosis are those of the distribution, added up from many thin slices."""
    slices = 100_000
    exact = [below((one + 0.5) / slices) for one in range(slices)]
    values = values_of(shape)
    for order in (3, 4):
        expected = moment(exact, order) / deviation_of(exact) ** order
        assert expected > order - 2
        assert moment(values, order) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("shape", OWN_DEVIATION)
@pytest.mark.skipif(not any(one.is_dir() for one in TC), reason="needs the tables of tc")
def test_tables_have_the_shapes_of_tc(shape: Distribution) -> None:
    """Value by value, a table is tc's with another mean and deviation; tc's are up to 18 % off."""
    path = next(one for folder in TC if (one := folder / f"{shape.value}.dist").exists())
    lines = [one for one in path.read_text("ascii").splitlines() if not one.startswith("#")]
    theirs = [int(one) for line in lines for one in line.split()]
    ours = table(shape)
    assert len(theirs) == len(ours)
    mean, deviation = mean_of(theirs), deviation_of(theirs)
    apart = [
        our / SCALE - (their - mean) / deviation for our, their in zip(ours, theirs, strict=True)
    ]
    assert deviation_of(apart) < 0.01
    # Only the outermost values differ by more: the ends of a bell depend on how it is cut.
    assert max(map(abs, apart[8:-8])) < 0.02


@pytest.mark.parametrize("correlation", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("shape", SHAPES)
def test_delays_are_as_they_were_asked_for(shape: Distribution, correlation: float) -> None:
    """Mean, deviation and the correlation of neighbours hold for each shape and correlation."""
    chosen = [one / MS for one in delays(shape, correlation)]
    values = values_of(shape)
    deviation = deviation_of(values)
    kurtosis = moment(values, 4) / deviation**4
    near_moments(chosen, 1000, 100 * deviation, kurtosis, correlation)
    near_correlation(chosen, correlation)


@pytest.mark.parametrize("correlation", [0, 0.25, 0.7])
@pytest.mark.parametrize("shape", SHAPES)
def test_delays_have_their_shape_whatever_the_correlation(
    shape: Distribution, correlation: float
) -> None:
    """Every tenth of the table is chosen for a tenth of the packets."""
    chain = delays(shape, correlation)[:: 1 if not correlation else 20]  # neighbours are alike
    edges = [
        1000 * MS + table(shape)[SIZE * tenth // 10] * 100 * MS // SCALE for tenth in range(10)
    ]
    counts = [0] * 10
    for one in chain:
        counts[sum(one >= edge for edge in edges) - 1] += 1
    near_counts(counts, [len(chain) / 10] * 10)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_correlation_of_one_chooses_once(shape: Distribution) -> None:
    """All packets have the delay of the first one, and other lanes another."""
    seen: set[int] = set()
    for lane in range(50):
        chain = Delays(f"lane {lane}", 0)
        chain.change(1000, 100, shape, 1)
        chosen = {chain.choose() for _ in range(20)}
        assert len(chosen) == 1
        seen |= chosen
    assert len(seen) > 40


def test_a_delay_is_never_less_than_nought() -> None:
    """A jitter that is larger than the delay lets some packets leave at once."""
    chosen = delays(Distribution.NORMAL, 0, delay_ms=10, jitter_ms=100)
    assert min(chosen) == 0
    assert sum(one == 0 for one in chosen) / PACKETS == pytest.approx(
        0.5 + erf(-0.1 / sqrt(2)) / 2, abs=0.01
    )


def test_jitter_alone_delays_half_of_the_packets() -> None:
    """Around a delay of 0, what would be less than 0 is 0."""
    chosen = delays(Distribution.UNIFORM, 0, delay_ms=0, jitter_ms=10)
    assert sum(one == 0 for one in chosen) / PACKETS == pytest.approx(0.5, abs=0.01)
    assert max(chosen) < 10 * MS


def test_a_change_keeps_the_chain() -> None:
    """The next packets are as late as those before, in the new measure."""
    chain, same = Delays("chain", 0), Delays("chain", 0)
    for one in (chain, same):
        one.change(1000, 100, Distribution.NORMAL, 0.9)
    for step in range(1000):
        chain.change(500 + step, 10, Distribution.NORMAL, 0.9)
        late = (chain.choose() - (500 + step) * MS) / (10 * MS)
        assert late == pytest.approx((same.choose() - 1000 * MS) / (100 * MS), abs=1e-6)


def test_correlated_delays_change_their_shape_in_place() -> None:
    """The place of a packet among all does not depend on the shape of the delays."""
    normal, other = Delays("shape", 0), Delays("shape", 0)
    normal.change(1000, 100, Distribution.NORMAL, 0)
    other.change(1000, 100, Distribution.PARETO, 0)
    pairs = sorted((normal.choose(), other.choose()) for _ in range(2000))
    assert [two for _, two in pairs] == sorted(two for _, two in pairs)
