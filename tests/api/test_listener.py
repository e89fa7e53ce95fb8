"""The listener by itself: what it lets go of when it is closed."""

from __future__ import annotations

import asyncio

from wintun_api.api.admission import Admission
from wintun_api.api.listener import Listener, bind


def test_the_socket_is_closed_though_connections_are_not() -> None:
    """The listening socket is closed with the listener, while its connections stay open."""

    async def run() -> None:
        socket = bind("127.0.0.1", 0)
        listener = Listener(
            socket,
            Admission(8),
            lambda _seat: asyncio.Protocol(),
            tls=None,
            tls_timeout=1,
            backlog=8,
        )
        listener.start()
        reader, writer = await asyncio.open_connection(*socket.getsockname())
        listener.close()
        for _ in range(3):  # turns of the loop; nothing waits for the listener
            await asyncio.sleep(0)
        assert socket.fileno() == -1
        writer.close()
        assert reader.at_eof() is False

    asyncio.run(run())
