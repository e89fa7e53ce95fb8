"""Hold what was asked for: rules, of which the first that matches a packet says what happens."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from wintun_api.choices import Distribution, OnChange
from wintun_api.limits import DEFAULT_LIMIT_PACKETS

STATE_SIZE = 2048  # bytes of the parameters of both directions, in memory and as JSON
DEFAULT_LIMIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GilbertElliott:
    """Describe a channel with a good and a bad state, as of tc-netem `gemodel p r 1-h 1-k`.

    Attributes:
        p: The probability that a good channel becomes bad.
        r: The probability that a bad channel becomes good.
        h: The probability that a packet passes a bad channel.
        k: The probability that a packet passes a good channel.
    """

    p: float
    r: float
    h: float = 0.0
    k: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Say what happens to the packets of one rule in one direction.

    `schemas.impairment.Impairment` describes each of them; here they have been checked.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    distribution: Distribution = Distribution.UNIFORM
    delay_correlation: float = 0.0
    loss: float = 0.0
    loss_correlation: float = 0.0
    gilbert_elliott: GilbertElliott | None = None
    duplicate: float = 0.0
    duplicate_correlation: float = 0.0
    corrupt: float = 0.0
    corrupt_correlation: float = 0.0
    reorder: float = 0.0
    reorder_correlation: float = 0.0
    reorder_gap: int = 1
    rate_bps: int | None = None
    burst_bytes: int = 0
    overhead_bytes: int = 0
    limit_packets: int = DEFAULT_LIMIT_PACKETS
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    blackout: bool = False
    max_size: int | None = None
    too_big_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Select packets; an empty tuple or None selects all.

    Attributes:
        protocols: Numbers of the protocol inside IP.
        address: Where the source or the destination is.
        ports: A first and a last port, both included, of the source or the destination.
    """

    protocols: frozenset[int] = frozenset()
    address: IPv4Network | IPv6Network | None = None
    source: IPv4Network | IPv6Network | None = None
    destination: IPv4Network | IPv6Network | None = None
    ports: tuple[int, int] | None = None
    source_ports: tuple[int, int] | None = None
    destination_ports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Mark a direction that a step does not change."""


KEPT = Kept()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Say what holds from a second of a scenario on; `KEPT` leaves a direction as it was."""

    at: float
    ramp: float = 0.0
    received: Parameters | Kept | None = KEPT
    injected: Parameters | Kept | None = KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """List steps in the order of their seconds; `length` is in seconds."""

    steps: tuple[Step, ...]
    length: float
    loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Say what happens to the packets that match; with a scenario, it says so and they do not.

    Attributes:
        match: The packets that are concerned; None for all.
        received: What happens from the host to the application; None for nothing.
        injected: What happens from the application to the host; None for nothing.
        scenario: Steps in time, instead of both.
        preset: The name by which the client asked for these parameters, if it did.
    """

    match: Match | None = None
    received: Parameters | None = None
    injected: Parameters | None = None
    scenario: Scenario | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold everything that a client asked for, with the seed from which all chance follows."""

    seed: int
    rules: tuple[Rule, ...]
    on_change: OnChange = OnChange.DELIVER

    @property
    def memory(self) -> int:
        """Approximate bytes of memory that it uses, for the bounds of queues that keep it."""
        steps = sum(len(rule.scenario.steps) for rule in self.rules if rule.scenario is not None)
        return STATE_SIZE * (len(self.rules) + steps)
