"""Servers that answer where the service was expected, and are not it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

Behaviour = Callable[[socket.socket], None]


@contextmanager
def other_server(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server of another kind on a free port; each connection is handled in a thread."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:

        def handle(connection: socket.socket) -> None:
            with suppress(OSError):
                wrapped = connection
                if context is not None:
                    wrapped = context.wrap_socket(connection, server_side=True)
                behave(wrapped)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                stack.callback(connection.close)
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def silent(connection: socket.socket) -> None:
    """Read everything and answer nothing."""
    while connection.recv(4096):
        pass


def drip(connection: socket.socket) -> None:
    """Send a head without an end, a byte at a time."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.2)


def answering(answer: bytes) -> Behaviour:
    """Answer every request with these bytes, and close."""

    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        connection.close()

    return behave


def http(head: str, body: bytes = b"", *headers: str) -> Behaviour:
    """Answer every request over HTTP."""
    lines = [f"HTTP/1.1 {head}", f"Content-Length: {len(body)}", *headers, "Connection: close"]
    return answering("\r\n".join([*lines, "", ""]).encode() + body)


OTHERS: dict[str, tuple[Behaviour, str, str]] = {
    "silent": (silent, "does not answer", "start it again"),
    "a byte now and then": (drip, "does not answer", "start it again"),
    "ssh": (answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "Another program", "--url"),
    "mail": (answering(b"220 mail.example ESMTP\r\n"), "Another program", "--url"),
    "nothing": (answering(b""), "Another program", "--url"),
    "a web page": (http("200 OK", b"<html></html>"), "Another program", "--url"),
    "other JSON": (http("200 OK", b'{"status": "up"}'), "Another program", "--url"),
    "not found": (http("404 Not Found", b"gone"), "Another program", "--url"),
    "a proxy without its service": (http("502 Bad Gateway", b"x"), "A proxy", "Start the service"),
    "a redirect": (
        http("301 Moved", b"", "Location: https://wintun.example.com/noauth/health"),
        "sends its clients on to https://wintun.example.com/",
        "--url https://wintun.example.com",
    ),
}
