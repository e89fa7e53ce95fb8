"""Scapy itself, on emulated adapters and on one of the kernel."""

from __future__ import annotations

import gc
import logging
import os
import re
import socket as sockets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.guide.blocks import marked
from tests.running import TOKEN, RunningService, running
from tests.waiting import until
from wintun_api.choices import CloseCode, Scope
from wintun_api.client import AdapterHandle, Client, ClientError, StreamClosed
from wintun_api.client.problems import closed
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.errors import InvalidPacket
from wintun_api.packet import build

pytest.importorskip("scapy", reason="not installed: pip install scapy")

from scapy.automaton import select_objects
from scapy.config import conf
from scapy.layers.inet import ICMP, IP, TCP, UDP, traceroute
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.plist import PacketList
from scapy.sendrecv import AsyncSniffer, bridge_and_sniff, send, sniff, sr, sr1, srloop

from wintun_api.testing.scapy import MAX_INBOX, Inbox, WintunSocket, as_of_socket

HOST, HOST_V6 = "10.9.0.1", "fd09::1"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scapy prints nothing, and its tables are the same afterwards."""
    monkeypatch.setattr(conf, "verb", 0)

    def tables() -> list[object]:
        return [
            list(conf.route.routes),
            list(conf.route6.routes),
            set(conf.ifaces.data),
            conf.iface,
            conf.L2listen,
            conf.L3socket,
        ]

    before = tables()
    yield
    assert tables() == before


@pytest.fixture
def library() -> EmulatedLibrary:
    return EmulatedLibrary()


@pytest.fixture
def service(tmp_path: Path, library: EmulatedLibrary) -> Iterator[RunningService]:
    with running(tmp_path, emulated_driver(library)) as service:
        yield service


@pytest.fixture
def client(service: RunningService) -> Iterator[Client]:
    with Client(service.url, token=TOKEN) as client:
        yield client


@pytest.fixture
def adapter(client: Client) -> Iterator[AdapterHandle]:
    with client.adapter("Lab", addresses=[f"{HOST}/24", f"{HOST_V6}/64"]) as adapter:
        yield adapter


@pytest.fixture
def socket(adapter: AdapterHandle) -> Iterator[WintunSocket]:
    with WintunSocket(adapter) as socket:
        yield socket


def running_sessions(client: Client) -> int:
    return sum(session.state == "running" for session in client.list_sessions())


# One socket


def test_ping(socket: WintunSocket) -> None:
    """A ping is answered in both versions, from the address that was asked to a neighbour's."""
    reply = socket.sr1(IP(dst=HOST) / ICMP(id=7, seq=9) / b"hello", timeout=10)
    assert reply is not None
    assert (reply[IP].src, reply[IP].dst, reply[ICMP].type) == (HOST, "10.9.0.2", 0)
    assert bytes(reply[ICMP].payload) == b"hello"
    reply = socket.sr1(IPv6(dst=HOST_V6) / ICMPv6EchoRequest(data=b"hello"), timeout=10)
    assert reply is not None
    assert (reply[IPv6].src, reply[IPv6].dst) == (HOST_V6, "fd09::2")
    assert reply[ICMPv6EchoReply].data == b"hello"


def test_udp(socket: WintunSocket) -> None:
    """UDP echoes; a closed port is an ICMP error that answers the datagram."""
    reply = socket.sr1(IP(dst="10.9.0.77") / UDP(sport=4000, dport=7) / b"hello", timeout=10)
    assert reply is not None
    assert bytes(reply[UDP].payload) == b"hello"
    error = socket.sr1(IP(dst="10.9.0.77") / UDP(sport=4000, dport=60000) / b"x", timeout=10)
    assert error is not None
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)


