"""An impaired session over each driver: what its host and its clients really get."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.hub.impairment.driven import EVERY_DRIVER, driven, ping, pings, pong_of
from tests.hub.impairment.plans import both, check_identity, plan
from tests.hub.running import Reader, soon
from tests.waiting import let_pass
from wintun_api.choices import Direction, EventType, OnChange, Tap
from wintun_api.drivers.base import Driver
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.lane import Lane
from wintun_api.hub.impairment.parameters import Parameters
from wintun_api.hub.impairment.waiting import Waiting
from wintun_api.packet.check import sift
from wintun_api.packet.checksum import checksum

DELAY = 30.0
PLENTY = 1_000_000


@pytest.fixture(params=EVERY_DRIVER)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Each driver that this machine has."""
    way: Callable[[], AbstractContextManager[Driver]] = request.param
    with way() as driver:
        yield driver


def test_both_directions_are_delayed(driver: Driver) -> None:
    """A ping takes the delays of both directions, and not less."""

    async def body() -> None:
        async with driven(driver) as one:
            one.session.impair(both(delay_ms=DELAY))
            reader = Reader(one.session)
            began = time.perf_counter()
            one.session.inject(sift(pings(20)))
            answers = list(map(pong_of, await reader.packets(20)))
            assert time.perf_counter() - began >= 2 * DELAY / 1000
            assert answers == [*range(20)]
            for accounts in one.network.accounts().values():
                assert accounts.delivered.packets == accounts.offered.packets == 20

    asyncio.run(body())


def test_the_seed_decides_on_every_driver(driver: Driver) -> None:
    """The host gets exactly the packets that the seed lets pass, however they come."""
    values = Parameters(loss=0.3, loss_correlation=0.3, duplicate=0.1)

    async def body() -> None:
        accounts = Accounts()
        lane, waiting = Lane(values, 7, 0, True, accounts), Waiting(accounts)
        for packet in pings(400):
            lane.put(packet, 0, waiting)
        expected = list(map(pong_of_request, waiting.take_all()))
        async with driven(driver) as one:
            one.session.impair(plan(injected=values))
            reader = Reader(one.session)
            for first in range(0, 400, 25):
                one.session.inject(sift(pings(25, first)))
            answers = list(map(pong_of, await reader.packets(len(expected))))
            assert answers == expected
            assert one.session.impairment_view().injected == accounts_of(accounts)

    asyncio.run(body())


def pong_of_request(packet: bytes) -> int:
    """Return the number of one of `pings`."""
    return int.from_bytes(packet[28:32], "big")


def accounts_of(accounts: Accounts) -> Accounts:
    """Return the accounts of a lane as a session has them, whose packets have all left."""
    accounts.offered.add(400, 400 * 64)
    passed = accounts.offered.packets + accounts.duplicated.packets - accounts.lost.packets
    accounts.delivered.add(passed, passed * 64)
    return accounts


def test_a_flood_of_twice_the_rate(driver: Driver) -> None:
    """What a limited rate and a short queue do not take is counted, packet by packet."""

    async def body() -> None:
        async with driven(driver) as one:
            # 64 bytes at 512 kbit/s are a thousand packets a second.
            one.session.impair(plan(injected=Parameters(rate_bps=512_000, limit_packets=50)))
            reader = Reader(one.session, packets=PLENTY)
            began = time.perf_counter()
            for turn in range(100):
                one.session.inject(sift(pings(10, turn * 10)))
                await asyncio.to_thread(
                    let_pass, max(0.0, began + turn * 0.005 - time.perf_counter())
                )
            await one.settled()
            accounts = one.session.impairment_view().injected
            assert accounts.offered.packets == 1000
            assert accounts.limit.packets + accounts.delivered.packets == 1000
            assert accounts.limit.packets > 200
            answers = list(map(pong_of, await reader.packets(accounts.delivered.packets)))
            assert len(answers) == len(set(answers)) == accounts.delivered.packets
            assert answers == sorted(answers, key=lambda one: one or 0)
            check_identity(accounts)

    asyncio.run(body())


