"""Say how far from a model a sample may be: four standard errors of what was measured.

Seeds are fixed, so a test that passes once passes always; the bounds say that the code is right.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import fsum, sqrt

import pytest

PACKETS = 100_000
ERRORS = 4


def near_share(count: int, of: int, expected: float, correlation: float = 0.0) -> None:
    """Hold a share to a probability, for events whose neighbours are correlated like this."""
    inflation = (1 + correlation) / (1 - correlation)
    error = sqrt(expected * (1 - expected) / of * inflation)
    assert count / of == pytest.approx(expected, abs=ERRORS * error)


def near_moments(
    values: Sequence[float], mean: float, deviation: float, kurtosis: float, correlation: float
) -> None:
    """Hold the mean and the standard deviation of correlated values to those of a model."""
    found = mean_of(values)
    error = deviation * sqrt((1 + correlation) / (1 - correlation) / len(values))
    assert found == pytest.approx(mean, abs=ERRORS * error)
    inflation = (1 + correlation**2) / (1 - correlation**2)
    error = deviation * sqrt((kurtosis - 1) / (4 * len(values)) * inflation)
    assert deviation_of(values) == pytest.approx(deviation, abs=ERRORS * error)


def near_correlation(values: Sequence[float], expected: float) -> None:
    """Hold the correlation of neighbours to that of a model, by half as much again as usual.

    The error of the correlation of normal numbers is at most 1 / sqrt(n); others have long tails.
    """
    error = 1.5 / sqrt(len(values))
    assert neighbours(values) == pytest.approx(expected, abs=ERRORS * error)


def near_counts(counts: Sequence[int], expected: Sequence[float]) -> None:
    """Hold counts to expected ones by the statistic of Pearson, whose mean is their number."""
    statistic = fsum((one - two) ** 2 / two for one, two in zip(counts, expected, strict=True))
    assert statistic < len(counts) + ERRORS * sqrt(2 * len(counts))


def mean_of(values: Sequence[float]) -> float:
    """Return the mean."""
    return fsum(values) / len(values)


def deviation_of(values: Sequence[float]) -> float:
    """Return the standard deviation."""
    return sqrt(moment(values, 2))


def moment(values: Sequence[float], order: int) -> float:
    """Return a central moment."""
    mean = mean_of(values)
    return fsum((value - mean) ** order for value in values) / len(values)


def neighbours(values: Sequence[float]) -> float:
    """Return the correlation of each value with the next one."""
    mean = mean_of(values)
    centred = [value - mean for value in values]
    return fsum(one * two for one, two in itertools.pairwise(centred)) / fsum(
        value * value for value in centred
    )


def bursts(events: Sequence[bool]) -> list[int]:
    """Return the lengths of the runs of events that ended."""
    lengths: list[int] = []
    length = 0
    for happened in events:
        if happened:
            length += 1
        elif length:
            lengths.append(length)
            length = 0
    return lengths
