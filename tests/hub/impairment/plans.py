"""Plans and packets for the tests of impaired sessions, and the identity of their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wintun_api.choices import OnChange
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.parameters import Match, Parameters, Plan, Rule, Scenario
from wintun_api.packet import build


def plan(
    received: Parameters | None = None,
    injected: Parameters | None = None,
    *,
    on_change: OnChange = OnChange.DELIVER,
    seed: int = 7,
    match: Match | None = None,
    scenario: Scenario | None = None,
) -> Plan:
    """Make a plan of one rule."""
    rule = Rule(match=match, received=received, injected=injected, scenario=scenario)
    return Plan(seed=seed, rules=(rule,), on_change=on_change)


def both(**parameters: Any) -> Plan:
    """Make a plan that does the same in both directions."""
    values = Parameters(**parameters)
    return plan(values, values)


def datagram(number: int, size: int = 40, *, port: int = 9) -> bytes:
    """Make a UDP packet of this size that carries its number."""
    payload = number.to_bytes(4, "big").ljust(size - 28, b"\0")
    return build.udp("10.6.7.9", "10.6.7.7", 5, port, payload)


def datagrams(count: int, first: int = 0) -> list[bytes]:
    """Make UDP packets that carry their numbers."""
    return [datagram(number) for number in range(first, first + count)]


def number_of(packet: bytes) -> int:
    """Return the number that a packet of `datagram` carries."""
    return int.from_bytes(packet[28:32], "big")


def numbers(packets: Sequence[bytes]) -> list[int]:
    """Return the numbers that packets of `datagram` carry."""
    return list(map(number_of, packets))


LOSSES = ("lost", "limit", "blackout", "too_large", "dropped", "delayed")


def check_identity(accounts: Accounts) -> None:
    """Check that every packet and every byte is accounted for."""
    for unit in ("packets", "bytes"):
        came = getattr(accounts.offered, unit) + getattr(accounts.duplicated, unit)
        went = getattr(accounts.delivered, unit)
        went += sum(getattr(getattr(accounts, name), unit) for name in LOSSES)
        assert came == went, accounts
