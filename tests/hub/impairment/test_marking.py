"""hub.impairment.marking: what a reader with marks learns of packets in a bad network."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.hub.impairment.plans import both, datagram, datagrams, number_of, plan
from tests.hub.marked import Marks, Told
from tests.hub.running import hub, received
from wintun_api.choices import OnChange, Tap
from wintun_api.hub.burst import Burst
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.parameters import Parameters, Plan
from wintun_api.hub.session import ManagedSession
from wintun_api.packet.check import sift

LONG = 600_000.0  # milliseconds: the packets leave at the end of the test, or not at all


@contextmanager
def impaired(session: ManagedSession, wanted: Plan, tap: Tap = Tap.AFTER) -> Iterator[Marks]:
    """Give a reader of a session that is impaired."""
    session.impair(wanted)
    marks = Marks(session, tap=tap)
    yield marks
    marks.close()


def test_comments_agree_with_the_accounts() -> None:
    """Of every kind there are as many comments as packets were counted, in both directions."""

    async def body() -> tuple[Counter[str], list[Accounts]]:
        async with hub() as one:
            session, ring = await one.session()
            wanted = both(
                loss=0.1, duplicate=0.1, corrupt=0.1, reorder=0.1, delay_ms=20, max_size=100
            )
            with impaired(session, wanted) as marks:
                for first in range(0, 1000, 50):
                    ring.deliver(*datagrams(50, first), datagram(1, 200))
                    session.inject(sift([*datagrams(50, first), datagram(1, 200)]))
                sides = [session.network.received.accounts, session.network.injected.accounts]
                await received(session, 1020)
                came = sum(it.offered.packets + it.duplicated.packets for it in sides)
                await marks.until(came)
                return marks.words(), sides

    words, sides = asyncio.run(body())
    total = {
        name: sum(getattr(one, name).packets for one in sides)
        for name in ("corrupted", "duplicated", "reordered", "lost", "too_large", "delivered")
    }
    assert all(total.values())
    assert total["too_large"] == 40
    assert words["corrupted"] == total["corrupted"]
    assert words["duplicated"] == words["copy"] == total["duplicated"]
    assert words["reordered"] == total["reordered"]
    assert words["not delivered: lost"] == total["lost"]
    assert words["not delivered: too_large"] == total["too_large"]
    assert words["delayed"] == total["delivered"] - total["reordered"]


def test_each_packet_has_its_own_marks() -> None:
    """A corrupted packet differs from what came by one bit; the others are as they came."""

    async def body() -> list[Told]:
        async with hub() as one:
            session, ring = await one.session()
            with impaired(session, plan(Parameters(corrupt=0.5))) as marks:
                ring.deliver(*datagrams(200))
                return await marks.until(200)

    told = asyncio.run(body())
    for (packet, comments), before in zip(told, datagrams(200), strict=True):
        pairs = zip(packet, before, strict=True)
        changed = sum((a ^ b).bit_count() for a, b in pairs)
        assert comments == (("corrupted",) if changed else ())
        assert changed in (0, 1)
    assert 50 < sum(bool(comments) for _, comments in told) < 150


@pytest.mark.parametrize("delay", [5.0, 40.0])
def test_the_delay_is_what_it_was(delay: float) -> None:
    """No packet is told to be delayed by less than it was, nor by much more."""

    async def body() -> list[float]:
        async with hub() as one:
            session, ring = await one.session()
            with impaired(session, plan(Parameters(delay_ms=delay))) as marks:
                loop = asyncio.get_running_loop()
                began = loop.time()
                ring.deliver(*datagrams(10))
                told = await marks.until(10)
                took = (loop.time() - began) * 1000
                texts = [text for _, (text,) in told]
                times = [float(text.split()[2]) for text in texts]
                assert all(time <= took for time in times)
                return times

    assert all(time >= delay for time in asyncio.run(body()))


def test_a_lost_packet_is_there_with_its_bytes() -> None:
    """What a blackout takes is shown to a reader with marks, and to no other."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            with impaired(session, plan(Parameters(blackout=True))) as marks:
                plain = Marks(session, marks=False)
                ring.deliver(*datagrams(3))
                told = await marks.until(3)
                assert told == [(it, ("not delivered: blackout",)) for it in datagrams(3)]
                assert plain.told == []
                assert session.network.received.accounts.blackout.packets == 3
                assert session.next_received == 0
                plain.close()

    asyncio.run(body())


