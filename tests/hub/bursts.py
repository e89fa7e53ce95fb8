"""Bursts of numbered packets, and subscribers that nothing wakes."""

from __future__ import annotations

from wintun_api.choices import Direction, Overflow
from wintun_api.hub.burst import Burst
from wintun_api.hub.subscriber import Subscriber


def burst(sequence: int, count: int, size: int = 10, *, injected: bool = False) -> Burst:
    """Make a burst of numbered packets."""
    packets = [bytes([n % 256]) * size for n in range(sequence, sequence + count)]
    return Burst(packets, [size] * count, size * count, sequence, 0, injected=injected)


def subscriber(
    overflow: Overflow = Overflow.DROP_OLDEST,
    packets: int = 10,
    size: int = 10**6,
    direction: Direction = Direction.RECEIVED,
) -> Subscriber:
    """Make a subscriber that nothing wakes."""
    return Subscriber(
        direction=direction,
        overflow=overflow,
        limit_packets=packets,
        limit_bytes=size,
        wake=lambda: None,
    )


def sequences(bursts: list[Burst]) -> list[int]:
    """The numbers of all packets in these bursts."""
    return [n for b in bursts for n in range(b.sequence, b.sequence + len(b))]
