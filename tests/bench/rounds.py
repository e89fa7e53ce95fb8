"""Turns, medians, spreads, ratios and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of all rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    def as_json(self) -> dict[str, Any]:
        """Return it for the JSON file."""
        low, high = min(self.values), max(self.values)
        return {"median": self.median, "min": low, "max": high, "values": list(self.values)}

    def text(self, form: str = ".2f", scale: float = 1.0) -> str:
        """Return the median with the least and the greatest in brackets."""
        middle, low, high = (
            format(value * scale, form)
            for value in (self.median, min(self.values), max(self.values))
        )
        return middle if len(self.values) == 1 else f"{middle} ({low}..{high})"


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of a row of values."""
    return Spread(tuple(values))


def ratio(ones: Sequence[float], others: Sequence[float]) -> Spread:
    """Return the ratios of neighbours: both were measured in the same round."""
    return Spread(tuple(one / other if other else 0.0 for one, other in zip(ones, others)))  # noqa: B905


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be; stands beside it as information."""

    bound: float
    at_least: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"

    def judge(self, value: float) -> str:
        """Say how a figure compares."""
        met = value >= self.bound if self.at_least else value <= self.bound
        return f"{self} {'met' if met else 'missed'}"


def at_least(bound: float) -> Target:
    """Return a target from below."""
    return Target(bound)


def at_most(bound: float) -> Target:
    """Return a target from above."""
    return Target(bound, at_least=False)
