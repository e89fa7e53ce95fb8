"""Say what an impairment does in one line, in the words of the options of `wintun-api impair`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from wintun_api import netem
from wintun_api.hub.impairment.impairment import RuleView
from wintun_api.hub.impairment.parameters import Match, Parameters
from wintun_api.schemas.selection import ports_value, prefix_text, protocol_value

MOST_RULES = 4  # of which a line tells
NOTHING = "nothing"  # what a rule, or all of them, can do


def summary_of(rules: Sequence[RuleView]) -> str:
    """Return what the rules do now. A vertical line is between two rules.

    It is `NOTHING` where they do nothing to any packet, and no scenario will.
    """
    if not any(one.steps or _directions(one) != NOTHING for one in rules):
        return NOTHING
    told = [_rule(one) for one in rules]
    more = len(told) - MOST_RULES
    if more > 0:
        told[MOST_RULES:] = [f"and {more} more rules" if more > 1 else "and 1 more rule"]
    return " | ".join(told)


def marking(rules: Sequence[RuleView]) -> str | None:
    """Return the summary with which an impaired session is marked; None if nothing is done."""
    summary = summary_of(rules)
    return None if summary == NOTHING else summary


def _rule(rule: RuleView) -> str:
    head = []
    if rule.match is not None and (packets := " ".join(_match(rule.match))):
        head.append(packets)
    if rule.preset is not None:
        head.append(f"preset {rule.preset}")
    if rule.steps and rule.progress is not None:
        step = rule.progress.step
        place = f"step {'0' if step is None else step + 1} of {rule.steps}"
        if rule.progress.finished:
            place += ", finished"
        elif rule.loop:
            place += f", round {rule.progress.loops + 1}"
        head.append(place)
    return ": ".join([*head, _directions(rule)])


def _directions(now: RuleView) -> str:
    received, injected = _parameters(now.received), _parameters(now.injected)
    if received == injected:
        return f"received and injected {received}" if received else NOTHING
    sides = (("received", received), ("injected", injected))
    return "; ".join(f"{side} {text}" for side, text in sides if text)


def _match(match: Match) -> Iterator[str]:
    if match.protocols:
        yield f"protocol {protocol_value(match.protocols)}"
    for name, network in (
        ("address", match.address),
        ("source", match.source),
        ("destination", match.destination),
    ):
        if network is not None:
            yield f"{name} {prefix_text(network)}"
    for name, ports in (
        ("port", match.ports),
        ("source-port", match.source_ports),
        ("destination-port", match.destination_ports),
    ):
        if ports is not None:
            yield f"{name} {ports_value(ports)}"


def _parameters(values: Parameters | None) -> str:
    if values is None:
        return ""
    # A word of netem is about a member; parameters have the same names.
    given = {word.member: getattr(values, word.member) for word in netem.WORDS.values()}
    if values.gilbert_elliott is not None:
        given["gilbert_elliott"] = asdict(values.gilbert_elliott)
    return netem.sentence(given).strip("-")
