"""Pass a session's turn between the thread that waits for packets and the event loop.

    waiter   wait in the driver ─ readable ─▶ pass the turn to the loop, sleep until it comes back
    loop     drain; once the ring was found empty, pass the turn back
    stop     interrupt the driver's wait and pass the turn back, wherever it is

A semaphore that is never cleared counts every pass: a turn that is passed back before the waiter
sleeps is not lost, so no order of these steps lets the waiter sleep forever.
`tests/hub/test_handover.py` walks through every order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverError

logger = logging.getLogger(__name__)


class Scheduler(Protocol):
    """Describe what the handover needs from an event loop."""

    def call_soon(self, callback: Callable[..., object], /, *arguments: Any) -> object:
        """Run the callback in one of the next rounds."""

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *arguments: Any) -> object:
        """Run the callback in one of the next rounds; may be called from any thread."""


class Handover:
    """Drain a session that has no descriptor, with the help of one thread that waits for it.

    The thread only waits: it wakes the loop once per drain, never per packet, and never touches a
    packet. All methods but `_wait` and `_leave` must be called on the event loop's thread.

    Args:
        session: The session to wait for.
        name: The thread's name.
        drain: Drains for a while; returns whether the ring was empty.
        failed: Called once when the thread ends without being asked to. Draining then stops.
        left: Called once when the thread has left the session for good.
        loop: The event loop on which `drain`, `failed` and `left` run.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        *,
        drain: Callable[[], bool],
        failed: Callable[[DriverError], None],
        left: Callable[[], None],
        loop: Scheduler,
    ) -> None:
        self._session = session
        self._name = name
        self._drain = drain
        self._failed = failed
        self._left = left
        self._loop = loop
        self._running = False
        self._stopped = False
        self._paused = False
        self._has_turn = False
        self._scheduled = False
        self._turns = threading.Semaphore(0)
        self._leaving = threading.Lock()
        self._inside = True
        self._last: Callable[[], None] | None = None

    @property
    def active(self) -> bool:
        """Whether it drains: it was started and is not paused, halted or stopped."""
        return self._running and not self._paused

    def start(self) -> None:
        """Start the thread; if it cannot be started, `failed` is called."""
        self._running = True
        thread = threading.Thread(target=self._wait, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._inside = False
            self._loop.call_soon(self._gone, error)

    def pause(self) -> None:
        """Leave new packets in the ring. Idempotent."""
        self._paused = True

    def resume(self) -> None:
        """Drain again. Idempotent."""
        if self._paused:
            self._paused = False
            self._schedule()

    def halt(self) -> None:
        """Stop draining; the thread stays until `stop`. Idempotent."""
        self._running = False

    def stop(self) -> None:
        """Stop draining and let the thread leave, which `left` reports. Idempotent.

        Raises:
            DriverError: The driver refused the interrupt; the thread may remain in its wait.
        """
        self._running = False
        if not self._stopped:
            self._stopped = True
            self._turns.release()
            self._session.interrupt()

    def give_up(self, last: Callable[[], None]) -> bool:
        """Stop waiting for the thread, which calls `last` once when it leaves.

        Returns False, and forgets `last`, if the thread has already left.
        """
        with self._leaving:
            if self._inside:
                self._last = last
            return self._inside

    def _wait(self) -> None:
        failure: BaseException | None = None
        try:
            while self._running and self._session.wait_readable():
                self._loop.call_soon_threadsafe(self._arrived)
                self._turns.acquire()
        except BaseException as error:  # noqa: BLE001 - it is told on the loop, by `failed`
            failure = error
        self._leave(failure)

    def _leave(self, failure: BaseException | None) -> None:
        with self._leaving:
            self._inside = False
        if self._last is not None:
            try:
                self._last()
            except BaseException as error:  # noqa: BLE001 - no caller waits for it
                logger.warning("The session of %s was not ended: %s", self._name, error)
        with suppress(RuntimeError):  # the event loop was closed
            self._loop.call_soon_threadsafe(self._gone, failure)

    def _gone(self, failure: BaseException | None) -> None:
        self._left()
        if self._running:
            self._running = False
            self._failed(_as_driver_error(failure))

    def _arrived(self) -> None:
        self._has_turn = True
        if not self._scheduled:
            self._take_turn()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._scheduled = False
        if self._paused or not self._running:
            return
        empty = self._drain()  # -> Pump._drain
        if not self.active:  # by what was drained
            return
        if not empty:
            self._schedule()
        elif self._has_turn:
            self._has_turn = False
            self._turns.release()


def _as_driver_error(failure: BaseException | None) -> DriverError:
    if isinstance(failure, DriverError):
        return failure
    what = f"failed: {failure!r}" if failure is not None else "ended without being asked to"
    return DriverError(detail=f"The wait for packets {what}.")
