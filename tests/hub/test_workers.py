"""hub.workers: work that may block, on a few threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.hub.running import pass_at_once, run_passing
from wintun_api.errors import ServiceStopping
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.workers import Occupied, Workers

LONG = 60.0


def test_results_and_errors() -> None:
    """The result of the work is returned, and its error is raised."""

    async def body() -> None:
        workers = Workers("work", threads=1, waiting=1, patience=LONG)
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 / 0)
        assert await workers.run(lambda: 8) == 8

    asyncio.run(body())


def test_work_waits_for_a_thread() -> None:
    """One more piece of work than there are threads begins when one of them is free."""

    async def body() -> None:
        workers, gate = Workers("work", threads=1, waiting=1, patience=LONG), threading.Event()
        tasks = TaskSet()
        first = tasks.spawn(workers.run(gate.wait), name="first")
        second = tasks.spawn(workers.run(lambda: "second"), name="second")
        await asyncio.sleep(0)
        with pytest.raises(Occupied):  # only one can wait
            await workers.run(lambda: "third")
        gate.set()
        assert (await first, await second) == (True, "second")
        assert await workers.run(lambda: "third") == "third"

    asyncio.run(body())


def test_work_that_takes_too_long() -> None:
    """It ends the wait of who asked for it, and keeps its thread until it is done."""

    async def body() -> None:
        workers, gate = Workers("work", threads=1, waiting=1, patience=LONG), threading.Event()
        begun = threading.Event()

        def work() -> bool:
            begun.set()
            return gate.wait()

        first = asyncio.ensure_future(workers.run(work))
        assert await asyncio.to_thread(begun.wait, LONG)
        pass_at_once(LONG)
        with pytest.raises(TimeoutError):
            await first
        second = asyncio.ensure_future(workers.run(lambda: 7))
        await asyncio.sleep(0)
        pass_at_once(LONG)
        with pytest.raises(Occupied):
            await second
        gate.set()
        assert await workers.run(lambda: 7) == 7

    run_passing(body())


def test_stop() -> None:
    """It ends the wait for a thread and the wait for work, and no more work begins."""

    async def body() -> None:
        workers, gate = Workers("work", threads=1, waiting=1, patience=LONG), threading.Event()
        tasks = TaskSet()
        first = tasks.spawn(workers.run(gate.wait), name="first")
        second = tasks.spawn(workers.run(lambda: "second"), name="second")
        await asyncio.sleep(0)
        workers.stop()
        for waiting in (first, second, workers.run(lambda: "third")):
            with pytest.raises(ServiceStopping):
                await waiting
        gate.set()

    asyncio.run(body())
