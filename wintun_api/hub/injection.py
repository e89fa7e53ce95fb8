"""Put clients' packets into the driver's send ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverError
from wintun_api.packet.check import rejection


@dataclass(slots=True)
class Injection:
    """Report what happened to packets that were given to a session.

    Attributes:
        accepted: Packets given to the host.
        accepted_bytes: Bytes of these packets.
        rejected: Packets refused before the ring, by reason (`packet.check.rejection`).
        ring_full: Packets dropped because the ring was full.
        refused: Packets that the ring accepted but the host refused, by cause.
        failed: Packets that were not sent because the driver's call failed.
        failure: The driver's error in that case.
        waiting: Valid packets for which the ring had no room and that were kept (`Full.WAIT`).
    """

    accepted: int = 0
    accepted_bytes: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    ring_full: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    failure: DriverError | None = None
    waiting: Sequence[bytes] = ()

    def add(self, other: Injection) -> None:
        """Add the counts of `other`, and take over its waiting packets."""
        self.accepted += other.accepted
        self.accepted_bytes += other.accepted_bytes
        count_by_reason(self.rejected, other.rejected)
        self.ring_full += other.ring_full
        count_by_reason(self.refused, other.refused)
        self.failed += other.failed
        self.waiting = other.waiting


def send(session: Session, packets: Sequence[bytes]) -> tuple[int, DriverError | None]:
    """Give packets to the driver; return how many it took, and its error if it failed then."""
    taken = 0
    try:
        taken = session.send_packets(packets)
        if 0 < taken < len(packets):
            # The ring is full, or the call failed after these: then the next call raises.
            taken += session.send_packets(packets[taken:])
    except DriverError as error:
        return taken, error
    return taken, None


def count_by_reason(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by reason. Plain dicts are used: there is nearly never anything to count."""
    for reason, count in more.items():
        counts[reason] = counts.get(reason, 0) + count


def sift(packets: Sequence[bytes], rejected: dict[str, int]) -> Sequence[bytes]:
    """Return the packets a driver may get; count the others by reason."""
    reasons = list(map(rejection, packets))
    if not any(reasons):
        return packets
    count_by_reason(rejected, Counter(reason for reason in reasons if reason is not None))
    return [packet for packet, reason in zip(packets, reasons, strict=True) if reason is None]
