"""hub.impairment in a session: what is delayed, lost and counted, and what happens at a change."""

from __future__ import annotations

import asyncio
import time
from array import array

import pytest

from tests.hub.impairment.plans import (
    both,
    check_identity,
    datagram,
    datagrams,
    number_of,
    numbers,
    plan,
)
from tests.hub.memory_driver import corrupt
from tests.hub.running import Reader, holds, hub, soon
from tests.waiting import let_pass
from wintun_api.choices import CaptureDirection, Direction, EventType, Full, OnChange, Overflow, Tap
from wintun_api.errors import ImpairmentNotFound, SessionEnded
from wintun_api.hub.impairment.impairment import MOST_STEPS, ImpairmentStep
from wintun_api.hub.impairment.parameters import (
    Match,
    Parameters,
    Plan,
    Rule,
    Scenario,
    Step,
)
from wintun_api.hub.losses import Cause
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.tasks import TaskSet
from wintun_api.packet.block import Block
from wintun_api.packet.check import sift

LONG = 600_000.0  # milliseconds: the packets leave at the end of the test, or not at all
SHORT = 30.0


def check(session: ManagedSession) -> None:
    """Check the accounts of both directions."""
    check_identity(session.network.received.accounts)
    check_identity(session.network.injected.accounts)


def test_received_packets_come_later() -> None:
    """A packet of the host comes to a reader after its delay, and not before."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(plan(Parameters(delay_ms=SHORT)))
            reader = Reader(session)
            began = time.perf_counter()
            ring.deliver(*datagrams(10))
            assert await reader.packets(10) == datagrams(10)
            assert time.perf_counter() - began >= SHORT / 1000
            accounts = session.impairment_view().received
            assert (accounts.offered.packets, accounts.delivered.packets) == (10, 10)
            assert accounts.delivered.bytes == sum(map(len, datagrams(10)))
            assert session.counters.received_packets == 10

    asyncio.run(body())


def test_injected_packets_reach_the_host_later() -> None:
    """A client's packet is accepted at once, and counted as injected when it leaves."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(plan(injected=Parameters(delay_ms=SHORT)))
            watcher = Reader(session, direction=Direction.INJECTED)
            injection = session.inject(sift(datagrams(10)))
            assert (injection.accepted, injection.accepted_bytes) == (10, 400)
            assert (ring.sent, session.counters.injected_packets) == ([], 0)
            assert session.impairment_view().injected.delayed.packets == 10
            assert await watcher.packets(10) == datagrams(10) == ring.sent
            assert session.counters.injected_packets == 10
            check(session)

    asyncio.run(body())


def test_losses_are_counted_and_leave_no_gap() -> None:
    """Losses are those of the network: readers see no gap, and the session has lost nothing."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(plan(Parameters(loss=0.5)))
            reader = Reader(session)
            ring.deliver(*datagrams(1000), datagram(5000))
            lost = (await one.event(EventType.IMPAIRMENT_LOSS)).count
            accounts = session.impairment_view().received
            assert accounts.offered.packets == 1001
            assert accounts.lost.packets == lost
            assert 400 < lost < 600
            bursts = await reader.bursts(accounts.delivered.packets)
            assert [burst.sequence for burst in bursts[1:]] == [
                burst.sequence + burst.count for burst in bursts[:-1]
            ]
            assert session.counters.queue_lost == 0
            check(session)

    asyncio.run(body())


def test_a_burst_that_passes_whole_stays_in_one_piece() -> None:
    """What nothing is done to is neither split nor copied, whatever the rules had to look at."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            block = Block.of(datagrams(5))
            impairment = session.network
            blackout = Parameters(blackout=True)
            other = Match(ports=(7, 7))
            for chosen in (
                plan(injected=blackout),
                plan(blackout, match=other),
                plan(Parameters(max_size=100)),
                plan(Parameters(loss=1e-9)),
            ):
                session.impair(chosen)
                assert impairment.received.offer(block, block.size) is block
                check(session)
            # A block that is split in vain is not kept twice.
            assert impairment.received.accounts.delivered.packets == 20

    asyncio.run(body())


