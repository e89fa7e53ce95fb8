"""hub.management: which thread a driver's call runs on, and how long a request waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.hub.memory_driver import MemoryDriver
from tests.hub.running import PATIENCE, reached, soon
from wintun_api.choices import EventType
from wintun_api.drivers.base import LogLevel, LogLine, Unavailable, UnavailableReason
from wintun_api.errors import DriverBusy, DriverError, DriverUnavailable, ServiceStopping
from wintun_api.hub import management
from wintun_api.hub.events import EventLog
from wintun_api.hub.management import READ_CHANGES, Management
from wintun_api.hub.tasks import TaskSet


@asynccontextmanager
async def managed(seconds: float = PATIENCE) -> AsyncIterator[tuple[Management, MemoryDriver]]:
    """Run the management of a new memory driver; stop it on leaving."""
    driver = MemoryDriver()
    one = Management(driver, EventLog(history=1000), TaskSet(), seconds)
    try:
        yield one, driver
    finally:
        one.stopping = True
        await soon(one.stop(lambda: None))


def test_calls_run_in_order_on_one_thread() -> None:
    """Management calls never overlap, and none runs on the event loop's thread."""

    async def body() -> None:
        async with managed() as (one, _):
            ran: list[tuple[int, str]] = []

            def call(number: int) -> int:
                ran.append((number, threading.current_thread().name))
                return number

            results = await asyncio.gather(
                *[one.call("call", partial(call, number)) for number in range(20)]
            )
            assert results == list(range(20))
            assert [number for number, _ in ran] == results
            assert len({name for _, name in ran}) == 1
            assert ran[0][1] != threading.current_thread().name

    asyncio.run(body())


def test_each_session_has_a_thread_of_its_own() -> None:
    """A session's call that hangs holds up neither another session nor the management calls."""

    async def body() -> None:
        async with managed() as (one, driver):
            first, second = one.session_thread("A"), one.session_thread("B")
            with driver.hold("hang") as gate:
                hung = asyncio.ensure_future(first.call("hang", lambda: driver.run("hang")))
                await reached(gate)
                assert await soon(second.call("quick", lambda: 1)) == 1
                assert await soon(one.call("quick", lambda: 2)) == 2
                assert not one.busy
                gate.open()
                await soon(hung)

    asyncio.run(body())


def test_a_request_waits_so_long_and_the_work_goes_on() -> None:
    """After the time-out the request is answered; the work finishes and its error is told."""

    async def body() -> None:
        async with managed(seconds=0.1) as (one, driver):
            told: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
            with driver.hold("hang") as gate:
                driver.fail("hang", DriverError("Hang", 31))
                work = one.call("hang", lambda: driver.run("hang"))
                with pytest.raises(DriverBusy) as caught:
                    await one.bounded("hang", work, told.set_result)
                assert caught.value.call == "hang"
                assert not told.done()
                gate.open()
                error = await soon(told)
            assert isinstance(error, DriverError)
            assert error.code == 31

    asyncio.run(body())


def test_a_success_in_time_is_not_told_as_a_failure() -> None:
    """Only what fails after its request was answered is told."""

    async def body() -> None:
        async with managed() as (one, driver):
            told: list[Exception] = []
            driver.fail("call", DriverError("Call", 31))
            with pytest.raises(DriverError):
                await one.bounded("call", one.call("call", lambda: driver.run("call")), told.append)
            assert told == []

    asyncio.run(body())


def test_unfinished_operations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When too many operations have outlived their requests, a new one is refused."""
    monkeypatch.setattr(management, "MAX_UNFINISHED", 2)

    async def body() -> None:
        async with managed(seconds=0.01) as (one, driver):
            with driver.hold("hang") as gate:
                for _ in range(2):
                    with pytest.raises(DriverBusy, match="still running"):
                        await one.bounded("hang", one.call("hang", lambda: driver.run("hang")))
                with pytest.raises(DriverBusy, match="2 earlier operations"):
                    await one.bounded("next", one.call("next", lambda: None))
                gate.open()

    asyncio.run(body())


def test_an_unrequested_reading_does_not_make_it_busy() -> None:
    """Readers wait for the quick reading of changes, since it is about to bring news."""

    async def body() -> None:
        async with managed() as (one, driver):
            with driver.hold("read") as gate:
                reading = asyncio.ensure_future(one.call(READ_CHANGES, lambda: driver.run("read")))
                await reached(gate)
                before = one.busy
                assert not before
                other = asyncio.ensure_future(one.call("create", lambda: None))
                await asyncio.sleep(0)
                assert one.busy
                gate.open()
                await soon(asyncio.gather(reading, other))
            assert not one.busy

    asyncio.run(body())


def test_an_unavailable_driver_is_not_called() -> None:
    """The reason is raised, with the hint, before any thread is asked."""

    async def body() -> None:
        async with managed() as (one, driver):
            driver.unavailable = Unavailable(
                reason=UnavailableReason.NO_TUN_DEVICE, message="No device.", hint="Load it."
            )
            with pytest.raises(DriverUnavailable) as caught:
                await one.call("adapters", driver.adapters)
            assert (caught.value.reason, caught.value.hint) == ("no_tun_device", "Load it.")
            assert driver.calls == []
            assert (await one.view()).unavailable is driver.unavailable

    asyncio.run(body())


@pytest.mark.parametrize("call", ["hang", READ_CHANGES])
def test_the_view_names_the_call_that_hangs(call: str) -> None:
    """The view does not wait for the call, and has the last known version meanwhile."""

    async def body() -> None:
        async with managed() as (one, driver):
            assert (await one.view()).running_version == (1, 0)
            with driver.hold("hang") as gate:
                hung = asyncio.ensure_future(one.call(call, lambda: driver.run("hang")))
                await reached(gate)
                view = await asyncio.wait_for(one.view(), PATIENCE / 2)
                assert view.calls[0].call == call
                assert view.running_version == (1, 0)
                gate.open()
                await soon(hung)

    asyncio.run(body())


def test_log_lines_of_any_thread_become_events() -> None:
    """The driver's logger may be called on any thread, also after the loop is closed."""

    async def body() -> MemoryDriver:
        driver = MemoryDriver()
        events = EventLog(history=1000)
        subscription, _ = events.subscribe()
        one = Management(driver, events, TaskSet(), PATIENCE)
        line = LogLine(LogLevel.WARN, 7, "a line")
        assert driver.logger is not None
        await asyncio.to_thread(driver.logger, line)
        (event,) = await soon(subscription.next())
        assert (event.type, event.data, event.time_ns) == (EventType.DRIVER_LOG, line, 7)
        await soon(one.stop(lambda: None))
        return driver

    driver = asyncio.run(body())
    assert driver.logger is not None
    driver.logger(LogLine(LogLevel.INFO, 8, "later"))


def test_stopping_answers_requests_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is not held until its own time-out when the service stops."""
    monkeypatch.setattr(management, "STOP_PATIENCE", 0.01)

    async def body() -> None:
        async with managed() as (one, driver):
            with driver.hold("hang") as gate:
                work = one.call("hang", lambda: driver.run("hang"))
                waiting = asyncio.ensure_future(one.bounded("hang", work))
                await reached(gate)
                one.begin_stop()
                with pytest.raises(ServiceStopping):
                    await soon(waiting)
                gate.open()

    asyncio.run(body())
