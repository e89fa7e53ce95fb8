"""hub.sessions: sessions by id, who may start one, and what is left of one that ended."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.running import LIMIT, hub, run_passing, times_out
from wintun_api.choices import EventType, SessionState
from wintun_api.errors import DriverError, SessionExists, SessionNotFound
from wintun_api.hub import sessions


def test_an_adapter_has_one_session() -> None:
    """The second start is refused and names the first; after its end another one starts."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            with pytest.raises(SessionExists, match=session.id):
                await one.registry.sessions.start(session.adapter)
            with pytest.raises(SessionExists):
                await one.registry.release_adapter(session.adapter)
            await one.registry.sessions.end(session.id)
            with pytest.raises(SessionNotFound):
                one.registry.sessions.by_id(session.id)
            assert (await one.registry.sessions.start(session.adapter)).id != session.id

    asyncio.run(body())


def test_a_session_that_ended_by_itself_can_be_asked_why() -> None:
    """It stays in the list, though its adapter is gone, until it is deleted."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            one.driver.device("A").remove()
            await one.event(EventType.SESSION_ENDED)
            await one.event(EventType.ADAPTER_DELETED)
            assert one.registry.sessions.by_id(session.id).view().reason == "The adapter is gone."
            await one.registry.sessions.end(session.id)
            assert not one.registry.sessions

    asyncio.run(body())


def test_ended_sessions_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that ended by themselves the oldest are forgotten first."""
    monkeypatch.setattr(sessions, "MAX_ENDED_SESSIONS", 3)

    async def body() -> None:
        async with hub() as one:
            ids = []
            for number in range(5):
                session, _ = await one.session(f"A{number}")
                ids.append(session.id)
                one.driver.device(f"A{number}").remove()
                await one.event(EventType.SESSION_ENDED)
                await one.event(EventType.ADAPTER_DELETED)
            kept = [session.id for session in one.registry.sessions]
            assert kept == ids[1:]  # trimmed when the next one starts, so the last is one more

    asyncio.run(body())


def test_an_end_that_hangs_is_answered_and_done_later() -> None:
    """The session is forgotten once the driver has ended it, and the adapter is free again."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            session, _ = await one.session("A")
            with one.driver.hold("end_session") as gate:
                error = await times_out(one.registry.sessions.end(session.id), gate)
                assert error.call == "end_session"
                assert one.registry.sessions.by_id(session.id).state is SessionState.ENDING
                with pytest.raises(SessionExists):
                    await one.registry.sessions.start(session.adapter)
                gate.open()
                assert (await one.event(EventType.SESSION_ENDED)).id == session.id
            assert (await one.registry.sessions.start(session.adapter)).id != session.id
            assert [one.id for one in one.registry.sessions] != [session.id]

    run_passing(body())


def test_an_end_that_fails_late_is_an_event() -> None:
    """A driver that cannot end the session leaves it failed, with the reason."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            one.driver.fail("end_session", DriverError("EndSession", 31))
            view = await one.registry.sessions.end(session.id)
            assert (view.state, view.code) == (SessionState.FAILED, 31)
            assert not one.registry.sessions

    asyncio.run(body())
