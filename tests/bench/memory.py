"""What the service holds over minutes of flood, with a client that reads and one that does not."""

from __future__ import annotations

import time
from statistics import linear_regression, median

from tests.bench.bench import Bench
from tests.bench.machine import resident_bytes
from tests.bench.rounds import at_most
from tests.bench.tables import Table
from tests.waiting import let_pass

SIZE = 576
SETTLING = 60.0
TARGET = at_most(1)  # MiB, of all the time behind the first minute


def run(bench: Bench) -> list[Table]:
    """Flood at full speed and look once a second."""
    seconds = bench.memory_seconds
    settling = min(SETTLING, seconds / 3)
    table = Table(
        f"memory: {seconds:.0f} s of flood at full speed, {SIZE} bytes, two clients, one of them "
        "stalled",
        ["framing", "before MiB", f"after {settling:.0f} s", "at the end", "growth MiB", "target",
         "KiB/minute", "closed"],
        ["growth: from the first to the last tenth of the time behind the settling.",
         "KiB/minute: slope of a line through all of that time."],
    )  # fmt: skip
    with bench.field() as field:
        contenders = field.add_service(field.forms[-1])
        table.notes.append(f"Measured: {contenders[0].name}.")
        for one in contenders[: 1 if bench.short else None]:
            before = resident_bytes(one.pid)
            start = bench.programs.start
            client = start(
                "drain", *one.client, 0, seconds, 0.3, 2, 1, one.path, ready="open"
            )  # fmt: skip
            try:
                flood = start("flood", SIZE, seconds, 0, one.far_address, ready="sending")
                samples = _sample(one.pid, seconds, min(1.0, seconds / 20))
                flood.result()
                counts = client.stop()
            finally:
                client.end()
            later = [(when, held) for when, held in samples if when >= settling]
            tenth = max(1, len(later) // 10)
            first = median(held for _, held in later[:tenth])
            last = median(held for _, held in later[-tenth:])
            growth = (last - first) / 2**20
            slope = linear_regression(*zip(*later, strict=True)).slope * 60 / 1024
            closed = any(socket["closed"] for socket in counts["sockets"])
            bench.say(f"memory {one.framing}: {growth:+.2f} MiB")
            table.add(
                [
                    one.framing,
                    f"{before / 2**20:.1f}",
                    f"{first / 2**20:.1f}",
                    f"{last / 2**20:.1f}",
                    f"{growth:+.2f}",
                    table.judge(
                        f"memory v1.{one.framing}, {seconds:.0f} s, MiB, {one.name}", TARGET, growth
                    ),
                    f"{slope:+.0f}",
                    "yes" if closed else "no",
                ],
                {
                    "framing": one.framing,
                    "seconds": seconds,
                    "before": before,
                    "growth": last - first,
                    "kib_per_minute": slope,
                    "closed": closed,
                    "samples": samples,
                },
            )
    return [table]


def _sample(pid: int, seconds: float, interval: float) -> list[tuple[float, int]]:
    start = time.monotonic()
    samples = []
    while (elapsed := time.monotonic() - start) < seconds:
        samples.append((round(elapsed, 3), resident_bytes(pid)))
        let_pass(interval)
    return samples
