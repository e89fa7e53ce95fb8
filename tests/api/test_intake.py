"""What packet clients send arrives, however it is cut: on each event loop, with and without C."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tests.api.host import start
from tests.api.raw_connection import Raw, frame, handshake
from tests.certificates import make_certificate
from tests.conftest import Rig
from tests.extension import extension
from tests.raw_websocket import raw_packets
from tests.running import TOKEN, RunningService, running
from tests.waiting import until
from wintun_api.api import intake
from wintun_api.api.intake import LEAST, ROOM, TURN, Inlet
from wintun_api.choices import Native
from wintun_api.chunks import MessageReader
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.packet import build
from wintun_api.wire import BATCH, RAW, Batch, pack

AUTH = f"Authorization: Bearer {TOKEN}"
LIMIT = 2 * ROOM
NewLoop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop | None:
    """Each event loop that the service may run on."""
    if request.param == "uvloop":
        return pytest.importorskip("uvloop").new_event_loop  # type: ignore[no-any-return]
    return None


@pytest.fixture(params=list(Native))
def native(request: pytest.FixtureRequest) -> Native:
    """With the extension and without it."""
    if request.param is Native.AUTO:
        extension()
    chosen: Native = request.param
    return chosen


@pytest.fixture(params=["", "TLS"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, new_loop: NewLoop | None, native: Native
) -> Iterator[Rig]:
    """A service in each of these ways."""
    settings: dict[str, Any] = {"native": native, "max_message": LIMIT}
    if request.param:
        certificate, key = make_certificate(tmp_path)
        settings |= {"tls_certificate": certificate, "tls_key": key}
    library = EmulatedLibrary()
    with running(tmp_path, emulated_driver(library), new_loop=new_loop, **settings) as service:
        yield Rig(service, library)
    assert library.misuse == []


def connected(service: RunningService, session: str, protocol: str, query: str) -> Raw:
    """Open a packet socket by hand."""
    raw = Raw(service.port)
    if service.tls is not None:
        raw.socket = service.tls.wrap_socket(raw.socket)
    raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    target = f"/v1/sessions/{session}/packets{query}"
    raw.send(handshake(target, AUTH, f"Sec-WebSocket-Protocol: {protocol}"))
    assert raw.answer().status == 101
    return raw


def packet(number: int, size: int = 60) -> bytes:
    """Make a packet that nobody answers."""
    payload = number.to_bytes(4, "little") + bytes(size - 32)
    return build.udp("10.6.7.8", "10.6.7.200", 1, 2, payload)


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """Return a client's frame with a random mask."""
    return Frame(opcode, data, fin).serialize(mask=True)


def a_stream(protocol: str, random_: random.Random) -> tuple[bytes, list[bytes], int, int]:
    """Return bytes of a client, the valid packets in them, and the numbers of others and pings."""
    sent: list[bytes] = []
    stream, wrong, pings = b"", 0, 0
    while len(stream) < 2 * ROOM:
        count = 1
        if protocol == BATCH:
            count = random_.choice([1, 3, 40, 40, 700 * random_.randrange(2)])
        packets = []
        for _ in range(count):
            if random_.random() < 0.05:
                packets.append(random_.choice([b"", bytes(40), b"\x60" * 39]))
                wrong += 1
            else:
                size = random_.choice([32, 92, 576, 1400] if protocol == BATCH else [60, 9000])
                packets.append(packet(len(sent), size))
                sent.append(packets[-1])
        message = packets[0] if protocol == RAW else pack(Batch(packets))
        kind = random_.random()
        if kind < 0.1:
            half = len(message) // 2
            stream += masked(Opcode.BINARY, message[:half], fin=False)
            stream += masked(Opcode.PING, b"within")
            stream += masked(Opcode.CONT, message[half:])
            pings += 1
        elif kind < 0.2:
            stream += frame(2, message)  # its mask is zero
        else:
            stream += masked(Opcode.BINARY, message)
        if random_.random() < 0.1:
            stream += masked(Opcode.PING, b"between")
            pings += 1
    return stream, sent, wrong, pings


@pytest.mark.parametrize("protocol", [RAW, BATCH])
def test_every_packet_arrives_once_and_in_order(rig: Rig, protocol: str) -> None:
    """Pieces of any size, pings, fragments and wrong packets change nothing for the others."""
    random_ = random.Random(15)
    stream, sent, wrong, pings = a_stream(protocol, random_)
    session = start(rig, capacity=0x4000000)
    query = "?direction=injected&queue_packets=100000&queue_bytes=100000000"
    with (
        raw_packets(rig.service, session, query) as watcher,
        connected(rig.service, session, protocol, "?direction=none&full=wait") as raw,
    ):
        got: list[bytes] = []
        reading = threading.Thread(target=lambda: got.extend(watcher.receive(len(sent))))
        reading.start()
        position = 0
        while position < len(stream):
            size = random_.choice([1, 2, 7, 100, 5000, ROOM, 2 * ROOM])
            raw.send(stream[position : position + size])
            position += size
        reading.join(60)
        assert got == sent
        pongs = 0
        while pongs < pings:
            pongs += raw.frame()[0] == Opcode.PONG
        counters = rig.service.counters(session)
        assert counters["injected"]["packets"] == len(sent)
        assert counters["injected"]["bytes"] == sum(map(len, sent))
        assert sum(counters["lost"]["rejected"].values()) == wrong


