"""Limit how often something is told: the one limiter of reports."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

INTERVAL: Final = 1.0  # seconds between two reports


class Timer(Protocol):
    """Describe a call that an event loop will make."""

    def cancel(self) -> object:
        """Do not make the call."""


class Clock(Protocol):
    """Describe what the limiter needs from an event loop."""

    def time(self) -> float:
        """Return seconds since any fixed moment."""

    def call_at(self, when: float, callback: Callable[..., object], /, *arguments: Any) -> Timer:
        """Run the callback at this time, or a clock's resolution before it."""


class Pace:
    """Allow a number of reports in any `INTERVAL`, one unless said. Event loop thread only.

    Args:
        due: Called when a report that had to wait is allowed; it asks `may` again.
        loop: The running event loop.
        delay: Seconds by which the first report after a quiet time waits for more to report.
        most: How many reports there may be in any `INTERVAL`.
    """

    __slots__ = ("_allowed_at", "_delay", "_due", "_last", "_loop", "_timer")

    def __init__(
        self, due: Callable[[], None], loop: Clock, *, delay: float = 0.0, most: int = 1
    ) -> None:
        self._due = due
        self._loop = loop
        self._delay = delay
        self._last: deque[float] = deque(maxlen=most)  # the times of the newest reports
        self._allowed_at: float | None = None
        self._timer: Timer | None = None

    def may(self) -> bool:
        """Return whether to report now; if not, `due` is called when it is time."""
        if self._timer is not None:
            return False
        now = self._loop.time()
        if self._allowed_at is None:
            is_full = len(self._last) == self._last.maxlen
            next_one = self._last[0] + INTERVAL if is_full else now
            self._allowed_at = max(now + self._delay, next_one)
        if now < self._allowed_at:
            self._timer = self._loop.call_at(self._allowed_at, self._wake)
            return False
        self._last.append(now)
        self._allowed_at = None
        return True

    def stop(self) -> None:
        """Call `due` no more for what has been asked so far. Idempotent."""
        self._allowed_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._timer = None
        self._due()
