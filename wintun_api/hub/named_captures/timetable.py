"""Call what is due at a time while a capture runs."""

from __future__ import annotations

from collections.abc import Callable

from wintun_api.hub.pace import Clock, Timer


class Timetable:
    """Hold what will be called. Event loop thread only.

    Args:
        clock: Says when it is time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: set[Timer] = set()

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Call it once, after so many seconds."""
        self._timers.add(self._clock.call_at(self._clock.time() + seconds, call))

    def every(self, seconds: float, call: Callable[[], object]) -> None:
        """Call it again and again; a machine that slept makes up for no call that it has missed."""
        self._every(self._clock.time() + seconds, seconds, call)

    def clear(self) -> None:
        """Call nothing more. Idempotent."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _every(self, when: float, seconds: float, call: Callable[[], object]) -> None:
        timer: Timer | None = None

        def due() -> None:
            assert timer is not None
            self._timers.discard(timer)
            call()
            missed = max(self._clock.time() - when, 0.0) // seconds
            self._every(when + (missed + 1) * seconds, seconds, call)

        timer = self._clock.call_at(when, due)
        self._timers.add(timer)
