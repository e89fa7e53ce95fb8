"""packet.decode: what a person reads, and that nothing makes it raise."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet import build
from wintun_api.packet.decode import Summary, address_text, decode
from wintun_api.packet.ipv6 import MAX_HEADERS

V4 = ("10.6.1.1", "10.6.1.2")
V6 = ("fd06::1", "fd06::2")


def icmp(*message: int | bytes) -> bytes:
    return build.ipv4(*V4, 1, b"".join(m if isinstance(m, bytes) else bytes((m,)) for m in message))


def icmpv6(*message: int | bytes) -> bytes:
    parts = (m if isinstance(m, bytes) else bytes((m,)) for m in message)
    return build.ipv6(*V6, 58, b"".join(parts))


def patched(packet: bytes, at: int, replacement: bytes) -> bytes:
    return packet[:at] + replacement + packet[at + len(replacement) :]


def test_summary_of_a_datagram() -> None:
    """All fields of a UDP datagram."""
    assert decode(build.udp(*V4, 4000, 53, b"12345")) == Summary(
        version=4,
        source="10.6.1.1",
        destination="10.6.1.2",
        protocol=17,
        protocol_name="UDP",
        source_port=4000,
        destination_port=53,
        length=33,
        info="4000 > 53 UDP, length 5",
    )


def test_summary_is_frozen_and_slotted() -> None:
    """A summary cannot be changed and carries no dictionary."""
    summary = decode(b"")
    with pytest.raises(dataclasses.FrozenInstanceError):
        summary.length = 1  # type: ignore[misc]
    assert not hasattr(summary, "__dict__")


FIRST_FRAGMENT = build.udp(*V6, 1, 2, bytes(8))[40:]
EXTENDED = bytes((60, 0, 1, 4, 0, 0, 0, 0)) + bytes((51, 1)) + bytes(14)
AUTHENTICATED = bytes((17, 4)) + bytes(22) + build.udp(*V6, 7, 8, b"")[40:]


@pytest.mark.parametrize(
    ("packet", "info"),
    [
        (b"", "empty"),
        (b"\x20\0", "not IP: version 2, length 2"),
        (b"\x45" + bytes(18), "truncated IPv4 header, length 19"),
        (b"\x60" + bytes(38), "truncated IPv6 header, length 39"),
        (
            b"\x44" + build.udp(*V4, 1, 2, b"")[1:],
            "bad IPv4 header, header length 16, total length 28",
        ),
        (build.tcp(*V4, 1, 2, sequence=3), "1 > 2 [S], seq 3, win 64240, length 0"),
        (
            build.tcp(*V6, 1, 2, acknowledgement=9, flags=0x18, payload=b"ab"),
            "1 > 2 [P.], seq 0, ack 9, win 64240, length 2",
        ),
        (build.tcp(*V4, 1, 2, flags=0), "1 > 2 [none], seq 0, win 64240, length 0"),
        (
            build.tcp(*V4, 1, 2, flags=255),
            "1 > 2 [FSRP.UEW], seq 0, ack 0, win 64240, length 0",
        ),
        (patched(build.tcp(*V4, 1, 2), 32, b"\x40"), "1 > 2 bad TCP header"),
        (build.tcp(*V4, 1, 2)[:30], "truncated TCP header, 10 of 20 bytes"),
        (patched(build.udp(*V4, 1, 2, b""), 24, b"\0\7"), "1 > 2 UDP, bad length 7"),
        (build.udp(*V4, 1, 2, bytes(100))[:40], "1 > 2 UDP, length 100"),
        (
            build.icmp_echo(*V4, identifier=1, sequence=2, data=bytes(56)),
            "echo request, id 1, seq 2, length 64",
        ),
        (
            build.icmp_echo(*V6, identifier=1, sequence=2, reply=True),
            "echo reply, id 1, seq 2, length 8",
        ),
        (icmp(3, 3, bytes(6)), "port unreachable, length 8"),
        (icmp(3, 4, bytes(4), 5, 0x78), "fragmentation needed, mtu 1400, length 8"),
        (icmp(3, 99, bytes(6)), "destination unreachable, code 99, length 8"),
        (icmp(5, 1, 0, 0, bytes((10, 6, 1, 9))), "redirect to 10.6.1.9, length 8"),
        (icmp(11, 0, bytes(6)), "time exceeded, length 8"),
        (icmp(77, 1, bytes(6)), "ICMP type 77 code 1, length 8"),
        (icmp(8, 0), "truncated ICMP header, 2 of 8 bytes"),
        (icmpv6(1, 4, bytes(6)), "port unreachable, length 8"),
        (icmpv6(2, 0, bytes(4), 5, 0), "packet too big, mtu 1280, length 8"),
        (
            icmpv6(135, 0, bytes(6), b"\xfe\x80", bytes(13), 7),
            "neighbor solicitation, who has fe80::7, length 24",
        ),
        (
            icmpv6(136, 0, bytes(6), b"\xfe\x80", bytes(13), 7),
            "neighbor advertisement, target fe80::7, length 24",
        ),
        (icmpv6(133, 0, bytes(6)), "router solicitation, length 8"),
        (icmpv6(200, 3, bytes(6)), "ICMPv6 type 200 code 3, length 8"),
        (build.ipv4(*V4, 2, bytes(8)), "IGMP, length 8"),
        (build.ipv4(*V4, 253, bytes(8)), "protocol 253, length 8"),
        (build.ipv6(*V6, 59, b""), "IPv6-NoNxt, length 0"),
        (build.ipv4(*V4, 132, bytes((0, 1, 0, 2)) + bytes(8)), "1 > 2 SCTP, length 12"),
        (
            patched(build.udp(*V4, 1, 2, bytes(8)), 6, b"\x00\x02"),
            "fragment id 0, offset 16, last, length 16",
        ),
        (
            patched(build.udp(*V4, 1, 2, bytes(8)), 4, b"\0\7\x20\0"),
            "1 > 2 UDP, length 8; fragment id 7, offset 0, more follow, length 16",
        ),
        (
            build.ipv6(*V6, 44, bytes((17, 0, 0, 1, 0, 0, 0, 7)) + FIRST_FRAGMENT),
            "1 > 2 UDP, length 8; fragment id 7, offset 0, more follow, length 16",
        ),
        (
            build.ipv6(*V6, 44, bytes((17, 0, 0, 8, 0, 0, 0, 7)) + bytes(5)),
            "fragment id 7, offset 8, last, length 5",
        ),
        (build.ipv6(*V6, 0, EXTENDED + AUTHENTICATED), "7 > 8 UDP, length 0"),
        (build.ipv6(*V6, 43, bytes(4)), "truncated IPv6-Route header"),
        (build.ipv6(*V6, 0, bytes((17, 200)) + bytes(6)), "truncated UDP header"),
    ],
)
def test_info(packet: bytes, info: str) -> None:
    """The line for people, in tcpdump's manner."""
    assert decode(packet).info == info


