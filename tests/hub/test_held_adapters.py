"""hub.registry: what clients hold ends with them, over a driver of plain memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.hub.memory_driver import MemoryDriver, corrupt
from tests.hub.running import LIMIT, Hub, hub, reached, run_passing, soon, times_out
from wintun_api.choices import Ends, EventType, IfExists, SessionState
from wintun_api.errors import AdapterNotFound, DriverError, StorageFailed
from wintun_api.hub import holds
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.holding import Joined

GONE = "Its last client left."


async def adapter(one: Hub, name: str = "A") -> UUID:
    """Create an adapter and return its GUID."""
    return (await one.registry.create_adapter(name, "Test")).info.guid


async def join(
    one: Hub, guid: UUID, ends: Ends = Ends.ADAPTER, grace: float = 0, **more: Any
) -> Joined:
    """Join as a client does, which has no grace period unless told otherwise."""
    return await soon(one.registry.sessions.join(guid, ends=ends, grace=grace, **more))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what could not be ended."""
    monkeypatch.setattr(holds, "RETRIES", (0.0, 0.0, 0.0, 0.0))


def test_an_adapter_ends_with_its_last_client() -> None:
    """Its session ends with the reason, the device is gone, and nothing is known of it."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            joined = await join(one, guid)
            assert joined.started
            shown = joined.session.view().hold
            assert shown is not None
            assert (shown.holders, shown.ends) == (1, Ends.ADAPTER)
            joined.leave()
            ended = await one.event(EventType.SESSION_ENDED)
            assert ended.reason == GONE
            await one.event(EventType.ADAPTER_DELETED)
            assert one.driver.devices == {}
            assert not one.registry.sessions
            assert one.registry.known_adapters() == []
            assert one.driver.calls.count("delete_adapter") == 1

    asyncio.run(body())


def test_a_session_ends_with_its_last_client() -> None:
    """The adapter stays, and the session that has ended says why."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            joined = await join(one, guid, Ends.SESSION)
            joined.leave()
            await one.event(EventType.SESSION_ENDED)
            assert joined.session.view().reason == GONE
            assert (await one.registry.adapter(guid)).session is None
            assert one.driver.find("A") is not None

    asyncio.run(body())


def test_a_session_that_others_started_stays() -> None:
    """A client with ends=session joins it and goes; nothing ends and nothing is told."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            joined = await join(one, session.adapter, Ends.SESSION)
            assert (joined.session, joined.started) == (session, False)
            joined.leave()
            await one.registry.update_adapter(session.adapter, name="B")
            event = await one.event(EventType.ADAPTER_CHANGED)
            assert event.session == session.id
            assert session.state is SessionState.RUNNING

    asyncio.run(body())


def test_a_session_that_a_client_started_without_holding_stays() -> None:
    """With ends=nothing it is as if POST /v1/sessions had started it."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            first = await join(one, guid, Ends.NOTHING)
            second = await join(one, guid, Ends.SESSION)
            assert (first.started, second.started) == (True, False)
            second.leave()
            first.leave()
            await one.registry.update_adapter(guid, name="B")
            await one.event(EventType.ADAPTER_CHANGED)
            assert first.session.state is SessionState.RUNNING

    asyncio.run(body())


def test_two_clients_at_the_same_moment_share_a_session() -> None:
    """One of them has started it."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            both = await asyncio.gather(*[join(one, guid) for _ in range(8)])
            assert len({joined.session for joined in both}) == 1
            assert [joined.started for joined in both].count(True) == 1
            for joined in both:
                joined.leave()
            await one.event(EventType.ADAPTER_DELETED)

    asyncio.run(body())


def test_a_client_that_joins_while_the_session_ends() -> None:
    """It waits for the end and starts a new session."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session()
            with one.driver.hold("end_session") as gate:
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await reached(gate)
                late = asyncio.ensure_future(join(one, session.adapter))
                gate.open()
                await soon(end)
                joined = await soon(late)
            assert joined.started
            assert joined.session is not session
            assert joined.session.state is SessionState.RUNNING

    asyncio.run(body())


