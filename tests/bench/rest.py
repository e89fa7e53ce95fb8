"""What a REST request takes while packets stream at saturation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tests.bench.bench import Bench
from tests.bench.contenders import EXTENSION, SERVICE, Contender
from tests.bench.disturbance import undisturbed
from tests.bench.loads import LOADS
from tests.bench.rounds import at_most, ratio, spread
from tests.bench.tables import Table

SIZE = 576
INTERVAL = 0.002
# Of the 99th percentile, in milliseconds
TARGETS = {EXTENSION: at_most(20), SERVICE: at_most(25)}
# The requests' own client must not wait behind the flood for a core.
FIRST = ["nice", "-n", "-5"]


@dataclass(frozen=True, slots=True)
class Case:
    """One request beside one load; `shown` is its path as tables call it."""

    load: str
    contender: Contender
    shown: str
    path: str


def run(bench: Bench) -> list[Table]:
    """Measure the requests of a dashboard: system, adapters, a session."""
    table = Table(
        "rest: one GET after the other, every 2 ms, while packets stream at full speed",
        ["contender", "load", "framing", "GET", "requests", "p50 ms", "p99 ms", "target",
         "p99 / idle"],
        ["The client of the requests runs before the load where both want the same core."],
    )  # fmt: skip
    with bench.field() as field:
        cases = [
            case for name in field.forms for case in _cases(field.add_service(name), bench.short)
        ]
        results: dict[Case, list[dict[str, float]]] = {case: [] for case in cases}
        for turn in range(bench.rounds):
            for case, rounds in results.items():
                times, others = undisturbed(
                    bench, [case.contender.pid], partial(_measure, bench, case)
                )
                rounds.append(times | {"others": others})
                bench.say(
                    f"rest {case.contender.name} {case.load} {case.contender.framing} "
                    f"{case.shown} {turn + 1}/{bench.rounds}: p99 {rounds[-1]['p99'] * 1000:.1f} ms"
                )
    for case, rounds in results.items():
        one = case.contender
        p50, p99 = spread([t["p50"] for t in rounds]), spread([t["p99"] for t in rounds])
        (idle_rounds,) = (
            taken
            for other, taken in results.items()
            if other.load == "idle" and (other.contender.name, other.path) == (one.name, case.path)
        )
        against = ratio(p99.values, [t["p99"] for t in idle_rounds])
        is_idle = case.load == "idle"
        framing = "" if is_idle else one.framing
        target = None if is_idle else TARGETS[one.name]
        what = f"rest {case.shown}, {case.load} v1.{framing}, p99 ms, {one.name}"
        table.add(
            [
                one.name,
                case.load,
                framing,
                case.shown,
                str(sum(int(t["count"]) for t in rounds)),
                p50.text(".2f", 1000),
                p99.text(".2f", 1000),
                table.judge(what, target, p99.median * 1000),
                "" if is_idle else against.text(".1f"),
            ],
            {
                "contender": one.name,
                "load": case.load,
                "framing": framing,
                "path": case.shown,
                "others": spread([t["others"] for t in rounds]).as_json(),
                "p50": p50.as_json(),
                "p99": p99.as_json(),
                "ratios": {"p99 idle": against.as_json() | {"target": f"{target or ''}"}},
            },
        )
    table.add_others()
    return [table]


def _cases(both: list[Contender], short: bool) -> list[Case]:
    batch, raw = both
    paths = {
        "/v1/system": "/v1/system",
        "/v1/adapters": "/v1/adapters",
        "/v1/sessions/ID": f"/v1/sessions/{batch.session}",
    }
    if short:
        del paths["/v1/system"], paths["/v1/adapters"]
    loads = [
        ("idle", batch),
        *((load, one) for load in LOADS if load != "idle" for one in (batch, raw)),
    ]
    return [Case(load, one, shown, path) for load, one in loads for shown, path in paths.items()]


def _measure(bench: Bench, case: Case) -> dict[str, float]:
    with LOADS[case.load](bench, case.contender, SIZE):
        _requests(bench, case.contender, case.path, bench.warm)
        return _requests(bench, case.contender, case.path, bench.seconds)


def _requests(bench: Bench, contender: Contender, path: str, seconds: float) -> dict[str, float]:
    client = bench.programs.start(
        "rest", contender.port, contender.headers, seconds, INTERVAL, path,
        ready="sending", prefix=[*FIRST, *bench.programs.prefix],
    )  # fmt: skip
    return client.result()
