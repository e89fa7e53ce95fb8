from __future__ import annotations

import ctypes
import random

import pytest

from wintun_api.drivers.emulated.ring import (
    TERMINATED,
    ReceiveEnd,
    Ring,
    SendEnd,
    record_size,
)

CAPACITY = 0x20000


@pytest.fixture
def ring() -> Ring:
    return Ring(CAPACITY)


@pytest.mark.parametrize(
    ("capacity", "size"), [(0x20000, 0x3000C), (0x400000, 0x41000C), (0x800000, 0x81000C)]
)
def test_memory(capacity: int, size: int) -> None:
    """A ring is 12 bytes of head, the capacity and 64 KiB of slack."""
    assert len(Ring(capacity)) == size == capacity + 0x1000C


@pytest.mark.parametrize(("size", "record"), [(0, 4), (1, 8), (4, 8), (5, 12), (65535, 0x10004)])
def test_record_size(size: int, record: int) -> None:
    """A record is a 32-bit size and the packet, aligned to 4 bytes."""
    assert record_size(size) == record


@pytest.mark.parametrize(
    ("capacity", "size", "count"),
    [(0x400000, 1500, 2788), (0x20000, 1500, 87), (0x20000, 65535, 1), (0x20000, 20, 5461)],
)
def test_what_fits(capacity: int, size: int, count: int) -> None:
    """One unit stays free: capacity - 4 bytes can be used."""
    ring, packet = Ring(capacity), bytes(size)
    put = 0
    while ring.put(packet):
        put += 1
    assert put == count == (capacity - 4) // record_size(size)


def test_addresses_are_real(ring: Ring) -> None:
    """What the application gets is the address of the packet in memory."""
    ring.put(b"E" + bytes(19))
    address, size = ReceiveEnd(ring).receive()
    assert (address - ring.data, size) == (4, 20)
    assert ctypes.string_at(address, 1) == b"E"


def test_layout(ring: Ring) -> None:
    """Head, Tail, Alertable, then a record's size and bytes."""
    ring.put(b"\x45" + bytes(20))
    content = ctypes.string_at(ring.data - 12, 12 + 8)
    words = [int.from_bytes(content[at : at + 4], "little") for at in range(0, 20, 4)]
    assert words == [0, 28, 0, 21, 0x45]


def test_slack(ring: Ring) -> None:
    """A record that begins near the end runs on behind it instead of wrapping."""
    end = ReceiveEnd(ring)
    for size in (CAPACITY // 2 - 8, CAPACITY // 2 - 4):
        ring.put(bytes(size))
        address, _ = end.receive()
        end.release(address)
    packet = bytes(range(256)) * 16
    assert ring.words[0] == ring.words[1] == CAPACITY - 4
    assert ring.put(packet)
    address, size = end.receive()
    assert address == ring.data + CAPACITY
    assert ctypes.string_at(address, size) == packet
    assert ring.words[1] == record_size(len(packet)) - 4


def test_release_in_any_order(ring: Ring) -> None:
    """Head moves over the unbroken run of released records only."""
    end = ReceiveEnd(ring)
    for _ in range(3):
        ring.put(bytes(20))
    first, second, third = (end.receive()[0] for _ in range(3))
    assert end.release(second)
    assert ring.words[0] == 0
    assert end.release(first)
    assert ring.words[0] == 48
    assert end.release(third)
    assert ring.words[0] == ring.words[1] == 72


def test_a_kept_record_stalls(ring: Ring) -> None:
    """One record kept for ever lets the ring fill behind it."""
    end = ReceiveEnd(ring)
    ring.put(bytes(1500))
    kept, _ = end.receive()
    count = 0
    while ring.put(bytes(1500)):
        end.release(end.receive()[0])
        count += 1
    assert count == 86
    end.release(kept)
    assert ring.put(bytes(1500))


def test_release_only_what_is_held(ring: Ring) -> None:
    """A second release, and an address of nothing, are refused."""
    end = ReceiveEnd(ring)
    ring.put(bytes(20))
    address, _ = end.receive()
    assert not end.release(address + 4)
    assert end.release(address)
    assert not end.release(address)
    assert not end.release(0)


def test_send_order_is_that_of_allocating(ring: Ring) -> None:
    """Nothing passes a record that was allocated before and not sent."""
    end = SendEnd(ring)
    (first, _), (second, _) = end.allocate(4), end.allocate(4)
    ctypes.memmove(first, b"1111", 4)
    ctypes.memmove(second, b"2222", 4)
    assert end.send(second)
    assert ring.take() is None
    assert end.send(first)
    assert [ring.take(), ring.take(), ring.take()] == [b"1111", b"2222", None]


def test_send_only_what_was_allocated(ring: Ring) -> None:
    """A second send is refused."""
    end = SendEnd(ring)
    address, _ = end.allocate(20)
    assert end.send(address)
    assert not end.send(address)


def test_codes(ring: Ring) -> None:
    """259 for empty, 111 for full, 38 when the other side has gone, 13 for nonsense."""
    receive_end, send_end = ReceiveEnd(ring), SendEnd(Ring(CAPACITY))
    assert receive_end.receive() == (0, 259)
    assert send_end.allocate(65535)[0]
    assert send_end.allocate(65535)[0] == 0
    assert send_end.allocate(65535) == (0, 111)
    ring.corrupt()
    assert receive_end.receive() == (0, 13)
    ring.stop_producing()
    assert ring.words[1] == TERMINATED
    assert receive_end.receive() == (0, 38)
    ring.stop_consuming()
    assert SendEnd(ring).allocate(20) == (0, 38)
    assert not ring.put(bytes(20))
    assert ring.take() is None


def test_foreign_record(ring: Ring) -> None:
    """A record longer than what is in the ring stops the kernel's side."""
    end = SendEnd(ring)
    address, _ = end.allocate(20)
    end.send(address)
    ring.words[3] = 4000
    with pytest.raises(ValueError, match="4000"):
        ring.take()


@pytest.mark.parametrize("seed", range(5))
def test_against_a_queue(seed: int) -> None:
    """Through thousands of random operations both rings behave as plain queues."""
    choose = random.Random(seed)
    received, sent = Ring(CAPACITY), Ring(CAPACITY)
    receive_end, send_end = ReceiveEnd(received), SendEnd(sent)
    waiting: list[bytes] = []
    allocated: list[bytes] = []
    for _ in range(4000):
        packet = choose.randbytes(choose.choice((20, 40, 92, 1420, 9000)))
        if choose.random() < 0.52:
            if received.put(packet):
                waiting.append(packet)
            address, _ = send_end.allocate(len(packet))
            if address:
                ctypes.memmove(address, packet, len(packet))
                send_end.send(address)
                allocated.append(packet)
        else:
            address, size = receive_end.receive()
            if address:
                assert ctypes.string_at(address, size) == waiting.pop(0)
                receive_end.release(address)
            else:
                assert not waiting
            assert sent.take() == (allocated.pop(0) if allocated else None)
