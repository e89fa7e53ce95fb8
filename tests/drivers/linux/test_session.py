"""drivers.linux.session: what happens to a device while somebody is attached to it."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_interface
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from tests.needs import need
from tests.waiting import let_pass
from wintun_api.drivers.base import ADAPTER_GONE, Adapter, Driver, LogLine, Session
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.drivers.linux.session import queue_length
from wintun_api.errors import AdapterNotFound, SessionEnded
from wintun_api.packet import build
from wintun_api.packet.block import Block

assert sys.platform != "win32"  # tests/drivers/conftest.py leaves it out there
pytestmark = kernel.needs_kernel

CAPACITY = 0x400000
OWN = "10.6.40.1"
PEER = "10.6.40.2"


@pytest.fixture
def adapter(driver: Driver) -> Adapter:
    """An adapter with an address and an MTU of 1420."""
    kernel.keep_quiet()
    adapter = driver.create_adapter("session", "Example")
    adapter.set_addresses([ip_interface(f"{OWN}/24")])
    adapter.set_mtu(1420)
    return adapter


@pytest.fixture
def session(adapter: Adapter) -> Iterator[Session]:
    """A running session, drained."""
    session = adapter.start_session(CAPACITY)
    drain(session)
    yield session
    session.end()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another network namespace, by the id of a process in it."""
    need("unshare", "nsenter", "ip")
    command = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield str(process.pid)
        process.kill()


def drain(session: Session) -> list[bytes]:
    packets: list[bytes] = []
    while more := session.receive_packets(64):
        packets += more
    return packets


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def datagrams(packets: Sequence[bytes]) -> list[int]:
    """Return the lengths of the datagrams among packets."""
    return [len(packet) for packet in packets if packet[0] >> 4 == 4 and packet[9] == 17]


def sizes(session: Session) -> list[int]:
    """Return the lengths of the datagrams that wait."""
    return datagrams(drain(session))


def test_numbers() -> None:
    """Queue lengths stay within their limits."""
    assert queue_length(0x400000, 1420) == 2945
    assert queue_length(0x20000, 65535) == 64
    assert queue_length(0x4000000, 576) == 65536


def test_large_packets_come_whole(adapter: Adapter, session: Session) -> None:
    """A packet of the largest MTU is received whole."""
    adapter.set_mtu(65535)
    kernel.host_sends(PEER, bytes(65507))
    assert sizes(session) == [65535]


def test_mtu_raised_from_outside(adapter: Adapter, session: Session) -> None:
    """However another program raises the MTU, every packet comes whole, the first one too."""
    assert adapter.info().mtu == 1420
    for mtu in (9000, 65535):
        kernel.ip("link", "set", "session", "mtu", str(mtu))
        for _ in range(500):
            kernel.host_sends(PEER, bytes(100))
            kernel.host_sends(PEER, bytes(8000))
        assert sizes(session) == [128, 8028] * 500
    assert session.truncated == 0


def test_mtu_raised_under_a_flood(adapter: Adapter, session: Session) -> None:
    """Packets that are sent while the MTU changes are received or counted, to the packet."""
    before = adapter.counters().received_dropped
    raised = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
            sender.connect((PEER, 9))
            while not raised.is_set():
                with suppress(OSError):
                    sender.send(bytes(8000))  # no fragments: refused until the MTU is there
                    sent.append(8028)

    sent: list[int] = []
    flooding = threading.Thread(target=send)
    flooding.start()
    received: list[int] = []
    try:
        kernel.ip("link", "set", "session", "mtu", "9000")
        while len(received) < 500:  # not until nothing waits: the flood may be too fast for this
            received += datagrams(session.receive_packets(64))
    finally:
        raised.set()
        flooding.join()
    received += sizes(session)
    assert set(received) == {8028}
    lost = adapter.counters().received_dropped - before
    assert len(received) + lost + session.truncated == len(sent)


def test_the_largest_mtu_is_read_whole(session: Session) -> None:
    """The kernel takes no MTU that is larger than what a read offers."""
    with pytest.raises(subprocess.CalledProcessError):
        kernel.ip("link", "set", "session", "mtu", "65536")


def test_moved_to_another_namespace(adapter: Adapter, session: Session, elsewhere: str) -> None:
    """A session goes on when its device is moved; the adapter is not found here, and says why."""
    kernel.ip("link", "set", "session", "netns", elsewhere)
    inside = ("nsenter", f"--target={elsewhere}", "--net", "ip")
    for arguments in (f"address add {OWN}/24 dev session", "link set session up"):
        subprocess.run([*inside, *arguments.split()], check=True)
    request = build.icmp_echo(PEER, OWN, identifier=4, sequence=2, data=b"moved")
    drain(session)
    assert session.send_packets([request]) == 1
    replies = [packet for packet in drain(session) if packet[0] == 0x45]
    assert [packet[20] for packet in replies] == [build.ECHO_REPLY]
    with pytest.raises(AdapterNotFound, match="another network namespace"):
        adapter.info()
    assert adapter.delete() is False
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    with pytest.raises(SessionEnded):
        session.send_packets([request])
    show = [*inside, "link", "show", "session"]
    assert subprocess.run(show, capture_output=True, check=False).returncode == 0
    session.end()
    assert subprocess.run(show, capture_output=True, check=False).returncode != 0


