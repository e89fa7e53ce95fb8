"""The driver's own thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wintun_api.errors import DriverBusy, ServiceStopping
from wintun_api.hub.threads import MAX_WAITING, DriverThread


def test_calls_run_in_order_on_one_thread() -> None:
    """Results come back to the loop; all calls share one thread."""

    async def run() -> None:
        thread = DriverThread("driver")
        idents = await asyncio.gather(
            *[thread.call("ident", threading.get_ident) for _ in range(10)]
        )
        assert len(set(idents)) == 1
        assert idents[0] != threading.get_ident()
        assert not thread.busy
        thread.stop()
        with pytest.raises(ServiceStopping):
            await thread.call("late", int)

    asyncio.run(run())


def test_errors_come_back() -> None:
    """What the call raises is raised where it is awaited, and the thread goes on."""

    async def run() -> None:
        thread = DriverThread("driver")
        with pytest.raises(ZeroDivisionError):
            await thread.call("divide", lambda: 1 // 0)
        assert await thread.call("int", int) == 0
        thread.stop()

    asyncio.run(run())


def test_a_hung_call_is_named_and_bounded() -> None:
    """While one call hangs the loop goes on; at the bound further calls are refused."""

    async def run() -> None:
        thread = DriverThread("driver")
        gate = threading.Event()
        calls = [asyncio.ensure_future(thread.call("hang", gate.wait))]
        await asyncio.sleep(0)
        calls += [asyncio.ensure_future(thread.call("wait", int)) for _ in range(MAX_WAITING - 1)]
        await asyncio.sleep(0)
        assert [call.name for call in thread.calls][:2] == ["hang", "wait"]
        with pytest.raises(DriverBusy, match="hang"):
            await thread.call("one too many", int)
        gate.set()
        await asyncio.gather(*calls)
        assert thread.calls == []
        thread.stop()

    asyncio.run(run())


def test_a_cancelled_wait_does_not_stop_the_call() -> None:
    """Whoever gives up waiting leaves the call to finish."""

    async def run() -> None:
        thread = DriverThread("driver")
        gate, done = threading.Event(), threading.Event()

        def work() -> None:
            gate.wait()
            done.set()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(thread.call("work", work), 0.05)
        gate.set()
        await thread.call("after", int)
        assert done.is_set()
        thread.stop()

    asyncio.run(run())
