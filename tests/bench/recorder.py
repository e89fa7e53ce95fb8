"""What a recorder costs: a flood of the host with and without one, in turns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.bench.bench import Bench
from tests.bench.comparison import WHOLE_CORE, Carried
from tests.bench.contenders import EXTENSION, Contender, Service
from tests.bench.disturbance import undisturbed
from tests.bench.machine import cpu_seconds
from tests.bench.receive import measure
from tests.bench.rounds import at_least, ratio, spread
from tests.bench.tables import Table

SIZES = (92, 1420)
LIMITS = {"seconds": 120, "bytes": 64 * 2**20}
LOADS = ("client", "client and recorder", "recorder")
OFFERED = (300_000, 0)  # packets a second; 0 is as many as the flood can send
# Of the rate with a recorder to that without one; Python alone does not take so many packets
TARGETS = {(EXTENSION, 300_000): at_least(0.9)}


def run(bench: Bench) -> list[Table]:
    """Flood a client alone, a client beside a recorder, and a recorder alone."""
    table = Table(
        "recorder: a flood, one client of v1.batch, a recorder of 64 MiB",
        ["bytes", "contender", "offered", "load", "k packets/s", "lost %", "CPU s/M",
         "/ client alone", "target"],
        ["k packets/s: at the client; where the recorder is alone, those that it took."],
    )  # fmt: skip
    with bench.field() as field:
        for name in field.forms:
            (one,) = field.add_sessions(name, 1)
            for offered in OFFERED:
                for size in SIZES:
                    _compare(bench, table, field.services[name], one, size, offered)
    return [table]


def _compare(  # noqa: PLR0917 - what is compared, and how
    bench: Bench, table: Table, service: Service, one: Contender, size: int, offered: int
) -> None:
    shown = f"{offered // 1000} k/s" if offered else "full speed"
    rounds: dict[str, list[Carried]] = {load: [] for load in LOADS}
    path = f"/v1/sessions/{one.session}/recorder"
    for turn in range(bench.rounds):
        for load, results in rounds.items():
            if load != LOADS[0]:
                service.http.put(path, json=LIMITS).raise_for_status()
            work = partial(measure, bench, one, size, offered)
            if load == LOADS[2]:
                work = partial(_alone, bench, service, one, size, offered)
            carried, others = undisturbed(
                bench, [one.pid], work, lambda carried: carried.core >= WHOLE_CORE
            )
            results.append(replace(carried, others=others))
            if load != LOADS[0]:
                service.http.delete(path).raise_for_status()
            bench.say(
                f"recorder {size} {one.name} {shown} {load} {turn + 1}/{bench.rounds}: "
                f"{carried.rate / 1000:.0f} k/s"
            )
    before = [carried.rate for carried in rounds[LOADS[0]]]
    for load, results in rounds.items():
        rates = spread([carried.rate for carried in results])
        lost = spread([carried.lost for carried in results])
        cpu = spread([carried.cpu for carried in results])
        against = ratio(rates.values, before)
        target = TARGETS.get((one.name, offered)) if load == LOADS[1] else None
        what = f"recorder, {size} bytes at {shown}, with one / without, {one.name}"
        table.add(
            [
                str(size),
                one.name,
                shown,
                load,
                rates.text(".0f", 1e-3),
                lost.text(".1f", 100),
                cpu.text(".2f"),
                against.text() if load != LOADS[0] else "",
                table.judge(what, target, against.median),
            ],
            {
                "bytes": size,
                "contender": one.name,
                "offered": offered,
                "load": load,
                "packets_per_second": rates.as_json(),
                "lost": lost.as_json(),
                "cpu_seconds_per_million": cpu.as_json(),
                "ratios": {LOADS[0]: against.as_json() | {"target": str(target or "")}},
            },
        )


def _alone(bench: Bench, service: Service, one: Contender, size: int, offered: int) -> Carried:
    """Flood a session that only its recorder listens to."""
    used = cpu_seconds(one.pid)
    flood = bench.programs.start(
        "flood", size, bench.load_seconds, offered, one.far_address, ready="sending"
    )
    sent = flood.result()["sent"]
    recorded = service.http.get(f"/v1/sessions/{one.session}/recorder").json()["recorded"]
    used = cpu_seconds(one.pid) - used
    return Carried(
        rate=recorded / bench.load_seconds,
        lost=1 - recorded / sent,
        cpu=used / recorded * 1e6 if recorded else 0.0,
    )
