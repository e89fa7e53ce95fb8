"""Count what a session carried and what was lost, by cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from wintun_api.hub.losses import Cause


@dataclass(slots=True)
class SessionCounters:
    """Hold counts since the session's start. Updated once per burst on the event loop's thread.

    The packets from the host are the sum of `received_packets`, those lost in the ring
    (`SessionView.ring_lost`) and `truncated`.

    Attributes:
        received_packets: Packets drained from the ring.
        received_bytes: Bytes of these packets.
        received_unclaimed: Packets drained while there was no subscriber for them.
        truncated: Packets from the host that the driver could not read completely.
        injected_packets: Packets given to the host.
        injected_bytes: Bytes of these packets.
        rejected: Clients' packets that were refused before the ring, by reason.
        ring_full: Clients' packets that were dropped because the send ring was full.
        failed: Clients' packets not sent because a driver call failed or the session was ending.
        refused: Clients' packets that the ring accepted but the host refused, by cause.
        queue_lost: Packets lost in subscribers' queues, counted separately for each subscriber.
        ended: Packets left for subscribers when they or the session ended, counted likewise.
        ring_corrupt: How often the receive ring was found corrupt.
    """

    received_packets: int = 0
    received_bytes: int = 0
    received_unclaimed: int = 0
    truncated: int = 0
    injected_packets: int = 0
    injected_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    failed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    queue_lost: int = 0
    ended: int = 0
    ring_corrupt: int = 0

    def lose(self, cause: Cause, count: int) -> None:
        """Count packets that a subscriber lost."""
        if cause is Cause.QUEUE:
            self.queue_lost += count
        else:
            self.ended += count

    def copy(self) -> SessionCounters:
        """Return a copy of the present counts."""
        return replace(self, rejected=Counter(self.rejected), refused=Counter(self.refused))
