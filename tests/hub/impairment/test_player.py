"""hub.impairment.player: what a scenario says is done when it is time, and told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from tests.hub.impairment.plans import plan
from tests.hub.running import holds
from tests.waiting import let_pass
from wintun_api.hub.impairment.parameters import KEPT, Parameters, Plan, Rule, Scenario, Step
from wintun_api.hub.impairment.player import Player

BAD, WORSE = Parameters(loss=0.1), Parameters(loss=0.9)


class Played:
    """A player, and what it changed and told, with the seconds since its start."""

    def __init__(self, chosen: Plan) -> None:
        self.began = time.perf_counter()
        self.changes: list[tuple[int, Parameters | None, Parameters | None]] = []
        self.times: list[float] = []
        self.steps: list[tuple[int | None, int, bool]] = []
        self.player: Player | None = None
        self.player = Player(chosen, self._change, self._stepped)

    def _change(self, rule: int, received: Parameters | None, injected: Parameters | None) -> None:
        self.changes.append((rule, received, injected))
        self.times.append(time.perf_counter() - self.began)

    def _stepped(self, rules: Sequence[int]) -> None:
        assert self.player is not None
        assert rules == [0]
        progress = self.player.progress[0]
        self.steps.append((progress.step, progress.loops, progress.finished))


def test_steps_begin_at_their_times() -> None:
    """Each changes what it names, the end is told, and nothing happens after it."""
    steps = (
        Step(at=0.0, received=BAD, injected=BAD),
        Step(at=0.1, received=WORSE, injected=KEPT),
        Step(at=0.2, received=None, injected=KEPT),
    )

    async def body() -> None:
        played = Played(plan(scenario=Scenario(steps=steps, length=0.3)))
        assert played.changes == [(0, BAD, BAD)]
        assert played.steps == []
        await holds(lambda: len(played.steps) == 3)
        assert played.changes == [(0, BAD, BAD), (0, WORSE, BAD), (0, None, BAD)]
        assert played.steps == [(1, 0, False), (2, 0, False), (2, 0, True)]
        assert all(at >= due for at, due in zip(played.times, (0.0, 0.1, 0.2), strict=True))
        assert played.player is not None
        assert played.player.now(0) == (None, BAD)
        await asyncio.to_thread(let_pass, 0.05)
        assert len(played.changes) == 3

    asyncio.run(body())


def test_a_ramp_changes_in_between() -> None:
    """Numbers rise step by step, about every 100 ms, and end at those of the step."""
    steps = (Step(at=0.0, ramp=0.5, received=Parameters(delay_ms=100.0)),)

    async def body() -> None:
        played = Played(plan(scenario=Scenario(steps=steps, length=0.5)))
        await holds(lambda: played.steps)
        delays = [0.0 if one is None else one.delay_ms for _, one, _ in played.changes]
        assert delays == sorted(delays)
        assert delays[-1] == 100.0
        assert 4 <= len(delays) <= 8

    asyncio.run(body())


def test_a_loop_begins_again_until_it_is_stopped() -> None:
    """Each round is told, and a stopped player changes nothing."""
    steps = (Step(at=0.0, received=BAD), Step(at=0.03, received=WORSE))

    async def body() -> None:
        played = Played(plan(scenario=Scenario(steps=steps, length=0.06, loop=True)))
        await holds(lambda: len(played.steps) >= 4)
        assert {step for step, _, _ in played.steps} == {0, 1}
        assert played.steps[-1][1] >= 1
        assert played.player is not None
        played.player.stop()
        played.player.stop()
        changed = len(played.changes)
        await asyncio.to_thread(let_pass, 0.1)
        assert len(played.changes) == changed

    asyncio.run(body())


def test_a_scenario_of_tiny_steps_does_not_occupy_the_loop() -> None:
    """Steps that are too short to be told apart are played together."""
    steps = (Step(at=0.0, received=BAD), Step(at=0.0001, received=WORSE))

    async def body() -> None:
        played = Played(plan(scenario=Scenario(steps=steps, length=0.0002, loop=True)))
        await asyncio.to_thread(let_pass, 0.3)
        assert played.player is not None
        played.player.stop()
        assert len(played.steps) <= 35

    asyncio.run(body())


@pytest.mark.parametrize(
    ("busy", "steps"), [(0.3, [(1, 0, False), (2, 0, False), (2, 0, True)]), (1.5, [(2, 0, True)])]
)
def test_a_busy_loop_leaves_out_no_step(
    busy: float, steps: list[tuple[int | None, int, bool]]
) -> None:
    """Steps whose time has passed are told one by one, unless that was long ago."""
    scenario = Scenario(
        steps=tuple(Step(at=0.05 * n, received=Parameters(loss=0.1 * n)) for n in range(3)),
        length=0.15,
    )

    async def body() -> None:
        played = Played(plan(scenario=scenario))
        let_pass(busy)
        await holds(lambda: played.steps and played.steps[-1][2])
        assert played.steps == steps

    asyncio.run(body())


def test_rules_without_a_scenario_are_left_alone() -> None:
    """Each scenario has its own progress, by the index of its rule."""
    scenario = Scenario(steps=(Step(at=0.02, received=BAD),), length=0.02)
    rules = (Rule(received=WORSE), Rule(scenario=scenario))

    async def body() -> None:
        changes: list[int] = []
        stepped = asyncio.Event()
        told: list[int] = []

        def tell(which: Sequence[int]) -> None:
            told.extend(which)
            stepped.set()

        player = Player(Plan(seed=1, rules=rules), lambda rule, _, __: changes.append(rule), tell)
        await asyncio.wait_for(stepped.wait(), 30)
        assert set(changes) == set(told) == {1}
        assert (player.now(0), player.elapsed(0)) == (None, None)
        assert player.now(1) == (BAD, None)
        player.stop()

    asyncio.run(body())
