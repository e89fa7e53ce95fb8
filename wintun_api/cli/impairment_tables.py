"""Impairments as people read them: what happens to which packets, and what has happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import typer

from wintun_api import netem
from wintun_api.cli.output import printable
from wintun_api.cli.table import show_table, show_text

RULES: Final = ("Rule", "Packets", "Received", "Injected", "From")
COUNTERS: Final = ("Packets", "Received", "Received bytes", "Injected", "Injected bytes")
INDENT: Final = 2


def show_impairment(impairment: Mapping[str, Any], name: str, *, counters: bool = True) -> None:
    """Write what holds now for a session, and what has happened since it was first impaired.

    Args:
        impairment: The answer of the service.
        name: The name of its adapter.
        counters: Whether to write what has happened.
    """
    is_idle = impairment["summary"] == "nothing"
    held = "has an impairment that does nothing" if is_idle else "is impaired"
    typer.echo(
        printable(
            f"{name} {held}: session {impairment['session']}, seed {impairment['seed']}, "
            f"on change {impairment['on_change']}."
        )
    )
    typer.echo()
    show_table(RULES, [_rule(at, one) for at, one in enumerate(impairment["rules"])], ("From",))
    if counters:
        typer.echo()
        show_counters(impairment)


def show_counters(impairment: Mapping[str, Any]) -> None:
    """Write what has happened to the packets of both directions."""
    received, injected = impairment["received"], impairment["injected"]
    rows: list[Sequence[object]] = []
    for name, value in received.items():
        said = name.replace("_", " ")
        if isinstance(value, Mapping):
            other = injected[name]
            rows.append((said, value["packets"], value["bytes"], other["packets"], other["bytes"]))
        else:
            rows.append((said, value, None, injected[name], None))
    show_table(COUNTERS, rows, ("Injected bytes", "Received bytes"))


def show_presets(presets: Iterable[Mapping[str, Any]]) -> None:
    """Write the presets, each with the source of its numbers below it."""
    for at, one in enumerate(presets):
        if at:
            typer.echo()
        show_text(f"{one['name']}  {one['title']}")
        for direction in ("received", "injected"):
            show_text(f"{direction} {netem.sentence(one[direction])}", INDENT)
        show_text(one["source"], INDENT)


def progress_text(rule: Mapping[str, Any]) -> str:
    """Return how far the scenario of a rule is."""
    progress, steps = rule["progress"], len((rule.get("scenario") or {}).get("steps", ()))
    if progress["finished"]:
        return "scenario, finished"
    step = "before its first step"
    if progress["step"] is not None:
        step = f"step {progress['step'] + 1} of {steps}"
    loops = f", repeated {progress['loops']} times" if progress["loops"] else ""
    return f"scenario, {step}, {progress['elapsed']:.1f} s{loops}"


def _rule(at: int, rule: Mapping[str, Any]) -> tuple[object, ...]:
    source = None
    if rule.get("progress") is not None:
        source = progress_text(rule)
    elif rule.get("preset") is not None:
        source = f"preset {rule['preset']}"
    return (
        at + 1,
        _match(rule.get("match")),
        netem.sentence(rule["now_received"]),
        netem.sentence(rule["now_injected"]),
        source,
    )


def _match(match: Mapping[str, Any] | None) -> str:
    given = [
        f"{name.replace('_', '-')} {value}"
        for name, value in (match or {}).items()
        if value is not None
    ]
    return ", ".join(given) or "all"
