"""What a filter costs its readers: the time of a packet in a burst, in C and in Python."""

from __future__ import annotations

import asyncio
from time import thread_time

from tests.bench.bench import Bench
from tests.bench.rounds import at_most, spread
from tests.bench.tables import Table
from wintun_api.hub.burst import Burst
from wintun_api.hub.filters import Filter, Filters
from wintun_api.native import Speedups, speedups
from wintun_api.packet import build
from wintun_api.packet.block import Block

SIZES = (92, 1420)
BURST = 512
SHARES = (0, 10, 100)  # of the packets match, in percent
EXPRESSION = "udp port 53 and host 10.6.7.7"
EXTENSION, PYTHON = "extension", "Python"
TARGET = at_most(150)  # ns, with the extension


def compiled(extension: Speedups | None) -> Filter:
    """Return the filter, run in one of the two ways."""
    chosen = asyncio.run(Filters(extension).compile(EXPRESSION))
    assert chosen is not None
    return chosen


def measure(chosen: Filter, size: int, share: int, seconds: float) -> float:
    """Return CPU seconds per packet; a filter's choice is made anew in each burst."""
    payload = bytes(size - 28)
    right, wrong = (build.udp("10.6.7.8", "10.6.7.7", 1000, port, payload) for port in (53, 54))
    packets = Block.of([right if at * share % 100 < share else wrong for at in range(BURST)])
    looked, spent = 0, 0.0
    while spent < seconds:
        burst = Burst(packets, packets.lengths, packets.size, 1, 0, injected=False)
        start = thread_time()
        chosen.matching(burst)
        spent += thread_time() - start
        looked += BURST
    return spent / looked


def run(bench: Bench) -> list[Table]:
    """Measure both ways with few and with many packets that match."""
    table = Table(
        f"filters: `{EXPRESSION}` over bursts of {BURST} packets",
        ["bytes", "match", "way", "ns/packet", "target"],
    )
    ways = {PYTHON: compiled(None)}
    if (extension := speedups()) is not None:
        ways = {EXTENSION: compiled(extension), **ways}
    for size in SIZES:
        for share in SHARES:
            for way, chosen in ways.items():
                taken = [
                    measure(chosen, size, share, bench.seconds / 4) for _ in range(bench.rounds)
                ]
                cost = spread(taken)
                target = TARGET if way == EXTENSION else None
                what = f"filter, ns a packet of {size} bytes, {share} % match"
                table.add(
                    [
                        str(size),
                        f"{share} %",
                        way,
                        cost.text(".0f", 1e9),
                        table.judge(what, target, cost.median * 1e9),
                    ],
                    {
                        "bytes": size,
                        "match": share / 100,
                        "way": way,
                        "seconds_per_packet": cost.as_json(),
                    },
                )
            bench.say(f"filters {size} {share} %")
    return [table]
