from __future__ import annotations

import struct
import subprocess
import threading
import time
from ipaddress import ip_interface
from pathlib import Path
from random import Random

import pytest

from tests.needs import need
from tests.waiting import let_pass, until
from wintun_api.drivers.emulated.conversations import Conversations
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.emulated.traffic import Traffic
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.packet import build
from wintun_api.packet.check import rejection
from wintun_api.packet.checksum import checksum, pseudo_header
from wintun_api.packet.decode import decode

LINKTYPE_RAW = 101


def start(rate: float, *addresses: str) -> tuple[EmulatedLibrary, WintunSession]:
    library = EmulatedLibrary(Generation.POOL, rate=rate)
    adapter = emulated_driver(library).create_adapter("Demo", "Example")
    adapter.set_addresses([ip_interface(address) for address in addresses])
    return library, adapter.start_session(0x20000)


def check_sums(packet: bytes) -> None:
    if packet[0] >> 4 == 4:
        assert checksum(packet[:20]) == 0
        assert int.from_bytes(packet[2:4], "big") == len(packet)
        header, message = packet[12:20], packet[20:]
        protocol = packet[9]
    else:
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 40
        header, message, protocol = packet[8:40], packet[40:], packet[6]
    half = len(header) // 2
    upper = pseudo_header(header[:half], header[half:], protocol, len(message))
    assert checksum(message if protocol == build.ICMP else upper + message) == 0


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("addresses", [(), ("10.6.7.7/24",), ("10.6.7.7/24", "fd06:7::7/64")])
def test_packets_are_right(addresses: tuple[str, ...], reuse: bool) -> None:
    """Every packet is a whole IP packet with right checksums, from an address of the adapter."""
    device = Machine().create("Demo", "Example", None, persistent=True)
    device.set_addresses([ip_interface(address) for address in addresses])
    conversations = Conversations(device, Random(1), reuse=reuse)
    own = {str(one.ip) for one in device.addresses}
    protocols = set()
    for _ in range(3000):
        packet = conversations.packet()
        assert rejection(packet) is None
        check_sums(packet)
        summary = decode(packet)
        protocols.add((summary.version, summary.protocol))
        if own:
            assert str(summary.source) in own
    versions = {4, 6} if not addresses else {ip_interface(one).version for one in addresses}
    assert {version for version, _ in protocols} == versions
    assert {6, 17} <= {protocol for _, protocol in protocols}


def test_rate() -> None:
    """Packets come at the rate, while somebody waits for them."""
    library, session = start(400, "10.6.7.7/24")
    count, end = 0, time.monotonic() + 0.5
    while time.monotonic() < end:
        assert session.wait_readable()
        count += len(session.receive_packets(1000))
    assert 100 < count < 400
    session.end()
    assert library.misuse == []


def test_drained_without_waiting() -> None:
    """They come to an application that only reads, too."""
    _, session = start(2000, "10.6.7.7/24")
    until(lambda: session.receive_packets(1000))
    session.end()


def test_no_thread() -> None:
    """Living traffic has no thread of its own."""
    before = set(threading.enumerate())
    _, session = start(1000)
    session.wait_readable()
    assert set(threading.enumerate()) <= before
    session.end()


def test_catching_up_is_bounded() -> None:
    """What nobody read in time is lost and counted, not made up for ever."""
    library, session = start(100_000, "10.6.7.7/24")
    device = library.machine.device("Demo")
    source = library.machine.events.sources
    (traffic,) = source.values()
    assert isinstance(traffic, Traffic)
    begin = time.monotonic()
    traffic.run(begin + 3600)
    assert time.monotonic() - begin < 30
    counters = device.counters
    assert counters.received_packets <= 2048
    assert counters.received_dropped > 300_000_000
    assert traffic.due() > begin + 3600
    session.end()


def test_ends_with_the_session() -> None:
    """After the end of the session nothing is sent, and an interrupt ends the wait."""
    library, session = start(50)
    session.interrupt()
    assert session.wait_readable() is False
    session.end()
    assert library.machine.events.sources == {}


def test_quiet_by_default() -> None:
    """Without a rate there is nothing."""
    library, session = start(0, "10.6.7.7/24")
    let_pass(0.02)
    assert session.receive_packets(1) == []
    assert library.machine.events.sources == {}
    session.end()


def test_wireshark_finds_nothing_malformed(tmp_path: Path) -> None:
    """Hellos, records and questions have the lengths that they say."""
    need("tshark")
    device = Machine().create("Demo", "Example", None, persistent=True)
    device.set_addresses([ip_interface("10.6.7.7/24"), ip_interface("fd06:7::7/64")])
    conversations = Conversations(device, Random(1), reuse=False)
    path = tmp_path / "traffic.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
        for number in range(3000):
            packet = conversations.packet()
            file.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
    tell = ["tshark", "-r", str(path), "-Y"]
    hellos = subprocess.check_output([*tell, "tls.handshake.type == 1"], text=True, timeout=60)
    malformed = subprocess.check_output([*tell, "_ws.malformed"], text=True, timeout=60)
    assert hellos != ""
    assert malformed == ""
