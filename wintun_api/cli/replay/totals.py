"""What happened to the packets of a replay, for people and for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from wintun_api.cli.output import counted


@dataclass(slots=True)
class Totals:
    """Count what happened to each packet of a file, and how long it took.

    Attributes:
        completed: Packets that were sent after their length or checksum was filled in, because
            the capture left that to a network card.
        unanswered: Packets of a request whose answer did not come: some of them may have been
            injected.
        passes: How often the file was begun.
    """

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    completed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    passes: int = 0
    seconds: float = 0.0

    def add(self, report: dict[str, Any]) -> None:
        """Add what the service reports about a batch."""
        self.accepted += report["accepted"]
        self.rejected.update(report["rejected"])
        self.ring_full += report["ring_full"]
        self.refused.update(report["refused"])

    @property
    def sent(self) -> int:
        """Return how many packets were sent, whatever happened to them then."""
        return (
            self.accepted
            + self.ring_full
            + self.unanswered
            + self.rejected.total()
            + self.refused.total()
        )

    def json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "ring_full": self.ring_full,
            "refused": dict(self.refused),
            "completed": self.completed,
            "left_out": dict(self.left_out),
            "unanswered": self.unanswered,
            "passes": self.passes,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        words = [f"{counted(self.accepted, 'packet')} accepted"]
        words += [f"{count} rejected ({reason})" for reason, count in self.rejected.items()]
        if self.ring_full:
            words.append(f"{self.ring_full} dropped because the send ring was full")
        words += [
            f"{count} refused by the host ({cause.replace('_', ' ')})"
            for cause, count in self.refused.items()
        ]
        if self.unanswered:
            words.append(f"{self.unanswered} sent without an answer (they may have been injected)")
        if self.completed:
            words.append(
                f"{self.completed} completed (their length or checksum was left to a network card)"
            )
        words += [f"{count} left out ({reason})" for reason, count in self.left_out.items()]
        return ", ".join(words) + "."
