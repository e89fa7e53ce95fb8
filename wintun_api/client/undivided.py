"""Do what must not be left half done: to its end, although its caller is interrupted meanwhile.

A request that creates something cannot be taken back once the service has it. So it is carried out
to its end, what it has made is undone, and only then is the caller interrupted.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


async def async_undivided(
    work: Callable[[], Coroutine[Any, Any, T]],
    undo: Callable[[T], Awaitable[object]] | None = None,
) -> T:
    """Return what `work` returns; where the caller was cancelled meanwhile, undo it.

    Args:
        work: What is carried out to its end. It has a time limit of its own.
        undo: Called with the result of `work` if the caller was cancelled; None if there is
            nothing to undo.

    Raises:
        asyncio.CancelledError: The caller was cancelled; `work` has ended. A `ClientError` of
            `undo` is a note of it.
    """
    task, cancelled = await _to_its_end(work)
    if cancelled is None:
        return task.result()
    if undo is not None and not task.cancelled() and task.exception() is None:
        made = task.result()

        async def take_back() -> None:
            await undo(made)

        undoing, _ = await _to_its_end(take_back)
        failure = None if undoing.cancelled() else undoing.exception()
        if failure is not None:
            cancelled.add_note(f"What was created meanwhile could not be undone: {failure}")
    raise cancelled


async def _to_its_end(
    work: Callable[[], Coroutine[Any, Any, T]],
) -> tuple[asyncio.Task[T], asyncio.CancelledError | None]:
    """Return the task that has done the work, and what has cancelled the caller meanwhile."""
    import asyncio  # slow to import, and a program without an event loop does not need it

    task = asyncio.ensure_future(work())
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    return task, cancelled


def undivided(work: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    """Do as `async_undivided`, where the caller can be interrupted by a signal such as Ctrl-C.

    Python interrupts the main thread alone, so there the work has a thread of its own.

    Raises:
        KeyboardInterrupt: The caller was interrupted; `work` has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    result, error, interrupted = _in_a_thread(work)
    if interrupted is None:
        if error is not None:
            raise error
        return result
    if error is None and undo is not None:
        made = result
        _, failure, _ = _in_a_thread(lambda: undo(made))
        if failure is not None:
            interrupted.add_note(f"What was created meanwhile could not be undone: {failure}")
    raise interrupted


def _in_a_thread(work: Callable[[], T]) -> tuple[T, BaseException | None, BaseException | None]:
    ended: list[tuple[Any, BaseException | None]] = []
    finished = threading.Lock()

    def run() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            ended.append((None, error))
        finally:
            finished.release()

    interrupted: BaseException | None = None
    thread = threading.Thread(target=run, name="wintun-api client")
    finished.acquire()
    try:
        thread.start()
    except RuntimeError:  # the system has no more threads
        run()
    except BaseException as error:
        if thread.ident is None:
            raise
        interrupted = error
    waiting = True
    while waiting:
        # Not Thread.join: interrupted, it takes the thread for ended in some versions of Python.
        try:
            waiting = not finished.acquire()
        except BaseException as error:  # noqa: BLE001 - a signal's, raised again by the caller
            interrupted = error
    result, failure = ended[0]
    return result, failure, interrupted
