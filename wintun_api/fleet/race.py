"""Wait for the first of several things, and find the error that has made the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable


async def first_of(*waits: Awaitable[object]) -> int:
    """Wait for one of several, end the others, and return which one it was.

    Raises:
        Exception: What that one has raised.
    """
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(index for index, task in enumerate(tasks) if task.done())
        tasks[first].result()
        return first
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def cause_of(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception that has made the others of a group."""
    one = failed.exceptions[0]
    return cause_of(one) if isinstance(one, BaseExceptionGroup) else one
