from __future__ import annotations

import threading

import pytest

from tests.waiting import let_pass
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.errors import (
    DriverError,
    InvalidPacket,
    RingCorrupt,
    SessionEnded,
    SessionExists,
)
from wintun_api.packet import build

REQUEST = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1)


def host_sends(library: EmulatedLibrary, count: int) -> None:
    for number in range(count):
        library.machine.host_sends("Demo", "10.6.7.8", b"%d" % number)


def test_wintuns_example(session: WintunSession) -> None:
    """The scenario of Wintun's own example: ping 10.6.7.7 from 10.6.7.8, and read the reply."""
    assert session.send_packets([REQUEST]) == 1
    assert session.wait_readable()
    assert session.receive_packets(8) == [build.echo_reply(REQUEST)]
    assert session.receive_packets(8) == []


def test_rings_wrap(session: WintunSession) -> None:
    """Packets of many sizes go around the rings many times and come back unharmed."""
    for number in range(1500):
        data = bytes((number,)) * (number % 1400) if number < 256 else bytes(number % 1400)
        request = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=number, data=data)
        assert session.send_packets([request]) == 1
        assert session.receive_packets(2) == [build.echo_reply(request)]


def test_largest_packet(session: WintunSession) -> None:
    """A packet of 65535 bytes passes both ways."""
    data = bytes(65535 - 28)
    request = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1, data=data)
    assert session.send_packets([request]) == 1
    assert session.receive_packets(1) == [build.echo_reply(request)]


def test_too_long(session: WintunSession) -> None:
    """A packet that would overrun the ring is refused before it is allocated."""
    with pytest.raises(InvalidPacket):
        session.send_packets([bytes(65536)])


def test_other_buffers(session: WintunSession) -> None:
    """A buffer that is not bytes is copied; it cannot fail between Allocate and Send."""
    assert session.send_packets([bytearray(REQUEST), memoryview(REQUEST)]) == 2  # type: ignore[list-item]
    assert len(session.receive_packets(4)) == 2


def test_ring_full(session: WintunSession, library: EmulatedLibrary) -> None:
    """A ring of 128 KiB takes 87 packets of 1500 bytes, then none; then what was taken passes."""
    packet = build.udp("10.6.7.8", "10.6.7.9", 1000, 9, bytes(1472))
    library.hold_consumer("Demo")
    assert session.send_packets([packet] * 100) == 0x1FFFC // 1504 == 87
    assert session.send_packets([packet]) == 0
    library.release_consumer("Demo")
    assert session.send_packets([packet] * 13) == 13


def test_overflow_is_counted(adapter: WintunAdapter, session: WintunSession) -> None:
    """Answers that find the ring to the application full are lost and counted."""
    packet = build.udp("10.6.7.8", "10.6.7.9", 1000, 9, bytes(1472))
    assert session.send_packets([packet] * 100) == 100
    counters = adapter.counters()
    assert (counters.received_packets, counters.received_dropped) == (87, 13)
    assert (counters.sent_packets, counters.sent_bytes) == (100, 150000)
    assert len(session.receive_packets(200)) == 87


def test_no_session_loses(adapter: WintunAdapter, library: EmulatedLibrary) -> None:
    """What the host sends without a session is lost and counted."""
    assert not library.machine.host_sends("Demo", "10.6.7.8")
    assert adapter.counters().received_dropped == 1


def test_drained_before_an_error(session: WintunSession, library: EmulatedLibrary) -> None:
    """Packets before a corrupt record are returned first; the next call raises."""
    host_sends(library, 3)
    library.corrupt_ring("Demo")
    assert len(session.receive_packets(10)) == 3
    with pytest.raises(RingCorrupt):
        session.receive_packets(10)
    with pytest.raises(RingCorrupt):
        session.receive_packets(10)


def test_restart_after_corruption(
    adapter: WintunAdapter, session: WintunSession, library: EmulatedLibrary
) -> None:
    """A new session after a corrupt ring works."""
    library.corrupt_ring("Demo")
    with pytest.raises(RingCorrupt):
        session.receive_packets(10)
    session.end()
    again = adapter.start_session(0x20000)
    host_sends(library, 1)
    assert len(again.receive_packets(10)) == 1
    again.end()


