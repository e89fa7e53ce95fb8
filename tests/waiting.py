"""The one place where tests look again and again, or let time pass.

A wait is for an event, a message, a lock or the end of a process wherever there is one. What is
left here gives no sign of its own: another program, the kernel, or a count that is not announced.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 60.0  # seconds; only a failure takes so long
PAUSE = 0.005  # seconds, in which others have the processor


def until(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for something that gives no sign, and soon is so."""
    assert within(patience, holds), f"not within {patience:g} s"


def within(patience: float, holds: Callable[[], object], pause: float = PAUSE) -> bool:
    """Wait for something that gives no sign; say whether it came in time."""
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def let_pass(seconds: float) -> None:
    """Let time pass, where time itself is what is tested or measured."""
    time.sleep(seconds)


async def eventually(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Let the event loop run until something holds that gives no sign."""
    async with asyncio.timeout(patience):
        for _ in iter(lambda: bool(holds()), True):
            await asyncio.sleep(0.001)


async def answers(
    ask: Callable[[], Awaitable[bytes]], part: bytes, patience: float = PATIENCE
) -> None:
    """Ask another program until its answer has this."""
    async with asyncio.timeout(patience):
        while part not in await ask():
            pass  # the question takes its time


async def pass_by(seconds: float) -> None:
    """Let the event loop run for a time, where time itself is what is tested."""
    await asyncio.sleep(seconds)
