"""What a packet stream gives a program: bursts of packets, losses and accounts of what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["received", "injected"]
Framing: TypeAlias = Literal["v1.batch", "v1.raw", "v1.pcapng"]


@dataclass(frozen=True, slots=True)
class Burst:
    """Packets that came together.

    Attributes:
        packets: The bytes of each packet, which is one whole IP packet unless `snaplen` cut it.
        direction: `received` from the host, or `injected` by a client. `v1.raw` does not carry it:
            there it is what was asked for, and `received` for both directions.
        time_ns: When the service got them, in nanoseconds since 1970. In `v1.raw`, which does not
            carry it, when this program got them.
        sequence: The number of the first packet in its session and direction. None in `v1.raw`,
            which does not carry it.
        original_lengths: The length of each packet before `snaplen` cut it, in bytes; None if no
            packet was cut.
        sequences: The number of each packet, which has gaps where a filter lets some through; None
            in `v1.raw`.
        times_ns: When the service read each packet, in nanoseconds since 1970; None unless
            `times="packet"` was asked for.
    """

    packets: Sequence[bytes]
    direction: Direction
    time_ns: int
    sequence: int | None
    original_lengths: Sequence[int] | None = None
    sequences: Sequence[int] | None = None
    times_ns: Sequence[int] | None = None

    @property
    def time(self) -> datetime:
        """When the service got them, in UTC, to the microsecond."""
        seconds, rest = divmod(self.time_ns, 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)

    def __len__(self) -> int:
        return len(self.packets)


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that this stream did not get.

    Attributes:
        cause: `queue`, `ended`, `ring` or `truncated`, as in `schemas.control.ReaderLossCause`; or
            `reconnect` for what was missed between two connections.
        direction: The direction of the lost packets.
        count: How many they are; None if it cannot be known, as for a `reconnect` of a stream with
            a filter. It is 0 for a `reconnect` between which nothing was missed.
        first: The number of the first lost packet; None if it cannot be known.
        last: The number of the last lost packet. Others between the two may have arrived, or may
            not have passed the filter.
    """

    cause: str
    direction: Direction
    count: int | None
    first: int | None
    last: int | None

    @property
    def packets(self) -> Sequence[bytes]:
        """Nothing, so that a loop over packets can pass over losses without a test."""
        return ()


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of packets that were sent, in numbers of packets.

    Attributes:
        accepted: The host got them.
        rejected: They are not valid IP packets, by reason: `too_short`, `too_long`, `bad_version`.
        ring_full: The send ring was full.
        refused: The ring took them and the host then refused them, by cause.
        failed: They were not injected, because the driver failed, the session was ending, or the
            token does not allow it.
        unknown: They were sent, and the connection ended before the service had acknowledged them:
            the host may have got them or not. In `v1.raw`, which has no acks, these are all.
    """

    accepted: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    ring_full: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """How many packets these accounts cover."""
        refused = sum(self.rejected.values()) + sum(self.refused.values())
        return self.accepted + refused + self.ring_full + self.failed + self.unknown

    def __add__(self, other: Accounts) -> Accounts:
        return Accounts(
            self.accepted + other.accepted,
            _sum(self.rejected, other.rejected),
            self.ring_full + other.ring_full,
            _sum(self.refused, other.refused),
            self.failed + other.failed,
            self.unknown + other.unknown,
        )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