def test_removal_loses_what_is_queued(session: WintunSession, library: EmulatedLibrary) -> None:
    """When the adapter goes, both directions end at once, and a waiter wakes."""
    host_sends(library, 3)
    library.machine.remove("Demo")
    assert session.wait_readable()
    with pytest.raises(SessionEnded) as caught:
        session.receive_packets(10)
    assert caught.value.code == 38
    with pytest.raises(SessionEnded):
        session.send_packets([REQUEST])


@pytest.mark.parametrize("generation", [Generation.POOL], indirect=True)
def test_old_driver_stops_at_a_bad_packet(session: WintunSession) -> None:
    """Drivers before 0.14 stop the send side at a packet that is no IP; receiving goes on."""
    assert session.send_packets([b"\0" * 20]) == 1
    with pytest.raises(SessionEnded):
        session.send_packets([REQUEST])
    assert session.receive_packets(1) == []


@pytest.mark.parametrize("generation", [Generation.TUNNEL_TYPE], indirect=True)
def test_new_driver_skips_a_bad_packet(adapter: WintunAdapter, session: WintunSession) -> None:
    """The driver of 0.14 skips a packet that is no IP, and counts it."""
    assert session.send_packets([b"\0" * 20, b"\x60" + bytes(30), REQUEST]) == 3
    assert adapter.counters().sent_dropped == 2
    assert len(session.receive_packets(4)) == 1


def test_session_of_another_program(adapter: WintunAdapter, library: EmulatedLibrary) -> None:
    """An adapter has one session, machine-wide."""
    other = EmulatedLibrary(library.generation, library.machine)
    driver = WintunDriver(other)
    session = driver.open_adapter("Demo", "Example").start_session(0x20000)
    with pytest.raises(SessionExists) as caught:
        adapter.start_session(0x20000)
    assert caught.value.code == 1247
    session.end()
    adapter.start_session(0x20000).end()
    other.exit_process()


@pytest.mark.parametrize("code", [0, 5, 8, 87])
def test_start_fails(adapter: WintunAdapter, library: EmulatedLibrary, code: int) -> None:
    """A session that does not start leaves nothing behind."""
    library.fail_next("WintunStartSession", code)
    with pytest.raises(DriverError) as caught:
        adapter.start_session(0x20000)
    assert caught.value.code == code
    assert library.open_handles() == (1, 0)
    adapter.start_session(0x20000).end()


def test_receive_fails(session: WintunSession, library: EmulatedLibrary) -> None:
    """Any other error of the receive call is raised as it is."""
    library.fail_next("WintunReceivePacket", 998)
    with pytest.raises(DriverError) as caught:
        session.receive_packets(1)
    assert caught.value.code == 998


def test_waits_without_polling(session: WintunSession, library: EmulatedLibrary) -> None:
    """A waiter sleeps until a packet comes, then until it is interrupted."""
    woken: list[bool] = []
    step = threading.Event()

    def wait() -> None:
        woken.append(session.wait_readable())
        step.set()
        woken.append(session.wait_readable())

    waiter = threading.Thread(target=wait)
    waiter.start()
    host_sends(library, 1)
    assert step.wait(30)
    let_pass(0.02)
    assert woken == [True]
    session.interrupt()
    waiter.join(30)
    assert woken == [True, False]


def test_nothing_is_lost_between_threads(session: WintunSession) -> None:
    """A waiter and a drainer in two threads see every answer, in order."""
    readable = threading.Semaphore(0)

    def wait() -> None:
        while session.wait_readable():
            readable.release()

    waiter = threading.Thread(target=wait)
    waiter.start()
    numbers: list[int] = []
    for burst in range(100):
        requests = [
            build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=burst * 20 + number)
            for number in range(20)
        ]
        assert session.send_packets(requests) == 20
        while len(numbers) < 20 * (burst + 1):
            assert readable.acquire(timeout=30)
            while packets := session.receive_packets(7):
                numbers += [int.from_bytes(packet[26:28], "big") for packet in packets]
    assert numbers == list(range(2000))
    session.interrupt()
    waiter.join(30)
    assert not waiter.is_alive()


