"""Tell what an impairment lost, and that one of its limits is nearly reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from wintun_api.choices import CaptureDirection
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.direction import Direction, Track
from wintun_api.hub.pace import INTERVAL, Pace


@dataclass(frozen=True, slots=True)
class ImpairmentLoss:
    """Describe packets that an impairment lost during the last second, counted together."""

    session: str
    adapter: UUID
    direction: CaptureDirection
    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class ImpairmentQueue:
    """Describe the delayed packets of a rule whose limit is nearly reached."""

    session: str
    adapter: UUID
    direction: CaptureDirection
    rule: int
    packets: int
    bytes: int
    limit_packets: int
    limit_bytes: int


class Reports:
    """Watch the accounts and the queues of one session. Event loop thread only.

    Args:
        session: The id of the session.
        adapter: The GUID of its adapter.
        lost: Called at most once a second for each cause and direction.
        nearly_full: Called once for a rule and direction until half of what it may hold has left.
    """

    def __init__(
        self,
        session: str,
        adapter: UUID,
        lost: Callable[[ImpairmentLoss], None],
        nearly_full: Callable[[ImpairmentQueue], None],
    ) -> None:
        self._session = session
        self._adapter = adapter
        self._lost = lost
        self._nearly_full = nearly_full
        self._directions: tuple[Direction, ...] = ()
        self._told: dict[tuple[CaptureDirection, str], int] = {}
        self._seen = 0
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(self._due, self._loop, delay=INTERVAL)

    def watch(self, *directions: Direction) -> None:
        """Watch these directions; called once."""
        self._directions = directions

    def look(self) -> None:
        """Tell what has happened since the last call, when it is time."""
        now = self._loop.time()
        for direction in self._directions:
            for track in direction.tracks.values():
                if track.warns(now):
                    self._nearly_full(self._queue(direction, track))
        if sum(_losses(one.accounts) for one in self._directions) != self._seen:
            self._due()

    def tell(self) -> None:
        """Tell the losses that have not been told yet, without waiting for their time."""
        self._pace.stop()
        self._seen = sum(_losses(one.accounts) for one in self._directions)
        for direction in self._directions:
            name = _name(direction)
            for cause, count in direction.accounts.by_cause().items():
                new = count - self._told.get((name, cause), 0)
                if new:
                    self._told[name, cause] = count
                    self._lost(ImpairmentLoss(self._session, self._adapter, name, cause, new))

    def _due(self) -> None:
        if self._pace.may():
            self.tell()

    def _queue(self, direction: Direction, track: Track) -> ImpairmentQueue:
        return ImpairmentQueue(
            self._session,
            self._adapter,
            _name(direction),
            track.rule,
            track.lane.waits_packets,
            track.lane.waits_bytes,
            track.lane.parameters.limit_packets,
            track.lane.parameters.limit_bytes,
        )


def _name(direction: Direction) -> CaptureDirection:
    return CaptureDirection.INJECTED if direction.injected else CaptureDirection.RECEIVED


def _losses(accounts: Accounts) -> int:
    return (
        accounts.lost.packets
        + accounts.limit.packets
        + accounts.blackout.packets
        + accounts.too_large.packets
        + accounts.dropped.packets
    )