def test_later_fragments_have_no_ports() -> None:
    """Data of a later fragment is not taken for a header."""
    summary = decode(patched(build.udp(*V4, 1, 2, bytes(8)), 6, b"\x00\x02"))
    assert (summary.protocol_name, summary.source_port) == ("UDP", None)


def test_offloaded_lengths() -> None:
    """A length field of 0 means the bytes that are there."""
    assert decode(patched(build.tcp(*V4, 1, 2), 2, b"\0\0")).info.endswith("length 0")
    assert decode(patched(build.tcp(*V6, 1, 2), 4, b"\0\0")).info.endswith("length 0")


@pytest.mark.parametrize(
    ("text"), ["0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1:0:0:1", "::ffff:1.2.3.4"]
)
def test_address_text(text: str) -> None:
    """Addresses are written as RFC 5952 wants them, whatever the Python."""
    packet = build.udp(text, text, 1, 2, b"") if ":" in text else build.udp(text, V4[1], 1, 2, b"")
    assert decode(packet).source == text
    assert address_text(packet[8:24] if ":" in text else packet[12:16]) == text


def wrapped(packet: bytes, count: int, protocol: int = 4) -> bytes:
    for _ in range(count):
        around = build.ipv4(*V4, protocol, packet) if len(packet) < 65_000 else packet
        packet = around
    return packet


