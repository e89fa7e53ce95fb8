"""drivers.linux.session: what happens to a device while somebody is attached to it."""

from __future__ import annotations

import errno
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_interface
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from tests.needs import need
from wintun_api.drivers.base import Adapter, Driver, LogLine, Session
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.drivers.linux.session import queue_length
from wintun_api.errors import AdapterNotFound, SessionEnded
from wintun_api.packet import build
from wintun_api.packet.block import Block

pytestmark = kernel.needs_kernel

CAPACITY = 0x400000
OWN = "10.6.40.1"
PEER = "10.6.40.2"


@pytest.fixture
def adapter(driver: Driver) -> Adapter:
    """An adapter with an address and an MTU of 1420."""
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


def sizes(session: Session) -> list[int]:
    """Return the lengths of the datagrams that wait."""
    return [len(packet) for packet in drain(session) if packet[0] >> 4 == 4 and packet[9] == 17]


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
    kernel.ip("link", "set", "session", "mtu", "9000")
    received: list[int] = []
    while len(received) < 500:
        received += sizes(session)
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
    time.sleep(0.02)
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
    assert ended.value.code == errno.EBADF


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
