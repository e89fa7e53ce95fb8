"""Many sessions, each with an adapter and a subscriber of its own, under one flood."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.rounds import ratio, spread
from tests.bench.streaming import Streamed, stream
from tests.bench.tables import Table

SIZE = 576
SESSIONS = (1, 8, 64)


def run(bench: Bench) -> list[Table]:
    """Measure at full speed, the flood going round all adapters."""
    table = Table(
        f"sessions: one subscriber each, {SIZE} bytes, v1.batch, a flood at full speed over all",
        ["sessions", "drained k/s", "delivered k/s", "/ one", "CPU s/M", "CPU / one", "memory MiB"],
    )
    counts = SESSIONS[: 2 if bench.short else None]
    with bench.field() as field:
        name = field.forms[-1]
        table.notes.append(f"Measured: {name}.")
        streams = field.add_sessions(name, counts[-1])
        service = field.services[name]
        results: dict[int, list[Streamed]] = {count: [] for count in counts}
        for turn in range(bench.rounds):
            for count in counts:
                results[count].append(
                    stream(bench, service, streams[:count], sockets=count, size=SIZE)
                )
                bench.say(
                    f"sessions {count} {turn + 1}/{bench.rounds}: "
                    f"{results[count][-1].delivered / 1000:.0f} k/s"
                )
    one = results[1]
    for count, rounds in results.items():
        delivered, cpu = [s.delivered for s in rounds], [s.cpu for s in rounds]
        rates = ratio(delivered, [s.delivered for s in one])
        costs = ratio(cpu, [s.cpu for s in one])
        drained = spread([s.drained for s in rounds])
        memory = spread([s.memory for s in rounds])
        table.add(
            [
                str(count),
                drained.text(".0f", 1e-3),
                spread(delivered).text(".0f", 1e-3),
                rates.text() if count > 1 else "",
                spread(cpu).text(".2f"),
                costs.text() if count > 1 else "",
                memory.text(".0f", 2**-20),
            ],
            {
                "sessions": count,
                "drained": drained.as_json(),
                "delivered": spread(delivered).as_json(),
                "cpu_seconds_per_million": spread(cpu).as_json(),
                "memory": memory.as_json(),
                "ratios": {"rate of one": rates.as_json(), "cpu of one": costs.as_json()},
            },
        )
    return [table]
