"""Let Windows wake threads every millisecond instead of every 15.6 (timeapi.h).

Windows adds up what all programs ask for. It costs power, so it is asked for only while packets are
delayed. Since Windows 10 version 2004 it concerns the threads of this process alone.
"""

from __future__ import annotations

from ctypes import c_uint32
from functools import cache
from typing import Final

from wintun_api.drivers.windows.binding import Functions, load_system
from wintun_api.drivers.windows.foreign import Check, Prototype

FINEST: Final = 1  # milliseconds

TICKS: Final = (
    Prototype("timeBeginPeriod", c_uint32, (c_uint32,), Check.NONE),
    Prototype("timeEndPeriod", c_uint32, (c_uint32,), Check.NONE),
)


class ClockTick:
    """Keep the tick of Windows at a millisecond until it is closed.

    Raises:
        OSError: There is no such library, as anywhere but on Windows.
    """

    def __init__(self, functions: Functions | None = None) -> None:
        self._functions = _functions() if functions is None else functions
        self._open = not self._functions["timeBeginPeriod"](FINEST)

    def fileno(self) -> int | None:
        """Return None: the event loop waits by itself."""
        return None

    def set(self, at_ns: int | None) -> None:
        """Do nothing: the event loop's own timers follow the tick."""

    def close(self) -> None:
        """Ask for it no longer. Idempotent."""
        if self._open:
            self._open = False
            self._functions["timeEndPeriod"](FINEST)


@cache
def _functions() -> Functions:
    return load_system("winmm.dll", TICKS)
