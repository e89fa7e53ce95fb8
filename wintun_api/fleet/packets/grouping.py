"""Divide packets by the host that has their destination, and find those with a false source.

Nearly always all packets of a burst are from one address to one other, and then nothing of them is
split or copied: the bytes of their addresses are compared where they stand. Otherwise it is decided
once for each pair of addresses in the burst.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import accumulate, repeat
from typing import Final, TypeAlias, final

from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets.accounts import GROUP, Cause
from wintun_api.packet.block import Block
from wintun_api.packet.build import is_group
from wintun_api.packet.check import MIN_IPV4, MIN_IPV6

MAX_PAIRS: Final = 4096  # pairs of addresses whose fate is remembered
MAX_SAMPLE: Final = 16  # packets without a route that are kept to be answered

_Fate: TypeAlias = "str | Cause"  # a host, `GROUP`, or why a packet goes nowhere
_IPV4: Final = frozenset(range(0x40, 0x50))  # first bytes
_IPV6: Final = frozenset(range(0x60, 0x70))
# Where both addresses stand in a packet, and where the source does: offset and bytes.
_BOTH: Final = ((12, 8), (8, 32))
_SOURCE: Final = ((12, 4), (8, 16))
_Place: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"


@dataclass(frozen=True, slots=True)
class Groups:
    """Packets of a burst, divided.

    Attributes:
        groups: The packets for each host, in their order; `GROUP` are those for all hosts.
        lost: How many packets go nowhere, by cause.
        unroutable: Some of those whose destination no host has, to be answered.
    """

    groups: dict[str, Block]
    lost: dict[Cause, int] = field(default_factory=dict)
    unroutable: tuple[bytes, ...] = ()


@final
class Grouping:
    """Divide bursts of one host with one table of routes; another table needs another one.

    It remembers what it has decided for `MAX_PAIRS` pairs of addresses, and forgets it all when
    there are more.
    """

    __slots__ = ("_broadcasts", "_fates", "_host", "_routes", "_senders")

    def __init__(self, routes: Routes, host: str, broadcasts: Collection[bytes] = ()) -> None:
        """Take what decides.

        Args:
            routes: Which host has an address.
            host: This host.
            broadcasts: The broadcast addresses of the adapter's subnets, 4 bytes each.
        """
        self._routes = routes
        self._host = host
        self._broadcasts = frozenset(broadcasts)
        self._fates: dict[bytes, _Fate] = {b"": Cause.REJECTED}
        self._senders: dict[bytes, str | None] = {}

    @property
    def known(self) -> int:
        """How many pairs of addresses, or sources, it remembers: the larger number."""
        return max(len(self._fates), len(self._senders))

    def leaving(self, packets: Block) -> Groups:
        """Divide packets that this host's service has received."""
        divided = _divide(packets, _BOTH, self._fate)
        lost: dict[Cause, int] = {}
        unroutable: tuple[bytes, ...] = ()
        for cause in (Cause.BAD_SOURCE, Cause.LINK_LOCAL, Cause.NO_ROUTE, Cause.REJECTED):
            block = divided.pop(cause, None)
            if block is not None:
                lost[cause] = len(block)
                if cause is Cause.NO_ROUTE:
                    unroutable = tuple(block.part(0, MAX_SAMPLE))
        return Groups(divided, lost, unroutable)

    def arriving(self, packets: Block, sender: str) -> tuple[Block, dict[Cause, int]]:
        """Return the packets whose source belongs to their sender; of others, how many, by cause.

        Args:
            packets: Packets that another host has sent.
            sender: That host.
        """

        def fate(source: bytes) -> _Fate:
            if not source:
                return Cause.REJECTED
            return sender if self._sender(source) == sender else Cause.BAD_SOURCE

        divided = _divide(packets, _SOURCE, fate)
        good = divided.pop(sender, None)
        lost = {Cause(cause): len(block) for cause, block in divided.items()}
        return good if good is not None else packets.part(0, 0), lost

    def _fate(self, both: bytes) -> _Fate:
        """Return what becomes of packets with these addresses; other packets have none."""
        known = self._fates.get(both)
        if known is not None:
            return known
        if len(self._fates) >= MAX_PAIRS:
            self._fates = {b"": Cause.REJECTED}
        half = len(both) // 2
        fate = self._fates[both] = self._decide(both[:half], both[half:])
        return fate

    def _decide(self, source: bytes, destination: bytes) -> _Fate:
        if _is_of_a_link(ip_address(source)):
            return Cause.LINK_LOCAL
        if self._sender(source) != self._host:
            return Cause.BAD_SOURCE
        if destination in self._broadcasts or is_group(ip_address(destination)):
            return GROUP
        host = self._routes.find(destination)
        return Cause.NO_ROUTE if host is None or host == self._host else host

    def _sender(self, source: bytes) -> str | None:
        """Return the host that may send packets from an address; None if none may."""
        try:
            return self._senders[source]
        except KeyError:
            pass
        if len(self._senders) >= MAX_PAIRS:
            self._senders.clear()
        address = ip_address(source)
        never = (
            is_group(address)
            or address.is_loopback
            or _is_of_a_link(address)
            or source in self._broadcasts
        )
        host = self._senders[source] = None if never else self._routes.find(source)
        return host


