"""An extcap program for a network on the bus in memory, whose connection always has work to do."""

from __future__ import annotations

import asyncio
import sys
import time

from tests.fleet.running import prepared
from wintun_api.extcap import networks
from wintun_api.extcap.answers import answer
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.network import Network

CONNECTING = 0.1  # seconds
working: list[asyncio.Future[None]] = []


async def work() -> None:
    """Use nearly all the time, in a task that nothing waits for."""
    while True:
        end = time.monotonic() + 0.005
        while time.monotonic() < end:
            pass
        await asyncio.sleep(0)


async def connect(_network: Network) -> Bus:
    """Connect, which takes a moment, with a task that reads as long as there is a connection."""
    working.append(asyncio.ensure_future(work()))
    await asyncio.sleep(CONNECTING)
    return prepared().connect("reader")


if __name__ == "__main__":
    networks._connect = connect  # type: ignore[assignment]
    sys.exit(answer(sys.argv[1:]))
