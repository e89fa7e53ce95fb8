"""hub.stamping: the times of packets, from the driver to their bursts."""

from __future__ import annotations

import asyncio
import time

from tests.hub.impairment.plans import both
from tests.hub.memory_driver import MemorySession, corrupt
from tests.hub.running import hub, soon
from wintun_api.choices import Direction, EventType, Tap, Times
from wintun_api.hub.burst import Burst
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.stamping import Stamping
from wintun_api.hub.subscriber import Subscriber
from wintun_api.packet import build
from wintun_api.packet.check import sift
from wintun_api.packet.stamps import Stamps

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))


class Watcher(Subscriber):
    """Keep the bursts that come."""

    def __init__(
        self, session: ManagedSession, times: Times = Times.PACKET, tap: Tap = Tap.AFTER
    ) -> None:
        self.bursts: asyncio.Queue[Burst] = asyncio.Queue()
        super().__init__(
            direction=Direction.BOTH,
            tap=tap,
            times=times,
            limit_packets=1000,
            limit_bytes=10**6,
            wake=lambda: None,
            take_now=self.keep,
        )
        session.subscribe(self)

    def keep(self, burst: Burst) -> bool:
        """Keep one."""
        self.bursts.put_nowait(burst)
        return True

    async def next(self) -> Burst:
        """Return the next burst."""
        return await soon(self.bursts.get())


def test_parts_of_a_read_have_their_own_times() -> None:
    """What was read at once and is passed on in parts has the times at which it was read."""
    ring = MemorySession.__new__(MemorySession)
    stamping = Stamping()
    for readings in ([5, 6, 9, 11], [20]):
        ring.stamps = Stamps.of(readings)
        given = [stamping.take(ring, 1) for _ in readings]
        assert [one.time_ns + one.times[0] for one in given if one is not None] == readings
    assert stamping.take(None, 1) is None


def test_the_clock_is_read_only_while_a_reader_asks() -> None:
    """The driver notes times from the first reader that wants them to the last."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            plain = Watcher(session, Times.BURST)
            asked = [ring.stamped]
            ring.deliver(PACKET)
            assert (await plain.next()).times is None
            first, second = Watcher(session), Watcher(session)
            asked.append(ring.stamped)
            begin = time.time_ns()
            ring.deliver(PACKET, PACKET)
            burst = await first.next()
            assert burst.times is not None
            assert len(burst.times) == burst.count
            assert begin <= burst.time_ns <= time.time_ns()
            session.unsubscribe(first)
            asked.append(ring.stamped)
            session.unsubscribe(second)
            asked.append(ring.stamped)
            assert asked == [False, True, True, False]

    asyncio.run(body())


def test_a_restarted_ring_is_stamped_too() -> None:
    """The driver's second session notes times if a reader asked the first for them."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            watcher = Watcher(session)
            ring.deliver(corrupt())
            await one.event(EventType.SESSION_RESTARTED)
            assert one.ring().stamped is True
            one.ring().deliver(PACKET)
            assert (await watcher.next()).times is not None

    asyncio.run(body())


def test_injected_packets_have_the_time_of_their_burst() -> None:
    """The ring takes them at once, so one reading of the clock is for all."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            watcher = Watcher(session)
            begin = time.time_ns()
            session.inject(sift([PACKET, PACKET]))
            burst = await watcher.next()
            assert burst.injected
            assert burst.times is None
            assert begin <= burst.time_ns <= time.time_ns()

    asyncio.run(body())


def test_a_delayed_packet_has_the_time_at_which_it_leaves() -> None:
    """Behind an impairment that is when it is delivered, and before it when it was read."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            after, before = Watcher(session), Watcher(session, tap=Tap.BEFORE)
            session.impair(both(delay_ms=30))
            ring.deliver(PACKET)
            read, delivered = await before.next(), await after.next()
            assert read.times is not None
            assert delivered.time_ns - read.time_ns >= 29_000_000

    asyncio.run(body())


def test_watching_before_keeps_the_times_after() -> None:
    """Without an impairment both sides have the times at which packets were read."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            after, before = Watcher(session), Watcher(session, tap=Tap.BEFORE)
            ring.deliver(PACKET, PACKET)
            one_side, other_side = await before.next(), await after.next()
            assert one_side.time_ns == other_side.time_ns
            assert one_side.times is not None
            assert one_side.times == other_side.times

    asyncio.run(body())
