"""The driver's own thread."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from wintun_api.errors import DriverBusy, DriverError, OutOfThreads, ServiceStopping
from wintun_api.hub import threads
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
        calls += [asyncio.ensure_future(thread.call("wait", bool)) for _ in range(MAX_WAITING - 1)]
        await asyncio.sleep(0)
        assert [call.name for call in thread.calls][:2] == ["hang", "wait"]
        with pytest.raises(DriverBusy, match="hang"):
            await thread.call("one too many", int)
        gate.set()
        await asyncio.gather(*calls)
        assert thread.calls == []
        thread.stop()

    asyncio.run(run())


def test_a_call_that_waits_has_not_run() -> None:
    """However long it was queued behind another call, it is not a slow call yet."""

    async def body() -> None:
        thread = DriverThread("test")
        begun, gate = threading.Event(), threading.Event()

        def hang() -> None:
            begun.set()
            gate.wait(30)

        hanging = asyncio.ensure_future(thread.call("hang", hang))
        assert await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.ensure_future(thread.call("wait", int))
        await asyncio.sleep(0)
        running, queued = thread.calls
        queued.queued_at -= 60
        assert queued.seconds >= 60
        assert queued.running_seconds == 0
        assert running.started_at is not None
        running.started_at -= 60  # the clock of Windows ticks in 16 ms
        assert running.running_seconds >= 60
        gate.set()
        await asyncio.gather(hanging, waiting)
        thread.stop()

    asyncio.run(body())


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


@pytest.mark.parametrize(
    "raised",
    [
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        StopIteration(),
    ],
)
def test_unusual_exceptions_of_a_call(raised: BaseException) -> None:
    """What would end the loop, or cannot be carried to it, arrives as a driver error."""

    def leave() -> None:
        raise raised

    async def run() -> None:
        thread = DriverThread("driver")
        with pytest.raises(DriverError, match="leave was ended by") as caught:
            await asyncio.wait_for(thread.call("leave", leave), 10)
        assert repr(raised) in str(caught.value)
        assert await thread.call("int", int) == 0
        assert not thread.busy
        thread.stop()

    asyncio.run(run())


def test_a_call_that_outlives_its_loop() -> None:
    """Its thread ends in silence when the call comes back."""
    gate = threading.Event()

    async def run() -> None:
        thread = DriverThread("outliving")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(thread.call("hang", gate.wait), 0.01)

    asyncio.run(run())
    (thread,) = [one for one in threading.enumerate() if one.name == "outliving"]
    gate.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_slow_callback_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of a slow call cannot harm the call."""
    monkeypatch.setattr(threads, "SLOW_AFTER", 0.0)
    errors: list[str] = []

    def slow(name: str, _seconds: float) -> None:
        gate.set()
        raise ZeroDivisionError(name)

    gate = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(str(context["exception"])))
        thread = DriverThread("driver", slow)
        assert await asyncio.wait_for(thread.call("slow", gate.wait), 10)
        assert not thread.busy
        thread.stop()

    asyncio.run(run())
    assert errors == ["slow"]


@pytest.mark.skipif(sys.platform == "win32", reason="stacks on Windows have a limit that is small")
def test_a_thread_that_the_system_does_not_start() -> None:
    """A thread that cannot be started is an error that says so."""
    before = threading.stack_size(1 << 46)  # more than there is address space for
    try:
        with pytest.raises(OutOfThreads):
            DriverThread("driver")
    finally:
        threading.stack_size(before)
