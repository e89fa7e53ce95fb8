"""The emulated hosts' echo services, used by a kernel's TCP and UDP through two joined services."""

from __future__ import annotations

import os
import random
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import keep_quiet, needs_kernel
from tests.needs import needs
from tests.running import RunningService, running
from tests.traffic.peers import working
from wintun_api.client import PacketStream

pytestmark = needs_kernel

HOSTS = {4: "10.6.7.9", 6: "fd06:7::9"}
MEGABYTE = 1 << 20
LINKTYPE_RAW = 101
MTUS = [(65535, 65535), (1280, 9000), (9000, 1280), (576, 576)]
IPV6_MTU = 1280  # RFC 8200, section 5


class Cable:
    """Join two packet streams; lose and disorder a share of the packets; record all that pass."""

    def __init__(self, loss: float) -> None:
        self.passed: list[tuple[float, bytes]] = []
        self.lost = 0
        self.swapped = 0
        self._loss = loss
        self._lock = threading.Lock()

    def forward(self, source: PacketStream, destination: PacketStream, seed: int) -> None:
        """Pass on what comes at one end, until that is closed."""
        choose = random.Random(seed)
        for burst in source:
            packets = list(burst.packets)
            if self._loss:
                packets = self._spoil(packets, choose)
            with self._lock:
                self.passed += [(time.time(), packet) for packet in packets]
            if packets:
                destination.put(packets)

    def _spoil(self, packets: list[bytes], choose: random.Random) -> list[bytes]:
        kept = [packet for packet in packets if choose.random() >= self._loss]
        self.lost += len(packets) - len(kept)
        for at in range(len(kept) - 1):
            if choose.random() < self._loss:
                kept[at], kept[at + 1] = kept[at + 1], kept[at]
                self.swapped += 1
        return kept

    def write(self, path: Path) -> Path:
        """Write what passed as a capture file."""
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
            for moment, packet in self.passed:
                head = (int(moment), int(moment % 1 * 1e6), len(packet), len(packet))
                file.write(struct.pack("<IIII", *head) + packet)
        return path


@contextmanager
def cable(
    kernel_service: RunningService,
    tmp_path: Path,
    *,
    loss: float = 0.0,
    mtu: int = 1420,
    host_mtu: int = 1420,
) -> Iterator[Cable]:
    """Make an adapter of this kernel and one with emulated hosts, and join them."""
    with running(tmp_path / "hosts") as emulated:
        both = mtu >= IPV6_MTU and host_mtu >= IPV6_MTU
        addresses = ["10.6.7.200/24", *(["fd06:7::200/64"] if both else [])]
        theirs = emulated.adapter(name="Hosts", mtu=host_mtu, addresses=addresses)
        keep_quiet()
        ours = kernel_service.adapter(name="Peer", mtu=mtu, addresses=["10.6.7.1/24"])
        if both:
            switch = Path(f"/proc/sys/net/ipv6/conf/{ours['interface_name']}/disable_ipv6")
            switch.write_text("0")
            answer = kernel_service.http.patch(
                f"/v1/adapters/{ours['guid']}", json={"addresses": ["10.6.7.1/24", "fd06:7::1/64"]}
            )
            assert answer.status_code == 200, answer.text
        joined = Cable(loss)
        with (
            kernel_service.packets(kernel_service.session(ours)["id"], full="wait") as one,
            emulated.packets(emulated.session(theirs)["id"], full="wait") as other,
            working((joined.forward, one, other, 0), (joined.forward, other, one, 1)),
        ):
            yield joined


def echoed(address: str, data: bytes, timeout: float = 60) -> bytes:
    """Send data over TCP to the echo service, close, and return all that comes back."""
    back = bytearray()
    with socket.create_connection((address, 7), timeout) as peer:
        peer.setblocking(False)
        sent, deadline = 0, time.monotonic() + timeout
        while True:
            writers = [peer] if sent < len(data) else []
            readable, writable, _ = select.select([peer], writers, [], timeout)
            assert time.monotonic() < deadline, f"{len(back)} of {len(data)} bytes came back"
            if writable:
                sent += peer.send(data[sent : sent + 65536])
                if sent == len(data):
                    peer.shutdown(socket.SHUT_WR)
            if readable:
                part = peer.recv(65536)
                if not part:
                    return bytes(back)
                back += part


