"""Choose how long each packet is delayed: shapes as tables of integers, and chains of delays."""

from __future__ import annotations

import itertools
from bisect import bisect
from functools import cache, lru_cache
from math import fsum, sqrt
from statistics import NormalDist
from typing import Final

from wintun_api.choices import Distribution
from wintun_api.hub.impairment.chance import Stream

SIZE: Final = 4096  # entries of a table
SCALE: Final = 8192  # what stands for 1 in a table

_MILLISECOND: Final = 1_000_000  # in nanoseconds
_SHAPE: Final = 3.0  # of the Pareto distribution in tc's tables
# The squares of the coefficients of each shape in Hermite's polynomials, as shares of the variance;
# the last one stands for all that follow.
_WEIGHTS: Final = {
    Distribution.UNIFORM: (0.9548, 0.0, 0.0398, 0.0, 0.0054),
    Distribution.PARETO: (0.6893, 0.2587, 0.0202, 0.0055, 0.0134, 0.0023, 0.0012, 0.0032, 0.0062),
    Distribution.PARETONORMAL: (
        0.8308,
        0.1406,
        0.0109,
        0.0030,
        0.0075,
        0.0012,
        0.0006,
        0.0017,
        0.0037,
    ),
}
_CUT: Final = 4.5  # where tc's tables end it; its least value is 1


@cache
def table(distribution: Distribution) -> tuple[int, ...]:
    """Return the values of a distribution at equally likely places, in ascending order.

    The values are in units of `1 / SCALE`; integers, so that they are the same on every system.
    Their mean is 0. Their deviation is 1, except for the uniform distribution, which lies between
    -1 and 1. The shapes are those of tc's tables (iproute2: netem/*.c), whose means and deviations
    are up to a fifth off.
    """
    if distribution is Distribution.UNIFORM:
        return tuple(2 * (2 * place + 1 - SIZE) * SCALE // (2 * SIZE) for place in range(SIZE))
    if distribution is Distribution.NORMAL:
        return _standardised(_bell())
    if distribution is Distribution.PARETO:
        return _standardised(_pareto())
    return _standardised(
        [(bell + 3 * pareto) / 4 for bell, pareto in zip(_bell(), _pareto(), strict=True)]
    )


def _bell() -> list[float]:
    """Return the normal distribution at equally likely places."""
    inverse = NormalDist().inv_cdf
    return [inverse((place + 0.5) / SIZE) for place in range(SIZE)]


def _pareto() -> list[float]:
    """Return the Pareto distribution at equally likely places, in tc's scale."""
    return [
        (min((1 - (place + 0.5) / SIZE) ** (-1 / _SHAPE), _CUT) - 1.5) * 4 / 3
        for place in range(SIZE)
    ]


def _standardised(values: list[float]) -> tuple[int, ...]:
    mean = fsum(values) / SIZE
    deviation = sqrt(fsum((value - mean) ** 2 for value in values) / SIZE)
    return tuple(round((value - mean) / deviation * SCALE) for value in values)


@cache
def _edges() -> tuple[float, ...]:
    """Return the borders between the places of the normal distribution."""
    bell = table(Distribution.NORMAL)
    return tuple((low + high) / 2 for low, high in itertools.pairwise(bell))


@lru_cache(maxsize=64)
def _normal_correlation(distribution: Distribution, correlation: float) -> float:
    """Return the correlation of normal numbers that makes delays of this shape as correlated.

    The correlation of what normal numbers with the correlation c are turned into is a power series
    of c whose terms are positive, so that it can be inverted by halving.
    """
    weights = _WEIGHTS.get(distribution)
    if weights is None or correlation in {0, 1}:
        return correlation
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        power, found = 1.0, 0.0
        for weight in weights:
            power *= middle
            found += weight * power
        low, high = (middle, high) if found < correlation else (low, middle)
    return high


class Delays:
    """Choose the delay of each packet.

    Correlated delays follow from a chain of normal numbers, z(n) = c z(n-1) + sqrt(1 - c^2) e(n),
    whose places in the normal distribution are looked up in the table of the shape that was asked
    for; c is such that the correlation of two neighbouring delays is what was asked for. So mean
    and deviation do not depend on the correlation, as they do in sch_netem. With a correlation of
    1, all packets have the delay of the first one.
    """

    __slots__ = (
        "_bell",
        "_chain",
        "_correlation",
        "_draw",
        "_edges",
        "_jitter",
        "_mean",
        "_rest",
        "_stream",
        "_table",
    )

    def __init__(self, key: str, number: int) -> None:
        self._stream = Stream(key, number)
        self._draw = self._stream.draw
        self._bell = table(Distribution.NORMAL)
        self._edges = _edges()
        self._table = self._bell
        self._mean = 0
        self._jitter = 0
        self._correlation = 0.0
        self._rest = 1.0
        self._chain: float | None = None

    def change(
        self, delay_ms: float, jitter_ms: float, distribution: Distribution, correlation: float
    ) -> None:
        """Choose delays like this from the next packet on."""
        self._mean = nanoseconds(delay_ms)
        self._jitter = nanoseconds(jitter_ms)
        self._table = table(distribution)
        correlation = _normal_correlation(distribution, correlation)
        self._correlation = correlation
        self._rest = sqrt(1 - correlation * correlation)
        if not correlation:
            self._chain = None

    def choose(self) -> int:
        """Return the delay of the next packet in nanoseconds, 0 if it would be less."""
        place = int(self._draw() * SIZE)
        if self._correlation:
            fresh = self._bell[place]
            last = self._chain
            chain = fresh if last is None else self._correlation * last + self._rest * fresh
            self._chain = chain
            place = bisect(self._edges, chain)
        delay = self._mean + self._table[place] * self._jitter // SCALE
        return delay if delay > 0 else 0

    def seek(self, number: int) -> None:
        """Go to the packet of this number, which is the next one."""
        self._stream.seek(number)


def nanoseconds(milliseconds: float) -> int:
    """Return milliseconds in nanoseconds."""
    return round(milliseconds * _MILLISECOND)
