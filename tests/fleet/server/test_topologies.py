"""A network on several servers: what a cluster and a leaf node do for agents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import pytest

from tests.client.streams import run
from tests.fleet.joined import Joined, settled
from tests.fleet.running import A, B
from tests.fleet.server.servers import BOUNDS
from tests.fleet.server.topologies import Node, cluster, leaf, line_of, network_of
from tests.fleet.sites import Site, unanswered
from tests.waiting import eventually, pass_by
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.bus.seam import Change
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.problems import BusUnavailable, NobodyAnswers, ServerFailed
from wintun_api.fleet.server import administration
from wintun_api.fleet.server.plan import PlannedNetwork

pytestmark = pytest.mark.heavy


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Two services; each is called as its key says when it joins."""
    both = Site(tmp_path / "a", A), Site(tmp_path / "b", B)
    yield both
    for one in both:
        one.stop()


class Connected(Joined):
    """An agent with a connection to real servers."""

    site: Site

    def __init__(self, site: Site, line: KeyLine, **options: Any) -> None:
        site.host = line.identity.host
        self.line = line
        self.server = ""  # to which it is connected, or was last
        super().__init__(site, self, **options)  # type: ignore[arg-type]

    def connect(self, host: str) -> Any:
        """Return no bus yet: there is one when it joins."""
        return None

    async def __aenter__(self) -> Self:
        """Connect, and join."""
        self.bus = await NatsBus.connect(self.line, notice=self._noticed)  # type: ignore[assignment]
        await super().__aenter__()
        return self

    def _noticed(self, change: Change, text: str) -> None:
        if change is Change.CONNECTED:
            self.server = text


async def prepare(node: Node, network: PlannedNetwork) -> None:
    """Make the buckets and the stream, as soon as the servers have found each other."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ServerFailed, BusUnavailable, NobodyAnswers):
                await administration.prepare_at(node.url, network, BOUNDS)
                return
            await pass_by(0.2)


async def exchanged(first: Connected, second: Connected, count: int) -> None:
    """Send packets both ways, and wait until it is known what became of all."""
    before = [one.ledger.accounts().taken.taken for one in (first, second)]
    for one, other in ((first.site, second.site), (second.site, first.site)):
        for _ in range(count):
            assert one.send(unanswered(one, other, 64))
    await eventually(
        lambda: (
            [one.ledger.accounts().taken.taken for one in (first, second)]
            == [known + count for known in before]
        )
    )
    await eventually(lambda: settled(first, second, 0) and settled(second, first, 0))


async def exchanged_whole(first: Connected, second: Connected, count: int) -> None:
    """Exchange packets until all of them arrive: servers need a while to know who is where now."""
    async with asyncio.timeout(60):
        wanted: list[int] = []
        while [delivered(one) for one in (first, second)] != wanted:
            wanted = [delivered(one) + count for one in (first, second)]
            await exchanged(first, second, count)


def delivered(one: Connected) -> int:
    """Return how many packets of the other host were injected here."""
    return sum(arrived.delivered for arrived in one.ledger.accounts().arrived)


def test_hosts_move_to_another_server_of_a_cluster(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    """One of three servers is killed, whatever it kept: all goes on, and the accounts are exact."""
    keys = Identity.make(), Identity.make()
    network = network_of(*keys)
    (tmp_path / "nodes").mkdir()

    async def work(nodes: list[Node]) -> None:
        await prepare(nodes[0], network)
        async with AsyncExitStack() as stack:
            first, second = [
                await stack.enter_async_context(Connected(site, line_of(key, *nodes)))
                for site, key in zip(sites, keys, strict=True)
            ]
            await eventually(lambda: first.routes() == second.routes() == 2)
            await exchanged(first, second, 50)
            assert delivered(first) == delivered(second) == 50
            (lost,) = [one for one in nodes if one.url == first.server]
            lost.kill()
            for _ in range(50):
                sites[0].send(unanswered(*sites, 64))
            await eventually(lambda: first.kinds(EventKind.BUS_CONNECTED))
            assert first.server != lost.url
            await eventually(lambda: first.routes() == second.routes() == 2)
            await exchanged_whole(first, second, 50)
            accounts = [one.ledger.accounts() for one in (first, second)]
            for mine, theirs in (accounts, accounts[::-1]):
                assert mine.taken.waiting == 0
                for sent, arrived in zip(mine.sent, theirs.arrived, strict=True):
                    assert sent.sent == sent.delivered + sum(sent.causes.values())
                    assert (sent.sent, sent.delivered) == (arrived.sent, arrived.delivered)

    with cluster(tmp_path / "nodes", network, 3) as nodes:
        run(work(nodes))


def test_a_site_has_a_server_of_its_own(sites: tuple[Site, Site], tmp_path: Path) -> None:
    """A host behind a leaf node, whose key may what its hosts may, joins as any other."""
    keys = Identity.make(), Identity.make()
    network = network_of(*keys)
    (tmp_path / "nodes").mkdir()

    async def work(hub: Node, far: Node) -> None:
        await prepare(hub, network)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(Connected(sites[0], line_of(keys[0], hub)))
            second = await stack.enter_async_context(Connected(sites[1], line_of(keys[1], far)))
            await eventually(lambda: first.routes() == second.routes() == 2)
            await exchanged(first, second, 50)
            assert delivered(first) == delivered(second) == 50

    with leaf(tmp_path / "nodes", network, keys[1:]) as (hub, far):
        run(work(hub, far))
