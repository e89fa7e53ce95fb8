"""One session, many subscribers, one of which does not read."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.rounds import at_most, ratio, spread
from tests.bench.streaming import Stream, Streamed, stream
from tests.bench.tables import Table
from wintun_api.wire import BATCH

SIZE = 576
RATE = 20_000.0
SUBSCRIBERS = (1, 4, 16, 64)
TARGET = at_most(8)


def run(bench: Bench) -> list[Table]:
    """Measure at full speed, and at a rate at which everybody can keep up."""
    table = Table(
        f"fanout: one session, {SIZE} bytes, v1.batch; with more than one subscriber, one is "
        "stalled",
        ["load", "subscribers", "drained k/s", "delivered k/s", "of drained %", "CPU s/M drained",
         "/ one", "target", "memory MiB"],
        ["delivered: at all reading clients together; of drained: what one of them got on the",
         "average, the rest was lost in its own queue. memory: the most the service held."],
    )  # fmt: skip
    counts = SUBSCRIBERS[: 2 if bench.short else None]
    with bench.field("fanout") as field:
        contender = field.add_service()[0]
        service = field.service
        assert service is not None
        streams = [Stream(field.sessions[0], contender.far_address)]
        for load, rate in (("full", 0.0), (f"{RATE / 1000:.0f} k/s", RATE)):
            results: dict[int, list[Streamed]] = {count: [] for count in counts}
            for turn in range(bench.rounds):
                for count in counts:
                    results[count].append(
                        stream(bench, service, streams, BATCH, sockets=count,
                               stalled=int(count > 1), size=SIZE, rate=rate)
                    )  # fmt: skip
                    bench.say(
                        f"fanout {load} {count} {turn + 1}/{bench.rounds}: "
                        f"{results[count][-1].delivered / 1000:.0f} k/s"
                    )
            _add_rows(table, load, results)
    return [table]


def _add_rows(table: Table, load: str, results: dict[int, list[Streamed]]) -> None:
    one = [s.cpu for s in results[1]]
    for count, rounds in results.items():
        cpu = [s.cpu for s in rounds]
        against = ratio(cpu, one)
        target = TARGET if count == SUBSCRIBERS[-1] else None
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
                str(count),
                columns["drained"].text(".0f", 1e-3),
                columns["delivered"].text(".0f", 1e-3),
                columns["arrived"].text(".0f", 100),
                columns["cpu_seconds_per_million"].text(".2f"),
                against.text() if count > 1 else "",
                target.judge(against.median) if target else "",
                columns["memory"].text(".0f", 2**-20),
            ],
            {"load": load, "subscribers": count}
            | {name: column.as_json() for name, column in columns.items()}
            | {"ratios": {"cpu of one": against.as_json() | {"target": str(target or "")}}},
        )
