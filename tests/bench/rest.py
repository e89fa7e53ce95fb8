"""What a REST request takes while packets stream at saturation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.bench.bench import Bench
from tests.bench.contenders import Contender
from tests.bench.inject import NOWHERE
from tests.bench.rounds import at_most, ratio, spread
from tests.bench.tables import Table

SIZE = 576
INTERVAL = 0.002
TARGET = at_most(25)
# The requests' own client must not wait behind the flood for a core.
FIRST = ["nice", "-n", "-5"]

Load = Callable[[Bench, Contender], AbstractContextManager[None]]


@contextmanager
def idle(bench: Bench, contender: Contender) -> Iterator[None]:
    """Let nothing stream."""
    del bench, contender
    yield


@contextmanager
def receiving(bench: Bench, contender: Contender) -> Iterator[None]:
    """Flood at full speed, with a client that counts."""
    start = bench.programs.start
    whole = bench.warm + bench.seconds + 30
    client = start("drain", *contender.client, 0, whole, 0.1, 1, 0, contender.path, ready="open")
    flood = start("flood", SIZE, whole, 0, contender.far_address, ready="sending")
    try:
        yield
        flood.stop()
        client.stop()
    finally:
        flood.end()
        client.end()


@contextmanager
def injecting(bench: Bench, contender: Contender) -> Iterator[None]:
    """Inject as fast as the service takes it."""
    client = bench.programs.start(
        "inject", *contender.client, contender.path, SIZE, contender.far_address, NOWHERE,
        ready="sending",
    )  # fmt: skip
    try:
        yield
        client.stop()
    finally:
        client.end()


def run(bench: Bench) -> list[Table]:
    """Measure the requests of a dashboard: system, adapters, a session."""
    table = Table(
        "rest: one GET after the other, every 2 ms, while packets stream at full speed",
        ["load", "framing", "GET", "requests", "p50 ms", "p99 ms", "target", "p99 / idle"],
        ["The client of the requests runs before the load where both want the same core."],
    )
    with bench.field("rest") as field:
        batch, raw = field.add_service()
        paths = {
            "/v1/system": "/v1/system",
            "/v1/adapters": "/v1/adapters",
            "/v1/sessions/ID": f"/v1/sessions/{field.sessions[0]}",
        }
        loads: list[tuple[str, Load, Contender]] = [
            ("idle", idle, batch),
            ("receive", receiving, batch),
            ("receive", receiving, raw),
            ("inject", injecting, batch),
            ("inject", injecting, raw),
        ]
        if bench.short:
            del paths["/v1/system"], paths["/v1/adapters"]
        cases = [(load, shown) for load in loads for shown in paths]
        results: list[list[dict[str, float]]] = [[] for _ in cases]
        for turn in range(bench.rounds):
            for ((name, load, contender), shown), rounds in zip(cases, results, strict=True):
                with load(bench, contender):
                    _requests(bench, contender, paths[shown], bench.warm)
                    rounds.append(_requests(bench, contender, paths[shown], bench.seconds))
                bench.say(
                    f"rest {name} {contender.framing} {shown} {turn + 1}/{bench.rounds}: "
                    f"p99 {rounds[-1]['p99'] * 1000:.1f} ms"
                )
    for number, (((name, _, contender), shown), rounds) in enumerate(
        zip(cases, results, strict=True)
    ):
        p50, p99 = spread([t["p50"] for t in rounds]), spread([t["p99"] for t in rounds])
        against = ratio(p99.values, [t["p99"] for t in results[number % len(paths)]])
        framing = "" if name == "idle" else contender.framing
        table.add(
            [
                name,
                framing,
                shown,
                str(sum(int(t["count"]) for t in rounds)),
                p50.text(".2f", 1000),
                p99.text(".2f", 1000),
                TARGET.judge(p99.median * 1000) if framing else "",
                against.text(".1f") if framing else "",
            ],
            {
                "load": name,
                "framing": framing,
                "path": shown,
                "p50": p50.as_json(),
                "p99": p99.as_json(),
                "ratios": {"p99 idle": against.as_json() | {"target": f"{TARGET} ms"}},
            },
        )
    return [table]


def _requests(bench: Bench, contender: Contender, path: str, seconds: float) -> dict[str, float]:
    client = bench.programs.start(
        "rest", contender.port, contender.headers, seconds, INTERVAL, path,
        ready="sending", prefix=[*FIRST, *bench.programs.prefix],
    )  # fmt: skip
    return client.result()