def test_moved_and_back(adapter: Adapter, elsewhere: str) -> None:
    """A device that comes back under another index is found by its GUID."""
    guid = adapter.info().guid
    kernel.ip("link", "set", "session", "netns", elsewhere)
    with pytest.raises(AdapterNotFound):
        adapter.info()
    back = Path("/proc/thread-self/ns/net")
    command = ["nsenter", f"--target={elsewhere}", "--net", "ip", "link", "set", "session"]
    with back.open() as here:
        subprocess.run(
            [*command, "netns", f"/proc/self/fd/{here.fileno()}"],
            check=True,
            pass_fds=[here.fileno()],
        )
    assert adapter.info().guid == guid


def test_deleted_from_outside(adapter: Adapter, session: Session) -> None:
    """Deleting the device wakes the reader, and every call says that the session has ended."""
    kernel.ip("link", "del", "session")
    descriptor = session.fileno()
    assert descriptor is not None
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(1000)
    assert session.wait_readable()
    for _ in range(2):
        with pytest.raises(SessionEnded) as ended:
            session.receive_packets(1)
        assert (ended.value.function, ended.value.domain) == ("read", "errno")
    with pytest.raises(SessionEnded):
        session.send_packets([build.udp(PEER, OWN, 1, 2, b"")])
    with pytest.raises(AdapterNotFound):
        adapter.delete()


@pytest.mark.parametrize("waiting", [False, True])
def test_deleted_with_a_queue(
    driver: Driver, adapter: Adapter, session: Session, *, waiting: bool
) -> None:
    """What waits in the queue of a device that is deleted is lost, and the log says so."""
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        for _ in range(200):
            host.sendto(b"", (PEER, 9))
    assert session.receive_packets(10)
    if not waiting:
        drain(session)
    kernel.ip("link", "del", "session")
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    told = [line for line in lines if "before its queue was completely read" in line.message]
    assert len(told) == waiting


def test_deleted_while_nobody_reads(driver: Driver, adapter: Adapter, session: Session) -> None:
    """What came since a pause began is lost, although the last read had emptied the queue."""
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    drain(session)
    session.pause()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.sendto(b"", (PEER, 9))
    kernel.ip("link", "del", "session")
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    assert any("before its queue was completely read" in line.message for line in lines)
    assert "waited in its queue were lost" in adapter.end_reason()


@pytest.mark.parametrize("count", [1, 3, 1000])
def test_link_set_down(driver: Driver, adapter: Adapter, session: Session, count: int) -> None:
    """While the link is down packets are taken and counted as refused; up again, they arrive."""
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    request = build.icmp_echo(PEER, OWN, identifier=1, sequence=1)
    kernel.ip("link", "set", "session", "down")
    assert session.send_packets([request] * count) == count
    assert session.refused == {"link_down": count}
    assert adapter.counters().sent_dropped == count
    assert session.send_packets(Block.of([request] * 3)) == 3
    assert session.refused == {"link_down": count + 3}
    kernel.ip("link", "set", "session", "up")
    drain(session)
    kept = session.refused
    assert session.send_packets([request]) == 1
    assert session.refused is kept
    assert any(packet[0] == 0x45 for packet in drain(session))
    session.end()
    assert session.refused == {"link_down": count + 3}
    messages = [line.message for line in lines]
    assert len(messages) == 3
    assert "link is set down" in messages[0]
    assert f"{count + 3} packets sent were refused" in messages[2]


def test_refused_packet_does_not_stop_the_rest(adapter: Adapter, session: Session) -> None:
    """A packet that is no IP is taken and counted as refused; the one after it arrives."""
    request = build.icmp_echo(PEER, OWN, identifier=1, sequence=1)
    assert session.send_packets([b"\x15" * 40, request, b"\x15" * 20]) == 3
    assert session.refused == {"host": 2}
    assert any(packet[0] == 0x45 for packet in drain(session))
    assert adapter.counters().sent_dropped == 2
    kernel.ip("link", "set", "session", "down")
    session.send_packets([request])
    assert session.refused == {"host": 2, "link_down": 1}


def test_counters_are_the_applications(adapter: Adapter, session: Session) -> None:
    """Received is what the host gave, sent what it took."""
    before = adapter.counters()
    for _ in range(3):
        kernel.host_sends(PEER, bytes(100))
    drain(session)  # the kernel counts what was read
    session.send_packets([build.udp(PEER, OWN, 1, 9, bytes(50))] * 2)
    after = adapter.counters()
    assert after.received_bytes - before.received_bytes >= 3 * 128
    assert after.sent_packets - before.sent_packets == 2
    assert after.sent_bytes - before.sent_bytes == 2 * 78


