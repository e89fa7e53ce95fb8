from __future__ import annotations

import random

import pytest

from wintun_api.drivers.emulated.message import message_of
from wintun_api.drivers.emulated.segment import MASK, Segment, mss_option, offset_of, segment_of
from wintun_api.packet import build

ENDS = ("10.6.7.8", "10.6.7.7")


def read(packet: bytes) -> Segment | None:
    message = message_of(packet)
    assert message is not None
    return segment_of(message)


def test_fields() -> None:
    """Every field is read."""
    packet = build.tcp(
        *ENDS, 1, 2, sequence=3, acknowledgement=4, flags=0x12, window=5, payload=b"data"
    )
    assert read(packet) == Segment(1, 2, 3, 4, 0x12, 5, None, b"data")


@pytest.mark.parametrize(
    ("options", "mss"),
    [
        (mss_option(1460), 1460),
        (b"\x01\x01\x01\x01" + mss_option(536), 536),
        (b"\x08\x0a" + bytes(8) + b"\x01\x01" + mss_option(65535), 65535),
        (b"\x00\x00\x00\x00" + mss_option(536), None),  # behind the end of the list
        (b"\x02\x04\x00\x00", None),  # 0 says nothing
        (b"\x02\x03\x05\x00", None),
        (b"\x03\x00\x02\x04", None),  # a length of 0 leads nowhere
        (b"\x01\x01\x02\x09", None),
        (b"\x01\x01\x01\x02", None),
    ],
)
def test_mss(options: bytes, mss: int | None) -> None:
    """The option is found among others; options that are wrong end the search."""
    segment = read(build.tcp(*ENDS, 1, 2, options=options, payload=b"x"))
    assert segment is not None
    assert (segment.mss, segment.data) == (mss, b"x")


@pytest.mark.parametrize("flags", [0x02, 0x01, 0x03, 0x10])
def test_length(flags: int) -> None:
    """SYN and FIN take a number each."""
    segment = read(build.tcp(*ENDS, 1, 2, flags=flags, payload=b"abc"))
    assert segment is not None
    assert segment.length == 3 + (flags & 1) + (flags >> 1 & 1)


def test_broken() -> None:
    """A changed byte, a short header and a header longer than the segment are noticed."""
    packet = build.tcp(*ENDS, 1, 2, payload=b"data")
    for at in range(20, len(packet)):
        wrong = bytearray(packet)
        wrong[at] ^= 1
        assert read(bytes(wrong)) is None
    assert read(build.ipv4(*ENDS, build.TCP, bytes(19))) is None


def test_offset() -> None:
    """Numbers wrap, places do not; the closest place is meant."""
    choose = random.Random(1)
    for _ in range(2000):
        initial, near = choose.randrange(1 << 32), choose.randrange(1 << 40)
        place = near + choose.randrange(-(1 << 31), 1 << 31)
        assert offset_of((initial + place) & MASK, initial, near) == place
