"""hub.named_captures: what begins a capture that waits, and what it has from before that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.capture.reading import packet
from tests.hub.clock import Clock
from tests.hub.named_captures.desk import agree, desk
from tests.hub.running import Reader, delivered, holds, soon
from tests.libpcap import need_libpcap
from wintun_api.choices import CaptureState, EventType, StopReason, TriggerKind
from wintun_api.errors import CaptureOver, InvalidFilter, TooManyCaptures
from wintun_api.hub.named_captures.captures import MAX_KEEPING
from wintun_api.hub.named_captures.definition import Definition, Stop, Trigger
from wintun_api.packet import build

CALL = Trigger(on=TriggerKind.CALL)
ASKED = Definition(name="a", trigger=CALL)


def asked(**trigger: object) -> Definition:
    """A capture that waits for a call, or what is said."""
    return replace(ASKED, trigger=replace(CALL, **trigger))  # type: ignore[arg-type]


def test_a_call(tmp_path: Path) -> None:
    """It waits without a file, and has the packets from the call on."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, _ = await one.hub.session()
            capture = await one.start(ASKED)
            assert (one.view(capture).state, one.view(capture).files) == (CaptureState.WAITING, ())
            await delivered(session, one.hub.ring(), *map(packet, range(5)))
            one.captures.trigger(capture)
            one.captures.trigger(capture)  # which does nothing
            await delivered(session, one.hub.ring(), *map(packet, range(5, 10)))
            view = await one.has(capture, 5)
            assert (view.state, view.triggered_ns is not None) == (CaptureState.RUNNING, True)
            view = await one.stop(capture)
            assert one.numbers(view) == list(range(5, 10))
            agree(one.store, view)
            with pytest.raises(CaptureOver):
                one.captures.trigger(capture)

    asyncio.run(body())


def test_seconds_before_and_after(tmp_path: Path) -> None:
    """It has what came before the call, and ends so many seconds after it."""

    async def body() -> None:
        clock = Clock()
        async with desk(tmp_path / "c", clock=clock) as one:
            session, _ = await one.hub.session()
            capture = await one.start(asked(before=3600.0, after=10.0))
            await delivered(session, one.hub.ring(), *map(packet, range(3000)))
            one.captures.trigger(capture)
            await delivered(session, one.hub.ring(), *map(packet, range(3000, 3010)))
            await one.has(capture, 3010)
            clock.move(11)
            view = await one.over(capture)
            assert (view.state, view.reason) == (CaptureState.STOPPED, StopReason.SECONDS)
            assert (view.packets, view.lost) == (3010, 0)
            assert one.numbers(view) == list(range(3010))
            agree(one.store, view)

    asyncio.run(body())


def test_limits_count_what_came_before(tmp_path: Path) -> None:
    """The number of packets after which it ends has those from before the call."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, _ = await one.hub.session()
            capture = await one.start(replace(asked(before=60.0), stop=Stop(packets=7)))
            await delivered(session, one.hub.ring(), *map(packet, range(20)))
            one.captures.trigger(capture)
            view = await one.over(capture)
            assert view.reason is StopReason.PACKETS
            assert one.numbers(view) == list(range(7))
            agree(one.store, view)

    asyncio.run(body())


def test_a_capture_that_is_stopped_while_it_waits(tmp_path: Path) -> None:
    """It has no file, and nothing that it kept in memory is counted."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, _ = await one.hub.session()
            capture = await one.start(asked(before=60.0))
            await delivered(session, one.hub.ring(), *map(packet, range(20)))
            view = await one.stop(capture)
            assert (view.state, view.reason) == (CaptureState.STOPPED, StopReason.REQUEST)
            assert (view.packets, view.lost, view.files) == (0, 0, ())
            assert session.view().subscribers == 0
            agree(one.store, view)

    asyncio.run(body())


def test_a_capture_that_is_stopped_at_once(tmp_path: Path) -> None:
    """It may end before it has begun to wait for its event."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            definition = asked(on=TriggerKind.EVENT, event=EventType.SESSION_LOSS)
            view = await one.captures.start(definition, "test")
            view = await one.captures.stop(view.id)
            assert (view.state, view.reason) == (CaptureState.STOPPED, StopReason.REQUEST)

    asyncio.run(body())


def test_an_event(tmp_path: Path) -> None:
    """An event of the type begins it; others do not, nor do events about other adapters."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, _ = await one.hub.session()
            trigger = Trigger(on=TriggerKind.EVENT, event=EventType.SESSION_STARTED)
            asked = Definition(name="a", adapters=(session.adapter,), trigger=trigger)
            capture = await one.start(asked)
            await one.hub.session("B")
            again = await one.start(replace(asked, adapters=None))
            await one.hub.session("C")
            await holds(lambda: one.view(again).state is CaptureState.RUNNING)
            assert one.view(capture).state is CaptureState.WAITING
            await one.hub.registry.sessions.end(session.id)
            await one.hub.registry.sessions.start(session.adapter)
            await holds(lambda: one.view(capture).state is CaptureState.RUNNING)

    asyncio.run(body())