def test_a_client_that_comes_back_while_the_session_ends() -> None:
    """It gets a new session, which then ends with it."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            first = await join(one, guid, Ends.SESSION)
            with one.driver.hold("end_session") as gate:
                first.leave()
                await reached(gate)
                back = asyncio.ensure_future(join(one, guid, Ends.SESSION))
                gate.open()
                second = await soon(back)
            assert second.started
            second.leave()
            await one.event(
                EventType.SESSION_ENDED, lambda session: session.id == second.session.id
            )

    asyncio.run(body())


def test_a_client_that_comes_back_before_the_deletion_has_its_turn() -> None:
    """A join that waits for the same adapter is served first, and nothing is deleted."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            first = await join(one, guid)
            with one.driver.hold("set_mtu") as gate:
                from wintun_api.hub.network import NetworkSettings

                change = asyncio.ensure_future(
                    one.registry.update_adapter(guid, settings=NetworkSettings(mtu=1300))
                )
                await reached(gate)
                back = asyncio.ensure_future(join(one, guid))
                first.leave()
                await one.event(EventType.SESSION_ABANDONED)
                gate.open()
                await soon(change)
                second = await soon(back)
            await one.registry.update_adapter(guid, name="B")  # behind the deletion's turn
            assert second.session is first.session
            assert one.driver.calls.count("delete_adapter") == 0

    asyncio.run(body())


@pytest.mark.parametrize("way", ["open", "if_exists"])
def test_a_program_that_starts_again_opens_its_adapter(way: str) -> None:
    """It gets a whole grace period in which to connect."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            (await join(one, guid, grace=3600)).leave()
            first = await one.event(EventType.SESSION_ABANDONED)
            if way == "open":
                await one.registry.open_adapter("A", "Test")
            else:
                await one.registry.provide_adapter("A", "Test", if_exists=IfExists.OPEN)
            second = await one.event(EventType.SESSION_ABANDONED)
            assert second.ends_at_ns > first.ends_at_ns
            await one.registry.provide_adapter("A", "Test", if_exists=IfExists.REPLACE)
            session = await one.registry.sessions.start(guid)
            assert session.view().hold is None

    asyncio.run(body())


def test_a_client_that_comes_during_the_deletion_finds_no_adapter() -> None:
    """What was begun is completed."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            first = await join(one, guid)
            with one.driver.hold("delete_adapter") as gate:
                first.leave()
                await reached(gate)
                back = asyncio.ensure_future(join(one, guid))
                gate.open()
                with pytest.raises(AdapterNotFound):
                    await soon(back)

    asyncio.run(body())


@pytest.mark.usefixtures("quick")
def test_a_deletion_that_fails_is_told_and_tried_again() -> None:
    """Each failure is an event; the adapter is gone in the end."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            one.driver.fail("delete_adapter", *[DriverError("DeleteAdapter", 5)] * 2)
            (await join(one, guid)).leave()
            for _ in range(2):
                failure = await one.event(EventType.OPERATION_FAILED)
                assert (failure.operation, failure.adapter) == ("delete_adapter", guid)
            await one.event(EventType.ADAPTER_DELETED)
            assert one.driver.devices == {}

    asyncio.run(body())


@pytest.mark.usefixtures("quick")
def test_a_deletion_that_always_fails_is_given_up() -> None:
    """The adapter stays, is not held any more, and can be held anew."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            errors = [DriverError("DeleteAdapter", 5)] * (len(holds.RETRIES) + 1)
            one.driver.fail("delete_adapter", *errors)
            (await join(one, guid)).leave()
            for _ in errors:
                await one.event(EventType.OPERATION_FAILED)
            await one.registry.update_adapter(guid, name="B")
            again = await join(one, guid)
            assert again.started
            again.leave()
            await one.event(EventType.ADAPTER_DELETED)
            assert one.driver.calls.count("delete_adapter") == len(errors) + 1

    asyncio.run(body())


