"""WebSocket to TUN: a client that sends as fast as it is read, a device that counts."""

from __future__ import annotations

import time

from tests.bench.bench import Bench
from tests.bench.comparison import SIZES, Carried, Targets, compare
from tests.bench.contenders import C_RELAY, EXTENSION, SERVICE, Contender
from tests.bench.machine import cpu_seconds, device_counters
from tests.bench.rounds import as_before, at_least
from tests.bench.tables import Table
from tests.waiting import let_pass

# No route leads there and nothing is forwarded, so the host drops it in silence, at no great cost.
NOWHERE = "192.0.2.1"

TARGETS: Targets = {
    **{(EXTENSION, C_RELAY, "batch", size): at_least(0.85) for size in SIZES},
    **{(EXTENSION, C_RELAY, "raw", size): at_least(0.7) for size in SIZES},
    (SERVICE, C_RELAY, "batch", 92): as_before(0.66),
    (SERVICE, C_RELAY, "batch", 576): as_before(0.47),
    (SERVICE, C_RELAY, "batch", 1420): as_before(0.37),
    (SERVICE, C_RELAY, "raw", 92): as_before(0.56),
    (SERVICE, C_RELAY, "raw", 576): as_before(0.44),
    (SERVICE, C_RELAY, "raw", 1420): as_before(0.40),
}


def measure(bench: Bench, contender: Contender, size: int) -> Carried:
    """Let a client inject for a while; the device's own counter says how much arrived."""
    start = device_counters(contender.device)
    client = bench.programs.start(
        "inject", *contender.client, contender.path, size, contender.far_address, NOWHERE,
        ready="sending",
    )  # fmt: skip
    try:
        let_pass(bench.warm)
        before, used, begun = _look(contender)
        let_pass(bench.seconds)
        after, used_then, ended = _look(contender)
        sent = client.stop()["sent"]
    finally:
        client.end()
    arrived = device_counters(contender.device).from_application - start.from_application
    packets = after - before
    return Carried(
        rate=packets / (ended - begun),
        lost=1 - arrived / sent if sent else 0.0,
        cpu=(used_then - used) / packets * 1e6 if packets else 0.0,
    )


def _look(contender: Contender) -> tuple[int, float, float]:
    packets = device_counters(contender.device).from_application
    return packets, cpu_seconds(contender.pid), time.monotonic()


def run(bench: Bench) -> list[Table]:
    """Compare everybody."""
    title = "WebSocket to TUN, one client that sends 64 KiB at a time"
    notes = [
        "lost: of what the client sent, by the device's counter. TCP holds the client back, so",
        "nothing should be. CPU s/M: the contender's CPU seconds per million packets.",
    ]
    return [compare(bench, "inject", measure, TARGETS, title=title, notes=notes)]
