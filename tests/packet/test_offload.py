"""Packets that a network card would have finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet import build
from wintun_api.packet.checksum import checksum, pseudo_header
from wintun_api.packet.offload import completed

DATA = bytes(range(200)) * 3
ENDS = {4: ("10.6.7.9", "10.6.7.7"), 6: ("fd06:7::9", "fd06:7::7")}
HEADER = {4: 20, 6: 40}
PLACE = {"tcp": 16, "udp": 6}
NUMBER = {"tcp": 6, "udp": 17}


def whole(version: int, protocol: str) -> bytes:
    source, destination = ENDS[version]
    if protocol == "udp":
        return build.udp(source, destination, 5000, 53, DATA)
    return build.tcp(source, destination, 5000, 80, payload=DATA)


def put(packet: bytes, at: int, value: int) -> bytes:
    return packet[:at] + value.to_bytes(2, "big") + packet[at + 2 :]


def pseudo_sum(packet: bytes, version: int, protocol: str, length: int) -> int:
    ends = (packet[12:16], packet[16:20]) if version == 4 else (packet[8:24], packet[24:40])
    return 0xFFFF - checksum(pseudo_header(*ends, NUMBER[protocol], length))


BOTH = pytest.mark.parametrize("protocol", ["tcp", "udp"])
VERSIONS = pytest.mark.parametrize("version", [4, 6])


@BOTH
@VERSIONS
def test_a_finished_packet_stays(version: int, protocol: str) -> None:
    """A packet with nothing missing comes back as the same object."""
    packet = whole(version, protocol)
    assert completed(packet) is packet


@BOTH
@VERSIONS
def test_a_checksum_left_to_the_card(version: int, protocol: str) -> None:
    """The sum of the pseudo-header alone is replaced by the checksum."""
    packet = whole(version, protocol)
    at = HEADER[version] + PLACE[protocol]
    partial = pseudo_sum(packet, version, protocol, len(packet) - HEADER[version])
    assert completed(put(packet, at, partial)) == packet


@BOTH
@VERSIONS
def test_a_length_left_to_the_card(version: int, protocol: str) -> None:
    """A length of 0 is replaced by the real one, and the checksums are calculated."""
    packet = whole(version, protocol)
    left = put(packet, 2 if version == 4 else 4, 0)
    left = put(left, HEADER[version] + PLACE[protocol], pseudo_sum(packet, version, protocol, 0))
    if version == 4:
        left = put(left, 10, 0)
    if protocol == "udp":
        left = put(left, HEADER[version] + 4, 0)
    assert completed(left) == packet


def test_a_header_checksum_left_to_the_card() -> None:
    """An IPv4 header without a checksum gets one."""
    packet = whole(4, "tcp")
    assert completed(put(packet, 10, 0)) == packet


@BOTH
@VERSIONS
def test_another_wrong_checksum_stays(version: int, protocol: str) -> None:
    """A checksum that is wrong in another way may be meant so."""
    at = HEADER[version] + PLACE[protocol]
    packet = whole(version, protocol)
    wrong = put(packet, at, int.from_bytes(packet[at : at + 2], "big") ^ 0x0101)
    assert completed(wrong) is wrong


def test_udp_without_a_checksum_stays() -> None:
    """A UDP checksum of 0 over IPv4 says that there is none."""
    packet = put(whole(4, "udp"), 26, 0)
    assert completed(packet) is packet


def test_a_fragment_keeps_its_checksum() -> None:
    """The checksum of a fragment covers data that is in other packets."""
    packet = put(whole(4, "udp"), 6, 0x2000)
    packet = put(packet, 10, 0)
    packet = put(packet, 10, checksum(packet[:20]))
    partial = put(packet, 26, pseudo_sum(packet, 4, "udp", len(packet) - 20))
    assert completed(partial) is partial


EXTENSIONS = {
    "hop-by-hop, padding": (0, bytes((0, 1, 4, 0, 0, 0, 0))),
    "hop-by-hop, router alert": (0, bytes((0, 5, 2, 0, 0, 0, 0))),
    "destination options": (60, bytes((0, 1, 4, 0, 0, 0, 0))),
    "routing": (43, bytes((0, 253, 0, 0, 0, 0, 0))),
}


@BOTH
@pytest.mark.parametrize("name", EXTENSIONS)
def test_a_length_left_to_the_card_before_extension_headers(name: str, protocol: str) -> None:
    """What stands between IPv6 and TCP or UDP changes nothing of that."""
    kind, rest = EXTENSIONS[name]
    upper = whole(6, protocol)[40:]
    packet = build.ipv6(*ENDS[6], kind, bytes((NUMBER[protocol],)) + rest + upper)
    left = put(put(packet, 4, 0), 48 + PLACE[protocol], pseudo_sum(packet, 6, protocol, 0))
    if protocol == "udp":
        left = put(left, 52, 0)
    assert completed(left) == packet


@pytest.mark.parametrize("before", [b"", b"\0\0", b"\1\0", b"\5\2\0\0\1\0"])
def test_a_jumbogram_stays(before: bytes) -> None:
    """A length of 0 with the Jumbo Payload option says that the length is there (RFC 2675)."""
    options = before + b"\xc2\4\0\1\0\0"
    size = (2 + len(options) + 7) // 8
    header = (bytes((6, size - 1)) + options).ljust(size * 8, b"\0")
    packet = put(build.ipv6(*ENDS[6], 0, header + bytes(100)), 4, 0)
    assert completed(packet) is packet


def test_padding_behind_no_next_header_stays() -> None:
    """A packet that carries nothing has the length 0, whatever fills its frame."""
    packet = build.ipv6(*ENDS[6], 59, b"") + bytes(6)
    assert completed(packet) is packet


@given(st.binary(max_size=120))
def test_it_never_raises(data: bytes) -> None:
    """Whatever the bytes are, as many come back."""
    assert len(completed(data)) == len(data)


@given(
    st.sampled_from([0x45, 0x4F, 0x60]), st.sampled_from([6, 17, 44, 0, 60]), st.binary(max_size=90)
)
def test_it_never_raises_on_headers(first: int, protocol: int, data: bytes) -> None:
    """Headers that lie about their lengths do no harm."""
    head = bytes([first]) + bytes(5) + bytes([protocol, 64, 0, protocol]) + bytes(30)
    assert len(completed(head + data)) == len(head + data)
