"""Run work that may block, such as a write to a disk, beside the event loop.

Python waits for asyncio's own threads (`asyncio.to_thread`) when the loop is closed and again when
the process ends, so a hanging disk would keep the service from ending. It does not wait for these.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from wintun_api.errors import OutOfThreads

T = TypeVar("T")


async def aside(name: str, function: Callable[[], T]) -> T:
    """Run `function` on its own daemon thread and return its result.

    Cancelling does not stop the function; its result or error is then lost.

    Args:
        name: The thread's name.
        function: The function to run. It must not raise anything but an `Exception`.

    Raises:
        OutOfThreads: The system did not start the thread.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        finish: Callable[[Any], None]
        try:
            result: Any = function()
            finish = done.set_result
        except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
            result, finish = error, done.set_exception

        def tell() -> None:
            if not done.done():  # the caller may have given up
                finish(result)

        with suppress(RuntimeError):  # the event loop was closed
            loop.call_soon_threadsafe(tell)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        raise OutOfThreads from None
    return await done
