"""Two agents at one adapter: the second one does not join, or both say that it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.client.streams import run
from tests.fleet.joined import Joined
from tests.fleet.listing import listed
from tests.fleet.running import C, eventually, prepared
from tests.fleet.sites import Site
from tests.running import TOKEN, RunningService
from wintun_api.client import AsyncClient
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.problems import AdapterInUse
from wintun_api.schemas.networks import HostState, NetworkHost


@dataclass
class SameService:
    """Another host, with another key, at a service that has an agent."""

    service: RunningService
    path: Path
    host: str = C


def reported(adapter: str, host: str = C) -> NetworkHost:
    """Return what an agent reports of its own host."""
    return NetworkHost(id=host, name="other", state=HostState.ATTACHED, adapter=adapter)


def test_another_key_in_the_same_network_is_refused(sites: tuple[Site, Site]) -> None:
    """Until the first agent has ended; nothing of the second one reaches the network."""

    async def work() -> None:
        server, (site, _) = prepared(), sites
        other = SameService(site.service, site.path)
        async with (
            AsyncClient(site.service.url, token=TOKEN) as client,
            Joined(site, server) as first,
        ):
            await listed(client, lambda one: any(each.adapter == "Lab" for each in one.hosts))
            with pytest.raises(AdapterInUse, match="An adapter joins one network") as caught:
                async with Joined(other, server):
                    pass
            assert site.host in caught.value.detail
            assert list(first.agent.inventory.hosts) == [site.host]
        async with Joined(other, server):
            pass

    run(work())


def test_another_network_is_refused(sites: tuple[Site, Site]) -> None:
    """The report of its agent tells the adapter; one with another adapter is no rival."""

    async def work() -> None:
        server, (site, _) = prepared(), sites
        async with AsyncClient(site.service.url, token=TOKEN) as client:
            await client.set_network("other", host=C, hosts=[reported("Home")])
            async with Joined(site, server):
                pass
            await client.set_network("other", host=C, hosts=[reported("Lab")])
            with pytest.raises(AdapterInUse, match="joined the network other with the adapter Lab"):
                async with Joined(site, server):
                    pass

    run(work())


def test_an_agent_that_is_started_again_joins_at_once(sites: tuple[Site, Site]) -> None:
    """What it has reported itself before it was killed does not stand against it."""

    async def work() -> None:
        server, (site, _) = prepared(), sites
        async with AsyncClient(site.service.url, token=TOKEN) as client:
            async with Joined(site, server) as first:
                await listed(client, lambda one: any(each.adapter == "Lab" for each in one.hosts))
                await first.kill()
            async with Joined(site, server):
                pass

    run(work())


def test_one_that_joins_all_the_same_is_told_once(sites: tuple[Site, Site]) -> None:
    """Two that start at the same moment do not see each other before they have joined."""

    async def work() -> None:
        server, (site, _) = prepared(), sites
        async with (
            AsyncClient(site.service.url, token=TOKEN) as client,
            Joined(site, server) as first,
        ):
            await client.set_network("other", host=C, hosts=[reported("Lab")])
            await eventually(lambda: first.kinds(EventKind.SERVICE_SHARED))
            await listed(client, lambda one: one.host == site.host)
            (told,) = first.kinds(EventKind.SERVICE_SHARED)
            assert told.data == {"adapter": "Lab", "network": "other", "host": C}

    run(work())
