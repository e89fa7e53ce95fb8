"""The packets of a ring: the same with ctypes and in C, over one library of C functions."""

from __future__ import annotations

import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from tests.drivers.wintun.c_ring import CAPACITY, EMPTY, FULL, CRing, build
from tests.extension import extension
from tests.needs import leave_out, need
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import SessionHandle
from wintun_api.drivers.wintun.bursts import (
    ENOUGH,
    MAX_COUNT,
    NativeCalls,
    PythonCalls,
    RingCalls,
    calls_of,
)
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.errors import DriverError, InvalidPacket, RingCorrupt, SessionEnded
from wintun_api.native import Speedups
from wintun_api.packet.block import Block

PACKETS = [b"one", b"second", b"3rd"]
# Plain, of 32 bits, as the HRESULT of 38 and of 5, and an NTSTATUS.
CODES = [0, 5, 13, 38, 87, 998, 0x80070026, 0x80070005, 0xC0000022]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library's file."""
    if sys.platform == "win32":
        leave_out("tests/windows has a library for Windows")
    need("gcc")
    return build(tmp_path_factory.mktemp("ring"))


@pytest.fixture
def ring(path: Path) -> Iterator[CRing]:
    """A library with a session; a test ends with nothing held and no wrong call."""
    ring = CRing(path)
    yield ring
    assert (ring.held, ring.misuse) == (0, 0)
    ring.close()


@pytest.fixture(params=["python", "native"])
def speedups(request: pytest.FixtureRequest) -> Speedups | None:
    """Both ways."""
    return None if request.param == "python" else extension()


@pytest.fixture
def calls(ring: CRing, speedups: Speedups | None) -> RingCalls:
    """The calls of the session, in both ways."""
    return calls_of(ring.library, ring.handle, speedups)


@pytest.fixture
def session(ring: CRing, calls: RingCalls) -> WintunSession:
    """The session, in both ways."""
    return WintunSession(ring.library, ring.handle, CAPACITY, calls)


# Which way is taken


def test_the_way_is_chosen_by_extension_and_library(ring: CRing) -> None:
    """C needs the extension, and functions that have an address for it."""
    emulated, handle = EmulatedLibrary(), SessionHandle(1)
    assert type(calls_of(emulated, handle, extension())) is PythonCalls
    assert type(calls_of(emulated, handle, None)) is PythonCalls
    assert type(calls_of(ring.library, ring.handle, None)) is PythonCalls
    assert type(calls_of(ring.library, ring.handle, extension())) is NativeCalls


# Receive


def test_receives_what_waits(ring: CRing, calls: RingCalls) -> None:
    """All that waits comes in order, with the number that says the ring is empty."""
    ring.put(*PACKETS)
    assert calls.receive(100) == (PACKETS, EMPTY)
    assert calls.receive(100) == ([], EMPTY)


def test_receives_up_to_the_limit(ring: CRing, calls: RingCalls) -> None:
    """A limit leaves the rest in the ring, and is no error."""
    ring.put(*PACKETS)
    assert calls.receive(2) == (PACKETS[:2], None)
    assert calls.receive(1) == (PACKETS[2:], None)
    assert calls.receive(0) == ([], None)


@pytest.mark.parametrize("count", [1, 3, MAX_COUNT + 1, 3000])
def test_stamps_say_when_each_packet_was_received(
    ring: CRing, calls: RingCalls, count: int
) -> None:
    """Each packet has its time, also where one call does not receive all of them."""
    packets = [number.to_bytes(20, "big") for number in range(count)]
    for _ in range(2):
        ring.put(*packets)
        begin = time.time_ns()
        received, stamps = calls.receive_stamped(count)
        assert received == (packets, None)
        assert stamps is not None
        assert len(stamps.times) == count
        assert list(stamps.times) == sorted(stamps.times)
        assert begin <= stamps.time_ns <= stamps.time_ns + stamps.times[-1] <= time.time_ns()
    assert calls.receive_stamped(10) == (([], EMPTY), None)


@pytest.mark.parametrize("count", [1, 2, MAX_COUNT - 1, MAX_COUNT, MAX_COUNT + 1, 5000])
def test_fewer_than_the_limit_mean_an_empty_ring(ring: CRing, calls: RingCalls, count: int) -> None:
    """As many as asked for come if they are there: after fewer, the ring's event is waited for."""
    packets = [number.to_bytes(20, "big") for number in range(count)]
    ring.put(*packets, b"behind")
    assert calls.receive(count) == (packets, None)
    assert calls.receive(count + 1) == ([b"behind"], EMPTY)


