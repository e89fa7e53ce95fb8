"""Run asyncio tasks that have names, are kept alive and are logged if they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from wintun_api.errors import WintunApiError

T = TypeVar("T")
logger = logging.getLogger(__name__)


class TaskSet:
    """Keep the tasks of one owner, because the event loop only keeps weak references to them.

    A task that fails is logged if nothing awaits it. Event loop thread only.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run the coroutine as a task of this name."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        """Cancel every task that still runs."""
        for task in list(self._tasks):
            task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, WintunApiError):
            logger.error("The task %s failed.", task.get_name(), exc_info=error)
