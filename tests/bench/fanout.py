"""One session, many subscribers, one of which does not read."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.contenders import EXTENSION, SERVICE
from tests.bench.rounds import as_before, at_most, ratio, spread
from tests.bench.streaming import Streamed, stream
from tests.bench.tables import Table

SIZE = 576
RATE = 20_000.0
SUBSCRIBERS = (1, 4, 16, 64)
# Of the CPU time for the most subscribers to that for one
TARGETS = {EXTENSION: at_most(5), SERVICE: as_before(5, at_least=False)}


def run(bench: Bench) -> list[Table]:
    """Measure at full speed, and at a rate at which everybody can keep up."""
    table = Table(
        f"fanout: one session, {SIZE} bytes, v1.batch; with more than one subscriber, one is "
        "stalled",
        ["load", "contender", "subscribers", "drained k/s", "delivered k/s", "of drained %",
         "CPU s/M drained", "/ one", "target", "memory MiB"],
        ["delivered: at all reading clients together; of drained: what one of them got on the",
         "average, the rest was lost in its own queue. memory: the most the service held."],
    )  # fmt: skip
    counts = SUBSCRIBERS[: 2 if bench.short else None]
    with bench.field() as field:
        sessions = {name: field.add_sessions(name, 1)[0] for name in field.forms}
        for load, rate in (("full", 0.0), (f"{RATE / 1000:.0f} k/s", RATE)):
            results: dict[tuple[str, int], list[Streamed]] = {
                (name, count): [] for name in sessions for count in counts
            }
            for turn in range(bench.rounds):
                for (name, count), rounds in results.items():
                    one = sessions[name]
                    rounds.append(
                        stream(bench, field.services[name], [one], sockets=count,
                               stalled=int(count > 1), size=SIZE, rate=rate)
                    )  # fmt: skip
                    bench.say(
                        f"fanout {load} {name} {count} {turn + 1}/{bench.rounds}: "
                        f"{rounds[-1].delivered / 1000:.0f} k/s"
                    )
            _add_rows(table, load, results)
    return [table]


def _add_rows(table: Table, load: str, results: dict[tuple[str, int], list[Streamed]]) -> None:
    for (name, count), rounds in results.items():
        cpu = [s.cpu for s in rounds]
        against = ratio(cpu, [s.cpu for s in results[name, 1]])
        target = TARGETS[name] if count == SUBSCRIBERS[-1] else None
        what = f"fanout, {load}, CPU for {count} subscribers / one, {name}"
        columns = {
            "drained": spread([s.drained for s in rounds]),
            "delivered": spread([s.delivered for s in rounds]),
            "arrived": spread([s.arrived for s in rounds]),
            "cpu_seconds_per_million": spread(cpu),
            "memory": spread([s.memory for s in rounds]),
        }
        table.add(
            [
                load,
                name,
                str(count),
                columns["drained"].text(".0f", 1e-3),
                columns["delivered"].text(".0f", 1e-3),
                columns["arrived"].text(".0f", 100),
                columns["cpu_seconds_per_million"].text(".2f"),
                against.text() if count > 1 else "",
                table.judge(what, target, against.median),
                columns["memory"].text(".0f", 2**-20),
            ],
            {"load": load, "contender": name, "subscribers": count}
            | {column: values.as_json() for column, values in columns.items()}
            | {"ratios": {"cpu of one": against.as_json() | {"target": str(target or "")}}},
        )
