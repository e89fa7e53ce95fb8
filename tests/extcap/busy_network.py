"""An extcap program for a network on the bus in memory, whose connection always has work to do."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.fleet.running import prepared
from tests.waiting import let_pass, pass_by
from wintun_api.extcap import networks
from wintun_api.extcap.answers import answer
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.network import Network

CONNECTING = 0.1  # seconds
working: list[asyncio.Future[None]] = []


async def work() -> None:
    """Use nearly all the time, in a task that nothing waits for."""
    while True:
        let_pass(0.005)
        await asyncio.sleep(0)


async def connect(_network: Network) -> Bus:
    """Connect, which takes a moment, with a task that reads as long as there is a connection."""
    working.append(asyncio.ensure_future(work()))
    await pass_by(CONNECTING)
    return prepared().connect("reader")


if __name__ == "__main__":
    pytest.MonkeyPatch().setattr(networks, "_connect", connect)
    sys.exit(answer(sys.argv[1:]))
