"""Segmentation offload of kernel devices: real traffic, and what is left on a device."""

from __future__ import annotations

import array
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_interface
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from tests.drivers.linux.conftest import WAYS
from tests.extension import extension
from tests.needs import need, needs
from tests.packet.splitter import Flow
from wintun_api.choices import Native, Offload
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Adapter, Driver, LogLine, Session
from wintun_api.drivers.linux import tun
from wintun_api.errors import DriverError
from wintun_api.packet import build
from wintun_api.settings import Settings

assert sys.platform != "win32"  # tests/drivers/conftest.py leaves it out there
pytestmark = kernel.needs_kernel

CAPACITY = 0x400000
OWN, PEER = "10.6.43.1", "10.6.43.2"
OWN6, PEER6 = "fd06:43::1", "fd06:43::2"
UDP_SEGMENT, SOL_UDP = 103, 17
LINKTYPE_RAW = 101
ETHTOOL_GTXCSUM, ETHTOOL_GTSO = 0x16, 0x1E
BULK = 3_000_000
# Text, because Wireshark takes some random data for protocols that it then finds broken.
DATA = b"".join(b"%08d" % number for number in range(1 << 17))


def offloads(device: str) -> tuple[bool, bool]:
    """Return whether a device leaves checksums and TCP segments to others (ethtool.h)."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        for command in (ETHTOOL_GTXCSUM, ETHTOOL_GTSO):
            value = array.array("I", (command, 0))
            request = struct.pack("@16sP16x", device.encode(), value.buffer_info()[0])
            fcntl.ioctl(anything, tun.SIOCETHTOOL, request)
            found.append(bool(value[1]))
    return found[0], found[1]


def drain(session: Session) -> list[bytes]:
    packets: list[bytes] = []
    while more := session.receive_packets(64):
        packets += more
    return packets


def of_protocol(packets: list[bytes], protocol: int) -> list[bytes]:
    return [packet for packet in packets if packet[0] >> 4 == 4 and packet[9] == protocol]


@pytest.fixture
def adapter(driver: Driver) -> Adapter:
    """An adapter to which the kernel sends nothing by itself."""
    kernel.keep_quiet()
    adapter = driver.create_adapter("offload", "Example")
    adapter.set_mtu(1420)
    adapter.set_addresses([ip_interface(f"{OWN}/24")])
    return adapter


def send_segmented(count: int, size: int = 1000) -> bytes:
    """Let the host send datagrams in one call; return the data of all."""
    data = os.urandom(count * size)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        sender.sendto(data, (PEER, 9))
    return data


@pytest.mark.parametrize("offload", [False, True])
def test_datagrams_sent_as_one_arrive_as_many(adapter: Adapter, *, offload: bool) -> None:
    """A client sees the same packets with offload and without."""
    session = adapter.start_session(CAPACITY, offload=offload)
    assert session.offload is offload
    data = send_segmented(40)
    packets = of_protocol(drain(session), build.UDP)
    assert [len(packet) for packet in packets] == [1028] * 40
    assert b"".join(packet[28:] for packet in packets) == data
    for number, packet in enumerate(packets):
        ports = tuple(int.from_bytes(packet[at : at + 2], "big") for at in (20, 22))
        flow = Flow(
            OWN,
            PEER,
            protocol=17,
            ports=(ports[0], ports[1]),
            identification=int.from_bytes(packets[0][4:6], "big") + number,
            fragment=int.from_bytes(packet[6:8], "big"),
        )
        assert packet == flow.packet(packet[28:])
    assert session.merged == (39 if offload else 0)
    session.end()


def test_the_driver_says_how_it_was_told(
    driver: Driver, adapter: Adapter, packet_calls: Settings
) -> None:
    """Without a word of the session the setting decides, and the log says which it is."""
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    session = adapter.start_session(CAPACITY)
    assert session.offload is (packet_calls.offload is Offload.ON)
    assert ("segmentation offload" in lines[-1].message) is session.offload
    session.end()


def test_a_session_leaves_nothing_behind(adapter: Adapter) -> None:
    """While it runs the host leaves work to it; afterwards the device is as before."""
    assert offloads("offload") == (False, False)
    session = adapter.start_session(CAPACITY, offload=True)
    assert offloads("offload") == (True, True)
    session.end()
    assert offloads("offload") == (False, False)


def left_by_a_killed_session() -> None:
    """Leave the device as a program does that is killed."""
    descriptor, _ = tun.attach("offload", headers=True)
    tun.begin_offload(descriptor)
    os.close(descriptor)
    assert offloads("offload") == (True, True)


@pytest.mark.parametrize("offload", [False, True])
def test_what_a_killed_session_left_is_undone(adapter: Adapter, *, offload: bool) -> None:
    """The next session gets packets as it wants them, and opening the adapter is enough."""
    left_by_a_killed_session()
    session = adapter.start_session(CAPACITY, offload=offload)
    assert offloads("offload") == (offload, offload)
    send_segmented(40)
    assert [len(packet) for packet in of_protocol(drain(session), 17)] == [1028] * 40
    session.end()


def test_opening_undoes_it_too(driver: Driver, adapter: Adapter) -> None:
    """A service that starts again and opens its adapters leaves them usable by others."""
    left_by_a_killed_session()
    driver.open_adapter("offload", "Example")
    assert offloads("offload") == (False, False)


def test_another_programs_session_keeps_its_offload(driver: Driver, adapter: Adapter) -> None:
    """The features of a device that another program uses are left alone."""
    descriptor, _ = tun.attach("offload", headers=True)
    try:
        tun.begin_offload(descriptor)
        driver.open_adapter("offload", "Example")
        with pytest.raises(DriverError):
            adapter.start_session(CAPACITY)
        assert offloads("offload") == (True, True)
    finally:
        os.close(descriptor)


def test_another_program_reads_plain_packets_afterwards(adapter: Adapter) -> None:
    """A program that knows nothing of offload finds the device as any other."""
    adapter.start_session(CAPACITY, offload=True).end()
    descriptor, _ = tun.attach("offload")
    try:
        send_segmented(5)
        packets = []
        while select.select([descriptor], [], [], 0.5)[0]:
            packets.append(os.read(descriptor, 65535))
        assert [len(packet) for packet in of_protocol(packets, 17)] == [1028] * 5
    finally:
        os.close(descriptor)


def test_a_kernel_that_refuses(
    adapter: Adapter, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel has no offload a session runs without, and says so."""
    monkeypatch.setattr(tun, "TUNSETVNETHDRSZ", tun.TUNSETIFF)  # refused on an attached device
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    session = adapter.start_session(CAPACITY, offload=True)
    assert not session.offload
    assert any("runs without segmentation offload" in line.message for line in lines)
    send_segmented(3)
    assert [len(packet) for packet in of_protocol(drain(session), 17)] == [1028] * 3
    session.end()
    assert offloads("offload") == (False, False)