def test_its_own_start_begins_nothing(tmp_path: Path) -> None:
    """A capture that waits for the start of a capture waits for that of another one."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            trigger = Trigger(on=TriggerKind.EVENT, event=EventType.CAPTURE_STARTED)
            capture = await one.start(Definition(name="a", trigger=trigger))
            assert one.view(capture).state is CaptureState.WAITING
            await one.start()
            await holds(lambda: one.view(capture).state is CaptureState.RUNNING)

    asyncio.run(body())


def test_a_loss(tmp_path: Path) -> None:
    """Packets that a client loses begin it, with what came before."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, ring = await one.hub.session()
            capture = await one.start(asked(on=TriggerKind.LOSS, before=60.0))
            slow = Reader(session, packets=10)
            ring.deliver(*map(packet, range(50)))
            await holds(lambda: one.view(capture).state is CaptureState.RUNNING)
            await one.has(capture, 50)
            view = await one.stop(capture)
            assert one.numbers(view) == list(range(50))
            session.unsubscribe(slow.queue)

    asyncio.run(body())


@pytest.mark.parametrize("before", [0.0, 60.0])
def test_a_packet_that_passes_a_filter(tmp_path: Path, before: float) -> None:
    """It begins with this packet, within its burst, and has what came before it if asked."""
    need_libpcap()

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            session, ring = await one.hub.session()
            trigger = asked(on=TriggerKind.FILTER, filter="tcp", before=before)
            capture = await one.start(trigger)
            reader = Reader(session)
            tcp = build.ipv4("10.0.0.1", "10.0.0.2", 6, bytes(20) + (50).to_bytes(4, "big"))
            ring.deliver(*map(packet, range(50)), tcp, *map(packet, range(51, 100)))
            await reader.packets(100)
            await one.has(capture, 50)
            view = await one.stop(capture)
            assert one.numbers(view) == list(range(0 if before else 50, 100))
            agree(one.store, view)

    asyncio.run(body())


def test_a_packet_that_the_capture_does_not_have(tmp_path: Path) -> None:
    """The filter of the trigger sees packets that the filter of the capture leaves out."""
    need_libpcap()

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            trigger = asked(on=TriggerKind.FILTER, filter="tcp")
            capture = await one.start(replace(trigger, filter="udp"))
            tcp = build.ipv4("10.0.0.1", "10.0.0.2", 6, bytes(20))
            ring.deliver(*map(packet, range(5)), tcp, *map(packet, range(5, 9)))
            await one.has(capture, 4)
            view = await one.stop(capture)
            assert one.numbers(view) == list(range(5, 9))
            assert (view.lost, view.triggered_ns is not None) == (0, True)
            agree(one.store, view)

    asyncio.run(body())


def test_no_packet_of_a_later_time(tmp_path: Path) -> None:
    """The time of a packet decides whether it came within the seconds, not when it is written."""

    async def body() -> None:
        async with desk(tmp_path / "c", clock=Clock()) as one:
            session, _ = await one.hub.session()
            capture = await one.start(asked(before=60.0, after=1e-6))
            await delivered(session, one.hub.ring(), *map(packet, range(10)))
            one.captures.trigger(capture)
            await delivered(session, one.hub.ring(), *map(packet, range(10, 15)))
            view = await one.over(capture)
            assert (view.reason, view.lost) == (StopReason.SECONDS, 0)
            assert one.numbers(view) == list(range(10))

    asyncio.run(body())


def test_two_captures_with_a_filter_each(tmp_path: Path) -> None:
    """Two captures at once have the packets that pass their own filters."""
    need_libpcap()

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            _, ring = await one.hub.session()
            few = await one.start(Definition(name="few", filter="udp[8:4] < 10"))
            every = await one.start()
            ring.deliver(*map(packet, range(100)))
            await one.has(every, 100)
            first, second = await one.stop(few), await one.stop(every)
            assert one.numbers(second) == list(range(100))
            assert one.numbers(first) == list(range(10))
            assert (first.lost, second.lost) == (0, 0)
            agree(one.store, first)
            agree(one.store, second)
            with pytest.raises(InvalidFilter):
                await one.start(Definition(name="a", filter="tcp prot 80"))
            assert len(one.captures.views()) == 2

    asyncio.run(body())


def test_memory_for_captures_that_wait(tmp_path: Path) -> None:
    """Only so many captures may keep packets in memory at a time."""

    async def body() -> None:
        async with desk(tmp_path / "c") as one:
            waiting = [await one.start(asked(before=1.0)) for _ in range(MAX_KEEPING)]
            with pytest.raises(TooManyCaptures):
                await one.start(asked(before=1.0))
            await one.start(ASKED)
            await one.stop(waiting[0])
            await soon(one.start(asked(before=1.0)))

    asyncio.run(body())
