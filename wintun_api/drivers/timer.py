"""Tell an event loop an exact time, which its own timers miss by a millisecond or more.

Times are those of `time.perf_counter_ns`, which is the monotonic clock on Linux and the finest one
on Windows.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Protocol


class Timer(Protocol):
    """Describe a timer of the operating system."""

    def fileno(self) -> int | None:
        """Return a descriptor that is readable from the time that was set on.

        None if the system has no such descriptors. Then the event loop waits by itself, and its
        timers are as exact as the system can make them while this one is open.
        """

    def set(self, at_ns: int | None) -> None:
        """Set the time instead of the one that was set before; None for never."""

    def close(self) -> None:
        """Release it. Idempotent."""


class LoopTimer:
    """Stand for a system without timers of its own: the event loop's own must do."""

    def fileno(self) -> int | None:
        """Return None: the event loop waits by itself."""
        return None

    def set(self, at_ns: int | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def open_timer() -> Timer:
    """Return a new timer of this system; where none is left, the event loop's own must do."""
    timer: Timer = LoopTimer()
    with suppress(OSError):  # no descriptor is left, or the library is missing
        if sys.platform == "linux":
            from wintun_api.drivers.linux.timer_descriptor import TimerDescriptor

            timer = TimerDescriptor()
        elif sys.platform == "win32":
            from wintun_api.drivers.windows.clock_tick import ClockTick

            timer = ClockTick()
    return timer
