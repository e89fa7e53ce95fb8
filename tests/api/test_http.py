"""HTTP on one connection: what is refused, in what order, and how much may come."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.raw_connection import KEY, Raw, frame, handshake, request
from tests.running import TOKEN, RunningService, running

AUTH = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"
HEALTH = request("/noauth/health")
POST = "POST /v1/adapters HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service for all that leaves nothing behind."""
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[RunningService]:
    """A service that waits for nobody."""
    with running(tmp_path, request_timeout=0.5, idle_timeout=0.7) as service:
        yield service


def refused(service: RunningService, data: bytes) -> tuple[int, dict[str, Any]]:
    """Send something; return status and problem document of the one answer before the end."""
    with Raw(service.port) as raw:
        raw.send(data)
        answer = raw.answer()
        assert answer.headers["connection"] == "close"
        assert answer.headers["content-type"] == "application/problem+json"
        assert raw.until_closed() == b""
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status
    assert document["detail"]
    assert document["hint"]
    return answer.status, document


# Bounds of size


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000, id="a line without end"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a" * 70_000, id="a name without end"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 300 + b"\r\n", id="many headers"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + (b"A: " + b"a" * 8000 + b"\r\n") * 9 + b"\r\n", id="large ones"
        ),
        pytest.param(HEALTH[:-2] + b"A: " + b"a" * 65_600 + b"\r\n\r\n", id="one large one"),
        pytest.param(HEALTH[:-2] + b"A: b\r\n" * 2_000_000, id="much more than is read"),
        pytest.param(
            request("/noauth/health", "Transfer-Encoding: chunked", method="POST")
            + b"0\r\n"
            + b"A: b\r\n" * 300
            + b"\r\n",
            id="many trailers",
        ),
        pytest.param(
            request("/noauth/health", "Connection: Upgrade", "Upgrade: websocket")[:-2]
            + b"A: b\r\n" * 300
            + b"\r\n",
            id="a handshake",
        ),
    ],
)
def test_large_heads(service: RunningService, head: bytes) -> None:
    """A head beyond its bounds is answered with 431, and the answer can be read."""
    assert refused(service, head)[0] == 431


def test_long_target(service: RunningService) -> None:
    """A request line beyond its bound is answered with 414, whole or not."""
    assert refused(service, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 414
    assert refused(service, b"GET /" + b"a" * 200_000)[0] == 414


def test_heads_within_the_bounds(service: RunningService) -> None:
    """125 headers, a cookie of 8,180 bytes and a head of 60 KiB are answered, one after another."""
    many = [f"X-{number}: {number}" for number in range(125)]
    with Raw(service.port) as raw:
        for headers in (many, ["Cookie: " + "a" * 8180], ["A: " + "a" * 60_000], many):
            raw.send(request("/noauth/health", *headers))
            assert raw.answer().status == 200


def test_many_large_heads_on_one_connection(service: RunningService) -> None:
    """The bound is one of each head: twenty of 50 KiB pass on one connection, pipelined."""
    with Raw(service.port) as raw:
        raw.send(request("/noauth/health", "A: " + "a" * 50_000) * 20)
        assert [raw.answer().status for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"1;" + b"a" * 200_000 + b"\r\nx\r\n0\r\n\r\n", id="a long extension"),
        pytest.param((b"1;" + b"a" * 500 + b"\r\nx\r\n") * 2000, id="extensions"),
        pytest.param(b"0\r\n" + b"A: " + b"a" * 200_000, id="a trailer without end"),
    ],
)
def test_large_framing(service: RunningService, body: bytes) -> None:
    """What is around a chunked body is bounded too."""
    head = request("/v1/adapters", AUTH, JSON, "Transfer-Encoding: chunked", method="POST")
    assert refused(service, head + body)[0] == 400


def test_small_chunks(service: RunningService) -> None:
    """A body in chunks of one byte, with extensions and trailers, is a body."""
    body = json.dumps({"name": "Chunked"}).encode()
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body) + b"0\r\nX-Sum: 1\r\n\r\n"
    head = request("/v1/adapters", AUTH, JSON, "Transfer-Encoding: chunked", method="POST")
    with Raw(service.port) as raw:
        raw.send(head + chunks + HEALTH)
        created = raw.answer()
        assert created.status == 201
        assert created.json()["name"] == "Chunked"
        assert raw.answer().status == 200
    service.http.delete(f"/v1/adapters/{created.json()['guid']}")


