"""The networks that a service lists, as agents have reported them."""

from __future__ import annotations

from collections.abc import Callable

from wintun_api.client import AsyncClient
from wintun_api.schemas.networks import Network


async def listed(client: AsyncClient, wanted: Callable[[Network], bool]) -> Network:
    """Return the network that the service lists, when it is as wanted."""
    while True:
        for network in await client.list_networks():
            if wanted(network):
                return network