def test_packets_that_no_rule_matches_keep_their_place() -> None:
    """Unmatched packets of a burst leave between the others, in the order in which they came."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            rules = (
                Rule(match=Match(ports=(7, 7)), received=Parameters(blackout=True)),
                Rule(match=Match(ports=(8, 8)), received=Parameters(corrupt=1e-9)),
            )
            session.impair(Plan(seed=1, rules=rules))
            reader = Reader(session)
            packets = [datagram(n, port=(7, 8, 9)[n % 3]) for n in range(30)]
            ring.deliver(*packets)
            assert numbers(await reader.packets(20)) == [n for n in range(30) if n % 3]
            assert session.impairment_view().received.blackout.packets == 10
            check(session)

    asyncio.run(body())


def test_the_first_rule_that_matches_counts() -> None:
    """A later rule, and one for all packets, sees only what no earlier one has matched."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            rules = (
                Rule(match=Match(ports=(9, 9)), received=None, injected=None),
                Rule(received=Parameters(blackout=True)),
                Rule(received=Parameters(loss=1.0)),
            )
            session.impair(Plan(seed=1, rules=rules))
            reader = Reader(session)
            ring.deliver(datagram(1, port=7), datagram(2, port=9), datagram(3, port=8))
            assert numbers(await reader.packets(1)) == [2]
            accounts = session.impairment_view().received
            assert (accounts.blackout.packets, accounts.lost.packets) == (2, 0)

    asyncio.run(body())


@pytest.mark.parametrize("on_change", OnChange)
@pytest.mark.parametrize("change", ["replace", "remove"])
def test_a_change_releases_what_is_delayed(on_change: OnChange, change: str) -> None:
    """The plan that is replaced or removed says whether it is delivered at once or dropped."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            delay = Parameters(delay_ms=LONG)
            session.impair(plan(delay, delay, on_change=on_change))
            reader = Reader(session, direction=Direction.BOTH)
            ring.deliver(*datagrams(5))
            await holds(lambda: session.network.received.accounts.delayed.packets == 5)
            session.inject(sift(datagrams(5, 100)))
            if change == "replace":
                # What is said now holds for the next change.
                session.impair(both(loss=0.1))
            else:
                view = session.repair()
                assert view.received.delayed.packets == 0
                with pytest.raises(ImpairmentNotFound):
                    session.repair()
            delivered = on_change is OnChange.DELIVER
            assert ring.sent == (datagrams(5, 100) if delivered else [])
            accounts = session.network.received.accounts
            assert accounts.delivered.packets == (5 if delivered else 0)
            assert accounts.dropped.packets == (0 if delivered else 5)
            if delivered:
                assert sorted(numbers(await reader.packets(10))) == [*range(5), *range(100, 105)]
            check(session)

    asyncio.run(body())


def test_accounts_survive_a_removal() -> None:
    """They count since the session was first impaired, and packets in between are not offered."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(loss=1.0))
            session.inject(sift(datagrams(3)))
            session.repair()
            session.inject(sift(datagrams(100)))
            session.impair(both(blackout=True))
            session.inject(sift(datagrams(2)))
            accounts = session.repair().injected
            assert (accounts.offered.packets, accounts.lost.packets) == (5, 3)
            assert accounts.blackout.packets == 2

    asyncio.run(body())


def test_a_view_does_not_change() -> None:
    """Events and answers keep the counts of their moment."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            view = session.impair(both(loss=1.0))
            session.inject(sift(datagrams(3)))
            assert view.injected.offered.packets == 0
            assert (await one.event(EventType.IMPAIRMENT_SET)).injected.lost.packets == 0
            assert session.view().impairment is not None
            session.repair()
            assert (await one.event(EventType.IMPAIRMENT_REMOVED)).injected.lost.packets == 3
            assert session.view().impairment is None

    asyncio.run(body())


def test_the_end_of_a_session_delivers_what_is_delayed() -> None:
    """Clients get what was delayed for them with the rest of the ring, and the host its share."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=LONG))
            reader = Reader(session)
            ring.deliver(*datagrams(5))
            await holds(lambda: session.network.received.accounts.delayed.packets == 5)
            session.inject(sift(datagrams(5, 100)))
            with one.driver.hold("quiesce") as gate:
                ended = TaskSet().spawn(session.end(), name="end")
                await asyncio.to_thread(gate.reached.wait, 30)
                ring.deliver(*datagrams(5, 5))  # the rest of the ring
            await soon(ended)
            assert numbers(await reader.packets(10)) == [*range(10)]
            assert ring.sent == datagrams(5, 100)
            removed = await one.event(EventType.IMPAIRMENT_REMOVED)
            assert removed.received.delivered.packets == 10
            check_identity(removed.received)
            check_identity(removed.injected)
            assert removed.received.delayed.packets == removed.injected.delayed.packets == 0
            assert (await one.event(EventType.SESSION_ENDED)).impairment is None
            with pytest.raises(ImpairmentNotFound):
                session.impairment_view()
            with pytest.raises(SessionEnded):
                session.impair(both(loss=1.0))

    asyncio.run(body())