@pytest.mark.parametrize("ip", [IP(dst=HOST), IPv6(dst=HOST_V6)], ids=["v4", "v6"])
def test_tcp(socket: WintunSocket, ip: Packet) -> None:
    """A handshake, data and the end with the echo service; and a refusal."""
    answer = socket.sr1(ip / TCP(sport=4000, dport=7, flags="S", seq=100), timeout=10)
    assert answer is not None
    assert answer[TCP].flags == "SA"
    after = {"sport": 4000, "dport": 7, "ack": answer[TCP].seq + 1}
    socket.send(ip / TCP(flags="A", seq=101, **after))
    echo = socket.sr1(ip / TCP(flags="PA", seq=101, **after) / b"hello", timeout=10)
    assert echo is not None
    assert bytes(echo[TCP].payload) == b"hello"
    after["ack"] += 5
    end = socket.sr1(ip / TCP(flags="FA", seq=106, **after), timeout=10)
    assert end is not None
    assert end[TCP].flags == "FA"
    refusal = socket.sr1(ip / TCP(sport=4000, dport=80, flags="S"), timeout=10)
    assert refusal is not None
    assert refusal[TCP].flags == "RA"


def test_sr(socket: WintunSocket) -> None:
    """Many packets and their answers are matched; who does not answer is in the second list."""
    packets = [IP(dst=f"10.9.0.{number}") / ICMP(seq=number) for number in range(1, 60)]
    packets.append(IP(src="10.9.0.2", dst="192.0.2.1") / ICMP())
    answered, silent = socket.sr(packets, timeout=2)
    assert [sent.seq for sent, _ in answered] == list(range(1, 60))
    assert [packet.dst for packet in silent] == ["192.0.2.1"]


def test_source_is_kept(socket: WintunSocket) -> None:
    """A source address that was given stays."""
    reply = socket.sr1(IP(src="10.9.0.200", dst=HOST) / ICMP(), timeout=10)
    assert reply is not None
    assert reply.dst == "10.9.0.200"


@pytest.mark.parametrize(
    ("address", "source"),
    [("10.5.0.254/24", "10.5.0.253"), ("10.5.0.0/31", "10.5.0.1"), ("10.5.0.2/30", "10.5.0.1")],
)
def test_neighbour(client: Client, address: str, source: str) -> None:
    """Without a source the packet has that of a neighbour of the adapter, in its subnet."""
    with client.adapter("Near", addresses=[address]) as near, WintunSocket(near) as socket:
        reply = socket.sr1(IP(dst=address.split("/", maxsplit=1)[0]) / ICMP(), timeout=10)
        assert reply is not None
        assert reply.dst == source


def test_classes_and_time(socket: WintunSocket, library: EmulatedLibrary) -> None:
    """A received packet has the class of its version and the time at which the service got it."""
    before = time.time()
    library.machine.host_sends("Lab", "10.9.0.2", b"four")
    library.machine.host_sends("Lab", "fd09::2", b"six")
    four, six = socket.recv(), socket.recv()
    assert type(four) is IP
    assert type(six) is IPv6
    assert before - 1 <= float(four.time) <= float(six.time) <= time.time() + 1
    library.machine.host_sends("Lab", "10.9.0.2", b"raw")
    kind, data, moment = socket.recv_raw(22)
    assert (kind, moment is not None) == (IP, True)
    assert data is not None
    assert len(data) == 22


def test_basecls(adapter: AdapterHandle, library: EmulatedLibrary) -> None:
    """`basecls` is the class of all packets."""
    with WintunSocket(adapter, basecls=Raw) as socket:
        library.machine.host_sends("Lab", "10.9.0.2", b"hello")
        assert type(socket.recv()) is Raw


