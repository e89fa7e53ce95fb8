"""Claim one's own prefixes, and watch those of all hosts.

A claim is written once and kept alive by the card of its host, which names the same epoch. Which of
several claims holds is computed, by every host alike (`ownership`): one that is refused stays where
it is, and holds as soon as the owner is gone.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_interface, ip_network
from operator import attrgetter
from typing import Final

from wintun_api.client.backoff import Backoff
from wintun_api.fleet.bus.seam import Bucket, Bus, Entry, Watch
from wintun_api.fleet.documents import Document, Number, Word, document_of
from wintun_api.fleet.members.inventory import Inventory
from wintun_api.fleet.members.ownership import Claim, ownership
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.network import MAX_VALUE, Network, Prefix, claim_key, claim_of
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyTaken

MAX_CLAIMS: Final = 65_536  # that are watched
MAX_OF_HOST: Final = 256  # that count; all hosts ignore the others
PAUSE: Final = 0.05  # seconds between the beginnings of two computations of the routes
SHARE: Final = 0.1  # of the time may be spent with them: with many claims, they are further apart
RETRY: Final = Backoff(first=0.5, last=8.0)


class About(Document):
    """What a claim says of itself.

    Attributes:
        adapter: The name of the adapter behind which the prefix is.
        guid: The GUID of the adapter.
        epoch: The life of the host in which it was made; see `Card.epoch`.
    """

    adapter: Word
    guid: Word
    epoch: Number = 0


class Standing(StrEnum):
    """Name what has become of one's own claim."""

    HELD = "held"
    REFUSED = "refused"
    TAKEN_OVER = "taken_over"  # it was refused, and the owner is gone
    WITHDRAWN = "withdrawn"
    DENIED = "denied"  # the server does not let this host claim it
    SURPLUS = "surplus"  # this host has as many older claims as count


@dataclass(frozen=True, slots=True)
class Verdict:
    """What has become of one's own claim to a prefix.

    Attributes:
        standing: What.
        prefix: The prefix.
        rival: The claim that stands against it, or stood until now; None if there is none.
    """

    standing: Standing
    prefix: Prefix
    rival: Claim | None = None


OnVerdict = Callable[[Verdict], None]
OnRoutes = Callable[[Routes], None]


def of_addresses(addresses: Iterable[str]) -> list[Prefix]:
    """Return what an adapter with these addresses claims: each address, but no link-local one.

    Args:
        addresses: The addresses of the adapter, each with its prefix length.
    """
    hosts = [ip_interface(one).ip for one in addresses]
    return [ip_network(one) for one in hosts if not (one.is_link_local or one.is_loopback)]


def about_of(value: bytes) -> About | None:
    """Return what a claim says of itself; None if that cannot be read."""
    return document_of(About, value, MAX_VALUE)