def test_a_blackout_holds_until_the_end() -> None:
    """What is left in the ring of a session that ends is lost as everything before."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(blackout=True))
            reader = Reader(session)
            with one.driver.hold("quiesce") as gate:
                ended = TaskSet().spawn(session.end(), name="end")
                await asyncio.to_thread(gate.reached.wait, 30)
                ring.deliver(*datagrams(5))
            await soon(ended)
            assert reader.queue.queued_packets == 0
            assert (await one.event(EventType.IMPAIRMENT_REMOVED)).received.blackout.packets == 5

    asyncio.run(body())


def test_what_the_host_cannot_take_at_the_end_is_dropped() -> None:
    """When the adapter is gone, what was delayed for the host is counted as dropped."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(delay_ms=LONG))
            session.inject(sift(datagrams(5)))
            one.driver.device("A").remove()
            loss = await one.event(EventType.IMPAIRMENT_LOSS)
            removed = await one.event(EventType.IMPAIRMENT_REMOVED)
            assert removed.injected.dropped.packets == 5
            assert removed.injected.delayed.packets == 0
            assert (loss.cause, loss.count) == ("dropped", 5)
            check_identity(removed.injected)

    asyncio.run(body())


def test_a_ring_with_little_room_at_the_end() -> None:
    """The host takes what fits, in order; the others are dropped."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=LONG))
            session.inject(sift(datagrams(5)))
            ring.room = 2
            await soon(session.end())
            assert ring.sent == datagrams(2)
            removed = await one.event(EventType.IMPAIRMENT_REMOVED)
            assert (removed.injected.delivered.packets, removed.injected.dropped.packets) == (2, 3)

    asyncio.run(body())


def test_a_restart_keeps_the_impairment() -> None:
    """After a corrupt ring the plan goes on, and what is delayed keeps its times."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=100.0))
            reader = Reader(session)
            ring.deliver(*datagrams(5))
            await holds(lambda: session.network.received.accounts.delayed.packets == 5)
            ring.deliver(corrupt())
            await one.event(EventType.SESSION_RESTARTED)
            ring = one.ring()
            ring.deliver(*datagrams(5, 5))
            session.inject(sift(datagrams(5, 100)))
            assert numbers(await reader.packets(10)) == [*range(10)]
            await holds(lambda: len(ring.sent) == 5)
            assert session.impairment_view().injected.delivered.packets == 5
            check(session)

    asyncio.run(body())


def test_a_delayed_packet_that_finds_the_ring_full() -> None:
    """It has left the impairment, and is a loss of the session."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=SHORT))
            ring.room = 2
            assert session.inject(sift(datagrams(5)), Full.WAIT).accepted == 5
            loss = await one.event(EventType.SESSION_LOSS)
            assert (loss.cause, loss.count) == (Cause.RING_FULL, 3)
            assert session.impairment_view().injected.delivered.packets == 5
            assert session.counters.injected_packets == 2

    asyncio.run(body())


def test_full_wait_waits_behind_an_impairment() -> None:
    """Packets that leave at once wait for the ring as ever, and pass the impairment only once."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(loss=0.5))
            ring.room = 10
            first = session.inject(sift(datagrams(100)), Full.WAIT)
            accounts = session.network.injected.accounts
            passed = accounts.delivered.packets
            assert len(first.waiting) == passed - 10
            assert first.accepted == 100 - len(first.waiting)
            behind = session.inject(sift(datagrams(1, 100)), Full.WAIT, behind=True)
            assert accounts.offered.packets == 100  # it has not come to the network yet
            ring.room = 1
            again = session.retry(first.waiting)
            assert (again.accepted, len(again.waiting)) == (1, passed - 11)
            ring.room = None
            last = session.retry(again.waiting)
            assert (last.accepted, last.waiting) == (passed - 11, ())
            assert accounts.offered.packets == 100
            session.retry(behind.waiting)
            assert accounts.offered.packets == 101
            assert len(ring.sent) == accounts.delivered.packets
            assert numbers(ring.sent) == sorted(numbers(ring.sent))
            assert session.counters.ring_full == 0
            check(session)

    asyncio.run(body())


