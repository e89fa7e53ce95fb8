"""WebSocket to TUN: a client that sends as fast as it is read, a device that counts."""

from __future__ import annotations

import time

from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, Contender
from tests.bench.machine import cpu_seconds, device_counters
from tests.bench.receive import COLUMNS, SIZES, Received, add_rows
from tests.bench.rounds import at_least
from tests.bench.tables import Table
from wintun_api.wire import BATCH, RAW

# No route leads there and nothing is forwarded, so the host drops it in silence, at no great cost.
NOWHERE = "192.0.2.1"

TARGETS = {
    (C_RELAY, framing, str(size)): at_least(bound)
    for framing, bound in (("batch", 0.7), ("raw", 0.25))
    for size in SIZES
}


def measure(bench: Bench, contender: Contender, size: int) -> Received:
    """Let a client inject for a while; the device's own counter says how much arrived."""
    start = device_counters(contender.device)
    client = bench.programs.start(
        "inject", *contender.client, contender.path, size, contender.far_address, NOWHERE,
        ready="sending",
    )  # fmt: skip
    try:
        time.sleep(bench.warm)
        before, used, begun = _look(contender)
        time.sleep(bench.seconds)
        after, used_then, ended = _look(contender)
        sent = client.stop()["sent"]
    finally:
        client.end()
    arrived = device_counters(contender.device).from_application - start.from_application
    packets = after - before
    return Received(
        rate=packets / (ended - begun),
        lost=1 - arrived / sent if sent else 0.0,
        ring_lost=0.0,
        cpu=(used_then - used) / packets * 1e6 if packets else 0.0,
        disorder=0,
    )


def _look(contender: Contender) -> tuple[int, float, float]:
    packets = device_counters(contender.device).from_application
    return packets, cpu_seconds(contender.pid), time.monotonic()


def run(bench: Bench) -> list[Table]:
    """Measure every contender at every size."""
    table = Table(
        "inject: WebSocket to TUN, one client that sends 64 KiB at a time",
        COLUMNS,
        ["lost: of what the client sent, by the device's counter. TCP holds the client back, so",
         "nothing should be. CPU s/M: the contender's CPU seconds per million packets."],
    )  # fmt: skip
    with bench.field("inject") as field:
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
                        f"inject {size} {one.framing} {one.name} {turn + 1}/{bench.rounds}: "
                        f"{results[one][-1].rate / 1000:.0f} k/s"
                    )
            add_rows(table, size, results, TARGETS)
    return [table]
