"""packet.build: fields, checksums, refusals and the echo reply."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.errors import InvalidArgument
from wintun_api.packet import build
from wintun_api.packet.check import rejection
from wintun_api.packet.checksum import checksum, pseudo_header

V4 = ("10.6.1.1", "10.6.1.2")
V6 = ("fd06::1", "fd06::2")
FAMILIES = pytest.mark.parametrize("addresses", [V4, V6], ids=["v4", "v6"])


def upper_sum(packet: bytes) -> int:
    """Return 0 when the upper-layer checksum with pseudo-header is right."""
    if packet[0] >> 4 == 4:
        head, protocol, source, destination = 20, packet[9], packet[12:16], packet[16:20]
    else:
        head, protocol, source, destination = 40, packet[6], packet[8:24], packet[24:40]
    message = packet[head:]
    return checksum(pseudo_header(source, destination, protocol, len(message)) + message)


def test_ipv4_header() -> None:
    """Every field of the IPv4 header is where RFC 791 has it."""
    packet = build.ipv4(*V4, 253, b"data", ttl=7, identification=0xABCD)
    assert packet[:10].hex() == "45000018abcd000007fd"
    assert checksum(packet[:20]) == 0
    assert packet[12:] == ip_address(V4[0]).packed + ip_address(V4[1]).packed + b"data"


def test_ipv6_header() -> None:
    """Every field of the IPv6 header is where RFC 8200 has it."""
    packet = build.ipv6(*V6, 59, b"data", hop_limit=7)
    assert packet[:8].hex() == "6000000000043b07"
    assert packet[8:] == ip_address(V6[0]).packed + ip_address(V6[1]).packed + b"data"


@FAMILIES
@given(payload=st.binary(max_size=64))
def test_upper_checksums(addresses: tuple[str, str], payload: bytes) -> None:
    """UDP and TCP carry right checksums over both versions, and every driver takes the packet."""
    datagram = build.udp(*addresses, 1, 65535, payload)
    segment = build.tcp(*addresses, 1, 2, sequence=2**32 - 1, payload=payload)
    for packet in (datagram, segment):
        assert upper_sum(packet) == 0
        assert rejection(packet) is None


def test_addresses_may_be_objects() -> None:
    """Address objects and text build the same packet."""
    v4 = build.udp(IPv4Address(V4[0]), IPv4Address(V4[1]), 1, 2, b"x")
    assert v4 == build.udp(*V4, 1, 2, b"x")
    v6 = build.udp(IPv6Address(V6[0]), IPv6Address(V6[1]), 1, 2, b"x")
    assert v6 == build.udp(*V6, 1, 2, b"x")


@FAMILIES
def test_udp_checksum_is_never_zero(addresses: tuple[str, str]) -> None:
    """A UDP checksum that comes out as 0 is sent as 0xffff: 0 says that there is none."""
    head = 20 if addresses is V4 else 40
    plain = build.udp(*addresses, 1, 2, b"\0\0")
    # Adding the checksum of the datagram to its data makes the sum all ones.
    packet = build.udp(*addresses, 1, 2, plain[head + 6 : head + 8])
    assert packet[head + 6 : head + 8] == b"\xff\xff"
    assert upper_sum(packet) == 0


@FAMILIES
def test_tcp_fields(addresses: tuple[str, str]) -> None:
    """Numbers and flags of a segment are where RFC 9293 has them."""
    packet = build.tcp(
        *addresses,
        0x0102,
        0x0304,
        sequence=0x05060708,
        acknowledgement=0x090A0B0C,
        flags=build.TCP_SYN | build.TCP_ACK,
        window=0x0D0E,
    )
    assert packet[-20:-4].hex() == "0102030405060708090a0b0c50120d0e"


@FAMILIES
@given(
    identifier=st.integers(0, 65535), sequence=st.integers(0, 65535), data=st.binary(max_size=64)
)
def test_echo_reply(
    addresses: tuple[str, str], identifier: int, sequence: int, data: bytes
) -> None:
    """The reply to a request is the reply packet with the addresses exchanged."""
    source, destination = addresses
    request = build.icmp_echo(
        source, destination, identifier=identifier, sequence=sequence, data=data
    )
    reply = build.icmp_echo(
        destination, source, identifier=identifier, sequence=sequence, data=data, reply=True
    )
    assert build.echo_reply(request) == reply
    assert build.echo_reply(request + b"\0\0") == reply, "padding behind the packet is no data"
    assert build.echo_reply(reply) is None


def test_echo_reply_drops_ipv4_options() -> None:
    """A request with options is answered without them; identification and data are kept."""
    request = build.icmp_echo(*V4, identifier=5, sequence=6, data=b"data")
    header = bytearray(request[:20] + b"\x01\x01\x01\x00")
    header[0] = 0x46
    header[2:4] = (len(request) + 4).to_bytes(2, "big")
    header[4:6] = b"\x12\x34"
    header[10:12] = b"\0\0"
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    reply = build.echo_reply(bytes(header) + request[20:])
    assert reply is not None
    assert reply[0] == 0x45
    assert reply[4:6] == b"\x12\x34"
    assert (
        reply[20:] == build.icmp_echo(*V4, identifier=5, sequence=6, data=b"data", reply=True)[20:]
    )


def test_echo_reply_behind_extension_headers() -> None:
    """An ICMPv6 request behind destination options is answered."""
    request = build.icmp_echo(*V6, identifier=1, sequence=2, data=b"data")
    options = bytes((58, 0, 1, 4, 0, 0, 0, 0))
    reply = build.echo_reply(build.ipv6(*V6, 60, options + request[40:]))
    assert reply == build.icmp_echo(*V6[::-1], identifier=1, sequence=2, data=b"data", reply=True)


def broken_requests() -> list[bytes]:
    v4 = build.icmp_echo(*V4, identifier=1, sequence=2, data=b"data")
    v6 = build.icmp_echo(*V6, identifier=1, sequence=2, data=b"data")
    message4, message6 = v4[20:], v6[40:]
    return [
        b"",
        b"\x45",
        v4[:-1],
        v6[:-1],
        v4[:-1] + b"?",
        v6[:-1] + b"?",
        b"\x75" + v4[1:],
        v4[:6] + b"\x20\0" + v4[8:],
        v4[:8] + b"\x41" + v4[9:],
        build.udp(*V4, 1, 2, b"12345678"),
        build.udp(*V6, 1, 2, b"12345678"),
        build.ipv4(*V4, build.ICMP, message4[:7]),
        build.ipv4(V4[0], "255.255.255.255", build.ICMP, message4),
        build.ipv4("224.0.0.1", V4[1], build.ICMP, message4),
        build.ipv6(*V6, 44, bytes((58, 0, 0, 1, 0, 0, 0, 9)) + message6),
        build.icmp_echo(V6[0], "ff02::1", identifier=1, sequence=2),
        build.icmp_echo("::", V6[1], identifier=1, sequence=2),
    ]


@pytest.mark.parametrize("packet", broken_requests())
def test_no_echo_reply(packet: bytes) -> None:
    """A host is silent to what is cut, broken, a fragment, sent to a group or no request."""
    assert build.echo_reply(packet) is None


@given(st.binary(max_size=120) | st.binary(max_size=80).map(lambda rest: b"\x45" + rest))
def test_echo_reply_takes_any_bytes(packet: bytes) -> None:
    """No bytes make it raise."""
    build.echo_reply(packet)


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("source", lambda: build.udp("nonsense", V4[1], 1, 2, b"")),
        ("destination", lambda: build.udp(V4[0], V6[1], 1, 2, b"")),
        ("destination", lambda: build.tcp(V6[0], V4[1], 1, 2)),
        ("source", lambda: build.ipv6(*V4, 59, b"")),
        ("source_port", lambda: build.udp(*V4, 65536, 2, b"")),
        ("destination_port", lambda: build.udp(*V4, 1, -1, b"")),
        ("identifier", lambda: build.icmp_echo(*V4, identifier=65536, sequence=0)),
        ("flags", lambda: build.tcp(*V4, 1, 2, flags=256)),
        ("ttl", lambda: build.ipv4(*V4, 1, b"", ttl=256)),
        ("payload", lambda: build.ipv4(*V4, 1, bytes(65516))),
        ("payload", lambda: build.ipv6(*V6, 59, bytes(65496))),
        ("payload", lambda: build.udp(*V4, 1, 2, bytes(65528))),
    ],
)
def test_refusals_name_the_field(field: str, call: object) -> None:
    """What does not fit is refused under the name of its argument."""
    assert callable(call)
    with pytest.raises(InvalidArgument) as refusal:
        call()
    assert refusal.value.field == field


def test_largest_packets() -> None:
    """65535 bytes are an IPv4 packet, and the largest one a driver takes."""
    assert len(build.ipv4(*V4, 253, bytes(65515))) == 65535
    assert len(build.ipv6(*V6, 253, bytes(65495))) == 65535


def test_tcp_options() -> None:
    """Options are between header and data, and the header's length includes them."""
    packet = build.tcp(*V4, 1, 2, options=b"\x02\x04\x05\xb4", payload=b"data")
    assert (packet[32] >> 4, packet[40:]) == (6, b"\x02\x04\x05\xb4data")
    assert upper_sum(packet) == 0
    for wrong in (b"\x01", bytes(44)):
        with pytest.raises(InvalidArgument):
            build.tcp(*V4, 1, 2, options=wrong)


