"""WebSocket frames: headers as short as can be, and messages however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from wintun_api.api.frames import MessageReader, close_reason, frame_header, packet_frames

MAX_SIZE = 100_000


def client_frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """Return a frame as a client sends it, masked."""
    return Frame(opcode, data, fin).serialize(mask=True)


def collecting(max_size: int = MAX_SIZE) -> MessageReader:
    """Return a reader for a packet endpoint."""
    reader = MessageReader(max_size)
    reader.collect = True
    return reader


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


@pytest.mark.parametrize("lengths", [[], [3], [126, 126, 126], [2, 126, 65535, 0, 2]])
def test_packet_frames(lengths: list[int]) -> None:
    """A frame per packet, back to back, whether the lengths are equal or not."""
    packets = [bytes([index]) * length for index, length in enumerate(lengths)]
    expected = b"".join(frame_header(0x82, len(packet)) + packet for packet in packets)
    assert packet_frames(packets, lengths) == expected


FRAMES = st.one_of(
    st.binary(max_size=300).map(lambda data: (Opcode.BINARY, data)),
    st.integers(65_500, 66_000).map(lambda size: (Opcode.BINARY, bytes(size))),
    st.text(max_size=20).map(lambda text: (Opcode.TEXT, text.encode())),
    st.binary(max_size=125).map(lambda data: (Opcode.PING, data)),
)


@given(st.lists(FRAMES, max_size=12), st.lists(st.integers(0, 200_000), max_size=12))
def test_however_the_bytes_are_cut(sent: list[tuple[Opcode, bytes]], cuts: list[int]) -> None:
    """Every message arrives whole, once and in its place among the other frames."""
    frames = [(client_frame(opcode, data), opcode, data) for opcode, data in sent]
    stream = b"".join(frame for frame, _, _ in frames)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = collecting()
    got: list[bytes] = []
    for start, stop in pairwise(edges):
        for part in reader.read(stream[start:stop]):
            got += part if isinstance(part, list) else [part]
    assert got == [data if opcode is Opcode.BINARY else frame for frame, opcode, data in frames]


def test_messages_of_a_chunk_come_together() -> None:
    """A hundred packets in one chunk are one list."""
    packets = [bytes([number]) * 40 for number in range(100)]
    chunk = b"".join(client_frame(Opcode.BINARY, packet) for packet in packets)
    assert list(collecting().read(chunk)) == [packets]


def test_a_buffer_of_an_event_loop_is_accepted() -> None:
    """The Proactor loop of Windows gives a bytearray; what comes out is bytes all the same."""
    ping = client_frame(Opcode.PING, b"")
    chunk = bytearray(client_frame(Opcode.BINARY, b"x") + ping)
    parts = list(collecting().read(chunk))
    assert parts == [[b"x"], ping]
    assert type(parts[1]) is bytes


def test_nothing_is_collected_for_other_endpoints() -> None:
    """Binary messages stay frames until a packet endpoint wants them."""
    frame = client_frame(Opcode.BINARY, b"x")
    assert list(MessageReader(MAX_SIZE).read(frame)) == [frame]


def test_parts_of_a_message_are_passed_on() -> None:
    """A fragmented message, and a ping within it, are for the ordinary parser."""
    first = client_frame(Opcode.BINARY, b"one", fin=False)
    ping = client_frame(Opcode.PING, b"")
    last = client_frame(Opcode.CONT, b"two")
    whole = client_frame(Opcode.BINARY, b"three")
    parts = list(collecting().read(first + ping + last + whole))
    assert parts == [first, ping, last, [b"three"]]


def test_a_new_message_within_a_fragmented_one_is_passed_on() -> None:
    """The ordinary parser says that this is an error."""
    first = client_frame(Opcode.TEXT, b"one", fin=False)
    whole = client_frame(Opcode.BINARY, b"two")
    assert list(collecting().read(first + whole)) == [first, whole]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Frame(Opcode.BINARY, b"unmasked").serialize(mask=False), id="unmasked"),
        pytest.param(client_frame(Opcode.BINARY, bytes(101)), id="too large"),
        pytest.param(b"\x82\xff" + b"\xff" * 8, id="an absurd length, and no more"),
    ],
)
def test_after_an_error_everything_is_passed_on(bad: bytes) -> None:
    """What came before counts; nothing is held back of what comes after."""
    reader = collecting(max_size=100)
    good = client_frame(Opcode.BINARY, b"good")
    assert list(reader.read(good + bad)) == [[b"good"], bad]
    assert list(reader.read(good)) == [good]


@pytest.mark.parametrize(
    "text", ["", "a" * 200, "é" * 200, "aé" * 100, "👩‍💻" * 50, "\udc80" * 200]
)
def test_the_reason_of_a_close_frame(text: str) -> None:
    """A reason has at most 123 bytes (RFC 6455, section 5.5), and only whole characters."""
    reason = close_reason(text)
    assert len(reason.encode()) <= 123
    assert text.startswith(reason) or "\udc80" in text
    assert len(reason.encode()) > 119 or reason == text
