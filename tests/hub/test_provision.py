"""hub.provision: an adapter of a name is created, opened or replaced, in one turn."""

from __future__ import annotations

import asyncio
import gc
import weakref
from ipaddress import ip_interface
from uuid import UUID, uuid4

import pytest

from tests.hub.memory_driver import MemoryDriver
from tests.hub.running import LIMIT, Hub, hub, reached, run_passing, soon, times_out
from wintun_api.choices import EventType, IfExists, SessionState
from wintun_api.errors import (
    AdapterExists,
    DriverError,
    WintunApiError,
)
from wintun_api.hub.late import LateOutcomes
from wintun_api.hub.management import Management
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.provision import Provided
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.turns import Turns

MTU = NetworkSettings(mtu=1280)
ADDRESSES = NetworkSettings(addresses=(ip_interface("10.6.7.7/24"),))
EXISTING = (IfExists.OPEN, IfExists.REPLACE)


async def provide(
    one: Hub,
    if_exists: IfExists,
    settings: NetworkSettings | None = None,
    *,
    name: str = "A",
    pool: str = "Test",
    guid: UUID | None = None,
) -> Provided:
    """Ask for an adapter."""
    ask = one.registry.provide_adapter(name, pool, guid, settings, if_exists=if_exists)
    return await soon(ask)


def changes(driver: MemoryDriver) -> list[str]:
    """Return the calls so far that changed something."""
    return [call for call in driver.calls if call.startswith(("create_", "delete_", "set_"))]


@pytest.mark.parametrize("if_exists", IfExists)
def test_what_does_not_exist_is_created(if_exists: IfExists) -> None:
    """Whatever is to happen with an existing adapter, a new name is a new adapter."""

    async def body() -> None:
        async with hub() as one:
            made = await provide(one, if_exists, MTU)
            assert (made.opened, made.replaced, made.view.info.mtu) == (False, False, 1280)
            assert await one.event(EventType.ADAPTER_CREATED) == made.view

    asyncio.run(body())


def test_open_changes_what_is_given() -> None:
    """Settings that are given are set, an empty list too; the others and the session stay."""

    async def body() -> None:
        async with hub() as one:
            guid = (await provide(one, IfExists.ERROR, ADDRESSES.merged(MTU))).view.info.guid
            session = await one.registry.sessions.start(guid)
            opened = await provide(one, IfExists.OPEN, NetworkSettings(mtu=1400), name="a")
            assert (opened.opened, opened.view.session) == (True, session.id)
            info = opened.view.info
            assert (info.guid, info.name, info.mtu) == (guid, "A", 1400)
            assert info.addresses == ADDRESSES.addresses
            assert await one.event(EventType.ADAPTER_CHANGED, lambda view: view.info.mtu == 1400)
            cleared = await provide(one, IfExists.OPEN, NetworkSettings(addresses=()))
            assert (cleared.view.info.addresses, cleared.view.info.mtu) == ((), 1400)
            assert session.state is SessionState.RUNNING

    asyncio.run(body())


def test_open_without_settings_changes_nothing() -> None:
    """The second request gets the adapter as it is, without a call that changes it."""

    async def body() -> None:
        async with hub() as one:
            view = (await provide(one, IfExists.OPEN, MTU)).view
            before = changes(one.driver)
            assert await provide(one, IfExists.OPEN) == Provided(view=view, opened=True)
            assert changes(one.driver) == before

    asyncio.run(body())


@pytest.mark.parametrize("known", [False, True])
def test_open_takes_over_what_others_made(known: bool) -> None:
    """An adapter of the system that the service does not manage is opened and managed then."""

    async def body() -> None:
        async with hub() as one:
            device = one.driver.add("A")
            if known:
                await one.registry.adapters()
            opened = await provide(one, IfExists.OPEN, MTU)
            assert (opened.opened, opened.view.managed) == (True, True)
            assert (opened.view.info.guid, device.info.mtu) == (device.info.guid, 1280)

    asyncio.run(body())