@FAMILIES
@pytest.mark.parametrize("size", [0, 5, 2000])
def test_port_unreachable(addresses: tuple[str, str], size: int) -> None:
    """The error goes back, quotes as much as it may, and has a right checksum."""
    packet = build.udp(*addresses, 1, 2, bytes(size))
    error = build.port_unreachable(packet)
    assert error is not None
    v4 = addresses == V4
    head, longest = (20, 576) if v4 else (40, 1280)
    assert error[head + 8 :] == packet[: longest - head - 8]
    assert error[head : head + 2] == (b"\x03\x03" if v4 else b"\x01\x04")
    assert (checksum(error[20:]) if v4 else upper_sum(error)) == 0
    ends = slice(12, 20) if v4 else slice(8, 40)
    half = len(packet[ends]) // 2
    assert error[ends] == packet[ends][half:] + packet[ends][:half]
    assert rejection(error) is None


def test_no_error() -> None:
    """There is none about a later fragment, a group, or what has no whole IP header."""
    v4, v6 = build.udp(*V4, 1, 2, b"data"), build.udp(*V6, 1, 2, b"data")
    fragment = bytes((17, 0, 0, 8, 0, 0, 0, 9))
    for packet in (
        b"",
        v4[:19],
        v6[:39],
        v4[:6] + b"\0\x01" + v4[8:],
        build.ipv6(*V6, 44, fragment + v6[40:]),
        build.udp(V4[0], "224.0.0.1", 1, 2, b""),
        build.udp("255.255.255.255", V4[1], 1, 2, b""),
        build.udp(V6[0], "ff02::1", 1, 2, b""),
    ):
        assert build.port_unreachable(packet) is None
        assert build.host_unreachable(packet) is None


