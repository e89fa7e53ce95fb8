"""The packets of one adapter, between its service and the bus, in both directions.

This room has those who do it, and gives them what they decide by: the routes of the network, and
the broadcast addresses of the adapter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Interface, ip_interface
from typing import TYPE_CHECKING, Final

from wintun_api.fleet.agent.order import Order
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.captures.capturing import Capturing
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.arriving import Arriving
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.fleet.packets.leaving import Leaving
from wintun_api.fleet.packets.unreachable import Unreachable
from wintun_api.fleet.race import cause_of

if TYPE_CHECKING:
    from wintun_api.client import AsyncPacketStream
    from wintun_api.fleet.packets.ledger import Ledger

LAST_PACKETS: Final = 3.0  # seconds that a capture has to end after its stream


class Exchange:
    """Exchange packets. Event loop thread only.

    Attributes:
        arriving: From the bus to the service.
        leaving: From the service to the bus.
        unreachable: What the host is told when no host has an address.
    """

    def __init__(
        self, bus: Bus, host: str, order: Order, ledger: Ledger, capturing: Capturing | None
    ) -> None:
        """Take what it works with; `run` does the work.

        Args:
            bus: The connection.
            host: This host.
            order: What is joined with what.
            ledger: Counts.
            capturing: Captures the packets for the network; None if nothing does.
        """
        network = order.network
        grouping = Grouping(Routes(), host)
        self.arriving = Arriving(network, host, ledger, grouping)
        self.leaving = Leaving(
            bus, network, host, ledger, grouping, limit=order.bus_bytes, policy=order.policy
        )
        self.leaving.on_unroutable = self._answer
        self.unreachable = Unreachable()
        self._host = host
        self._capturing = capturing
        self._broadcasts: tuple[bytes, ...] = ()

    def addressed(self, addresses: Iterable[str], routes: Routes) -> None:
        """Take the addresses of the adapter, each with its prefix length."""
        subnets = [ip_interface(one) for one in addresses]
        self._broadcasts = tuple(
            one.network.broadcast_address.packed
            for one in subnets
            if isinstance(one, IPv4Interface) and one.network.prefixlen < 31
        )
        self.routed(routes)

    def routed(self, routes: Routes) -> None:
        """Take the routes of the network."""
        grouping = Grouping(routes, self._host, self._broadcasts)
        self.leaving.grouping = grouping
        self.arriving.grouping = grouping
        if self._host not in routes.owners.values():
            # As when its claims lapse without a connection: what waits would be refused there.
            self.leaving.clear(Cause.BAD_SOURCE)

    async def run(self, stream: AsyncPacketStream) -> None:
        """Exchange packets with the service until its stream ends.

        Raises:
            ClientError: It has ended before its session has.
        """
        try:
            async with asyncio.TaskGroup() as group:
                injecting = group.create_task(self.arriving.inject(stream))
                capturing = self._capturing and group.create_task(
                    self._capturing.run(stream.hello.session)
                )
                await self.leaving.read(stream)
                injecting.cancel()
                if capturing:
                    await asyncio.wait((capturing,), timeout=LAST_PACKETS)
                    capturing.cancel()
        except BaseExceptionGroup as failed:
            raise cause_of(failed) from None

    def end(self) -> None:
        """Give a cause to what has not left yet, and to what was not injected or still comes."""
        self.leaving.clear()
        self.arriving.reachable = False
        self.arriving.settle()

    def _answer(self, packets: Sequence[bytes]) -> None:
        answers = self.unreachable.answers(packets)
        if answers and not self.arriving.answer(answers):
            self.unreachable.lost(len(answers))
