"""This host among the others: its card, the life that the card tells, and what it claims.

The card is renewed as long as the agent lives. If it was not renewed in time, this host was dead to
the others: it begins another life then, and claims everything anew, behind those who have taken
something over.
"""

from __future__ import annotations

import asyncio
import platform
import random
import secrets
from collections.abc import Callable
from contextlib import suppress

from wintun_api import __version__
from wintun_api.client.problems import ClientError
from wintun_api.fleet.agent.order import Order, Pace
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.card import MAX_PREFIXES, Card, CardAdapter
from wintun_api.fleet.members.claims import About, Claims, of_addresses
from wintun_api.fleet.members.inventory import Appearance, Host, Inventory
from wintun_api.fleet.network import Prefix
from wintun_api.fleet.packets.counts import for_card
from wintun_api.fleet.problems import BusUnavailable
from wintun_api.fleet.service.attachment import Attachment
from wintun_api.moments import NS_PER_SECOND


class Presence:
    """Say that this host is there, and what leads to it. Event loop thread only.

    Attributes:
        joined: Whether the host has had a card.
        displaced: Set when another agent has put a card with the key of this host.
    """

    def __init__(
        self,
        bus: Bus,
        host: str,
        order: Order,
        pace: Pace,
        *,
        clock: Clock,
        inventory: Inventory,
        claims: Claims,
        attachment: Attachment,
        counts: Callable[[], dict[str, int]],
    ) -> None:
        """Take what its card is made of; nothing is put until `begin`.

        Args:
            bus: The connection.
            host: This host.
            order: What is joined with what.
            pace: How often the card is renewed.
            clock: The server's time.
            inventory: The hosts that live.
            claims: The claims of all hosts.
            attachment: The adapter.
            counts: Returns what the agent has counted.
        """
        self.joined = False
        self.displaced = asyncio.Event()
        self._bus = bus
        self._host = host
        self._order = order
        self._pace = pace
        self._clock = clock
        self._inventory = inventory
        self._claims = claims
        self._attachment = attachment
        self._counts = counts
        self._run_id = secrets.token_hex(8)  # tells this agent from another one with the same key
        self._epoch = 0
        self._put_at = 0.0  # when the last card was put
        self._renewed_ns = 0  # when the server took the last one that came back
        self._due = asyncio.Event()
        self._ending = False

    async def begin(self) -> None:
        """Put the first card. The adapter was found, and the cards of others were read.

        Raises:
            BusUnavailable: The server does not answer.
            BusDenied: This host may not put it.
        """
        # One that was started again before its card has lapsed goes on with the same life.
        self._epoch = self._inventory.epochs.get(self._host) or self._clock.server_ns()
        await self._put()

    async def keep(self) -> None:
        """Renew the card until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._pace.renewal * random.uniform(0.8, 1)):  # noqa: S311
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            try:
                await self._put()
            except BusUnavailable:
                await asyncio.sleep(self._pace.renewal / 10)
                if self._bus.connected:
                    self._due.set()

    def renew(self) -> None:
        """Put the card soon: something in it has changed."""
        self._due.set()

    def claim(self) -> None:
        """Claim what belongs to the adapter now."""
        if self._epoch:
            adapter = self._attachment.adapter
            assert adapter is not None
            about = About(adapter=adapter.name[:128], guid=str(adapter.guid), epoch=self._epoch)
            self._claims.want(self._prefixes(), about)

    def seen(self, what: Appearance, host: Host) -> None:
        """Look at one's own card as others see it: it may have lapsed, or be another agent's."""
        ours = host.card is not None and host.card.run == self._run_id
        if what in (Appearance.DIED, Appearance.LEFT):
            if host.epoch == self._epoch:  # else another life has begun already
                self._begin_again()
        elif ours:
            # One that was away does not judge others, but knows of all cards of its own.
            before, self._renewed_ns = self._renewed_ns, host.renewed_ns
            lapsed = host.renewed_ns - before > self._pace.lifetime * NS_PER_SECOND
            if before and lapsed and host.epoch == self._epoch:
                self._begin_again()
        elif self.joined:
            self.displaced.set()

    def _begin_again(self) -> None:
        """Begin another life, as this one is over for the others."""
        if self._epoch and not self._ending:
            self._live_again()
            self._due.set()

    def end(self) -> None:
        """Note that the card may go now."""
        self._ending = True

    async def leave(self) -> None:
        """Delete the claims and the card.

        Raises:
            BusUnavailable: The server does not answer.
            BusDenied: This host may not delete them.
        """
        await self._claims.release()
        await (await self._bus.bucket(self._order.network.hosts)).delete(self._host)

    async def _put(self) -> None:
        """Put the card; begin another life if the last card was too long ago."""
        now = asyncio.get_running_loop().time()
        # Somewhat early, as the server's clock decides, and it may be ahead.
        if self.joined and now - self._put_at > 0.9 * self._pace.lifetime:
            self._live_again()
        card = await self._card()
        bucket = await self._bus.bucket(self._order.network.hosts)
        await bucket.put(self._host, card.encoded())
        self.joined, self._put_at = True, now

    def _live_again(self) -> None:
        """Claim everything anew, behind those that have taken it over."""
        self._epoch = max(self._clock.server_ns(), self._epoch + 1)
        self.claim()

    def _prefixes(self) -> tuple[Prefix, ...]:
        adapter = self._attachment.adapter
        assert adapter is not None
        return (*of_addresses(adapter.addresses), *self._order.prefixes)

    async def _card(self) -> Card:
        adapters: list[CardAdapter] = []
        more = 0
        # Without a service, or with one that hangs, the host lives on: it is looked for.
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(self._pace.renewal / 4):
                adapters, more = await self._attachment.card()
        adapter, reading = self._attachment.adapter, self._clock.reading
        claimed = self._prefixes()
        assert adapter is not None
        return Card(
            name=self._order.name[:128],
            version=__version__,
            system=f"{platform.system()} {platform.release()}"[:128],
            driver=self._attachment.driver[:128],
            adapter=adapter.name[:128],
            prefixes=[str(one) for one in claimed[:MAX_PREFIXES]],
            more_prefixes=max(0, len(claimed) - MAX_PREFIXES),
            adapters=adapters,
            more_adapters=more,
            attached=self._attachment.connected,
            epoch=self._epoch,
            run=self._run_id,
            clock_offset_ns=None if reading is None else reading.offset_ns,
            clock_error_ns=None if reading is None else reading.error_ns,
            counts=for_card(self._counts()),
        )
