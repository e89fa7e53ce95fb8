"""Notice that a thread waits for an emulated event."""

from __future__ import annotations

import threading
import time


class Noticed:
    """A source with nothing to do; `noticed` is set when a thread waits for its event.

    The waiter runs its sources with the lock of the events. Whoever gets the lock after that finds
    it waiting.
    """

    def __init__(self) -> None:
        self.noticed = threading.Event()

    def due(self) -> float:
        return time.monotonic() + 3600

    def run(self, now: float) -> None:
        assert now < self.due()
        self.noticed.set()
