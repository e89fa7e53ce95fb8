"""Put clients' packets into the driver's send ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverError
from wintun_api.packet.block import Block


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
        if other.rejected or other.refused:
            count_by_reason(self.rejected, other.rejected)
            count_by_reason(self.refused, other.refused)
        self.ring_full += other.ring_full
        self.failed += other.failed
        self.waiting = other.waiting

    def through(self, packets: int, size: int, passed: int, passed_size: int) -> int:
        """Count what an impairment took as accepted: a bad network does not report its losses.

        So far this has the counts of the packets that passed, and copies can be among them. The
        counts add up to as many packets as the client sent.

        Args:
            packets: How many packets came to the impairment.
            size: Bytes of these packets.
            passed: How many left it at once, with their copies.
            passed_size: Bytes of these packets.

        Returns:
            How many copies that would wait for the ring are given up.
        """
        given_up = 0
        if passed <= packets:
            self.accepted += packets - passed
        else:
            copies = passed - packets
            for name in ("ring_full", "failed"):
                told = min(copies, getattr(self, name))
                setattr(self, name, getattr(self, name) - told)
                copies -= told
            if self.waiting:
                given_up = min(copies, len(self.waiting))
                self.waiting = self.waiting[: len(self.waiting) - given_up]
                copies -= given_up
            self.accepted = max(0, self.accepted - copies)
        self.accepted_bytes = max(0, self.accepted_bytes + size - passed_size)
        return given_up


@final
class Passed(list[bytes]):
    """Hold packets that have passed an impairment and still wait for room in the ring."""


def send(session: Session, packets: Sequence[bytes]) -> tuple[int, DriverError | None]:
    """Give packets to the driver; return how many it took, and its error if it failed then."""
    taken = 0
    try:
        taken = session.send_packets(packets)
        if 0 < taken < len(packets):
            # The ring is full, or the call failed after these: then the next call raises.
            taken += session.send_packets(part(packets, taken, len(packets)))
    except DriverError as error:
        return taken, error
    return taken, None


def part(packets: Sequence[bytes], start: int, stop: int) -> Sequence[bytes]:
    """Return the packets from `start` to `stop`, which keep nothing of the others."""
    return packets.part(start, stop) if type(packets) is Block else packets[start:stop]


def count_by_reason(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by reason. Plain dicts are used: there is nearly never anything to count."""
    for reason, count in more.items():
        counts[reason] = counts.get(reason, 0) + count