def test_full_queue_drops_and_counts(adapter: Adapter) -> None:
    """What the queue does not hold is lost and counted as received and dropped."""
    adapter.set_mtu(65535)
    session = adapter.start_session(0x20000)  # 64 packets
    drain(session)
    for _ in range(100):
        kernel.host_sends(PEER, b"flood")
    received = len(sizes(session))
    assert 0 < received < 100
    assert adapter.counters().received_dropped >= 100 - received
    session.end()


def test_interrupt_wakes_the_waiter(session: Session) -> None:
    """An interrupt from another thread ends the wait, and stays."""
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(session.wait_readable()))
    waiter.start()
    let_pass(0.02)  # it waits, or is about to
    session.interrupt()
    session.interrupt()
    waiter.join(30)
    assert answers == [False]
    assert session.wait_readable() is False


def test_packets_wake_the_waiter(session: Session) -> None:
    """Waiting packets make the session readable."""
    kernel.host_sends(PEER, b"wake up")
    assert session.wait_readable() is True


def test_end_closes_what_it_opened(adapter: Adapter) -> None:
    """A session leaves no descriptor behind."""
    before = descriptors()
    for _ in range(3):
        session = adapter.start_session(CAPACITY)
        session.interrupt()
        session.end()
    assert descriptors() == before
    with pytest.raises(SessionEnded) as ended:
        session.fileno()
    assert ended.value.failed is None  # the kernel was not asked


def test_session_outlives_its_handle(adapter: Adapter) -> None:
    """A session goes on when the adapter's handle is given back, as Wintun's does."""
    session = adapter.start_session(CAPACITY)
    adapter.close()
    drain(session)
    kernel.host_sends(PEER, bytes(100))
    assert sizes(session) == [128]
    LinuxDriver().open_adapter("session", "Example").delete(force=True)
    with pytest.raises(SessionEnded):
        drain(session)
    session.end()


@pytest.mark.parametrize("read", [0, 50, 300])
def test_a_queue_shortened_from_outside(
    driver: Driver, adapter: Adapter, session: Session, read: int
) -> None:
    """What vanishes when another program shortens the queue is counted, to the packet."""
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    before = adapter.counters().received_dropped
    host_floods(200)
    received = len(session.receive_packets(read)) if read else 0
    kernel.ip("link", "set", "session", "txqueuelen", "30")
    waiting = min(30, 200 - received)
    at_once = adapter.counters().received_dropped - before
    known = 0 if session.offload else 200 - received - waiting - 30
    assert known <= at_once <= 200 - received - waiting
    host_floods(40)
    received += len(drain(session))
    session.end()
    assert received + adapter.counters().received_dropped - before == 240
    told = [line for line in lines if "txqueuelen" in line.message]
    assert bool(told) is (read < 200)


def test_a_queue_that_is_lengthened(adapter: Adapter, session: Session) -> None:
    """Where nothing vanishes, nothing is counted."""
    before = adapter.counters().received_dropped
    host_floods(100)
    kernel.ip("link", "set", "session", "txqueuelen", "5000")
    host_floods(100)
    assert adapter.counters().received_dropped == before
    assert len(drain(session)) == 200
    session.end()
    assert adapter.counters().received_dropped == before


def test_another_qdisc(adapter: Adapter, session: Session) -> None:
    """One that counts from 0 does not cause anything to be counted that was not lost."""
    need("tc")
    before = adapter.counters().received_dropped
    for qdisc in ("pfifo", "noqueue", "pfifo_fast"):
        host_floods(50)
        assert adapter.counters().received_dropped == before
        subprocess.run(["tc", "qdisc", "replace", "dev", "session", "root", qdisc], check=True)
        host_floods(60)
        assert len(drain(session)) == 110
        assert adapter.counters().received_dropped == before
    session.end()
    assert adapter.counters().received_dropped == before


def test_the_end_of_a_device_says_what_was_lost(adapter: Adapter, session: Session) -> None:
    """What was seen to wait in its queue is counted; the reason says that there may be more."""
    before = adapter.counters().received_dropped
    host_floods(200)
    received = len(session.receive_packets(50))
    adapter.counters()
    kernel.ip("link", "del", "session")
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    assert received + adapter.counters().received_dropped - before == 200
    assert "waited in its queue were lost" in adapter.end_reason()
    session.end()


def test_the_end_of_an_empty_device_says_nothing(adapter: Adapter, session: Session) -> None:
    """Nothing waited, so nothing was lost."""
    drain(session)
    kernel.ip("link", "del", "session")
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    assert adapter.end_reason() == ADAPTER_GONE


def host_floods(count: int) -> None:
    """Let the host send so many packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        for _ in range(count):
            host.sendto(b"", (PEER, 9))