def test_trailers_do_not_count_as_headers(service: RunningService) -> None:
    """A token in a trailer lets nobody in (RFC 9110, section 6.5.1)."""
    head = request("/v1/adapters", JSON, "Transfer-Encoding: chunked", method="POST")
    with Raw(service.port) as raw:
        raw.send(head + b"2\r\n{}\r\n0\r\n" + AUTH.encode() + b"\r\n\r\n")
        assert raw.answer().status == 401


@pytest.mark.parametrize(
    "trailer",
    ["Connection: close", "cOnnection: Upgrade", "Content-Length: 5", "Transfer-Encoding: chunked"],
)
def test_a_trailer_that_frames(service: RunningService, trailer: str) -> None:
    """A trailer that would change how the connection is read is refused (RFC 9110, 6.5.1)."""
    body = b'{"name": "Never"}'
    head = request("/v1/adapters", AUTH, JSON, "Transfer-Encoding: chunked", method="POST")
    with Raw(service.port) as raw:
        raw.send(head + b"11\r\n" + body + b"\r\n0\r\n" + trailer.encode() + b"\r\n\r\n" + HEALTH)
        assert raw.answer().status == 400
        assert raw.until_closed() == b""
    assert service.http.get("/v1/adapters").json() == []


def test_nothing_is_answered_behind_a_close(service: RunningService) -> None:
    """A request behind one with the header "Connection: close" is not answered, nor done."""
    body = b'{"name": "Never"}'
    late = request(
        "/v1/adapters", AUTH, JSON, f"Content-Length: {len(body)}", method="POST", body=body
    )
    with Raw(service.port) as raw:
        raw.send(request("/noauth/health", "Connection: close") + late)
        assert raw.answer().status == 200
        assert raw.until_closed() == b""
    assert service.http.get("/v1/adapters").json() == []


# RFC 9112

