"""Answer the emulated host of the demo: the application at the other end of its tunnel."""

from __future__ import annotations

import asyncio
from random import Random

from wintun_api.choices import Direction
from wintun_api.drivers.base import Driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.peers import Peers
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.errors import DriverError, WintunApiError
from wintun_api.hub.burst import Burst
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.subscriber import Subscriber
from wintun_api.packet.check import sift

MAX_ANSWERED = 500.0  # packets a second; a flood shows the host's half alone
_AT_A_TIME = 1 << 22  # bytes: as much as the queue holds
MAX_WAITING = 4096  # answers on their way; more are dropped, and the host asks again


def expects_answers(driver: Driver) -> None:
    """Let the emulated host talk with peers that answer, in sessions that start from now on."""
    if isinstance(driver, WintunDriver) and isinstance(driver.library, EmulatedLibrary):
        driver.library.expect_answers()


def answer(session: ManagedSession) -> None:
    """Answer the host of a session as long as it runs."""
    DemoPeers(session)


class DemoPeers:
    """Inject what the peers answer, each answer after its delay. Event loop thread only.

    Attributes:
        dropped: Answers that were dropped because too many were on their way.
    """

    def __init__(self, session: ManagedSession) -> None:
        self.dropped = 0
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._peers = Peers(Random(7))  # noqa: S311  scenery, no secret
        self._waiting = 0
        self._subscriber = Subscriber(
            direction=Direction.RECEIVED,
            encodes=False,
            limit_packets=1024,
            limit_bytes=_AT_A_TIME,
            wake=self._take,
            take_now=self._answer,
        )
        session.subscribe(self._subscriber)

    def _take(self) -> None:
        for burst in self._subscriber.take(_AT_A_TIME):
            self._answer(burst)

    def _answer(self, burst: Burst) -> bool:
        now = self._loop.time()
        for packet in burst.packets:
            for delay, answer in self._peers.answers(bytes(packet), now):
                if self._waiting >= MAX_WAITING:
                    self.dropped += 1
                    continue
                self._waiting += 1
                self._loop.call_later(delay, self._inject, answer)
        return True

    def _inject(self, packet: bytes) -> None:
        self._waiting -= 1
        try:
            self._session.inject(sift([packet]))
        except (DriverError, WintunApiError):
            return  # the session has ended
