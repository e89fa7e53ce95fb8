"""What the host is told when no other host has the destination of its packets.

Programs then fail at once instead of waiting. The answers are few: a host that sends without a stop
into nowhere gets `RATE` of them in a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, final

from wintun_api.packet.build import host_unreachable

RATE: Final = 10.0  # answers in a second
BURST: Final = 10.0  # answers at once, after a second without any


@final
class Unreachable:
    """Answer packets without a route, at a bounded rate (a token bucket).

    Attributes:
        answered: How many packets were answered.
        silent: How many were not, because there were too many of them, or the adapter took none.
    """

    __slots__ = ("_at", "_clock", "_tokens", "answered", "silent")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with as many answers as may be given at once.

        Args:
            clock: Gives seconds since any fixed moment.
        """
        self.answered = 0
        self.silent = 0
        self._clock = clock
        self._at = clock()
        self._tokens = BURST

    def answers(self, packets: Iterable[bytes]) -> list[bytes]:
        """Return the ICMP errors about packets, which are injected where these came from.

        There is none about errors, about packets to or from group addresses, and about fragments
        other than the first.
        """
        now = self._clock()
        self._tokens = min(BURST, self._tokens + RATE * (now - self._at))
        self._at = now
        found = []
        for packet in packets:
            if self._tokens < 1:
                self.silent += 1
                continue
            answer = host_unreachable(packet)
            if answer is not None:
                self._tokens -= 1
                self.answered += 1
                found.append(answer)
        return found

    def lost(self, count: int) -> None:
        """Note that so many answers were not taken."""
        self.answered -= count
        self.silent += count
