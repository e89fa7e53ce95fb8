"""Bursts of numbered packets, and subscribers that nothing wakes."""

from __future__ import annotations

from collections.abc import Callable

from wintun_api.choices import Direction, Overflow
from wintun_api.hub.burst import Burst
from wintun_api.hub.filters import Filter
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
    filter: Filter | None = None,  # noqa: A002 - the field's word
) -> Subscriber:
    """Make a subscriber that nothing wakes."""
    return Subscriber(
        direction=direction,
        filter=filter,
        overflow=overflow,
        limit_packets=packets,
        limit_bytes=size,
        wake=lambda: None,
    )


def sequences(bursts: list[Burst]) -> list[int]:
    """The numbers of all packets in these bursts."""
    return [burst.number(index) for burst in bursts for index in range(len(burst))]


def remainder_filter(divisor: int, wanted: int, *, match: bool = True) -> Filter:
    """Make a filter for packets whose first byte has this remainder, or has not."""

    def chooses(packet: bytes) -> bool:
        return (packet[0] % divisor == wanted) is match

    return ChoosingFilter(chooses)


class ChoosingFilter(Filter):
    """Choose packets with a function, where it does not matter how a filter is written."""

    def __init__(self, chooses: Callable[[bytes], bool]) -> None:
        self._chooses = chooses

    def matching(self, burst: Burst) -> Burst | None:
        """Choose."""
        indices = [index for index, packet in enumerate(burst.packets) if self._chooses(packet)]
        if len(indices) == burst.count:
            return burst
        return burst.chosen(indices) if indices else None
