"""Real traffic of the kernel through an impaired session."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.linux.kernel import inside, namespace, needs_kernel
from tests.raw_websocket import raw_packets
from tests.running import RunningService, running
from tests.traffic.hosts import Host, host
from tests.traffic.peers import joined
from tests.waiting import let_pass, until
from wintun_api.packet import build
from wintun_api.packet.checksum import checksum, pseudo_header
from wintun_api.wire import Batch, pack

pytestmark = needs_kernel

OWN, PEER = "10.6.7.7", "10.6.7.9"
# linux/in.h, and asm-generic/socket.h
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
SO_TIMESTAMPNS = 35


def impair(service: RunningService, session: str, **body: Any) -> None:
    """Impair a session."""
    answer = service.http.put(f"/v1/sessions/{session}/impairment", json={"seed": 7, **body})
    assert answer.status_code == 200, answer.text


def accounts(service: RunningService, session: str, direction: str) -> dict[str, Any]:
    """Return what happened in one direction."""
    answer = service.http.get(f"/v1/sessions/{session}/impairment")
    return dict(answer.json()[direction])


@pytest.fixture
def session(kernel_service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = kernel_service.adapter(name="Bad", mtu=1420, addresses=[f"{OWN}/24"])
    return str(kernel_service.session(adapter, capacity=0x4000000)["id"])


@contextmanager
def datagrams(peer: str = PEER) -> Iterator[socket.socket]:
    """A UDP socket of the host that sends with Don't Fragment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        sender.connect((peer, 9))
        yield sender


def test_the_host_learns_the_mtu_of_the_path(kernel_service: RunningService, session: str) -> None:
    """The reply to a packet that is too large sets the path MTU of the host's socket."""
    impair(kernel_service, session, received={"max_size": 1000, "too_big_reply": True})
    with raw_packets(kernel_service, session) as reader, datagrams() as sender:
        sender.send(b"small")
        assert reader.receive(1)[0].endswith(b"small")
        assert sender.getsockopt(socket.IPPROTO_IP, IP_MTU) == 1420
        sender.send(bytes(1200))
        until(lambda: accounts(kernel_service, session, "received")["too_large"]["packets"])
        assert sender.getsockopt(socket.IPPROTO_IP, IP_MTU) == 1000
        with pytest.raises(OSError, match="Message too long"):
            sender.send(bytes(1200))
        assert accounts(kernel_service, session, "received")["too_big_replies"] == 1


def test_a_black_hole_tells_nobody(kernel_service: RunningService, session: str) -> None:
    """Without replies, the host goes on sending what never arrives."""
    impair(kernel_service, session, received={"max_size": 1000})
    with raw_packets(kernel_service, session) as reader, datagrams() as sender:
        for _ in range(5):
            sender.send(bytes(1200))
        sender.send(b"small")
        assert reader.receive(1)[0].endswith(b"small")
        assert sender.getsockopt(socket.IPPROTO_IP, IP_MTU) == 1420
    counters = accounts(kernel_service, session, "received")
    assert (counters["too_large"]["packets"], counters["too_big_replies"]) == (5, 0)


def test_a_rate_carries_what_it_says(kernel_service: RunningService, session: str) -> None:
    """A flood of about twice 10 Mbit/s leaves at 10 Mbit/s; what does not fit is counted."""
    impair(kernel_service, session, received={"rate_bps": 10_000_000, "limit_packets": 1000})
    seconds, size = 3.0, 1250
    with raw_packets(kernel_service, session) as reader, datagrams() as sender:
        stop = threading.Event()

        def flood() -> None:
            began, sent = time.perf_counter(), 0
            while not stop.is_set():
                while sent < (time.perf_counter() - began) * 2000:
                    sender.send(bytes(size - 28))
                    sent += 1
                stop.wait(0.001)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            # The queue is full: what it holds lasts for a second in which this sends too little.
            reader.receive(1200)
            batches: list[Batch] = []
            while not batches or batches[-1].time_ns - batches[0].time_ns < seconds * 1e9:
                reader.read()
                batches += reader.batches
                reader.batches.clear()
        finally:
            stop.set()
            thread.join()
    took = (batches[-1].time_ns - batches[0].time_ns) / 1e9
    carried = sum(len(packet) for batch in batches[1:] for packet in batch.packets) * 8
    assert 9.9e6 <= carried / took <= 10.1e6
    counters = accounts(kernel_service, session, "received")
    assert counters["limit"]["packets"] > 1000
    assert counters["delayed"]["packets"] <= 1000


