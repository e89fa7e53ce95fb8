from __future__ import annotations

import random
from ipaddress import ip_interface

import pytest

from wintun_api.drivers.emulated.message import message_of
from wintun_api.drivers.emulated.network import ERRORS_AT_ONCE, ERRORS_PER_SECOND, Host, is_ip
from wintun_api.packet import build
from wintun_api.packet.decode import decode


@pytest.fixture
def host() -> Host:
    host = Host()
    host.set_addresses([ip_interface("10.6.7.7/24"), ip_interface("fd06:7::7/64")])
    return host


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("10.6.7.8", "10.6.7.7"),
        ("10.6.7.8", "10.6.7.99"),
        ("192.0.2.1", "10.6.7.7"),
        ("fd06:7::8", "fd06:7::7"),
        ("fd06:7::8", "fd06:7::99"),
    ],
)
def test_echo(host: Host, source: str, destination: str) -> None:
    """Every address of the subnets answers echo requests, of both versions."""
    request = build.icmp_echo(source, destination, identifier=7, sequence=9, data=b"abc")
    assert host.answer(request) == build.icmp_echo(
        destination, source, identifier=7, sequence=9, data=b"abc", reply=True
    )


@pytest.mark.parametrize(
    ("source", "destination"), [("10.6.7.8", "10.6.7.7"), ("fd06:7::8", "fd06:7::99")]
)
@pytest.mark.parametrize("port", [1, 7, 53, 9999, 49151])
def test_udp(host: Host, source: str, destination: str, port: int) -> None:
    """Every address echoes datagrams at the ports of servers, from the port they went to."""
    datagram = build.udp(source, destination, 4000, port, b"hello")
    assert host.replies(datagram) == (build.udp(destination, source, port, 4000, b"hello"),)


@pytest.mark.parametrize("port", [0, 49152, 65535])
def test_closed_udp_port(host: Host, port: int) -> None:
    """Ports of clients are unreachable; the error quotes the packet (RFC 1122, RFC 4443)."""
    for source, destination in (("10.6.7.8", "10.6.7.7"), ("fd06:7::8", "fd06:7::99")):
        datagram = build.udp(source, destination, 4000, port, b"hello")
        (error,) = host.replies(datagram)
        assert error == build.port_unreachable(datagram)
        message = message_of(error)
        assert message is not None
        assert (str(message.sender), str(message.receiver)) == (destination, source)
        assert message.data[:2] in (b"\x03\x03", b"\x01\x04")
        assert message.data[8:] == datagram


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("10.6.7.8", "10.6.7.255"),
        ("10.6.7.8", "10.6.7.0"),
        ("10.6.7.255", "10.6.7.7"),
        ("255.255.255.255", "10.6.7.7"),
        ("224.0.0.1", "10.6.7.7"),
        ("0.0.0.0", "10.6.7.7"),
        ("ff02::1", "fd06:7::7"),
        ("::", "fd06:7::7"),
    ],
)
def test_no_error_about_groups(host: Host, source: str, destination: str) -> None:
    """Neither errors nor resets are sent about or to addresses that are not one host's."""
    assert not host.replies(build.udp(source, destination, 4000, 50000, b"hello"))
    for port in (7, 80):
        assert not host.replies(build.tcp(source, destination, 4000, port))


def test_errors_are_limited() -> None:
    """So many ICMP errors at once, and so many per second; the others are counted."""
    now = [5.0]
    host = Host(lambda: now[0])
    host.set_addresses([ip_interface("10.6.7.7/24")])
    datagram = build.udp("10.6.7.8", "10.6.7.7", 4000, 50000, b"hello")
    assert sum(len(host.replies(datagram)) for _ in range(200)) == ERRORS_AT_ONCE
    assert host.withheld == 200 - ERRORS_AT_ONCE
    now[0] += 1 / 64
    assert sum(len(host.replies(datagram)) for _ in range(200)) == ERRORS_PER_SECOND // 64


@pytest.mark.parametrize("version", [4, 6])
def test_tcp(host: Host, version: int) -> None:
    """Every address has the echo service at port 7; other ports refuse."""
    source, destination = ("10.6.7.8", "10.6.7.99") if version == 4 else ("fd06:7::8", "fd06:7::99")
    (answer,) = host.replies(build.tcp(source, destination, 4000, 7))
    assert "[S.]" in decode(answer).info
    (refusal,) = host.replies(build.tcp(source, destination, 4000, 80))
    assert "[R.]" in decode(refusal).info
    assert len(host.tcp) == 1


def test_behind_extension_headers(host: Host) -> None:
    """Ping, UDP and TCP are found behind IPv6 extension headers."""
    ends = ("fd06:7::8", "fd06:7::7")
    for packet in (
        build.icmp_echo(*ends, identifier=1, sequence=1),
        build.udp(*ends, 4000, 7, b"hello"),
        build.tcp(*ends, 4000, 7),
    ):
        options = bytes((packet[6], 0, 1, 4, 0, 0, 0, 0))
        assert len(host.replies(build.ipv6(*ends, 60, options + packet[40:]))) == 1


