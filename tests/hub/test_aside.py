"""Work beside the event loop, which no end waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wintun_api.errors import OutOfThreads
from wintun_api.hub.aside import aside


def test_the_result_comes_back() -> None:
    """It runs on another thread, and what it returns is returned."""
    assert asyncio.run(aside("work", threading.get_ident)) != threading.get_ident()


def test_the_error_comes_back() -> None:
    """What it raises is raised where it is awaited."""
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aside("work", lambda: 1 // 0))


def test_a_loop_ends_while_it_hangs() -> None:
    """Neither the caller nor the loop waits for work that never comes back."""
    gate = threading.Event()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(aside("stuck", gate.wait), 0.01)

    asyncio.run(run())
    (thread,) = [one for one in threading.enumerate() if one.name == "stuck"]
    assert thread.daemon  # else the process would wait for it
    gate.set()
    thread.join(30)
    assert not thread.is_alive()


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that the system does not start is told as such."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(OutOfThreads):
        asyncio.run(aside("work", int))
