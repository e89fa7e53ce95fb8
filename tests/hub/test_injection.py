"""hub.injection: packets of clients to the send ring, and what became of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.running import Hub, Reader, hub, reached
from wintun_api.choices import Direction, EventType, Full
from wintun_api.errors import DriverError, RingCorrupt, SessionEnded
from wintun_api.hub.injection import Injection
from wintun_api.hub.losses import Cause
from wintun_api.hub.session import ManagedSession
from wintun_api.packet import build
from wintun_api.packet.check import sift

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))
SHORT = PACKET[:19]
WRONG = b"\x55" + PACKET[1:]


def numbered(count: int) -> list[bytes]:
    """Make packets that differ."""
    return [PACKET + bytes((number,)) for number in range(count)]


def test_packets_are_sent_in_order_and_counted() -> None:
    """The host gets them as they came, and readers of that direction see them."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            reader = Reader(session, direction=Direction.INJECTED)
            injection = session.inject(sift(numbered(10)))
            assert (injection.accepted, injection.waiting) == (10, ())
            assert injection.accepted_bytes == sum(map(len, numbered(10)))
            assert ring.sent == numbered(10)
            assert await reader.packets(10) == numbered(10)
            assert session.counters.injected_packets == 10

    asyncio.run(body())


def test_bad_packets_are_counted_by_reason_and_the_rest_goes_on() -> None:
    """A packet that no host could take never reaches the driver."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            injection = session.inject(sift([SHORT, PACKET, WRONG, PACKET]))
            assert injection.accepted == 2
            assert sum(injection.rejected.values()) == 2
            assert ring.sent == [PACKET, PACKET]
            assert session.counters.rejected.total() == 2

    asyncio.run(body())


def test_a_full_ring_drops_and_tells() -> None:
    """With `drop` the packets behind the last that fitted are counted and told as a loss."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.room = 3
            injection = session.inject(sift(numbered(10)))
            assert (injection.accepted, injection.ring_full) == (3, 7)
            assert ring.sent == numbered(3)
            assert session.counters.ring_full == 7
            loss = await one.event(EventType.SESSION_LOSS)
            assert (loss.cause, loss.count) == (Cause.RING_FULL, 7)

    asyncio.run(body())


def test_a_full_ring_gives_back_what_waits() -> None:
    """With `wait` the rest comes back, and goes first when there is room."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.room = 3
            first = session.inject(sift(numbered(5)), Full.WAIT)
            assert list(first.waiting) == numbered(5)[3:]
            assert session.counters.ring_full == 0
            behind = session.inject(sift([PACKET]), Full.WAIT, behind=True)
            assert (behind.accepted, list(behind.waiting)) == (0, [PACKET])
            ring.room = None
            assert session.retry(first.waiting).accepted == 2
            assert session.retry(behind.waiting).accepted == 1
            assert ring.sent == [*numbered(5), PACKET]

    asyncio.run(body())


def test_a_failing_call_is_counted_and_the_session_runs_on() -> None:
    """Packets that the driver refused are counted as failed, with the driver's error."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            error = DriverError("SendPacket", 87)
            one.driver.fail("send_packets", error)
            injection = session.inject(sift(numbered(4)))
            assert (injection.accepted, injection.failed, injection.failure) == (0, 4, error)
            assert session.counters.failed == 4
            assert session.inject(sift([PACKET])).accepted == 1

    asyncio.run(body())


def test_a_ring_that_is_found_corrupt_while_sending_is_restarted() -> None:
    """The error of a send call has the same consequence as one of a receive call."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.driver.fail("send_packets", RingCorrupt.from_call("SendPacket", 13))
            assert session.inject(sift([PACKET])).failed == 1
            assert (await one.event(EventType.SESSION_RESTARTED)).id == session.id
            assert session.inject(sift([PACKET])).accepted == 1

    asyncio.run(body())


def test_what_the_host_refuses_is_not_accepted() -> None:
    """Packets that the ring took and the host refused are counted by cause and told."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.refuse("link_down", 2)
            injection = session.inject(sift(numbered(5)))
            assert (injection.accepted, injection.refused) == (3, {"link_down": 2})
            assert session.counters.refused["link_down"] == 2
            loss = await one.event(EventType.SESSION_LOSS)
            assert (loss.cause, loss.count) == ("refused_link_down", 2)

    asyncio.run(body())


@given(st.lists(st.sampled_from([PACKET, SHORT, WRONG, b""]), max_size=40))
def test_sifting_loses_no_packet(packets: list[bytes]) -> None:
    """Every packet is either passed on, in order, or counted under one reason."""
    passed = sift(packets)
    assert list(passed.packets) == [packet for packet in packets if packet == PACKET]
    assert passed.offered == len(packets)


