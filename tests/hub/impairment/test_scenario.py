"""What a scenario does at a moment."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wintun_api.choices import Distribution
from wintun_api.hub.impairment.parameters import (
    GilbertElliott,
    Parameters,
    Scenario,
    Step,
)
from wintun_api.hub.impairment.scenario import RAMP_INTERVAL, next_change, state_at

SLOW = Parameters(delay_ms=100.0, loss=0.2, rate_bps=1_000_000, limit_packets=500)
FAST = Parameters(delay_ms=20.0)

chances = st.floats(0, 1)
states = st.none() | st.builds(
    Parameters,
    delay_ms=st.floats(0, 1000),
    loss=chances,
    duplicate=chances,
    rate_bps=st.none() | st.integers(100, 10**9),
    gilbert_elliott=st.none() | st.builds(GilbertElliott, p=chances, r=chances, h=chances),
    blackout=st.booleans(),
).map(lambda one: replace(one, loss=0.0 if one.gilbert_elliott else one.loss))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Steps in order, whose ramps are over when the next one begins."""
    at, steps = 0.0, []
    for _ in range(draw(st.integers(1, 5))):
        at += draw(st.floats(0.001, 10))
        ramp = draw(st.sampled_from((0.0, 0.5, 2.0)))
        sides = {side: draw(states) for side in draw(st.sets(st.sampled_from(SIDES)))}
        steps.append(Step(at=at, ramp=ramp, **sides))
        at += ramp
    more = draw(st.sampled_from((0.0, 3.0)))
    return Scenario(steps=tuple(steps), length=at + more, loop=draw(st.booleans()))


SIDES = ("received", "injected")


def test_nothing_happens_before_the_first_step() -> None:
    """A scenario may begin with a network that is not impaired."""
    scenario = Scenario(steps=(Step(at=2.0, received=SLOW),), length=2.0)
    received, injected, progress = state_at(scenario, 1.999)
    assert (received, injected, progress.step, progress.finished) == (None, None, None, False)
    received, injected, progress = state_at(scenario, 2.0)
    assert (received, injected, progress.step, progress.finished) == (SLOW, None, 0, True)


def test_a_direction_that_is_left_out_stays() -> None:
    """A step changes what it names; null ends what was done."""
    scenario = Scenario(
        steps=(
            Step(at=0.0, received=SLOW, injected=FAST),
            Step(at=1.0, received=None),
            Step(at=2.0, injected=None),
            Step(at=3.0),
        ),
        length=4.0,
    )
    assert state_at(scenario, 0.5)[:2] == (SLOW, FAST)
    assert state_at(scenario, 1.5)[:2] == (None, FAST)
    assert state_at(scenario, 2.5)[:2] == (None, None)
    assert state_at(scenario, 3.5)[:2] == (None, None)
    assert state_at(scenario, 99.0)[2].step == 3


def test_numbers_of_a_ramp_are_between() -> None:
    """Half of the way is half of the change; whole numbers stay whole."""
    scenario = Scenario(
        steps=(
            Step(at=0.0, received=SLOW),
            Step(
                at=10.0,
                ramp=4.0,
                received=replace(SLOW, delay_ms=300.0, loss=0.1, rate_bps=500_001, limit_packets=0),
            ),
        ),
        length=14.0,
    )
    assert state_at(scenario, 10.0)[0] == SLOW
    halfway = state_at(scenario, 12.0)[0]
    assert halfway is not None
    assert halfway.delay_ms == 200.0
    assert halfway.loss == pytest.approx(0.15)
    assert (halfway.rate_bps, halfway.limit_packets) == (750_000, 250)
    assert type(halfway.rate_bps) is int
    assert state_at(scenario, 14.0)[0] == scenario.steps[1].received


def test_a_ramp_begins_and_ends_at_nothing() -> None:
    """Without an impairment every number is that which does nothing."""
    jitter = replace(SLOW, jitter_ms=8.0, distribution=Distribution.NORMAL, blackout=True)
    scenario = Scenario(
        steps=(
            Step(at=0.0, ramp=2.0, injected=jitter),
            Step(at=4.0, ramp=2.0, injected=None),
        ),
        length=6.0,
    )
    rising = state_at(scenario, 1.0)[1]
    assert rising is not None
    assert (rising.delay_ms, rising.loss, rising.jitter_ms) == (50.0, 0.1, 4.0)
    # What is not a number is that of the step at once, and there is no half of no rate.
    assert (rising.rate_bps, rising.blackout) == (1_000_000, True)
    falling = state_at(scenario, 5.0)[1]
    assert falling is not None
    assert (falling.delay_ms, falling.jitter_ms) == (50.0, 4.0)
    assert (falling.rate_bps, falling.blackout) == (None, False)
    # The shape is that of what fades away.
    assert falling.distribution is Distribution.NORMAL
    assert state_at(scenario, 6.0)[1] is None