SMUGGLED = {
    "both lengths": f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both the other way": f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": f"{POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length twice": f"{POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": f"{POST}Content-Length: 5, 5\r\n\r\nabcde",
    "a signed length": f"{POST}Content-Length: +5\r\n\r\nabcde",
    "a negative length": f"{POST}Content-Length: -5\r\n\r\nabcde",
    "a hexadecimal length": f"{POST}Content-Length: 0x5\r\n\r\nabcde",
    "no length": f"{POST}Content-Length: \r\n\r\nabcde",
    "a vast length": f"{POST}Content-Length: {10**30}\r\n\r\nabcde",
    "an unknown coding": f"{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    "chunked and more": f"{POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": f"{POST}A: a\r\n b\r\n\r\n",
    "a folded coding": f"{POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": f"{POST}Content-Length : 5\r\n\r\nabcde",
    "a space before the name": "GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n",
    "a bare LF": "GET / HTTP/1.1\nHost: x\n\n",
    "a bare LF in headers": f"{POST}A: a\nB: b\r\n\r\n",
    "a bare CR": f"{POST}A: a\rB: b\r\n\r\n",
    "NUL": f"{POST}A: a\0b\r\n\r\n",
    "NUL in a name": f"{POST}A\0: b\r\n\r\n",
    "a control character": f"{POST}A: a\x0bb\r\n\r\n",
    "no colon": f"{POST}Authorization\r\n\r\n",
    "no name": f"{POST}: b\r\n\r\n",
    "a bare LF after a chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
    "a negative chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
    "a vast chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n{'f' * 20}\r\nx\r\n0\r\n\r\n",
    "a long chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    "a path of other bytes": "GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the path": "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": "FROB / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an answer": "HTTP/1.1 200 OK\r\n\r\n",
    "garbage": "\x00\xff\x80garbage\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_is_not_http(service: RunningService, name: str) -> None:
    """What two readers could read differently is refused once, and nothing behind it is read."""
    status, _ = refused(service, SMUGGLED[name].encode("latin-1") + HEALTH)
    unknown = ("an unknown coding", "chunked in 1.0")  # RFC 9112, section 6.1
    assert status == (501 if name in unknown else 400)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        ("GET /\r\n\r\n", 505),
        ("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ],
)
def test_what_is_not_served(service: RunningService, head: str, status: int) -> None:
    """Other versions, codings and proxying have statuses of their own."""
    assert refused(service, head.encode())[0] == status


@pytest.mark.parametrize("blank", [" ", "\t", " \t  "])
def test_blanks_around_values(service: RunningService, blank: str) -> None:
    """Blanks around a value are none of it (RFC 9110, section 5.5)."""
    body = b'{"name": "Blank"}'
    length = f"Content-Length:{blank}{len(body)}{blank}"
    with Raw(service.port) as raw:
        raw.send(request("/v1/adapters", AUTH + blank, JSON, length, method="POST", body=body))
        created = raw.answer()
        assert created.status == 201
    service.http.delete(f"/v1/adapters/{created.json()['guid']}")


@pytest.mark.parametrize("target", ["http://127.0.0.1/noauth/health", "http://x/noauth/health?a=b"])
def test_the_absolute_form(service: RunningService, target: str) -> None:
    """A target may name the host too (RFC 9112, section 3.2.2)."""
    with Raw(service.port) as raw:
        raw.send(request(target))
        assert raw.answer().status == 200
        raw.send(request("http://127.0.0.1", AUTH))
        assert raw.answer().status == 200


def test_refusals_wait_for_their_turn(service: RunningService) -> None:
    """What comes before a broken request is answered before it, what comes after it never."""
    with Raw(service.port) as raw:
        raw.send(HEALTH * 3 + request("/v1/system", AUTH) + b"GARBAGE\r\n\r\n" + HEALTH * 3)
        assert [raw.answer().status for _ in range(5)] == [200, 200, 200, 200, 400]
        assert raw.until_closed() == b""


def test_a_broken_body_behind_other_requests(service: RunningService) -> None:
    """A request whose body breaks while it waits for others gets its refusal in its place."""
    head = request("/v1/adapters", AUTH, JSON, "Transfer-Encoding: chunked", method="POST")
    with Raw(service.port) as raw:
        raw.send(request("/v1/adapters", AUTH) + HEALTH + head + b"zz\r\n" + HEALTH)
        assert [raw.answer().status for _ in range(3)] == [200, 200, 400]
        assert raw.until_closed() == b""
    assert service.http.get("/v1/adapters").json() == []


@pytest.mark.thorough
def test_thousands_in_one_go(service: RunningService) -> None:
    """Ten thousand requests that came at once are answered in order."""
    with Raw(service.port) as raw:
        sender = threading.Thread(target=raw.send, args=(HEALTH * 10_000,))
        sender.start()
        for _ in range(10_000):
            assert raw.answer().status == 200
        sender.join()


def test_an_expectation_of_http_1_0(service: RunningService) -> None:
    """A client of HTTP/1.0 knows no interim answer, so its expectation is ignored (RFC 9110)."""
    body = b'{"name": "Nowhere", "pool": "P"}'
    fields = (AUTH, "Content-Type: application/json", f"Content-Length: {len(body)}")
    asked = request("/v1/adapters/open", *fields, "Expect: 100-continue", method="POST", body=body)
    with Raw(service.port) as raw:
        raw.send(asked.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert raw.answer().status == 404
    with Raw(service.port) as raw:
        raw.send(asked)
        assert raw.answer().status == 100


# Upgrades that are not offered

H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA")
NAMED = b'{"name": "OfficeNet"}'
LENGTH = f"Content-Length: {len(NAMED)}"
CHUNKED = b"7\r\n" + NAMED[:7] + b"\r\ne\r\n" + NAMED[7:] + b"\r\n0\r\nX: y\r\n\r\n"
CORPUS = {
    "length": request("/v1/adapters", AUTH, JSON, *H2C, LENGTH, method="POST", body=NAMED),
    "chunked": request(
        *("/v1/adapters", AUTH, JSON, *H2C, "Transfer-Encoding: chunked"),
        method="POST",
        body=CHUNKED,
    ),
    "upgrade first": request("/v1/adapters", *H2C, AUTH, JSON, LENGTH, method="POST", body=NAMED),
    "plain": request("/v1/adapters", AUTH, JSON, LENGTH, method="POST", body=NAMED),
    "an upgrade to TLS": request(
        *("/v1/adapters", AUTH, JSON, "upgrade: TLS/1.0", "connection: UPGRADE", LENGTH),
        method="POST",
        body=NAMED,
    ),
}


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("name", CORPUS)
def test_requests_cut_at_every_byte(service: RunningService, name: str) -> None:
    """Wherever a request is cut, it means the same, and so does the one behind it."""
    whole = CORPUS[name] + request("/v1/adapters?pool=wintun-api", AUTH, *H2C) + HEALTH
    for cut in range(1, len(whole)):
        with Raw(service.port) as raw:
            raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.send(whole[:cut])
            raw.send(whole[cut:])
            created = raw.answer()
            assert created.status == 201, (cut, created)
            assert created.json()["name"] == "OfficeNet"
            assert raw.answer().json()[0]["name"] == "OfficeNet"
            assert raw.answer().json() == {"status": "ok"}
        assert service.http.delete(f"/v1/adapters/{created.json()['guid']}").is_success


def test_a_request_byte_by_byte(service: RunningService) -> None:
    """Every byte in a segment of its own."""
    with Raw(service.port) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CORPUS["chunked"]:
            raw.send(bytes((byte,)))
        created = raw.answer()
        assert created.status == 201
    service.http.delete(f"/v1/adapters/{created.json()['guid']}")


# Handshakes


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="nothing more"),
        pytest.param(["Cookie: " + "a" * 8180], id="a cookie of 8,180 bytes"),
        pytest.param(["Cookie: " + "a" * 50_000], id="a cookie of 50,000 bytes"),
        pytest.param([f"X-{number}: {number}" for number in range(125)], id="125 headers"),
        pytest.param([f"X-{number}: {number}" for number in range(240)], id="240 headers"),
        pytest.param(["Content-Length: 0"], id="an empty body"),
        pytest.param(["Connection: keep-alive"], id="two Connection headers"),
        pytest.param(["X: \xff\xfe"], id="a header of other bytes"),
    ],
)
def test_good_handshakes(service: RunningService, headers: list[str]) -> None:
    """What REST takes, a handshake takes too."""
    created = service.http.post("/v1/adapters", json={"name": "Shaken"})  # something to tell
    service.http.delete(f"/v1/adapters/{created.json()['guid']}")
    for _ in range(2):
        with Raw(service.port) as raw:
            raw.send(handshake("/v1/events?since=0", AUTH, *headers))
            assert raw.answer().status == 101
            assert raw.frame()[0] == 1


