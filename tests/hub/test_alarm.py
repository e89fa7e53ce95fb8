"""hub.alarm: a function is called at an exact time, by the system's timer or by the loop's."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from tests.hub.running import holds, soon
from tests.waiting import let_pass
from wintun_api.drivers import timer as timers
from wintun_api.drivers.timer import LoopTimer, Timer, open_timer
from wintun_api.hub import alarm as alarms
from wintun_api.hub.alarm import Alarm

MS = 1_000_000


@pytest.fixture(params=["of the system", "of the loop"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Timer]:
    """Each kind of timer; those that were opened."""
    kept: list[Timer] = []
    way: Callable[[], Timer] = open_timer if request.param == "of the system" else LoopTimer

    def note() -> Timer:
        kept.append(way())
        return kept[-1]

    monkeypatch.setattr(alarms, "open_timer", note)
    return kept


def test_it_rings_at_its_time(opened: list[Timer]) -> None:
    """Not before, and again for each time that is set."""

    async def body() -> None:
        rung: list[int] = []
        woken = asyncio.Event()

        def ring() -> None:
            rung.append(time.perf_counter_ns())
            woken.set()

        alarm = Alarm(ring)
        assert opened == []
        for delay in (0, 1, 5, 30):
            woken.clear()
            at = time.perf_counter_ns() + delay * MS
            alarm.set(at)
            await soon(woken.wait())
            assert rung.pop() >= at
        assert rung == []
        assert len(opened) == 1
        alarm.close()

    asyncio.run(body())


def test_the_last_time_counts(opened: list[Timer]) -> None:
    """An earlier or later time replaces the one before, and none of them rings twice."""

    async def body() -> None:
        rung: list[int] = []
        alarm = Alarm(lambda: rung.append(time.perf_counter_ns()))
        now = time.perf_counter_ns()
        alarm.set(now + 600_000 * MS)
        alarm.set(now + 5 * MS)
        await holds(lambda: rung)
        alarm.set(time.perf_counter_ns() + 5 * MS)
        alarm.set(None)
        await asyncio.to_thread(let_pass, 0.03)
        assert len(rung) == 1
        alarm.set(time.perf_counter_ns() + 5 * MS)
        alarm.close()
        alarm.close()
        await asyncio.to_thread(let_pass, 0.03)
        assert len(rung) == 1
        alarm.set(time.perf_counter_ns())  # it can be used again
        await holds(lambda: len(rung) == 2)
        alarm.close()
        assert len(opened) == 2

    asyncio.run(body())


def test_it_can_be_set_while_it_rings(opened: list[Timer]) -> None:
    """A chain of times rings once for each, also for a time that is set a second time."""

    async def body() -> None:
        rung: list[int] = []
        done = asyncio.Event()

        def ring() -> None:
            rung.append(at[0])
            if len(rung) == 20:
                done.set()
                return
            if len(rung) % 2:
                at[0] += MS
            alarm.set(at[0])

        alarm = Alarm(ring)
        at = [time.perf_counter_ns() + MS]
        alarm.set(at[0])
        await soon(done.wait())
        await asyncio.to_thread(let_pass, 0.01)
        assert len(rung) == 20
        alarm.close()

    asyncio.run(body())


def test_nothing_of_the_system_without_a_time(opened: list[Timer]) -> None:
    """An alarm that is never set opens nothing."""

    async def body() -> None:
        alarm = Alarm(lambda: None)
        alarm.set(None)
        alarm.close()

    asyncio.run(body())
    assert opened == []


@pytest.mark.skipif(sys.platform != "linux", reason="this kind of timer is Linux's")
def test_where_no_descriptor_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop's own timers do."""
    import wintun_api.drivers.linux.timer_descriptor as module

    def refuse() -> Timer:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module, "TimerDescriptor", refuse)
    assert isinstance(timers.open_timer(), LoopTimer)
