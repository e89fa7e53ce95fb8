"""The calls of a device that passes super-packets: the same in Python and in C."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from array import array
from collections.abc import Iterator

import pytest

from tests.extension import extension
from tests.packet.splitter import VNET, Flow
from wintun_api.drivers.linux.calls import MAX_COUNT
from wintun_api.drivers.linux.segment_calls import (
    ALL_KINDS,
    TCP_KINDS,
    NativeSegmentCalls,
    PythonSegmentCalls,
    SegmentCalls,
)
from wintun_api.packet.block import Block
from wintun_api.packet.segments import PLAIN

assert sys.platform != "win32"  # tests/drivers/conftest.py leaves it out there

FLOW = Flow()
PACKETS = [b"one", b"second", b"3rd"]


@pytest.fixture(params=["python", "native"])
def calls(request: pytest.FixtureRequest) -> SegmentCalls:
    """Both kinds of calls."""
    if request.param == "python":
        return PythonSegmentCalls(ALL_KINDS)
    return NativeSegmentCalls(extension(), ALL_KINDS)


@pytest.fixture
def datagrams() -> Iterator[tuple[int, int]]:
    """Two descriptors that keep messages apart, as a TUN device does."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        for end in (one, other):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
            end.setblocking(False)
        yield one.fileno(), other.fileno()


def test_reads_super_packets_among_others(calls: SegmentCalls, datagrams: tuple[int, int]) -> None:
    """What waits comes in order, split, and what the kernel counts less is known."""
    near, far = datagrams
    payload = bytes(range(200)) * 40
    wanted = []
    for packet in PACKETS:
        os.write(far, PLAIN + packet)
        os.write(far, b"".join(FLOW.super_packet(payload, 1380)))
        wanted += [packet, *FLOW.segments(payload, 1380)]
    assert calls.read(near, 1000) == (wanted, errno.EAGAIN, 0)
    assert calls.merged == 3 * (len(FLOW.segments(payload, 1380)) - 1)
    assert calls.read(near, 1000) == ([], errno.EAGAIN, 0)


def test_segments_have_the_time_of_their_super_packet(
    calls: SegmentCalls, datagrams: tuple[int, int]
) -> None:
    """A super-packet is read once, so its segments have one time; others have their own."""
    near, far = datagrams
    large = FLOW.segments(bytes(1000), 100)
    for _ in range(2):
        os.write(far, PLAIN + b"one")
        os.write(far, b"".join(FLOW.super_packet(bytes(1000), 100)))
        os.write(far, PLAIN + b"two")
        begin = time.time_ns()
        read, stamps = calls.read_stamped(near, 1000)
        assert read == ([b"one", *large, b"two"], errno.EAGAIN, 0)
        assert stamps is not None
        times = list(stamps.times)
        assert len(times) == 2 + len(large)
        assert times == sorted(times)
        assert len(set(times[1:-1])) == 1
        assert begin <= stamps.time_ns <= stamps.time_ns + times[-1] <= time.time_ns()
    assert calls.merged == 2 * (len(large) - 1)
    assert calls.read_stamped(near, 1000) == (([], errno.EAGAIN, 0), None)


def test_only_the_last_super_packet_exceeds_the_limit(
    calls: SegmentCalls, datagrams: tuple[int, int]
) -> None:
    """A limit ends the reading behind the super-packet that reaches it."""
    near, far = datagrams
    for _ in range(3):
        os.write(far, b"".join(FLOW.super_packet(bytes(1000), 100)))
    assert len(calls.read(near, 11).packets) == 20
    assert len(calls.read(near, 1).packets) == 10
    assert calls.read(near, 1) == ([], errno.EAGAIN, 0)


@pytest.mark.parametrize("size", [1, 8, 48])
def test_tiny_segments_overflow_nothing(
    calls: SegmentCalls, datagrams: tuple[int, int], size: int
) -> None:
    """A super-packet becomes many times as large, behind others and before others."""
    near, far = datagrams
    payload = bytes(number * 3 & 0xFF for number in range(65535 - FLOW.header))
    large = b"".join(FLOW.super_packet(payload, size))
    for content in (PLAIN + bytes(60000), large, PLAIN + b"behind"):
        os.write(far, content)
    got: list[bytes] = []
    while packets := calls.read(near, MAX_COUNT).packets:
        got += packets
    assert (got[0], got[-1]) == (bytes(60000), b"behind")
    assert b"".join(packet[40:] for packet in got[1:-1]) == payload
    assert {len(packet) for packet in got[1:-2]} == {40 + size}