def test_interrupt_wins(session: WintunSession, library: EmulatedLibrary) -> None:
    """An interrupted session is not readable, whatever waits in it."""
    host_sends(library, 1)
    session.interrupt()
    assert session.wait_readable() is False
    assert len(session.receive_packets(1)) == 1


def test_one_signal_for_many(session: WintunSession, library: EmulatedLibrary) -> None:
    """The event says that the ring moved, not how often: a burst is drained, then waited for."""
    host_sends(library, 50)
    assert session.wait_readable()
    assert len(session.receive_packets(100)) == 50
    session.interrupt()
    assert session.wait_readable() is False


def test_end_gives_everything_back(adapter: WintunAdapter, library: EmulatedLibrary) -> None:
    """After the end neither handle nor event is left, and `wait_readable` says so."""
    session = adapter.start_session(0x20000)
    session.end()
    session.end()
    session.interrupt()
    assert library.open_handles() == (1, 0)
    with pytest.raises(SessionEnded):
        session.wait_readable()


def test_capacity_reaches_the_library(adapter: WintunAdapter, library: EmulatedLibrary) -> None:
    """The rings have the capacity that was asked for."""
    session = adapter.start_session(0x40000)
    link = library.machine.device("Demo").link
    assert link is not None
    assert link.received.capacity == link.sent.capacity == session.capacity == 0x40000
    session.end()


@pytest.mark.parametrize("code", [0, 5, 6, 14])
@pytest.mark.parametrize("function", ["WintunGetReadWaitEvent", "CreateEventW"])
def test_no_event(
    adapter: WintunAdapter, library: EmulatedLibrary, function: str, code: int
) -> None:
    """A session without one of its events is refused by that call's error, and leaves nothing."""
    events = library.machine.events
    library.fail_next("WintunOpenAdapter", 1168)  # a number that another call has left behind
    with pytest.raises(DriverError):
        library.functions["WintunOpenAdapter"](*["x"] * (1 + (library.generation == "pool")))
    before = len(events)
    library.fail_next(function, code)
    with pytest.raises(DriverError) as caught:
        adapter.start_session(0x20000)
    assert (caught.value.function, caught.value.code) == (function, code)
    assert library.open_handles() == (1, 0)
    assert len(events) == before
    adapter.start_session(0x20000).end()


def test_the_wait_fails(session: WintunSession, library: EmulatedLibrary) -> None:
    """A wait that fails raises; so does one that comes back with neither event."""
    library.fail_next("WaitForMultipleObjects", 6)
    with pytest.raises(DriverError, match="WaitForMultipleObjects: win32 error 6"):
        session.wait_readable()
    for result in (2, 0x80, 0x81, 258):
        library.answer_next_wait(result)
        with pytest.raises(DriverError) as caught:
            session.wait_readable()
        assert caught.value.code == result
    library.break_wait("Demo")
    with pytest.raises(DriverError, match="WaitForMultipleObjects"):
        session.wait_readable()


def test_the_quit_event_is_closed_after_a_failed_end(
    adapter: WintunAdapter, library: EmulatedLibrary
) -> None:
    """A handle that cannot be closed is told, after the session was ended."""
    session = adapter.start_session(0x20000)
    library.fail_next("CloseHandle", 6)
    with pytest.raises(DriverError, match="CloseHandle"):
        session.end()
    assert library.open_handles() == (1, 0)
    session.end()


def test_carried_codes_of_a_ring(session: WintunSession, library: EmulatedLibrary) -> None:
    """An empty and a full ring are no failures in whatever form their codes come."""
    packet = bytes([0x45]) + bytes(19)
    library.fail_next("WintunReceivePacket", 0x80070103)
    assert session.receive_packets(1) == []
    library.fail_next("WintunAllocateSendPacket", 0x8007006F)
    assert session.send_packets([packet]) == 0
    library.fail_next("WintunReceivePacket", 0x80070026)
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
