"""Another agent at the same adapter: both would take each packet, and answer for the other's hosts.

Agents report to the service that they are there (`reporting`). So an agent finds the others at its
adapter, whatever their network, their key and their user are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wintun_api.client.problems import ClientError
from wintun_api.fleet.problems import AdapterInUse

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient

WORD: Final = 128  # characters of an adapter's name that a report has


@dataclass(frozen=True, slots=True)
class Rival:
    """Another agent.

    Attributes:
        network: The network that it has joined.
        host: The id of its host.
    """

    network: str
    host: str


class Rivals:
    """Look for other agents at the adapter of this one. Event loop thread only."""

    def __init__(
        self, client: AsyncClient, host: str, *, period: float, on_rival: Callable[[Rival], None]
    ) -> None:
        """Take where it looks.

        Args:
            client: Reaches the service.
            host: The id of this host.
            period: Seconds between two looks.
            on_rival: Called when there is another agent that was not there before.
        """
        self._client = client
        self._host = host
        self._period = period
        self._on_rival = on_rival

    async def check(self, adapter: str) -> None:
        """See that there is no other agent.

        Raises:
            AdapterInUse: There is one.
        """
        rival = await self._look(adapter)
        if rival is not None:
            raise AdapterInUse(
                f"Another agent has joined the network {rival.network} with the adapter {adapter} "
                f"({rival.host}). An adapter joins one network, with one agent.",
                hint="Create another adapter for this agent, or end the other one first. If that "
                "one was killed, try again in 30 seconds.",
            )

    async def keep(self, adapter: Callable[[], str]) -> None:
        """Report one that has begun at the same moment, or does not look, until cancelled."""
        told: Rival | None = None
        while True:
            await asyncio.sleep(self._period)
            rival = await self._look(adapter())
            if rival is not None and rival != told:
                self._on_rival(rival)
            told = rival

    async def _look(self, adapter: str) -> Rival | None:
        try:
            networks = await self._client.list_networks()
        except ClientError:  # it is away, or of a version without networks
            return None
        for network in networks:
            adapters = [one.adapter for one in network.hosts if one.id == network.host]
            if network.host != self._host and adapter[:WORD] in adapters:
                return Rival(network.name, network.host)
        return None
