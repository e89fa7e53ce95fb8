"""Round trips through a client that echoes: idle, and under half of what the service carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.bench import receive
from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, EXTENSION, SERVICE, Contender
from tests.bench.disturbance import undisturbed
from tests.bench.rounds import Target, as_before, at_most, ratio, spread
from tests.bench.tables import Table
from wintun_api.wire import BATCH, RAW

PROBE_SIZE = 92
LOAD_SIZE = 576
INTERVAL = 0.0005
# A round is cut into so many turns, for neighbours that are short are more alike; 500 round trips
# a turn are enough for its middle.
TURNS, LEAST_SECONDS = 3, 0.25
# (who, framing, load, figure) -> what its ratio to the C relay should be
TARGETS: dict[tuple[str, str, str, str], Target] = {
    (EXTENSION, "batch", "idle", "p50"): at_most(1.25),
    (EXTENSION, "batch", "half", "p50"): at_most(1.4),
    **{
        (EXTENSION, framing, load, "p99"): at_most(3)
        for framing in ("batch", "raw")
        for load in ("idle", "half")
    },
    (SERVICE, "batch", "half", "p50"): as_before(1.6, at_least=False),
}


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """One measurement.

    Attributes:
        p50: The middle of all round trips, in seconds.
        p99: What one of a hundred exceeds.
        lost: Share of the load that did not arrive.
        unanswered: Probes that got no answer within a second.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    p50: float
    p99: float
    lost: float
    unanswered: int
    others: float = 0.0


def measure(bench: Bench, contender: Contender, rate: float, seconds: float) -> RoundTrips:
    """Send one datagram after the other and wait for its echo, beside a load of `rate`."""
    start = bench.programs.start
    address = contender.far_address
    client = start("echo", *contender.client, contender.path, ready="open")
    try:
        if rate:
            whole = bench.warm + seconds + 1
            load = start("flood", LOAD_SIZE, whole, rate, address, ready="sending")
        # The first round trips fill caches, the neighbour table among them.
        start("probe", address, bench.warm, INTERVAL, PROBE_SIZE, ready="sending").result()
        times = start("probe", address, seconds, INTERVAL, PROBE_SIZE, ready="sending").result()
        sent = load.stop()["sent"] if rate else 0
        if (
            rate
        ):  # its answers come behind what is still queued, so that nothing of the load is left
            start("probe", address, bench.warm, INTERVAL, PROBE_SIZE, ready="sending").result()
        counts = client.stop()
    finally:
        client.end()
    return RoundTrips(
        times["p50"], times["p99"], 1 - counts["packets"] / sent if sent else 0.0, times["lost"]
    )


def run(bench: Bench) -> list[Table]:
    """Measure the service and the C relay, each in both framings."""
    with bench.field() as field:
        contenders = [*field.add_services(), *map(field.add_c_relay, (BATCH, RAW))]
        contenders.sort(key=lambda one: one.framing)  # neighbours are compared
        # The most of all rounds: a round that others disturb says little of what it can carry.
        half = (
            max(receive.measure(bench, contenders[0], LOAD_SIZE).rate for _ in range(bench.rounds))
            / 2
        )
        bench.say(f"latency: half load is {half / 1000:.0f} k packets/s of {LOAD_SIZE} bytes")
        table = Table(
            "latency: round trip of a program on the host, through a client that echoes",
            ["load", "framing", "contender", "p50 us", "p99 us", "p50 / C relay", "target",
             "p99 / C relay", "target", "lost %"],
            [f"half: {half / 1000:.0f} k packets/s of {LOAD_SIZE} bytes for every contender, half",
             f"of what {contenders[0].name} carries in v1.batch. lost: of that load.",
             "Load, client and probe share the cores that the contender does not have."],
        )  # fmt: skip
        seconds = max(LEAST_SECONDS, bench.seconds / TURNS)
        turns = max(1, round(bench.rounds * bench.seconds / seconds))
        for load, rate in (("idle", 0.0), ("half", half)):
            results: dict[Contender, list[RoundTrips]] = {one: [] for one in contenders}
            for turn in range(turns):
                for one in contenders:
                    trips, others = undisturbed(
                        bench, [one.pid], partial(measure, bench, one, rate, seconds)
                    )
                    results[one].append(replace(trips, others=others))
                    bench.say(
                        f"latency {load} {one.framing} {one.name} {turn + 1}/{turns}: "
                        f"p50 {results[one][-1].p50 * 1e6:.0f} us"
                    )
            _add_rows(table, load, results)
        table.add_others()
    return [table]


def _add_rows(table: Table, load: str, results: dict[Contender, list[RoundTrips]]) -> None:
    by_key = {(one.name, one.framing): rounds for one, rounds in results.items()}
    for one, rounds in results.items():
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
            "others": spread([r.others for r in rounds]).as_json(),
            "ratios": {},
        }
        cells = [load, one.framing, one.name, spread(p50).text(".0f", 1e6),
                 spread(p99).text(".0f", 1e6)]  # fmt: skip
        if one.is_service:
            other = by_key[C_RELAY, one.framing]
            for name, own, its in (
                ("p50", p50, [r.p50 for r in other]),
                ("p99", p99, [r.p99 for r in other]),
            ):
                against = ratio(own, its)
                target = TARGETS.get((one.name, one.framing, load, name))
                record["ratios"][name] = against.as_json() | {"target": str(target or "")}
                what = f"latency v1.{one.framing}, {load}, {name}, {one.name} / {C_RELAY}"
                cells += [against.text(), table.judge(what, target, against.median)]
        else:
            cells += [""] * 4
        table.add([*cells, lost.text(".1f", 100)], record)
