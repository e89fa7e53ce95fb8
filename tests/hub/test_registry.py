"""hub.registry: adapters and sessions by id, over a driver of plain memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.hub.memory_driver import Device, MemoryDriver, corrupt
from tests.hub.running import (
    LIMIT,
    PATIENCE,
    Hub,
    Reader,
    hub,
    reached,
    registry_over,
    run_passing,
    soon,
    times_out,
)
from wintun_api.choices import EventType, SessionState
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverBusy,
    DriverError,
    ServiceStopping,
)
from wintun_api.hub import ending, sessions, threads
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.network import NetworkSettings


def test_a_created_adapter_is_listed_and_told() -> None:
    """It is managed, it is in the list, and it is one event."""

    async def body() -> None:
        async with hub() as one:
            view = await one.registry.create_adapter("A", "Test")
            listed, age = await one.registry.adapters()
            assert (listed, age < 1) == ([view], True)
            assert view.managed
            assert await one.event(EventType.ADAPTER_CREATED) == view

    asyncio.run(body())


def test_several_adapters_are_looked_up_in_one_reading() -> None:
    """The driver lists its adapters once for all of them, and one that is missing is refused."""

    async def body() -> None:
        async with hub() as one:
            guids = [(await one.registry.create_adapter(name, "Test")).info.guid for name in "ABC"]
            one.driver.calls.clear()
            await one.registry.require(guids[0])
            reading = one.driver.calls.copy()
            assert "adapters" in reading
            await one.registry.require(*guids)
            assert one.driver.calls == 2 * reading
            with pytest.raises(AdapterNotFound):
                await one.registry.require(*guids, uuid4())

    asyncio.run(body())


def test_settings_that_fail_take_the_adapter_back() -> None:
    """An adapter is created with its settings or not at all."""

    async def body() -> None:
        async with hub() as one:
            one.driver.fail("set_mtu", DriverError("SetMtu", 87))
            with pytest.raises(DriverError):
                await one.registry.create_adapter("A", "Test", settings=NetworkSettings(mtu=1280))
            assert one.driver.devices == {}
            assert (await one.registry.adapters())[0] == []

    asyncio.run(body())


def test_two_creations_of_one_name() -> None:
    """Of two at the same time one succeeds, and the other one leaves nothing."""

    async def body() -> None:
        async with hub() as one:
            results = await asyncio.gather(
                one.registry.create_adapter("A", "Test", uuid4()),
                one.registry.create_adapter("a", "Test", uuid4()),
                return_exceptions=True,
            )
            assert [type(result).__name__ for result in results].count("AdapterExists") == 1
            assert any(isinstance(result, AdapterExists) for result in results)
            assert len(one.driver.devices) == 1

    asyncio.run(body())


def test_operations_on_one_adapter_come_one_by_one() -> None:
    """A deletion waits for the change before it, and a change behind it finds no adapter."""

    async def body() -> None:
        async with hub() as one:
            guid = (await one.registry.create_adapter("A", "Test")).info.guid
            with one.driver.hold("set_mtu") as gate:
                mtu = NetworkSettings(mtu=1280)
                change = asyncio.ensure_future(one.registry.update_adapter(guid, settings=mtu))
                await reached(gate)
                delete = asyncio.ensure_future(one.registry.delete_adapter(guid))
                late = asyncio.ensure_future(one.registry.update_adapter(guid, name="B"))
                gate.open()
                assert (await soon(change)).info.mtu == 1280
                assert await soon(delete) is False
                with pytest.raises(AdapterNotFound):
                    await soon(late)

    asyncio.run(body())


def test_operations_on_two_adapters_do_not_wait_for_each_other_s_lock() -> None:
    """While the session of one adapter hangs in the driver, another adapter is deleted."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            other = await one.registry.create_adapter("B", "Test")
            with one.driver.hold("end_session") as gate:
                end = asyncio.ensure_future(one.registry.sessions.end(session.id))
                await reached(gate)
                assert await soon(one.registry.delete_adapter(other.info.guid)) is False
                gate.open()
                await soon(end)

    asyncio.run(body())


