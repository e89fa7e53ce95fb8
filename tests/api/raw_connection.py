"""HTTP and WebSockets by hand: bytes to a socket, and what comes back."""

from __future__ import annotations

import json
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's content."""
        return json.loads(self.body)


class Raw:
    """One connection."""

    def __init__(self, port: int, timeout: float = PATIENCE) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a peer that closes meanwhile is no error."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def more(self) -> bool:
        """Read what is there; False at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.rest += data
        return bool(data)

    def answer(self, *, head: bool = False) -> Answer:
        """Read an answer."""
        while b"\r\n\r\n" not in self.rest:
            assert self.more(), f"closed after {self.rest!r}"
        raw, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        status = int(first.split()[1])
        if status == 101 or head:
            return Answer(status, headers, b"")
        if "content-length" in headers:
            size = int(headers["content-length"])
            while len(self.rest) < size:
                assert self.more(), "closed within the body"
            body, self.rest = self.rest[:size], self.rest[size:]
            return Answer(status, headers, body)
        return Answer(status, headers, b"")

    def until_closed(self) -> bytes:
        """Read until the service closes; return what it sent."""
        while self.more():
            pass
        return self.rest

    def close_frame(self) -> int:
        """Read WebSocket frames until the close frame; return its code."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big") if payload else 1005

    def frame(self) -> tuple[int, bytes]:
        """Read a frame of the service."""
        self._need(2)
        size, start = self.rest[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            self._need(start)
            size = int.from_bytes(self.rest[2:start], "big")
        self._need(start + size)
        opcode, payload = self.rest[0] & 0x0F, self.rest[start : start + size]
        self.rest = self.rest[start + size :]
        return opcode, payload

    def _need(self, size: int) -> None:
        while len(self.rest) < size:
            assert self.more(), f"closed after {self.rest!r}"


def request(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request."""
    lines = (f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def handshake(target: str, *headers: str) -> bytes:
    """Return the request for a WebSocket."""
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)
    return request(target, *upgrade, *headers)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a client's frame; its mask is zero."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    return bytes(((0x80 if fin else 0) | opcode,)) + length + bytes(4) + payload
