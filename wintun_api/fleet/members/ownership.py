"""Which of several claims to a prefix holds. Every host computes it alike, from the same claims.

Claims count in the order in which the server took them. A claim does not hold if another host that
lives had claimed the same addresses before: claiming a part of a network does not take it over.
Two things are allowed: a wider prefix around what others have, which then holds for the rest; and
parts of a default route, which is a prefix of length 0 and covers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from wintun_api.fleet.network import Prefix


@dataclass(frozen=True, slots=True)
class Claim:
    """A host's claim to a prefix, as it is in the bucket.

    Attributes:
        host: The host, as the key says.
        prefix: The prefix, as the key says.
        revision: The number that the server gave to the claim, which grows with every claim.
        epoch: The life of the host in which it was made; see `Card.epoch`.
    """

    host: str
    prefix: Prefix
    revision: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Ownership:
    """What follows from the claims.

    Attributes:
        owners: The host of each prefix whose claim holds, for `Routes`.
        refused: The claims of hosts that live and that do not hold, each with the claim that stands
            against it.
    """

    owners: Mapping[Prefix, str]
    refused: Mapping[Claim, Claim]


_ORDER: Final = attrgetter("revision", "host", "prefix.version", "prefix")
_Covered = dict[tuple[int, int, int], Claim]  # by family, length, and the bits of the prefix


def ownership(claims: Iterable[Claim], live: Mapping[str, int]) -> Ownership:
    """Return which claims hold; the order of the claims makes no difference.

    Args:
        claims: All claims in the bucket.
        live: The hosts that live, each with the epoch of its card. Claims of another epoch are
            left over from an earlier life, and do not count: a host that was dead and returns has
            to claim anew, behind those that took over meanwhile.
    """
    owners: dict[Prefix, str] = {}
    refused: dict[Claim, Claim] = {}
    holding: _Covered = {}
    lengths: dict[int, set[int]] = {4: set(), 6: set()}
    for claim in sorted(claims, key=_ORDER):
        if live.get(claim.host) != claim.epoch:
            continue
        prefix = claim.prefix
        version, length = prefix.version, prefix.prefixlen
        before = _before(claim, holding, lengths[version])
        if before is not None:
            refused[claim] = before
            continue
        owners[prefix] = claim.host
        bits = int(prefix.network_address) >> (prefix.max_prefixlen - length)
        holding.setdefault((version, length, bits), claim)
        lengths[version].add(length)
    return Ownership(owners, refused)


def _before(claim: Claim, holding: _Covered, lengths: set[int]) -> Claim | None:
    """Return the claim of another host that has the addresses of this one; None if none has."""
    prefix = claim.prefix
    address, size = int(prefix.network_address), prefix.max_prefixlen
    for length in sorted(lengths, reverse=True):
        if length > prefix.prefixlen or (length == 0 and prefix.prefixlen != 0):
            continue
        found = holding.get((prefix.version, length, address >> (size - length)))
        if found is not None:  # the longest prefix around this one: it has the addresses
            return found if found.host != claim.host else None
    return None
