"""Chunks: the packets of what a client sends, the same in Python and in C, however it is cut."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from tests.extension import extension
from wintun_api.chunks import (
    BROKEN,
    OTHER,
    USED_UP,
    Codec,
    MessageReader,
    Messages,
    NativeCodec,
    Part,
    PythonCodec,
    codec,
)
from wintun_api.errors import FrameError
from wintun_api.packet.block import Block
from wintun_api.packet.check import BAD_VERSION, TOO_LONG, TOO_SHORT, rejection
from wintun_api.wire import HEADER, MAGIC, Batch, pack, unpack

MAX_SIZE = 100_000
V4 = b"\x45" + bytes(range(1, 20))
V6 = b"\x60" + bytes(range(1, 40))
KINDS = ["python", "native"]


def client_frame(
    opcode: Opcode, data: bytes, *, fin: bool = True, mask: bytes | None = None
) -> bytes:
    """Return a frame as a client sends it, masked."""
    if mask is None:
        return Frame(opcode, data, fin).serialize(mask=True)
    assert len(data) < 126
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return bytes((0x80 * fin | opcode, 0x80 | len(data))) + mask + masked


def binary(data: bytes) -> bytes:
    """Return a frame with a whole binary message."""
    return client_frame(Opcode.BINARY, data)


def codec_of(kind: str, *, batched: bool) -> Codec:
    """Return the codec in Python or in C."""
    return codec(None if kind == "python" else extension(), batched=batched)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Python or C."""
    name: str = request.param
    if name == "native":
        extension()
    return name


def reader_of(kind: str, *, batched: bool = False, max_size: int = MAX_SIZE) -> MessageReader:
    """Return a reader for a packet endpoint."""
    reader = MessageReader(max_size)
    reader.codec = codec_of(kind, batched=batched)
    return reader


def got(parts: Sequence[Part]) -> list[list[bytes] | bytes | str]:
    """Return packets as lists, other frames as bytes, faults as their text."""
    return [
        part
        if isinstance(part, bytes)
        else str(part.fault)
        if part.fault is not None
        else list(part.sifted.packets)
        for part in parts
    ]


def told(parts: Sequence[Part]) -> tuple[list[bytes | str], dict[str, int], int]:
    """Return packets, frames and faults in order, the reasons, and the number of messages.

    Frames without a message between them are one, for after an error the rest comes in any pieces.
    """
    things: list[bytes | str] = []
    rejected: dict[str, int] = {}
    number = 0
    for part in parts:
        if isinstance(part, bytes):
            last = things[-1] if things else b""
            if isinstance(last, bytes) and last.startswith(b"frame "):
                things[-1] = last + part
            else:
                things.append(b"frame " + part)
            continue
        things += part.sifted.packets
        number += part.number
        assert list(part.sifted.lengths) == [len(packet) for packet in part.sifted.packets]
        for reason, count in part.sifted.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
        if part.fault is not None:
            things.append(str(part.fault))
    return things, rejected, number


PACKETS = st.one_of(
    st.sampled_from(
        [b"", V4, V6, V4[:19], V6[:39], V6[:20], b"\x55" * 60, b"\x4f" * 20, b"\x6f" * 45]
    ),
    st.integers(20, 300).map(lambda size: b"\x45" + bytes(size - 1)),
    st.binary(max_size=60),
)


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """A message of batches: longer headers, more columns, and now and then a fault."""
    message = b""
    for _ in range(draw(st.integers(0, 3))):
        packets = draw(st.lists(PACKETS, max_size=6))
        lengths = list(map(len, packets))
        flags = draw(st.sampled_from([0, 0, 1, 2, 3, 4, 7, 8, 9, 15, 16]))
        columns = lengths * (1 + (flags & 1) + (flags >> 1 & 1))
        growth = draw(st.sampled_from([0, 0, 0, 1, 5, -1]))
        message += HEADER.pack(
            MAGIC ^ draw(st.sampled_from([0, 0, 0, 0, 0, 1])),
            32 + growth,
            flags,
            len(packets) + draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2**32 - 1 - len(packets)])),
            sum(lengths) + draw(st.sampled_from([0, 0, 0, 0, 0, 1])),
            7,
            8,
        )
        message += bytes(max(0, growth)) + struct.pack(f"<{len(columns)}H", *columns)
        if flags & 8:
            message += struct.pack(f"<{len(lengths)}I", *lengths)
        message += b"".join(packets)
    return message[: len(message) - draw(st.sampled_from([0, 0, 0, 0, 1]))]


