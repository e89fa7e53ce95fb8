"""Round trips through a client that echoes: idle, and under half of what the service carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bench import receive
from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, NATIVE, SERVICE, Contender
from tests.bench.rounds import at_most, ratio, spread
from tests.bench.tables import Table
from wintun_api.wire import BATCH, RAW

PROBE_SIZE = 92
LOAD_SIZE = 576
INTERVAL = 0.0005
P50, P99 = at_most(1.5), at_most(3)


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """One measurement, in seconds; `lost` is the share of the load that did not arrive."""

    p50: float
    p99: float
    lost: float
    unanswered: int


def measure(bench: Bench, contender: Contender, rate: float) -> RoundTrips:
    """Send one datagram after the other and wait for its echo, beside a load of `rate`."""
    start = bench.programs.start
    address = contender.far_address
    client = start("echo", *contender.client, contender.path, ready="open")
    try:
        if rate:
            whole = bench.warm + bench.seconds + 1
            load = start("flood", LOAD_SIZE, whole, rate, address, ready="sending")
        # The first round trips fill caches, the neighbour table among them.
        start("probe", address, bench.warm, INTERVAL, PROBE_SIZE, ready="sending").result()
        times = start(
            "probe", address, bench.seconds, INTERVAL, PROBE_SIZE, ready="sending"
        ).result()
        sent = load.stop()["sent"] if rate else 0
        # Its answers come behind what is still queued, so that nothing of the load is left.
        start("probe", address, bench.warm, INTERVAL, PROBE_SIZE, ready="sending").result()
        counts = client.stop()
    finally:
        client.end()
    return RoundTrips(
        times["p50"], times["p99"], 1 - counts["packets"] / sent if sent else 0.0, times["lost"]
    )


def run(bench: Bench) -> list[Table]:
    """Measure the service and the C relay, each in both framings."""
    with bench.field("latency") as field:
        contenders = [
            *field.add_service(),
            *field.add_native(),
            *map(field.add_c_relay, (BATCH, RAW)),
        ]
        saturated = receive.measure(bench, contenders[0], LOAD_SIZE)
        half = saturated.rate / 2
        bench.say(f"latency: half load is {half / 1000:.0f} k packets/s of {LOAD_SIZE} bytes")
        table = Table(
            "latency: round trip of a program on the host, through a client that echoes",
            ["load", "framing", "contender", "p50 us", "p99 us", "p50 / C relay", "target",
             "p99 / C relay", "target", "lost %"],
            [f"half: {half / 1000:.0f} k packets/s of {LOAD_SIZE} bytes, half of what the",
             "service carries in v1.batch. lost: of that load."],
        )  # fmt: skip
        for load, rate in (("idle", 0.0), ("half", half)):
            results: dict[Contender, list[RoundTrips]] = {one: [] for one in contenders}
            for turn in range(bench.rounds):
                for one in contenders:
                    results[one].append(measure(bench, one, rate))
                    bench.say(
                        f"latency {load} {one.framing} {one.name} {turn + 1}/{bench.rounds}: "
                        f"p50 {results[one][-1].p50 * 1e6:.0f} us"
                    )
            _add_rows(table, load, results)
    return [table]


def _add_rows(table: Table, load: str, results: dict[Contender, list[RoundTrips]]) -> None:
    by_key = {(one.name, one.framing): rounds for one, rounds in results.items()}
    for one, rounds in sorted(results.items(), key=lambda item: item[0].framing):
        p50, p99 = [r.p50 for r in rounds], [r.p99 for r in rounds]
        lost = spread([r.lost for r in rounds])
        record: dict[str, Any] = {
            "load": load,
            "framing": one.framing,
            "contender": one.name,
            "p50": spread(p50).as_json(),
            "p99": spread(p99).as_json(),
            "lost": lost.as_json(),
            "unanswered": sum(r.unanswered for r in rounds),
            "ratios": {},
        }
        cells = [load, one.framing, one.name, spread(p50).text(".0f", 1e6),
                 spread(p99).text(".0f", 1e6)]  # fmt: skip
        if one.name in (SERVICE, NATIVE):
            other = by_key[C_RELAY, one.framing]
            for name, own, its, target in (
                ("p50", p50, [r.p50 for r in other], P50),
                ("p99", p99, [r.p99 for r in other], P99),
            ):
                against = ratio(own, its)
                record["ratios"][name] = against.as_json() | {"target": str(target)}
                cells += [against.text(), target.judge(against.median)]
        else:
            cells += [""] * 4
        table.add([*cells, lost.text(".1f", 100)], record)