@pytest.mark.usefixtures("quick")
def test_a_slow_deletion_goes_on() -> None:
    """It takes longer than requests wait; it happens once, and without a failure."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            guid = await adapter(one)
            joined = await join(one, guid)
            with one.driver.hold("delete_adapter") as gate:
                joined.leave()
                await reached(gate)
                await times_out(join(one, guid), gate)
                gate.open()
                await one.event(EventType.ADAPTER_DELETED)
            assert one.driver.calls.count("delete_adapter") == 1
            told = one.registry.events.subscribe(0)[0]
            kinds = [event.type for event in await soon(told.next())]
            assert EventType.OPERATION_FAILED not in kinds

    run_passing(body())


def test_a_start_that_outlives_its_request_is_given_back() -> None:
    """The session starts after the client was refused with 504, so it ends."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            guid = await adapter(one)
            with one.driver.hold("start_session") as gate:
                await times_out(join(one, guid, Ends.SESSION), gate)
                gate.open()
                await one.event(EventType.SESSION_STARTED)
            ended = await one.event(EventType.SESSION_ENDED)
            assert ended.reason == GONE

    run_passing(body())


def test_a_start_that_fails_holds_nothing(tmp_path: Path) -> None:
    """The adapter is not on the disk, and stays."""

    async def body() -> None:
        path = tmp_path / "holds.json"
        async with hub(held=HoldMemory(path)) as one:
            guid = await adapter(one)
            one.driver.fail("start_session", DriverError("StartSession", 8))
            with pytest.raises(DriverError):
                await join(one, guid)
            assert HoldMemory(path).held == {}
            await one.registry.update_adapter(guid, name="B")
            assert one.driver.calls.count("delete_adapter") == 0

    asyncio.run(body())


