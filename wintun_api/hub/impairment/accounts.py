"""Count what an impairment did to the packets of one direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True)
class Count:
    """Hold a number of packets and their bytes."""

    packets: int = 0
    bytes: int = 0

    def add(self, packets: int, size: int) -> None:
        """Count packets of this size together."""
        self.packets += packets
        self.bytes += size

    def copy(self) -> Count:
        """Return the present count as an object of its own."""
        return Count(self.packets, self.bytes)


@dataclass(slots=True)
class Accounts:
    """Count the packets of one direction since the session was first impaired.

    At every moment `offered + duplicated == delivered + lost + limit + blackout + too_large +
    dropped + delayed`, in packets and in bytes; `corrupted` and `reordered` packets are among them.
    """

    offered: Count = field(default_factory=Count)
    duplicated: Count = field(default_factory=Count)
    delivered: Count = field(default_factory=Count)
    lost: Count = field(default_factory=Count)
    limit: Count = field(default_factory=Count)
    blackout: Count = field(default_factory=Count)
    too_large: Count = field(default_factory=Count)
    dropped: Count = field(default_factory=Count)
    delayed: Count = field(default_factory=Count)
    corrupted: Count = field(default_factory=Count)
    reordered: Count = field(default_factory=Count)
    too_big_replies: int = 0

    def copy(self) -> Accounts:
        """Return the present counts as objects of their own."""
        counts = {name: getattr(self, name).copy() for name in FATES}
        return Accounts(**counts, too_big_replies=self.too_big_replies)

    def by_cause(self) -> dict[str, int]:
        """Return how many packets were lost, by cause."""
        return {cause: getattr(self, cause).packets for cause in CAUSES}


# What can happen to a packet, and those of it that are losses.
FATES: Final = tuple(name for name in Accounts.__slots__ if name != "too_big_replies")
CAUSES: Final = ("lost", "limit", "blackout", "too_large", "dropped")