def test_packets_over_the_limit_are_there() -> None:
    """Those that find no room are shown at once, those that wait later."""

    async def body() -> list[Told]:
        async with hub() as one:
            session, ring = await one.session()
            wanted = plan(Parameters(delay_ms=30, limit_packets=2))
            with impaired(session, wanted) as marks:
                ring.deliver(*datagrams(5))
                return await marks.until(5)

    told = asyncio.run(body())
    assert [number_of(packet) for packet, _ in told] == [2, 3, 4, 0, 1]
    assert [comments[0].split()[0] for _, comments in told] == ["not"] * 3 + ["delayed"] * 2


@pytest.mark.parametrize("on_change", OnChange)
def test_a_change_tells_what_it_did_to_those_that_waited(on_change: OnChange) -> None:
    """They leave with their delay, or are shown as dropped."""

    async def body() -> list[tuple[str, ...]]:
        async with hub() as one:
            session, ring = await one.session()
            with impaired(session, plan(Parameters(delay_ms=LONG), on_change=on_change)) as marks:
                ring.deliver(*datagrams(3))
                await received(session, 3)
                session.repair()
                return [comments for _, comments in await marks.until(3)]

    told = asyncio.run(body())
    if on_change is OnChange.DROP:
        assert told == [("not delivered: dropped",)] * 3
    else:
        assert all(text.startswith("delayed by ") for (text,) in told)


def test_the_reply_to_a_packet_that_was_too_large() -> None:
    """The reply is not of the host, and its comment says so."""

    async def body() -> list[Told]:
        async with hub() as one:
            session, ring = await one.session()
            wanted = plan(Parameters(max_size=1280, too_big_reply=True))
            with impaired(session, wanted) as marks:
                large = bytearray(datagram(1, 1400))
                large[6] = 0x40  # do not fragment
                ring.deliver(bytes(large))
                return await marks.until(2)

    (_, first), (reply, second) = asyncio.run(body())
    assert first == ("not delivered: too_large",)
    assert second == ("made by the impairment",)
    assert reply[9] == 1  # ICMP


def test_before_an_impairment_nothing_has_happened() -> None:
    """A reader of that side sees the packets as they were sent, without marks."""

    async def body() -> list[Told]:
        async with hub() as one:
            session, ring = await one.session()
            with impaired(session, plan(Parameters(loss=1.0)), tap=Tap.BEFORE) as marks:
                ring.deliver(*datagrams(3))
                return await marks.until(3)

    assert asyncio.run(body()) == [(it, ()) for it in datagrams(3)]


def test_packets_that_came_before_the_reader_have_no_marks() -> None:
    """It is not known when they came; those after them have marks again."""

    async def body() -> list[tuple[str, ...]]:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(plan(Parameters(delay_ms=LONG)))
            ring.deliver(datagram(0))
            await received(session, 1)
            marks = Marks(session)
            ring.deliver(datagram(1))
            await received(session, 2)
            session.repair()
            return [comments for _, comments in await marks.until(2)]

    first, second = asyncio.run(body())
    assert first == ()
    assert second[0].startswith("delayed by ")


def test_nothing_is_marked_while_no_reader_wants_it() -> None:
    """Before such a reader and after it, packets are plain bytes and bursts have no comments."""

    async def body() -> list[Burst]:
        async with hub() as one:
            session, ring = await one.session()
            session.impair(both(corrupt=1.0))
            plain = Marks(session, marks=False)
            ring.deliver(datagram(0))
            await plain.until(1)
            marks = Marks(session)
            ring.deliver(datagram(1))
            await plain.until(2)
            marks.close()
            ring.deliver(datagram(2))
            await plain.until(3)
            return plain.bursts

    bursts = asyncio.run(body())
    assert [one.comments for one in bursts] == [None, {0: ("corrupted",)}, None]
    assert [type(one.packets[0]) is bytes for one in bursts] == [True, False, True]
