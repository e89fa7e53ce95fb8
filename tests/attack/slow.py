"""Clients that hold something and do not let go: connections, heads, bodies, pongs, queues.

The service runs with a limit of 1,024 descriptors. While each attack lasts, the health route must
answer, an event stream that was open before must go on, and what the service holds must stay
bounded. Connections on which nothing comes must be ended by the service itself.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Self

from tests.attack.attack import LOG, MEMORY, MIB, Attack
from tests.attack.raw_http import Answers, Closed, Malformed, connect, request
from tests.attack.raw_websocket import BINARY, PING, frame, handshake, open_socket
from tests.attack.target import Target
from tests.waiting import let_pass, within
from wintun_api.packet import build
from wintun_api.wire import BATCH, HEADER, MAGIC, PCAPNG, RAW, Batch, pack

PART = "slow"
DESCRIPTORS = 1024
# Longer than any time-out that a service should have before it knows who is there.
SILENCE = 75.0
HURRIED_SILENCE = 20.0
RESERVE = 16  # descriptors that must be left for the health route
PROMPTLY = 5.0
QUEUE = 8 * MIB  # of a subscriber, by default
PACKET = build.udp("10.9.0.2", "10.9.0.1", 4000, 9, b"")


def run(attack: Attack) -> None:
    """Do all of it; a service of its own for each kind, as memory once taken hides what follows."""
    # In the short form the service is told to be less patient; without such settings it is not.
    hurry = {} if attack.full else {"REQUEST_TIMEOUT": "3", "IDLE_TIMEOUT": "4"}
    silence = SILENCE if attack.full else HURRIED_SILENCE
    with _service(attack, "held", **hurry) as (held, _), ExitStack() as stack:
        waiting = [stack.enter_context(one) for one in _held(held)]
        watcher = threading.Thread(target=_watch_held, args=(waiting, silence), daemon=True)
        watcher.start()
        with _service(attack, "endless") as (target, _):
            _endless(attack, target)
        with _service(attack, "unread") as (target, session):
            _pings(attack, target, session)
        # Small buffers of the kernel, so that what is not read is soon in the queue.
        with _service(attack, "taps", SOCKET_BYTES="65536") as (target, session):
            _taps(attack, target, session)
        with _service(attack, "aborted") as (target, session):
            _aborted(attack, target, session)
            _pipelined(attack, target)
        with _service(attack, "many") as (target, _):
            _many(attack, target)
        watcher.join(silence + 20)
        _judge_held(attack, held, waiting, silence)


@contextmanager
def _service(attack: Attack, name: str, **settings: str) -> Iterator[tuple[Target, str]]:
    """Start a service with a session, warm."""
    options = {"descriptors": DESCRIPTORS, **settings}
    with attack.target(PART, f"{PART}-{name}", **options) as target:
        session = target.session(addresses=["10.9.0.1/24"])
        _warm_up(target, session)
        yield target, session


def _warm_up(target: Target, session: str) -> None:
    for path in ("/v1/system", "/v1/sessions", "/metrics", f"/v1/sessions/{session}"):
        for _ in range(50):
            target.call("GET", path)
    for _ in range(3):
        connection, _ = open_socket(
            target.port, f"/v1/sessions/{session}/packets?direction=both", target.admin, BATCH
        )
        with connection:
            for _ in range(20):
                connection.sendall(frame(PING, b"x") * 100 + frame(BINARY, _padded(100)))
                connection.recv(65536)


# Silence


@dataclass(slots=True)
class Held:
    """A connection that says nothing more.

    Attributes:
        drip: Sent once a second; nothing where it is empty.
        after: Seconds after which the service ended it; None while it is open.
    """

    name: str
    connection: socket.socket
    drip: bytes = b""
    after: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ended(self) -> bool:
        """Drip, and say whether the service has ended it."""
        self.connection.settimeout(0)
        try:
            if self.drip:
                self.connection.send(self.drip)
            while self.connection.recv(65536):
                pass
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        return True


def _held(target: Target) -> Iterator[Held]:
    head = request("GET", "/v1/system", target.authority, {"X": "y"})
    authorized = {"Authorization": f"Bearer {target.admin}", "Content-Type": "application/json"}
    post = request("POST", "/v1/tokens", target.authority, authorized, b"x" * 100)
    stranger = request("POST", "/v1/tokens", target.authority, {}, b"x" * 100)
    chunked = (
        f"POST /v1/tokens HTTP/1.1\r\nHost: {target.authority}\r\nAuthorization: Bearer "
        f"{target.admin}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n[[["
    ).encode()
    upgrade = handshake("/v1/events", target.authority, target.admin)
    for name, sent, drip in (
        ("nothing at all", b"", b""),
        ("a byte", b"G", b""),
        ("half a head", head[:-2], b""),
        ("half a head, and a byte a second", head[:-2], b"X"),
        ("header lines, one a second", head[:-2], b"X: y\r\n"),
        ("half a body", post[:-50], b""),
        ("half a body, and a byte a second", post[:-90], b"["),
        ("half a body of a stranger", stranger[:-50], b""),
        ("half a chunk", chunked, b""),
        ("half a handshake", upgrade[:-2], b""),
        ("empty lines", b"\r\n", b"\r\n"),
        ("nothing behind an answer", request("GET", "/noauth/health", target.authority), b""),
    ):
        connection = connect(target.port)
        if sent:
            connection.sendall(sent)
        yield Held(name, connection, drip)


def _watch_held(held: list[Held], silence: float) -> None:
    """Note when the service ends each of these, until it has or the time is over."""
    began = time.monotonic()
    while (now := time.monotonic() - began) < silence:
        waiting = [one for one in held if one.after is None]
        if not waiting:
            return
        for one in waiting:
            if one.ended():
                one.after = round(now, 1)
        let_pass(1)


def _judge_held(attack: Attack, target: Target, held: list[Held], silence: float) -> None:
    ends = {one.name: one.after for one in held}
    attack.figure(PART, ended_after_seconds=ends)
    for name, after in ends.items():
        if after is None:
            attack.found(PART, f"open for {silence:.0f} s: {name}")
    if not target.healthy():
        attack.found(PART, "no health beside held connections", target.tail())


def _many(attack: Attack, target: Target) -> None:
    """Open more connections than the service has descriptors."""
    count = 1_100
    for name, sent in (
        ("silent connections", b""),
        ("half heads", request("GET", "/v1/system", target.authority)[:-2]),
        ("half bodies", request("POST", "/v1/tokens", target.authority, {}, b"x" * 100)[:-50]),
    ):
        if name != "silent connections" and not attack.full:
            continue
        before = target.reading()
        target.forget_peak()
        with _events(attack, target, name), ExitStack() as stack:
            opened = 0
            for _ in range(count):
                try:
                    connection = stack.enter_context(connect(target.port, 2))
                    connection.sendall(sent)
                    opened += 1
                except OSError:  # refused: so be it, as long as others are served
                    continue
            worst, failed = _probe(target, 30.0 if attack.full else 8.0)
            now = target.reading()
            attack.figure(
                PART,
                **{name: f"{opened} opened, {now.descriptors} descriptors, health {worst:.2f} s"},
            )
            if failed:
                attack.found(PART, f"no health beside {count} {name}", f"{failed} times")
            if now.log - before.log > LOG:
                attack.found(
                    PART, f"the log grows without bound beside {count} {name}",
                    f"{now.log - before.log} bytes\n{target.tail(500)}",
                )  # fmt: skip
        attack.check_peak(PART, target, name, before, 3 * MEMORY)
        attack.settle(PART, target, name, before)


def _probe(target: Target, seconds: float) -> tuple[float, int]:
    """Ask for health again and again; return the longest time it took, and the failures."""
    worst, failed, until = 0.0, 0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        if not target.healthy(5.0):
            failed += 1
        worst = max(worst, time.monotonic() - began)
        let_pass(0.2)
    return worst, failed


@contextmanager
def _events(attack: Attack, target: Target, name: str) -> Iterator[None]:
    """Keep an event stream open, and check at the end that it goes on and a token opens more."""
    authorization = {"Authorization": f"Bearer {target.admin}"}
    with connect(target.port) as stream:
        stream.sendall(request("GET", "/v1/events", target.authority, authorization))
        answers = Answers(stream)
        answers.next(body=False)
        while b"event: snapshot" not in answers.held and answers.more():
            pass
        yield
        try:
            made = target.call("POST", "/v1/adapters", {"name": f"Beside {name}"})
            if made.status != 201:
                attack.found(PART, f"a known client is refused beside {name}", str(made.status))
                return
            stream.settimeout(10)
            while f"Beside {name}".encode() not in answers.held:
                if not answers.more():
                    attack.found(PART, f"an open stream ends beside {name}")
                    break
            target.call("DELETE", f"/v1/adapters/{made.json()['guid']}")
        except (OSError, Closed, Malformed) as error:
            attack.found(PART, f"an open stream does not go on beside {name}", repr(error))


# Endless requests


def _endless(attack: Attack, target: Target) -> None:
    """Send heads that never end, without a token, and see what the service holds of them."""
    size = attack.count(24 * MIB, 40 * MIB)
    host = f"Host: {target.authority}\r\n"
    get, post = f"GET / HTTP/1.1\r\n{host}", f"POST /v1/tokens HTTP/1.1\r\n{host}"
    upgrade = handshake("/v1/events", target.authority, None).decode()[:-2]
    chunked = f"{post}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for name, start, unit in (
        ("header lines", get, b"X-A: b\r\n"),
        ("long header lines", get, b"X-A: " + b"b" * 8000 + b"\r\n"),
        ("one header line", get + "X: ", b"y" * 8192),
        ("a header's name", get, b"y" * 8192),
        ("empty header values", get, b"a:\r\n"),
        ("folded lines", get + "X: y\r\n", b" z\r\n"),
        ("a path", "GET /", b"a" * 8192),
        ("a method", "", b"A" * 8192),
        ("a query", "GET /v1/system?", b"a=b&" * 2048),
        ("empty lines", "", b"\r\n"),
        ("header lines of a handshake", upgrade, b"X-A: b\r\n"),
        ("one header line of a handshake", upgrade + "Cookie: ", b"y" * 8192),
        ("a chunk's extension", chunked + "5;", b"x" * 8192),
        ("trailers", chunked + "0\r\n", b"X-A: b\r\n"),
        ("chunks of a stranger", chunked, b"1\r\nx\r\n"),
        ("a body of a stranger", f"{post}Content-Length: 99999999999\r\n\r\n", b"x" * 8192),
    ):
        before = target.reading()
        target.forget_peak()
        sent, answer = _send_until_refused(target, start.encode(), unit, size)
        attack.figure(PART, **{f"endless {name}": f"{sent} bytes taken, {answer}"})
        if sent >= size:
            attack.found(PART, f"endless: {name}", f"{sent} bytes were taken without an end")
        elif answer not in ("400", "401", "403", "408", "413", "414", "415", "431", "closed"):
            attack.found(PART, f"endless: {name} is answered {answer}", f"after {sent} bytes")
        attack.check_peak(PART, target, f"endless {name}", before, MEMORY)
        if not target.healthy():
            attack.found(PART, f"no health after endless {name}")


def _send_until_refused(target: Target, start: bytes, unit: bytes, size: int) -> tuple[int, str]:
    """Send until the service has had enough; return how much it took, and its answer."""
    chunk = unit * max(1, 65536 // len(unit))
    sent, answer = 0, b""
    with connect(target.port, 5) as connection:
        try:
            connection.sendall(start)
            while sent < size and not answer:
                connection.sendall(chunk)
                sent += len(chunk)
                connection.settimeout(0)
                with suppress(BlockingIOError):
                    answer = connection.recv(4096) or b"closed"
                connection.settimeout(5)
            if not answer:
                connection.settimeout(3)
                answer = connection.recv(4096) or b"closed"
        except TimeoutError:
            return sent, "silence"
        except OSError:
            with suppress(OSError):
                answer = answer or connection.recv(4096)
            if not answer:
                return sent, "closed"
    words = answer.split(b" ", 2)
    return sent, words[1].decode() if len(words) > 1 else "closed"


# What is not read


def _pings(attack: Attack, target: Target, session: str) -> None:
    """Ask for pongs that nobody reads."""
    pings = attack.count(300_000, 2_000_000)
    packets = f"/v1/sessions/{session}/packets"
    for name, path, protocols, payload in (
        ("pings on events", "/v1/events", (), b"p" * 125),
        ("pings with packets", f"{packets}?direction=none", (BATCH,), b"p" * 125),
        ("pings on a capture", packets, (PCAPNG,), b""),
    ):
        before = target.reading()
        target.forget_peak()
        connection, _ = open_socket(
            target.port, path, target.admin, *protocols, receive_buffer=4096
        )
        with connection:
            count, how = _flood(connection, frame(PING, payload) * 512, pings // 512)
            if not target.healthy():
                attack.found(PART, f"no health beside {name}")
        attack.figure(PART, **{name: f"{count * 512} taken, then {how}"})
        attack.check_peak(PART, target, name, before, MEMORY)
        attack.settle(PART, target, name, before)


def _taps(attack: Attack, target: Target, session: str) -> None:
    """Let packets queue up for those who do not read, each small, in a large message."""
    packets = f"/v1/sessions/{session}/packets"
    count = attack.count(2_000, 20_000)
    for name, path, protocols in (
        ("a tap of batches", f"{packets}?direction=injected", (BATCH,)),
        ("a tap of packets", f"{packets}?direction=injected", (RAW,)),
        ("a tap of both, cut", f"{packets}?direction=both&snaplen=20", (BATCH,)),
        ("a capture", packets, (PCAPNG,)),
        ("a capture over HTTP", f"/v1/sessions/{session}/capture.pcapng", None),
    ):
        before = target.reading()
        target.forget_peak()
        with _deaf(target, path, protocols):
            _inject(attack, target, session, count, name)
        attack.check_peak(PART, target, name, before, QUEUE + MEMORY)
        attack.settle(PART, target, name, before)


def _padded(length: int = 65535) -> bytes:
    """Return a batch of one small packet behind a header of so many bytes."""
    head = HEADER.pack(MAGIC, length, 0, 1, len(PACKET), 0, 0)
    return head + bytes(length - len(head)) + struct.pack("<H", len(PACKET)) + PACKET


@contextmanager
def _deaf(target: Target, path: str, protocols: tuple[str, ...] | None) -> Iterator[None]:
    """Subscribe, and read nothing any more."""
    if protocols is not None:
        connection, _ = open_socket(
            target.port, path, target.admin, *protocols, receive_buffer=4096
        )
    else:
        connection = connect(target.port, receive_buffer=4096)
        headers = {"Authorization": f"Bearer {target.admin}"}
        connection.sendall(request("GET", path, target.authority, headers))
        Answers(connection).next(body=False)
    with connection:
        yield


def _inject(attack: Attack, target: Target, session: str, count: int, name: str) -> None:
    """Inject many small packets in large messages."""
    path = f"/v1/sessions/{session}/packets?direction=none&full=wait"
    connection, _ = open_socket(target.port, path, target.admin, BATCH)
    message = frame(BINARY, _padded())
    filling = frame(
        BINARY, pack(Batch([build.udp("10.9.0.2", "10.9.0.1", 1, 9, bytes(1300))] * 20))
    )
    with connection:
        _flood(connection, filling, 100, read=True)  # 2.6 MB: buffers full, the queue not
        sent, how = _flood(connection, message, count, read=True)
    if sent < count:
        attack.found(PART, f"an injecting client is cut off beside {name}", f"{sent}: {how}")
    if not target.healthy():
        attack.found(PART, f"no health beside {name}")


def _flood(
    connection: socket.socket, chunk: bytes, times: int, *, read: bool = False
) -> tuple[int, str]:
    """Send a chunk so many times; return how many the service took, and how it ended."""
    connection.setblocking(False)
    view, at, done = memoryview(chunk), 0, 0
    wanted = selectors.EVENT_WRITE | (selectors.EVENT_READ if read else 0)
    with selectors.DefaultSelector() as selector:
        selector.register(connection, wanted)
        while done < times:
            events = selector.select(3.0)
            if not events:
                return done, "held back"
            try:
                if events[0][1] & selectors.EVENT_READ and not connection.recv(262144):
                    return done, "closed"
                if events[0][1] & selectors.EVENT_WRITE:
                    at += connection.send(view[at:])
                    if at == len(chunk):
                        at, done = 0, done + 1
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:
                return done, "cut off"
    return done, "all sent"


def _pipelined(attack: Attack, target: Target) -> None:
    """Ask thousands of times on one connection and read no answer."""
    name = "pipelined requests without reading"
    one = request(
        "GET", "/v1/tokens", target.authority, {"Authorization": f"Bearer {target.admin}"}
    )
    for label in range(30):  # so that an answer has some size
        target.token("read", label=f"{label} " + "x" * 90)
    before = target.reading()
    target.forget_peak()
    with connect(target.port, receive_buffer=4096) as connection:
        count, how = _flood(connection, one * 100, attack.count(50, 1000))
        if not target.healthy():
            attack.found(PART, f"no health beside {name}")
    attack.figure(PART, **{name: f"{count * 100} taken, then {how}"})
    attack.check_peak(PART, target, name, before, MEMORY)
    attack.settle(PART, target, name, before)


# What is not waited for


def _aborted(attack: Attack, target: Target, session: str) -> None:
    """Ask for streams, and be gone before the answer."""
    count = attack.count(1_000, 8_000)
    authorization = {"Authorization": f"Bearer {target.admin}"}
    for method, path in (
        ("HEAD", "/v1/events"),
        ("GET", "/v1/events"),
        ("HEAD", f"/v1/sessions/{session}/capture.pcapng"),
        ("GET", f"/v1/sessions/{session}/capture.pcapng"),
    ):
        name = f"aborted {method} {path.replace(session, 'ID')}"
        sent = request(method, path, target.authority, authorization)
        _abort(target, sent, count // 4)
        within(20, lambda: target.reading().descriptors < 64, 0.05)
        before = target.reading()
        began = time.monotonic()
        most, refused = _abort(target, sent, count)
        held = most - before.descriptors
        attack.figure(
            PART,
            **{name: f"{round(count / (time.monotonic() - began))}/s, {held} descriptors at most"},
        )
        if refused > count // 10:
            attack.found(PART, f"no connection during {name}", f"{refused} of {count}")
        if most > DESCRIPTORS - RESERVE:
            attack.found(PART, f"descriptors run out during {name}", f"{most} of {DESCRIPTORS}")
        least = before.descriptors + RESERVE
        if not within(PROMPTLY, partial(_holds_at_most, target, least), 0.05):
            attack.found(
                PART, f"descriptors stay open for {PROMPTLY:.0f} s after {name}",
                f"{target.reading().descriptors}; {before.descriptors} before",
            )  # fmt: skip
        attack.settle(PART, target, name, before)


def _abort(target: Target, sent: bytes, count: int) -> tuple[int, int]:
    """Send and be gone, so many times; return the most descriptors, and connections refused."""
    most = refused = 0
    for number in range(count):
        try:
            with connect(target.port, 5) as connection:
                connection.sendall(sent)
                if number % 2:
                    connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
        except OSError:
            refused += 1
        if number % 50 == 0:
            most = max(most, target.reading().descriptors)
    return most, refused


def _holds_at_most(target: Target, descriptors: int) -> bool:
    return target.reading().descriptors <= descriptors
