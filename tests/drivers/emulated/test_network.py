from __future__ import annotations

import random
from ipaddress import ip_interface

import pytest

from wintun_api.drivers.emulated.network import Host, is_ip
from wintun_api.packet import build


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
def test_udp(host: Host, source: str, destination: str) -> None:
    """Every address echoes datagrams, from the port they went to."""
    datagram = build.udp(source, destination, 4000, 7, b"hello")
    assert host.answer(datagram) == build.udp(destination, source, 7, 4000, b"hello")


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
        build.tcp("10.6.7.8", "10.6.7.7", 4000, 80),
        build.udp("10.6.7.8", "192.0.2.1", 4000, 53, b""),
    ],
)
def test_silent(host: Host, packet: bytes) -> None:
    """Nobody answers outside the subnets, and nobody answers an answer."""
    assert host.answer(packet) is None


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", ["echo", "udp"])
def test_every_byte_is_checked(host: Host, version: int, kind: str) -> None:
    """A changed byte below a checksum is noticed; the host drops the packet silently."""
    source, destination = ("10.6.7.8", "10.6.7.7") if version == 4 else ("fd06:7::8", "fd06:7::7")
    packet = (
        build.icmp_echo(source, destination, identifier=7, sequence=9, data=b"data")
        if kind == "echo"
        else build.udp(source, destination, 4000, 7, b"data")
    )
    answers = 0
    for index in range(0 if version == 4 else 8, len(packet)):
        broken = bytearray(packet)
        broken[index] ^= 0x10
        answers += host.answer(bytes(broken)) is not None
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
    ]
    for _ in range(3000):
        packet = bytearray(choose.choice(packets))
        for _ in range(choose.randrange(1, 6)):
            packet[choose.randrange(len(packet))] = choose.randrange(256)
        broken = bytes(packet[: choose.randrange(20, len(packet) + 1)])
        if is_ip(broken):
            host.answer(broken)


def test_is_ip() -> None:
    """The kernel driver looks at version and length, no further."""
    assert is_ip(b"\x4f" + bytes(19))
    assert is_ip(b"\x60" + bytes(39))
    for packet in (b"", b"\x45" + bytes(18), b"\x60" + bytes(38), b"\x50" + bytes(60)):
        assert not is_ip(packet)
