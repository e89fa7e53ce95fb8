"""Call a function at an exact time, in the event loop.

The timers of asyncio and libuv count in milliseconds. On Linux a descriptor of the kernel tells the
time instead. Elsewhere the loop waits in two parts: on Windows before Python 3.13 its clock stands
still for up to 15.6 ms, and a wait that is shorter than that is looked at again and again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from wintun_api.drivers.timer import Timer, open_timer
from wintun_api.moments import NS_PER_SECOND

TICK: Final = 0.0156  # seconds for which the clock of an event loop may stand still


class Alarm:
    """Call `ring` at the time that was set last. Event loop thread only.

    Nothing of the system is used before the first time is set, nor after `close`.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._at_ns: int | None = None
        self._timer: Timer | None = None
        self._fileno: int | None = None
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at_ns: int | None) -> None:
        """Ring once at this time of `time.perf_counter_ns`, and not at the one set before."""
        if at_ns == self._at_ns:
            return
        self._at_ns = at_ns
        timer = self._timer
        if timer is None:
            timer = self._open()
        if self._fileno is not None:
            timer.set(at_ns)
        elif at_ns is not None:
            self._wait(at_ns)
        else:
            self._wait_no_more()

    def close(self) -> None:
        """Ring no more, and release the timer; it can be set again. Idempotent."""
        self._at_ns = None
        self._wait_no_more()
        timer, self._timer = self._timer, None
        if timer is not None:
            fileno, self._fileno = self._fileno, None
            if fileno is not None:
                self._loop.remove_reader(fileno)
            timer.close()

    def _open(self) -> Timer:
        self._timer = timer = open_timer()
        self._fileno = timer.fileno()
        if self._fileno is not None:
            self._loop.add_reader(self._fileno, self._told)
        return timer

    def _told(self) -> None:
        at_ns = self._at_ns
        if at_ns is None or time.perf_counter_ns() < at_ns:
            return  # it was set anew after the loop had seen it
        self._at_ns = -1  # so that `ring` can set the same time again
        self._ring()
        if self._at_ns == -1:
            self.set(None)

    def _wait(self, at_ns: int) -> None:
        self._wait_no_more()
        left = max(0, at_ns - time.perf_counter_ns()) / NS_PER_SECOND
        # What is longer than a tick of the loop's clock could become longer by as much.
        self._handle = self._loop.call_later(left - TICK if left > TICK else left, self._look)

    def _look(self) -> None:
        self._handle = None
        at_ns = self._at_ns
        if at_ns is None:
            return
        if time.perf_counter_ns() < at_ns:
            self._wait(at_ns)
            return
        self._at_ns = None
        self._ring()

    def _wait_no_more(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
