"""Bursts stay near their bounds, whatever comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from wintun_api.errors import DriverError
from wintun_api.hub.pump import BurstLimit, Pump


class Host:
    """A session in which the host has some packets ready; it never blocks."""

    capacity = 0x20000

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self._told = False
        self._quit = threading.Event()

    def fileno(self) -> None:
        """None: a thread waits, as on Windows."""

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """As many as are asked for."""
        taken, self._packets = self._packets[:limit], self._packets[limit:]
        return taken

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Take all."""
        return len(packets)

    def wait_readable(self) -> bool:
        """Tell once that packets wait."""
        if not self._told:
            self._told = True
            return True
        self._quit.wait()
        return False

    def interrupt(self) -> None:
        """End the wait."""
        self._quit.set()

    def end(self) -> None:
        """There is nothing to let go of."""


async def pumped(packets: list[bytes], limit: BurstLimit) -> list[list[bytes]]:
    """Return the bursts that a pump hands over."""
    host, bursts, done = Host(packets), list[list[bytes]](), asyncio.Event()

    def on_packets(burst: Sequence[bytes], lengths: Sequence[int], size: int) -> None:
        assert list(lengths) == [len(packet) for packet in burst]
        assert size == sum(lengths)
        bursts.append(list(burst))
        if sum(map(len, bursts)) == len(packets):
            done.set()

    def on_error(error: DriverError) -> None:
        raise error

    pump = Pump(host, "test", limit, on_packets, on_error)
    pump.start()
    await asyncio.wait_for(done.wait(), 10)
    await pump.stop()
    host.end()
    return bursts


@pytest.mark.parametrize(
    "sizes", [[1420] * 3000, [40] * 2000 + [9000] * 500, [40] * 1000 + [65532] * 40]
)
def test_bursts_stay_near_their_bytes(sizes: list[int]) -> None:
    """Large packets behind small ones, or from the start, make no burst of many times the limit."""
    limit = BurstLimit()
    packets = [number.to_bytes(4, "big") * (size // 4) for number, size in enumerate(sizes)]
    bursts = asyncio.run(pumped(packets, limit))
    assert [packet for burst in bursts for packet in burst] == packets
    assert max(sum(map(len, burst)) for burst in bursts) <= 2 * limit.size


def test_bursts_grow_to_their_packets() -> None:
    """Small packets come in bursts of as many as are allowed."""
    bursts = asyncio.run(pumped([bytes(40)] * 5000, BurstLimit(packets=1000)))
    assert max(map(len, bursts)) == 1000