@pytest.mark.parametrize(
    ("packet", "protocol", "ends"),
    [
        (build.ipv4("192.0.2.1", "192.0.2.2", 4, build.udp(*V4, 1, 2, b"")), 17, V4),
        (build.ipv4("192.0.2.1", "192.0.2.2", 41, build.tcp(*V6, 1, 2)), 6, V6),
        (build.ipv6("fe80::1", "fe80::2", 41, build.tcp(*V6, 1, 2)), 6, V6),
        (build.ipv6("fe80::1", "fe80::2", 4, build.udp(*V4, 1, 2, b"")), 17, V4),
    ],
)
def test_a_tunnel_is_what_it_carries(packet: bytes, protocol: int, ends: tuple[str, str]) -> None:
    """Addresses, protocol and ports are the inner packet's; the line names the tunnel's ends."""
    summary = decode(packet)
    assert (summary.source, summary.destination) == ends
    assert (summary.protocol, summary.source_port, summary.length) == (protocol, 1, len(packet))
    outer = "IPv4 192.0.2.1 > 192.0.2.2" if packet[0] >> 4 == 4 else "IPv6 fe80::1 > fe80::2"
    assert summary.info.endswith(f"; in {outer}")


@pytest.mark.parametrize("count", [MAX_HEADERS, 100, 3200])
def test_nested_headers_are_followed_so_far_and_no_further(count: int) -> None:
    """More headers than are followed end in a line that says so."""
    summary = decode(wrapped(build.udp(*V4, 1, 2, b""), count))
    assert summary.info.startswith(f"more than {MAX_HEADERS} nested headers, the rest is not")
    assert (summary.protocol_name, summary.source_port) == ("IPv4", None)


def test_as_many_headers_as_are_followed_are_decoded_to_the_end() -> None:
    """The last header that is followed is still described."""
    summary = decode(wrapped(build.udp(*V4, 1, 2, b""), MAX_HEADERS - 1))
    assert summary.info == (
        f"1 > 2 UDP, length 0; in IPv4 10.6.1.1 > 10.6.1.2 and {MAX_HEADERS - 2} more tunnels"
    )


@pytest.mark.parametrize(("count", "deep"), [(MAX_HEADERS - 1, False), (MAX_HEADERS, True)])
@pytest.mark.parametrize("kind", [0, 43, 60, 135, 139, 140])
def test_a_chain_of_extension_headers_is_followed_so_far(
    kind: int, count: int, *, deep: bool
) -> None:
    """The IP header counts too, and what is behind too many headers is not taken for another."""
    upper = bytes((kind, 0, 1, 4, 0, 0, 0, 0)) * (count - 1) + bytes((17, 0, 1, 4, 0, 0, 0, 0))
    summary = decode(build.ipv6(*V6, kind, upper + build.udp(*V6, 1, 2, b"")[40:]))
    assert summary.protocol == (kind if deep else 17)
    assert ("nested headers" in summary.info) is deep


@pytest.mark.parametrize(("kind", "name"), [(135, "Mobility"), (139, "HIP"), (140, "Shim6")])
def test_what_a_packet_is_for(kind: int, name: str) -> None:
    """Mobility, HIP and Shim6 are the protocol where nothing follows, and else what follows."""
    alone = build.ipv6(*V6, kind, bytes((59, 0, 1, 4, 0, 0, 0, 0)))
    assert (decode(alone).protocol_name, decode(alone).info) == (name, f"{name}, length 8")
    before = bytes((6, 0, 1, 4, 0, 0, 0, 0)) + build.tcp(*V6, 1, 2)[40:]
    assert decode(build.ipv6(*V6, kind, before)).protocol_name == "TCP"


def test_authentication_in_ipv4_is_followed() -> None:
    """The header of RFC 4302 stands before the upper layer in IPv4 too."""
    summary = decode(build.ipv4(*V4, 51, AUTHENTICATED))
    assert (summary.protocol_name, summary.destination_port) == ("UDP", 8)


