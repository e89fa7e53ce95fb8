"""Keep the packets of the last seconds, for a capture that waits for its trigger."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Loss
from wintun_api.hub.window import Window
from wintun_api.moments import NEVER

WINDOW_BYTES: Final = 16 * 1024 * 1024  # of memory, for each session
MOST_WINDOWS: Final = 16  # sessions; the packets of the one that came first are dropped beyond that


class Before:
    """Keep packets of sessions; nothing of a packet is copied. Event loop thread only.

    Args:
        seconds: The age up to which packets are kept.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._windows: dict[Source, Window] = {}

    def add(self, source: Source, burst: Burst, losses: Sequence[Loss]) -> None:
        """Keep a burst, and what was lost before it."""
        window = self._windows.get(source)
        if window is None:
            if len(self._windows) >= MOST_WINDOWS:
                self._windows.pop(next(iter(self._windows))).clear()
            window = self._windows[source] = Window(self._seconds, WINDOW_BYTES)
        window.add(burst, losses)

    def clear(self) -> None:
        """Keep none of the packets. Idempotent."""
        for window in self._windows.values():
            window.clear()
        self._windows.clear()

    def take(self, since_ns: int) -> deque[tuple[Source, Burst, Sequence[Loss]]]:
        """Return the packets since this time in the order of their times, and keep none."""
        found = [
            (source, burst, losses)
            for source, window in self._windows.items()
            for burst, losses in window.between(since_ns, NEVER)
        ]
        self.clear()
        found.sort(key=lambda one: one[1].time_ns)
        return deque(found)
