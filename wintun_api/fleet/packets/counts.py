"""What an agent counts beside packets: what it dropped, refused or could not read.

It counts from its own start, but for `link_local` and `late`, which the ledger has. The card of its
host has those of these numbers that are not zero, so `wintun-api hosts --json` and the dashboard
show them for all hosts; the metrics of the service show those of its own host. The last event of an
agent has them all. The guide says what each of them means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOTED: Final = (
    "link_local",
    "uncounted",
    "unreadable",
    "unrecorded",
    "late",
    "ignored",
    "surplus",
    "forgotten",
    "unanswered",
    "messages_dropped",
    "events_dropped",
    "reports_failed",
    "requests_forged",
    "requests_dropped",
    "answers_dropped",
    "captured_dropped",
)


def noted_in(counts: Mapping[str, int]) -> dict[str, int]:
    """Return those of a card that are not zero."""
    return {name: counts[name] for name in NOTED if counts.get(name)}


def for_card(counts: Mapping[str, int]) -> dict[str, int]:
    """Return what a card has of these: all numbers of packets, and of the others no zeros."""
    return {name: count for name, count in counts.items() if count or name not in NOTED}