@pytest.mark.parametrize("protocol", [50, 59, 253, 254])
def test_what_cannot_be_looked_behind_is_the_protocol(protocol: int) -> None:
    """Encryption, no next header and experiments end the chain."""
    summary = decode(build.ipv6(*V6, protocol, bytes((6, 0, 1, 4)) + bytes(24)))
    assert (summary.protocol, summary.source_port) == (protocol, None)


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (
            patched(build.udp(*V4, 1, 2, b"1234"), 24, b"\xff\xff"),
            "1 > 2 UDP, bad length 65535, of which 12 bytes are there",
        ),
        (patched(build.udp(*V4, 1, 2, b"1234"), 24, b"\0\0"), "1 > 2 UDP, bad length 0"),
        (patched(build.udp(*V6, 1, 2, b"1234"), 44, b"\0\0"), "1 > 2 UDP, length 4"),
        (patched(build.udp(*V4, 1, 2, b"1234"), 24, b"\0\x0a"), "1 > 2 UDP, length 2"),
        (patched(build.udp(*V4, 1, 2, b"1234"), 26, b"\0\0"), "1 > 2 UDP, length 4"),
        (
            patched(build.udp(*V6, 1, 2, b"1234"), 46, b"\0\0"),
            "1 > 2 UDP, length 4, invalid checksum 0 (UDP over IPv6 must have a checksum)",
        ),
    ],
)
def test_lengths_and_checksums_of_udp(packet: bytes, said: str) -> None:
    """What the header claims is told from what is there, and no checksum from a forbidden one."""
    assert decode(packet).info == said


@pytest.mark.parametrize("version", [4, 6])
def test_an_ip_length_beyond_the_packet(version: int) -> None:
    """It is said when the packet's length is known, and is no fault where a capture was cut."""
    ends = V4 if version == 4 else V6
    whole = build.udp(*ends, 1, 2, bytes(100))
    cut = whole[:60]
    assert "claims" not in decode(cut, len(whole)).info
    assert decode(cut, 60).info.endswith(
        f"; the IP header claims {len(whole)} bytes, of which 60 are there"
    )


def test_ports_of_a_cut_header() -> None:
    """Four bytes of a header are enough for its ports."""
    summary = decode(build.tcp(*V4, 1, 2)[:24])
    assert (summary.source_port, summary.destination_port) == (1, 2)


HEADERS = st.sampled_from(
    [
        b"",
        build.udp(*V4, 1, 2, b""),
        build.tcp(*V6, 1, 2),
        build.icmp_echo(*V6, identifier=1, sequence=2),
        build.ipv6(*V6, 0, EXTENDED + AUTHENTICATED),
        wrapped(build.udp(*V4, 1, 2, b""), 3),
    ]
)


@given(
    HEADERS, st.binary(max_size=90), st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)))
)
def test_never_raises(header: bytes, rest: bytes, changes: list[tuple[int, int]]) -> None:
    """Any bytes, near a packet or far from one, give a summary."""
    data = bytearray(header + rest)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    for cut in {len(data), len(data) // 2, min(len(data), 41)}:
        summary = decode(bytes(data[:cut]))
        assert summary.length == cut
        assert summary.info


def test_destination_is_the_end_of_a_source_route() -> None:
    """While routers are ahead the last address of the route counts, then that of the header."""
    for pointer, destination in ((4, "198.51.100.2"), (12, "10.6.1.2")):
        whole = build.udp(*V4, 1, 2, b"data")
        option = bytes((131, 11, pointer)) + bytes((198, 51, 100, 1, 198, 51, 100, 2, 0))
        routed = b"\x48" + whole[1:2] + (len(whole) + 12).to_bytes(2, "big") + whole[4:20]
        assert decode(routed + option + whole[20:]).destination == destination


def test_destination_is_the_end_of_a_routing_header() -> None:
    """Segments that are left lead to the last address; a segment list begins with it."""
    hops = b"".join(bytes(15) + bytes((number,)) for number in (7, 8))
    upper = build.udp(*V6, 1, 2, b"data")[40:]
    for kind, left, destination in ((0, 1, "::8"), (0, 0, V6[1]), (4, 1, "::7"), (9, 1, V6[1])):
        header = bytes((17, 4, kind, left)) + bytes(4) + hops
        summary = decode(build.ipv6(*V6, 43, header + upper))
        assert (summary.destination, summary.destination_port) == (destination, 2)


def test_address_of_ipv4_in_ipv6_is_written_as_such() -> None:
    """RFC 4291, section 2.5.5: compatible and mapped addresses; small numbers are none."""
    for text in ("::1.2.3.4", "::ffff:1.2.3.4", "::1", "::", "::ffff"):
        packed = bytes(build.ipv6(text, "fd06::1", 17, b""))[8:24] if text != "::1.2.3.4" else None
        assert address_text(packed or bytes(12) + bytes((1, 2, 3, 4))) == text
