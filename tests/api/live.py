"""A live capture that a test takes as it comes, over HTTP or over WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.capture.samples import blocks
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from wintun_api.capture import pcapng
from wintun_api.wire import PCAPNG

PATH = "/v1/capture.pcapng"
GET, WEBSOCKET = WAYS = ("GET", "WebSocket")


@dataclass
class Live:
    """A capture that runs.

    Attributes:
        file: What has come.
        code: The code with which the service closed the WebSocket; None before, and over HTTP.
    """

    _next: Callable[[], bytes | None]
    file: bytes = b""
    code: int | None = field(default=None)

    def more(self) -> bool:
        """Wait for the next piece; return whether there was one."""
        piece = self._next()
        self.file += piece or b""
        return piece is not None

    def count(self, kind: int) -> int:
        """How many blocks of a kind have come."""
        return sum(one == kind for one, _ in blocks(self.file))

    def until(self, *, packets: int = 0, interfaces: int = 0, statistics: int = 0) -> None:
        """Take until so many packets, interfaces and statistics of interfaces are there."""
        wanted = {
            pcapng.SECTION_HEADER: 1,
            pcapng.ENHANCED_PACKET: packets,
            pcapng.INTERFACE_DESCRIPTION: interfaces,
            pcapng.INTERFACE_STATISTICS: statistics,
        }
        while any(self.count(kind) < number for kind, number in wanted.items()):
            assert self.more(), "The capture has ended."

    def rest(self) -> bytes:
        """Take everything until it ends; return the whole file."""
        while self.more():
            pass
        assert pcapng.whole(self.file) == len(self.file)
        return self.file

    def save(self, path: Path) -> Path:
        """Take everything until it ends, and write it into a file."""
        path.write_bytes(self.rest())
        return path


@contextmanager
def live(
    service: RunningService,
    way: str = GET,
    path: str = PATH,
    *,
    token: str = TOKEN,
    **query: object,
) -> Iterator[Live]:
    """Give a capture whose header has come, so that it has begun."""
    asked = f"{path}?{urlencode(query, doseq=True)}"
    if way == GET:
        with service.client(token) as client, client.stream("GET", asked) as answer:
            assert answer.status_code == 200, answer.read()
            pieces = answer.iter_raw()
            capture = Live(lambda: next(pieces, None))
            capture.until()
            yield capture
    else:
        with open_websocket(service, asked, PCAPNG, token=token) as socket:
            assert socket.subprotocol == PCAPNG
            capture = Live(lambda: _message(socket, capture))
            capture.until()
            yield capture


def _message(socket: ClientConnection, capture: Live) -> bytes | None:
    try:
        message = socket.recv(30)
    except ConnectionClosed as closed:
        capture.code = None if closed.rcvd is None else closed.rcvd.code
        return None
    assert isinstance(message, bytes)
    assert pcapng.whole(message) == len(message)
    return message