def test_a_list_while_the_driver_is_busy_is_the_last_one() -> None:
    """Readers are not held up by a call that hangs: they get what was read before, and its age."""

    async def body() -> None:
        async with hub() as one:
            await one.registry.create_adapter("A", "Test")
            before, _ = await one.registry.adapters()
            with one.driver.hold("create_adapter") as gate:
                create = asyncio.ensure_future(one.registry.create_adapter("B", "Test"))
                await reached(gate)
                listed, _ = await soon(one.registry.adapters())
                assert listed == before
                assert (await soon(one.registry.adapter(before[0].info.guid))) == before[0]
                gate.open()
                await soon(create)

    asyncio.run(body())


def test_a_hung_call_answers_and_succeeds_late() -> None:
    """The request is answered when its time is over; the adapter is there when the call is done."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            with one.driver.hold("create_adapter") as gate:
                error = await times_out(one.registry.create_adapter("A", "Test"), gate)
                assert error.call == "create_adapter"
                gate.open()
                view = await one.event(EventType.ADAPTER_CREATED)
                assert view.info.name == "A"

    run_passing(body())


def test_a_hung_call_that_fails_late_is_an_event() -> None:
    """Nobody waits for the error any more, so it is published."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            with one.driver.hold("create_adapter") as gate:
                one.driver.fail("create_adapter", DriverError("CreateAdapter", 31))
                await times_out(one.registry.create_adapter("A", "Test"), gate)
                gate.open()
                failure = await one.event(EventType.ADAPTER_CREATE_FAILED)
                assert (failure.name, failure.error.code) == ("A", 31)

    run_passing(body())


def test_an_operation_that_waited_in_vain_is_withdrawn() -> None:
    """What never got its turn is not done later."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            session, _ = await one.session("A")
            guid = session.adapter
            with one.driver.hold("set_mtu") as gate:
                await times_out(
                    one.registry.update_adapter(guid, settings=NetworkSettings(mtu=1280)), gate
                )
                error = await times_out(one.registry.delete_adapter(guid), gate)
                assert "cancelled without effect" in str(error)
                gate.open()
                await one.event(EventType.ADAPTER_CHANGED, lambda view: view.info.mtu == 1280)
            assert guid in one.driver.devices
            assert session.state is SessionState.RUNNING

    run_passing(body())


def test_a_deleted_adapter_takes_its_session_with_it() -> None:
    """The session ends first, and says why."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            await one.registry.delete_adapter(session.adapter)
            view = await one.event(EventType.SESSION_ENDED)
            assert (view.id, view.reason) == (session.id, "Its adapter was deleted.")
            await one.event(EventType.ADAPTER_DELETED)
            assert not one.registry.sessions
            assert one.driver.calls.index("end_session") < one.driver.calls.index("delete_adapter")

    asyncio.run(body())


def test_devices_of_others_appear_and_disappear() -> None:
    """What other programs do is an event each; a device that is gone has its handle given back."""

    async def body() -> None:
        async with hub() as one:
            await one.registry.create_adapter("Own", "Test")
            await one.registry.adapters()  # what is found first is no event
            device = one.driver.add("Other")
            one.driver.changed()
            created = await one.event(
                EventType.ADAPTER_CREATED, lambda view: view.info.name == "Other"
            )
            assert not created.managed
            device.info = replace(device.info, mtu=9000)
            one.driver.changed()
            assert (await one.event(EventType.ADAPTER_CHANGED)).info.mtu == 9000
            one.driver.device("Own").remove()
            one.driver.changed()
            gone = await one.event(EventType.ADAPTER_DELETED)
            assert gone.info.name == "Own"
            assert [handle.closed for handle in one.driver.handles] == [1]

    asyncio.run(body())


