"""Notice changes that other programs make as soon as they are made.

The driver reports that something may have changed, and the adapters are read again. A burst of
changes causes one reading, which waits `GATHER` seconds for more of them. However fast changes
come, there is at most one reading in `GATHER` seconds, and a longer pause after a slow reading.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from wintun_api.drivers.base import Driver
from wintun_api.errors import WintunApiError
from wintun_api.hub.tasks import TaskSet

logger = logging.getLogger(__name__)

GATHER = 0.2  # seconds from the first change of a burst to the reading
SHARE = 4  # the pause after a reading, as a multiple of its duration
MAX_PAUSE = 1.0
RETRY = 1.0  # seconds until a reading that failed is tried again


class OutsideChanges:
    """Read the adapters again after changes. Event loop thread only.

    Args:
        driver: The driver that reports changes.
        read: Reads the adapters and publishes what has changed; returns False if the driver cannot
            work here.
        tasks: The tasks to which a reading is added.
    """

    def __init__(self, driver: Driver, read: Callable[[], Awaitable[bool]], tasks: TaskSet):
        self._driver = driver
        self._read = read
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._fileno: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._listening = self._reading = self._again = self._stopped = False

    def listen(self) -> None:
        """Listen to the driver, which must be able to work here. Idempotent."""
        if self._listening or self._stopped:
            return
        self._listening = True
        self._fileno = self._driver.changes_fileno()
        if self._fileno is None:
            self._driver.set_watcher(self._told)
        else:
            self.look()  # later changes are compared with the present state

    def look(self) -> None:
        """Schedule a reading, because something may have changed."""
        if not self._listening:
            return
        if self._fileno is not None:
            self._loop.remove_reader(self._fileno)  # it stays readable until the next reading
        if self._reading:
            self._again = True
        elif self._timer is None:
            at = max(self._loop.time() + GATHER, self._not_before)
            self._timer = self._loop.call_at(at, self._begin)

    def stop(self) -> None:
        """Stop listening. Call this before the driver is closed. Idempotent."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._listening:
            self._pause()

    def _pause(self) -> None:
        self._listening = False
        if self._fileno is None:
            self._driver.set_watcher(None)
        else:
            self._loop.remove_reader(self._fileno)

    def _told(self) -> None:
        # Called on any thread, perhaps after the loop was closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.look)

    def _begin(self) -> None:
        self._timer, self._reading, self._again = None, True, False
        self._tasks.spawn(self._read_again(), name="outside_changes")

    async def _read_again(self) -> None:
        begun = self._loop.time()
        pause, readable = RETRY, True
        try:
            readable = await self._read()
        except WintunApiError as error:
            logger.debug("The adapters could not be read after a change: %s", error)
            self._again = True
        else:
            pause = min((self._loop.time() - begun) * SHARE, MAX_PAUSE)
        finally:
            self._reading = False
        self._not_before = self._loop.time() + pause
        if not self._listening:
            return
        if not readable:  # until a request asks and the driver can work
            self._pause()
            return
        if self._fileno is not None:
            self._loop.add_reader(self._fileno, self.look)
        if self._again:
            self.look()