def test_a_channel_fades_in_and_out() -> None:
    """Losses in bursts become likelier from none; those of another kind begin at once."""
    channel = GilbertElliott(p=0.2, r=0.5, h=0.1, k=0.9)
    burst = Parameters(gilbert_elliott=channel)
    scenario = Scenario(
        steps=(
            Step(at=0.0, ramp=2.0, received=burst),
            Step(at=2.0, ramp=2.0, received=None),
            Step(at=4.0, received=burst),
            Step(at=5.0, ramp=2.0, received=Parameters(loss=0.5)),
        ),
        length=7.0,
    )
    for moment in (1.0, 3.0):
        half = state_at(scenario, moment)[0]
        assert half is not None
        assert half.gilbert_elliott is not None
        assert half.gilbert_elliott.p == pytest.approx(0.1)
        assert half.gilbert_elliott.k == pytest.approx(0.95)
        assert half.gilbert_elliott.r == 0.5
    other = state_at(scenario, 6.0)[0]
    assert other is not None
    assert (other.gilbert_elliott, other.loss) == (None, 0.25)


def test_a_loop_begins_again() -> None:
    """Every round is like the first one, and the rounds are counted."""
    scenario = Scenario(
        steps=(Step(at=1.0, ramp=1.0, received=SLOW), Step(at=3.0, received=FAST)),
        length=5.0,
        loop=True,
    )
    for moment in (0.0, 0.5, 1.0, 1.25, 2.0, 3.0, 4.5):
        first = state_at(scenario, moment)
        for loops in (1, 2, 1000):
            later = state_at(scenario, moment + loops * 5.0)
            assert later[:2] == first[:2]
            assert later[2] == replace(first[2], loops=loops)
            assert not later[2].finished


@given(scenario=scenarios(), elapsed=st.floats(0, 100))
def test_only_what_is_allowed_is_between(scenario: Scenario, elapsed: float) -> None:
    """At every moment numbers are within their limits, and there is one kind of loss."""
    for values in state_at(scenario, elapsed)[:2]:
        if values is None:
            continue
        for one in fields(Parameters):
            value = getattr(values, one.name)
            if one.name in ("loss", "duplicate"):
                assert 0 <= value <= 1
            if one.type in ("int", "int | None") and value is not None:
                assert type(value) is int
        assert not (values.loss and values.gilbert_elliott is not None)
        assert values.rate_bps is None or values.rate_bps >= 100


@given(scenario=scenarios(), elapsed=st.floats(0, 60))
def test_between_two_changes_nothing_changes(scenario: Scenario, elapsed: float) -> None:
    """`next_change` misses no step, no end and no round; in a ramp it comes soon."""
    following = next_change(scenario, elapsed)
    now = state_at(scenario, elapsed)
    if following is None:
        assert now[2].finished
        assert state_at(scenario, elapsed + 1e6)[:2] == now[:2]
        return
    assert following > elapsed
    step = now[2].step
    if step is not None:
        ramping = now[2].elapsed < scenario.steps[step].at + scenario.steps[step].ramp
        if ramping:
            assert following <= elapsed + RAMP_INTERVAL + 1e-9
            return
    assume(following - elapsed > 1e-6)  # closer, rounding decides on which side a moment is
    for part in (0.01, 0.5, 0.99):
        then = state_at(scenario, elapsed + (following - elapsed) * part)
        assert then[:2] == now[:2]
        assert (then[2].step, then[2].loops) == (step, now[2].loops)
        assert then[2].finished == now[2].finished


@given(scenario=scenarios())
def test_a_player_comes_to_the_end(scenario: Scenario) -> None:
    """From change to change, every step is met, and the end or the next round."""
    moment, met = 0.0, set()
    for _ in range(500):
        progress = state_at(scenario, moment)[2]
        met.add(progress.step)
        following = next_change(scenario, moment)
        if following is None or progress.loops:
            break
        moment = following
    else:
        raise AssertionError("It goes on.")
    last = scenario.steps[-1]
    lasting = len(scenario.steps) - (scenario.loop and last.at >= scenario.length)
    assert set(range(lasting)) <= met