@FAMILIES
@pytest.mark.parametrize("size", [0, 2000])
def test_host_unreachable(addresses: tuple[str, str], size: int) -> None:
    """The error comes from the address that nobody has; else it is as that about a port."""
    packet = build.udp(*addresses, 1, 2, bytes(size))
    error, about_port = build.host_unreachable(packet), build.port_unreachable(packet)
    assert error is not None
    assert about_port is not None
    head = 20 if addresses == V4 else 40
    assert error[head : head + 2] == (b"\x03\x01" if addresses == V4 else b"\x01\x03")
    assert (checksum(error[20:]) if addresses == V4 else upper_sum(error)) == 0
    assert error[12:head] == about_port[12:head]
    assert error[head + 8 :] == about_port[head + 8 :]
    assert build.host_unreachable(error) is None, "there is no error about an error"
    assert build.host_unreachable(b"") is None


def fragile(packet: bytes) -> bytes:
    """Set Don't Fragment."""
    head = packet[:6] + b"\x40" + packet[7:10] + bytes(2) + packet[12:20]
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + packet[20:]


def test_fragmentation_needed() -> None:
    """RFC 1191: type 3, code 4, the MTU of the next link, and what it is about."""
    packet = fragile(build.udp(*V4, 1, 2, bytes(2000)))
    error = build.too_big(packet, 1280)
    assert error is not None
    assert (error[9], checksum(error[:20]), checksum(error[20:])) == (1, 0, 0)
    assert (error[12:16], error[16:20]) == (packet[16:20], packet[12:16])
    assert (error[20:22], error[24:28]) == (b"\x03\x04", b"\0\0\x05\0")
    assert error[28:] == packet[: 576 - 28]
    assert build.too_big(build.udp(*V4, 1, 2, bytes(2000)), 1280) is None


def test_packet_too_big() -> None:
    """RFC 4443: type 2, code 0, the MTU in 32 bits, and what it is about."""
    packet = build.udp(*V6, 1, 2, bytes(2000))
    error = build.too_big(packet, 1300)
    assert error is not None
    assert upper_sum(error) == 0
    assert (error[40:42], error[44:48]) == (b"\x02\0", (1300).to_bytes(4, "big"))
    assert error[48:] == packet[: 1280 - 48]
    assert len(error) == 1280


@FAMILIES
def test_no_error_about_an_error(addresses: tuple[str, str]) -> None:
    """Nor about a packet to a group, or a later fragment; but about a ping."""
    packet = build.udp(*addresses, 1, 2, bytes(100))
    packet = packet if packet[0] >> 4 == 6 else fragile(packet)
    error = build.too_big(packet, 68)
    assert error is not None
    error = error if error[0] >> 4 == 6 else fragile(error)
    assert build.too_big(error, 68) is None
    ping = build.icmp_echo(*addresses, identifier=1, sequence=1, data=bytes(100))
    ping = ping if ping[0] >> 4 == 6 else fragile(ping)
    assert build.too_big(ping, 68) is not None
    group = "224.0.0.1" if "." in addresses[0] else "ff02::1"
    to_group = build.udp(addresses[0], group, 1, 2, bytes(100))
    to_group = to_group if to_group[0] >> 4 == 6 else fragile(to_group)
    assert build.too_big(to_group, 68) is None


@given(packet=st.binary(max_size=100), mtu=st.integers(68, 65535))
def test_any_bytes_have_an_error_or_none(packet: bytes, mtu: int) -> None:
    """It never raises."""
    for first in (b"", b"\x45", b"\x60", b"\x4f"):
        error = build.too_big(first + packet, mtu)
        assert error is None or rejection(error) is None