def test_a_release_ends_where_the_next_plan_drops() -> None:
    """What still leaves is dropped and counted then, and packets pass by the impairment again."""

    async def body() -> None:
        count = 200_000
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(delay_ms=LONG, limit_packets=count))
            for first in range(0, count, 1000):
                session.inject(sift(datagrams(1000, first)))
            dropping = Parameters(delay_ms=LONG)
            session.impair(plan(dropping, dropping, on_change=OnChange.DROP))
            released = [session.network.releasing]
            view = await session.network.settled(session.repair())
            released.append(session.network.releasing)
            assert (released, session.network.on) == ([True, False], False)
            assert view.injected.dropped.packets > 0
            assert view.injected.delayed.packets == 0
            check_identity(view.injected)

    asyncio.run(body())


def test_a_blocking_reader_gets_no_more_than_a_part_of_what_is_released() -> None:
    """What its queue has no room for waits in the impairment, and all of it arrives in order."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(delay_ms=LONG, limit_packets=20_000))
            reader = Reader(session, overflow=Overflow.BLOCK, packets=4)
            for first in range(0, 20_000, 1000):
                session.network.receive(datagrams(1000, first), [40] * 1000, 40_000)
            session.repair()
            assert session.network.releasing
            queued = reader.queue.queued_packets
            assert queued + session.network.received.accounts.delayed.packets == 20_000
            assert queued < 2000
            assert numbers(await reader.packets(20_000)) == [*range(20_000)]
            await holds(lambda: not session.network.releasing)

    asyncio.run(body())


@pytest.mark.parametrize("again", [False, True])
def test_a_large_queue_leaves_in_slices(again: bool) -> None:
    """The loop does other work in between; what comes meanwhile, stays behind; all is counted."""

    async def body() -> None:
        count, counted = 200_000, 20 if again else 10
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=LONG, limit_packets=count))
            for first in range(0, count, 1000):
                session.inject(sift(datagrams(1000, first)))
            view = session.impair(both(loss=0.0)) if again else session.repair()
            check_identity(view.injected)
            assert 0 < view.injected.delayed.packets < count
            assert session.network.on
            turn = asyncio.Event()
            asyncio.get_running_loop().call_soon(turn.set)
            await soon(turn.wait())
            assert session.network.releasing
            assert session.inject(sift(datagrams(10, count))).accepted == 10
            check_identity(session.network.injected.accounts)
            await holds(lambda: not session.network.releasing)
            assert session.network.on is again
            assert session.inject(sift(datagrams(10, count + 10))).accepted == 10
            await holds(lambda: len(ring.sent) == count + 20)
            assert numbers(ring.sent) == [*range(count + 20)]
            accounts = (await session.network.settled(view)).injected
            check_identity(accounts)
            assert accounts.delivered.packets == count + counted

    asyncio.run(body())


@pytest.mark.parametrize("full", Full)
@pytest.mark.parametrize("room", [0, 1, 3, 10])
def test_copies_do_not_confuse_an_ack(full: Full, room: int) -> None:
    """The client is told of as many packets as it sent, however many copies were made."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(duplicate=1.0))
            ring.room = room
            injection = session.inject(sift(datagrams(3)), full)
            told = injection.accepted + injection.ring_full + injection.failed
            assert told + len(injection.waiting) == 3
            assert min(injection.accepted, injection.ring_full) >= 0
            assert len(ring.sent) == min(room, 6)
            left = len(injection.waiting) + session.counters.ring_full
            assert len(ring.sent) + left == 6
            check(session)

    asyncio.run(body())