class Claims:
    """The claims to prefixes of a network. Event loop thread only.

    Attributes:
        routes: The table that follows from them.
        refused: The claims of hosts that live and that do not hold, each with the claim that stands
            against it.
        ignored: How many keys were not taken: they do not name a claim, or are too many.
        surplus: How many claims do not count now, because their host has as many older ones as do.
    """

    def __init__(
        self,
        bus: Bus,
        network: Network,
        host: str,
        inventory: Inventory,
        *,
        on_verdict: OnVerdict,
        on_routes: OnRoutes,
    ) -> None:
        """Name what is claimed and watched; nothing is until `start`.

        Args:
            bus: The connection.
            network: The network.
            host: This host.
            inventory: The hosts that live.
            on_verdict: Called when it changes what has become of a claim of this host.
            on_routes: Called with each table that follows.
        """
        self.routes = Routes()
        self.refused: Mapping[Claim, Claim] = {}
        self.ignored = 0
        self.surplus = 0
        self._bus = bus
        self._network = network
        self._host = host
        self._inventory = inventory
        self._on_verdict = on_verdict
        self._on_routes = on_routes
        self._known: dict[str, Claim] = {}
        self._abouts: dict[str, About] = {}  # of one's own claims
        self._wanted: tuple[Prefix, ...] = ()
        self._about = About(adapter="", guid="")
        self._due = asyncio.Event()
        self._back = asyncio.Event()
        self._verdicts: dict[Prefix, Verdict] = {}
        self._bucket: Bucket | None = None
        self._watch: Watch | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._computed_at = 0.0
        self._pause = PAUSE
        self._live: dict[str, int] = {}  # the hosts that the routes were computed with

    async def start(self) -> None:
        """Take the claims that are there, then every change.

        Raises:
            BusUnavailable: The network was not prepared on this server.
        """
        self._bucket = await self._bus.bucket(self._network.routes)
        self._watch = await self._bucket.watch(self._take)
        await self._watch.caught_up()
        self._compute()

    async def aclose(self) -> None:
        """Take no more changes. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            await self._watch.aclose()

    def host_changed(self, host: str) -> None:
        """Compute the routes again if a host lives now, lives no more, or lives another life.

        It is called for every card that comes, so its cost does not grow with the hosts.
        """
        if self._live.get(host) != self._inventory.epoch_of(host):
            self._compute_soon()

    def _compute_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is None and self._watch is not None:
            due = max(loop.time(), self._computed_at + self._pause)
            self._timer = loop.call_at(due, self._compute)

    # One's own

    def want(self, prefixes: Sequence[Prefix], about: About) -> None:
        """Claim exactly these from now on; `keep` does it.

        Claims that are there stay as they are, with their rank, if they say the same.
        """
        for prefix in self._wanted:
            if prefix not in prefixes:
                self._verdicts.pop(prefix, None)
                self._on_verdict(Verdict(Standing.WITHDRAWN, prefix))
        self._wanted = tuple(dict.fromkeys(prefixes))
        self._about = about
        self._due.set()

    async def keep(self) -> None:
        """Claim what is wanted, whenever that changes or a claim is missing, until cancelled."""
        delays = RETRY.delays()
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._write()
                delays = RETRY.delays()
            except BusUnavailable:
                self._due.set()
                self._back.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(next(delays) * random.uniform(0.5, 1)):  # noqa: S311 - no secret
                        await self._back.wait()

    def returned(self) -> None:
        """Claim at once what could not be claimed: there is a connection again."""
        self._back.set()

    async def forget(self) -> None:
        """Delete claims of this host that an earlier agent has left.

        Raises:
            BusUnavailable: The server does not answer.
            BusDenied: This host may not delete them.
        """
        assert self._bucket is not None
        for key, claim in list(self._known.items()):
            if claim.host == self._host:
                await self._bucket.delete(key)
                self._drop(key)  # routes may be computed before the bucket tells it

    async def release(self) -> None:
        """No longer claim anything, and delete one's own claims.

        Raises:
            BusUnavailable: The server does not answer.
            BusDenied: This host may not delete them.
        """
        self._wanted = ()
        await self.forget()

    async def _write(self) -> None:
        assert self._bucket is not None
        value = self._about.model_dump_json().encode()
        wanted = {claim_key(self._host, prefix): prefix for prefix in self._wanted}
        for key, claim in list(self._known.items()):
            if claim.host == self._host and key not in wanted:
                await self._bucket.delete(key)
        for key, prefix in wanted.items():
            if self._abouts.get(key) == self._about:
                continue
            try:
                await self._create(key, value)
            except BusDenied:
                self._say(Verdict(Standing.DENIED, prefix))

    async def _create(self, key: str, value: bytes) -> None:
        assert self._bucket is not None
        if key in self._abouts:
            await self._bucket.delete(key)
        try:
            await self._bucket.create(key, value)
        except KeyTaken:  # an earlier agent has left it, and it was not told yet or is unreadable
            await self._bucket.delete(key)
            await self._bucket.create(key, value)

    # All

    def _take(self, entry: Entry) -> None:
        found = claim_of(entry.key)
        about = None if entry.value is None else about_of(entry.value)
        if entry.value is None:
            self._drop(entry.key)
        elif found is None or about is None or self._full(entry.key):
            self.ignored += 1
            self._drop(entry.key)
            return
        else:
            self._known[entry.key] = Claim(*found, entry.revision, about.epoch)
            if found[0] == self._host:
                self._abouts[entry.key] = about
        self._compute_soon()

    def _full(self, key: str) -> bool:
        return len(self._known) >= MAX_CLAIMS and key not in self._known

    def _drop(self, key: str) -> None:
        gone = self._known.pop(key, None)
        self._abouts.pop(key, None)
        if gone is not None and gone.host == self._host and gone.prefix in self._wanted:
            self._due.set()

    def _compute(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        self._computed_at = loop.time()
        live = self._live = self._inventory.epochs
        counted, beyond = self._counted(live)
        found = ownership(counted, live)
        self.surplus = len(beyond)
        self.refused = found.refused
        if found.owners != self.routes.owners:
            self.routes = Routes(found.owners)
            self._on_routes(self.routes)
        for key in self._abouts:
            claim = self._known[key]
            if claim.prefix in self._wanted and live.get(claim.host) == claim.epoch:
                self._judge(claim, found.refused.get(claim), counts=claim not in beyond)
        self._pause = max(PAUSE, (loop.time() - self._computed_at) / SHARE)

    def _counted(self, live: Mapping[str, int]) -> tuple[list[Claim], set[Claim]]:
        """Return the claims of hosts that live which count, the oldest of each, and the others."""
        of_host: dict[str, list[Claim]] = {}
        for claim in self._known.values():
            if live.get(claim.host) == claim.epoch:
                of_host.setdefault(claim.host, []).append(claim)
        counted: list[Claim] = []
        beyond: set[Claim] = set()
        for claims in of_host.values():
            if len(claims) > MAX_OF_HOST:
                claims.sort(key=attrgetter("revision"))
                beyond.update(claims[MAX_OF_HOST:])
            counted += claims[:MAX_OF_HOST]
        return counted, beyond

    def _judge(self, claim: Claim, rival: Claim | None, *, counts: bool) -> None:
        prefix = claim.prefix
        before = self._verdicts.get(prefix)
        if not counts:
            self._say(Verdict(Standing.SURPLUS, prefix))
        elif rival is not None:
            self._say(Verdict(Standing.REFUSED, prefix, rival))
        elif before is not None and before.standing is Standing.REFUSED:
            self._say(Verdict(Standing.TAKEN_OVER, prefix, before.rival))
        elif before is None or before.standing in (Standing.DENIED, Standing.SURPLUS):
            self._say(Verdict(Standing.HELD, prefix))

    def _say(self, verdict: Verdict) -> None:
        before = self._verdicts.get(verdict.prefix)
        self._verdicts[verdict.prefix] = verdict
        same = before is not None and before.standing is verdict.standing
        if not same or (before and verdict.rival and before.rival != verdict.rival):
            self._on_verdict(verdict)
