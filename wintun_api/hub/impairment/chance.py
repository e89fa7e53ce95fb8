"""Decide by chance, repeatably: streams of numbers that follow from a key alone."""

from __future__ import annotations

from random import Random
from typing import Final

BLOCK: Final = 1024  # numbers of a stream that follow from one seed

_UNKNOWN: Final = 2  # whether an event happened to the packet before, beside False and True


class Stream:
    """Give one number from 0 to 1 for each packet of a lane.

    The n-th number follows from the key and n alone: `Random.random` is promised to give the same
    numbers for the same seed in all versions of Python. Each block of numbers has a seed of its
    own, so that a feature that is turned on after many packets finds its place at once.

    Args:
        key: Names the stream; others have other keys.
        number: The number of the packet that is next, from 0.
    """

    __slots__ = ("_generator", "_key", "draw")

    def __init__(self, key: str, number: int) -> None:
        self._key = key
        self._generator = Random(0)  # noqa: S311 - it repeats on purpose
        self.draw = self._generator.random
        self.seek(number)

    def seek(self, number: int) -> None:
        """Go to the packet of this number."""
        self._generator.seed(f"{self._key}/{number // BLOCK}")
        for _ in range(number % BLOCK):
            self.draw()


class Events:
    """Say of each packet whether something happens to it: a chain of two states.

    What was asked for stays true whatever the correlation: the mean is the probability, and the
    correlation of two neighbours is the correlation. (The formula of sch_netem changes both.) With
    a correlation of 1, what happens to the first packet happens to all, until the probability is
    changed. A probability of 0 and of 1 hold at once, whatever happened before.
    """

    __slots__ = ("_before", "_chances", "_correlation", "_draw", "_probability", "_stream")

    def __init__(self, key: str, number: int) -> None:
        self._stream = Stream(key, number)
        self._draw = self._stream.draw
        self._probability = 0.0
        self._correlation = 0.0
        self._before: int = _UNKNOWN
        self._chances = (0.0, 0.0, 0.0)

    def change(self, probability: float, correlation: float) -> None:
        """Let it happen with this probability from the next packet on."""
        if correlation == 1 and probability != self._probability:
            self._before = _UNKNOWN
        self._probability = probability
        self._correlation = correlation
        if 0 < probability < 1:
            none_before = probability * (1 - correlation)
            one_before = probability + correlation * (1 - probability)
            self._chances = (none_before, one_before, probability)
        else:
            self._chances = (probability, probability, probability)

    def happens(self) -> bool:
        """Say whether it happens to the next packet."""
        happens = self._before = self._draw() < self._chances[self._before]
        return happens

    def skip(self) -> None:
        """Pass over a packet to which it cannot happen, and which the next one is not like."""
        self._draw()

    def seek(self, number: int) -> None:
        """Go to the packet of this number, which is the next one."""
        self._stream.seek(number)