def test_a_blocking_reader_holds_back_what_is_delayed() -> None:
    """A reader that blocks is not filled by packets whose delay is over; they wait for it."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=SHORT))
            reader = Reader(session, overflow=Overflow.BLOCK, packets=4)
            ring.deliver(*datagrams(4))
            await holds(lambda: reader.queue.queued_packets == 4)
            # The ring is paused with the second burst still in the impairment.
            session.network.receive(datagrams(4, 4), [40] * 4, 160)
            await asyncio.to_thread(let_pass, 3 * SHORT / 1000)
            assert reader.queue.queued_packets == 4
            assert session.impairment_view().received.delayed.packets == 4
            assert numbers(await reader.packets(8)) == [*range(8)]
            check(session)

    asyncio.run(body())


def test_a_full_lane_is_told_before_it_drops() -> None:
    """At 80 % of a limit, once, and again only after half of it has left."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(delay_ms=LONG, limit_packets=100))
            session.inject(sift(datagrams(79)))
            session.inject(sift(datagrams(1)))
            session.inject(sift(datagrams(30)))
            view = session.repair()
            assert (view.injected.limit.packets, view.injected.delayed.packets) == (10, 0)
            kinds = [event.type for event in await soon(one.subscription.next())]
            assert kinds.count(EventType.IMPAIRMENT_NEARLY_FULL) == 1

    asyncio.run(body())


def test_the_report_of_a_nearly_full_lane() -> None:
    """It names the rule, the direction, what waits and what may wait; bytes count as packets do."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            delay = Parameters(delay_ms=SHORT, limit_bytes=400)
            rules = (Rule(match=Match(ports=(7, 7)), injected=delay), Rule(injected=delay))
            session.impair(Plan(seed=1, rules=rules))
            session.inject(sift(datagrams(8)))
            queue = await one.event(EventType.IMPAIRMENT_NEARLY_FULL)
            assert (queue.rule, queue.direction) == (1, CaptureDirection.INJECTED)
            assert (queue.packets, queue.bytes, queue.limit_bytes) == (8, 320, 400)

    asyncio.run(body())


def test_losses_are_told_once_a_second() -> None:
    """A flood of losses is one event per cause and direction, with their number."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(blackout=True))
            for number in range(100):
                session.inject(sift(datagrams(1, number)))
            loss = await one.event(EventType.IMPAIRMENT_LOSS)
            assert (loss.cause, loss.count) == ("blackout", 100)
            assert (loss.session, loss.adapter) == (session.id, session.adapter)
            assert loss.direction is CaptureDirection.INJECTED

    asyncio.run(body())


def test_both_sides_of_an_impairment_can_be_watched() -> None:
    """tap=before sees what was sent, tap=after what arrives; both have numbers without gaps."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(loss=0.5, delay_ms=5.0))
            before = Reader(session, direction=Direction.BOTH, tap=Tap.BEFORE)
            after = Reader(session, direction=Direction.BOTH)
            assert session.next_sequence(Tap.BEFORE) == (0, 0)
            ring.deliver(*datagrams(100))
            session.inject(sift(datagrams(100, 1000)))
            sent = await before.bursts(200)
            for injected, first in ((False, 0), (True, 1000)):
                bursts = [burst for burst in sent if burst.injected is injected]
                assert [n for burst in bursts for n in numbers(burst.packets)] == [
                    *range(first, first + 100)
                ]
                ends = [0]
                for burst in bursts:
                    assert burst.sequence == ends[-1]
                    ends.append(burst.sequence + burst.count)
            both_ways = session.network.accounts().values()
            await holds(lambda: not any(one.delayed.packets for one in both_ways))
            accounts = session.impairment_view()
            arrived = accounts.received.delivered.packets + accounts.injected.delivered.packets
            assert len(await after.packets(arrived)) == arrived < 200
            assert session.next_sequence(Tap.BEFORE) == (100, 100)
            assert session.view().subscribers == 2

    asyncio.run(body())


def test_watching_before_needs_no_impairment() -> None:
    """Without one, both sides are the same, and a block is not split for it."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            before = Reader(session, direction=Direction.BOTH, tap=Tap.BEFORE)
            ring.deliver(*datagrams(3))
            assert numbers(await before.packets(3)) == [0, 1, 2]
            session.inject(sift(Block.of(datagrams(3))))
            assert numbers(await before.packets(3)) == [0, 1, 2]
            assert ring.sent == datagrams(3)
            with pytest.raises(ImpairmentNotFound):
                session.impairment_view()
            assert session.network.accounts() == {}
            session.unsubscribe(before.queue)
            assert not session.network.on

    asyncio.run(body())


