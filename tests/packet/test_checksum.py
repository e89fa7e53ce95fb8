"""packet.checksum against RFC 1071 and against the slow way to count."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.packet.checksum import checksum, pseudo_header


def slow(data: bytes) -> int:
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_rfc_1071_example() -> None:
    """The example of RFC 1071, section 3, sums to 0xddf2."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xFFFF), (b"\0\0", 0xFFFF), (b"\xff\xff", 0), (b"\xff\xff\0", 0), (b"\x01", 0xFEFF)],
)
def test_zeros(data: bytes, expected: int) -> None:
    """Both zeros of ones' complement come out as they do word by word."""
    assert checksum(data) == expected


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"\0", b"\xff"])).map(b"".join))
def test_equals_the_slow_way(data: bytes) -> None:
    """Any bytes give what the loop over words gives."""
    assert checksum(data) == slow(data)


def test_verifies_to_zero() -> None:
    """Data with its checksum inside sums to zero."""
    data = bytes.fromhex("4500003c1c4640004006") + b"\0\0" + bytes.fromhex("ac100a63ac100a0c")
    total = checksum(data)
    assert total == 0xB1E6
    assert checksum(data[:10] + total.to_bytes(2, "big") + data[12:]) == 0


def test_pseudo_headers() -> None:
    """Both pseudo-headers are laid out as their RFCs draw them."""
    v4 = (ip_address("10.0.0.1").packed, ip_address("10.0.0.2").packed)
    assert pseudo_header(*v4, 17, 0x1234) == bytes.fromhex("0a000001 0a000002 00 11 1234")
    v6 = (ip_address("fd00::1").packed, ip_address("fd00::2").packed)
    assert pseudo_header(*v6, 58, 0x12345) == b"".join(v6) + bytes.fromhex("00012345 000000 3a")