def plain_handshake(*headers: str, target: str = "/v1/events", method: str = "GET") -> bytes:
    return request(target, "Connection: Upgrade", "Upgrade: websocket", *headers, method=method)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (plain_handshake(AUTH, KEY), 400),
        (plain_handshake(AUTH, KEY, "Sec-WebSocket-Version: 8"), 400),
        (plain_handshake(AUTH, KEY, "Sec-WebSocket-Version: x"), 400),
        (plain_handshake(AUTH, "Sec-WebSocket-Version: 13"), 400),
        (plain_handshake(AUTH, "Sec-WebSocket-Key: AA", "Sec-WebSocket-Version: 13"), 400),
        (plain_handshake(AUTH, "Sec-WebSocket-Key: \xff", "Sec-WebSocket-Version: 13"), 400),
        (plain_handshake(AUTH, KEY, KEY, "Sec-WebSocket-Version: 13"), 400),
        (plain_handshake(AUTH, KEY, "Sec-WebSocket-Version: 13", method="POST"), 405),
        (handshake("/v1/events", AUTH, "Content-Length: 5") + b"abcde", 400),
        (handshake("/v1/events", AUTH, "Content-Length: 5"), 400),
        (handshake("/v1/events", AUTH, "Transfer-Encoding: chunked"), 400),
        (handshake("/v1/events\xff", AUTH), 400),
    ],
)
def test_bad_handshakes(service: RunningService, data: bytes, status: int) -> None:
    """Each is answered, with a problem document."""
    assert refused(service, data)[0] == status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (handshake("/v1/events"), 401),
        (handshake("/v1/nowhere", AUTH), 404),
        (handshake("/v1/nowhere%ff%00", AUTH), 404),
        (handshake("/v1/sessions/none/packets", AUTH), 404),
    ],
)
def test_refused_handshakes(service: RunningService, data: bytes, status: int) -> None:
    """A handshake that is well formed is judged by the app."""
    with Raw(service.port) as raw:
        raw.send(data)
        assert raw.answer().status == status


def test_a_handshake_behind_other_requests(service: RunningService) -> None:
    """A WebSocket begins once the requests before it are answered, with what came behind it."""
    data = request("/v1/adapters", AUTH) + HEALTH + handshake("/v1/events", AUTH)
    with Raw(service.port) as raw:
        raw.send(data + frame(9, b"ping"))
        assert [raw.answer().status for _ in range(3)] == [200, 200, 101]
        frames = [raw.frame(), raw.frame()]
        assert (10, b"ping") in frames
        raw.send(frame(8))
        assert raw.close_frame() == 1005