def test_the_ring_losses_are_seen_on_both_sides() -> None:
    """A packet that the host lost before the session had it leaves a gap in both numberings."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(delay_ms=1.0))
            before = Reader(session, tap=Tap.BEFORE)
            after = Reader(session)
            ring.truncated = 3
            await session.refresh()
            for reader in (before, after):
                (loss,) = reader.queue.losses.take()
                assert (loss.cause, loss.count, loss.first) == (Cause.TRUNCATED, 3, 0)
            ring.deliver(*datagrams(1))
            assert (await before.bursts(1))[0].sequence == 3
            assert (await after.bursts(1))[0].sequence == 3

    asyncio.run(body())


def test_packets_too_large_are_answered() -> None:
    """The host is told by an injected ICMP message, a client by a received one."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(max_size=500, too_big_reply=True))
            reader = Reader(session)
            large = datagram(1, 600)
            fragile = large[:6] + b"\x40" + large[7:]
            ring.deliver(large, fragile, datagram(2, 500))
            assert numbers(await reader.packets(1)) == [2]
            (told,) = ring.sent
            assert told[9] == 1
            assert (told[20:22], told[26:28]) == (b"\3\4", (500).to_bytes(2, "big"))
            assert (told[12:16], told[16:20]) == (large[16:20], large[12:16])
            session.inject(sift([fragile]))
            (back,) = await reader.packets(1)
            assert back == told
            view = session.impairment_view()
            assert (view.received.too_large.packets, view.received.too_big_replies) == (2, 1)
            assert (view.injected.too_large.packets, view.injected.too_big_replies) == (1, 1)
            check(session)

    asyncio.run(body())


def test_too_big_replies_are_limited() -> None:
    """A flood of packets that are too large is answered a thousand times in a second."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(max_size=100, too_big_reply=True))
            large = datagram(1, 200)
            fragile = large[:6] + b"\x40" + large[7:]
            session.network.receive([fragile] * 5000, [200] * 5000, 10**6)
            assert len(ring.sent) == 1000
            assert session.impairment_view().received.too_large.packets == 5000

    asyncio.run(body())


def test_large_releases_leave_in_parts() -> None:
    """What leaves together is no more than a burst of the ring may be."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(both(delay_ms=LONG, limit_packets=5000))
            reader = Reader(session, packets=10_000)
            packets = datagrams(3000)
            session.network.receive(packets, [40] * 3000, 120_000)
            session.repair()
            bursts = await reader.bursts(3000)
            assert [burst.count for burst in bursts] == [1024, 1024, 952]
            assert [p for burst in bursts for p in burst.packets] == packets

    asyncio.run(body())


