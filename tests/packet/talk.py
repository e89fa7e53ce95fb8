"""What two hosts have to say to each other: TCP in its states, HTTP, TLS, DNS, NTP."""

from __future__ import annotations

import http.client
import http.server
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.packet.bad_wire import FIRST, SECOND, SECOND_SIX, ping

PATIENCE = 8
SLOW, QUIET, SINK, SOURCE = 7001, 7002, 7003, 7004
BULK = 400_000


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers with as many bytes as the path says, in chunks where it says so."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        words = self.path.strip("/").split("/")
        body = b"x" * int(words[0])
        self.send_response(200)
        if len(words) > 1:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    """A server that takes broken connections for what they are."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def question(name: str, number: int) -> bytes:
    """Return a query of DNS for a name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def answer(query: bytes) -> bytes:
    """Return the answer of DNS to a query."""
    head = query[:2] + b"\x81\x80" + query[4:6] + b"\0\1" + query[8:12]
    return head + query[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"


class Peer:
    """The second host: servers that run until the end."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate, key
        self._ends: list[Callable[[], object]] = []
        self.finished = threading.Event()

    def start(self) -> None:
        """Listen, in the namespace of this thread."""
        self._serve(80, secure=False)
        self._serve(443, secure=True)
        self._answer(53, self._name)
        self._answer(123, self._time)
        self._accept(53, self._name_over_tcp)
        self._accept(SLOW, self._read_slowly, room=4096)
        self._accept(QUIET, lambda one: one.recv(1) and self.finished.wait(PATIENCE))
        self._accept(SINK, drain)
        self._accept(SOURCE, lambda one: one.sendall(b"s" * BULK))

    def stop(self) -> None:
        """Listen no more."""
        self.finished.set()
        for end in self._ends:
            end()

    def _thread(self, act: Callable[[], object]) -> None:
        def run() -> None:
            with suppress(OSError):
                act()

        threading.Thread(target=run, daemon=True).start()

    def _serve(self, port: int, *, secure: bool) -> None:
        server = Server((SECOND, port), Pages)
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self._ends += [server.shutdown, server.server_close]
        self._thread(server.serve_forever)

    def _answer(self, port: int, reply: Callable[[bytes], list[bytes]]) -> None:
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        here.bind((SECOND, port))
        self._ends.append(here.close)

        def run() -> None:
            while True:
                data, sender = here.recvfrom(2000)
                for each in reply(data):
                    here.sendto(each, sender)

        self._thread(run)

    def _accept(
        self, port: int, act: Callable[[socket.socket], object], *, room: int | None = None
    ) -> None:
        here = socket.socket(socket.AF_INET6)
        if room is not None:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        here.bind(("::", port))
        here.listen()
        self._ends.append(here.close)

        def serve(one: socket.socket) -> None:
            with one:
                act(one)

        def run() -> None:
            while True:
                one, _ = here.accept()
                self._thread(partial(serve, one))

        self._thread(run)

    @staticmethod
    def _name(query: bytes) -> list[bytes]:
        if b"silent" in query:
            return []
        return [answer(query)] * (2 if b"twice" in query else 1)

    @staticmethod
    def _name_over_tcp(one: socket.socket) -> None:
        reply = answer(one.recv(2000)[2:])
        one.sendall(struct.pack("!H", len(reply)) + reply)

    @staticmethod
    def _time(request: bytes) -> list[bytes]:
        return [b"\x24\2\6\xe9" + request[4:24] + request[40:48] + os.urandom(16)]

    def _read_slowly(self, one: socket.socket) -> None:
        self.finished.wait(1.5)  # until the window is closed, and probed
        drain(one)


def drain(one: socket.socket) -> None:
    """Read to the end."""
    while one.recv(3000):
        pass


def talk() -> None:
    """Say everything once, from the first host."""
    for act in (ask, send, fetch, be_refused, come_again, keep_alive, fill, echo):
        with suppress(OSError, http.client.HTTPException):
            act()


def ask() -> None:
    """Ask for names and for the time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.settimeout(0.2)
        for port, data in (
            *((53, question(f"{name}.example", number)) for name, number in NAMES),
            *((123, b"\x23" + bytes(39) + os.urandom(8)) for _ in range(3)),
        ):
            here.sendto(data, (SECOND, port))
            with suppress(TimeoutError):
                here.recv(2000)
    with socket.create_connection((SECOND, 53), PATIENCE) as there:
        query = question("tcp.example", 9)
        there.sendall(struct.pack("!H", len(query)) + query)
        there.recv(2000)


NAMES = (("www", 1), ("twice", 2), ("silent", 3), ("silent", 3), ("www", 1), ("other", 4))


def send() -> None:
    """Send much, over IPv4, and take much, over IPv6."""
    with socket.create_connection((SECOND, SINK), PATIENCE) as there:
        there.sendall(b"b" * BULK)
    with socket.create_connection((SECOND_SIX, SOURCE), PATIENCE) as there:
        drain(there)


def fetch() -> None:
    """Fetch pages, several over one connection, with TLS and without."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for connection in (
        http.client.HTTPConnection(SECOND, 80, timeout=PATIENCE),
        http.client.HTTPSConnection(SECOND, 443, timeout=PATIENCE, context=context),
    ):
        for path in ("/10", "/50000", "/3", "/2000/chunked"):
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()


def be_refused() -> None:
    """Try ports where nobody listens."""
    with suppress(ConnectionRefusedError):
        socket.create_connection((SECOND, 9), PATIENCE).close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        for _ in range(2):
            here.sendto(b"hello", (SECOND, 9999))


def come_again() -> None:
    """Break off connections, and open others with the same ports."""
    for _ in range(2):
        with socket.socket() as here:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            here.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            here.settimeout(PATIENCE)
            here.bind((FIRST, 45000))
            here.connect((SECOND, 80))
            here.sendall(b"GET /5 HTTP/1.1\r\nHost: peer\r\n\r\n")
            here.recv(1000)


def keep_alive() -> None:
    """Say nothing for a while on a connection that is kept alive."""
    with socket.socket() as here:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        here.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        here.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        here.settimeout(2.2)
        here.connect((SECOND, QUIET))
        here.sendall(b"x")
        with suppress(TimeoutError):
            here.recv(1)


def fill() -> None:
    """Fill the window of a reader that does not read at first."""
    with socket.create_connection((SECOND, SLOW), PATIENCE) as there:
        there.sendall(b"z" * 60_000)
        there.shutdown(socket.SHUT_WR)
        there.recv(1)


def echo() -> None:
    """Ping over both."""
    ping(SECOND)
    ping(SECOND_SIX)
