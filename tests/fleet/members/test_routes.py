"""fleet.routes: the host with the longest prefix, as a naive search finds it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.networks import ANN, BOB, HOSTS, addresses, prefixes
from wintun_api.fleet.members import routes
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.network import Prefix


def naive(owners: Mapping[Prefix, str], address: bytes) -> str | None:
    """Try every prefix."""
    found = [prefix for prefix in owners if ip_address(address) in prefix]
    return owners[max(found, key=lambda prefix: prefix.prefixlen)] if found else None


@given(
    owners=st.dictionaries(prefixes, st.sampled_from(HOSTS), max_size=12),
    asked=st.lists(addresses, max_size=20),
)
def test_longest_prefix(owners: dict[Prefix, str], asked: list[bytes]) -> None:
    """It finds what a naive search finds, the first time and when it remembers."""
    table = Routes(owners)
    for address in asked + asked:
        assert table.find(address) == naive(owners, address)


def test_families_are_apart() -> None:
    """The default route of one family is none for the other."""
    table = Routes({ip_network("0.0.0.0/0"): ANN})
    assert table.find(bytes(4)) == ANN
    assert table.find(bytes(16)) is None


def test_whole_addresses() -> None:
    """The first and the last address of everything are found, too."""
    last4, last6 = ip_network("255.255.255.255/32"), ip_network(f"{'ffff:' * 7}ffff/128")
    table = Routes({last4: ANN, last6: BOB, ip_network("::/128"): ANN})
    assert table.find(b"\xff" * 4) == ANN
    assert table.find(b"\xff" * 16) == BOB
    assert table.find(bytes(16)) == ANN


def test_memory_is_bounded() -> None:
    """A sender of random addresses cannot fill the memory, and answers stay right."""
    table = Routes({ip_network("10.0.0.0/9"): ANN, ip_network("10.128.0.0/9"): BOB})
    for number in range(3 * routes.MAX_KNOWN):
        address = (0x0A000000 + (number << 10)).to_bytes(4, "big")
        assert table.find(address) == (ANN if address[1] < 128 else BOB)
        assert table.known <= routes.MAX_KNOWN


def test_later_changes_do_not_count() -> None:
    """The table keeps what it was given."""
    owners: dict[Prefix, str] = {ip_network("10.9.0.1/32"): ANN}
    table = Routes(owners)
    owners.clear()
    assert len(table) == 1
    assert table.find(bytes((10, 9, 0, 1))) == ANN


def test_empty() -> None:
    """Without routes nobody has anything."""
    assert Routes().find(bytes((10, 9, 0, 1))) is None