@pytest.mark.parametrize("after", [None, Parameters(rate_bps=10_000_000, delay_ms=0.1)])
def test_a_step_frees_what_waits_for_a_slow_rate(after: Parameters | None) -> None:
    """Packets that would wait for minutes leave in order with the next step, without another."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            slow = Parameters(rate_bps=100)
            steps = (Step(at=0.0, injected=slow), Step(at=0.1, injected=after))
            session.impair(plan(scenario=Scenario(steps=steps, length=0.2)))
            session.inject(sift(datagrams(100)))
            assert ring.sent == []
            check(session)
            await holds(lambda: len(ring.sent) == 100)
            assert ring.sent == datagrams(100)
            session.inject(sift(datagrams(10, first=100)))
            await holds(lambda: len(ring.sent) == 110)
            assert ring.sent == datagrams(110)
            accounts = session.impairment_view().injected
            assert accounts.delivered.packets == accounts.offered.packets == 110
            check(session)

    asyncio.run(body())


def test_a_thousand_changes_lose_nothing_unseen() -> None:
    """Under a flood in both directions, each packet is delivered or counted at every change."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session, packets=1_000_000)
            reader.queue.limit_bytes = 1 << 30
            network = session.network
            sent = 0
            for turn in range(1000):
                packets = datagrams(20, sent)
                sent += 20
                network.receive(packets, [40] * 20, 800)
                session.inject(sift(packets))
                on_change = OnChange.DROP if turn % 2 else OnChange.DELIVER
                values = Parameters(
                    delay_ms=(0.0, 1.0, 5.0)[turn % 3],
                    jitter_ms=(0.0, 2.0)[turn % 2],
                    loss=0.1,
                    duplicate=0.1,
                    limit_packets=25,
                )
                if turn % 7 == 6 and network.impairs:
                    session.repair()
                else:
                    session.impair(plan(values, values, on_change=on_change, seed=turn))
                check(session)
                if not turn % 50:
                    await asyncio.to_thread(let_pass, 0.002)
                    check(session)
            if network.impairs:
                session.repair()
            accounts = network.accounts()
            for one_way in accounts.values():
                assert one_way.delayed.packets == 0
                assert one_way.limit.packets > 0 < one_way.dropped.packets
            # Those that came while nothing was impaired passed without being offered.
            passed = sent - accounts["received"].offered.packets
            assert reader.queue.offered_packets == accounts["received"].delivered.packets + passed
            passed = sent - accounts["injected"].offered.packets
            assert len(ring.sent) == accounts["injected"].delivered.packets + passed

    asyncio.run(body())


def test_a_block_is_split_where_it_must_be() -> None:
    """Bursts in one piece and as a list have the same fate, packet by packet."""

    async def body() -> None:
        fates = []
        for make in (list, Block.of):
            async with hub() as one:
                session, ring = await one.session()
                session.impair(both(loss=0.3, corrupt=0.2, duplicate=0.2))
                for start in range(0, 300, 30):
                    session.inject(sift(make(datagrams(30, start))))
                fates.append(list(ring.sent))
        assert fates[0] == fates[1]
        assert array("I", map(number_of, fates[0]))

    asyncio.run(body())


def test_steps_are_told_ten_times_a_second_at_most() -> None:
    """Those beyond are counted, and the newest state is told in the end."""
    steps = tuple(Step(at=0.01 * n, received=Parameters(loss=0.01 * n)) for n in range(60))

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(plan(scenario=Scenario(steps=steps, length=0.6)))
            told: list[ImpairmentStep] = []
            while not told or not places(told[-1])[0][1]:
                told.append(await one.event(EventType.IMPAIRMENT_STEP))
            assert [step.count for step in told[:MOST_STEPS]] == [1] * MOST_STEPS
            assert [places(step)[0][0] for step in told[:3]] == [1, 2, 3]
            assert len(told) <= 2 * MOST_STEPS
            assert sum(step.count for step in told) == len(steps)  # one for its end
            assert told[-1].rules[0].received == steps[-1].received
            assert told[-1].changed == (0,)

    asyncio.run(body())


def places(step: ImpairmentStep) -> list[tuple[int | None, bool]]:
    """Return step and end of the scenarios that got further."""
    found = [step.rules[index].progress for index in step.changed]
    return [(one.step, one.finished) for one in found if one is not None]


def test_a_step_that_was_not_told_ends_with_its_plan() -> None:
    """Nothing is told of a scenario after it was replaced or removed."""
    steps = tuple(Step(at=0.01 * n, received=Parameters(loss=0.01 * n)) for n in range(90))

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            session.impair(plan(scenario=Scenario(steps=steps, length=0.9)))
            for _ in range(MOST_STEPS):
                await one.event(EventType.IMPAIRMENT_STEP)
            await asyncio.to_thread(let_pass, 0.1)
            session.repair()
            await one.event(EventType.IMPAIRMENT_REMOVED)
            await asyncio.to_thread(let_pass, 1.1)
            one.registry.events.close()
            one.seen += await one.subscription.next()
            assert EventType.IMPAIRMENT_STEP not in {event.type for event in one.seen}

    asyncio.run(body())
