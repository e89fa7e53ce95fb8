"""packet.decode: what a person reads, and that nothing makes it raise."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet import build
from wintun_api.packet.decode import Summary, address_text, decode

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


HEADERS = st.sampled_from(
    [
        b"",
        build.udp(*V4, 1, 2, b""),
        build.tcp(*V6, 1, 2),
        build.icmp_echo(*V6, identifier=1, sequence=2),
        build.ipv6(*V6, 0, EXTENDED + AUTHENTICATED),
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