@pytest.mark.parametrize("native", ["auto", "off"])
def test_offload_repairs_nothing(tmp_path: Path, native: str) -> None:
    """Corrupted segments between others that are joined keep their wrong checksums.

    The host's own stack drops them, so that each of its datagrams is as it was sent.
    """
    with (
        namespace(),
        running(
            tmp_path, driver="linux", offload="on", native=native, log_level="warning"
        ) as service,
    ):
        adapter = service.adapter(name="Bad", mtu=1420, addresses=[f"{OWN}/24"])
        answer = service.session(adapter, capacity=0x4000000)
        assert answer["offload"]
        session = answer["id"]
        impair(service, session, injected={"corrupt": 0.2})
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host_socket,
            raw_packets(service, session, "?direction=injected") as watcher,
        ):
            host_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            host_socket.bind((OWN, 7777))
            sent = [
                build.udp(PEER, OWN, 5, 7777, number.to_bytes(4, "big") * 250)
                for number in range(400)
            ]
            for first in range(0, 400, 50):
                watcher.socket.send(pack(Batch(sent[first : first + 50])))
            given = watcher.receive(400)
            damaged = [n for n in range(400) if given[n] != sent[n]]
            assert 40 < len(damaged) < 140
            good = [packet for packet in given if right(packet)]
            expected = [n for n in range(400) if n not in damaged]
            assert len(good) >= len(expected)
            host_socket.settimeout(5)
            got: list[bytes] = []
            with suppress(TimeoutError):
                while len(got) < len(expected):
                    got.append(host_socket.recv(2000))
            assert [int.from_bytes(one[:4], "big") for one in got] == expected
            assert all(one == one[:4] * 250 for one in got)


def right(packet: bytes) -> bool:
    """Return whether the checksums of a UDP packet are right."""
    header = pseudo_header(packet[12:16], packet[16:20], packet[9], len(packet) - 20)
    return not checksum(packet[:20]) and not checksum(header + packet[20:])


def test_tcp_through_a_bad_network(tmp_path: Path) -> None:
    """A transfer arrives whole through loss, corruption, duplicates and reordering."""
    bad = {
        "delay_ms": 5,
        "jitter_ms": 3,
        "loss": 0.01,
        "duplicate": 0.01,
        "corrupt": 0.01,
        "reorder": 0.02,
    }
    data = os.urandom(400_000)
    with host(tmp_path / "one", "10.6.7.1") as one, host(tmp_path / "other", "10.6.7.2") as other:
        ends = []
        for end in (one, other):
            with inside(end.descriptor):
                if end is one:
                    impair(end.service, end.session, received=bad, injected=bad)
                ends.append(end.service.packets(end.session).__enter__())
        with joined(*ends), inside(other.descriptor):
            listener = socket.create_server((other.address, 0))
            port = listener.getsockname()[1]
            thread = threading.Thread(target=_send, args=(one, (other.address, port), data))
            thread.start()
            listener.settimeout(60)
            connection, _ = listener.accept()
            digest, size = hashlib.sha256(), 0
            with connection, listener:
                connection.settimeout(60)
                while piece := connection.recv(65536):
                    digest.update(piece)
                    size += len(piece)
            thread.join()
        assert size == len(data)
        assert digest.digest() == hashlib.sha256(data).digest()
        with inside(one.descriptor):
            counters = accounts(one.service, one.session, "received")
        assert counters["lost"]["packets"] > 0 < counters["corrupted"]["packets"]


def _send(end: Host, address: tuple[str, int], data: bytes) -> None:
    with inside(end.descriptor), socket.create_connection(address, timeout=60) as connection:
        connection.sendall(data)


def stamped(host_socket: socket.socket) -> tuple[bytes, int]:
    """Receive a datagram; return it with the nanoseconds at which the kernel got it."""
    if sys.platform != "win32":
        data, stamps, _, _ = host_socket.recvmsg(2048, 64)
        seconds, rest = struct.unpack("qq", stamps[0][2][:16])
        return data, seconds * 10**9 + rest
    else:  # noqa: RET505  the type checker needs the branch
        raise NotImplementedError


@pytest.mark.parametrize("direction", ["received", "injected"])
def test_delays_are_exact(kernel_service: RunningService, session: str, direction: str) -> None:
    """No packet leaves before its time, and most of them within a few milliseconds after it."""
    delay, count = 20.0, 1000
    impair(kernel_service, session, **{direction: {"delay_ms": delay, "limit_packets": count}})
    late: list[float] = []
    if direction == "received":
        with raw_packets(kernel_service, session) as reader, datagrams() as sender:
            for number in range(count):
                sender.send(struct.pack("<Q", time.time_ns()) + bytes(100))
                if not number % 10:
                    let_pass(0.001)
            while len(late) < count:
                reader.read()
                for batch in reader.batches:
                    for packet in batch.packets:
                        (sent,) = struct.unpack_from("<Q", packet, 28)
                        late.append((batch.time_ns - sent) / 1e6 - delay)
                reader.batches.clear()
    else:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host_socket,
            raw_packets(kernel_service, session, "?direction=none") as sender_socket,
        ):
            host_socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            host_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            host_socket.bind((OWN, 7777))
            host_socket.settimeout(30)
            for number in range(count):
                payload = struct.pack("<Q", time.time_ns()) + bytes(100)
                packet = build.udp(PEER, OWN, 5, 7777, payload)
                sender_socket.socket.send(pack(Batch([packet])))
                if not number % 10:
                    let_pass(0.001)
            while len(late) < count:
                data, arrived = stamped(host_socket)
                (sent,) = struct.unpack_from("<Q", data)
                late.append((arrived - sent) / 1e6 - delay)
    assert min(late) > -0.1
    # Generous, because other tests share the processors.
    assert sorted(late)[count // 2] < 15
