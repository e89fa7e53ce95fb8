"""Call the driver: on which thread a call runs and how long a request waits for it.

Management calls (create, open, delete, list) share a thread, because they share a mutex. Each
session has a thread for its own calls (start, end, counters), so that a call that hangs does not
delay other sessions. A request waits at most `timeout`; the call and everything after it continue.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from wintun_api.choices import EventType
from wintun_api.drivers.base import Capabilities, Driver, LogLine, Unavailable
from wintun_api.errors import (
    DriverBusy,
    DriverError,
    DriverUnavailable,
    ServiceStopping,
    WintunApiError,
)
from wintun_api.hub.events import EventLog
from wintun_api.hub.late import OnDone, OnFailure
from wintun_api.hub.tasks import TaskSet
from wintun_api.hub.threads import DriverThread

T = TypeVar("T")

STOP_PATIENCE = 1.0
READ_CHANGES = "read_changes"  # a call that no request asked for
QUICK = 1.0  # seconds
MAX_UNFINISHED = 256  # operations that outlived their requests


@dataclass(frozen=True, slots=True)
class SlowCall:
    """Describe a driver call that takes long."""

    call: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverView:
    """Describe the driver at one moment."""

    name: str
    library_path: str | None
    capabilities: Capabilities
    unavailable: Unavailable | None
    running_version: tuple[int, int] | None
    calls: tuple[SlowCall, ...]


class Management:
    """Run the driver and its threads. Event loop thread only; create it in the running loop."""

    def __init__(self, driver: Driver, events: EventLog, tasks: TaskSet, timeout: float) -> None:
        self.driver = driver
        self._sessions: list[DriverThread] = []
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._thread = DriverThread("driver-management", self._slow)
        self._events = events
        self._tasks = tasks
        self.timeout = timeout
        self._version: tuple[int, int] | None = None
        self._loop = asyncio.get_running_loop()
        self._leave: asyncio.Future[None] = self._loop.create_future()
        self._leaving = False
        self.stopping = False
        driver.set_logger(self._log)

    @property
    def busy(self) -> bool:
        """Whether a management call is running that a reader should not wait for.

        A reader does wait for a `READ_CHANGES` that is quick: no request asked for that call, and
        the last reading may be older than what the reader already knows.
        """
        return any(
            # One that waited long behind another call is quick all the same.
            call.name != READ_CHANGES or call.running_seconds > QUICK
            for call in self._thread.calls
        )

    async def call(self, name: str, function: Callable[[], T]) -> T:
        """Run a management call in its turn.

        Raises:
            DriverUnavailable: The driver cannot work here.
        """
        reason = self.driver.unavailable_reason()
        if reason is not None:
            raise DriverUnavailable(reason.reason, reason.message, hint=reason.hint)
        return await self._thread.call(name, function)

    def session_thread(self, adapter: str) -> DriverThread:
        """Start a thread for the calls of one session; give it back with `release_thread`."""
        thread = DriverThread(f"session:{adapter}", self._slow)
        self._sessions.append(thread)
        return thread

    def release_thread(self, thread: DriverThread) -> None:
        """Let a session's thread end after the calls that wait. Idempotent."""
        thread.stop()
        if thread in self._sessions:
            self._sessions.remove(thread)

    async def bounded(
        self,
        name: str,
        coroutine: Coroutine[Any, Any, T],
        failed_late: OnFailure | None = None,
        done_late: OnDone | None = None,
    ) -> T:
        """Wait for the coroutine until the time-out; it continues in any case.

        `failed_late` is called with its error if it fails after the wait has ended, `done_late`
        with its result if it succeeds then.

        Raises:
            DriverBusy: It still runs after the time-out, or too many others do.
            ServiceStopping: It was not begun.
        """
        return await self.awaited(name, self.begin(name, coroutine), failed_late, done_late)

    def begin(self, name: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task for `awaited` to wait for.

        Raises:
            DriverBusy: Too many operations are unfinished; it was not begun.
            ServiceStopping: It was not begun.
        """
        if self.stopping:
            coroutine.close()
            raise ServiceStopping
        if len(self._unfinished) >= MAX_UNFINISHED:
            coroutine.close()
            raise DriverBusy(name, unfinished=len(self._unfinished))
        return self._tasks.spawn(coroutine, name=name)

    async def awaited(
        self,
        name: str,
        task: asyncio.Task[T],
        failed_late: OnFailure | None = None,
        done_late: OnDone | None = None,
        patience: float = math.inf,
    ) -> T:
        """Wait for a task until the time-out, or for `patience` seconds; it continues in any case.

        `failed_late` is called with its error if it fails after the wait has ended, `done_late`
        with its result if it succeeds then.

        Raises:
            DriverBusy: It still runs after the time-out.
            ServiceStopping: It still runs, and the service does not wait for it.
        """
        either: list[asyncio.Future[Any]] = [task, self._leave]
        patience = min(patience, self.timeout)
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            if self._leave.done():
                raise ServiceStopping
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)
            if failed_late is not None:
                task.add_done_callback(lambda done: _tell_failure(done, failed_late))
            if done_late is not None:
                task.add_done_callback(lambda done: _tell_result(done, done_late))
            raise DriverBusy(name, patience)
        return task.result()

    def begin_stop(self) -> None:
        """Limit the wait of requests to `STOP_PATIENCE` seconds from now on. Idempotent."""
        if not self._leaving:
            self._leaving = True
            self._loop.call_later(STOP_PATIENCE, self._leave.set_result, None)

    async def view(self) -> DriverView:
        """Return the state of the driver; the last known version while a call is running.

        Return within about a second, because this is where one looks for a call that hangs.
        """
        name = "running_driver_version"

        async def read_version() -> None:
            if not self.busy:  # checked where the call is queued, so that none can precede it
                self._version = await self.call(name, self.driver.running_driver_version)

        unavailable = self.driver.unavailable_reason()
        if unavailable is None:
            with suppress(DriverError, DriverUnavailable, DriverBusy):
                await self.awaited(name, self.begin(name, read_version()), patience=QUICK)
        calls = [call for thread in (self._thread, *self._sessions) for call in thread.calls]
        return DriverView(
            name=self.driver.name,
            library_path=self.driver.library_path,
            capabilities=self.driver.capabilities,
            unavailable=unavailable,
            running_version=self._version,
            calls=tuple(SlowCall(call.name, call.seconds) for call in calls),
        )

    async def stop(self, close_handles: Callable[[], None]) -> None:
        """Run `close_handles`, close the driver and end the threads.

        A call that hangs is abandoned after `STOP_PATIENCE` seconds.
        """

        def close() -> None:
            close_handles()
            self.driver.close()

        await patiently(self._thread.call("close_driver", close))
        self._thread.stop()
        for thread in list(self._sessions):
            self.release_thread(thread)

    def _slow(self, call: str, seconds: float) -> None:
        self._events.publish(EventType.DRIVER_SLOW, SlowCall(call, seconds))

    def _log(self, line: LogLine) -> None:
        # Called on any thread of the driver, perhaps after the event loop was closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(
                self._events.publish, EventType.DRIVER_LOG, line, line.time_ns
            )


def _tell_failure(task: asyncio.Task[Any], failed: OnFailure) -> None:
    error = None if task.cancelled() else task.exception()
    if error is None or isinstance(error, ServiceStopping):
        return
    if not isinstance(error, WintunApiError):  # a defect, which `TaskSet` has logged
        text = "An unexpected error occurred in the service; its log has the details."
        error = DriverError(detail=text)
    failed(error)


def _tell_result(task: asyncio.Task[Any], done: OnDone) -> None:
    if not task.cancelled() and task.exception() is None:
        done(task.result())


async def patiently(work: Awaitable[Any], patience: float = STOP_PATIENCE) -> None:
    """Wait for shutdown work for a limited time."""
    with suppress(TimeoutError, DriverError, DriverBusy):
        await asyncio.wait_for(work, patience)
