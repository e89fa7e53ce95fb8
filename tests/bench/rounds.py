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
    """What a figure should be; stands beside it as information.

    Attributes:
        bound: The least it should be, or the most.
        at_least: Whether it is the least.
        before: The figure that was measured once, where the claim is only that nothing got slower.
    """

    bound: float
    at_least: bool = True
    before: float | None = None

    def __str__(self) -> str:
        was = "" if self.before is None else f" (was {self.before:g})"
        return f"{'>=' if self.at_least else '<='} {self.bound:.3g}{was}"

    def is_met(self, value: float) -> bool:
        """Say whether a figure is on the right side of the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def judge(self, value: float) -> str:
        """Say how a figure compares."""
        return f"{self} {'met' if self.is_met(value) else 'missed'}"


def at_least(bound: float) -> Target:
    """Return a target from below."""
    return Target(bound)


def at_most(bound: float) -> Target:
    """Return a target from above."""
    return Target(bound, at_least=False)


def as_before(figure: float, *, at_least: bool = True) -> Target:
    """Return the target not to be slower than a figure that was measured earlier.

    Two runs on one machine differ by a tenth, so that much is not a loss.
    """
    return Target(figure * 0.9 if at_least else figure / 0.9, at_least, figure)
