"""Find the losses that the host and the driver count themselves.

Their counters increase while packets are lost, without a notification. So they are read while
packets flow and at the end, and an increase since the last reading is a loss.
"""

from __future__ import annotations

from collections.abc import Mapping

from wintun_api.drivers.base import LinkCounters, Session


class HostLosses:
    """Count packets that the host lost before a session could read them. Event loop thread only.

    Attributes:
        lost: Packets that the host lost since `begin`; None if no counters could be read.
        handed_before: Packets that the host had handed to the adapter until `begin`, lost or not;
            None if no counters could be read.
    """

    def __init__(self) -> None:
        self.lost: int | None = None
        self.handed_before: int | None = None
        self._begun: LinkCounters | None = None
        self._stranded = 0

    def begin(self, counters: LinkCounters | None) -> None:
        """Start from these counters; None if they cannot be read."""
        self._begun = counters
        self.lost = None if counters is None else 0
        if counters is not None:
            self.handed_before = counters.received_packets + counters.received_dropped

    def learn(self, counters: LinkCounters | None, drained: int | None = None) -> int:
        """Take new counters; return how many packets were lost since the last time.

        Args:
            counters: None if they cannot be read; the known numbers are then kept.
            drained: Packets read from the ring since `begin`, given after the ring was freed. All
                other packets that the host put into it were in the ring when it was freed.
        """
        begun = self._begun
        if counters is None or begun is None or self.lost is None:
            return 0
        if drained is not None:
            put = counters.received_packets - begun.received_packets
            self._stranded = max(self._stranded, put - drained)
        known = self.lost
        dropped = counters.received_dropped - begun.received_dropped
        self.lost = max(known, dropped + self._stranded)
        return self.lost - known


class DriverLosses:
    """Find what is new in the counters of a driver's session. Event loop thread only.

    Attributes:
        refused: The last reading of `Session.refused`. A driver returns the same object while
            nothing new was refused, so a comparison by identity tells whether to ask.
    """

    def __init__(self) -> None:
        self.refused: Mapping[str, int] = {}
        self._truncated = 0

    def begin(self, session: Session) -> None:
        """Start from the counters of a new session."""
        self._truncated, self.refused = session.truncated, session.refused

    def new_truncated(self, session: Session) -> int:
        """Return how many packets were truncated since the last time."""
        known, self._truncated = self._truncated, session.truncated
        return self._truncated - known

    def new_refused(self, session: Session) -> dict[str, int]:
        """Return how many packets were refused since the last time, by cause."""
        known, self.refused = self.refused, session.refused
        new = {cause: count - known.get(cause, 0) for cause, count in self.refused.items()}
        return {cause: count for cause, count in new.items() if count > 0}