@given(
    st.lists(
        st.builds(
            Injection,
            accepted=st.integers(0, 9),
            rejected=st.dictionaries(st.sampled_from("abc"), st.integers(1, 9)),
            refused=st.dictionaries(st.sampled_from("xy"), st.integers(1, 9)),
            ring_full=st.integers(0, 9),
            failed=st.integers(0, 9),
        ),
        max_size=8,
    )
)
def test_adding_injections_adds_every_count(parts: list[Injection]) -> None:
    """The sum over several calls is the sum of each count."""
    total = Injection()
    for part in parts:
        total.add(part)
    assert total.accepted == sum(part.accepted for part in parts)
    assert total.ring_full == sum(part.ring_full for part in parts)
    assert total.failed == sum(part.failed for part in parts)
    for name in "abc":
        assert total.rejected.get(name, 0) == sum(part.rejected.get(name, 0) for part in parts)
    for name in "xy":
        assert total.refused.get(name, 0) == sum(part.refused.get(name, 0) for part in parts)


async def _ending(one: Hub, session: ManagedSession) -> None:
    with one.driver.hold("quiesce") as gate:
        asyncio.ensure_future(one.registry.sessions.end(session.id))  # noqa: RUF006
        await reached(gate)


async def _ended(one: Hub, session: ManagedSession) -> None:
    await one.registry.sessions.end(session.id)


async def _failed(one: Hub, session: ManagedSession) -> None:
    one.ring().deliver(DriverError("ReceivePacket", 87))
    await one.event(EventType.SESSION_FAILED)


async def _removed(one: Hub, session: ManagedSession) -> None:
    one.driver.device("A").remove()
    await one.event(EventType.SESSION_ENDED)


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("full", list(Full))
@pytest.mark.parametrize("over", [_ending, _ended, _failed, _removed])
def test_nothing_is_taken_when_it_is_over(
    over: Callable[[Hub, ManagedSession], Awaitable[None]], full: Full, behind: bool
) -> None:
    """With any policy the client learns that the session has ended, and keeps its packets."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            await over(one, session)
            with pytest.raises(SessionEnded):
                session.inject(sift([PACKET]), full, behind=behind)
            with pytest.raises(SessionEnded):
                session.retry([PACKET], full)
            assert ring.sent == []
            assert session.counters.injected_packets == 0

    asyncio.run(body())


@pytest.mark.parametrize("full", list(Full))
def test_a_ring_without_any_room(full: Full) -> None:
    """With `drop` all are lost at once, with `wait` none, however often they are tried."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.room = 0
            injection = session.inject(sift(numbered(3)), full)
            dropped = 3 if full is Full.DROP else 0
            assert (injection.accepted, injection.ring_full) == (0, dropped)
            assert len(injection.waiting) == 3 - dropped
            for _ in range(3):
                injection = session.retry(numbered(3), Full.WAIT)
                assert list(injection.waiting) == numbered(3)
            assert session.counters.ring_full == dropped

    asyncio.run(body())


def test_packets_that_wait_are_checked_and_counted_once() -> None:
    """What is not valid is counted when it comes, and not again with each retry."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            ring.room = 1
            injection = session.inject(sift([PACKET, SHORT, PACKET, WRONG, PACKET]), Full.WAIT)
            assert (injection.accepted, list(injection.waiting)) == (1, [PACKET, PACKET])
            session.retry(injection.waiting)
            ring.room = None
            assert session.retry(injection.waiting).accepted == 2
            assert session.counters.rejected.total() == 2
            assert session.counters.injected_packets == 3

    asyncio.run(body())


def test_an_adapter_that_is_gone_ends_the_session_when_packets_are_sent() -> None:
    """The packets behind the last that was taken are counted as failed, and the session ends."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.driver.fail("send_packets", SessionEnded.from_call("SendPacket", 38))
            injection = session.inject(sift([PACKET] * 3))
            assert (injection.accepted, injection.failed) == (0, 3)
            assert isinstance(injection.failure, SessionEnded)
            await one.event(EventType.SESSION_ENDED)
            assert session.lost

    asyncio.run(body())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([PACKET, SHORT, WRONG]), max_size=6),
            st.sampled_from(list(Full)),
            st.integers(0, 6),
        ),
        max_size=8,
    )
)
def test_every_packet_has_one_fate(steps: list[tuple[list[bytes], Full, int]]) -> None:
    """Each is accepted, waiting, or lost under one cause, whatever room the ring has."""
    asyncio.run(_account(steps))


async def _account(steps: list[tuple[list[bytes], Full, int]]) -> None:
    async with hub() as one:
        session, ring = await one.session()
        for packets, full, room in steps:
            ring.room = room
            injection = session.inject(sift(packets), full)
            fates = injection.accepted + injection.ring_full + len(injection.waiting)
            assert fates + sum(injection.rejected.values()) == len(packets)
        counters = session.counters
        assert counters.injected_packets == len(ring.sent)