def test_an_opening_that_fails_changes_nothing() -> None:
    """The settings before it are set again, and what was not managed is not managed."""

    async def body() -> None:
        async with hub() as one:
            device = one.driver.add("A")
            one.driver.fail("set_addresses", DriverError("SetAddresses", 87))
            with pytest.raises(DriverError) as caught:
                await provide(one, IfExists.OPEN, MTU.merged(ADDRESSES))
            assert caught.value.deleted is None
            assert (device.info.mtu, device.info.addresses) == (1420, ())
            assert not (await one.registry.adapter(device.info.guid)).managed
            assert [handle.closed for handle in one.driver.handles] == [1]

    asyncio.run(body())


def test_open_with_another_guid_is_refused() -> None:
    """An adapter does not change its GUID, so the request can only fail; its own GUID is right."""

    async def body() -> None:
        async with hub() as one:
            guid = (await provide(one, IfExists.ERROR)).view.info.guid
            before = changes(one.driver)
            with pytest.raises(AdapterExists, match=str(guid)) as caught:
                await provide(one, IfExists.OPEN, MTU, guid=uuid4())
            assert "no other GUID" in caught.value.hint
            assert changes(one.driver) == before
            assert (await provide(one, IfExists.OPEN, MTU, guid=guid)).opened

    asyncio.run(body())


def test_replace_ends_the_session_and_creates_anew() -> None:
    """Nothing of the old adapter stays, and each step is an event."""

    async def body() -> None:
        async with hub() as one:
            old = (await provide(one, IfExists.ERROR, MTU)).view.info.guid
            session = await one.registry.sessions.start(old)
            made = await provide(one, IfExists.REPLACE, ADDRESSES)
            assert (made.replaced, made.view.session) == (True, None)
            assert (made.view.info.mtu, made.view.info.addresses) == (1420, ADDRESSES.addresses)
            ended = await one.event(EventType.SESSION_ENDED)
            assert (ended.id, ended.reason) == (session.id, "Its adapter was replaced.")
            assert (await one.event(EventType.ADAPTER_DELETED)).info.guid == old
            assert await one.event(EventType.ADAPTER_CREATED) == made.view
            assert (await one.registry.adapters())[0] == [made.view]

    asyncio.run(body())


def test_replace_of_what_others_made() -> None:
    """An adapter that the service does not manage is opened, to be deleted."""

    async def body() -> None:
        async with hub() as one:
            device = one.driver.add("a")
            made = await provide(one, IfExists.REPLACE, guid=device.info.guid)
            assert (made.replaced, made.view.info.guid) == (True, device.info.guid)
            assert (device.gone, made.view.info.name) == (True, "A")
            assert len(one.driver.devices) == 1

    asyncio.run(body())


@pytest.mark.parametrize("call", ["create_adapter", "set_mtu"])
def test_a_replacement_that_fails_says_what_is_gone(call: str) -> None:
    """The error has the GUID of the adapter that was deleted."""

    async def body() -> None:
        async with hub() as one:
            old = (await provide(one, IfExists.ERROR)).view.info.guid
            one.driver.fail(call, DriverError("Call", 87))
            with pytest.raises(DriverError) as caught:
                await provide(one, IfExists.REPLACE, MTU)
            assert caught.value.deleted == old
            assert one.driver.devices == {}
            assert (await one.registry.adapters())[0] == []

    asyncio.run(body())


def test_a_deletion_that_fails_deletes_nothing() -> None:
    """The old adapter is there, and the error does not say that it was deleted."""

    async def body() -> None:
        async with hub() as one:
            view = (await provide(one, IfExists.ERROR)).view
            one.driver.fail("delete_adapter", DriverError("DeleteAdapter", 5))
            with pytest.raises(DriverError) as caught:
                await provide(one, IfExists.REPLACE)
            assert caught.value.deleted is None
            assert (await one.registry.adapters())[0] == [view]

    asyncio.run(body())