def test_sniff(socket: WintunSocket, library: EmulatedLibrary) -> None:
    """`sniff` takes its options: count, lfilter, stop_filter, prn, timeout."""
    for number in range(20):
        library.machine.host_sends("Lab", "10.9.0.2", bytes((number,)))
    seen: list[Packet] = []
    assert len(socket.sniff(count=5, prn=seen.append)) == len(seen) == 5
    even = socket.sniff(count=3, lfilter=lambda packet: bytes(packet)[-1] % 2 == 0)
    assert [bytes(packet)[-1] for packet in even] == [6, 8, 10]
    stopped = socket.sniff(stop_filter=lambda packet: bytes(packet)[-1] == 15)
    assert [bytes(packet)[-1] for packet in stopped] == [11, 12, 13, 14, 15]
    assert len(socket.sniff(timeout=0.5)) == 4
    assert not socket.closed


def test_async_sniffer(socket: WintunSocket, library: EmulatedLibrary) -> None:
    """`AsyncSniffer` sniffs in its own thread, and stops while it waits."""
    ready = threading.Event()
    sniffer = AsyncSniffer(opened_socket=socket, started_callback=ready.set)
    sniffer.start()
    assert ready.wait(10)
    library.machine.host_sends("Lab", "10.9.0.2", b"hello")
    until(lambda: sniffer.count == 1)
    packets = sniffer.stop()
    assert packets is not None
    assert [bytes(packet[UDP].payload) for packet in packets] == [b"hello"]
    assert not socket.closed


@pytest.mark.parametrize("direction", ["received", "injected", "both"])
def test_direction(adapter: AdapterHandle, direction: Any) -> None:
    """A socket gets what the host sent, what clients injected, or both."""
    with WintunSocket(adapter, direction=direction) as tap, WintunSocket(adapter) as socket:
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
        count = 2 if direction == "both" else 1
        kinds = {packet[ICMP].type for packet in tap.sniff(count=count, timeout=10)}
    assert kinds == {"received": {0}, "injected": {8}, "both": {0, 8}}[direction]


def test_bridge_and_sniff(client: Client, adapter: AdapterHandle, socket: WintunSocket) -> None:
    """`bridge_and_sniff` joins two adapters, here with a change of what passes."""
    with (
        client.adapter("Other", addresses=["10.9.1.1/24"]) as other,
        WintunSocket(other) as second,
        WintunSocket(other, direction="injected") as tap,
    ):
        results: list[PacketList] = []
        ready = threading.Event()

        def bridge() -> None:
            results.append(
                bridge_and_sniff(
                    socket,  # type: ignore[arg-type]
                    second,  # type: ignore[arg-type]
                    xfrm12=lambda packet: IP(src="10.9.1.2", dst="10.9.1.1") / packet.payload,
                    count=1,
                    timeout=10,
                    started_callback=ready.set,
                )
            )

        thread = threading.Thread(target=bridge)
        thread.start()
        assert ready.wait(10)
        with WintunSocket(adapter) as asking:
            asking.send(IP(dst=HOST) / ICMP(id=5))
        (passed,) = tap.sniff(count=1, timeout=10)
        thread.join()
    assert (passed.dst, passed[ICMP].type, passed[ICMP].id) == ("10.9.1.1", 0, 5)
    assert len(results[0]) == 1


def test_send(socket: WintunSocket) -> None:
    """`send` takes packets and bytes, returns their length, and sets when they were sent."""
    packet = IP(dst=HOST) / ICMP()
    assert socket.send(packet) == len(packet)
    assert packet.sent_time is not None
    assert socket.send(build.udp("10.9.0.2", HOST, 1, 2, b"x")) == 29  # type: ignore[arg-type]
    send(packet, socket=socket, count=3)
    until(lambda: socket.accounts.accepted == 5)


def test_not_ip(socket: WintunSocket) -> None:
    """A frame of another layer is refused before it is sent, with a sentence."""
    with pytest.raises(InvalidPacket, match="IP version"):
        socket.send(Ether(dst="00:11:22:33:44:55") / IP(dst=HOST))
    assert socket.accounts.total == 0


