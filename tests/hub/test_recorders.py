"""hub.recorders: recorders of sessions, and the memory that they share."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.running import delivered, hub, soon
from wintun_api.choices import EventType, RecorderEnd
from wintun_api.errors import (
    RecorderNotFound,
    RecordersFull,
    SessionEnded,
    TooManyReaders,
)
from wintun_api.hub.recorders import MAX_READERS
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.window import Window
from wintun_api.packet import build
from wintun_api.packet.check import sift

PACKET = build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(8))
MIB = 1 << 20
LATER = 1 << 62


def kept(session: ManagedSession) -> list[bytes]:
    """The packets that the recorder of a session has."""
    assert session.recorder is not None
    entries = session.recorder.read(0, LATER).entries
    return [packet for burst, _ in entries for packet in burst.packets]


def test_a_session_is_recorded() -> None:
    """Packets of both directions are kept from then on, and the session says so."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session()
            await delivered(session, one.ring(), *[PACKET] * 3)
            assert session.view().recorder is None
            one.registry.recorders.set(session, 60, MIB)
            await delivered(session, one.ring(), *[PACKET] * 5)
            session.inject(sift([PACKET, PACKET]))
            assert len(ring.sent) == 2
            assert kept(session) == [PACKET] * 7
            view = await one.event(EventType.RECORDER_SET)
            assert (view.session, view.seconds, view.bytes) == (session.id, 60, MIB)
            now = session.view()
            assert now.recorder is not None
            assert (now.recorder.packets, now.subscribers) == (7, 0)
            assert session.losses.by_cause["unclaimed"] == 0

    asyncio.run(body())


def test_limits_are_changed_live() -> None:
    """A second setting keeps what fits, and the time since which it records."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            first = one.registry.recorders.set(session, 60, MIB)
            await delivered(session, one.ring(), *[PACKET] * 5)
            second = one.registry.recorders.set(session, 30, 65_536)
            assert (second.packets, second.seconds, second.bytes) == (5, 30, 65_536)
            assert second.set_ns == first.set_ns

    asyncio.run(body())


def test_it_is_removed() -> None:
    """What it has is deleted, and nothing more is offered to it."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.registry.recorders.set(session, 60, MIB)
            await delivered(session, one.ring(), *[PACKET] * 5)
            assert one.registry.recorders.remove(session).packets == 5
            told = await one.event(EventType.RECORDER_REMOVED)
            assert (told.packets, told.removed) == (5, RecorderEnd.REQUEST)
            assert len(session.fanout) == 0
            with pytest.raises(RecorderNotFound):
                one.registry.recorders.remove(session)
            assert one.registry.recorders.reserved == 0

    asyncio.run(body())


def test_what_it_has_stays_after_the_end_of_the_session() -> None:
    """It can be read until the session is deleted, and cannot be set any more."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.registry.recorders.set(session, 60, MIB)
            await delivered(session, one.ring(), *[PACKET] * 5)
            one.driver.device("A").remove()
            await one.event(EventType.SESSION_ENDED)
            assert len(kept(session)) == 5
            assert session.view().subscribers == 0
            with pytest.raises(SessionEnded):
                one.registry.recorders.set(session, 60, MIB)
            recorder = session.recorder
            await soon(one.registry.sessions.end(session.id))
            assert recorder is not None
            assert recorder.view().used == 0

    asyncio.run(body())


def test_the_memory_of_all_is_bounded() -> None:
    """A recorder that would take too much is refused, and changes nothing."""

    async def body() -> None:
        async with hub() as one:
            one.registry.recorders.limit_bytes = 3 * MIB
            first, _ = await one.session("A")
            second, _ = await one.session("B")
            one.registry.recorders.set(first, 60, 2 * MIB)
            with pytest.raises(RecordersFull, match=f"{3 * MIB} bytes together, and {2 * MIB} of"):
                one.registry.recorders.set(second, 60, 2 * MIB)
            assert second.recorder is None
            one.registry.recorders.set(second, 60, MIB)
            with pytest.raises(RecordersFull):
                one.registry.recorders.set(first, 60, 2 * MIB + 1)
            assert one.registry.recorders.of(first).view().bytes == 2 * MIB
            one.registry.recorders.set(first, 60, MIB)
            assert one.registry.recorders.reserved == 2 * MIB

    asyncio.run(body())


def test_ended_recorders_give_way() -> None:
    """Those of ended sessions count with what they have, and are deleted where room is wanted."""

    async def body() -> None:
        async with hub() as one:
            recorders = one.registry.recorders
            recorders.limit_bytes = 2 * MIB
            ended = []
            for name in ("A", "B"):
                session, _ = await one.session(name)
                recorders.set(session, 60, MIB)
                await delivered(session, one.ring(name), *[PACKET] * 5)
                ended.append(session)
            for name in ("A", "B"):
                one.driver.device(name).remove()
                await one.event(EventType.SESSION_ENDED)
            used = recorders.of(ended[1]).view().used
            running, _ = await one.session("C")
            recorders.set(running, 60, 2 * MIB - used)
            assert [session.recorder is None for session in ended] == [True, False]
            assert recorders.given_way == 1
            told = await one.event(EventType.RECORDER_REMOVED)
            assert (told.session, told.removed) == (ended[0].id, RecorderEnd.ROOM)
            with pytest.raises(RecordersFull):
                recorders.set(running, 60, 2 * MIB + 1)
            assert ended[1].recorder is not None

    asyncio.run(body())


def test_a_recorder_that_fails_is_removed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect ends the recorder, not the session, and is published and logged as a failure."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            one.registry.recorders.set(session, 60, MIB)
            monkeypatch.setattr(Window, "add", None)
            await delivered(session, one.ring(), *[PACKET] * 5)
            assert session.view().recorder is None
            told = await one.event(EventType.RECORDER_REMOVED)
            assert (told.session, told.removed) == (session.id, RecorderEnd.FAILURE)
            assert f"The recorder of session {session.id} failed" in caplog.text

    asyncio.run(body())


def test_the_number_of_readers_is_bounded() -> None:
    """One more is refused until another has gone."""

    async def body() -> None:
        async with hub() as one:
            readers = [one.registry.recorders.reading() for _ in range(MAX_READERS)]
            for reader in readers:
                reader.__enter__()
            with pytest.raises(TooManyReaders), one.registry.recorders.reading():
                pass
            readers[0].__exit__(None, None, None)
            with one.registry.recorders.reading():
                assert one.registry.recorders.readers == MAX_READERS
            for reader in readers[1:]:
                reader.__exit__(None, None, None)

    asyncio.run(body())