def test_a_guid_in_use_is_refused_before_anything_is_deleted() -> None:
    """The GUID of another adapter cannot be had, so the old adapter stays."""

    async def body() -> None:
        async with hub() as one:
            old = (await provide(one, IfExists.ERROR)).view.info.guid
            other = (await provide(one, IfExists.ERROR, name="B")).view.info.guid
            with pytest.raises(AdapterExists, match=str(other)):
                await provide(one, IfExists.REPLACE, guid=other)
            assert set(one.driver.devices) == {old, other}

    asyncio.run(body())


@pytest.mark.parametrize("if_exists", EXISTING)
def test_a_name_of_another_pool_is_refused(if_exists: IfExists) -> None:
    """The adapter of another pool is not touched, and the hint names its pool."""

    async def body() -> None:
        async with hub() as one:
            device = one.driver.add("A", "Other")
            await one.registry.adapters()
            with pytest.raises(AdapterExists) as caught:
                await provide(one, if_exists, MTU)
            assert "'Other'" in caught.value.hint
            assert (device.gone, device.info.mtu) == (False, 1420)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("if_exists", "call"), [(IfExists.OPEN, "set_mtu"), (IfExists.REPLACE, "delete_adapter")]
)
def test_what_others_remove_meanwhile_is_created(if_exists: IfExists, call: str) -> None:
    """If the adapter is gone when its turn has come, the request makes a new one."""

    async def body() -> None:
        async with hub() as one:
            await provide(one, IfExists.ERROR)
            with one.driver.hold(call) as gate:
                ask = asyncio.ensure_future(provide(one, if_exists, MTU))
                await reached(gate)
                one.driver.device("A").remove()
                gate.open()
                made = await ask
            assert (made.opened, made.replaced) == (False, False)
            assert list(one.driver.devices) == [made.view.info.guid]

    asyncio.run(body())


@pytest.mark.parametrize("if_exists", EXISTING)
@pytest.mark.parametrize("exists", [False, True])
def test_two_requests_at_once(if_exists: IfExists, exists: bool) -> None:
    """Both succeed one after the other, and one adapter is left."""

    async def body() -> None:
        async with hub() as one:
            if exists:
                one.driver.add("A")
            both = await asyncio.gather(
                provide(one, if_exists, MTU), provide(one, if_exists, ADDRESSES, name="a")
            )
            done = [(each.opened, each.replaced) for each in both]
            again = (if_exists is IfExists.OPEN, if_exists is IfExists.REPLACE)
            assert done == [again if exists else (False, False), again]
            (device,) = one.driver.devices.values()
            assert (await one.registry.adapters())[0] == [both[1].view]
            if if_exists is IfExists.OPEN:
                assert (device.info.mtu, device.info.addresses) == (1280, ADDRESSES.addresses)

    asyncio.run(body())


@pytest.mark.parametrize("if_exists", EXISTING)
def test_with_deletions_and_creations_in_any_order(if_exists: IfExists) -> None:
    """At the same time as others, a request never fails and never leaves two."""

    async def body() -> None:
        async with hub() as one:
            for _ in range(20):
                guid = (await provide(one, if_exists)).view.info.guid
                results = await asyncio.gather(
                    one.registry.delete_adapter(guid),
                    provide(one, if_exists, MTU),
                    provide(one, IfExists.ERROR),
                    one.registry.delete_adapter(guid),
                    provide(one, if_exists, ADDRESSES),
                    one.registry.adapters(),
                    return_exceptions=True,
                )
                assert isinstance(results[1], Provided), results
                assert isinstance(results[4], Provided), results
                listed, _ = await one.registry.adapters()
                assert [view.info.guid for view in listed] == list(one.driver.devices)
                assert len(listed) == 1

    asyncio.run(body())