def test_a_pool_is_deleted_with_its_members() -> None:
    """Their sessions end, and adapters of other pools stay."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            other = await one.registry.create_adapter("B", "Other")
            assert await one.registry.delete_pool("Test") is False
            view = await one.event(EventType.SESSION_ENDED)
            assert (view.id, view.reason) == (session.id, "Its pool was deleted.")
            listed, _ = await one.registry.adapters()
            assert [view.info.guid for view in listed] == [other.info.guid]

    asyncio.run(body())


def test_a_name_that_another_device_has_now_is_not_opened() -> None:
    """A request for a GUID never reaches the device that another program made of its name."""

    async def body() -> None:
        async with hub() as one:
            old = one.driver.add("A")
            await one.registry.adapters()
            old.remove()
            one.driver.add("A")
            with pytest.raises(AdapterNotFound):
                await one.registry.sessions.start(old.info.guid)
            assert [handle.closed for handle in one.driver.handles] == [1]
            assert one.driver.device("A").session is None

    asyncio.run(body())


def test_an_adapter_that_cannot_be_read_is_not_left_open() -> None:
    """When opening fails half way, the handle is given back."""

    async def body() -> None:
        async with hub() as one:
            one.driver.add("A")
            one.driver.fail("read_adapter", DriverError("ReadAdapter", 31))
            with pytest.raises(DriverError):
                await one.registry.open_adapter("A", "Test")
            assert [handle.closed for handle in one.driver.handles] == [1]

    asyncio.run(body())


def test_two_requests_that_open_one_adapter() -> None:
    """One handle is kept, and the other one is given back; with a session just the same."""

    async def body() -> MemoryDriver:
        async with hub() as one:
            guid = one.driver.add("A").info.guid
            await one.registry.adapters()
            views = await asyncio.gather(
                one.registry.open_adapter("A", "Test"),
                one.registry.sessions.start(guid),
                one.registry.open_adapter("A", "Test"),
            )
            assert views[0].info.guid == guid
            assert sorted(handle.closed for handle in one.driver.handles)[:1] == [0]
            assert sum(handle.closed for handle in one.driver.handles) == (
                len(one.driver.handles) - 1
            )
            return one.driver

    driver = asyncio.run(body())
    assert {handle.closed for handle in driver.handles} == {1}


def test_an_adapter_takes_the_place_of_one_that_is_gone() -> None:
    """With the GUID of a device whose session still ends, it is another adapter: two events."""

    async def body() -> None:
        async with hub() as one:
            session, _ = await one.session("A")
            guid = session.adapter
            with one.driver.hold("quiesce") as gate:
                one.driver.device("A").remove()
                await reached(gate)
                view = await one.registry.create_adapter("A", "Test", guid)
                assert (view.info.guid, view.session) == (guid, None)
                await one.event(EventType.ADAPTER_DELETED)
                assert await one.event(EventType.ADAPTER_CREATED) == view
                assert one.registry.sessions.by_id(session.id).state is SessionState.ENDING
                gate.open()
                await one.event(EventType.SESSION_ENDED)
            assert (await one.registry.adapter(guid)) == view
            assert (await one.registry.sessions.start(guid)).state is SessionState.RUNNING

    asyncio.run(body())


def test_a_creation_and_a_deletion_of_one_name() -> None:
    """In any order at the same time, the registry has in the end what the driver has."""

    async def body() -> None:
        async with hub() as one:
            guid = (await one.registry.create_adapter("A", "Test")).info.guid
            for _ in range(10):
                await asyncio.gather(
                    one.registry.delete_adapter(guid),
                    one.registry.create_adapter("A", "Test"),
                    one.registry.delete_adapter(guid),
                    one.registry.adapters(),
                    return_exceptions=True,
                )
                listed, _ = await one.registry.adapters()
                assert [view.info.guid for view in listed] == list(one.driver.devices)
                if not listed:
                    await one.registry.create_adapter("A", "Test")

    asyncio.run(body())


NAMES = ["A", "B", "C"]
acts = st.tuples(
    st.sampled_from(["create", "open", "delete", "list", "add", "remove", "rename", "retune"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=14))
@example([("add", "A", "A"), ("open", "A", "A")])
def test_events_are_the_differences(sequence: list[tuple[str, str, str]]) -> None:
    """Whatever is done here and outside, whoever adds up the events knows what the driver has."""
    asyncio.run(_add_up(sequence))


async def _add_up(sequence: list[tuple[str, str, str]]) -> None:
    async with hub() as one:
        await one.registry.adapters()  # what is found first is no event
        for act, name, other in sequence:
            device = one.driver.find(name)
            with suppress(AdapterExists, AdapterNotFound):
                if act == "create":
                    await one.registry.create_adapter(name, "Test")
                elif act == "open":
                    await one.registry.open_adapter(name, "Test")
                elif act == "list":
                    await one.registry.adapters(None if name == "A" else "Test")
                elif act == "add" and device is None:
                    one.driver.add(name)
                elif device is not None:
                    await _alter(one, device, act, other)
        listed, _ = await one.registry.adapters()
        assert {view.info.guid for view in listed} == set(one.driver.devices)
        assert len({view.info.guid for view in listed}) == len(listed)
        one.registry.events.close()
        known: dict[UUID, AdapterView] = {}
        for event in await soon(one.subscription.next()):
            view = event.data
            assert (view.info.guid in known) is (event.type is not EventType.ADAPTER_CREATED)
            known[view.info.guid] = view
            if event.type is EventType.ADAPTER_DELETED:
                del known[view.info.guid]
        assert known == {view.info.guid: view for view in listed}


async def _alter(one: Hub, device: Device, act: str, other: str) -> None:
    if act == "delete":
        await one.registry.delete_adapter(device.info.guid)
    elif act == "remove":
        device.remove()
    elif act == "rename" and one.driver.find(other) is None:
        device.info = replace(device.info, name=other)
    elif act == "retune":
        device.info = replace(device.info, mtu=(device.info.mtu or 0) + 1)


async def _idle(one: Hub) -> None:
    await one.registry.create_adapter("A", "Test")


async def _running(one: Hub) -> None:
    session, ring = await one.session()
    Reader(session)
    ring.deliver(b"\x45" + bytes(27))


async def _failed(one: Hub) -> None:
    _, ring = await one.session()
    ring.deliver(DriverError("ReceivePacket", 87))
    await one.event(EventType.SESSION_FAILED)


async def _ended(one: Hub) -> None:
    session, _ = await one.session()
    await session.end()


async def _ending(one: Hub) -> None:
    session, _ = await one.session()
    with one.driver.hold("quiesce") as gate:
        asyncio.ensure_future(one.registry.sessions.end(session.id))  # noqa: RUF006
        await reached(gate)


async def _closing(one: Hub) -> None:
    session, _ = await one.session()
    with one.driver.hold("end_session") as gate:
        asyncio.ensure_future(one.registry.sessions.end(session.id))  # noqa: RUF006
        await reached(gate)


async def _restarting(one: Hub) -> None:
    _, ring = await one.session()
    with one.driver.hold("start_session") as gate:
        ring.deliver(corrupt())
        await reached(gate)
        asyncio.get_running_loop().call_soon(gate.open)


async def _starting(one: Hub) -> None:
    view = await one.registry.create_adapter("A", "Test")
    with one.driver.hold("start_session") as gate:
        start = asyncio.ensure_future(one.registry.sessions.start(view.info.guid))
        await reached(gate)
        asyncio.get_running_loop().call_soon(gate.open)
        start.add_done_callback(lambda done: done.exception())


STATES = [_idle, _starting, _running, _restarting, _ending, _closing, _ended, _failed]


@pytest.mark.parametrize("state", STATES)
def test_a_stop_in_each_state_leaves_nothing(state: Callable[[Hub], Awaitable[None]]) -> None:
    """Wherever a session is in its life, the stop ends it, gives back the handle, and returns."""

    async def body() -> MemoryDriver:
        async with hub() as one:
            await state(one)
            await soon(one.registry.stop())
            with pytest.raises(ServiceStopping):
                await one.registry.create_adapter("B", "Test")
            return one.driver

    driver = asyncio.run(body())
    assert [device.session for device in driver.devices.values()] == [None]
    assert [handle.closed for handle in driver.handles] == [1]
    assert driver.calls[-1] == "close_driver"
    assert driver.watcher is None


def test_a_stop_does_not_wait_for_a_call_that_hangs() -> None:
    """The service ends though the driver does not come back."""

    async def body() -> None:
        driver = MemoryDriver()
        one = registry_over(driver)
        with driver.hold("create_adapter") as gate:
            create = asyncio.ensure_future(one.create_adapter("A", "Test"))
            assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
            await soon(one.stop())
            with pytest.raises(ServiceStopping):
                await soon(create)
            assert not gate.opened.is_set()

    asyncio.run(body())


def test_a_stop_leaves_the_handle_that_a_hung_call_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session whose end hangs does not hold up the stop, and its adapter is not closed."""
    monkeypatch.setattr(ending, "DRIVER_PATIENCE", 0.01)
    monkeypatch.setattr(sessions, "ENDING_PATIENCE", 0.05)

    async def body() -> None:
        driver = MemoryDriver()
        one = registry_over(driver)
        session = await one.sessions.start((await one.create_adapter("A", "Test")).info.guid)
        await one.create_adapter("B", "Test")
        with driver.hold("end_session"):
            await soon(one.stop())
            assert session.state is SessionState.ENDING
            assert [handle.closed for handle in driver.handles] == [0, 1]
            assert driver.calls[-1] == "close_driver"

    asyncio.run(body())


