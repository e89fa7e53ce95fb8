"""What is carried out to its end although its caller is interrupted."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wintun_api.client.undivided import async_undivided, undivided


def test_a_result_and_an_error_come_through() -> None:
    """Without an interruption it is like calling the work, in any thread."""

    async def fine() -> int:
        return 7

    async def wrong() -> int:
        raise ZeroDivisionError

    assert asyncio.run(async_undivided(fine)) == 7
    with pytest.raises(ZeroDivisionError):
        asyncio.run(async_undivided(wrong))
    assert undivided(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        undivided(lambda: 1 // 0)
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(undivided(threading.get_ident)))
    thread.start()
    thread.join()
    assert seen == [thread.ident]


def test_cancelled_again_and_again() -> None:
    """Every cancellation waits for the work and for its undoing, and then the caller ends."""
    done: list[str] = []

    async def main() -> None:
        begun, gate, undoing, last = (asyncio.Event() for _ in range(4))

        async def work() -> str:
            begun.set()
            await gate.wait()
            return "made"

        async def undo(what: str) -> None:
            undoing.set()
            await last.wait()
            done.append(f"{what}, undone")

        task = asyncio.ensure_future(async_undivided(work, undo))
        await begun.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        gate.set()
        await undoing.wait()
        task.cancel()
        await asyncio.sleep(0)
        last.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == ["made, undone"]

    asyncio.run(main())


def test_work_that_fails_is_not_undone() -> None:
    """There is nothing to undo, and the caller is cancelled all the same."""

    async def main() -> None:
        gate = asyncio.Event()

        async def work() -> str:
            await gate.wait()
            raise ZeroDivisionError

        async def undo(what: str) -> None:
            pytest.fail("it was undone")

        task = asyncio.ensure_future(async_undivided(work, undo))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_an_undoing_that_fails_is_a_note() -> None:
    """The cancellation comes out, and says what was left behind."""
    notes: list[str] = []

    async def main() -> None:
        gate = asyncio.Event()

        async def undo(what: str) -> None:
            raise ZeroDivisionError(what)

        async def work() -> str:
            await gate.wait()
            return "made"

        async def caller() -> None:
            try:
                await async_undivided(work, undo)
            except asyncio.CancelledError as error:
                notes.extend(error.__notes__)
                raise

        task = asyncio.ensure_future(caller())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert notes == ["What was created meanwhile could not be undone: made"]
