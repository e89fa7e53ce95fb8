"""Another program's web server on this computer: the same host on another port, hostile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Neighbour:
    """A server on a free port of 127.0.0.1 that keeps what browsers send to it.

    Attributes:
        cookies: The Cookie headers of the visits, as they came.
        set_cookies: Set-Cookie headers of every answer.
    """

    def __init__(self) -> None:
        self.cookies: list[str] = []
        self.set_cookies: list[str] = []
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                neighbour.cookies.extend(self.headers.get_all("cookie", []))
                body = b"<!doctype html><title>Neighbour</title><link rel=icon href=data:,>"
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body)))
                for value in neighbour.set_cookies:
                    self.send_header("set-cookie", value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Keep silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@contextmanager
def neighbour() -> Iterator[Neighbour]:
    """Run a neighbour for a while."""
    found = Neighbour()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join(10)