def test_a_message_with_a_fault_ends_the_connection(rig: Rig) -> None:
    """Messages before it are injected, nothing of it is, and those behind it are counted failed."""
    session = start(rig)
    with connected(rig.service, session, BATCH, "?direction=none") as raw:
        good = masked(Opcode.BINARY, pack(Batch([packet(1), packet(2)])))
        bad = masked(Opcode.BINARY, pack(Batch([packet(3)])) + b"more")
        raw.send(good + bad + good)
        said = [raw.frame() for _ in range(3)]
        acks = [json.loads(payload) for opcode, payload in said if opcode == Opcode.TEXT][1:]
        while said[-1][0] != Opcode.CLOSE:
            said.append(raw.frame())
            if said[-1][0] == Opcode.TEXT:
                acks.append(json.loads(said[-1][1]))
        assert said[-1][1] == (4010).to_bytes(2, "big") + (
            b"The 4 bytes at offset 94 are too few for a batch header."
        )
        assert sum(ack["accepted"] for ack in acks) == 2
        assert sum(ack["failed"] for ack in acks) == 2
        assert acks[-1]["messages"] == 2
    assert rig.service.counters(session)["lost"]["failed"] == 2


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_the_largest_message(rig: Rig, size: int) -> None:
    """A message of the limit is taken, whatever it is read in; a larger one closes with 1009."""
    session = start(rig)
    with connected(rig.service, session, BATCH, "?direction=none") as raw:
        message = pack(Batch([packet(number, 1400) for number in range(300)]))
        while len(message) + 34 + 60 < size - 60_000:
            message += pack(Batch([packet(0, 1400)] * 20))
        rest = size - len(message) - 34 - 60  # a reader skips as much as the header has grown
        last = bytearray(pack(Batch([packet(1)])))
        last[4:6] = (32 + rest).to_bytes(2, "little")
        message += bytes(last[:32]) + bytes(rest) + bytes(last[32:])
        assert len(message) == size
        whole = masked(Opcode.BINARY, message)
        raw.send(whole if size <= LIMIT else whole[:1000])  # it is closed before the rest arrives
        if size > LIMIT:
            assert raw.close_frame() == 1009
        else:
            until(lambda: rig.service.counters(session)["injected"]["packets"] > 300)
    assert not rig.service.counters(session)["lost"]["rejected"]


def test_a_client_that_ends_within_a_frame(rig: Rig) -> None:
    """What was complete is injected; the beginning of a frame is forgotten with the connection."""
    session = start(rig)
    with connected(rig.service, session, RAW, "?direction=none") as raw:
        whole = masked(Opcode.BINARY, packet(1))
        raw.send(whole + whole[:-1])
        until(lambda: rig.service.counters(session)["injected"]["packets"] == 1)
    with connected(rig.service, session, RAW, "?direction=none") as raw:
        raw.send(masked(Opcode.BINARY, packet(2)))
        until(lambda: rig.service.counters(session)["injected"]["packets"] == 2)
    assert not rig.service.counters(session)["lost"]["rejected"]


def test_two_clients_share_the_memory(rig: Rig) -> None:
    """Halves of frames of two clients, in turns, are never mixed up."""
    session = start(rig, capacity=0x4000000)
    query = "?direction=injected&queue_packets=100000"
    with (
        raw_packets(rig.service, session, query) as watcher,
        connected(rig.service, session, RAW, "?direction=none&full=wait") as one,
        connected(rig.service, session, RAW, "?direction=none&full=wait") as other,
    ):
        sent = [packet(number, 1400) for number in range(100)]
        for first, second in zip(sent[::2], sent[1::2], strict=True):
            frames = masked(Opcode.BINARY, first), masked(Opcode.BINARY, second)
            one.send(frames[0][:700])
            other.send(frames[1][:900])
            one.send(frames[0][700:])
            other.send(frames[1][900:])
        assert sorted(watcher.receive(100)) == sorted(sent)


@pytest.mark.parametrize(
    ("seconds_a_byte", "least", "most"),
    [
        (TURN / ROOM / 10, ROOM, ROOM),
        (TURN / 100_000, 90_000, 110_000),
        (TURN / 100, LEAST, LEAST),
    ],
)
def test_a_flood_is_read_in_chunks_that_take_a_turn(
    monkeypatch: pytest.MonkeyPatch, seconds_a_byte: float, least: int, most: int
) -> None:
    """The longer the packets of a chunk take, the smaller are the next chunks, within bounds."""
    clock, rests = [0.0], [0]
    monkeypatch.setattr(intake, "perf_counter", lambda: clock[0])

    def on_chunk(chunk: memoryview) -> None:
        clock[0] += seconds_a_byte * len(chunk)

    def rest() -> None:
        rests[0] += 1

    room = memoryview(bytearray(ROOM))
    inlet = Inlet(asyncio.Protocol(), MessageReader(LIMIT), room, on_chunk, rest)
    for _ in range(40):
        inlet.buffer_updated(len(inlet.get_buffer(-1)))
    assert least <= len(inlet.get_buffer(-1)) <= most
    assert rests[0] == 40


def test_a_client_that_sends_little_needs_no_rest() -> None:
    """A chunk that does not fill the room is all there was."""

    def rest() -> None:
        raise AssertionError

    room = memoryview(bytearray(ROOM))
    inlet = Inlet(asyncio.Protocol(), MessageReader(LIMIT), room, lambda _chunk: None, rest)
    inlet.get_buffer(-1)
    inlet.buffer_updated(ROOM - 1)
    assert len(inlet.get_buffer(-1)) == ROOM