def test_a_creation_waits_for_a_replacement() -> None:
    """Between the deletion and the creation of a replacement, no other request gets the name."""

    async def body() -> None:
        async with hub() as one:
            await provide(one, IfExists.ERROR)
            with one.driver.hold("delete_adapter") as gate:
                replace = asyncio.ensure_future(provide(one, IfExists.REPLACE, MTU))
                await reached(gate)
                create = asyncio.ensure_future(provide(one, IfExists.ERROR))
                gate.open()
                assert (await replace).replaced
                with pytest.raises(AdapterExists):
                    await create

    asyncio.run(body())


@pytest.mark.parametrize("if_exists", EXISTING)
def test_what_waited_in_vain_is_not_done_later(if_exists: IfExists) -> None:
    """A request whose adapter another operation holds is withdrawn with its 504."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            guid = (await provide(one, IfExists.ERROR)).view.info.guid
            await one.registry.sessions.start(guid)
            with one.driver.hold("end_session") as gate:
                await times_out(one.registry.delete_adapter(guid), gate)
                error = await times_out(provide(one, if_exists, MTU), gate)
                assert "cancelled without effect" in str(error)
                gate.open()
                await one.event(EventType.ADAPTER_DELETED)
            assert changes(one.driver).count("create_adapter") == 1
            assert "set_mtu" not in one.driver.calls

    run_passing(body())


def test_a_slow_replacement_is_told_late() -> None:
    """Its 504 names what was deleted by then, and its later failure is an event that does too."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            old = (await provide(one, IfExists.ERROR)).view.info.guid
            with one.driver.hold("create_adapter") as gate:
                one.driver.fail("create_adapter", DriverError("CreateAdapter", 31))
                error = await times_out(provide(one, IfExists.REPLACE), gate)
                assert error.deleted == old
                gate.open()
                failure = await one.event(EventType.ADAPTER_CREATE_FAILED)
            assert (failure.name, failure.error.code, failure.error.deleted) == ("A", 31, old)

    run_passing(body())


def test_a_slow_opening_is_told_late() -> None:
    """What it changed in the end is the event of any change."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            await provide(one, IfExists.ERROR)
            with one.driver.hold("set_mtu") as gate:
                await times_out(provide(one, IfExists.OPEN, MTU), gate)
                gate.open()
                await one.event(EventType.ADAPTER_CHANGED, lambda view: view.info.mtu == 1280)

    run_passing(body())


def test_a_busy_driver_delays_a_request_that_must_look() -> None:
    """While another call hangs, it is not known what exists; the request is withdrawn."""

    async def body() -> None:
        async with hub(seconds=LIMIT) as one:
            with one.driver.hold("create_adapter") as gate:
                await times_out(provide(one, IfExists.ERROR, name="B"), gate)
                error = await times_out(provide(one, IfExists.OPEN), gate)
                assert "cancelled without effect" in str(error)
                gate.open()
                await one.event(EventType.ADAPTER_CREATED)
            assert await one.registry.adapters()
            assert one.driver.find("A") is None

    run_passing(body())


def test_names_are_not_kept() -> None:
    """A name is one place in any case of its letters, and only while operations use it."""

    async def body() -> None:
        async with hub() as one:
            events, tasks = one.registry.events, TaskSet()
            management = Management(one.driver, events, tasks, timeout=1)
            turns = Turns(management, LateOutcomes(events))
            place = turns.name("Office")
            assert turns.name("OFFICE") is place
            kept = weakref.ref(place)
            del place
            gc.collect()
            assert kept() is None
            await management.stop(lambda: None)

    asyncio.run(body())


def test_a_refused_value_deletes_nothing() -> None:
    """A request that is not valid is refused while the adapter that it names still exists."""

    async def body() -> None:
        async with hub() as one:
            await provide(one, IfExists.ERROR)
            for pool, settings in (("Test", NetworkSettings(mtu=1)), ("", MTU)):
                with pytest.raises(WintunApiError):
                    await provide(one, IfExists.REPLACE, settings, pool=pool)
            assert len(one.driver.devices) == 1

    asyncio.run(body())