def test_connections_of_a_removed_address(host: Host) -> None:
    """A change of the addresses ends connections to those that are gone, and no others."""
    for source, destination in (("10.6.7.8", "10.6.7.7"), ("fd06:7::8", "fd06:7::7")):
        host.replies(build.tcp(source, destination, 4000, 7))
    host.set_addresses([ip_interface("fd06:7::7/64")])
    assert len(host.tcp) == 1
    host.disconnect()
    assert len(host.tcp) == 0


def test_udp_without_checksum(host: Host) -> None:
    """In IPv4 a datagram may have no checksum (RFC 768); in IPv6 it may not (RFC 8200)."""
    ipv4 = bytearray(build.udp("10.6.7.8", "10.6.7.7", 4000, 7, b"hello"))
    ipv4[26:28] = b"\0\0"
    assert host.answer(bytes(ipv4)) is not None
    ipv6 = bytearray(build.udp("fd06:7::8", "fd06:7::7", 4000, 7, b"hello"))
    ipv6[46:48] = b"\0\0"
    assert host.answer(bytes(ipv6)) is None


@pytest.mark.parametrize(
    "packet",
    [
        build.icmp_echo("10.6.7.8", "10.6.8.1", identifier=1, sequence=1),
        build.icmp_echo("fd06:7::8", "fd06:8::1", identifier=1, sequence=1),
        build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1, reply=True),
        build.icmp_echo("fd06:7::8", "fd06:7::7", identifier=1, sequence=1, reply=True),
        build.tcp("10.6.7.8", "192.0.2.1", 4000, 80),
        build.tcp("10.6.7.8", "192.0.2.1", 4000, 7),
        build.tcp("10.6.7.8", "10.6.7.7", 4000, 80, flags=build.TCP_RST),
        build.udp("10.6.7.8", "192.0.2.1", 4000, 53, b""),
        build.port_unreachable(build.udp("10.6.7.8", "10.6.7.7", 4000, 50000, b"")) or b"",
        build.ipv4("10.6.7.8", "10.6.7.7", 132, bytes(20)),
        build.ipv6("fd06:7::8", "fd06:7::7", 59, b""),
    ],
)
def test_silent(host: Host, packet: bytes) -> None:
    """Nobody answers outside the subnets, and nobody answers an answer."""
    assert not host.replies(packet)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", ["echo", "udp", "tcp"])
def test_every_byte_is_checked(host: Host, version: int, kind: str) -> None:
    """A changed byte below a checksum is noticed; the host drops the packet silently."""
    source, destination = ("10.6.7.8", "10.6.7.7") if version == 4 else ("fd06:7::8", "fd06:7::7")
    packet = {
        "echo": build.icmp_echo(source, destination, identifier=7, sequence=9, data=b"data"),
        "udp": build.udp(source, destination, 4000, 7, b"data"),
        "tcp": build.tcp(source, destination, 4000, 7, payload=b"data"),
    }[kind]
    answers = 0
    for index in range(0 if version == 4 else 8, len(packet)):
        broken = bytearray(packet)
        broken[index] ^= 0x10
        answers += len(host.replies(bytes(broken)))
    assert answers == 0


@pytest.mark.parametrize("seed", range(3))
def test_never_raises(host: Host, seed: int) -> None:
    """Whatever an application injects, the host does not fall over."""
    choose = random.Random(seed)
    packets = [
        build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=7, sequence=9, data=bytes(30)),
        build.udp("10.6.7.8", "10.6.7.7", 4000, 7, bytes(30)),
        build.udp("fd06:7::8", "fd06:7::7", 4000, 7, bytes(30)),
        build.icmp_echo("fd06:7::8", "fd06:7::7", identifier=7, sequence=9, data=bytes(30)),
        build.tcp("10.6.7.8", "10.6.7.7", 4000, 7, options=bytes(8)),
        build.tcp("fd06:7::8", "fd06:7::7", 4000, 80, payload=bytes(30)),
    ]
    for _ in range(3000):
        packet = bytearray(choose.choice(packets))
        for _ in range(choose.randrange(1, 6)):
            packet[choose.randrange(len(packet))] = choose.randrange(256)
        broken = bytes(packet[: choose.randrange(20, len(packet) + 1)])
        if is_ip(broken):
            host.replies(broken)


def test_is_ip() -> None:
    """The kernel driver looks at version and length, no further."""
    assert is_ip(b"\x4f" + bytes(19))
    assert is_ip(b"\x60" + bytes(39))
    for packet in (b"", b"\x45" + bytes(18), b"\x60" + bytes(38), b"\x50" + bytes(60)):
        assert not is_ip(packet)


@pytest.mark.parametrize(("source", "destination"), [(49152, 9), (4000, 7), (7, 7), (7, 9)])
def test_two_hosts_do_not_answer_each_other(host: Host, source: int, destination: int) -> None:
    """Where hosts are on both sides, a datagram and its answers come to an end."""
    packets = [build.udp("10.6.7.8", "10.6.7.7", source, destination, b"hello")]
    for _ in range(4):
        packets = [reply for packet in packets for reply in host.replies(packet)]
    assert packets == []
