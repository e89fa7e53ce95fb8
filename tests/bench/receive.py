"""TUN to WebSocket: a flood of the host, a client that counts."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.comparison import SIZES, Carried, Targets, compare
from tests.bench.contenders import C_RELAY, EXTENSION, HAND_WRITTEN, SERVICE, Contender
from tests.bench.machine import cpu_seconds, device_counters
from tests.bench.rounds import as_before, at_least
from tests.bench.tables import Table

TARGETS: Targets = {
    (EXTENSION, C_RELAY, "batch", 92): at_least(0.95),
    (EXTENSION, C_RELAY, "batch", 576): at_least(0.9),
    (EXTENSION, C_RELAY, "batch", 1420): at_least(0.95),
    **{(EXTENSION, C_RELAY, "raw", size): at_least(0.85) for size in SIZES},
    **{
        (name, HAND_WRITTEN, "raw", size): at_least(5)
        for name in (SERVICE, EXTENSION)
        for size in (92, 1420)
    },
    (SERVICE, C_RELAY, "batch", 92): as_before(0.64),
    (SERVICE, C_RELAY, "batch", 576): as_before(0.56),
    (SERVICE, C_RELAY, "batch", 1420): as_before(0.77),
    (SERVICE, C_RELAY, "raw", 92): as_before(0.68),
    (SERVICE, C_RELAY, "raw", 576): as_before(0.59),
    (SERVICE, C_RELAY, "raw", 1420): as_before(0.71),
}


def measure(bench: Bench, contender: Contender, size: int, rate: float = 0) -> Carried:
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
    return Carried(
        rate=got["window_packets"] / counts["window"] if counts["window"] else 0.0,
        lost=1 - got["packets"] / sent,
        ring_lost=dropped / sent,
        cpu=used / got["packets"] * 1e6 if got["packets"] else 0.0,
        disorder=got["disorder"],
    )


def run(bench: Bench) -> list[Table]:
    """Compare everybody."""
    title = "TUN to WebSocket, one client, a flood at full speed"
    notes = [
        "lost: of what the flood sent, by the packets' own numbers; at full speed the flood sends",
        "more than anybody takes. CPU s/M: the contender's CPU seconds per million packets.",
    ]
    return [compare(bench, "receive", measure, TARGETS, title=title, notes=notes)]