def test_a_handshake_cut_at_every_byte(service: RunningService) -> None:
    """Wherever the head of a handshake is cut, the WebSocket opens."""
    whole = handshake("/v1/events", AUTH)
    for cut in range(1, len(whole)):
        with Raw(service.port) as raw:
            raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.send(whole[:cut])
            raw.send(whole[cut:])
            assert raw.answer().status == 101


# Bounds of time


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\r\n", None, id="an empty line"),
        pytest.param(b"GET /noauth/health HTTP/1.1\r\nHo", 408, id="half a head"),
        pytest.param(CORPUS["length"][:-1], 408, id="half a body"),
        pytest.param(CORPUS["chunked"][:-1], 408, id="half a chunked body"),
        pytest.param(request("/", "Content-Length: 9", method="POST"), None, id="no body"),
        pytest.param(handshake("/v1/events", AUTH)[:-1], 408, id="half a handshake"),
    ],
)
def test_half_a_request(hasty: RunningService, data: bytes, status: int | None) -> None:
    """What does not come in time is answered with 408 where it had begun, and the end."""
    with Raw(hasty.port, timeout=30) as raw:
        raw.send(data)
        if status is not None:
            answer = raw.answer()
            assert answer.status == status
            assert answer.json()["type"].endswith(":request-timeout")
            assert raw.until_closed() == b""
        else:
            raw.until_closed()


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(b"GET /noauth/health HTTP/1.1\r\nA: " + b"a" * 200, id="head"),
        pytest.param(b"\r\n" * 200, id="empty lines"),
        pytest.param(request("/v1/adapters", AUTH, JSON, *["A: b"] * 90), id="headers"),
    ],
)
def test_slow_requests(hasty: RunningService, slow: bytes) -> None:
    """A byte now and then does not buy more time."""
    with Raw(hasty.port, timeout=0.05) as raw:
        ended = False
        for byte in slow:
            raw.send(bytes((byte,)))
            try:
                ended = not raw.more() or b" 408 " in raw.rest
            except TimeoutError:
                continue
            if ended:
                break
    assert ended


def test_a_slow_body(hasty: RunningService) -> None:
    """A body that comes a byte at a time is late, however long it goes on."""
    head = request("/v1/adapters", AUTH, JSON, "Content-Length: 1000", method="POST")
    with Raw(hasty.port, timeout=0.05) as raw:
        raw.send(head)
        for _ in range(100):
            raw.send(b" ")
            try:
                raw.more()
            except TimeoutError:
                continue
            break
        raw.socket.settimeout(10)
        assert raw.answer().status == 408


def test_idle_connections(hasty: RunningService) -> None:
    """A connection is kept for further requests for a while, and then closed without a word."""
    with Raw(hasty.port) as raw:
        for _ in range(3):
            raw.send(HEALTH)
            assert raw.answer().status == 200
        assert raw.until_closed() == b""
        assert hasty.service.context.connections is not None
        assert hasty.service.context.connections.closed["timeout_idle"] == 1


def test_an_endless_body_after_the_answer(service: RunningService) -> None:
    """A body that is not wanted is dropped up to a limit, then the connection ends."""
    head = request("/v1/adapters", "Transfer-Encoding: chunked", JSON, method="POST")
    with Raw(service.port) as raw:
        raw.send(head)
        assert raw.answer().status == 401
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while True:
                raw.socket.sendall(chunk)


# The log


def test_nothing_is_logged_for_garbage(
    service: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests that are no requests, and clients that leave at any point, cost no log line."""
    caplog.set_level(logging.WARNING)
    for data in SMUGGLED.values():
        with Raw(service.port) as raw:
            raw.send(data.encode("latin-1"))
    whole = handshake("/v1/events", AUTH) + frame(1, b"\xff") + frame(8)
    for message in (whole, CORPUS["chunked"][:-1], request("/v1/events", AUTH)):
        for cut in range(0, len(message), 7):
            with Raw(service.port) as raw:
                raw.send(message[:cut])
    for name in service.http.get("/v1/adapters").json():
        service.http.delete(f"/v1/adapters/{name['guid']}")
    assert [record.getMessage() for record in caplog.records] == []
