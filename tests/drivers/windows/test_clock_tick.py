"""drivers.windows.clock_tick: the tick of Windows is short while a timer is open."""

from __future__ import annotations

import sys
import time

import pytest

from tests.waiting import let_pass
from wintun_api.drivers.timer import open_timer
from wintun_api.drivers.windows.clock_tick import ClockTick


def test_what_was_asked_for_is_given_back() -> None:
    """Each timer asks once, and gives it back once."""
    calls: list[tuple[str, int]] = []

    def noted(name: str, result: int = 0) -> object:
        def call(milliseconds: int) -> int:
            calls.append((name, milliseconds))
            return result

        return call

    functions = {name: noted(name) for name in ("timeBeginPeriod", "timeEndPeriod")}
    tick = ClockTick(functions)  # type: ignore[arg-type]
    assert tick.fileno() is None
    tick.set(5)
    tick.close()
    tick.close()
    assert calls == [("timeBeginPeriod", 1), ("timeEndPeriod", 1)]
    calls.clear()
    functions["timeBeginPeriod"] = noted("timeBeginPeriod", 97)  # TIMERR_NOCANDO
    ClockTick(functions).close()  # type: ignore[arg-type]
    assert calls == [("timeBeginPeriod", 1)]


@pytest.mark.skipif(sys.platform != "win32", reason="the tick is that of Windows")
def test_waits_are_short_meanwhile() -> None:
    """A wait for a millisecond takes about as long, and not a tick of 15.6 ms."""
    timer = open_timer()
    assert isinstance(timer, ClockTick)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        let_pass(0.001)
        took.append(time.perf_counter() - began)
    timer.close()
    assert sorted(took)[len(took) // 2] < 0.008
