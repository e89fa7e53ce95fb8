"""What became of all packets: at every moment, sent = delivered + the sum of the causes + waiting.

    cause       lost packets                                                  counted by
    ring        the receive ring of the host's service was full, or the       sender, before taken
                driver could not read them completely
    queue       the queue of the service was full, or ended with them         sender, before taken
    away        passed while the agent had no connection with its service     sender, before taken
    bad_source  the source is not an address of the host that sends           both
    link_local  the source is good on its own link only, or is not set:       sender
                such packets are never forwarded, and not called lost
    no_route    no other host has the destination                             sender
    rejected    they are not IP packets                                       both
    bus_out     the backlog of the sender was full                            sender
    bus         a gap in the numbers: the bus has lost them                   receiver
    bus_in      a gap in the numbers while the receiver's own bound was met   receiver
    ring_full   the send ring of the receiving service was full               receiver
    refused     that ring took them, and the host then refused them           receiver
    failed      that service could not inject them                            receiver
    unknown     the sender or the receiver, or its service, died with them    both
    forged      messages in the name of a host that did not send them         receiver, beside

The causes of the sender (`NEAR`) complete `taken`; those of the receiver (`FAR`) complete the
numbers of a pair of hosts, and a message a second tells them to the sender (`Feedback`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from pydantic import model_validator

from wintun_api.fleet.documents import Document, Number, document_of

GROUP: Final = "*"  # the receiver of packets for all hosts
MAX_FEEDBACK: Final = 1024  # bytes


class Cause(StrEnum):
    """Name why packets were lost; the module's docstring explains each cause."""

    RING = "ring"
    QUEUE = "queue"
    AWAY = "away"
    BAD_SOURCE = "bad_source"
    LINK_LOCAL = "link_local"
    NO_ROUTE = "no_route"
    REJECTED = "rejected"
    BUS_OUT = "bus_out"
    BUS = "bus"
    BUS_IN = "bus_in"
    RING_FULL = "ring_full"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    FORGED = "forged"


BEFORE: Final = (Cause.RING, Cause.QUEUE, Cause.AWAY)
NEAR: Final = (
    Cause.BAD_SOURCE,
    Cause.LINK_LOCAL,
    Cause.NO_ROUTE,
    Cause.REJECTED,
    Cause.BUS_OUT,
    Cause.UNKNOWN,
)
FAR: Final = (
    Cause.BUS,
    Cause.BUS_IN,
    Cause.BAD_SOURCE,
    Cause.REJECTED,
    Cause.RING_FULL,
    Cause.REFUSED,
    Cause.FAILED,
    Cause.UNKNOWN,
)

# The cause for each cause of a `Loss` in a packet stream (`client.burst.Loss`).
OF_LOSS: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "ring": Cause.RING,
        "truncated": Cause.RING,
        "queue": Cause.QUEUE,
        "ended": Cause.QUEUE,
        "reconnect": Cause.AWAY,
    }
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the packets that a host's service gave to its agent.

    Attributes:
        taken: How many the agent got.
        numbered: How many it has given to the bus, all receivers together.
        causes: How many it has not, by cause (`NEAR`).
        before: How many it never got, by cause (`BEFORE`).
        forged: How many messages arrived in another's name; they are not packets of this host.
    """

    taken: int = 0
    numbered: int = 0
    causes: Mapping[Cause, int] = field(default_factory=dict)
    before: Mapping[Cause, int] = field(default_factory=dict)
    forged: int = 0

    @property
    def waiting(self) -> int:
        """How many are in the backlog."""
        return self.taken - self.numbered - sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the packets for one host, as their sender knows it.

    Attributes:
        to: The host that they are for; `GROUP` for all hosts.
        sent: How many were given to the bus.
        delivered: How many are known to have been injected there.
        causes: How many are known to be lost, by cause (`FAR`).
    """

    to: str
    sent: int
    delivered: int = 0
    causes: Mapping[Cause, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many are on their way, or not told yet by the host they are for."""
        return self.sent - self.delivered - sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of the packets of one host, as their receiver knows it.

    Attributes:
        sender: The host that has sent them.
        group: Whether these are packets for all hosts, not for this one.
        sent: How many it has sent, as far as their numbers show.
        delivered: How many were injected.
        causes: How many were lost, by cause (`FAR`).
        late: How many came after they were counted as lost, and were not injected.
    """

    sender: str
    group: bool
    sent: int
    delivered: int = 0
    causes: Mapping[Cause, int] = field(default_factory=dict)
    late: int = 0

    @property
    def waiting(self) -> int:
        """How many the service has not acknowledged yet."""
        return self.sent - self.delivered - sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of all packets of a host, in both directions.

    Attributes:
        taken: Those that its service gave to the agent.
        sent: Those for each other host.
        arrived: Those of each other host.
    """

    taken: Taken
    sent: tuple[Sent, ...] = ()
    arrived: tuple[Arrived, ...] = ()


class Feedback(Document):
    """What became of the packets of one host, as their receiver tells it to their sender.

    Attributes:
        base: The number of the first packet that the receiver has counted.
        expected: The number of the packet that it expects next.
        delivered: How many of these packets were injected; the others are the causes of `FAR`.
    """

    base: Number
    expected: Number
    delivered: Number = 0
    bus: Number = 0
    bus_in: Number = 0
    bad_source: Number = 0
    rejected: Number = 0
    ring_full: Number = 0
    refused: Number = 0
    failed: Number = 0
    unknown: Number = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.delivered + sum(self.causes.values()) > self.expected - self.base:
            raise ValueError("more packets have a cause than were counted")
        return self

    @property
    def causes(self) -> dict[Cause, int]:
        """How many packets were lost, by cause."""
        return {cause: getattr(self, cause) for cause in FAR}

    def encoded(self) -> bytes:
        """Return it as JSON."""
        return self.model_dump_json().encode()


def feedback_of(data: bytes) -> Feedback | None:
    """Return the feedback in these bytes; None if it cannot be true, or is not one."""
    return document_of(Feedback, data, MAX_FEEDBACK)