def test_without_segments_of_udp(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel before 6.2 segments datagrams by itself; the rest is as usual."""
    monkeypatch.setattr(tun, "OFFLOADS", tun.OFFLOADS[1:])
    session = adapter.start_session(CAPACITY, offload=True)
    assert session.offload
    send_segmented(3)
    assert [len(packet) for packet in of_protocol(drain(session), 17)] == [1028] * 3
    assert session.merged == 0
    assert session.send_packets(Flow(PEER, OWN, protocol=17).segments(bytes(3000), 1000)) == 3
    assert session.refused == {}
    session.end()


@needs("ip")
@pytest.mark.parametrize("link", ["down", "up"])
def test_refusals_count_packets(adapter: Adapter, link: str) -> None:
    """A super-packet that the host refuses counts as its packets."""
    session = adapter.start_session(CAPACITY, offload=True)
    packets = Flow(PEER, OWN).segments(bytes(44000), 1000)
    kernel.ip("link", "set", "offload", link)
    assert session.send_packets([*packets, b"\x15" * 40]) == 45
    wanted = {"link_down": 44, "host": 1} if link == "down" else {"host": 1}
    assert session.refused == wanted
    session.end()


@pytest.mark.parametrize("protocol", [6, 17])
def test_a_wrong_checksum_reaches_the_host_wrong(adapter: Adapter, protocol: int) -> None:
    """Nothing mends a packet on its way: the host refuses it itself."""
    session = adapter.start_session(CAPACITY, offload=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((OWN, 4321))
        receiver.setblocking(False)
        flow = Flow(PEER, OWN, protocol=17, ports=(5000, 4321))
        packets = flow.segments(os.urandom(3000), 1000)
        packets[1] = packets[1][:-1] + bytes((packets[1][-1] ^ 1,))
        assert session.send_packets(packets) == 3
        got = []
        with suppress(BlockingIOError):
            while True:
                got.append(receiver.recv(2000))
        assert got == [packets[0][28:], packets[2][28:]]
    assert protocol
    session.end()


def test_lost_super_packets_are_counted_as_their_packets(adapter: Adapter) -> None:
    """Every datagram is received or counted as lost at the end, whatever it was a part of."""
    adapter.set_mtu(1420)
    before = adapter.counters()
    session = adapter.start_session(0x20000, offload=True)  # 91 packets
    for _ in range(200):
        send_segmented(40)
    received = len(session.receive_packets(50))
    session.end()
    after = adapter.counters()
    given = after.received_packets - before.received_packets + session.merged
    lost = after.received_dropped - before.received_dropped
    assert given + lost == 200 * 40
    assert received < given


class Bridge:
    """Pass packets between two sessions until it is stopped, and keep them if told so."""

    def __init__(self, one: Session, other: Session, *, keep: bool) -> None:
        self.kept: list[bytes] = []
        self._keep = keep
        pairs = ((one, other), (other, one))
        self._ends = {source.fileno() or 0: (source, target) for source, target in pairs}
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._stop, *self._ends], [], [], 60)
            if self._stop in ready or not ready:
                return
            for descriptor in ready:
                source, target = self._ends[descriptor]
                packets = source.receive_packets(1024)
                if packets:
                    target.send_packets(packets)
                if self._keep:
                    self.kept += packets

    def stop(self) -> None:
        os.write(self._stopped, b"x")
        self._thread.join(30)
        os.close(self._stop)
        os.close(self._stopped)


class Hosts:
    """Two namespaces whose adapters are joined."""

    def __init__(self, namespaces: list[int], sessions: list[Session], bridge: Bridge) -> None:
        self.namespaces = namespaces
        self.sessions = sessions
        self.bridge = bridge

    def socket_in(self, number: int, family: int, kind: int) -> socket.socket:
        with kernel.inside(self.namespaces[number]):
            made = socket.socket(family, kind)
        made.settimeout(30)
        return made


@contextmanager
def joined(native: Native, offload: tuple[bool, bool], *, keep: bool) -> Iterator[Hosts]:
    """Join two hosts by two sessions of the driver."""
    with ExitStack() as stack:
        namespaces, sessions = [], []
        for number, wanted in enumerate(offload):
            stack.enter_context(kernel.namespace())
            handle = Path("/proc/thread-self/ns/net").open()  # noqa: SIM115
            namespaces.append(stack.enter_context(handle).fileno())
            driver = open_driver("linux", Settings.load(native=native))
            stack.callback(driver.close)
            adapter = driver.create_adapter(f"end{number}", "Example")
            adapter.set_mtu(1420)
            ends = ((OWN, OWN6), (PEER, PEER6))[number]
            adapter.set_addresses([ip_interface(f"{ends[0]}/24"), ip_interface(f"{ends[1]}/64")])
            session = adapter.start_session(CAPACITY, offload=wanted)
            stack.callback(session.end)
            sessions.append(session)
        bridge = Bridge(*sessions, keep=keep)
        try:
            yield Hosts(namespaces, sessions, bridge)
        finally:
            bridge.stop()


def transfer(hosts: Hosts, family: int, sender: int, size: int) -> None:
    """Send data over TCP from one host to the other and compare it."""
    addresses = (OWN, PEER) if family == socket.AF_INET else (OWN6, PEER6)
    data = DATA * (size >> 20) + DATA[: size & 0xFFFFF]
    with (
        hosts.socket_in(1 - sender, family, socket.SOCK_STREAM) as listener,
        hosts.socket_in(sender, family, socket.SOCK_STREAM) as source,
    ):
        listener.bind((addresses[1 - sender], 0))
        listener.listen()
        source.connect(listener.getsockname()[:2])
        target, _ = listener.accept()
        target.settimeout(30)

        def send() -> None:
            source.sendall(data)
            source.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=send)
        writer.start()
        got = bytearray()
        with target:
            while more := target.recv(1 << 20):
                got += more
        writer.join(30)
    assert got == data


@pytest.mark.parametrize("offload", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("native", list(Native))
def test_tcp_both_ways(native: Native, offload: tuple[bool, bool]) -> None:
    """Data arrives whole, whichever side has offload."""
    if native is Native.AUTO:
        extension()
    with joined(native, offload, keep=False) as hosts:
        for family in (socket.AF_INET, socket.AF_INET6):
            for sender in (0, 1):
                transfer(hosts, family, sender, BULK)
        for session, wanted in zip(hosts.sessions, offload, strict=True):
            assert bool(session.merged) is wanted
            assert session.refused == {}
            assert session.truncated == 0


def mixed(hosts: Hosts, size: int) -> None:
    """Let the hosts exchange traffic of every kind."""
    for family in (socket.AF_INET, socket.AF_INET6):
        ends = (OWN, PEER) if family == socket.AF_INET else (OWN6, PEER6)
        for sender in (0, 1):
            transfer(hosts, family, sender, size)
            transfer(hosts, family, sender, 10)
        with (
            hosts.socket_in(0, family, socket.SOCK_DGRAM) as source,
            hosts.socket_in(1, family, socket.SOCK_DGRAM) as target,
        ):
            target.bind((ends[1], 5002))
            target.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
            source.connect((ends[1], 5002))
            for payload in (b"", b"x", DATA[:1300], DATA[:5000]):  # the last: fragments
                source.send(payload)
                assert target.recv(65535) == payload
            source.setsockopt(SOL_UDP, UDP_SEGMENT, 1200)
            data = DATA[: 1200 * 20 + 7]
            for _ in range(max(1, size // 1_000_000)):
                source.send(data)
                assert b"".join(target.recv(65535) for _ in range(21)) == data
    with kernel.inside(hosts.namespaces[0]):
        for address in (PEER, PEER6):
            command = ["ping", "-c", "3", "-i", "0.01", "-s", "3000", address]
            subprocess.run(command, check=True, capture_output=True, timeout=60)


def judged(path: Path, packets: list[bytes]) -> list[str]:
    """Return what Wireshark finds wrong with packets."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
        for number, packet in enumerate(packets):
            head = struct.pack("<IIII", number // 1000, number % 1000, len(packet), len(packet))
            file.write(head + packet)
    wrong = (
        "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || "
        "icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || _ws.malformed || "
        "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || ip.bogus_ip_length || "
        "udp.length.bad || _ws.expert.severity == 8388608"
    )
    command = ["tshark", "-n", "-r", str(path), "-Y", wrong]
    for protocol in ("ip", "tcp", "udp"):
        command += ["-o", f"{protocol}.check_checksum:TRUE"]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={"HOME": str(path.parent), "PATH": "/usr/bin:/bin"},
        timeout=900,
    )
    return done.stdout.splitlines()


def check_mixed(path: Path, size: int) -> int:
    need("tshark", "ping")
    extension()
    with joined(Native.AUTO, (True, True), keep=True) as hosts:
        mixed(hosts, size)
    packets = hosts.bridge.kept
    assert max(map(len, packets)) <= 1420
    assert judged(path / "mixed.pcap", packets) == []
    # The judge finds what is wrong.
    at = next(at for at, packet in enumerate(packets) if len(packet) == 1420)
    damaged = packets[at][:-1] + bytes((packets[at][-1] ^ 1,))
    assert len(judged(path / "damaged.pcap", [*packets[:at], damaged])) == 1
    return len(packets)


def test_wireshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """Checksums, lengths and sequences of mixed traffic are as on a network."""
    assert check_mixed(tmp_path, 2_000_000) > 5000


@pytest.mark.heavy
def test_wireshark_finds_nothing_wrong_in_many(tmp_path: Path) -> None:
    """The same with 200,000 packets; a million take five times as many bytes, and three minutes."""
    assert check_mixed(tmp_path, 35_000_000) + check_mixed(tmp_path, 35_000_000) > 200_000


def test_the_ways_are_all_there() -> None:
    """The suites of this folder run with offload and without, in C and in Python."""
    assert set(WAYS.values()) == {
        (native, offload) for native in Native for offload in (Offload.ON, Offload.OFF)
    }
