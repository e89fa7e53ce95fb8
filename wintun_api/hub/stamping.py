"""Give the packets of a drain the times at which the driver has read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wintun_api.drivers.base import Session
from wintun_api.packet.stamps import Stamps


class OnStamped(Protocol):
    """Take packets, as `OnPackets` does, and when each was read, if that is known."""

    def __call__(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        stamps: Stamps | None = None,
        /,
    ) -> None:
        """Take them."""


class Stamping:
    """Give out the times of one session's packets, in the order in which they were read.

    What was read at once may be passed on in several parts (`BurstLimit`). Event loop thread only.

    Attributes:
        on: Whether the driver notes times, because a reader wants them.
    """

    def __init__(self) -> None:
        self.on = False
        self._read: Stamps | None = None
        self._given = 0

    def switch(self, session: Session | None, *, on: bool) -> None:
        """Let a driver's session note times, or not, from its next read on."""
        self.on = on
        if session is not None:
            session.stamped = on

    def take(self, session: Session | None, count: int) -> Stamps | None:
        """Return the times of the next `count` packets; None if they are not known."""
        read = None if session is None else session.stamps
        if read is not self._read:
            self._read, self._given = read, 0
        if read is None:
            return None
        start = self._given
        self._given += count
        return read.part(start, self._given)