def test_nothing_is_lost_when_the_ring_is_full(
    socket: WintunSocket, library: EmulatedLibrary
) -> None:
    """`send` waits for room, so that a slow host loses nothing."""
    library.hold_consumer("Lab")
    packet = IP(dst=HOST) / UDP(sport=4000, dport=60000) / bytes(60_000)
    threading.Timer(0.2, library.release_consumer, ("Lab",)).start()
    for _ in range(200):
        socket.send(packet)
    until(lambda: socket.accounts.total == 200)
    assert socket.accounts.accepted == 200


def test_no_filter(socket: WintunSocket) -> None:
    """Functions that always make a filter work with Scapy's own option to ignore it."""
    options: Any = {"dport": 7, "maxttl": 2, "timeout": 2, "verbose": 0}
    trace: Any = traceroute  # it has no types
    with socket.as_default():
        with pytest.raises(ValueError, match="nofilter=1"):
            trace(HOST, **options)
        answered, _ = trace(HOST, **options, nofilter=1)
        assert len(answered) == 2


def test_something_else() -> None:
    """What is not an adapter is refused with what may be given."""
    wrong: Any = 5
    with pytest.raises(TypeError, match="the fixture tun_adapter"):
        WintunSocket(wrong)


def test_filter(socket: WintunSocket) -> None:
    """A filter of libpcap is refused with what to use instead."""
    with pytest.raises(ValueError, match="lfilter"):
        WintunSocket(socket.session, filter="icmp")
    with socket.as_default(), pytest.raises(ValueError, match="lfilter"):
        sr1(IP(dst=HOST) / ICMP(), filter="icmp")


# Which adapter, and whose session


@pytest.mark.parametrize("how", ["name", "case", "guid", "uuid", "model", "handle", "fixture"])
def test_which_adapter(client: Client, adapter: AdapterHandle, how: str) -> None:
    """An adapter is given by name, GUID, model or handle; the socket starts and ends a session."""

    class Fixture:
        handle = adapter

    which: Any = {
        "name": "Lab",
        "case": "lab",
        "guid": str(adapter.guid),
        "uuid": adapter.guid,
        "model": adapter.info,
        "handle": adapter,
        "fixture": Fixture(),
    }[how]
    with WintunSocket(which, client=client) as socket:
        assert running_sessions(client) == 1
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
    assert running_sessions(client) == 0
    assert client.get_adapter(adapter.guid).name == "Lab"