def test_many_large_ones_come_whole(calls: SegmentCalls, datagrams: tuple[int, int]) -> None:
    """Bursts end in time, and the next one goes on."""
    near, far = datagrams
    payload = bytes(65535 - FLOW.header)
    for number in range(12):
        flow = Flow(identification=number)
        os.write(far, b"".join(flow.super_packet(payload, 1380)))
    got: list[bytes] = []
    while packets := calls.read(near, 1000).packets:
        got += packets
    segments = FLOW.segments(payload, 1380)
    assert len(got) == 12 * len(segments)
    assert got[: len(segments)] == segments


def test_what_makes_no_sense_is_counted(calls: SegmentCalls, datagrams: tuple[int, int]) -> None:
    """A header that does not fit, a message without one, and one too large are left out."""
    near, far = datagrams
    bad = VNET.pack(1, 1, 40, 0, 20, 16) + FLOW.packet(bytes(300))
    for content in (PLAIN + b"one", bad, b"short", PLAIN + bytes(65536), PLAIN + b"two"):
        os.write(far, content)
    assert calls.read(near, 100) == ([b"one", b"two"], errno.EAGAIN, 3)
    assert calls.merged == 0


@pytest.mark.parametrize("kind", [list, Block.of])
def test_segments_are_written_as_one(
    calls: SegmentCalls, datagrams: tuple[int, int], kind: type[list[bytes]]
) -> None:
    """Consecutive segments become one message, and are counted as packets."""
    near, far = datagrams
    payload = bytes(range(250)) * 12
    packets = [b"one", *FLOW.segments(payload, 1000), b"two"]
    assert calls.write(far, kind(packets)) == (5, 0, 0, 0, 0)
    assert [os.read(near, 1 << 17) for _ in range(3)] == [
        PLAIN + b"one",
        b"".join(FLOW.super_packet(payload, 1000)),
        PLAIN + b"two",
    ]


def test_a_part_of_a_piece_is_written(calls: SegmentCalls, datagrams: tuple[int, int]) -> None:
    """Packets that begin within their memory are written from there on."""
    near, far = datagrams
    lengths = Block.of(PACKETS).lengths
    block = Block(b"before" + b"".join(PACKETS) + b"behind", lengths, 13, start=6)
    assert calls.write(far, block).taken == 3
    assert calls.read(near, 10).packets == PACKETS


def test_what_is_refused_as_one_is_written_apart(calls: SegmentCalls) -> None:
    """Where the whole is refused, each packet is tried, and only those refused again are."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16000)
        far.setblocking(False)
        packets = [*FLOW.segments(bytes(1000 * 44), 1000), bytes(60000), b"behind"]
        written = calls.write(far.fileno(), packets)
        assert written.refused <= 1
        taken = written.taken
        assert 0 < taken < 44
        assert written.failure == errno.EAGAIN
        for at in range(taken):
            assert near.recv(1 << 17) == PLAIN + packets[at]


def test_no_room_ends_it_before_the_whole(calls: SegmentCalls) -> None:
    """What does not fit as one counts as not taken, to the packet."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        far.setblocking(False)
        one = FLOW.segments(bytes(10000), 1000)
        packets = one * 200
        written = calls.write(far.fileno(), packets)
        assert written[1:] == (errno.EAGAIN, 0, 0, 0)
        assert 0 < written.taken < 2000
        assert written.taken % 10 == 0
        got = 0
        near.setblocking(False)
        while True:
            try:
                got += near.recv(1 << 17) == b"".join(FLOW.super_packet(bytes(10000), 1000))
            except BlockingIOError:
                break
        assert got * 10 == written.taken


def test_kinds_that_the_kernel_does_not_take(datagrams: tuple[int, int]) -> None:
    """Without UDP segmentation, datagrams are written one by one."""
    near, far = datagrams
    packets = Flow(protocol=17).segments(bytes(300), 100)
    for calls in (PythonSegmentCalls(TCP_KINDS), NativeSegmentCalls(extension(), TCP_KINDS)):
        assert calls.write(far, packets).taken == 3
        assert [os.read(near, 1000) for _ in range(3)] == [PLAIN + packet for packet in packets]


def test_a_failure_is_a_value(calls: SegmentCalls) -> None:
    """What the kernel refuses comes back as its number."""
    near, far = os.pipe()
    os.close(near)
    os.close(far)
    assert calls.read(near, 5) == ([], errno.EBADF, 0)
    assert calls.write(far, PACKETS) == (0, errno.EBADF, 0, 0, 0)


def test_too_small_a_table_is_an_error(datagrams: tuple[int, int]) -> None:
    """Nothing is written beyond the table of lengths."""
    with pytest.raises(ValueError, match="no room"):
        extension().read_segments(datagrams[0], 10, 1000, array("H", bytes(2 * 65535)), None)
    with pytest.raises(ValueError, match="more than the memory"):
        extension().write_segments(datagrams[1], b"abc", 1, array("H", [3]), 0)
