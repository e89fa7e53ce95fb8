"""Many subscribers or many sessions of one service under one flood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.bench import Bench
from tests.bench.contenders import Contender, Service
from tests.bench.machine import cpu_seconds, forget_peak, peak_bytes


@dataclass(frozen=True, slots=True)
class Streamed:
    """One measurement.

    Attributes:
        drained: Packets a second that the service took from its rings.
        delivered: Packets a second at all clients together, in the window.
        arrived: Share of the drained packets that a reading client got, on the average.
        cpu: CPU seconds of the service per million packets drained.
        memory: The most that the service held, in bytes.
    """

    drained: float
    delivered: float
    arrived: float
    cpu: float
    memory: int


def stream(
    bench: Bench,
    service: Service,
    streams: Sequence[Contender],
    *,
    sockets: int,
    stalled: int = 0,
    size: int,
    rate: float = 0,
) -> Streamed:
    """Flood the sessions for a while; socket i takes session i modulo their number."""
    client = bench.programs.start(
        "drain", *streams[0].client, bench.warm, bench.seconds, bench.idle, sockets, stalled,
        *(one.path for one in streams), ready="open",
    )  # fmt: skip
    try:
        forget_peak(service.pid)
        taken, used = _received(service, streams), cpu_seconds(service.pid)
        flood = bench.programs.start(
            "flood", size, bench.load_seconds, rate,
            *(one.far_address for one in streams), ready="sending",
        )  # fmt: skip
        flood.result()
        counts = client.result()
    finally:
        client.end()
    used = cpu_seconds(service.pid) - used
    taken = _received(service, streams) - taken
    window = counts["window"] or 1.0
    packets = sum(one["packets"] for one in counts["sockets"])
    readers_of_each = (sockets - stalled) / len(streams)
    return Streamed(
        drained=taken / (counts["span"] or 1.0),
        delivered=sum(one["window_packets"] for one in counts["sockets"]) / window,
        arrived=packets / (taken * readers_of_each) if taken else 0.0,
        cpu=used / taken * 1e6 if taken else 0.0,
        memory=peak_bytes(service.pid),
    )


def _received(service: Service, streams: Sequence[Contender]) -> int:
    return sum(service.counters(one.session)["received"]["packets"] for one in streams)
