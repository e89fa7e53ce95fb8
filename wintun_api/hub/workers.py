"""Run work that may block on a few threads, and refuse what would wait too long for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from wintun_api.errors import OutOfThreads, ServiceStopping
from wintun_api.hub.aside import aside

T = TypeVar("T")


class Occupied(Exception):
    """Say that no thread became free in time; the work was not begun."""


class Workers:
    """Do work of one kind beside the event loop. Event loop thread only.

    Args:
        name: The name of the threads.
        threads: How many pieces of work are done at a time.
        waiting: How many more can wait for a thread.
        patience: The seconds that work waits for a thread, and as many that it may take then.
    """

    def __init__(self, name: str, *, threads: int, waiting: int, patience: float) -> None:
        self._name = name
        self._free = asyncio.Semaphore(threads)
        self._may_wait = waiting
        self._patience = patience
        self._waits: set[asyncio.Timeout] = set()
        self._stopped = False

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work and return its result.

        Work that takes too long cannot be stopped: its thread is free again when it ends.

        Raises:
            Occupied: No thread became free in time, or too many wait for one already.
            TimeoutError: The work takes too long.
            OutOfThreads: The system did not start the thread.
            ServiceStopping: `stop` was called.
        """
        await self._wait()
        loop = asyncio.get_running_loop()

        def run() -> T:
            try:
                return work()
            finally:
                with suppress(RuntimeError):  # the event loop was closed
                    loop.call_soon_threadsafe(self._free.release)

        try:
            async with self._within_patience():
                return await aside(self._name, run)
        except OutOfThreads:
            self._free.release()
            raise

    def stop(self) -> None:
        """End every wait for work, now and later. Idempotent."""
        self._stopped = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)  # the beginning of the loop's clock

    @asynccontextmanager
    async def _within_patience(self) -> AsyncIterator[None]:
        if self._stopped:
            raise ServiceStopping
        try:
            async with asyncio.timeout(self._patience) as wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            if self._stopped:
                raise ServiceStopping from None
            raise

    async def _wait(self) -> None:
        if self._free.locked() and not self._may_wait:
            raise Occupied
        self._may_wait -= 1
        try:
            async with self._within_patience():
                await self._free.acquire()
        except TimeoutError:
            raise Occupied from None
        finally:
            self._may_wait += 1