def test_found_like_the_command_line(
    service: RunningService, adapter: AdapterHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a client the socket finds the service by the variables of the command line."""
    monkeypatch.setenv("WINTUN_API_URL", service.url)
    monkeypatch.setenv("WINTUN_API_TOKEN", TOKEN)
    with WintunSocket("Lab") as socket:
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)


def test_a_running_session_is_joined(client: Client, adapter: AdapterHandle) -> None:
    """A session that runs is used, and goes on afterwards."""
    with adapter.session() as session:
        for which in (session, adapter, client.session(session.id)):
            with WintunSocket(which) as socket:
                assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
        assert session.refresh().state == "running"


def test_scapys_name_for_an_adapter(client: Client, adapter: AdapterHandle) -> None:
    """An adapter may be given as `iface`; none or two are a mistake."""
    with WintunSocket(iface="Lab", client=client) as socket:
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
    for arguments in ({}, {"adapter": adapter, "iface": "Lab"}):
        with pytest.raises(TypeError, match="one adapter"):
            WintunSocket(**arguments)  # type: ignore[arg-type]


def test_a_session_is_shared(client: Client, adapter: AdapterHandle) -> None:
    """A session that one socket has started goes on while another one needs it."""
    first, second = WintunSocket(adapter), WintunSocket(adapter)
    first.close()
    assert second.sr1(IP(dst=HOST) / ICMP(), timeout=10)
    second.close()
    until(lambda: running_sessions(client) == 0)


def test_a_killed_program(client: Client, service: RunningService, adapter: AdapterHandle) -> None:
    """The session that a socket has started does not outlive its program."""
    program = (
        "import sys; from wintun_api.testing.scapy import WintunSocket\n"
        "socket = WintunSocket('Lab'); print('open', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"open"
        assert running_sessions(client) == 1
        process.kill()
    until(lambda: running_sessions(client) == 0)


def test_few_rights(client: Client, service: RunningService, adapter: AdapterHandle) -> None:
    """With the handle of a session a token needs no right to start one."""
    made = client.create_token([Scope.READ, Scope.CAPTURE, Scope.INJECT])
    with (
        adapter.session() as session,
        Client(service.url, token=made.token) as other,
        WintunSocket(other.session(session.id)) as socket,
    ):
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)


def test_no_adapter(client: Client, adapter: AdapterHandle) -> None:
    """A name that no adapter has is an error that says which there are."""
    with pytest.raises(ClientError, match="'Lab'"):
        WintunSocket("Nothing", client=client)
    assert running_sessions(client) == 0


# The end


def test_end_of_the_session(socket: WintunSocket, client: Client) -> None:
    """`sniff` ends when the session ends, with what had arrived, and `ended` says why."""
    sniffer = AsyncSniffer(opened_socket=socket)
    sniffer.start()
    until(lambda: getattr(sniffer, "continue_sniff", False))
    socket.send(IP(dst=HOST) / ICMP())
    until(lambda: sniffer.count == 1)
    client.end_session(client.list_sessions()[0].id)
    sniffer.join(10)
    assert not sniffer.running
    assert sniffer.results is not None
    assert len(sniffer.results) == 1
    assert socket.closed
    assert socket.ended is not None


def test_removed_adapter(socket: WintunSocket, adapter: AdapterHandle) -> None:
    """The removal of the adapter ends a waiting `recv`, and the socket closes without an error."""
    adapter.delete()
    with pytest.raises(EOFError):
        socket.recv()
    socket.close()


def test_revoked_token(
    client: Client, service: RunningService, adapter: AdapterHandle, caplog: Any
) -> None:
    """A stream that breaks ends `sniff` with Scapy's warning, and `recv` with the exception."""
    made = client.create_token([Scope.ADMIN])
    with adapter.session(), Client(service.url, token=made.token) as other:
        socket = WintunSocket("Lab", client=other)
        second = WintunSocket("Lab", client=other)
        client.revoke_token(made.id)
        with caplog.at_level(logging.WARNING, "scapy.runtime"):
            assert len(sniff(opened_socket=socket, timeout=10)) == 0
        assert "token" in caplog.text
        assert socket.closed
        with pytest.raises(StreamClosed) as caught:
            second.recv()
        assert caught.value.hint.startswith("Open another WintunSocket")
        with pytest.raises(StreamClosed) as refused:
            second.send(IP(dst=HOST) / ICMP())
        assert refused.value.hint == caught.value.hint
        second.close()


@pytest.mark.parametrize("code", list(CloseCode))
def test_advice_for_a_socket(code: CloseCode) -> None:
    """However a stream ends, the advice names nothing that only a stream of the client has."""
    error = as_of_socket(closed(code, ""))
    assert not {"reconnect", "overflow"} & set(re.findall(r"\w+", str(error)))
    assert "Connect again" not in str(error)


def test_closed(socket: WintunSocket) -> None:
    """A closed socket says so at once, whatever is asked of it; closing again is nothing."""
    socket.close()
    socket.close()
    with pytest.raises(EOFError):
        socket.recv()
    with pytest.raises(ClientError):
        socket.send(IP(dst=HOST) / ICMP())
    assert WintunSocket.select([socket], None) == [socket]
    assert len(sniff(opened_socket=socket)) == 0


@pytest.mark.parametrize("wait", [WintunSocket.recv, WintunSocket.sniff])
def test_close_wakes(adapter: AdapterHandle, wait: Callable[[WintunSocket], object]) -> None:
    """`close` in one thread ends `recv` and `sniff` in others."""
    socket = WintunSocket(adapter)
    ended: list[object] = []

    def waits() -> None:
        try:
            ended.append(wait(socket))
        except EOFError as error:
            ended.append(error)

    thread = threading.Thread(target=waits)
    thread.start()
    socket.close()
    thread.join(10)
    assert len(ended) == 1


def test_nothing_is_left(adapter: AdapterHandle, client: Client) -> None:
    """Neither threads nor sessions are left by a socket, whether it was closed or forgotten."""
    before = set(threading.enumerate())
    for forgotten in (False, True):
        socket: WintunSocket | None = WintunSocket(adapter)
        assert socket is not None
        assert socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
        if not forgotten:
            socket.close()
        socket = None
        gc.collect()
        until(lambda: set(threading.enumerate()) <= before)
        until(lambda: running_sessions(client) == 0)


# Scapy's own functions


def test_as_default(adapter: AdapterHandle) -> None:
    """In the context Scapy's functions use the adapter; nothing is left in Scapy's tables."""
    with WintunSocket(adapter).as_default() as socket:
        reply = sr1(IP(dst=HOST) / ICMP(), timeout=10)
        assert reply is not None
        assert reply.dst == "10.9.0.2"
        assert sr1(IPv6(dst=HOST_V6) / ICMPv6EchoRequest(), timeout=10)
        assert sr1(IP(dst=HOST) / ICMP(), iface="Lab", timeout=10)
        answered, silent = sr([IP(dst=f"10.9.0.{n}") / ICMP() for n in (1, 2, 3)], timeout=10)
        assert (len(answered), len(silent)) == (3, 0)
        answered, silent = srloop(IP(dst=HOST) / ICMP(), count=2, inter=0.01, timeout=10)
        assert (len(answered), len(silent)) == (2, 0)
        assert conf.route.route("203.0.113.9")[1] == "10.9.0.2"
        conf.ifaces.reload()
        assert conf.ifaces.dev_from_name("Lab").network_name == f"wintun-api:{adapter.guid}"
    assert socket.closed


@pytest.mark.parametrize("options", [{}, {"iface": "Lab"}])
def test_sniff_by_default(adapter: AdapterHandle, options: dict[str, Any]) -> None:
    """`AsyncSniffer` and `send` without a socket use the adapter as well."""
    with WintunSocket(adapter).as_default():
        ready = threading.Event()
        sniffer = AsyncSniffer(count=2, started_callback=ready.set, **options)
        sniffer.start()
        assert ready.wait(10)
        send([IP(dst=HOST) / ICMP(seq=number) for number in (1, 2)])
        sniffer.join(10)
        assert sniffer.results is not None
        assert [packet[ICMP].seq for packet in sniffer.results] == [1, 2]


def test_as_default_after_an_error(adapter: AdapterHandle) -> None:
    """An exception in the context leaves Scapy as it was, too."""
    with pytest.raises(ValueError, match="lfilter"), WintunSocket(adapter).as_default():
        sniff(filter="icmp")


def test_two_adapters(client: Client, adapter: AdapterHandle) -> None:
    """Nested contexts find each destination behind the adapter that has it."""
    with (
        client.adapter("Other", addresses=["10.9.1.1/24"]) as other,
        WintunSocket(adapter).as_default(),
    ):
        with WintunSocket(other).as_default():
            for host, source in ((HOST, "10.9.0.2"), ("10.9.1.1", "10.9.1.2")):
                reply = sr1(IP(dst=host) / ICMP(), timeout=10)
                assert reply is not None
                assert reply.dst == source
        assert sr1(IP(dst=HOST) / ICMP(), timeout=10)


# What waits


def test_losses_are_counted(adapter: AdapterHandle, service: RunningService, caplog: Any) -> None:
    """A socket that is not read holds a bounded number of bytes; what is lost is counted."""
    size, many = 60_000, 600
    with WintunSocket(adapter) as socket, adapter.session(if_running="join") as session:
        packet = build.udp("10.9.0.2", HOST, 4000, 9, bytes(size))
        with session.packets(direction="none", full="wait") as sender:
            for _ in range(many):
                sender.send(packet)
        assert socket.waiting <= MAX_INBOX + 256 * 1024 * 16
        with caplog.at_level(logging.WARNING, "scapy.runtime"):
            got = len(socket.sniff(timeout=2))
        received = session.refresh().counters.received.packets
        assert got + socket.lost == received
        assert got > 0
        assert socket.lost > 0
        assert "packets were lost (queue)" in caplog.text


def test_inbox_waits_for_room() -> None:
    """The thread that fills the inbox waits until a packet was taken, or it is closed."""
    inbox = Inbox()
    big = bytes(MAX_INBOX)
    assert inbox.put([big], 1.0)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(inbox.put([b"x"], 2.0)))
    thread.start()
    assert inbox.take() == (big, 1.0)
    thread.join(10)
    assert results == [True]
    assert select_objects([inbox], 0) == [inbox]
    assert inbox.take() == (b"x", 2.0)
    assert select_objects([inbox], 0) == []
    inbox.close()
    assert not inbox.put([b"y"], 3.0)
    with pytest.raises(EOFError):
        inbox.take()


