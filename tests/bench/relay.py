"""The straightforward relay: a TUN device, the websockets library, a frame per packet.

    python -m tests.bench.relay DEVICE PORT

This is what one writes by hand where no service does it: no batches, no thought about bursts. It is
not made slow: compression is off, which costs most such programs another half.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

assert sys.platform != "win32"
TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def open_device(name: str) -> int:
    """Attach to a TUN device."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


async def main(name: str, port: int) -> None:
    """Serve until the process is ended."""
    device = open_device(name)
    loop = asyncio.get_running_loop()

    async def readable() -> None:
        ready = loop.create_future()
        loop.add_reader(device, ready.set_result, None)
        try:
            await ready
        finally:
            loop.remove_reader(device)

    async def to_client(client: ServerConnection) -> None:
        while True:
            try:
                packet = os.read(device, 2048)
            except BlockingIOError:
                await readable()
            else:
                await client.send(packet)

    async def handle(client: ServerConnection) -> None:
        sending = loop.create_task(to_client(client))
        try:
            async for packet in client:
                assert isinstance(packet, bytes)
                os.write(device, packet)
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()

    async with serve(handle, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
