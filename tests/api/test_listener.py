"""The listener by itself: what it lets go of when it is closed."""

from __future__ import annotations

import asyncio

from wintun_api.api.admission import Admission
from wintun_api.api.listener import Listener, listen


class Silent(asyncio.Protocol):
    """A connection that is only held open, and tells when it received something and was lost."""

    def __init__(self) -> None:
        self.received = asyncio.Event()
        self.lost = asyncio.Event()

    def data_received(self, _data: bytes) -> None:
        """Tell that its client has sent something."""
        self.received.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that it was lost."""
        self.lost.set()


def test_the_socket_is_closed_though_connections_are_not() -> None:
    """The listening socket is closed with the listener, while its connections stay open."""

    async def run() -> None:
        socket = listen("127.0.0.1", 0)[0]
        accepted = Silent()
        listener = Listener(
            socket, Admission(8), lambda _seat: accepted, tls=None, tls_timeout=1, backlog=8
        )
        listener.start()
        _, writer = await asyncio.open_connection(*socket.getsockname())
        writer.write(b"x")
        await accepted.received.wait()
        listener.close()
        await listener.wait_closed()
        assert socket.fileno() == -1
        assert not accepted.lost.is_set()
        writer.close()
        await accepted.lost.wait()
        await writer.wait_closed()

    asyncio.run(asyncio.wait_for(run(), 20))