def test_changes_under_a_flood(driver: Driver) -> None:
    """Of 1,000 changes none loses a packet unseen: host and clients got what the accounts say."""

    async def body() -> None:
        async with driven(driver) as one:
            session, network = one.session, one.network
            reader = Reader(session, packets=PLENTY)
            reader.queue.limit_bytes = 1 << 30
            offered = 0
            for turn in range(1000):
                session.inject(sift(pings(5, turn * 5)))
                offered += 5
                values = Parameters(
                    delay_ms=(0.0, 1.0, 20.0)[turn % 3], loss=0.1, limit_packets=4, duplicate=0.05
                )
                on_change = OnChange.DROP if turn % 2 else OnChange.DELIVER
                if turn % 5 == 4:
                    session.repair()
                    session.impair(plan(on_change=on_change))
                else:
                    session.impair(plan(values, values, on_change=on_change, seed=turn))
                for accounts in network.accounts().values():
                    check_identity(accounts)
                if not turn % 20:
                    await asyncio.sleep(0)
            session.impair(plan())
            await one.settled()
            view = session.repair()
            check_identity(view.received)
            check_identity(view.injected)
            counters = session.counters
            # The first five were injected before anything was impaired.
            assert view.injected.offered.packets == offered - 5
            host = view.injected.delivered.packets + 5 - counters.ring_full
            assert counters.injected_packets == host
            assert counters.ring_lost in (0, None)
            assert counters.received_packets == host  # the host answers each of them
            assert view.received.offered.packets == host
            assert reader.queue.offered_packets == view.received.delivered.packets
            assert view.received.delayed.packets == view.injected.delayed.packets == 0
            assert view.injected.dropped.packets > 0 < view.injected.limit.packets

    asyncio.run(body())


@pytest.mark.parametrize("end", ["session", "adapter", "service"])
def test_the_end_with_packets_delayed(driver: Driver, end: str) -> None:
    """Whatever ends, each delayed packet is delivered, or counted as dropped."""

    async def body() -> None:
        async with driven(driver) as one:
            session = one.session
            session.impair(both(delay_ms=600_000.0))
            reader = Reader(session)
            session.inject(sift(pings(10)))
            session.network.receive(pings(10, 100), [64] * 10, 640)
            match end:
                case "session":
                    await session.end()
                case "adapter":
                    await one.registry.delete_adapter(session.adapter)
                case "service":
                    await one.registry.stop()
            removed = await one.event(EventType.IMPAIRMENT_REMOVED)
            for accounts in (removed.received, removed.injected):
                check_identity(accounts)
                assert accounts.delayed.packets == 0
            assert removed.injected.delivered.packets == session.counters.injected_packets
            assert removed.received.delivered.packets == reader.queue.offered_packets
            numbers = [pong_of_request(packet) for packet in await reader.packets(10)]
            assert numbers[:10] == [*range(100, 110)]

    asyncio.run(body())


def test_an_adapter_that_vanishes_under_a_flood(driver: Driver) -> None:
    """After another program has removed it, each packet is delivered or counted."""

    async def body() -> None:
        async with driven(driver) as one:
            session = one.session
            session.impair(both(delay_ms=5.0, jitter_ms=3.0, loss=0.1))
            reader = Reader(session, packets=PLENTY)
            for turn in range(50):
                session.inject(sift(pings(10, turn * 10)))
                await asyncio.sleep(0)
            await one.registry.delete_adapter(session.adapter)
            removed = await one.event(EventType.IMPAIRMENT_REMOVED)
            for accounts in (removed.received, removed.injected):
                check_identity(accounts)
                assert accounts.delayed.packets == 0
            assert removed.injected.offered.packets == 500
            assert removed.received.delivered.packets == reader.queue.offered_packets

    asyncio.run(body())


def test_corrupted_packets_stay_corrupted(driver: Driver) -> None:
    """A host never sees a repaired packet: of those with an inverted bit it answers none."""

    async def body() -> None:
        async with driven(driver) as one:
            one.session.impair(plan(injected=Parameters(corrupt=1.0)))
            after = Reader(one.session, direction=Direction.BOTH)
            one.session.inject(sift(pings(200)))
            got = [packet for burst in await after.bursts(200) for packet in burst.packets]
            assert len(got) == 200
            for number, packet in enumerate(got):
                (place,) = [n for n in range(64) if packet[n] != ping(number)[n]]
                changed = packet[place] ^ ping(number)[place]
                assert changed & (changed - 1) == 0
                assert packet[0] >> 4 == 4
            for packet in got:
                assert checksum(packet[:20]) or checksum(packet[20:])
            one.session.repair()
            one.session.inject(sift(pings(1, 5000)))
            # Some drivers deliver what does not concern checksums; the last ping ends the wait.
            answers: list[int | None] = []
            while 5000 not in answers:
                answers += map(pong_of, await after.packets(1))
            assert not [one for one in answers if one is not None and one < 200]

    asyncio.run(body())


def test_both_sides_beside_each_other(driver: Driver) -> None:
    """tap=before has all that the host sent, tap=after what the network let pass of it."""

    async def body() -> None:
        async with driven(driver) as one:
            session = one.session
            session.impair(plan(Parameters(loss=0.5)))
            before = Reader(session, tap=Tap.BEFORE)
            after = Reader(session)
            for first in range(0, 200, 20):
                session.inject(sift(pings(20, first)))
            sent = list(map(pong_of, await before.packets(200)))
            assert sent == [*range(200)]
            arrived = session.impairment_view().received.delivered.packets
            got = list(map(pong_of, await soon(after.packets(arrived))))
            assert len(got) == arrived
            assert [number for number in sent if number in set(got)] == got

    asyncio.run(body())
