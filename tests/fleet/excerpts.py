"""Messages of captures, as an agent publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wintun_api.capture import pcapng
from wintun_api.fleet.captures.excerpt import Position, begin
from wintun_api.packet import build

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
SESSION = "5f0c9d1e2b3a"


def packet(number: int, size: int = 0) -> bytes:
    """Return a packet that is told from others by its length, or by what is in it."""
    data = number.to_bytes(4, "big") + bytes(size)
    return build.udp("10.6.7.9", "10.6.7.7", 40000, 7, data)


def blocks(
    *numbers: int, at: int = START, injected: bool = False, dropped: int = 0, **more: Any
) -> bytes:
    """Return the blocks of packets, each a millisecond after the one before."""
    packets = [packet(one) for one in numbers]
    times = [1_000_000 * index for index in range(len(packets))]
    return pcapng.packets(
        packets,
        [len(one) for one in packets],
        at,
        injected=injected,
        times=times,
        dropped=dropped,
        **more,
    )


def message(
    *packets: bytes,
    name: str = "one",
    run: str = "r",
    number: int = 0,
    passed: int = 0,
    adapter: str = "Lab",
    offset_ns: int | None = 0,
    **more: Any,
) -> bytes:
    """Return a message with these blocks of packets."""
    position = Position(
        name=name,
        run=run,
        message=number,
        passed=passed,
        clock_offset_ns=offset_ns,
        clock_error_ns=None if offset_ns is None else 250_000,
    )
    return b"".join((begin(position), pcapng.interface(adapter, **more), *packets))


def numbers_of(packets: Sequence[bytes | None]) -> list[int]:
    """Return the numbers of packets."""
    return [int.from_bytes((one or b"")[28:32], "big") for one in packets]
