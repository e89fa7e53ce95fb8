"""Say when each packet of a burst was read or written, as a batch carries it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

LATEST: Final = 0xFFFFFFFF  # nanoseconds; a number of 32 bits


class Stamps(NamedTuple):
    """Hold the times of packets that came together.

    Attributes:
        time_ns: The time of the first packet, in nanoseconds since 1970.
        times: How many nanoseconds later each packet was, as numbers of 32 bits. A packet that was
            more than 4.29 seconds later has the largest number, and one that was earlier, because
            the clock was set back, has 0.
    """

    time_ns: int
    times: array[int]

    @classmethod
    def of(cls, readings: Sequence[int]) -> Stamps:
        """Return the stamps of packets, given the time of each in nanoseconds since 1970.

        Args:
            readings: The times, at least one.
        """
        first = readings[0]
        return cls(first, array("I", [min(max(0, one - first), LATEST) for one in readings]))

    @classmethod
    def joined(cls, several: Sequence[Stamps]) -> Stamps:
        """Return the stamps of several bursts, at least one, as those of one burst."""
        if len(several) == 1:
            return several[0]
        return cls.of([one.time_ns + time for one in several for time in one.times])

    def part(self, start: int, stop: int) -> Stamps:
        """Return those of the packets from `start` to `stop`, which keep their times."""
        if start == 0 and stop == len(self.times):
            return self
        return Stamps(self.time_ns, self.times[start:stop])
