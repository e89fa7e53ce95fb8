"""What was lost since it was last told, and the totals of all packets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from wintun_api.fleet.packets.accounts import GROUP, Accounts, Cause
from wintun_api.fleet.packets.ledger import Ledger

QUIET: Final = 10.0  # seconds between two tellings of the same cause


class Losses:
    """Tell losses by cause: the first at once, more of the same every ten seconds."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told = lost_by(ledger.accounts())
        self._told_at: dict[Cause, float] = {}
        self._uncounted = 0
        self._uncounted_at = -QUIET

    def news(self, now: float) -> Iterator[tuple[Cause, int]]:
        """Yield each cause to be told now, and how many packets it is about."""
        lost = lost_by(self._ledger.accounts())
        for cause, count in lost.items():
            more = count - self._told[cause]
            if more and now - self._told_at.get(cause, -QUIET) >= QUIET:
                self._told[cause] = count
                self._told_at[cause] = now
                if more > 0:
                    yield cause, more

    def is_news(self, uncounted: int, now: float) -> bool:
        """Return whether to tell now that packets were lost whose number is not known.

        Args:
            uncounted: How often that has happened.
            now: The time of the event loop.
        """
        if uncounted == self._uncounted or now - self._uncounted_at < QUIET:
            return False
        self._uncounted = uncounted
        self._uncounted_at = now
        return True


# Why, after "Lost packets: 3. ", and what helps where something does.
_WORDS: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        Cause.RING: "the receive ring of the adapter was full",
        Cause.QUEUE: "the queue of the service was full, because this agent reads too slowly",
        Cause.AWAY: "they came while there was no connection with the service",
        Cause.BAD_SOURCE: "their source belongs to another host, or to none",
        Cause.NO_ROUTE: "no host has their destination",
        Cause.REJECTED: "they are not IP packets",
        Cause.BUS_OUT: "the bus takes less than this host sends; --policy says which are dropped",
        Cause.BUS: "the bus has lost them, or this host or its agent was away",
        Cause.BUS_IN: "they come faster than the service takes them",
        Cause.RING_FULL: "the send ring of the adapter was full",
        Cause.REFUSED: "the system has refused them; see whether the adapter is set up",
        Cause.FAILED: "the service could not take them, or is not there",
        Cause.UNKNOWN: "their end is not known: a process has ended while it had them",
        Cause.FORGED: "they were sent in the name of another host",
    }
)


UNCOUNTED: Final = (
    "Packets may have been lost before the service gave them to this agent; it is not known how "
    "many."
)


def told(cause: Cause, count: int) -> str:
    """Return the loss as a sentence."""
    if cause is Cause.FORGED:
        return f"Messages were refused ({count}): {_WORDS[cause]}."
    why = _WORDS[cause]
    return f"Lost packets: {count}. {why[:1].upper()}{why[1:]}."


def lost_by(accounts: Accounts) -> Counter[Cause]:
    """Return how many packets this host knows to be lost, by cause, in both directions.

    What other hosts have lost of its packets is in their own reports, and not here. What systems
    say to their own link alone, on every adapter, is not lost.
    """
    lost: Counter[Cause] = Counter(accounts.taken.causes)
    del lost[Cause.LINK_LOCAL]
    lost.update(accounts.taken.before)
    lost[Cause.FORGED] += accounts.taken.forged
    for one in accounts.arrived:
        lost.update(one.causes)
    return lost


def totals_of(accounts: Accounts) -> dict[str, int]:
    """Return the totals for a card: packets that left, that arrived, and those lost by cause.

    `taken` came from the service, `sent` went to the bus, `confirmed` are known to be delivered by
    the hosts they were for; `sent_to_all` are those of `sent` that no host confirms. `arrived` were
    sent to this host, and `delivered` were injected here. `link_local` are not for other hosts, and
    not lost.
    """
    totals = {
        "taken": accounts.taken.taken,
        "sent": accounts.taken.numbered,
        "sent_to_all": sum(one.sent for one in accounts.sent if one.to == GROUP),
        "confirmed": sum(one.delivered for one in accounts.sent),
        "arrived": sum(one.sent for one in accounts.arrived),
        "delivered": sum(one.delivered for one in accounts.arrived),
        "link_local": accounts.taken.causes.get(Cause.LINK_LOCAL, 0),
    }
    lost = lost_by(accounts)
    return totals | {f"lost_{cause.value}": count for cause, count in lost.items() if count}
