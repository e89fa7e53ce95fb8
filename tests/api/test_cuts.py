"""Requests that are cut into TCP segments anywhere: every answer is that of the uncut request.

The client runs in the service's own event loop, so that each piece is read before the next one is
sent, however fast the machine is.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator, Sequence

import pytest

from tests.api.raw_connection import frame, handshake, request
from tests.running import TOKEN, RunningService, running

AUTH = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"
BODY = b'{"name": "Nowhere", "pool": "Example"}'
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = (
    b"5;a=b\r\n" + BODY[:5] + b"\r\n%x\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\nX: y\r\n\r\n"
)
# What Java's HttpClient sends with every first request in clear.
H2C = ("Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAAB", "Upgrade: h2c")
OPEN = "/v1/adapters/open"
LAST = request("/noauth/health", "Connection: close")
NAMED = b"Nowhere"  # in the answer to a body that arrived


def post(*headers: str, body: bytes = BODY) -> bytes:
    """Return a request whose answer names what its body asks for."""
    return request(OPEN, AUTH, JSON, *headers, method="POST", body=body)


def websocket(*behind: bytes) -> bytes:
    """Return a handshake for events with frames right behind it."""
    return handshake("/v1/events", AUTH) + b"".join(behind) + frame(8)


CORPUS = {
    "h2c, a length": post(*H2C, LENGTH),
    "h2c, chunks": post(*H2C, CHUNKED, body=CHUNKS),
    "h2c first": request(OPEN, *H2C, AUTH, JSON, LENGTH, method="POST", body=BODY),
    "h2c pipelined": post(*H2C, LENGTH) + post(*H2C, CHUNKED, body=CHUNKS) + post(*H2C, LENGTH),
    "h2c, no body": request("/v1/adapters", AUTH, *H2C),
    "h2c, GET with a body": request("/v1/adapters", AUTH, *H2C, LENGTH, body=BODY),
    "h2c, HEAD": request("/v1/system", AUTH, *H2C, method="HEAD"),
    "h2c, an absolute target": request(
        *(f"http://localhost{OPEN}", AUTH, JSON, *H2C, LENGTH), method="POST", body=BODY
    ),
    "h2c, 100-continue": post(*H2C, LENGTH, "Expect: 100-continue"),
    "h2c, an empty body": request(OPEN, AUTH, JSON, *H2C, "Content-Length: 0", method="POST"),
    "h2c, no token": request(OPEN, JSON, *H2C, LENGTH, method="POST", body=BODY),
    "h2c, broken chunks": post(*H2C, CHUNKED, body=b"5\r\nabcdeX\r\n"),
    "an unknown protocol": post("Connection: upgrade", "Upgrade: foo/2, bar", LENGTH),
    "two upgrades": post("Connection: upgrade", "Upgrade: h2c", "Upgrade: foo", LENGTH),
    "h2c or websocket": post("Connection: upgrade", "Upgrade: h2c, websocket", LENGTH),
    "an upgrade without Connection": post("Upgrade: h2c", LENGTH),
    "a Connection without an upgrade": post("Connection: upgrade", CHUNKED, body=CHUNKS),
    "plain chunks": post(CHUNKED, body=CHUNKS) + post(CHUNKED, body=CHUNKS),
    "GET with a body": request("/v1/adapters", AUTH, LENGTH, body=BODY),
    "HTTP/1.0": post(*H2C, LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/1.0, 100-continue": post(LENGTH, "Expect: 100-continue").replace(
        b"HTTP/1.1", b"HTTP/1.0"
    ),
    "a WebSocket": websocket(),
    "a WebSocket and frames": websocket(frame(9, b"ping"), frame(10)),
    "a WebSocket behind requests": post(*H2C, LENGTH) + post(LENGTH) + websocket(frame(9, b"p")),
    "a WebSocket that is not open to this": handshake("/v1/events"),
    "a handshake without a key": request(
        "/v1/events", AUTH, "Connection: Upgrade", "Upgrade: websocket"
    ),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service for all; nothing here changes it."""
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


async def turns(count: int) -> None:
    """Let the event loop read and answer what has come."""
    for _ in range(count):
        await asyncio.sleep(0)


async def exchange(port: int, pieces: Sequence[bytes]) -> bytes:
    """Send pieces on a connection, each once the one before was read; return all that comes."""
    loop = asyncio.get_running_loop()
    with socket.socket() as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(opened, ("127.0.0.1", port))
        await turns(8)
        answer = b""
        try:
            for piece in pieces:
                await loop.sock_sendall(opened, piece)
                await turns(4)
            while data := await asyncio.wait_for(loop.sock_recv(opened, 65536), 20):
                answer += data
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


def ask(service: RunningService, *pieces: bytes) -> bytes:
    """Run one exchange in the service's event loop; return what came without what always differs.

    Of a WebSocket that is the accepting and the last frames: the snapshot has a time in it.
    """
    work = asyncio.run_coroutine_threadsafe(exchange(service.port, pieces), service.loop)
    found = re.sub(rb"(?i)date: [^\r]*\r\n", b"", work.result(30))
    before, switched, after = found.partition(b" 101 Switching Protocols\r\n")
    if not switched:
        return found
    head, _, frames = after.partition(b"\r\n\r\n")
    kinds = [frames[at : at + 6] for at in (frames.find(b"\x8a"), frames.rfind(b"\x88")) if at >= 0]
    return before + switched + head + b"".join(kinds[-1:])


def whole_of(name: str) -> bytes:
    """Return a case's bytes, with a last request where the connection goes on."""
    data = CORPUS[name]
    ends = "WebSocket" in name or "handshake" in name or "HTTP/1.0" in name or "broken" in name
    return data if ends else data + LAST


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.heavy, id="every"), 7])
@pytest.mark.parametrize("name", CORPUS)
def test_cut_at_every_byte(service: RunningService, name: str, step: int) -> None:
    """Wherever a request is cut in two, and in pieces of every size, it is answered the same."""
    whole = whole_of(name)
    expected = ask(service, whole)
    assert expected.startswith(b"HTTP/1.1 ")
    for cut in range(1, len(whole), step):
        assert ask(service, whole[:cut], whole[cut:]) == expected, cut
    for size in (1, 2, 7):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert ask(service, *pieces) == expected, size


@pytest.mark.parametrize("name", CORPUS)
def test_upgrades_that_are_not_offered_are_ignored(service: RunningService, name: str) -> None:
    """The answers are those of the same requests without Upgrade (RFC 9110, section 7.8)."""
    whole = whole_of(name)
    if "WebSocket" in name or "handshake" in name:
        pytest.skip("this upgrade is offered")
    plain = re.sub(rb"\r\n(Upgrade|HTTP2-Settings):[^\r]*", b"", whole)
    plain = re.sub(rb"\r\nConnection: (?!close)[^\r]*", b"", plain)
    found = ask(service, whole)
    assert found == ask(service, plain)
    if OPEN.encode() in whole and b"no token" not in name.encode():
        asked = (
            len(re.findall(rb"POST [^ ]*/open", whole)) - name.count("empty") - name.count("broken")
        )
        assert found.count(NAMED) >= asked
    assert b" 101 " not in found
