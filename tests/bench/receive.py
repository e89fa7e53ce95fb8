"""TUN to WebSocket: a flood of the host, a client that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, HAND_WRITTEN, SERVICE, Contender
from tests.bench.machine import cpu_seconds, device_counters
from tests.bench.rounds import Target, at_least, ratio, spread
from tests.bench.tables import Table
from wintun_api.wire import BATCH, RAW

SIZES = (92, 576, 1420)
COLUMNS = [
    "bytes", "framing", "contender", "k packets/s", "Gbit/s", "lost %", "core %", "CPU s/M",
    "CPU / C relay", "/ C relay", "target", "/ hand-written", "target",
]  # fmt: skip

# (contender, beside, framing, size) -> what the ratio should be
TARGETS: dict[tuple[str, str, str], Target] = {
    (C_RELAY, "batch", "92"): at_least(0.85),
    (C_RELAY, "batch", "1420"): at_least(0.75),
    (C_RELAY, "raw", "92"): at_least(0.6),
    (C_RELAY, "raw", "1420"): at_least(0.6),
    (HAND_WRITTEN, "raw", "92"): at_least(5),
    (HAND_WRITTEN, "raw", "1420"): at_least(5),
}


@dataclass(frozen=True, slots=True)
class Received:
    """One measurement.

    Attributes:
        rate: Packets a second at the client, in the window.
        lost: Share of the sent packets that did not arrive.
        ring_lost: Share that the host dropped, as the device's queue was full.
        cpu: CPU seconds of the contender per million packets that arrived.
        disorder: Packets that arrived behind a later one.
    """

    rate: float
    lost: float
    ring_lost: float
    cpu: float
    disorder: int


def measure(bench: Bench, contender: Contender, size: int, rate: float = 0) -> Received:
    """Flood a contender for a while, `rate` packets a second or as fast as it goes."""
    client = bench.programs.start(
        "drain", *contender.client, bench.warm, bench.seconds, bench.idle, 1, 0, contender.path,
        ready="open",
    )  # fmt: skip
    try:
        before, used = device_counters(contender.device), cpu_seconds(contender.pid)
        flood = bench.programs.start(
            "flood", size, bench.load_seconds, rate, contender.far_address,
            ready="sending",
        )  # fmt: skip
        sent = flood.result()["sent"]
        counts = client.result()
    finally:
        client.end()
    used = cpu_seconds(contender.pid) - used
    dropped = device_counters(contender.device).host_dropped - before.host_dropped
    got = counts["sockets"][0]
    return Received(
        rate=got["window_packets"] / counts["window"] if counts["window"] else 0.0,
        lost=1 - got["packets"] / sent,
        ring_lost=dropped / sent,
        cpu=used / got["packets"] * 1e6 if got["packets"] else 0.0,
        disorder=got["disorder"],
    )


def run(bench: Bench) -> list[Table]:
    """Measure every contender at every size."""
    table = Table(
        "receive: TUN to WebSocket, one client, a flood at full speed",
        COLUMNS,
        ["lost: of what the flood sent, by the packets' own numbers; at full speed the flood sends",
         "more than anybody takes. CPU s/M: the contender's CPU seconds per million packets."],
    )  # fmt: skip
    with bench.field("receive") as field:
        contenders = [
            *field.add_service(),
            field.add_c_relay(BATCH),
            field.add_c_relay(RAW),
            field.add_hand_written(),
            *map(field.add_peer, bench.peers),
        ]
        for size in SIZES[:: 2 if bench.short else 1]:
            results: dict[Contender, list[Received]] = {one: [] for one in contenders}
            for turn in range(bench.rounds):
                for one in contenders:
                    results[one].append(measure(bench, one, size))
                    bench.say(
                        f"receive {size} {one.framing} {one.name} {turn + 1}/{bench.rounds}: "
                        f"{results[one][-1].rate / 1000:.0f} k/s"
                    )
            add_rows(table, size, results, TARGETS)
    return [table]


def add_rows(
    table: Table,
    size: int,
    results: dict[Contender, list[Received]],
    targets: dict[tuple[str, str, str], Target],
) -> None:
    """Write the contenders of one size."""
    rates = {
        (one.name, one.framing): [received.rate for received in rounds]
        for one, rounds in results.items()
    }
    costs = {
        (one.name, one.framing): [received.cpu for received in rounds]
        for one, rounds in results.items()
    }
    for one, rounds in sorted(results.items(), key=lambda item: item[0].framing):
        own = rates[one.name, one.framing]
        busy = spread([r.rate * r.cpu / 1e4 for r in rounds])
        record: dict[str, Any] = {
            "bytes": size,
            "framing": one.framing,
            "contender": one.name,
            "packets_per_second": spread(own).as_json(),
            "lost": spread([r.lost for r in rounds]).as_json(),
            "ring_lost": spread([r.ring_lost for r in rounds]).as_json(),
            "cpu_seconds_per_million": spread([r.cpu for r in rounds]).as_json(),
            "core_percent": busy.as_json(),
            "disorder": sum(r.disorder for r in rounds),
            "ratios": {},
        }
        cells = [
            str(size),
            one.framing,
            one.name,
            spread(own).text(".0f", 1e-3),
            spread(own).text(".2f", size * 8e-9),
            spread([r.lost for r in rounds]).text(".1f", 100),
            f"{busy.median:.0f}",
            spread([r.cpu for r in rounds]).text(".2f"),
        ]
        relay = costs.get((C_RELAY, one.framing), [])
        if relay and one.name != C_RELAY:
            against = ratio(costs[one.name, one.framing], relay)
            record["ratios"]["cpu"] = against.as_json()
            cells.append(against.text())
        else:
            cells.append("")
        for other in (C_RELAY, HAND_WRITTEN):
            key = (other, one.framing)
            if one.name in (other, C_RELAY) or key not in rates:
                cells += ["", ""]
                continue
            against = ratio(own, rates[key])
            target = targets.get((other, one.framing, str(size))) if one.name == SERVICE else None
            record["ratios"][other] = against.as_json() | {"target": str(target or "")}
            cells += [against.text(), target.judge(against.median) if target else ""]
        table.add(cells, record)