OTHERS = st.one_of(
    st.text(max_size=20).map(lambda text: client_frame(Opcode.TEXT, text.encode())),
    st.binary(max_size=125).map(lambda data: client_frame(Opcode.PING, data)),
    st.binary(max_size=40).map(lambda data: client_frame(Opcode.BINARY, data, fin=False)),
    st.binary(max_size=40).map(lambda data: client_frame(Opcode.CONT, data, fin=False)),
    st.binary(max_size=40).map(lambda data: client_frame(Opcode.CONT, data)),
    st.binary(max_size=125).map(lambda data: client_frame(Opcode.CLOSE, data)),
)
BREAKING = st.sampled_from(
    [
        b"\x82\xff" + b"\xff" * 8,
        b"\x82\xff" + (2**63).to_bytes(8, "big") + bytes(9),
        Frame(Opcode.BINARY, V4).serialize(mask=False),
    ]
)


def streams(messages: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes of a client: mostly messages, and sometimes what breaks the protocol."""
    masks = st.sampled_from([bytes(4), b"\xff" * 4, b"\x01\x02\x03\x04"])
    small = messages.filter(lambda data: len(data) < 126)
    frames = st.one_of(
        messages.map(binary),
        messages.map(binary),
        st.builds(lambda data, mask: client_frame(Opcode.BINARY, data, mask=mask), small, masks),
        OTHERS,
    )
    ends = st.one_of(st.just(b""), st.just(b""), BREAKING, st.binary(max_size=20))
    return st.builds(lambda all_, end: b"".join(all_) + end, st.lists(frames, max_size=10), ends)


CUTS = st.lists(st.integers(0, 5000), max_size=12)


def pieces(stream: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """Cut a stream."""
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    return (stream[start:stop] for start, stop in pairwise(edges))


def read(reader: MessageReader, chunks: Iterator[bytes] | Sequence[bytes]) -> list[Part]:
    """Give a reader chunks; return all parts."""
    return [part for chunk in chunks for part in reader.read(chunk)]


@settings(max_examples=400, deadline=None)
@given(streams(PACKETS), CUTS)
@example(b"\x82\x80abcd", [1])
def test_both_kinds_cut_packets_alike(stream: bytes, cuts: list[int]) -> None:
    """C and Python give the same packets, counts and other frames, and so does any cut."""
    whole = told(reader_of("python").read(stream))
    assert told(read(reader_of("python"), pieces(stream, cuts))) == whole
    assert told(reader_of("native").read(stream)) == whole
    assert told(read(reader_of("native"), pieces(stream, cuts))) == whole


@settings(max_examples=600, deadline=None)
@given(streams(batches()), CUTS)
def test_both_kinds_cut_batches_alike(stream: bytes, cuts: list[int]) -> None:
    """The same holds for batches, and for the texts of the faults in them."""
    whole = told(reader_of("python", batched=True).read(stream))
    assert told(read(reader_of("python", batched=True), pieces(stream, cuts))) == whole
    assert told(reader_of("native", batched=True).read(stream)) == whole
    assert told(read(reader_of("native", batched=True), pieces(stream, cuts))) == whole


@settings(max_examples=300, deadline=None)
@given(streams(batches()), st.booleans(), st.integers(0, 30), st.sampled_from([10, 30, MAX_SIZE]))
def test_one_cut_is_the_same_in_both(
    stream: bytes, batched: bool, start: int, max_size: int
) -> None:
    """Position, need and stop agree, from any offset, also one within a frame."""
    start = min(start, len(stream))
    python = PythonCodec(batched=batched).cut(stream, start, max_size)
    native = NativeCodec(extension(), batched=batched).cut(stream, start, max_size)
    assert native[1:] == python[1:]
    assert told([native[0]]) == told([python[0]])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PACKETS.map(binary), OTHERS), max_size=10))
@pytest.mark.parametrize("kind", KINDS)
def test_websockets_reads_the_same_messages(kind: str, frames: list[bytes]) -> None:
    """The packets are those of the binary messages that `websockets` finds in the same bytes."""
    parser = Protocol(SERVER, max_size=MAX_SIZE)
    # Its own errors end what it reads: up to there the messages agree.
    parser.receive_data(b"".join(frames))
    events = [event for event in parser.events_received() if isinstance(event, Frame)]
    theirs = [bytes(event.data) for event in events if event.opcode is Opcode.BINARY and event.fin]
    parts = reader_of(kind).read(b"".join(frames))
    packets, rejected, number = told([part for part in parts if isinstance(part, Messages)])
    if parser.parser_exc is None and parser.close_rcvd is None:
        assert number == len(theirs)
        assert packets == [packet for packet in theirs if rejection(packet) is None]
        assert sum(rejected.values()) == len(theirs) - len(packets)


def test_cut_at_every_byte(kind: str) -> None:
    """A stream of every kind of frame reads the same, wherever it is cut in two or in bytes."""
    stream = b"".join(
        (
            binary(V4),
            client_frame(Opcode.PING, b"p"),
            binary(b""),
            client_frame(Opcode.BINARY, V4[:5], fin=False),
            client_frame(Opcode.CONT, V4[5:]),
            binary(V6 * 4),
            client_frame(Opcode.BINARY, V4, mask=bytes(4)),
            b"\x82\xff" + len(V4).to_bytes(8, "big") + bytes(4) + V4,  # a header of 14 bytes
            binary(b"\x55" * 30),
            client_frame(Opcode.CLOSE, b""),
        )
    )
    whole = told(reader_of(kind).read(stream))
    assert whole[1] == {TOO_SHORT: 1, BAD_VERSION: 1}
    assert whole[0][-2:] == [V4, b"frame " + client_frame(Opcode.CLOSE, b"", mask=stream[-4:])]
    assert told(read(reader_of(kind), [stream[n : n + 1] for n in range(len(stream))])) == whole
    for cut in range(len(stream)):
        assert told(read(reader_of(kind), [stream[:cut], stream[cut:]])) == whole


def test_messages_of_a_chunk_come_together(kind: str) -> None:
    """A hundred packets in one chunk are one part."""
    packets = [V4 + bytes([number]) * 40 for number in range(100)]
    (part,) = reader_of(kind).read(b"".join(map(binary, packets)))
    assert got([part]) == [packets]
    assert isinstance(part, Messages)
    assert part.number == 100


def test_batches_of_a_chunk_come_together(kind: str) -> None:
    """The packets of several messages and batches are one part, in one piece of memory."""
    message = pack(Batch([V4, V6])) + pack(Batch([V6], injected=True, original_lengths=[90]))
    (part,) = reader_of(kind, batched=True).read(binary(message) * 3)
    assert got([part]) == [[V4, V6, V6] * 3]
    assert isinstance(part, Messages)
    assert isinstance(part.sifted.packets, Block)
    assert part.number == 3


@pytest.mark.parametrize("batched", [False, True])
def test_wrong_packets_are_left_out_and_counted(kind: str, batched: bool) -> None:
    """The others keep their order; each reason is counted once per packet."""
    packets = [V4, b"", V6, V6[:39], b"\x55" * 20, V4, b"\x75" * 30, V4[:19], V4]
    frames = [pack(Batch(packets))] if batched else [*packets, b"\x45" + bytes(65535)]
    (part,) = reader_of(kind, batched=batched).read(b"".join(map(binary, frames)))
    assert isinstance(part, Messages)
    assert list(part.sifted.packets) == [V4, V6, V4, V4]
    long = {} if batched else {TOO_LONG: 1}
    assert dict(part.sifted.rejected) == {TOO_SHORT: 3, BAD_VERSION: 2, **long}
    assert part.sifted.offered == len(packets) + len(long)


@pytest.mark.parametrize("size", [65_534, 65_535, 65_536, 65_537])
def test_the_largest_packet(kind: str, size: int) -> None:
    """A packet has at most 65,535 bytes, as an IP packet has."""
    packet = b"\x45" + bytes(size - 1)
    (part,) = reader_of(kind).read(binary(packet))
    assert isinstance(part, Messages)
    assert list(part.sifted.packets) == [packet] * (size <= 65_535)


def test_the_largest_message(kind: str) -> None:
    """A message of exactly the limit is read; one byte more breaks off, whatever comes behind."""
    reader = reader_of(kind, max_size=1000)
    fits, larger = b"\x45" + bytes(999), b"\x45" + bytes(1000)
    assert got(reader.read(binary(fits))) == [[fits]]
    frame = binary(larger)
    assert got(reader.read(binary(V4) + frame)) == [[V4], frame]
    assert got(reader.read(b"\x82\x94")) == [b"\x82\x94"]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="empty"),
        pytest.param(pack(Batch([V4]))[:-1], id="cut"),
        pytest.param(pack(Batch([V4])) + b"WTB1", id="half a second batch"),
        pytest.param(b"WTB2" + pack(Batch([V4]))[4:], id="magic"),
        pytest.param(HEADER.pack(MAGIC, 31, 0, 0, 0, 0, 0), id="header length"),
        pytest.param(HEADER.pack(MAGIC, 32, 16, 0, 0, 0, 0), id="flags"),
        pytest.param(HEADER.pack(MAGIC, 32, 0, 2**32 - 1, 2**32 - 1, 0, 0), id="huge"),
        pytest.param(
            HEADER.pack(MAGIC, 32, 0, 1, 21, 0, 0) + b"\x14\x00" + V4 + b"x", id="lengths too small"
        ),
        pytest.param(
            HEADER.pack(MAGIC, 32, 0, 1, 20, 0, 0) + b"\x15\x00" + V4, id="lengths too large"
        ),
    ],
)
def test_a_message_with_a_fault(kind: str, message: bytes) -> None:
    """Nothing of it is taken, what `unpack` says of it is told, and the messages around count."""
    with pytest.raises(FrameError) as fault:
        unpack(message)
    good = binary(pack(Batch([V4])))
    parts = reader_of(kind, batched=True).read(good + binary(message) + good)
    assert got(parts) == [[V4], str(fault.value), [V4]]
    assert [part.number for part in parts if isinstance(part, Messages)] == [1, 0, 1]


def test_a_buffer_of_an_event_loop_is_accepted(kind: str) -> None:
    """Chunks may be views of memory that is used again; what comes out is not changed by that."""
    ping = client_frame(Opcode.PING, b"")
    memory = bytearray(binary(V4) + ping + binary(V6)[:9])
    reader = reader_of(kind)
    parts = reader.read(memoryview(memory))
    length = len(memory)
    memory[:] = bytes(length)
    assert got(parts) == [[V4], ping]
    assert type(parts[1]) is bytes


def test_a_message_that_is_moved_into_the_room(kind: str) -> None:
    """The beginning of a frame is put in front of the rest and read with it, once."""
    room = memoryview(bytearray(1000))
    reader, frame = reader_of(kind), binary(V4)
    assert reader.move_into(room) == 0
    assert reader.read(frame + frame[:9]) != []
    for _ in range(2):  # the first time, the socket has nothing after all
        assert reader.move_into(room) == 9
    reader.moved()
    room[9 : len(frame)] = frame[9:]
    assert got(reader.read(room[: len(frame)])) == [[V4]]
    assert reader.move_into(room) == 0


def test_a_large_beginning_stays_where_it_is(kind: str) -> None:
    """At least three quarters of the room are left to read into."""
    room = memoryview(bytearray(100))
    reader = reader_of(kind)
    frame = binary(b"\x45" + bytes(999))
    reader.read(frame[:26])
    assert reader.move_into(room) == 0
    assert got(reader.read(frame[26:])) == [[b"\x45" + bytes(999)]]


def test_nothing_is_collected_for_other_endpoints() -> None:
    """Binary messages stay frames until a packet endpoint wants them."""
    frame = binary(b"x")
    assert MessageReader(MAX_SIZE).read(frame) == [frame]


def test_parts_of_a_message_are_passed_on(kind: str) -> None:
    """A fragmented message, and a ping within it, are for the ordinary parser."""
    first = client_frame(Opcode.BINARY, b"one", fin=False)
    ping = client_frame(Opcode.PING, b"")
    last = client_frame(Opcode.CONT, b"two")
    parts = reader_of(kind).read(first + ping + last + binary(V4))
    assert got(parts) == [first, ping, last, [V4]]


def test_a_new_message_within_a_fragmented_one_is_passed_on(kind: str) -> None:
    """The ordinary parser says that this is an error."""
    first, whole = client_frame(Opcode.TEXT, b"one", fin=False), binary(V4)
    assert got(reader_of(kind).read(first + whole)) == [first, whole]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Frame(Opcode.BINARY, b"unmasked").serialize(mask=False), id="unmasked"),
        pytest.param(binary(bytes(101)), id="too large"),
        pytest.param(b"\x82\xff" + b"\xff" * 8, id="an absurd length, and no more"),
        pytest.param(b"\x82\xff" + (2**63).to_bytes(8, "big"), id="a length of 2^63"),
    ],
)
def test_after_an_error_everything_is_passed_on(kind: str, bad: bytes) -> None:
    """What came before counts; nothing is held back of what comes after."""
    reader = reader_of(kind, max_size=100)
    good = binary(V4)
    assert got(reader.read(good + bad)) == [[V4], bad]
    assert got(reader.read(good)) == [good]


def test_a_message_that_came_in_another_way(kind: str) -> None:
    """Fragments that were joined, and messages of other servers, are checked like any other."""
    raw, batch = codec_of(kind, batched=False), codec_of(kind, batched=True)
    assert got([raw.messages(V4), raw.messages(b"")]) == [[V4], []]
    assert raw.messages(b"").sifted.rejected == {TOO_SHORT: 1}
    assert got([batch.messages(pack(Batch([V4, V6, b"\x55" * 20])))]) == [[V4, V6]]
    assert isinstance(batch.messages(b"nothing").fault, FrameError)


def test_small_packets_in_large_memory_keep_only_their_own(kind: str) -> None:
    """Packets that stay, because they wait, do not hold the whole chunk."""
    (part, _) = reader_of(kind).read(binary(V4) + client_frame(Opcode.TEXT, bytes(60_000)))
    assert isinstance(part, Messages)
    packets = part.sifted.packets
    assert not isinstance(packets, Block) or len(packets.memory) <= 2 * len(V4)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((bytes(40), -1, 9, False, array("H", bytes(80))), id="start"),
        pytest.param((bytes(40), 41, 9, False, array("H", bytes(80))), id="behind the data"),
        pytest.param((bytes(40), 0, -1, False, array("H", bytes(80))), id="size"),
        pytest.param((bytes(40), 0, 2**63, False, array("H", bytes(80))), id="a huge size"),
        pytest.param((bytes(40), 0, 9, False, array("H", bytes(2))), id="a small table"),
        pytest.param((bytes(40), 0, 9, False, bytes(80)), id="a table that cannot be written"),
        pytest.param(("text", 0, 9, False, array("H", bytes(80))), id="no bytes"),
        pytest.param((bytes(40), 0, 9, False), id="too few"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...]) -> None:
    """The extension raises an exception and touches nothing."""
    with pytest.raises((ValueError, TypeError, OverflowError, BufferError)):
        extension().cut_frames(*arguments)  # type: ignore[arg-type]


def test_what_stopped_the_cutting(kind: str) -> None:
    """`need` is what must be there to go on, or the size of the frame in the way."""
    cut = codec_of(kind, batched=False).cut
    ping = client_frame(Opcode.PING, b"abc")

    def stop(data: bytes) -> tuple[int, int, int, int]:
        messages, position, need, stop = cut(data, 0, 1000)
        return messages.number, position, need, stop

    one = binary(V4)
    assert stop(one) == (1, len(one), 2, USED_UP)
    assert stop(one + ping) == (1, len(one), len(ping), OTHER)
    assert stop(one + ping[:-1]) == (1, len(one), len(ping), USED_UP)
    assert stop(b"\x82\xfe\x01") == (0, 0, 4, USED_UP)
    assert stop(b"\x82\xff\x01") == (0, 0, 10, USED_UP)
    assert stop(b"\x82\xfe\x03\xe9") == (0, 0, 4, BROKEN)
    assert stop(b"\x82\x05") == (0, 0, 2, BROKEN)