def complaints(path: Path) -> list[str]:
    """Return what Wireshark's experts find wrong: warnings, errors, checksums, retransmissions."""
    command = [str(shutil.which("tshark")), "-n", "-r", str(path), "-T", "fields"]
    for protocol in ("ip", "tcp", "udp"):
        command += ["-o", f"{protocol}.check_checksum:TRUE"]
    # A sender that fills the window, and a reader that opens it, are flow control at work.
    wrong = (
        "(_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || "
        "_ws.expert.severity >= 0x600000 || tcp.analysis.flags) && "
        "!tcp.analysis.window_full && !tcp.analysis.window_update"
    )
    command += ["-Y", wrong, "-e", "frame.number", "-e", "_ws.expert.message"]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={"HOME": str(path.parent), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("version", [4, 6])
@needs("tshark")
def test_bulk(kernel_service: RunningService, tmp_path: Path, version: int) -> None:
    """Some megabytes come back whole, and Wireshark finds nothing wrong in the connection."""
    data = os.urandom(4 * MEGABYTE)
    with cable(kernel_service, tmp_path) as joined:
        assert echoed(HOSTS[version], data) == data
    assert complaints(joined.write(tmp_path / "passed.pcap")) == []


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("version", [4, 6])
def test_lossy(kernel_service: RunningService, tmp_path: Path, version: int) -> None:
    """On a link that loses and disorders packets both ways, all data comes back, in order."""
    data = os.urandom(MEGABYTE // 2)
    with cable(kernel_service, tmp_path, loss=0.02) as joined:
        assert echoed(HOSTS[version], data) == data
    assert joined.lost > 10
    assert joined.swapped > 0


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(("mtu", "host_mtu"), MTUS)
def test_mtu(kernel_service: RunningService, tmp_path: Path, mtu: int, host_mtu: int) -> None:
    """No segment is longer than the smaller MTU of the two adapters."""
    data = os.urandom(MEGABYTE // 2)
    with cable(kernel_service, tmp_path, mtu=mtu, host_mtu=host_mtu) as joined:
        assert echoed(HOSTS[4], data) == data
    assert max(len(packet) for _, packet in joined.passed) <= min(mtu, host_mtu)


def test_closed_ports(kernel_service: RunningService, tmp_path: Path) -> None:
    """The kernel's programs are refused at other ports, over TCP and UDP, in both versions."""
    with cable(kernel_service, tmp_path):
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((HOSTS[version], 80), 10)
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.settimeout(10)
                peer.connect((HOSTS[version], 50000))
                peer.send(b"hello")
                with pytest.raises(ConnectionRefusedError):
                    peer.recv(100)
                peer.connect((HOSTS[version], 7))
                peer.send(b"hello")
                assert peer.recv(100) == b"hello"


@needs("nc")
def test_nc(kernel_service: RunningService, tmp_path: Path) -> None:
    """A file that nc sends comes back, and nc ends because the host closes as well."""
    data = os.urandom(MEGABYTE)
    with cable(kernel_service, tmp_path):
        done = subprocess.run(
            ["nc", "-N", HOSTS[4], "7"], input=data, capture_output=True, check=True, timeout=60
        )
    assert done.stdout == data


def test_many_at_once(kernel_service: RunningService, tmp_path: Path) -> None:
    """Connections of one kernel do not disturb each other."""
    parts = [os.urandom(50_000) for _ in range(20)]
    results: dict[int, bytes] = {}

    def one(number: int) -> None:
        results[number] = echoed(HOSTS[4 if number % 2 else 6], parts[number])

    with cable(kernel_service, tmp_path, loss=0.005):
        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(parts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [results[number] for number in range(len(parts))] == parts


def test_a_reader_that_pauses(kernel_service: RunningService, tmp_path: Path) -> None:
    """The host waits at a closed window, and goes on when the peer reads again."""
    data = os.urandom(8 * MEGABYTE)
    with cable(kernel_service, tmp_path), socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        peer.connect((HOSTS[4], 7))
        peer.setblocking(False)
        sent = 0
        while select.select([], [peer], [], 0.5)[1]:  # until all buffers on the way are full
            sent += peer.send(data[sent : sent + 65536])
        assert sent < len(data)
        peer.setblocking(True)
        peer.settimeout(30)
        peer.shutdown(socket.SHUT_WR)
        back = bytearray()
        while part := peer.recv(65536):
            back += part
        assert bytes(back) == data[:sent]


def test_reset(kernel_service: RunningService, tmp_path: Path) -> None:
    """A peer that aborts and comes back with the same port finds a host that answers."""
    with cable(kernel_service, tmp_path):
        for _ in range(3):
            with socket.socket() as peer:
                peer.settimeout(10)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.bind(("", 40000))
                peer.connect((HOSTS[4], 7))
                peer.sendall(b"hello")
                assert peer.recv(100) == b"hello"
