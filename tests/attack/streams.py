"""Byte streams, changed at random: HTTP requests, and frames behind a real handshake."""

from __future__ import annotations

import random
import socket
import time

from tests.attack.attack import Attack
from tests.attack.frames import broken_kinds, sound_kinds
from tests.attack.mutations import changed, pieces
from tests.attack.raw_http import Answers, Closed, Malformed, connect, source_address
from tests.attack.raw_websocket import Reader, Refused, handshake, open_socket, read_to_end
from tests.attack.smuggle import cases
from tests.attack.target import Died, Target
from wintun_api.wire import BATCH, PCAPNG, RAW

PART = "fuzz"
PATIENCE = 10.0
HTTP_WORDS = (
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b":", b": ", b",", b";", b"=", b"%0A",
    b"%00", b"%", b"?", b"#", b"/", b"//", b"/../", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"GET ",
    b"HEAD ", b"POST ", b"DELETE ", b"PATCH ", b"OPTIONS ", b"CONNECT ", b"Host: ", b"Host: x\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Content-Length: ", b"Transfer-Encoding: ",
    b"Transfer-Encoding: chunked\r\n", b"chunked", b"identity", b"0\r\n\r\n", b"5\r\nabcde\r\n",
    b"ffffffffffffffff\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
    b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n",
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n", b"Sec-WebSocket-Version: 13\r\n",
    b"Sec-WebSocket-Protocol: v1.batch.wintun-api\r\n", b"Sec-WebSocket-Protocol: ,,\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n", b"Expect: 100-continue\r\n",
    b"Authorization: Bearer x\r\n", b"Authorization: Basic eDp5\r\n", b"Cookie: a=b\r\n",
    b"Origin: null\r\n", b"Sec-Fetch-Site: cross-site\r\n", b"Range: bytes=0-1\r\n",
    b"Content-Type: application/json\r\n", b"Content-Type: \xff\r\n", b"Accept: text/html\r\n",
    b"X-Forwarded-For: 1.2.3.4\r\n", b"X: " + b"y" * 9000 + b"\r\n", b"X: y\r\n" * 110, b"\xff\xfe",
    b"\xe2\x80\xa8", b"\x80", b"\x7f", b"a" * 5000,
)  # fmt: skip
FRAME_WORDS = (
    b"\x82\x80", b"\x81\x80", b"\x88\x80", b"\x89\x80", b"\x8a\x80", b"\x80\x80", b"\x02\x80",
    b"\x00\x80", b"\x82\xfe\x00\x7e", b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00", b"\xff" * 8,
    b"\x00" * 8, b"WTB1", b"\x88\x82\x00\x00\x00\x00\x03\xe8", b"\x20\x00", b"\xc2\x81",
    b"\xc1\x80",
    b"\x82\x02", b"\x45\x00\x00\x14", b"\x60\x00\x00\x00", b"\x00\x00\x00\x00",
)  # fmt: skip


def requests(attack: Attack, target: Target, name: str, seconds: float) -> int:
    """Send changed requests and read what comes as strictly as a proxy would."""
    random_ = attack.random(PART, name)
    corpus = [case.sent for case in cases(target.authority, "x" * 43) if len(case.sent) < 4000]
    corpus += [
        handshake(path, target.authority, token, *protocols)
        for path in ("/v1/events", "/v1/sessions/absent/packets")
        for token in (None, target.admin)
        for protocols in ((), (BATCH,))
    ]
    good = [case.sent for case in cases(target.authority, target.admin) if len(case.sent) < 4000]
    corpus += good[:40]
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = changed(random_, random_.choice(corpus), HTTP_WORDS, corpus)
        if random_.random() < 0.15:
            data = data[: random_.randrange(len(data) + 1)]
        _request(attack, target, random_, data)
        count += 1
        _still_there(attack, target, count)
    return count


def _request(attack: Attack, target: Target, random_: random.Random, data: bytes) -> None:
    try:
        # Guesses may be limited by address: every connection comes from another.
        with connect(target.port, PATIENCE, source_address(random_)) as connection:
            try:
                for piece in pieces(random_, data):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has had enough; what it said is read all the same
            _read(attack, connection, data)
    except TimeoutError:
        attack.found(PART, "a request is neither answered nor ended", "", data)
    except OSError:
        return


def _read(attack: Attack, connection: socket.socket, data: bytes) -> None:
    answers = Answers(connection)
    for _ in range(200):
        if not answers.held:
            piece = connection.recv(65536)
            if not piece:
                return
            answers.held = piece
        try:
            answer = answers.next(head=data[:4] == b"HEAD", body=data[:4] != b"HEAD")
        except Closed:
            return  # a stream or an answer to a client that has ended its side may be cut
        except Malformed as error:
            if b"HEAD" not in data:  # else what follows depends on what was asked
                attack.found(PART, f"a malformed answer: {str(error)[:60]}", "", data)
            return
        if answer.status >= 500 and answer.status not in (501, 503, 505):
            attack.found(
                PART, f"a request is answered {answer.status}", str(answer.body[:300]), data
            )
        if answer.status == 101 or answer.streaming:
            return


def frames(attack: Attack, target: Target, name: str, seconds: float) -> int:
    """Send changed frames behind a real handshake; the service must answer or end it, in order."""
    random_ = attack.random(PART, name)
    session = target.session(name=f"Fuzz {name}")
    packets = f"/v1/sessions/{session}/packets"
    corpus = [kind.unit * 3 for kind in sound_kinds()]
    corpus += [kind.sent for kind in broken_kinds(random_) if len(kind.sent) < 5000]
    routes = ((packets, RAW), (packets, BATCH), (packets, PCAPNG), ("/v1/events", ""))
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        path, protocol = random_.choice(routes)
        data = changed(random_, random_.choice(corpus), FRAME_WORDS, corpus)
        try:
            connection, already = open_socket(
                target.port, path, target.admin, *([protocol] if protocol else [])
            )
        except (OSError, Closed, Refused) as error:
            attack.found(PART, f"no handshake while frames are fuzzed: {error!r}"[:90])
            _still_there(attack, target, 0)
            continue
        with connection:
            connection.settimeout(PATIENCE)
            reader = Reader()
            reader.feed(already)
            try:
                for piece in pieces(random_, data):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            if not read_to_end(connection, reader, PATIENCE):
                attack.found(PART, f"frames on {protocol or 'events'} do not end", "", data)
            if reader.broken:
                attack.found(PART, f"the service sends {reader.broken}", protocol, data)
            # A close frame with this code may have been the client's own, and is answered alike.
            if reader.close_code == 1011 and b"\x88" not in data:
                attack.found(PART, f"frames on {protocol or 'events'} end with 1011", "", data)
        count += 1
        _still_there(attack, target, count)
    return count


def _still_there(attack: Attack, target: Target, count: int) -> None:
    if not target.alive:
        raise Died(target.tail())
    if count % 500 == 0 and not target.healthy():
        attack.found(PART, "no health while it is fuzzed", target.tail())
