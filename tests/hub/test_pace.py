"""hub.pace: how often something is told, on a clock that the test moves."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.hub.clock import Clock
from wintun_api.hub.pace import INTERVAL, Pace


class Teller:
    """Tells what there is to tell, when it may."""

    def __init__(self, delay: float, most: int = 1) -> None:
        self.clock = Clock()
        self.pace = Pace(self.tell, self.clock, delay=delay, most=most)
        self.untold = 0
        self.told: list[tuple[float, int]] = []

    def add(self) -> None:
        """Note one more, and tell it if that is allowed."""
        self.untold += 1
        self.tell()

    def tell(self) -> None:
        """Tell what has not been told."""
        if self.untold and self.pace.may():
            self.told.append((self.clock.now, self.untold))
            self.untold = 0


@given(st.lists(st.floats(0, 3), max_size=30), st.sampled_from([0.0, INTERVAL]))
def test_everything_is_told_and_not_too_often(pauses: list[float], delay: float) -> None:
    """Reports are an interval apart, and nothing waits longer than the delay and an interval."""
    teller = Teller(delay)
    for pause in pauses:
        teller.add()
        teller.clock.move(pause)
    teller.clock.move(delay + INTERVAL)
    times = [when for when, _ in teller.told]
    assert sum(count for _, count in teller.told) == len(pauses)
    assert all(b - a >= INTERVAL - 1e-9 for a, b in itertools.pairwise(times))
    assert [one for one in teller.clock.planned if not one.cancelled] == []


@given(st.lists(st.floats(0, 0.3), max_size=60), st.integers(1, 5))
def test_several_are_told_in_an_interval_but_no_more(pauses: list[float], most: int) -> None:
    """So many are told at once, and what is more waits until it is told together."""
    teller = Teller(0.0, most)
    for pause in pauses:
        teller.add()
        teller.clock.move(pause)
    teller.clock.move(INTERVAL)
    times = [when for when, _ in teller.told]
    assert sum(count for _, count in teller.told) == len(pauses)
    assert [count for _, count in teller.told[:most]] == [1] * min(most, len(pauses))
    assert all(
        last - first >= INTERVAL - 1e-9 for first, last in zip(times, times[most:], strict=False)
    )


def test_the_first_is_told_at_once_without_a_delay() -> None:
    """After a quiet time a report does not wait; the next one waits for the interval."""
    teller = Teller(0.0)
    teller.add()
    teller.add()
    assert teller.told == [(100.0, 1)]
    teller.clock.move(INTERVAL)
    assert teller.told == [(100.0, 1), (100.0 + INTERVAL, 1)]
    teller.clock.move(10)
    teller.add()
    assert teller.told[-1] == (teller.clock.now, 1)


def test_a_delay_gathers_what_comes_together() -> None:
    """With a delay, the first report has all that came meanwhile."""
    teller = Teller(INTERVAL)
    for _ in range(5):
        teller.add()
    assert teller.told == []
    teller.clock.move(INTERVAL)
    assert teller.told == [(100.0 + INTERVAL, 5)]


def test_a_stop_ends_the_wait() -> None:
    """Nothing is called after a stop, and a later loss is told again."""
    teller = Teller(INTERVAL)
    teller.add()
    teller.pace.stop()
    teller.clock.move(10)
    assert teller.told == []
    teller.add()
    teller.clock.move(INTERVAL)
    assert [count for _, count in teller.told] == [2]


def test_a_clock_that_wakes_a_little_early() -> None:
    """An event loop may call within its clock's resolution before the time; it is then later."""
    teller = Teller(INTERVAL)
    teller.add()
    (planned,) = teller.clock.planned
    teller.clock.planned.clear()
    teller.clock.now = planned.when - 1e-9
    planned.callback()
    assert teller.told == []
    teller.clock.move(1e-8)
    assert [count for _, count in teller.told] == [1]