def test_a_hung_call_is_told_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an event and in the view of the driver while it hangs; then all is as before."""
    monkeypatch.setattr(threads, "SLOW_AFTER", 0.01)

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            with one.driver.hold("delete_driver") as gate:
                assert "delete_driver" in str(await times_out(one.registry.delete_driver(), gate))
                assert (await one.event(EventType.DRIVER_SLOW)).call == "delete_driver"
                assert [call.call for call in (await one.registry.driver_view()).calls] == [
                    "delete_driver"
                ]
                await times_out(one.registry.create_adapter("A", "Test"), gate)
                gate.open()
            late: dict[EventType, Any] = {}
            while {EventType.OPERATION_DONE, EventType.ADAPTER_CREATED} - set(late):
                late |= {event.type: event.data for event in await soon(one.subscription.next())}
            assert late[EventType.OPERATION_DONE].operation == "delete_driver"
            assert late[EventType.ADAPTER_CREATED].info.name == "A"
            assert (await one.registry.driver_view()).calls == ()
            assert (await one.registry.create_adapter("B", "Test")).managed

    run_passing(body())


def test_a_list_says_how_old_it_is() -> None:
    """While a call hangs, every reader gets the same reading; afterwards they get a new one."""

    async def body() -> None:
        async with hub() as one:
            await one.registry.create_adapter("A", "Test")
            await one.registry.adapters()
            with one.driver.hold("create_adapter") as gate:
                create = asyncio.ensure_future(one.registry.create_adapter("B", "Test"))
                await reached(gate)
                calls = list(one.driver.calls)
                answers = await soon(asyncio.gather(*[one.registry.adapters() for _ in range(20)]))
                ages = [age for _, age in answers]
                assert ages == sorted(ages)
                assert len({tuple(view.info.name for view in views) for views, _ in answers}) == 1
                assert one.driver.calls == calls
                gate.open()
                await soon(create)
            since = time.monotonic()
            listed, age = await one.registry.adapters()
            assert (len(listed), age <= time.monotonic() - since) == (2, True)

    asyncio.run(body())


def test_waiting_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a call that hangs only so many others wait; the next one is refused at once."""
    monkeypatch.setattr(threads, "MAX_WAITING", 3)

    async def body() -> None:
        async with hub() as one:
            with one.driver.hold("create_adapter") as gate:
                waiting = [
                    asyncio.ensure_future(one.registry.create_adapter(name, "Test"))
                    for name in "ABC"
                ]
                await reached(gate)
                with pytest.raises(DriverBusy) as caught:
                    await soon(one.registry.create_adapter("D", "Test"))
                assert caught.value.call == "create_adapter"
                gate.open()
                await soon(asyncio.gather(*waiting))
            assert {one.info.name for one in one.driver.devices.values()} == set("ABC")

    asyncio.run(body())
