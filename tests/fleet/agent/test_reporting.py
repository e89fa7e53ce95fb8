"""What an agent reports to its service about the network."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.client.streams import run
from tests.fleet.joined import Joined
from tests.fleet.listing import listed
from tests.fleet.running import LAB, A, B, eventually, prepared, put_card
from tests.fleet.sites import Site
from tests.running import TOKEN, RunningService
from wintun_api.client import AsyncClient
from wintun_api.client.call import Call
from wintun_api.fleet.agent.reporting import Reporting, told_of
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.card import Card, CardAdapter, card_of
from wintun_api.fleet.members.inventory import Host, Inventory
from wintun_api.fleet.members.ownership import Claim
from wintun_api.fleet.members.routes import Routes
from wintun_api.limits import MAX_INVENTORY
from wintun_api.schemas.networks import HostState, NetworkSet

SECOND = 10**9


class Recorded(AsyncClient):
    """A client that keeps what it is to report."""

    def __init__(self, url: str) -> None:
        super().__init__(url, token="t")
        self.reports: list[bytes] = []

    async def send(self, call: Call[Any], *, patient: bool = False) -> Any:
        """Keep the body of a request."""
        self.reports.append(call.payload()[0] or b"")


def test_what_is_told_of_a_host() -> None:
    """Names, counts and times of its card, and what leads to it, whatever it has claimed itself."""
    card = Card(
        name="hub",
        adapter="Lab",
        prefixes=["10.0.0.0/8"],
        adapters=[CardAdapter(name="Lab", guid="g", state="up", received=5)],
        attached=True,
        epoch=2 * SECOND,
        clock_offset_ns=-1_500_000,
        counts={
            "sent": 7,
            "delivered": 6,
            "taken": 9,
            "lost_bus": 1,
            "lost_ring": 2,
            "link_local": 8,
            "unanswered": 4,
            "unreadable": 0,
            "whatever": 1,
        },
    )
    told = told_of(Host(A, card, 3 * SECOND), ["10.7.0.1/32"])
    assert (told.id, told.name, told.state) == (A, "hub", HostState.ATTACHED)
    assert told.prefixes == ["10.7.0.1/32"]
    assert (told.sent, told.delivered, told.lost) == (7, 6, {"ring": 2, "bus": 1})
    assert told.counts == {"link_local": 8, "unanswered": 4}
    assert told.clock_offset_ms == 1.5  # it is ahead of the server
    assert told.since is not None
    assert told.seen is not None
    assert (told.since.timestamp(), told.seen.timestamp()) == (2, 3)
    assert told.adapters[0].received == 5


def test_what_does_not_fit_is_counted() -> None:
    """The first adapters, addresses and prefixes are told, and how many there are beyond."""
    adapters = [CardAdapter(name=f"A{number}", guid="", state="up") for number in range(20)]
    addresses = [f"10.7.0.{number}/24" for number in range(20)]
    adapters[0] = adapters[0].model_copy(update={"addresses": addresses, "more_addresses": 5})
    card = Card(name="hub", adapters=adapters, more_adapters=3)
    told = told_of(Host(A, card, SECOND), [f"10.7.0.{number}/32" for number in range(40)])
    assert (len(told.adapters), told.more_adapters) == (16, 3 + 4)
    assert (len(told.adapters[0].addresses), told.adapters[0].more_addresses) == (16, 5 + 4)
    assert (len(told.prefixes), told.more_prefixes) == (32, 8)
    unread = told_of(Host(A, None, SECOND), ["::/0"] * 33, ["::1/128"] * 35)
    assert (len(unread.prefixes), unread.more_prefixes) == (32, 1)
    assert (len(unread.refused), unread.more_refused) == (32, 3)


def test_a_card_that_cannot_be_read() -> None:
    """The host is there, and nothing is known of it."""
    told = told_of(Host(A, None, SECOND), [])
    assert (told.name, told.state, told.since) == (A, HostState.UNKNOWN, None)


numbers = st.integers(0, 2**64 - 1)
words = st.text(max_size=128)
causes = st.text(max_size=100).map("lost_".__add__)


@given(
    st.builds(
        Card,
        name=words,
        adapters=st.lists(
            st.builds(
                CardAdapter,
                name=words,
                guid=words,
                state=words,
                addresses=st.lists(words, max_size=64),
                more_addresses=numbers,
                received=numbers,
                injected=numbers,
            ),
            max_size=3,
        ),
        more_adapters=numbers,
        epoch=numbers,
        clock_offset_ns=st.none() | st.integers(-(2**70), 2**70),
        counts=st.dictionaries(causes, numbers, max_size=20),
    )
)
def test_whatever_a_stranger_writes(card: Card) -> None:
    """Every card that is read can be reported."""
    assert told_of(Host(A, card, SECOND), ["::/0"] * 100).id == A


def test_reports_are_bounded() -> None:
    """Of more hosts than fit the report has the first ones, and says how many are missing."""

    async def work() -> None:
        bus = prepared().connect(A)
        inventory = Inventory(bus, LAB, Clock(bus), lambda *_: None)
        long = CardAdapter(name="n" * 128, guid="", state="s" * 128, addresses=["a" * 128] * 16)
        card = Card(name="x" * 128, adapters=[long] * 3)
        assert card_of(card.encoded()) == card
        for number in range(400):
            host = f"host{number}"
            inventory.hosts[host] = Host(host, card, SECOND)
        inventory.hosts[A] = Host(A, None, SECOND)
        client = Recorded("http://127.0.0.1:9")
        reporting = Reporting(
            client, bus, LAB, inventory, routes=Routes, refused=dict, host=A, period=0.02
        )
        keeping = asyncio.ensure_future(reporting.keep())
        await eventually(lambda: client.reports)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        body = NetworkSet.model_validate_json(client.reports[0])
        assert len(client.reports[0]) <= MAX_INVENTORY
        assert body.hosts[0].id == A
        assert len(body.hosts) + body.more_hosts == 401
        assert len(body.hosts) < 256
        await client.aclose()
        await bus.aclose()

    run(work())


def test_a_service_that_takes_no_reports() -> None:
    """It is asked again later, and nothing else ends."""

    async def work() -> None:
        bus = prepared().connect(A)
        inventory = Inventory(bus, LAB, Clock(bus), lambda *_: None)
        async with AsyncClient("http://127.0.0.1:9", token="t") as client:
            reporting = Reporting(
                client, bus, LAB, inventory, routes=Routes, refused=dict, host=A, period=0.02
            )
            keeping = asyncio.ensure_future(reporting.keep())
            await eventually(lambda: reporting.failed > 1)
            assert not keeping.done()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await bus.aclose()

    run(work())


def test_reports_reach_the_service(service: RunningService) -> None:
    """The service lists the hosts that live, what leads to them, and what they claim in vain."""

    async def work() -> None:
        server = prepared()
        bus, other = server.connect(A), server.connect(B)
        inventory = Inventory(bus, LAB, Clock(bus), lambda *_: None)
        routes = Routes({ip_network("10.7.0.2/32"): B})
        async with AsyncClient(service.url, token=TOKEN) as client:
            await put_card(bus, "hub")
            await inventory.start()
            await eventually(lambda: A in inventory.hosts)
            refused: list[Claim] = []
            reporting = Reporting(
                client,
                bus,
                LAB,
                inventory,
                routes=lambda: routes,
                refused=lambda: refused,
                host=A,
                period=0.02,
            )
            keeping = asyncio.ensure_future(reporting.keep())
            network = await listed(client, lambda one: len(one.hosts) == 1)
            assert (network.name, network.host, network.connected) == ("lab", A, True)
            await put_card(other, "a rig")
            reporting.changed()
            network = await listed(client, lambda one: len(one.hosts) == 2)
            assert [one.name for one in network.hosts] == ["hub", "a rig"]  # its own host first
            assert network.hosts[1].prefixes == ["10.7.0.2/32"]
            refused.append(Claim(B, ip_network("10.7.0.1/32"), 2, 0))
            network = await listed(client, lambda one: one.hosts[1].refused != [])
            assert network.hosts[1].refused == ["10.7.0.1/32"]
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await inventory.aclose()
        await bus.aclose()
        await other.aclose()

    run(work())


def test_an_agent_reports_what_it_was_refused(sites: tuple[Site, Site]) -> None:
    """The service of a host has what its agent claims and another host has claimed before."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        taken = ip_network(one.address)
        async with Joined(one, server), Joined(other, server, prefixes=(taken,)) as second:
            network = await listed(
                second.client, lambda one: any(host.refused for host in one.hosts)
            )
            assert {host.id: host.refused for host in network.hosts if host.refused} == {
                B: ["10.7.0.1/32"]
            }

    run(work())
