"""Clients that die: every way to go, on every kind of connection, many at a time, under flood.

One client that behaves well lives through all of it: it must get every packet, or be told which it
lost, and must never be cut off.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.attack.attack import Attack
from tests.attack.raw_http import Answers, Closed, Malformed, connect, request
from tests.attack.raw_websocket import (
    BINARY,
    CLOSE,
    Reader,
    Refused,
    close_frame,
    frame,
    handshake,
    open_socket,
    read_to_end,
)
from tests.attack.target import Target
from tests.waiting import let_pass, within
from wintun_api.packet import build
from wintun_api.wire import BATCH, PCAPNG, RAW, Batch, pack, unpack

PART = "deaths"
CLIENTS = 64
LIFE = (0.0, 0.01, 0.1, 0.4)  # seconds that a client lives, of which one is drawn
PACKET = build.udp("10.9.0.2", "10.9.0.1", 4000, 9, b"x" * 400)
BATCHES = frame(BINARY, pack(Batch([PACKET] * 100)))
KINDS = ("raw", "batch", "pcapng", "events", "sse", "capture", "rest")
WAYS = ("reset", "mid frame", "silent", "garbage", "handshake", "half closed", "in order")


def run(attack: Attack) -> None:
    """Let so many clients die, 64 at a time."""
    count = attack.count(200, 1000)
    with attack.target(PART, TRAFFIC="5000") as target:
        session = target.session(addresses=["10.9.0.1/24"])
        stop = threading.Event()
        steady = _Steady(target, session, stop)
        flood = threading.Thread(target=_flood, args=(attack, target, session, stop), daemon=True)
        steady.start()
        flood.start()
        counts: Counter[str] = Counter()
        try:
            with attack.watch(
                PART, target, "client deaths", patience=30,
                warm_up=lambda: _die(
                    attack, target, session, count=128, name="warm-up", counts=Counter()
                ),
            ):  # fmt: skip
                began = time.monotonic()
                _die(attack, target, session, count=count, name="deaths", counts=counts)
                seconds = time.monotonic() - began
                _only_steady_left(attack, target, session)
        finally:
            stop.set()
            flood.join(10)
            steady.join(10)
        steady.judge(attack)
        attack.figure(
            PART,
            deaths=sum(counts.values()),
            per_second=round(sum(counts.values()) / seconds),
            ways=dict(counts),
            steady_received=steady.received,
            steady_lost=steady.lost,
        )


def _die(
    attack: Attack, target: Target, session: str, *, count: int, name: str, counts: Counter[str]
) -> None:
    def one(number: int) -> None:
        random_ = attack.random(PART, name, number)
        # Every kind dies in every way, whatever the count.
        kind = KINDS[number % len(KINDS)]
        way = WAYS[number // len(KINDS) % len(WAYS)]
        try:
            _life(random_, target, session, kind, way)
        except TimeoutError as error:
            attack.found(PART, f"no answer for {kind}", f"{way}: {error}")
        except Refused as refused:
            if refused.answer.status not in (429, 503):
                attack.found(PART, f"{kind} refused: {refused.answer.status}", str(refused))
        except (OSError, Closed):
            pass  # who dies meets closed doors
        except Malformed as error:
            attack.found(PART, f"a malformed answer for {kind}", f"{way}: {error}")
        counts[way] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(one, range(count)):
            pass


def _life(random_: random.Random, target: Target, session: str, kind: str, way: str) -> None:
    life = random_.choice(LIFE)
    packets = f"/v1/sessions/{session}/packets"
    protocols = {"raw": (RAW,), "batch": (BATCH,), "pcapng": (PCAPNG,)}.get(kind, ())
    direction = random_.choice(("received", "both", "injected"))
    overflow = random_.choice(("drop_oldest", "drop_newest", "close"))
    path = f"{packets}?direction={direction}&overflow={overflow}" if protocols else "/v1/events"
    if kind == "capture":
        path = f"/v1/sessions/{session}/capture.pcapng"
    websocket = bool(protocols) or kind == "events"
    head = (
        handshake(path, target.authority, target.admin, *protocols)
        if websocket
        else request(
            "GET",
            path if kind != "rest" else "/v1/sessions",
            target.authority,
            {"Authorization": f"Bearer {target.admin}"},
        )
    )
    with connect(target.port, 20) as connection:
        if way == "handshake":
            connection.sendall(head[: random_.randrange(1, len(head) + 1)])
            if random_.random() < 0.5:
                _reset(connection)
            return
        connection.sendall(head)
        answers = Answers(connection)
        answer = answers.next(body=False)
        if answer.status != (101 if websocket else 200):
            raise Refused(answer)
        if way != "silent":
            _live(connection, life)
        else:
            let_pass(life)  # nothing is read: what comes fills the buffers and the queues
        _END[way](random_, connection, websocket=websocket)


def _live(connection: socket.socket, seconds: float) -> None:
    """Read for a while."""
    until = time.monotonic() + seconds
    connection.settimeout(max(0.001, seconds))
    while time.monotonic() < until:
        try:
            if not connection.recv(65536):
                return
        except TimeoutError:
            return


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _by_reset(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    if websocket:
        connection.sendall(BATCHES[: random_.randrange(len(BATCHES))])
    _reset(connection)


def _mid_frame(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    sent = BATCHES if websocket else b"GET /v1/system HTTP/1.1\r\nHost: x\r\n"
    connection.sendall(sent[: random_.randrange(1, len(sent))])


def _silent(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    """Close with bytes that were not read, as a killed process does; that is a reset."""


def _garbage(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    junk = random_.randbytes(random_.randrange(1, 2000))
    if websocket:
        junk = random_.choice((frame(CLOSE, junk[:125]), close_frame(1000, b"\xff"))) + junk
    connection.sendall(junk)
    _live(connection, 0.05)


def _half_closed(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    connection.shutdown(socket.SHUT_WR)
    _live(connection, 0.2)


def _in_order(random_: random.Random, connection: socket.socket, *, websocket: bool) -> None:
    if websocket:
        connection.sendall(close_frame(1000))
        read_to_end(connection, Reader(close_code=0), 2)


_END: dict[str, Callable[..., None]] = {
    "reset": _by_reset,
    "mid frame": _mid_frame,
    "silent": _silent,
    "garbage": _garbage,
    "half closed": _half_closed,
    "in order": _in_order,
}


def _flood(attack: Attack, target: Target, session: str, stop: threading.Event) -> None:
    """Inject without end, so that taps have something to choke on."""
    path = f"/v1/sessions/{session}/packets?direction=none"
    while not stop.is_set():
        try:
            connection, _ = open_socket(target.port, path, target.admin, RAW)
        except (OSError, Closed, Refused):
            if not stop.wait(0.2):
                continue
            return
        raw = frame(BINARY, PACKET) * 50
        with connection:
            try:
                while not stop.wait(0.005):
                    connection.sendall(raw)
            except OSError as error:
                attack.found(PART, f"the injecting client was cut off: {type(error).__name__}")


class _Steady(threading.Thread):
    """A client of `v1.batch` that reads everything and counts.

    Attributes:
        received: Packets.
        lost: By `lost` messages.
        gap: Packets that are in neither, by the sequence numbers.
    """

    def __init__(self, target: Target, session: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._target, self._session, self._stopping = target, session, stop
        self.received = self.lost = self.gap = 0
        self.ended = ""

    def run(self) -> None:
        path = f"/v1/sessions/{self._session}/packets"
        connection, held = open_socket(self._target.port, path, self._target.admin, BATCH)
        following: int | None = None
        with connection:
            connection.settimeout(5)
            reader = _Messages(held)
            while not self._stopping.is_set():
                try:
                    data = connection.recv(262144)
                except TimeoutError:
                    self.ended = "no packet for 5 s"
                    return
                except OSError as error:
                    self.ended = repr(error)
                    return
                if not data:
                    self.ended = f"closed by the service: {reader.last!r}"
                    return
                for text, message in reader.feed(data):
                    if text:
                        said = json.loads(message)
                        self.lost += said["count"] if said["type"] == "lost" else 0
                        continue
                    for batch in unpack(message):
                        if following is not None:
                            self.gap += batch.sequence - following
                        count = len(batch.packets)
                        if batch.sequence_deltas is not None:
                            self.gap += sum(batch.sequence_deltas[1:]) - (count - 1)
                            following = batch.sequence + sum(batch.sequence_deltas[1:]) + 1
                        else:
                            following = batch.sequence + count
                        self.received += count

    def judge(self, attack: Attack) -> None:
        """Write down what it missed."""
        if self.ended:
            attack.found(PART, "the steady client was cut off", self.ended)
        if self.received == 0:
            attack.found(PART, "the steady client got nothing")
        # A `lost` message may still be on its way when it stops; the reverse cannot be.
        if self.lost > self.gap:
            attack.found(PART, "losses were told that are none", f"{self.lost} > {self.gap}")


class _Messages:
    """Cuts a service's bytes into messages."""

    def __init__(self, held: bytes) -> None:
        self._held = held
        self.last = b""

    def feed(self, data: bytes) -> list[tuple[bool, bytes]]:
        held, at, found = self._held + data, 0, []
        while len(held) - at >= 2:
            size, start = held[at + 1], at + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                if len(held) < start + wide:
                    break
                size = int.from_bytes(held[start : start + wide], "big")
                start += wide
            if len(held) < start + size:
                break
            if held[at] in (0x81, 0x82):
                found.append((held[at] == 0x81, held[start : start + size]))
            else:
                self.last = held[at : start + size][:100]
            at = start + size
        self._held = held[at:]
        return found


def _only_steady_left(attack: Attack, target: Target, session: str) -> None:
    path = f"/v1/sessions/{session}"
    if not within(20, lambda: target.call("GET", path).json()["subscribers"] <= 1, 0.05):
        left = target.call("GET", path).json()["subscribers"]
        attack.found(PART, "subscribers stay after their clients died", f"{left}; 1 lives")
    view = target.call("GET", path).json()
    if view["state"] != "running":
        attack.found(PART, "the session ended", json.dumps(view))
