"""Requests byte for byte, for what no HTTP client would send."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.running import TOKEN, RunningService

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@contextmanager
def connection(service: RunningService) -> Iterator[socket.socket]:
    """Open a TCP connection to the service."""
    with socket.create_connection(("127.0.0.1", service.port), 10) as opened:
        yield opened


def head(
    service: RunningService, line: str, headers: Iterable[str] = (), token: str | None = TOKEN
) -> bytes:
    """Return the head of a request: its line without the version, a Host, a token, the headers."""
    lines = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{service.port}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def answer(opened: socket.socket, *, body: bool = True) -> tuple[int, str]:
    """Read one answer, of a stream the beginning; return its status and its text."""
    got, whole = b"", False
    while not whole:
        piece = opened.recv(65536)
        if not piece:
            break
        got += piece
        start, end, content = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", start) if body else None
        whole = bool(end) and len(content) >= (int(length[1]) if length else 0)
    text = got.decode("latin-1")
    return (int(text.split(" ", 2)[1]) if text.startswith("HTTP/") else 0), text


def ask(
    service: RunningService,
    line: str,
    headers: Iterable[str] = (),
    body: bytes = b"",
    token: str | None = TOKEN,
) -> tuple[int, str]:
    """Send one request on a connection of its own; return what `answer` does."""
    with connection(service) as opened:
        opened.sendall(head(service, line, headers, token) + body)
        return answer(opened, body=not line.startswith("HEAD"))


def upgrade(
    service: RunningService, target: str, headers: Iterable[str] = (), token: str | None = TOKEN
) -> tuple[int, str]:
    """Send one WebSocket handshake; 101 is success."""
    return ask(service, f"GET {target}", [*UPGRADE, *headers], token=token)
