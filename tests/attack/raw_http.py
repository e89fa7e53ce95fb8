"""Requests as bytes, and answers read as strictly as RFC 9112 allows."""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wintun_api.capture.pcapng import MEDIA_TYPE

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
ENDLESS = ("text/event-stream", MEDIA_TYPE)  # answers that end with the connection
MAX_HEAD = 256 * 1024
MAX_BODY = 64 * 2**20


class Closed(Exception):
    """The connection ended before an answer was complete."""


class Malformed(Exception):
    """What came is no HTTP answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: The number.
        headers: Names in lower case; the last value where a name came twice.
        body: Without framing; empty where `streaming` says that it has no end.
        streaming: The body was not read, as it was not asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    streaming: bool = False

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def source_address(random_: random.Random) -> str:
    """Return an address of loopback that limits per address have not met yet."""
    return f"127.{random_.randrange(1, 250)}.{random_.randrange(256)}.{random_.randrange(1, 255)}"


def connect(
    port: int, patience: float = 10.0, source: str | None = None, *, receive_buffer: int = 0
) -> socket.socket:
    """Connect to a port of loopback, from a given address of loopback where one is named."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(patience)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            made.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: more ports to use
            made.bind((source, 0))
        made.connect(("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


def request(
    method: str,
    target: str | bytes,
    host: str | None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    close: bool = False,
) -> bytes:
    """Return a request. Nothing is checked or escaped; text is sent as UTF-8."""
    target = target.encode("utf-8", "surrogateescape") if isinstance(target, str) else target
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    if host is not None:
        lines.append(b"Host: " + host.encode())
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines += [f"{name}: {value}".encode("utf-8", "surrogateescape") for name, value in pairs]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""]) + body


class Answers:
    """Reads one answer after the other from a connection."""

    def __init__(self, connection: socket.socket, already: bytes = b"") -> None:
        self._connection = connection
        self.held = already

    def next(self, *, head: bool = False, body: bool = True) -> Answer:
        """Read the next final answer.

        Args:
            head: It answers HEAD, so that it has no body.
            body: Read the body; else return as soon as the head is there.

        Raises:
            Closed: The connection ended.
            Malformed: What came is no answer.
            OSError: Nothing came in time, or the connection was reset.
        """
        while True:
            answer = self._one(head=head, body=body)
            if answer.status >= 200 or answer.status == 101:
                return answer

    def all(self) -> list[Answer]:
        """Read final answers until the connection ends.

        Raises:
            Malformed: What came is no answer, or ends in the middle of one.
            OSError: Nothing came in time.
        """
        found: list[Answer] = []
        while True:
            if not self.held and not self.more():
                return found
            try:
                answer = self._one(head=False, body=True)
                found += [answer] if answer.status >= 200 else []
            except Closed as closed:
                raise Malformed(f"an answer is cut off: {closed}") from closed

    def _one(self, *, head: bool, body: bool) -> Answer:
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            if len(self.held) > MAX_HEAD:
                raise Malformed("the head of an answer has no end")
            if not self.more():
                raise Closed(f"after {len(self.held)} bytes of a head")
        first, *lines = self.held[:end].split(b"\r\n")
        self.held = self.held[end + 4 :]
        match = STATUS_LINE.fullmatch(first)
        if match is None:
            raise Malformed(f"no status line: {first[:100]!r}")
        status = int(match[1])
        headers: dict[str, str] = {}
        for line in lines:
            field = FIELD.fullmatch(line)
            if field is None:
                raise Malformed(f"no header line: {line[:100]!r}")
            headers[field[1].decode().lower()] = field[2].decode("latin-1")
        endless = headers.get("content-type", "").startswith(ENDLESS)
        if not body or status == 101 or endless:
            return Answer(status, headers, b"", streaming=True)
        if head or status < 200 or status in (204, 304):
            return Answer(status, headers, b"")
        return Answer(status, headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            whole = b""
            while True:
                size = int(self._line().split(b";")[0], 16)
                if size > MAX_BODY:
                    raise Malformed(f"a chunk of {size} bytes")
                chunk = self._exactly(size)
                if size == 0:
                    while self._line():
                        pass
                    return whole
                whole += chunk
                if self._exactly(2) != b"\r\n":
                    raise Malformed("a chunk without its end")
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        while self.more():
            if len(self.held) > MAX_BODY:
                raise Malformed("a body without an end")
        whole, self.held = self.held, b""
        return whole

    def _line(self) -> bytes:
        while (end := self.held.find(b"\r\n")) < 0:
            if not self.more():
                raise Closed("in a chunked body")
        line, self.held = self.held[:end], self.held[end + 2 :]
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self.held) < size:
            if not self.more():
                raise Closed(f"{size - len(self.held)} bytes before the end of a body")
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def more(self) -> bool:
        piece = self._connection.recv(65536)
        self.held += piece
        return bool(piece)
