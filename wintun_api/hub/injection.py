"""Packets of clients to the driver's send ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from wintun_api.packet.check import rejection


class Full(StrEnum):
    """What happens to packets that find the send ring full."""

    DROP = "drop"
    WAIT = "wait"


@dataclass(slots=True)
class Injection:
    """What became of packets given to a session.

    Attributes:
        accepted: Packets the ring took.
        accepted_bytes: Bytes of them.
        rejected: Packets refused before the ring, by reason (`packet.check.REASONS`).
        ring_full: Packets dropped because the ring was full.
        waiting: Good packets the ring had no room for and that were not dropped (`Full.WAIT`).
    """

    accepted: int = 0
    accepted_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    waiting: Sequence[bytes] = ()

    def add(self, other: Injection) -> None:
        """Add the counts of `other`, and take over what waits."""
        self.accepted += other.accepted
        self.accepted_bytes += other.accepted_bytes
        if other.rejected:
            self.rejected.update(other.rejected)
        self.ring_full += other.ring_full
        self.waiting = other.waiting


def sift(packets: Sequence[bytes], rejected: Counter[str]) -> Sequence[bytes]:
    """Return the packets a driver may get; count the others by reason."""
    reasons = list(map(rejection, packets))
    if not any(reasons):
        return packets
    rejected.update(reason for reason in reasons if reason is not None)
    return [packet for packet, reason in zip(packets, reasons, strict=True) if reason is None]
