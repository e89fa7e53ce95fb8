"""A queue's bound bounds memory, whatever lies in it."""

from __future__ import annotations

import tracemalloc
from array import array

import pytest

from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.subscriber import Subscriber
from wintun_api.packet.block import Block

LIMIT = 4 << 20


def alone(number: int) -> Burst:
    """A packet in an object of its own."""
    return Burst([bytes(28)], [28], 28, number, number, injected=True)


def in_a_large_message(number: int) -> Burst:
    """A packet behind a batch header of 65,535 bytes."""
    block = Block(bytes(65535 + 30), array("H", [28]), 28, 65537).compact()
    return Burst(block, block.lengths, 28, number, number, injected=True)


@pytest.mark.parametrize("lengths", [[20, 30], [20_000, 30_000]])
def test_a_queued_burst_keeps_about_its_own_size(lengths: list[int]) -> None:
    """Room behind the packets that they were read into is given up before they are queued."""
    table, size = array("H", lengths), sum(lengths)
    packets = [bytes([number]) * length for number, length in enumerate(lengths)]
    block = Block(b"".join(packets) + bytes(196_608 - size), table, size)
    readers = [Subscriber(limit_packets=9, limit_bytes=LIMIT, wake=lambda: None) for _ in range(2)]
    burst = Burst(block, table, size, 0, 0, injected=False)
    for reader in readers:
        reader.offer(burst)
        assert reader.queued_bytes < 2 * size + 2000
        (taken,) = reader.take(LIMIT)
        assert taken is burst
        assert list(taken.packets) == packets


@pytest.mark.thorough
@pytest.mark.parametrize("make", [alone, in_a_large_message])
def test_small_bursts(make: object) -> None:
    """Many bursts of one small packet keep no more than the bound, forms included."""
    assert callable(make)
    reader = Subscriber(limit_packets=10**6, limit_bytes=LIMIT, wake=lambda: None)
    tracemalloc.start()
    try:
        for number in range(20_000):
            burst = make(10**6 + number)
            for form in (Form.BATCH, Form.BATCH_FRAME, Form.PCAPNG):
                burst.form(form, lambda one: bytes(10_000 + one.size))
            reader.offer(burst)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reader.queued_packets + reader.lost == 20_000
    assert kept < 1.5 * LIMIT
