"""Count what a session carried; what it lost is counted by `hub.losses`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from wintun_api.hub.losses import Cause


@dataclass(slots=True)
class SessionCounters:
    """Hold counts since the session's start. Updated once per burst on the event loop's thread.

    The packets from the host are the sum of `received_packets`, `ring_lost` and `truncated`.

    Attributes:
        received_packets: Packets drained from the ring.
        received_bytes: Bytes of these packets.
        injected_packets: Packets given to the host.
        injected_bytes: Bytes of these packets.
        ring_corrupt: How often the receive ring was found corrupt.
        lost: Lost packets by cause (`SessionLosses.by_cause`).
    """

    received_packets: int = 0
    received_bytes: int = 0
    injected_packets: int = 0
    injected_bytes: int = 0
    ring_corrupt: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def ring_lost(self) -> int | None:
        """Packets that the host lost because the ring was full; None if it is not known."""
        return self.lost.get(Cause.RING)

    @property
    def truncated(self) -> int:
        """Packets from the host that the driver could not read completely."""
        return self.lost[Cause.TRUNCATED]

    @property
    def received_unclaimed(self) -> int:
        """Packets drained while there was no subscriber for them."""
        return self.lost[Cause.UNCLAIMED]

    @property
    def queue_lost(self) -> int:
        """Packets lost in subscribers' queues, counted separately for each subscriber."""
        return self.lost[Cause.QUEUE]

    @property
    def ended(self) -> int:
        """Packets left for subscribers when they or the session ended, counted likewise."""
        return self.lost[Cause.ENDED]

    @property
    def ring_full(self) -> int:
        """Clients' packets that were dropped because the send ring was full."""
        return self.lost[Cause.RING_FULL]

    @property
    def failed(self) -> int:
        """Clients' packets not sent because a driver call failed or the session was ending."""
        return self.lost[Cause.FAILED]

    @property
    def rejected(self) -> Counter[str]:
        """Clients' packets that were refused before the ring, by reason."""
        return self._by_reason(Cause.REJECTED)

    @property
    def refused(self) -> Counter[str]:
        """Clients' packets that the ring accepted but the host refused, by cause."""
        return self._by_reason(Cause.REFUSED)

    def copy(self) -> SessionCounters:
        """Return a copy of the present counts."""
        return replace(self, lost=Counter(self.lost))

    def _by_reason(self, cause: Cause) -> Counter[str]:
        start = f"{cause}_"
        reasons = {
            name.removeprefix(start): count
            for name, count in self.lost.items()
            if name.startswith(start)
        }
        return Counter(reasons)
