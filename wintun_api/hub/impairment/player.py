"""Play the scenarios of a plan: change what its rules do when it is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from wintun_api.hub.alarm import Alarm
from wintun_api.hub.impairment.parameters import Parameters, Plan, Scenario
from wintun_api.hub.impairment.scenario import Progress, next_change, state_at
from wintun_api.moments import NS_PER_SECOND

# Steps that are shorter than this are played together, so that a scenario cannot occupy the loop.
LEAST: Final = 0.01  # seconds
# Steps that are further behind than this are left out, as after the machine has slept.
MOST_BEHIND: Final = 1.0  # seconds

OnStep = Callable[[Sequence[int]], None]
OnChange = Callable[[int, Parameters | None, Parameters | None], None]


class Player:
    """Play the scenarios of one plan from now on. Event loop thread only.

    Args:
        plan: The plan.
        change: Called with the index of a rule and what it does from now on to received and to
            injected packets.
        stepped: Called with the indices of the rules of which a step or a loop has begun, or the
            scenario has ended.

    Attributes:
        progress: How far each rule's scenario is, by index; without those that have none.
    """

    def __init__(self, plan: Plan, change: OnChange, stepped: OnStep) -> None:
        scenarios = {index: rule.scenario for index, rule in enumerate(plan.rules)}
        self._scenarios: dict[int, Scenario] = {
            index: scenario for index, scenario in scenarios.items() if scenario is not None
        }
        self._change = change
        self._stepped = stepped
        self._alarm = Alarm(self._wake)
        self._begun_ns = time.perf_counter_ns()
        self._next = 0.0
        self._now: dict[int, tuple[Parameters | None, Parameters | None]] = {}
        self.progress: dict[int, Progress] = {}
        self._play(0.0)

    def now(self, rule: int) -> tuple[Parameters | None, Parameters | None] | None:
        """Return what a rule's scenario does now in both directions; None if it has none."""
        return self._now.get(rule)

    def elapsed(self, rule: int) -> Progress | None:
        """Return how far a rule's scenario is at this moment; None if it has none."""
        scenario = self._scenarios.get(rule)
        if scenario is None:
            return None
        return state_at(scenario, self._elapsed())[2]

    def stop(self) -> None:
        """Change nothing more. Idempotent."""
        self._alarm.close()

    def _play(self, elapsed: float) -> None:
        stepped: list[int] = []
        following: list[float] = []
        for index, scenario in self._scenarios.items():
            received, injected, progress = state_at(scenario, elapsed)
            if self._now.get(index) != (received, injected):
                self._now[index] = (received, injected)
                self._change(index, received, injected)
            before = self.progress.get(index)
            self.progress[index] = progress
            if before is not None and _place(before) != _place(progress):
                stepped.append(index)
            after = next_change(scenario, elapsed)
            if after is not None:
                following.append(after)
        if following:
            self._next = max(min(following), elapsed + LEAST)
            self._alarm.set(self._begun_ns + int(self._next * NS_PER_SECOND))
        else:
            self._alarm.close()
        if stepped:
            self._stepped(stepped)

    def _elapsed(self) -> float:
        return (time.perf_counter_ns() - self._begun_ns) / NS_PER_SECOND

    def _wake(self) -> None:
        # At the time that was planned, so that each step is told, also where the loop was busy.
        late = self._elapsed() - self._next
        self._play(self._next if late < MOST_BEHIND else self._next + late)


def _place(progress: Progress) -> tuple[int | None, int, bool]:
    return progress.step, progress.loops, progress.finished
