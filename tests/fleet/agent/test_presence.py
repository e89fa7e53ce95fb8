"""A host among the others: its card, its life, and what it claims."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.client.streams import run
from tests.fleet.joined import QUICK, Joined
from tests.fleet.running import A, eventually, prepared
from tests.fleet.sites import Site
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.problems import KeyInUse


def test_one_key_serves_one_agent(sites: tuple[Site, Site], tmp_path: Path) -> None:
    """An agent ends when another one joins with its key, and deletes nothing of that one."""

    async def work() -> None:
        server = prepared()
        one, _ = sites
        copy = Site(tmp_path / "copy", A)
        try:
            async with Joined(one, server) as first, Joined(copy, server) as second:
                with pytest.raises(KeyInUse):
                    await first.task
                await eventually(lambda: second.routes() == 1)
        finally:
            copy.stop()

    run(work())


def test_claims_follow_the_addresses_of_the_adapter(sites: tuple[Site, Site]) -> None:
    """An address that is set while the agent runs is claimed, and the old one is not any more."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: second.routes() == 2)
            await first.client.update_adapter(one.adapter["guid"], addresses=["10.7.0.99/24"])
            await eventually(
                lambda: (
                    second.agent.claims.routes.find(bytes((10, 7, 0, 99))) == A
                    and second.agent.claims.routes.find(bytes((10, 7, 0, 1))) is None
                )
            )

    run(work())


def test_prefixes_behind_an_adapter_are_claimed(sites: tuple[Site, Site]) -> None:
    """A network behind a host leads to it."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        behind = (ip_network("192.168.5.0/24"),)
        async with Joined(one, server, prefixes=behind), Joined(other, server) as second:
            await eventually(lambda: second.routes() == 3)
            assert second.agent.claims.routes.find(bytes((192, 168, 5, 9))) == A

    run(work())


def test_a_card_says_how_many_prefixes_it_leaves_out(sites: tuple[Site, Site]) -> None:
    """Of a host with many networks behind it, all are in the number."""

    async def work() -> None:
        behind = tuple(ip_network("192.168.0.0/16").subnets(new_prefix=25))[:300]
        one, _ = sites
        async with Joined(one, prepared(), prefixes=behind) as first:
            await eventually(lambda: A in first.agent.inventory.hosts)
            card = first.agent.inventory.hosts[A].card
            assert card is not None
            assert (len(card.prefixes), card.more_prefixes) == (256, 45)

    run(work())


def test_a_host_whose_card_came_too_late_lives_again(sites: tuple[Site, Site]) -> None:
    """It was away itself, and its own clock says that it came back in time; the others go on."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            lives = second.agent.inventory.epochs
            first.bus.lose()
            server.offset_ns += round(1.5 * QUICK.lifetime * 10**9)
            first.bus.regain()
            await eventually(lambda: second.kinds(EventKind.HOST_DIED))
            await eventually(lambda: lives[A] < second.agent.inventory.epochs.get(A, 0))
            await eventually(lambda: first.routes() == second.routes() == 2)

    run(work())
