"""Turn the models of an impairment into what the hub takes, and its views into models.

A preset is told by its name alone in what was set; what it does is told in what a rule does now.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from wintun_api.api.impairment_summary import summary_of
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.impairment import ImpairmentStep, ImpairmentView, RuleView
from wintun_api.hub.impairment.parameters import (
    DEFAULT_LIMIT_BYTES,
    KEPT,
    GilbertElliott,
    Kept,
    Match,
    Parameters,
    Plan,
    Rule,
    Scenario,
    Step,
)
from wintun_api.hub.impairment.presets import PRESETS
from wintun_api.hub.impairment.scenario import Progress
from wintun_api.moments import time_of
from wintun_api.schemas import events as event_models
from wintun_api.schemas import impairment as models
from wintun_api.schemas.selection import (
    network_of,
    ports_of,
    ports_value,
    prefix_text,
    protocol_value,
    protocols_of,
)
from wintun_api.schemas.sessions import Traffic

_NETWORKS = ("address", "source", "destination")
_PORTS = {"port": "ports", "source_port": "source_ports", "destination_port": "destination_ports"}
_SIDES = ("received", "injected")


def plan_of(body: models.ImpairmentSet) -> Plan:
    """Return what the body asks for; a seed is chosen where it names none."""
    seed = secrets.randbelow(models.MAX_SEED) if body.seed is None else body.seed
    given: Sequence[models.Way] = body.rules or [body]
    return Plan(seed=seed, rules=tuple(map(_rule_of, given)), on_change=body.on_change)


def impairment_of(view: ImpairmentView) -> models.SessionImpairment:
    """Return the impairment that a view of the hub describes."""
    return models.SessionImpairment(
        session=view.session,
        adapter=view.adapter,
        summary=summary_of(view.rules),
        seed=view.plan.seed,
        on_change=view.plan.on_change,
        set_at=time_of(view.set_ns),
        rules=[_active(*pair) for pair in zip(view.plan.rules, view.rules, strict=True)],
        received=_counters(view.received),
        injected=_counters(view.injected),
    )


def step_of(step: ImpairmentStep) -> event_models.ImpairmentStep:
    """Return the data of the event that tells a step."""
    return event_models.ImpairmentStep(
        session=step.session,
        adapter=step.adapter,
        summary=summary_of(step.rules),
        count=step.count,
        scenarios=[
            event_models.ScenarioProgress(
                rule=index, steps=step.rules[index].steps, progress=_progress(progress)
            )
            for index in step.changed
            if (progress := step.rules[index].progress) is not None
        ],
    )


def presets() -> list[models.Preset]:
    """Return the presets, with what each of them does."""
    return [
        models.Preset(
            name=preset.name.value,
            title=preset.title,
            source=preset.source,
            received=_impairment(preset.received),
            injected=_impairment(preset.injected),
        )
        for preset in PRESETS.values()
    ]


def _rule_of(rule: models.Way) -> Rule:
    match = None if rule.match is None else _match_of(rule.match)
    if rule.preset is not None:
        preset = PRESETS[rule.preset]
        return Rule(
            match=match,
            received=preset.received,
            injected=preset.injected,
            preset=preset.name.value,
        )
    return Rule(
        match=match,
        received=_parameters_of(rule.received),
        injected=_parameters_of(rule.injected),
        scenario=None if rule.scenario is None else _scenario_of(rule.scenario),
    )


def _match_of(model: models.Match) -> Match:
    given: dict[str, Any] = {}
    if model.protocol is not None:
        given["protocols"] = protocols_of(model.protocol)
    for name in _NETWORKS:
        if (prefix := getattr(model, name)) is not None:
            given[name] = network_of(prefix)
    for name, inside in _PORTS.items():
        if (ports := getattr(model, name)) is not None:
            given[inside] = ports_of(ports)
    return Match(**given)


def _scenario_of(model: models.Scenario) -> Scenario:
    return Scenario(
        steps=tuple(map(_step_of, model.steps)),
        length=model.end if model.length is None else model.length,
        loop=model.loop,
    )


def _step_of(model: models.Step) -> Step:
    sides: dict[str, Any] = {
        name: _parameters_of(getattr(model, name)) if name in model.model_fields_set else KEPT
        for name in _SIDES
    }
    return Step(at=model.at, ramp=model.ramp, **sides)


def _parameters_of(model: models.Impairment | None) -> Parameters | None:
    if model is None:
        return None
    given = dict(model)
    channel = model.gilbert_elliott
    given["gilbert_elliott"] = None if channel is None else GilbertElliott(**dict(channel))
    if model.limit_bytes is None:
        given["limit_bytes"] = DEFAULT_LIMIT_BYTES
    return Parameters(**given)


def _active(rule: Rule, now: RuleView) -> models.ActiveRule:
    own = rule.preset is None  # else the name says it
    return models.ActiveRule(
        match=None if rule.match is None else _match(rule.match),
        preset=rule.preset,
        received=_optional(rule.received) if own else None,
        injected=_optional(rule.injected) if own else None,
        scenario=None if rule.scenario is None else _scenario(rule.scenario),
        now_received=_optional(now.received),
        now_injected=_optional(now.injected),
        progress=None if now.progress is None else _progress(now.progress),
    )


def _match(match: Match) -> models.Match:
    given: dict[str, Any] = {}
    if match.protocols:
        given["protocol"] = protocol_value(match.protocols)
    for name in _NETWORKS:
        if (network := getattr(match, name)) is not None:
            given[name] = prefix_text(network)
    for name, inside in _PORTS.items():
        if (ports := getattr(match, inside)) is not None:
            given[name] = ports_value(ports)
    return models.Match(**given)


def _scenario(scenario: Scenario) -> models.Scenario:
    steps = [_step(step) for step in scenario.steps]
    last = scenario.steps[-1]
    own = scenario.length != last.at + last.ramp
    return models.Scenario(steps=steps, loop=scenario.loop, length=scenario.length if own else None)


def _step(step: Step) -> models.Step:
    sides: dict[str, Any] = {
        name: _optional(value)
        for name in _SIDES
        if not isinstance(value := getattr(step, name), Kept)
    }
    return models.Step(at=step.at, ramp=step.ramp, **sides)


def _progress(progress: Progress) -> models.Progress:
    return models.Progress(
        elapsed=round(progress.elapsed, 3),
        step=progress.step,
        loops=progress.loops,
        finished=progress.finished,
    )


def _optional(values: Parameters | None) -> models.Impairment | None:
    return None if values is None else _impairment(values)


def _impairment(values: Parameters) -> models.Impairment:
    given = {name: getattr(values, name) for name in Parameters.__slots__}
    if values.limit_bytes == DEFAULT_LIMIT_BYTES:
        given["limit_bytes"] = None
    channel = values.gilbert_elliott
    if channel is not None:
        given["gilbert_elliott"] = models.GilbertElliott(
            p=channel.p, r=channel.r, h=channel.h, k=channel.k
        )
    return models.Impairment(**given)


def _counters(accounts: Accounts) -> models.ImpairmentCounters:
    given = {
        name: Traffic(packets=value.packets, bytes=value.bytes)
        for name in Accounts.__slots__
        if isinstance(value := getattr(accounts, name), Count)
    }
    return models.ImpairmentCounters(**given, too_big_replies=accounts.too_big_replies)
