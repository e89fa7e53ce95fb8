"""Hosts and prefixes for tests: few and close to each other, so that they meet often."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import strategies as st

from wintun_api.fleet.network import Prefix

ANN, BOB, CEM = "a" * 12, "b" * 12, "c" * 12
HOSTS = (ANN, BOB, CEM)

_BASE4 = int(IPv4Address("10.9.0.0"))
_BASE6 = int(IPv6Address("fd09::"))


def _prefix(version: int, last: int, length: int) -> Prefix:
    size, base = (32, _BASE4) if version == 4 else (128, _BASE6)
    number = base + last if length else 0
    kind = IPv4Address if version == 4 else IPv6Address
    return ip_network((kind(number), size - 6 + length - 1 if length else 0), strict=False)


# Of the 64 addresses from a base on, and of everything.
prefixes = st.builds(_prefix, st.sampled_from([4, 6]), st.integers(0, 63), st.integers(0, 7))

_addresses4 = st.integers(-2, 66).map(lambda last: (_BASE4 + last).to_bytes(4, "big"))
_addresses6 = st.integers(-2, 66).map(lambda last: (_BASE6 + last).to_bytes(16, "big"))
addresses = _addresses4 | _addresses6