def _is_of_a_link(address: IPv4Address | IPv6Address) -> bool:
    """Return whether packets from an address are not forwarded (RFC 3927, RFC 4291)."""
    return address.is_link_local or address.is_unspecified


def _divide(packets: Block, place: _Place, decide: Callable[[bytes], _Fate]) -> dict[str, Block]:
    """Return the packets of each fate, which is decided by the bytes at a place in each."""
    if not packets:
        return {}
    alike = _alike(packets, place)
    if alike is not None:
        return {decide(alike): packets}
    keys = _keys(packets, place)
    fates = {key: decide(key) for key in set(keys)}
    if len(set(fates.values())) == 1:
        return {fates[keys[0]]: packets}
    divided: dict[str, list[bytes]] = {}
    for key, packet in zip(keys, packets.packets, strict=True):
        divided.setdefault(fates[key], []).append(packet)
    return {fate: Block.of(chosen) for fate, chosen in divided.items()}


def _alike(packets: Block, place: _Place) -> bytes | None:
    """Return the bytes at a place if all packets have the same, and one first byte; else None."""
    memory, start, lengths = packets.memory, packets.start, packets.lengths
    count, shortest = len(lengths), lengths[0] if len(lengths) == 1 else min(lengths)
    found = _place_of(memory[start] if shortest else 0, shortest, place)
    if found is None:
        return b"" if count == 1 else None
    offset, size = found
    if count == 1:
        pass
    elif packets.even:
        end = start + packets.size
        for at in (start, *range(start + offset, start + offset + size)):
            if memory[at : end : lengths[0]].count(memory[at]) != count:
                return None
    else:
        read = struct.Struct(f"B{offset - 1}x{size}s").unpack_from
        starts = accumulate(lengths[:-1], initial=start)
        if len(set(map(read, repeat(memory), starts))) > 1:
            return None
    return memory[start + offset : start + offset + size]


def _keys(packets: Block, place: _Place) -> list[bytes]:
    """Return the bytes at a place in each packet, which are empty for other than IP packets."""
    lengths, memory, start = packets.lengths, packets.memory, packets.start
    shortest = min(lengths)
    firsts = packets.first_bytes if shortest else set()
    for versions, least, (offset, size) in (
        (_IPV4, MIN_IPV4, place[0]),
        (_IPV6, MIN_IPV6, place[1]),
    ):
        if shortest >= least and firsts <= versions:
            if packets.even:
                rest = lengths[0] - offset - size
                columns = struct.iter_unpack(f"{offset}x{size}s{rest}x", packets.payload)
                return [key for (key,) in columns]
            starts = accumulate(lengths[:-1], initial=start + offset)
            return [memory[at : at + size] for at in starts]
    keys = []
    for at, length in zip(accumulate(lengths, initial=start), lengths, strict=False):
        found = _place_of(memory[at] if length else 0, length, place)
        keys.append(b"" if found is None else memory[at + found[0] : at + sum(found)])
    return keys


def _place_of(first: int, length: int, place: _Place) -> tuple[int, int] | None:
    """Return where the bytes stand in a packet of this length and first byte; None if nowhere."""
    version = first >> 4
    if version == 4 and length >= MIN_IPV4:
        return place[0]
    if version == 6 and length >= MIN_IPV6:
        return place[1]
    return None