# The guide


@pytest.mark.parametrize("number", [0, 1])
def test_guide(service: RunningService, number: int, tmp_path: Path) -> None:
    """The programs of the page "scapy" run as they are, in a process of their own."""
    program = marked("scapy", "scapy")[number]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            **os.environ,
            "WINTUN_API_URL": service.url,
            "WINTUN_API_TOKEN": TOKEN,
            "HOME": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stderr
    said = [["IP / ICMP 10.9.0.1 > 10.9.0.2 echo-reply 0", "b'hello'"], ["SA"]]
    assert done.stdout.split("\n")[-len(said[number]) - 1 : -1] == said[number]


def test_the_strictest_types_of_the_guide(tmp_path: Path) -> None:
    """The programs of the page "scapy" pass mypy --strict as a stranger's file would."""
    pytest.importorskip("mypy")
    files = []
    for number, program in enumerate(marked("scapy", "scapy")):
        files.append(tmp_path / f"program{number}.py")
        files[-1].write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, files)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# A kernel's adapter


@pytest.mark.kernel
class TestKernel:
    pytestmark = needs_kernel

    def test_kernel(self, kernel_service: RunningService) -> None:
        """The kernel's own stack answers Scapy, and Scapy gets what its programs send."""
        with (
            Client(kernel_service.url, token=TOKEN) as client,
            client.adapter("Lab", addresses=[f"{HOST}/24"]) as adapter,
            WintunSocket(adapter) as socket,
            sockets.create_server((HOST, 5000)) as server,
            sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as program,
        ):
            reply = socket.sr1(IP(dst=HOST) / ICMP(), timeout=10)
            assert reply is not None
            assert (reply.src, reply.dst) == (HOST, "10.9.0.2")
            answer = socket.sr1(IP(dst=HOST) / TCP(dport=5000, sport=4000, flags="S"), timeout=10)
            assert answer is not None
            assert answer[TCP].flags == "SA"
            after = {"sport": 4000, "dport": 5000, "seq": 1, "ack": answer[TCP].seq + 1}
            socket.send(IP(dst=HOST) / TCP(flags="PA", **after) / b"hello")
            connection, peer = server.accept()
            with connection:
                assert peer == ("10.9.0.2", 4000)
                assert connection.recv(100) == b"hello"
            program.sendto(b"to the network", ("10.9.0.99", 53))
            (packet,) = socket.sniff(
                count=1, timeout=10, lfilter=lambda packet: packet.haslayer(UDP)
            )
            assert packet.dst == "10.9.0.99"
            assert bytes(packet[UDP].payload)[:14] == b"to the network"
