"""When each packet of a replay is due: at a rate, or at the times of the capture.

Every moment is counted in nanoseconds from the start, never from the last packet, so that delays
do not add up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from wintun_api import quantities
from wintun_api.moments import NS_PER_SECOND

# A time that is further back than this is not a packet out of order: the clock was set.
OUT_OF_ORDER: Final = NS_PER_SECOND
_MULTIPLE: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?[xX]?")


class Pace(Protocol):
    """Say when packets are due, one after the other.

    Attributes:
        grain: Packets that are due within so many nanoseconds may be sent at once.
    """

    grain: int

    def due(self, time_ns: int, size: int) -> int:
        """Return when the next packet is due, in nanoseconds after the start.

        Args:
            time_ns: When it was captured, in nanoseconds since 1970; 0 if that is not known.
            size: Its bytes.
        """

    def begin_again(self) -> None:
        """Take the packet that follows as the first of another pass."""


@dataclass(slots=True)
class PacketRate:
    """So many packets a second."""

    per_second: float
    grain: int = 20_000_000
    _packets: int = 0

    def due(self, _time_ns: int, _size: int) -> int:
        """Return when the next packet is due."""
        due = int(self._packets * NS_PER_SECOND / self.per_second)
        self._packets += 1
        return due

    def begin_again(self) -> None:
        """Go on: the rate is that of all passes."""


@dataclass(slots=True)
class BitRate:
    """So many bits of IP packets a second."""

    per_second: int
    grain: int = 20_000_000
    _bits: int = 0

    def due(self, _time_ns: int, size: int) -> int:
        """Return when the next packet is due."""
        due = self._bits * NS_PER_SECOND // self.per_second
        self._bits += 8 * size
        return due

    def begin_again(self) -> None:
        """Go on: the rate is that of all passes."""


@dataclass(slots=True)
class CapturedTimes:
    """The times of the capture, or a multiple of its speed.

    A packet that is out of order is due at once. Where the clock of the capture was set back, the
    next packet is due at once as well, and the times go on from there.

    Attributes:
        speed: 2 is twice as fast as the capture.
        max_gap: The longest time between two packets, in nanoseconds of the capture.
    """

    speed: float = 1.0
    max_gap: int | None = None
    grain: int = 1_000_000
    _latest: int = 0  # of the times of the capture
    _elapsed: int = 0  # nanoseconds of the capture

    def due(self, time_ns: int, _size: int) -> int:
        """Return when the next packet is due."""
        if time_ns:
            gap = time_ns - self._latest if self._latest else 0
            if gap > 0:
                self._elapsed += gap if self.max_gap is None else min(gap, self.max_gap)
            if gap > 0 or gap < -OUT_OF_ORDER or not self._latest:
                self._latest = time_ns
        return int(self._elapsed / self.speed)

    def begin_again(self) -> None:
        """Let the first packet of the next pass follow the last one at once."""
        self._latest = 0


def rate_of(text: str) -> PacketRate | BitRate:
    """Read `1000` or `1000pps`, packets a second, or `10mbit`, bits a second.

    Raises:
        ValueError: It is not a rate, or a rate of less than a packet in 100 seconds.
    """
    try:
        packets = quantities.packets_per_second(text)
    except ValueError:
        try:
            bits = quantities.bits_per_second(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a rate such as 1000pps or 10mbit.") from None
        if bits < 1:
            raise ValueError("The rate must be at least 1bit.") from None
        return BitRate(bits)
    if packets < 0.01:
        raise ValueError("The rate must be at least 0.01pps.")
    return PacketRate(packets)


def multiple_of(text: str) -> float:
    """Read a multiple of the speed of a capture such as `2x` or `0.5`.

    Raises:
        ValueError: It is not one from 0.001 to 1000000.
    """
    found = _MULTIPLE.fullmatch(text.strip())
    speed = float(found[1]) if found else 0.0
    if not 0.001 <= speed <= 1_000_000:
        raise ValueError(f"{text!r} is not a speed such as 2x, from 0.001x to 1000000x.")
    return speed


def gap_of(text: str) -> int:
    """Read the longest time between two packets, and return nanoseconds.

    Raises:
        ValueError: It is not a time, or not above zero.
    """
    try:
        seconds = quantities.seconds(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 5s, 500ms or 2m.") from None
    if seconds <= 0:
        raise ValueError("The gap must be longer than 0 seconds.")
    return int(seconds * NS_PER_SECOND)
