"""Run driver calls that take seconds, hold mutexes and cannot be cancelled on separate threads.

The DLL serialises its management calls anyway (wintun-abi: an INFINITE wait on a system-wide
mutex), so one thread runs them in order, and each session has a thread for its own calls. A call
that never returns only blocks its own thread: the event loop, the packet path and the other threads
continue, and the API lists the call.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wintun_api.errors import DriverBusy, DriverError, OutOfThreads, ServiceStopping

T = TypeVar("T")

MAX_WAITING = 64
SLOW_AFTER = 5.0

SlowCallback = Callable[[str, float], None]


@dataclass(slots=True)
class Call:
    """Describe a call that is queued or running."""

    name: str
    function: Callable[[], Any]
    future: asyncio.Future[Any]
    queued_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since it was started, or queued while it waits."""
        return time.monotonic() - (self.started_at or self.queued_at)

    @property
    def running_seconds(self) -> float:
        """Seconds since it was started; 0 while it waits, however long."""
        return 0.0 if self.started_at is None else time.monotonic() - self.started_at


class DriverThread:
    """Run calls in order on one daemon thread; at most `MAX_WAITING` may wait.

    It is a daemon, so that a call that hangs in a system mutex does not keep the process alive.

    Raises:
        OutOfThreads: The system did not start the thread.
    """

    def __init__(self, name: str, slow: SlowCallback | None = None) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._waiting: list[Call] = []
        self._slow = slow
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            raise OutOfThreads from None

    @property
    def calls(self) -> list[Call]:
        """The running call and those that wait for it, in order."""
        return list(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether a call is running or waiting."""
        return bool(self._waiting)

    async def call(self, name: str, function: Callable[[], T]) -> T:
        """Run `function` on the thread and return its result; cancelling does not stop it.

        Raises:
            DriverBusy: Too many calls are already waiting.
            DriverError: The call raised something unusual, such as SystemExit.
            ServiceStopping: The thread was stopped.
        """
        if self._stopped:
            raise ServiceStopping
        if len(self._waiting) >= MAX_WAITING:
            raise DriverBusy(name, ahead=self._waiting[0].name, unfinished=len(self._waiting))
        loop = asyncio.get_running_loop()
        call = Call(name, function, loop.create_future())
        self._waiting.append(call)
        self._calls.put(call)
        timer = loop.call_later(SLOW_AFTER, self._report_slow, call)
        try:
            result: T = await asyncio.shield(call.future)
        finally:
            if call.future.done():
                timer.cancel()
        return result

    def stop(self) -> None:
        """Let the thread end after the calls that wait. Idempotent; does not wait."""
        if not self._stopped:
            self._stopped = True
            self._calls.put(None)

    def _report_slow(self, call: Call) -> None:
        if self._slow is not None and not call.future.done():
            self._slow(call.name, call.seconds)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call.started_at = time.monotonic()
            result: Any = None
            error: BaseException | None = None
            try:
                result = call.function()
            except BaseException as raised:  # noqa: BLE001 - it is raised again where it is awaited
                error = raised
            try:
                call.future.get_loop().call_soon_threadsafe(self._finish, call, result, error)
            except RuntimeError:  # the event loop was closed while the call ran
                return

    def _finish(self, call: Call, result: Any, error: BaseException | None) -> None:
        self._waiting.remove(call)
        if call.future.cancelled():
            return
        if error is None:
            call.future.set_result(result)
            return
        if not isinstance(error, Exception) or isinstance(error, StopIteration):
            # asyncio would end the loop for the first, and cannot deliver the second.
            error = DriverError(detail=f"{call.name} was ended by {error!r}.")
        call.future.set_exception(error)
        call.future.exception()  # a caller that gave up waiting must not cause a warning
