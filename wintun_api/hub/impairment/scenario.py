"""Say what a scenario does at a moment: a pure function of the seconds since it began."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from wintun_api.hub.impairment.parameters import GilbertElliott, Kept, Parameters, Scenario, Step

RAMP_INTERVAL = 0.1  # seconds between two changes during a ramp

_Both: TypeAlias = tuple[Parameters | None, Parameters | None]

_NOTHING = Parameters()
_FRACTIONS = tuple(one.name for one in fields(Parameters) if one.type == "float")
_WHOLE = tuple(one.name for one in fields(Parameters) if one.type in ("int", "int | None"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Say how far a scenario is; `elapsed` is in seconds since it began, or began again."""

    elapsed: float
    step: int | None
    loops: int
    finished: bool


def state_at(
    scenario: Scenario, elapsed: float
) -> tuple[Parameters | None, Parameters | None, Progress]:
    """Return what happens to received and to injected packets, and how far the scenario is.

    Before the first step nothing happens to packets, and a loop begins with that again. `elapsed`
    is in seconds since the scenario was set. During a ramp every number is between that of
    the previous step and that of the step; what is not a number is already that of the step.
    """
    elapsed, loops = _position(scenario, elapsed)
    step = bisect_right(scenario.steps, elapsed, key=_begin) - 1
    received, injected = _between(scenario, step, elapsed)
    progress = Progress(
        elapsed=elapsed,
        step=None if step < 0 else step,
        loops=loops,
        finished=not scenario.loop and elapsed >= scenario.length,
    )
    return received, injected, progress


def next_change(scenario: Scenario, elapsed: float) -> float | None:
    """Return the seconds since the scenario was set at which `state_at` changes next.

    During a ramp that is `RAMP_INTERVAL` later. None after the end: the state stays.
    """
    begun = elapsed
    elapsed, loops = _position(scenario, elapsed)
    offset = loops * scenario.length
    steps = scenario.steps
    step = bisect_right(steps, elapsed, key=_begin) - 1
    following = steps[step + 1].at if step + 1 < len(steps) else math.inf
    end = scenario.length if scenario.loop or elapsed < scenario.length else math.inf
    candidates = [offset + following, offset + end]
    if step >= 0 and elapsed < steps[step].at + steps[step].ramp:
        candidates.append(offset + steps[step].at + steps[step].ramp)
        candidates.append(begun + RAMP_INTERVAL)
    # Adding up floats may end at the moment itself, at which a caller would not get on.
    least = math.nextafter(begun, math.inf)
    found = min(max(one, least) for one in candidates)
    return None if found == math.inf else found


def _begin(step: Step) -> float:
    return step.at


def _position(scenario: Scenario, elapsed: float) -> tuple[float, int]:
    """Return the seconds since it began, or began again, and how often it has begun again."""
    if not scenario.loop:
        return elapsed, 0
    loops = int(elapsed / scenario.length)
    return max(0.0, elapsed - loops * scenario.length), loops


def _between(scenario: Scenario, step: int, elapsed: float) -> _Both:
    if step < 0:
        return None, None
    now = scenario.steps[step]
    after = _settled(scenario, step)
    if elapsed >= now.at + now.ramp:
        return after
    before = _settled(scenario, step - 1)
    part = (elapsed - now.at) / now.ramp
    return _mixed(before[0], after[0], part), _mixed(before[1], after[1], part)


def _settled(scenario: Scenario, step: int) -> _Both:
    """Return what holds when a step's ramp is over; a step that keeps a direction looks back."""
    received = injected = None
    known_received = known_injected = False
    for one in reversed(scenario.steps[: step + 1]):
        if not known_received and not isinstance(one.received, Kept):
            received, known_received = one.received, True
        if not known_injected and not isinstance(one.injected, Kept):
            injected, known_injected = one.injected, True
        if known_received and known_injected:
            break
    return received, injected


def _mixed(before: Parameters | None, after: Parameters | None, part: float) -> Parameters | None:
    """Return what lies between two states; `part` is 0 at the first and 1 at the second."""
    if before == after:
        return after
    first, last = before or _NOTHING, after or _NOTHING
    if not last.jitter_ms:  # the shape of what fades away
        last = replace(last, distribution=first.distribution)
    if not last.reorder:
        last = replace(last, reorder_gap=first.reorder_gap)
    changes: dict[str, Any] = {
        name: _number(getattr(first, name), getattr(last, name), part) for name in _FRACTIONS
    }
    for name in _WHOLE:
        one, other = getattr(first, name), getattr(last, name)
        # There is no number between none and one.
        changes[name] = other if None in (one, other) else round(_number(one, other, part))
    channel = _channel(first, last, part)
    if channel is not None:
        changes |= {"gilbert_elliott": channel, "loss": 0.0, "loss_correlation": 0.0}
    return replace(last, **changes)


def _channel(first: Parameters, last: Parameters, part: float) -> GilbertElliott | None:
    """Return the channel between two states; one without a channel has one that is never bad."""
    one, other = first.gilbert_elliott, last.gilbert_elliott
    if other is None:
        if one is None or last.loss:  # losses of another kind begin at once
            return None
        other = replace(one, p=0.0, k=1.0)
    elif one is None:
        one = replace(other, p=0.0, k=1.0)
    return GilbertElliott(
        p=_number(one.p, other.p, part),
        r=_number(one.r, other.r, part),
        h=_number(one.h, other.h, part),
        k=_number(one.k, other.k, part),
    )


def _number(first: float, last: float, part: float) -> float:
    # More digits than these mean nothing, and would be told to clients.
    return first if first == last else round(first + (last - first) * part, 9)
