"""Which host has an address: the longest prefix that holds it.

The table answers for every packet, so it takes addresses as they stand in packets: 4 or 16 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from wintun_api.fleet.network import Prefix

MAX_KNOWN: Final = 4096  # addresses whose host is remembered

_Lengths = list[tuple[int, dict[int, str]]]  # how far to shift an address, and what is then found


@final
class Routes:
    """A table of prefixes and their hosts. It does not change: a change of routes makes another.

    It remembers the hosts of `MAX_KNOWN` addresses, and forgets them all when there are more, so
    that a sender of random addresses costs time and no memory.
    """

    __slots__ = ("_known", "_lengths", "owners")

    def __init__(self, owners: Mapping[Prefix, str] | None = None) -> None:
        """Take the host of each prefix.

        Args:
            owners: The host of each prefix, as `ownership` gives it.
        """
        self.owners: Final[Mapping[Prefix, str]] = dict(owners or {})
        by_shift: dict[tuple[int, int], dict[int, str]] = {}
        for prefix, host in self.owners.items():
            shift = prefix.max_prefixlen - prefix.prefixlen
            keys = by_shift.setdefault((prefix.max_prefixlen // 8, shift), {})
            keys[int(prefix.network_address) >> shift] = host
        self._lengths: dict[int, _Lengths] = {4: [], 16: []}
        for size, shift in sorted(by_shift):  # the longest prefixes first
            self._lengths[size].append((shift, by_shift[size, shift]))
        self._known: dict[bytes, str | None] = {}

    @property
    def known(self) -> int:
        """How many addresses it remembers."""
        return len(self._known)

    def find(self, address: bytes) -> str | None:
        """Return the host that has an address; None if no host has it.

        Args:
            address: The 4 or 16 bytes of an IPv4 or IPv6 address.
        """
        try:
            return self._known[address]
        except KeyError:
            pass
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        host = self._known[address] = self._search(address)
        return host

    def _search(self, address: bytes) -> str | None:
        number = int.from_bytes(address, "big")
        for shift, hosts in self._lengths[len(address)]:
            host = hosts.get(number >> shift)
            if host is not None:
                return host
        return None

    def __len__(self) -> int:
        return len(self.owners)
