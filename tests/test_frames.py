"""WebSocket frames as they are written: headers as short as can be, and many in one piece."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest

from tests.extension import extension
from wintun_api.frames import (
    BatchFrame,
    PacketFrames,
    batch_frame_with,
    close_reason,
    frame_header,
    packet_frames_with,
)
from wintun_api.packet.block import Block
from wintun_api.wire import Batch, pack


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frame_headers(length: int, header: bytes) -> None:
    """Lengths are written in the shortest form (RFC 6455, section 5.2)."""
    assert frame_header(0x82, length) == header


@pytest.fixture(params=["python", "native"])
def packet_frames(request: pytest.FixtureRequest) -> PacketFrames:
    """Both ways to make the frames of packets."""
    return packet_frames_with(None if request.param == "python" else extension())


LENGTHS = [
    [],
    [0],
    [3],
    [126, 126, 126],
    [2, 126, 65535, 0, 2],
    [*range(130)],
    [255, 256, 257, 32767, 32768],
    [65535, 65535],
]


def framed(packets: list[bytes]) -> bytes:
    """Return what every way must make of these packets."""
    return b"".join(frame_header(0x82, len(packet)) + packet for packet in packets)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_packet_frames(packet_frames: PacketFrames, lengths: list[int]) -> None:
    """A frame per packet, back to back, whether the lengths are equal or not."""
    packets = [bytes([index]) * length for index, length in enumerate(lengths)]
    assert packet_frames(packets, lengths) == framed(packets)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("before", "behind"), [(b"", b""), (b"before", b""), (b"b", b"behind")])
def test_packet_frames_of_a_block(
    packet_frames: PacketFrames, lengths: list[int], before: bytes, behind: bytes
) -> None:
    """Nothing of the memory around the packets of a block comes into a frame."""
    packets = [bytes([index]) * length for index, length in enumerate(lengths)]
    memory, table = before + b"".join(packets) + behind, array("H", lengths)
    block = Block(memory, table, sum(lengths), len(before))
    assert packet_frames(block, table) == framed(packets)


@pytest.mark.parametrize(
    ("start", "lengths"), [(0, [5]), (4, [1]), (3, [1, 1]), (5, []), (2**62, [1])]
)
def test_packets_beyond_their_memory_are_an_error(start: int, lengths: list[int]) -> None:
    """The extension reads no byte that the memory does not have."""
    with pytest.raises(ValueError, match="more than the memory"):
        extension().packet_frames(b"four", start, array("H", lengths))


@pytest.fixture(params=["python", "native"])
def batch_frame(request: pytest.FixtureRequest) -> BatchFrame:
    """Both ways to make the frame of a batch."""
    return batch_frame_with(None if request.param == "python" else extension())


# The payload of a frame has 32 bytes of the header, 2 for each length, and the packets.
@pytest.mark.parametrize("lengths", [*LENGTHS, [91], [92], [65501], [65502]])
@pytest.mark.parametrize(
    ("sequence", "time_ns", "injected"), [(0, 0, False), (258, 2**63, True), (2**64 - 1, 1, False)]
)
@pytest.mark.parametrize(("before", "behind"), [(None, b""), (b"", b""), (b"before", b"behind")])
def test_the_frame_of_a_batch(  # noqa: PLR0917 - what a batch has, and where its packets lie
    batch_frame: BatchFrame,
    lengths: list[int],
    sequence: int,
    time_ns: int,
    injected: bool,
    before: bytes | None,
    behind: bytes,
) -> None:
    """One frame with what `wire.pack` makes, whether the packets are a list or in a block."""
    packets = [bytes([index]) * length for index, length in enumerate(lengths)]
    given: Sequence[bytes] = packets
    column: Sequence[int] = lengths
    if before is not None:
        column = array("H", lengths)
        given = Block(before + b"".join(packets) + behind, column, sum(lengths), len(before))
    batch = pack(Batch(packets, sequence=sequence, time_ns=time_ns, injected=injected))
    expected = frame_header(0x82, len(batch)) + batch
    assert batch_frame(given, column, sequence, time_ns, injected) == expected


@pytest.mark.parametrize(
    "text", ["", "a" * 200, "é" * 200, "aé" * 100, "👩‍💻" * 50, "\udc80" * 200]
)
def test_the_reason_of_a_close_frame(text: str) -> None:
    """A reason has at most 123 bytes (RFC 6455, section 5.5), and only whole characters."""
    reason = close_reason(text)
    assert len(reason.encode()) <= 123
    assert text.startswith(reason) or "\udc80" in text
    assert len(reason.encode()) > 119 or reason == text
