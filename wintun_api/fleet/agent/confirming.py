"""Tell other hosts, once a second, what became of their packets, and what number comes next.

A host that has sent nothing is told nothing, and one that sends nothing tells no numbers.
"""

from __future__ import annotations

import asyncio

from wintun_api.fleet.agent.exchange import Exchange
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.inventory import Inventory
from wintun_api.fleet.network import Network


class Confirming:
    """Confirm the packets of others. Event loop thread only."""

    def __init__(
        self,
        bus: Bus,
        network: Network,
        host: str,
        exchange: Exchange,
        *,
        inventory: Inventory,
        clock: Clock,
        period: float,
    ) -> None:
        """Take what is told.

        Args:
            bus: The connection.
            network: The network.
            host: This host.
            exchange: Knows what became of packets, and which numbers are next.
            inventory: The hosts that live.
            clock: The server's time.
            period: Seconds between two rounds.
        """
        self._bus = bus
        self._network = network
        self._host = host
        self._exchange = exchange
        self._inventory = inventory
        self._clock = clock
        self._period = period

    async def keep(self) -> None:
        """Tell it until cancelled, as long as there is a connection."""
        while True:
            await asyncio.sleep(self._period)
            if self._bus.connected:
                await self.tell_senders()
                await self._exchange.leaving.tell_numbers(
                    self._inventory.hosts, self._clock.server_ns()
                )

    async def tell_senders(self) -> None:
        """Tell those that wait for it what became of their packets."""
        for sender, feedback in self._exchange.arriving.feedback():
            subject = self._network.feedback(sender, self._host)
            await self._bus.publish(subject, feedback.encoded())
