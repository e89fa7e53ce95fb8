"""WebSocket frames: many sound ones on a connection, and every way to break the protocol.

Sound frames are sent in chunks made beforehand, so that the program is faster than the service.
What the service acknowledges must be what was sent. Behind a broken frame the service must close,
with the code of RFC 6455 or its own, and nothing that follows may be taken.
"""

from __future__ import annotations

import random
import selectors
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.attack.attack import Attack
from tests.attack.raw_http import Closed
from tests.attack.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Reader,
    close_frame,
    frame,
    open_socket,
    read_to_end,
)
from tests.attack.target import Target
from wintun_api.packet import build
from wintun_api.wire import BATCH, HEADER, MAGIC, PCAPNG, RAW, Batch, pack

PART = "frames"
CHUNK = 256 * 1024
FAILURES = frozenset({1000, 1002, 1007, 1009})  # behind these nothing may be answered
PATIENCE = 15.0  # seconds without a byte in either direction
IGNORED = build.udp("10.9.0.2", "10.9.0.1", 4000, 9, b"x")


def run(attack: Attack) -> None:
    """Send all frames."""
    total = attack.count(300_000, 10_000_000)
    random_ = attack.random(PART)
    with attack.target(PART) as target:
        session = target.session(addresses=["10.9.0.1/24"])
        path = f"/v1/sessions/{session}/packets"

        def warm_up() -> None:
            for kind in sound_kinds():
                _sound(attack, target, path, kind, 2_000)
            for broken in broken_kinds(random_):
                _broken(None, target, path, broken)

        with attack.watch(PART, target, "sound frames", warm_up=warm_up):
            began, sent = time.monotonic(), 0
            kinds = sound_kinds()
            rates = {}
            for kind in kinds:
                start = time.monotonic()
                count = _sound(attack, target, path, kind, total // len(kinds))
                rates[kind.name] = round(count / (time.monotonic() - start))
                sent += count
            seconds = time.monotonic() - began
        attack.figure(PART, sound=sent, sound_per_second=round(sent / seconds), rates=rates)
        with attack.watch(PART, target, "broken frames"):
            began, sent, connections = time.monotonic(), 0, 0
            for _ in range(attack.count(2, 100)):
                for broken in broken_kinds(random_):
                    _broken(attack, target, path, broken)
                    connections += 1
                    sent += broken.before + 1
            seconds = time.monotonic() - began
        attack.figure(
            PART,
            broken_connections=connections,
            broken_kinds=len(list(broken_kinds(random_))),
            broken_per_second=round(connections / seconds),
        )
        _subscribers_gone(attack, target, session)


def _subscribers_gone(attack: Attack, target: Target, session: str) -> None:
    view = target.call("GET", f"/v1/sessions/{session}").json()
    if view.get("subscribers"):
        attack.found(PART, "subscribers stay after their connections", str(view["subscribers"]))
    if view.get("state") != "running":
        attack.found(PART, "the session ended", str(view))


# Sound frames


@dataclass(frozen=True, slots=True)
class Sound:
    """A chunk that may be sent again and again.

    Attributes:
        packets: In one unit; 0 where nothing is acknowledged.
        frames: In one unit.
        unit: Whole frames.
        route: "packets" or "events".
        close: The connection is closed at once with this code, which is right.
    """

    name: str
    protocol: str | None
    unit: bytes
    frames: int
    packets: int = 0
    route: str = "packets"


def sound_kinds() -> list[Sound]:
    """Return what a client may send, at its most tiring."""
    raw, batch = frame(BINARY, IGNORED), frame(BINARY, pack(Batch([IGNORED])))
    junk = frame(BINARY, b"\xff" * 30)
    parts = [frame(BINARY, IGNORED[:9], fin=False), frame(CONTINUATION, b"", fin=False),
             frame(PONG, b"between"), frame(CONTINUATION, IGNORED[9:])]  # fmt: skip
    split = pack(Batch([IGNORED] * 3))
    batch_parts = [frame(BINARY, split[:7], fin=False), frame(CONTINUATION, split[7:40], fin=False),
                   frame(PING), frame(CONTINUATION, split[40:])]  # fmt: skip
    long = struct.pack("<IHHIIQQ", MAGIC, 200, 0, 1, len(IGNORED), 0, 0) + bytes(168)
    long += struct.pack("<H", len(IGNORED)) + IGNORED
    # Of every reason there is to reject a packet.
    rejected = pack(Batch([b"", b"\x45", b"\x45" + bytes(30), b"\x60" + bytes(50), b"\xff" * 64,
                           bytes(20), b"\x4f" * 20, IGNORED + b"trailing"]))  # fmt: skip
    return [
        Sound("raw packets", RAW, raw, 1, 0),
        Sound("raw rejected packets", RAW, junk, 1),
        Sound("raw empty messages", RAW, frame(BINARY), 1),
        Sound("raw in fragments", RAW, b"".join(parts), len(parts)),
        Sound("batches of one", BATCH, batch, 1, 1),
        Sound("batches of rejected packets", BATCH, frame(BINARY, rejected), 1, 8),
        Sound("batches without packets", BATCH, frame(BINARY, pack(Batch([]))), 1),
        Sound("batches in fragments", BATCH, b"".join(batch_parts), len(batch_parts), 3),
        Sound("batches with a longer header", BATCH, frame(BINARY, long), 1, 1),
        Sound("pings", BATCH, frame(PING, b"p" * 125), 1),
        Sound("empty pings on events", None, frame(PING), 1, route="events"),
        Sound("pongs", RAW, frame(PONG, b"unasked"), 1),
        Sound("texts on events", None, frame(TEXT, b'{"a":1}'), 1, route="events"),
        Sound("empty texts on events", None, frame(TEXT), 1, route="events"),
    ]


def _sound(attack: Attack, target: Target, path: str, kind: Sound, wanted: int) -> int:
    """Send so many frames of a kind on one connection; return how many were sent."""
    route = f"{path}?direction=none" if kind.route == "packets" else "/v1/events"
    protocols = [kind.protocol] if kind.protocol else []
    units = max(1, min(CHUNK // len(kind.unit), -(-wanted // kind.frames)))
    chunk = kind.unit * units
    if not kind.packets:  # the pongs show that the service is still working
        chunk += frame(PING, b"there?")
    times = max(1, -(-wanted // (units * kind.frames)))
    connection, already = open_socket(target.port, route, target.admin, *protocols)
    reader = Reader()
    reader.feed(already)
    counted = [0]
    with connection:
        taken = pump(connection, reader, chunk, times, counted)
        total = units * times * kind.packets
        if taken and kind.packets:
            _drain(connection, reader, counted, total)
        if not taken:
            attack.found(
                PART,
                f"closed although sound: {kind.name}",
                f"close code {reader.close_code}, {reader.texts[-3:]}",
                kind.unit,
            )
        elif reader.broken:
            attack.found(PART, f"broken frames of the service: {reader.broken}", kind.name)
        elif kind.packets and counted[0] != total:
            attack.found(
                PART,
                f"packets without an account: {kind.name}",
                f"{total} were sent, {counted[0]} are in acks",
                kind.unit,
            )
        if taken:
            connection.settimeout(PATIENCE)
            try:
                connection.sendall(close_frame(1000, b"done"))
            except OSError:
                return units * times * kind.frames
            if not read_to_end(connection, reader, PATIENCE):
                attack.found(PART, f"no end after a close frame: {kind.name}")
            elif reader.close_code != 1000:
                attack.found(
                    PART, f"1000 is answered with {reader.close_code}: {kind.name}", "", kind.unit
                )
    return units * times * kind.frames


def pump(
    connection: socket.socket, reader: Reader, chunk: bytes, times: int, counted: list[int]
) -> bool:
    """Send a chunk so many times and read meanwhile; False when the service ended it."""
    connection.setblocking(False)
    whole = view = memoryview(chunk)
    at, left = 0, times
    last = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while left:
            events = selector.select(PATIENCE)
            if not events or time.monotonic() - last > 4 * PATIENCE:
                return False
            try:
                if events[0][1] & selectors.EVENT_READ:
                    data = connection.recv(262144)
                    if not data:
                        return False
                    reader.feed(data)
                    _count(reader, counted)
                    last = time.monotonic()
                    if reader.close_code is not None:
                        return False
                if events[0][1] & selectors.EVENT_WRITE:
                    at += connection.send(view[at:])
                    last = time.monotonic()
                    if at == len(view):
                        at, left = 0, left - (view is whole)
                        # The service ends a connection that leaves its pings unanswered.
                        view = whole
                        if reader.asked is not None:
                            view, reader.asked = memoryview(frame(PONG, reader.asked)), None
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:
                return False
    return True


def _drain(connection: socket.socket, reader: Reader, counted: list[int], total: int) -> None:
    connection.settimeout(PATIENCE)
    try:
        while counted[0] < total and (data := connection.recv(262144)):
            reader.feed(data)
            _count(reader, counted)
    except OSError:
        return


def _count(reader: Reader, counted: list[int]) -> None:
    import json

    for text in reader.texts:
        if text.startswith(b'{"type":"ack"'):
            ack = json.loads(text)
            counted[0] += ack["accepted"] + ack["ring_full"] + sum(ack["rejected"].values())
            counted[0] += sum(ack.get("refused", {}).values()) + ack.get("failed", 0)
    reader.texts.clear()


# Broken frames


@dataclass(frozen=True, slots=True)
class Broken:
    """What must end a connection.

    Attributes:
        codes: The close codes that are right; empty where an end without one will do.
        before: How many sound frames come before it, in the same piece.
        ends: False where the service may as well go on.
    """

    name: str
    sent: bytes
    codes: frozenset[int]
    protocol: str | None = RAW
    route: str = "packets"
    before: int = 0
    ends: bool = True


def broken_kinds(random_: random.Random) -> Iterator[Broken]:
    """Yield every way to break the protocol, each behind a random number of sound frames."""
    for kind in _broken_frames():
        for protocol, route in ((RAW, "packets"), (BATCH, "packets"), (None, "events")):
            before = random_.choice((0, 0, 1, 50))
            sound = frame(PING, b"x") * before
            yield Broken(kind.name, sound + kind.sent, kind.codes, protocol, route, before,
                         kind.ends)  # fmt: skip
    for name, payload in _lying_batches():
        before = random_.choice((0, 1, 50))
        sound = frame(BINARY, pack(Batch([IGNORED]))) * before
        yield Broken(f"batch: {name}", sound + frame(BINARY, payload), frozenset({4010}), BATCH,
                     before=before)  # fmt: skip
    for protocol in (RAW, BATCH):
        yield Broken("a text with packets", frame(TEXT, b"{}"), frozenset({4010, 1003}), protocol)
    yield Broken("a message on a capture", frame(BINARY, IGNORED), frozenset({4010}), PCAPNG)
    yield Broken("a text on a capture", frame(TEXT, b"x"), frozenset({4010, 1003}), PCAPNG)


def _broken_frames() -> Iterator[Broken]:
    protocol, invalid, big = frozenset({1002}), frozenset({1007}), frozenset({1009})
    for bits in (1, 2, 4, 7):
        yield Broken(f"reserved bits {bits:03b}", frame(BINARY, IGNORED, reserved=bits), protocol)
    yield Broken("a reserved bit on a ping", frame(PING, b"x", reserved=4), protocol)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Broken(f"opcode {opcode}", frame(opcode, b"x"), protocol)
    for opcode, name in ((BINARY, "binary"), (TEXT, "text"), (PING, "ping"), (CLOSE, "close"),
                         (CONTINUATION, "continuation")):  # fmt: skip
        yield Broken(f"{name} unmasked", frame(opcode, b"\x03\xe8", mask=None), protocol)
        yield Broken(f"{name} unmasked and empty", frame(opcode, b"", mask=None), protocol)
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        yield Broken(f"a fragment of a {name}", frame(opcode, b"\x03\xe8", fin=False), protocol)
        yield Broken(f"a {name} of 126 bytes", frame(opcode, b"\x03\xe8" + b"x" * 124), protocol)
        yield Broken(
            f"a {name} of 70000 bytes", frame(opcode, b"\x03\xe8" + b"x" * 69998), protocol
        )
    yield Broken("a ping that claims 64 bits", frame(PING, b"", length=2**40), protocol | big)
    for claim, name in ((2**18 + 1, "one byte too many"), (2**31, "2 GiB"), (2**40, "1 TiB"),
                        (2**63 - 1, "all of 63 bits")):  # fmt: skip
        yield Broken(f"a binary that claims {name}", frame(BINARY, b"x" * 100, length=claim), big)
    yield Broken("a length with its highest bit set", frame(BINARY, b"x", length=2**63),
                 protocol | big)  # fmt: skip
    yield Broken("all bits of a length", frame(BINARY, b"x", length=2**64 - 1), protocol | big)
    yield Broken("a message too large in fragments", frame(BINARY, bytes(200_000), fin=False)
                 + frame(CONTINUATION, bytes(200_000)), big)  # fmt: skip
    yield Broken("a message too large in many fragments", frame(BINARY, b"", fin=False)
                 + frame(CONTINUATION, bytes(1000), fin=False) * 300, big)  # fmt: skip
    yield Broken("a continuation first", frame(CONTINUATION, b"x"), protocol)
    yield Broken("a continuation of nothing", frame(CONTINUATION, b"x", fin=False), protocol)
    yield Broken("a continuation behind a whole message",
                 frame(PONG) + frame(CONTINUATION, b""), protocol)  # fmt: skip
    for first, second in ((BINARY, BINARY), (BINARY, TEXT), (TEXT, BINARY), (TEXT, TEXT)):
        yield Broken(f"opcode {second} within a message of {first}",
                     frame(first, b"x", fin=False) + frame(second, b"y"), protocol)  # fmt: skip
    for name, text in (
        ("a lone byte", b"\xff"), ("overlong", b"\xc0\xaf"), ("a surrogate", b"\xed\xa0\x80"),
        ("cut", b"abc\xe2\x82"), ("beyond Unicode", b"\xf4\x90\x80\x80"), ("a tail", b"a\x80"),
    ):  # fmt: skip
        yield Broken(f"bad UTF-8: {name}", frame(TEXT, text), invalid | {4010})
        yield Broken(f"bad UTF-8 over fragments: {name}", frame(TEXT, text[:1], fin=False)
                     + frame(CONTINUATION, text[1:]), invalid | {4010})  # fmt: skip
        yield Broken(f"a close reason in bad UTF-8: {name}", close_frame(1000, text),
                     invalid | protocol)  # fmt: skip
    yield Broken("a close of one byte", frame(CLOSE, b"\x03"), protocol)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Broken(f"close code {code}", close_frame(code), protocol)
    yield Broken("a frame behind the close", close_frame(1000) + frame(BINARY, IGNORED),
                 frozenset({1000}))  # fmt: skip
    yield Broken("garbage behind the close", close_frame(1000) + b"\xff\x00garbage" * 50,
                 frozenset({1000}))  # fmt: skip
    yield Broken("two closes", close_frame(1000) + close_frame(1001), frozenset({1000}))
    yield Broken("an HTTP request in place of a frame", b"GET / HTTP/1.1\r\n\r\n", protocol)
    yield Broken("a frame cut in its header", frame(BINARY, IGNORED)[:1], frozenset())
    yield Broken("a frame cut in its length", frame(BINARY, bytes(300))[:3], frozenset())
    yield Broken("a frame cut in its mask", frame(BINARY, IGNORED)[:4], frozenset())
    yield Broken("a frame cut in its payload", frame(BINARY, IGNORED)[:-1], frozenset())
    yield Broken("a message cut between fragments", frame(BINARY, IGNORED, fin=False), frozenset())
    yield Broken(
        "a length wider than it must be", frame(PING, b"x", width=64), protocol, ends=False
    )
    yield Broken("a ping's length in 16 bits", frame(PING, b"x", width=16), protocol, ends=False)


def _lying_batches() -> Iterator[tuple[str, bytes]]:
    good = pack(Batch([IGNORED, IGNORED]))

    def head(
        *,
        magic: int = MAGIC,
        size: int = 32,
        flags: int = 0,
        count: int = 1,
        payload: int = 28,
        rest: bytes = b"\x1c\x00" + bytes(28),
    ) -> bytes:
        return HEADER.pack(magic, size, flags, count, payload, 0, 0) + rest

    yield "empty", b""
    yield "one byte", b"W"
    yield "31 bytes", good[:31]
    yield "another magic", head(magic=0x31425457 ^ 1)
    yield "the magic in the other order", b"1BTW" + good[4:]
    for size in (0, 1, 31, 65535, 100):
        yield f"a header length of {size}", head(size=size)
    for flags in (8, 16, 0x8000, 0xFFFF):
        yield f"flags {flags:#x}", head(flags=flags)
    for flags in (1, 2, 3):
        yield f"columns of flags {flags} that are missing", head(flags=flags, rest=b"\x1c\x00")
    for count in (0, 2, 3, 65535, 2**31, 2**32 - 1):
        yield f"a count of {count}", head(count=count)
    for payload in (0, 27, 29, 2**31, 2**32 - 1):
        yield f"a payload of {payload}", head(payload=payload)
    yield "a length too long", head(rest=b"\x1d\x00" + bytes(28))
    yield "a length of 65535", head(rest=b"\xff\xff" + bytes(28))
    yield "cut by a byte", good[:-1]
    yield "a byte too many", good + b"x"
    yield "junk behind a batch", good + b"junk" * 20
    yield "a lie behind a batch", good + head(count=2)
    yield "counts that multiply beyond 32 bits", head(flags=3, count=0x7FFFFFFF, payload=0)


def _broken(attack: Attack | None, target: Target, path: str, kind: Broken) -> None:
    route = path if kind.route == "packets" else "/v1/events"
    protocols = [kind.protocol] if kind.protocol else []
    reader = Reader()
    try:
        connection, already = open_socket(target.port, route, target.admin, *protocols)
    except (OSError, Closed) as error:
        if attack:
            attack.found(PART, f"no handshake: {type(error).__name__}", str(error))
        return
    with connection:
        reader.feed(already)
        connection.settimeout(PATIENCE)
        try:
            # What follows must not be taken: a ping would be answered.
            connection.sendall(kind.sent + (frame(PING, b"late") if kind.codes else b""))
            if not kind.codes or not kind.ends:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        ended = read_to_end(connection, reader, PATIENCE)
    if attack is None:
        return
    where = kind.protocol or "events"
    if not ended:
        attack.found(PART, f"not closed ({where}): {kind.name}", "", kind.sent)
    elif reader.broken:
        attack.found(PART, f"{reader.broken} ({where}): {kind.name}", "", kind.sent)
    elif kind.codes and kind.ends and reader.close_code not in kind.codes:
        attack.found(
            PART,
            f"closed with {reader.close_code}, not {sorted(kind.codes)} ({where}): {kind.name}",
            "",
            kind.sent,
        )
    elif kind.codes <= FAILURES and kind.ends and reader.pongs > kind.before:
        attack.found(PART, f"a ping behind it is answered ({where}): {kind.name}", "", kind.sent)