def test_a_full_disk_refuses_to_hold_an_adapter(tmp_path: Path) -> None:
    """Nothing is started then, because a restart could not keep the promise."""

    def full(_path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    async def body() -> None:
        async with hub(held=HoldMemory(tmp_path / "holds.json", full)) as one:
            guid = await adapter(one)
            with pytest.raises(StorageFailed):
                await join(one, guid)
            assert one.driver.calls.count("start_session") == 0
            (await join(one, guid, Ends.SESSION)).leave()  # which needs no file

    asyncio.run(body())


@pytest.mark.parametrize("way", ["DELETE", "corrupt", "gone"])
@pytest.mark.parametrize("ends", [Ends.SESSION, Ends.ADAPTER])
def test_a_session_that_ends_before_its_clients(ends: Ends, way: str) -> None:
    """An adapter is deleted after its clients nevertheless; a session needs no more."""

    async def body() -> None:
        async with hub() as one:
            guid = await adapter(one)
            joined = await join(one, guid, ends)
            ring = one.ring()
            if way == "DELETE":
                await one.registry.sessions.end(joined.session.id)
            elif way == "corrupt":
                ring.deliver(corrupt())
                await one.event(EventType.SESSION_RESTARTED)
                one.ring().deliver(corrupt())
                await one.event(EventType.SESSION_FAILED)
            else:
                one.driver.device("A").remove()
                await one.event(EventType.SESSION_ENDED)
                one.driver.changed()
                await one.event(EventType.ADAPTER_DELETED)
            joined.leave()
            deletions = 0
            if way != "gone" and ends is Ends.ADAPTER:
                await one.event(EventType.ADAPTER_DELETED)
                deletions = 1
            assert one.driver.calls.count("delete_adapter") == deletions
            assert (guid in one.driver.devices) == (way != "gone" and ends is Ends.SESSION)

    asyncio.run(body())


@pytest.mark.parametrize("way", ["delete", "release", "pool", "others"])
def test_the_hold_ends_with_the_adapter(tmp_path: Path, way: str) -> None:
    """An adapter of the same GUID that is made later is not held, in memory and on the disk."""

    async def body() -> None:
        path = tmp_path / "holds.json"
        async with hub(held=HoldMemory(path)) as one:
            guid = await adapter(one)
            joined = await join(one, guid, grace=3600)
            assert HoldMemory(path).held == {guid: 3600}
            joined.leave()
            shown = joined.session.view().hold
            assert shown is not None
            assert shown.ends_at_ns is not None
            if way == "delete":
                await one.registry.delete_adapter(guid)
            elif way == "release":
                await one.registry.sessions.end(joined.session.id)
                await one.registry.release_adapter(guid)
            elif way == "pool":
                await one.registry.delete_pool("Test")
            else:
                one.driver.device("A").remove()
                one.driver.changed()
                await one.event(EventType.ADAPTER_DELETED)
            shown = joined.session.view().hold
            assert shown is not None
            assert (shown.ends, shown.ends_at_ns) == (Ends.NOTHING, None)
            if way != "release":
                view = await one.registry.create_adapter("A", "Test", guid)
                assert view.info.guid == guid
            again = await join(one, guid, Ends.SESSION)
            again.leave()
            await one.event(EventType.SESSION_ENDED, lambda end: end.id == again.session.id)
        assert HoldMemory(path).held == {}
        assert one.driver.find("A") is not None

    asyncio.run(body())


def test_a_restart_gives_a_grace_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the end in order the adapter is there; without clients it is deleted after it."""
    monkeypatch.setattr(holds, "RETURN", 0.0)

    async def body() -> None:
        path, driver = tmp_path / "holds.json", MemoryDriver()
        async with hub(over=driver, held=HoldMemory(path)) as one:
            guid = await adapter(one)
            joined = await join(one, guid)
            await one.registry.stop()
            joined.leave()
        assert guid in driver.devices
        assert HoldMemory(path).held == {guid: 0}
        async with hub(over=driver, held=HoldMemory(path)) as one:
            await one.registry.adapters()  # before the service answers, no time passes
            await one.registry.restore_holds()
            abandoned = await one.event(EventType.SESSION_ABANDONED)
            assert (abandoned.session, abandoned.adapter) == (None, guid)
            await one.event(EventType.ADAPTER_DELETED)
        assert driver.devices == {}
        assert HoldMemory(path).held == {}

    asyncio.run(body())


def test_a_client_that_comes_back_after_a_restart(tmp_path: Path) -> None:
    """It starts the session, and the adapter is deleted only after it."""

    async def body() -> None:
        path, driver = tmp_path / "holds.json", MemoryDriver()
        device = driver.add("A")
        guid = device.info.guid
        await HoldMemory(path).add(guid, 1)
        async with hub(over=driver, held=HoldMemory(path)) as one:
            await one.registry.restore_holds()
            joined = await join(one, guid, Ends.SESSION)
            await one.event(EventType.SESSION_REJOINED)
            shown = joined.session.view().hold
            assert shown is not None
            assert (shown.ends, shown.ends_at_ns) == (Ends.ADAPTER, None)

    asyncio.run(body())


def test_an_adapter_that_did_not_survive_is_forgotten(tmp_path: Path) -> None:
    """With Wintun 0.14 it is gone with the service; one that is made anew is not held."""

    async def body() -> None:
        path, driver = tmp_path / "holds.json", MemoryDriver()
        other = driver.add("B").info.guid
        async with hub(over=driver, held=HoldMemory(path)) as one:
            guid = await adapter(one)
            await join(one, guid, grace=0)
        driver.devices.pop(guid)
        await HoldMemory(path).add(other, 3600)
        memory = HoldMemory(path)
        assert set(memory.held) == {guid, other}
        async with hub(over=driver, held=memory) as one:
            made = await one.registry.create_adapter("A", "Test", guid)
            await one.registry.restore_holds()
            abandoned = await one.event(EventType.SESSION_ABANDONED)
            assert abandoned.adapter == other
            assert set(memory.held) == {other}
            assert made.info.guid in driver.devices

    asyncio.run(body())


def test_a_driver_that_cannot_list_at_first(tmp_path: Path) -> None:
    """What was held is restored by the first reading that succeeds."""

    async def body() -> None:
        path, driver = tmp_path / "holds.json", MemoryDriver()
        guid = driver.add("A").info.guid
        await HoldMemory(path).add(guid, 60)
        async with hub(over=driver, held=HoldMemory(path)) as one:
            driver.fail("adapters", DriverError("EnumAdapters", 31))
            await one.registry.restore_holds()
            assert HoldMemory(path).held == {guid: 60}
            await one.registry.adapters()
            assert (await one.event(EventType.SESSION_ABANDONED)).adapter == guid

    asyncio.run(body())
