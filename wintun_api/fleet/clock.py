"""How far this host's clock is from the server's: measured, and carried on by a steady clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.problems import BusUnavailable

ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured.

    Attributes:
        offset_ns: The server's time minus this host's, in nanoseconds.
        error_ns: How far from this the truth may be: half of the round trip.
    """

    offset_ns: int
    error_ns: int


class Clock:
    """The server's time on this host.

    Between two measurements it follows the steady clock of the system, so that no
    host looks dead when this host's clock is set. Event loop thread only.

    Attributes:
        reading: What was measured last; None before.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.reading: Reading | None = None
        self._bus = bus
        self._wall = wall
        self._steady = steady
        self._ahead: int | None = None  # the server's time minus the steady clock's

    async def measure(self, rounds: int = ROUNDS) -> Reading:
        """Ask the server for its time, and keep the answer that came soonest.

        Raises:
            BusUnavailable: The server does not answer.
        """
        best: Reading | None = None
        for _ in range(rounds):
            asked = self._steady()
            server = await self._bus.server_time_ns()
            wall, answered = self._wall(), self._steady()
            error = (answered - asked) // 2
            if best is None or error < best.error_ns:
                best = Reading(server + error - wall, error)
                self._ahead = server + error - answered
        assert best is not None
        self.reading = best
        return best

    async def keep(self, period: float) -> None:
        """Measure it again after every `period` seconds, until cancelled."""
        while True:
            await asyncio.sleep(period)
            with suppress(BusUnavailable):  # the agent tells by itself that the bus is gone
                await self.measure()

    def server_ns(self) -> int:
        """Return the server's time now; this host's before it was measured."""
        return self._wall() if self._ahead is None else self._steady() + self._ahead
