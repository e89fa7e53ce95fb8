"""Log what clients can cause endlessly: the first at once, then a count per minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

INTERVAL = 60.0


class Tally:
    """Report the first of many similar events, then at most once per interval a count.

    Event loop thread only.
    """

    def __init__(self, tell: Callable[[int], None], interval: float = INTERVAL) -> None:
        """Call `tell` with the number of events since its last call, every `interval` seconds."""
        self._tell = tell
        self._interval = interval
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self) -> None:
        """Count one event."""
        self._count += 1
        if self._timer is None:
            self._report()

    def close(self) -> None:
        """Report events that were not reported yet. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._count:
            count, self._count = self._count, 0
            self._tell(count)

    def _report(self) -> None:
        self._timer = None
        if self._count:
            count, self._count = self._count, 0
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._report)
            self._tell(count)