def test_receives_more_bytes_than_one_call_does(ring: CRing, calls: RingCalls) -> None:
    """A burst of the largest packets comes whole."""
    packets = [bytes([number]) * 65535 for number in range(3 * ENOUGH // 65535)]
    ring.put(*packets, *PACKETS)
    assert calls.receive(1000) == (packets + PACKETS, EMPTY)


def test_packets_of_every_size_go_around_the_ring(ring: CRing, calls: RingCalls) -> None:
    """Sizes from nothing to the largest come as they are, across the end of the ring too."""
    sizes = (0, 1, 2, 3, 4, 5, 92, 1420, 9000, 65534, 65535)
    for turn in range(60):
        packets = [bytes([turn + at]) * size for at, size in enumerate(sizes)]
        ring.put(*packets)
        assert calls.receive(100) == (packets, EMPTY)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_failure_comes_behind_the_packets(
    ring: CRing, calls: RingCalls, before: int, code: int
) -> None:
    """The number is that of the call, as it came, though every other call leaves rubbish."""
    ring.put(*PACKETS)
    ring.fail_receive(code, after=before)
    assert calls.receive(100) == (PACKETS[:before], code)
    assert calls.receive(100) == (PACKETS[before:], EMPTY)


@pytest.mark.parametrize("size", [65536, 0x20000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_size_that_no_packet_has_is_a_corrupt_ring(
    ring: CRing, calls: RingCalls, before: int, size: int
) -> None:
    """Nothing of such a packet is read; it is given back like all others."""
    ring.put(*PACKETS)
    ring.claim(size, after=before)
    assert calls.receive(100) == (PACKETS[:before], 13)
    assert ring.held == 0
    assert calls.receive(100) == (PACKETS[before + 1 :], EMPTY)


def test_a_packet_alone_comes_as_it_is(ring: CRing, calls: RingCalls) -> None:
    """It needs no object for a burst."""
    ring.put(b"one")
    packets, _ = calls.receive(100)
    assert type(packets) is list


def test_many_packets_come_in_one_piece(ring: CRing) -> None:
    """C code returns a block, with no more memory than its packets need."""
    calls = calls_of(ring.library, ring.handle, extension())
    ring.put(*PACKETS)
    packets, _ = calls.receive(100)
    assert isinstance(packets, Block)
    assert (packets.memory, packets.start) == (b"".join(PACKETS), 0)
    ring.put(b"later", b"packets")
    calls.receive(100)
    assert packets == PACKETS  # what comes later changes nothing


# A process that has 8 MiB left for 38 MiB of packets.
SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from tests.drivers.wintun.c_ring import CRing
from wintun_api.drivers.wintun.bursts import calls_of
from wintun_api.choices import Native
from wintun_api.native import speedups

ring = CRing(Path(sys.argv[1]), 0x4000000)
calls = calls_of(ring.library, ring.handle, speedups(Native(sys.argv[2])))
ring.put(*[bytes(65535)] * 600)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**23, resource.RLIM_INFINITY))
try:
    calls.receive(1000)
except MemoryError:
    print(ring.held, ring.misuse)
"""


@pytest.mark.parametrize("way", ["off", "auto"])
def test_a_lack_of_memory_keeps_no_packet(path: Path, way: str) -> None:
    """Packets for which there is no memory are given back to the ring, which goes on."""
    command = [sys.executable, "-c", SHORT_OF_MEMORY, str(path), way]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr) == ("0 0\n", "")


# Send


@pytest.mark.parametrize("kind", [list, tuple, Block.of])
def test_sends_in_order(ring: CRing, calls: RingCalls, kind: type[list[bytes]]) -> None:
    """Packets are sent one by one, whatever they lie in."""
    for packets in ([], PACKETS[:1], PACKETS, [b"", bytes(65535), b"x"]):
        assert calls.send(kind(packets)) == (len(packets), None)
        assert ring.take() == packets


def test_sends_a_part_of_a_piece(ring: CRing, calls: RingCalls) -> None:
    """Packets that begin within their memory are sent from there on."""
    lengths = Block.of(PACKETS).lengths
    block = Block(b"before" + b"".join(PACKETS) + b"behind", lengths, 12, start=6)
    assert calls.send(block) == (3, None)
    assert ring.take() == PACKETS


def test_sends_other_buffers(ring: CRing, calls: RingCalls) -> None:
    """A buffer that is not bytes is copied before its packet is allocated."""
    assert calls.send([bytearray(b"one"), memoryview(b"two")]) == (2, None)  # type: ignore[list-item]
    assert calls.send([memoryview(b"three")]) == (1, None)  # type: ignore[list-item]
    assert ring.take() == [b"one", b"two", b"three"]


@pytest.mark.parametrize("kind", [list, Block.of])
def test_sends_until_the_ring_is_full(
    ring: CRing, calls: RingCalls, kind: type[list[bytes]]
) -> None:
    """What found no room is not sent, nor is a smaller packet behind it."""
    packets = [bytes([number]) * 65535 for number in range(64)]
    assert calls.send(kind(packets)) == (63, FULL)
    assert calls.send(kind([bytes(65535), b"small"])) == (0, FULL)
    assert ring.take() == packets[:63]
    assert calls.send(kind(packets[63:])) == (1, None)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_failure_stops_sending(ring: CRing, calls: RingCalls, before: int, code: int) -> None:
    """The number is that of the call, and what was sent before it is counted."""
    ring.fail_allocate(code, after=before)
    assert calls.send(PACKETS) == (before, code)
    assert ring.take() == PACKETS[:before]


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("size", [65536, 70000, 2**20])
def test_a_packet_that_is_too_long_never_reaches_the_library(
    ring: CRing, calls: RingCalls, before: int, size: int
) -> None:
    """It is refused with all that were given beside it, so that none is sent twice."""
    with pytest.raises(InvalidPacket, match=f"{size} bytes are more than 65535"):
        calls.send([*PACKETS[:before], bytes(size), b"behind"])
    with pytest.raises(InvalidPacket):
        calls.send([bytes(size)])
    assert ring.allocations == 0


# The session


def test_packets_before_a_failure_are_delivered_first(ring: CRing, session: WintunSession) -> None:
    """The failure comes with the next call, once; then the ring is asked again."""
    ring.put(*PACKETS)
    ring.fail_receive(13, after=2)
    assert session.receive_packets(100) == PACKETS[:2]
    with pytest.raises(RingCorrupt) as caught:
        session.receive_packets(100)
    assert caught.value.code == 13
    assert session.receive_packets(100) == PACKETS[2:]
    assert session.receive_packets(100) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (13, RingCorrupt),
        (0x8007000D, RingCorrupt),
        (38, SessionEnded),
        (0x80070026, SessionEnded),
        (87, DriverError),
        (0, DriverError),
    ],
)
def test_what_a_failed_receive_means(
    ring: CRing, session: WintunSession, code: int, kind: type[DriverError]
) -> None:
    """The exception has the function, and the number as it came."""
    ring.fail_receive(code)
    with pytest.raises(kind) as caught:
        session.receive_packets(100)
    assert type(caught.value) is kind
    assert (caught.value.function, caught.value.code) == ("WintunReceivePacket", code)


@pytest.mark.parametrize("code", [259, 0x80070103])
def test_an_empty_ring_is_no_failure(ring: CRing, session: WintunSession, code: int) -> None:
    """In whatever form its number comes."""
    ring.fail_receive(code)
    assert session.receive_packets(100) == []
    ring.put(*PACKETS)
    ring.fail_receive(code, after=1)
    assert session.receive_packets(100) == PACKETS[:1]
    assert session.receive_packets(100) == PACKETS[1:]


@pytest.mark.parametrize("code", [111, 0x8007006F])
def test_a_full_ring_is_no_failure(ring: CRing, session: WintunSession, code: int) -> None:
    """In whatever form its number comes; what was not sent can be sent again."""
    ring.fail_allocate(code, after=1)
    assert session.send_packets(PACKETS) == 1
    assert session.send_packets(PACKETS[1:]) == 2
    assert ring.take() == PACKETS


@pytest.mark.parametrize(
    ("code", "kind"), [(38, SessionEnded), (0x80070026, SessionEnded), (87, DriverError)]
)
def test_packets_sent_before_a_failure_are_not_sent_again(
    ring: CRing, session: WintunSession, code: int, kind: type[DriverError]
) -> None:
    """Their number is returned, and the failure comes with the next call, which sends nothing."""
    ring.fail_allocate(code, after=2)
    assert session.send_packets(PACKETS) == 2
    with pytest.raises(kind) as caught:
        session.send_packets(PACKETS[2:])
    assert (caught.value.function, caught.value.code) == ("WintunAllocateSendPacket", code)
    assert session.send_packets(PACKETS[2:]) == 1
    assert ring.take() == PACKETS


def test_no_call_after_the_end(path: Path, speedups: Speedups | None) -> None:
    """A session that has ended does not touch its rings."""
    ring = CRing(path)
    calls = calls_of(ring.library, ring.handle, speedups)
    session = WintunSession(ring.library, ring.handle, CAPACITY, calls)
    session.end()  # frees them
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    with pytest.raises(SessionEnded):
        session.send_packets(PACKETS)
    assert ring.allocations == 0


# The C functions, where no twin has such arguments


Addresses = tuple[int, int, int, int]


def addresses(ring: CRing) -> tuple[Addresses, Addresses]:
    """The addresses that the two functions take."""
    at, handle = ring.packet_addresses, ring.handle.value or 0
    return (
        (at.receive, at.release, at.last_error, handle),
        (at.allocate, at.send, at.last_error, handle),
    )


@pytest.mark.parametrize("wrong", [-1, 2**63, 2**64, 2**200, None, "x", 1.5])
@pytest.mark.parametrize("which", range(4))
def test_what_is_no_address_is_refused(ring: CRing, wrong: object, which: int) -> None:
    """Nothing is called when one of the addresses cannot be one."""
    functions: list[Any] = [extension().receive_burst, extension().send_burst]
    lengths = array("H", [3])
    rest = [(1, 1, lengths, None), (b"one", 0, lengths)]
    ring.put(b"one")
    for function, right, behind in zip(functions, addresses(ring), rest, strict=True):
        given: list[object] = [*right]
        given[which] = wrong
        with pytest.raises((ValueError, TypeError, OverflowError)):
            function(*given, *behind)
    assert ring.allocations == 0


@pytest.mark.parametrize("which", range(4))
def test_no_address_is_zero(ring: CRing, which: int) -> None:
    """The message says what is wrong with a function or a session that is missing."""
    receiving, sending = ([*each] for each in addresses(ring))
    receiving[which] = sending[which] = 0
    functions: list[Any] = [extension().receive_burst, extension().send_burst]
    with pytest.raises(ValueError, match="0 is not an address"):
        functions[0](*receiving, 1, 1, array("H", [0]), None)
    with pytest.raises(ValueError, match="0 is not an address"):
        functions[1](*sending, b"one", 0, array("H", [3]))


def test_a_table_bounds_what_is_received(ring: CRing) -> None:
    """No more packets are received than the table has room for, whatever the limit is."""
    receiving, _ = addresses(ring)
    lengths = array("H", [0, 0])
    ring.put(*PACKETS)
    received = extension().receive_burst(*receiving, 1000, 1000, lengths, None)
    assert received == (b"onesecond", 2, 9, None, 0)
    assert lengths.tolist() == [3, 6]
    nothing = extension().receive_burst(*receiving, 1000, 1000, array("H"), None)
    assert nothing == (b"", 0, 0, None, 0)
    assert extension().receive_burst(*receiving, 9, 9, lengths, None) == (b"3rd", 1, 3, EMPTY, 0)


def test_enough_bytes_end_a_burst(ring: CRing) -> None:
    """The packet that makes it enough is the last one; not even one is enough for nothing."""
    receiving, _ = addresses(ring)
    receive = partial(extension().receive_burst, *receiving, 10)
    lengths = array("H", bytes(20))
    ring.put(*PACKETS)
    assert receive(0, lengths, None) == (b"", 0, 0, None, 0)
    assert receive(4, lengths, None) == (b"onesecond", 2, 9, None, 0)
    assert receive(4, lengths, None) == (b"3rd", 1, 3, EMPTY, 0)


@pytest.mark.parametrize("lengths", [[12, 1], [13], [65535] * 3, [6, 6, 1]])
@pytest.mark.parametrize("start", [0, 5, 12, 13, 2**40])
def test_lengths_beyond_the_memory_are_refused(ring: CRing, lengths: list[int], start: int) -> None:
    """Nothing is sent, not even the packets that lie within the memory."""
    _, sending = addresses(ring)
    with pytest.raises(ValueError, match="more than the memory"):
        extension().send_burst(*sending, bytes(12), start, array("H", lengths))
    assert ring.allocations == 0


def test_tables_at_odd_addresses(ring: CRing) -> None:
    """A table that does not begin at an even address is read and written right, or refused."""
    receiving, sending = addresses(ring)
    table: Any = memoryview(bytearray(7))[1:]
    ring.put(*PACKETS)
    try:
        extension().receive_burst(*receiving, 3, 100, table, None)
        assert extension().send_burst(*sending, b"onesecond3rd", 0, table) == (3, None)
        assert ring.take() == PACKETS
    except ValueError:
        assert extension().receive_burst(*receiving, 3, 100, array("H", bytes(6)), None)[1] == 3


def test_a_table_that_cannot_be_written_is_refused(ring: CRing) -> None:
    """Before anything is received."""
    receiving, _ = addresses(ring)
    ring.put(b"one")
    with pytest.raises(BufferError):
        extension().receive_burst(*receiving, 1, 1, cast(Any, bytes(2)), None)
    assert extension().receive_burst(*receiving, 1, 1, array("H", [0]), None)[0] == b"one"
