"""The calls for packets: the same in Python and in C."""

from __future__ import annotations

import errno
import os
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extension import extension
from wintun_api.drivers.linux.calls import NativeCalls, PacketCalls, PythonCalls
from wintun_api.packet.block import Block

assert sys.platform != "win32"  # tests/drivers/conftest.py leaves it out there

PACKETS = [b"one", b"second", b"3rd"]


@pytest.fixture(params=["python", "native"])
def calls(request: pytest.FixtureRequest) -> PacketCalls:
    """Both kinds of calls."""
    return PythonCalls() if request.param == "python" else NativeCalls(extension())


@pytest.fixture
def datagrams() -> Iterator[tuple[int, int]]:
    """Two descriptors that keep messages apart, as a TUN device does."""
    import socket

    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one.fileno(), other.fileno()


def test_reads_what_waits(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """All that waits is read, and EAGAIN says that there is no more."""
    near, far = datagrams
    for packet in PACKETS:
        os.write(far, packet)
    assert calls.read(near, 100) == (PACKETS, errno.EAGAIN, 0)
    assert calls.read(near, 100) == ([], errno.EAGAIN, 0)


def test_reads_up_to_the_limit(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """A limit leaves the rest where it is, and is no failure."""
    near, far = datagrams
    for packet in PACKETS:
        os.write(far, packet)
    assert calls.read(near, 2) == (PACKETS[:2], 0, 0)
    assert calls.read(near, 1) == (PACKETS[2:], 0, 0)


def test_reads_a_burst_larger_than_its_room(datagrams: tuple[int, int]) -> None:
    """What does not fit into one call comes with the next one, and nothing is cut."""
    near, far = datagrams
    calls = NativeCalls(extension())
    sent = [bytes([number]) * 60000 for number in range(3)]
    got: list[bytes] = []
    for _ in range(2):  # the first burst is read by Python
        for packet in sent:
            os.write(far, packet)
        while packets := calls.read(near, 100).packets:
            got += packets
    assert got == sent * 2


def test_packets_of_every_size_come_whole(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """A packet that is larger than all before it is not cut, up to the largest there can be."""
    near, far = datagrams
    sizes = (1, 1420, 1421, 2048, 9000, 100, 65535, 20)
    for start in range(len(sizes)):
        sent = [bytes([start]) * size for size in sizes[start:] + sizes[:start]]
        for at in range(0, len(sent), 2):
            for packet in sent[at : at + 2]:
                os.write(far, packet)
            got: list[bytes] = []
            while packets := calls.read(near, 100).packets:
                got += packets
            assert got == sent[at : at + 2]


def test_what_no_ip_packet_can_be_is_cut_and_counted(
    calls: PacketCalls, datagrams: tuple[int, int]
) -> None:
    """A message beyond 65,535 bytes is left out, and those around it come."""
    near, far = datagrams
    for _ in range(3):
        for size in (40, 65536, 70000, 50):
            os.write(far, bytes(size))
        assert calls.read(near, 100) == ([bytes(40), bytes(50)], errno.EAGAIN, 2)
    os.write(far, bytes(65536))
    assert calls.read(near, 1) == ([], 0, 1)


def test_stamps_say_when_each_packet_was_read(
    calls: PacketCalls, datagrams: tuple[int, int]
) -> None:
    """Packets that are left out have no time, and those around them keep theirs."""
    near, far = datagrams
    for _ in range(2):
        for size in (40, 65536, 50, 60):
            os.write(far, bytes(size))
        begin = time.time_ns()
        read, stamps = calls.read_stamped(near, 100)
        end = time.time_ns()
        assert read == ([bytes(40), bytes(50), bytes(60)], errno.EAGAIN, 1)
        assert stamps is not None
        assert len(stamps.times) == 3
        assert stamps.times[0] == 0
        assert list(stamps.times) == sorted(stamps.times)
        assert begin <= stamps.time_ns <= stamps.time_ns + stamps.times[-1] <= end
    assert calls.read_stamped(near, 100) == (([], errno.EAGAIN, 0), None)


@pytest.mark.parametrize("kind", [list, Block.of])
def test_writes_one_by_one(
    calls: PacketCalls, datagrams: tuple[int, int], kind: type[list[bytes]]
) -> None:
    """Packets are written one by one, whatever they lie in."""
    near, far = datagrams
    assert calls.write(far, kind(PACKETS)) == (3, 0, 0, 0, 0)
    assert calls.read(near, 10).packets == PACKETS


def test_writes_a_part_of_a_piece(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """Packets that begin within their memory are written from there on."""
    near, far = datagrams
    lengths = Block.of(PACKETS).lengths
    block = Block(b"before" + b"".join(PACKETS) + b"behind", lengths, 13, start=6)
    assert calls.write(far, block).taken == 3
    assert calls.read(near, 10).packets == PACKETS


def test_writes_until_there_is_no_room(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """The first packet that is not taken ends it, and says why."""
    _, far = datagrams
    packets = [bytes(1000)] * 2000
    written = calls.write(far, packets)
    assert 0 < written.taken < 2000
    assert written[1:] == (errno.EAGAIN, 0, 0, 0)


@pytest.mark.parametrize("kind", [list, Block.of])
def test_no_packet_overtakes_one_that_waits(calls: PacketCalls, kind: type[list[bytes]]) -> None:
    """Where a large packet finds no room, a small one behind it that would fit waits too."""
    near, far = os.pipe()
    os.set_blocking(far, False)
    try:
        room = 0
        while True:
            try:
                room += os.write(far, bytes(4096))
            except BlockingIOError:
                break
        os.read(near, 4096)
        os.write(far, bytes(4000))  # 96 bytes more fit behind them
        assert calls.write(far, kind([bytes(1000), bytes(10), bytes(20)])) == (
            (0, errno.EAGAIN, 0, 0, 0)
        )
        assert calls.write(far, kind([bytes(10), bytes(1000), bytes(20)])) == (
            (1, errno.EAGAIN, 0, 0, 0)
        )
        os.set_blocking(near, False)
        waiting = 0
        while waiting < room - 4096 + 4010:
            waiting += len(os.read(near, 4096))
        with pytest.raises(BlockingIOError):
            os.read(near, 1)
    finally:
        os.close(near)
        os.close(far)


@pytest.mark.parametrize("kind", [list, Block.of])
def test_a_refused_packet_stops_none(
    calls: PacketCalls, datagrams: tuple[int, int], kind: type[list[bytes]]
) -> None:
    """What can never be written is counted as refused, and what is behind it is written."""
    import socket

    near, far = datagrams
    with socket.socket(fileno=os.dup(far)) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    packets = [bytes(60000), *PACKETS, bytes(60000)]
    assert calls.write(far, kind(packets)) == (5, 0, 0, 2, errno.EMSGSIZE)
    assert calls.read(near, 10).packets == PACKETS


def test_a_failure_is_a_value(calls: PacketCalls, tmp_path: Path) -> None:
    """What the kernel refuses comes back as its number."""
    (tmp_path / "file").write_bytes(b"x")
    descriptor = os.open(tmp_path / "file", os.O_WRONLY)
    assert calls.read(descriptor, 1) == ([], errno.EBADF, 0)
    os.close(descriptor)
    assert calls.write(descriptor, PACKETS) == (0, errno.EBADF, 0, 0, 0)


def test_a_failure_behind_a_burst_is_a_value() -> None:
    """A foreign call that reads nothing at all gives no packets and the error."""
    near, far = os.pipe()
    calls = NativeCalls(extension())
    os.write(far, b"xx")
    os.set_blocking(near, False)
    os.close(far)
    calls.read(near, 2)  # the end of a pipe reads as many empty packets
    os.close(near)
    assert calls.read(near, 2) == ([], errno.EBADF, 0)


def test_many_packets_come_in_one_piece(datagrams: tuple[int, int]) -> None:
    """Behind a first burst the next ones lie in one piece, and hold no more room than they need."""
    near, far = datagrams
    calls = NativeCalls(extension())
    for _ in range(2):
        for packet in PACKETS:
            os.write(far, packet)
        packets = calls.read(near, 512).packets
        assert packets == PACKETS
    assert isinstance(packets, Block)
    assert packets.memory == b"".join(PACKETS)  # no room that they do not need


def test_a_packet_alone_keeps_no_more_memory_than_it_needs(datagrams: tuple[int, int]) -> None:
    """At a low rate packets lie in memory of their own size, from the first one on."""
    near, far = datagrams
    calls = NativeCalls(extension())
    for _ in range(3):
        os.write(far, b"one")
        packets, failure, cut = calls.read(near, 512)
        assert (packets, failure, cut) == ([b"one"], errno.EAGAIN, 0)
        assert isinstance(packets, Block)
        assert packets.memory == b"one"


def test_a_table_of_times_bounds_what_is_read(datagrams: tuple[int, int]) -> None:
    """No more packets are read in C than there is room for their times."""
    near, far = datagrams
    for packet in PACKETS:
        os.write(far, packet)
    lengths, times = array("H", bytes(20)), array("I", [7] * 2)
    read = extension().read_burst(near, 10, 1000, lengths, times)
    assert (read[1], read[3], times[0]) == (2, 0, 0)
    assert extension().read_burst(near, 10, 1000, lengths, array("I")) == (b"", 0, 0, 0, 0, 0)
