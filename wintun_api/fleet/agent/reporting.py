"""Report the network to the service of this host, whose dashboard shows it.

The service talks to no bus; what it knows of a network is what its agent reports to it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from wintun_api.client.problems import ClientError
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.members.card import CardAdapter
from wintun_api.fleet.members.inventory import Host, Inventory
from wintun_api.fleet.members.ownership import Claim
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.network import Network
from wintun_api.fleet.packets.counts import noted_in
from wintun_api.limits import MAX_COUNT, MAX_INVENTORY
from wintun_api.schemas import networks
from wintun_api.schemas.networks import HostAdapter, HostState, NetworkHost

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient

PAUSE: Final = 1.0  # seconds between two reports, however much changes
SHARE: Final = 10  # and a report may take one part of so many of the time
ROOM: Final = MAX_INVENTORY - 4096  # bytes for the hosts of a report
LOST: Final = "lost_"
LATEST: Final = 253_402_300_799 * 10**9  # nanoseconds; the last second that a datetime has


@dataclass(frozen=True, slots=True)
class _Told:
    """What is reported of a host, what it was made of, and its bytes in a report."""

    of: Host
    prefixes: list[str]
    refused: list[str]
    host: NetworkHost
    size: int


class Reporting:
    """Report which hosts live, and what leads to them. Event loop thread only.

    Attributes:
        failed: How many reports the service has not taken. Those of an older version take none.
    """

    def __init__(
        self,
        client: AsyncClient,
        bus: Bus,
        network: Network,
        inventory: Inventory,
        *,
        routes: Callable[[], Routes],
        refused: Callable[[], Iterable[Claim]],
        host: str,
        period: float,
    ) -> None:
        """Take what is reported.

        Args:
            client: Reaches the service.
            bus: The connection.
            network: The network.
            inventory: The hosts that live.
            routes: Returns what leads to them.
            refused: Returns what they have claimed and other hosts have.
            host: The id of this host.
            period: Seconds between two reports if nothing changes.
        """
        self.failed = 0
        self._client = client
        self._bus = bus
        self._network = network
        self._host = host
        self._inventory = inventory
        self._routes = routes
        self._refused = refused
        self._period = period
        self._changed = asyncio.Event()
        self._told: dict[str, _Told] = {}  # the last report

    def changed(self) -> None:
        """Report soon."""
        self._changed.set()

    async def keep(self) -> None:
        """Report until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            self._changed.clear()
            hosts, more = self._hosts()
            try:
                await self._client.set_network(
                    self._network.name,
                    host=self._host,
                    hosts=hosts,
                    connected=self._bus.connected,
                    more_hosts=more,
                )
            except ClientError:
                self.failed += 1  # the agent tells by itself when its service is gone
            pause = min(self._period, max(PAUSE, SHARE * (clock() - began)))
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(self._period - pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def end(self) -> None:
        """Report that this host has left its adapter, so that another agent can join with it."""
        hosts, more = self._hosts()
        left = {"adapter": "", "state": HostState.DETACHED}
        with suppress(ClientError):  # the service forgets it in 30 seconds
            await self._client.set_network(
                self._network.name,
                host=self._host,
                hosts=[
                    one.model_copy(update=left) if one.id == self._host else one for one in hosts
                ],
                connected=False,
                more_hosts=more,
            )

    def _hosts(self) -> tuple[list[NetworkHost], int]:
        """Return the hosts that fit into a report, this one first, and how many do not."""
        prefixes = defaultdict(list)
        for prefix, owner in self._routes().owners.items():
            prefixes[owner].append(str(prefix))
        refused = defaultdict(list)
        for claim in self._refused():
            refused[claim.host].append(str(claim.prefix))
        known = sorted(
            self._inventory.hosts.values(), key=lambda one: (one.id != self._host, one.name, one.id)
        )
        told: dict[str, _Told] = {}
        room = ROOM
        for one in known[: networks.MAX_HOSTS]:
            now = self._told_now(one, sorted(prefixes[one.id]), sorted(refused[one.id]))
            told[one.id] = now
            room -= now.size
            if room < 0:
                del told[one.id]
                break
        self._told = told
        return [one.host for one in told.values()], len(known) - len(told)

    def _told_now(self, host: Host, prefixes: list[str], refused: list[str]) -> _Told:
        """Return what is reported of a host, made anew if something of it has changed."""
        before = self._told.get(host.id)
        made_of = (prefixes, refused)
        if before and before.of is host and (before.prefixes, before.refused) == made_of:
            return before
        now = told_of(host, prefixes, refused)
        return _Told(host, prefixes, refused, now, len(now.model_dump_json().encode()) + 1)


def told_of(host: Host, prefixes: Sequence[str], refused: Sequence[str] = ()) -> NetworkHost:
    """Return what is reported of a host; its card was written by a stranger.

    Args:
        host: The host.
        prefixes: What leads to it.
        refused: What it has claimed and another host has.
    """
    room = networks.MAX_HOST_PREFIXES
    more_prefixes = max(0, len(prefixes) - room)
    more_refused = max(0, len(refused) - room)
    card = host.card
    if card is None:
        return NetworkHost(
            id=host.id,
            name=host.id,
            state=HostState.UNKNOWN,
            prefixes=[*prefixes[:room]],
            more_prefixes=more_prefixes,
            refused=[*refused[:room]],
            more_refused=more_refused,
            seen=_moment(host.renewed_ns),
        )
    adapters = card.adapters[: networks.MAX_HOST_ADAPTERS]
    more_adapters = card.more_adapters + len(card.adapters) - len(adapters)
    lost = {
        name.removeprefix(LOST): min(count, MAX_COUNT)
        for name, count in card.counts.items()
        if name.startswith(LOST) and count
    }
    offset = card.clock_offset_ns
    return NetworkHost(
        id=host.id,
        name=card.name,
        state=HostState.ATTACHED if card.attached else HostState.DETACHED,
        adapter=card.adapter,
        prefixes=[*prefixes[:room]],
        more_prefixes=more_prefixes,
        refused=[*refused[:room]],
        more_refused=more_refused,
        adapters=[_adapter(one) for one in adapters],
        more_adapters=min(more_adapters, MAX_COUNT),
        version=card.version,
        system=card.system,
        driver=card.driver,
        sent=min(card.counts.get("sent", 0), MAX_COUNT),
        delivered=min(card.counts.get("delivered", 0), MAX_COUNT),
        lost=dict(sorted(lost.items(), key=lambda one: -one[1])[: networks.MAX_CAUSES]),
        counts={name: min(count, MAX_COUNT) for name, count in noted_in(card.counts).items()},
        clock_offset_ms=None if offset is None else _bounded(-offset / 1e6),
        since=_moment(card.epoch) if card.epoch else None,
        seen=_moment(host.renewed_ns),
    )


def _adapter(adapter: CardAdapter) -> HostAdapter:
    addresses = adapter.addresses[: networks.MAX_HOST_ADDRESSES]
    more = adapter.more_addresses + len(adapter.addresses) - len(addresses)
    return HostAdapter(
        name=adapter.name,
        state=adapter.state,
        addresses=addresses,
        more_addresses=min(more, MAX_COUNT),
        received=min(adapter.received, MAX_COUNT),
        injected=min(adapter.injected, MAX_COUNT),
    )


def _bounded(offset: float) -> float:
    return max(-networks.MAX_OFFSET, min(networks.MAX_OFFSET, offset))


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(min(ns, LATEST) // 10**9, UTC)
