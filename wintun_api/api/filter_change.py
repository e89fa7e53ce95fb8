"""Change the filter of a packet client while packets flow, as the client asks in a text message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from wintun_api.errors import (
    FiltersBusy,
    FilterUnavailable,
    InvalidFilter,
    OutOfThreads,
    ServiceStopping,
)
from wintun_api.hub.filters import Filter
from wintun_api.hub.tasks import TaskSet
from wintun_api.limits import MAX_FILTER
from wintun_api.schemas.control import ChangeFilter

MAX_FAULT: Final = 500  # characters of what is said about a message

Compile = Callable[[str], Awaitable[Filter | None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold what a text message asks for.

    Attributes:
        expression: The filter; the beginning of one that is too long, empty if it is not a text.
        fault: What is wrong with the message, so that there is nothing to compile.
        offset: Where in the filter it is wrong.
    """

    expression: str
    fault: str = ""
    offset: int = 0


def wanted_filter(text: str) -> Wanted | None:
    """Return what a text message asks for; None if it does not ask for a filter."""
    try:
        return Wanted(ChangeFilter.model_validate_json(text).filter)
    except ValidationError as error:
        return _refused_request(text, error)


def _refused_request(text: str, error: ValidationError) -> Wanted | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("type") != "filter":
        return None
    given = content.get("filter")
    if not isinstance(given, str):
        given = ""
    given = given.encode("utf-8", "replace").decode("utf-8")
    if len(given) > MAX_FILTER:
        fault = f"it is longer than {MAX_FILTER:,} characters"
        return Wanted(given[:MAX_FILTER], fault, MAX_FILTER)
    faults = (": ".join((*map(str, one["loc"]), one["msg"])) for one in error.errors())
    return Wanted(given, "; ".join(faults)[:MAX_FAULT])


class FilterChange:
    """Compile the filters that one client asks for. Event loop thread only.

    One is compiled at a time. Of those that come meanwhile, or while the client does not read its
    answers, only the newest is kept.

    Args:
        compile: Compiles a filter beside the event loop.
        apply: Lets a filter choose packets from now on; returns the numbers of the next received
            and injected packet.
        answer: Takes the answer: a control message, as `schemas.control.FilterChanged`.
        writable: Whether the client takes an answer now. `now_writable` says when that has changed.
    """

    def __init__(
        self,
        compile: Compile,  # noqa: A002 - what it does
        apply: Callable[[Filter | None], tuple[int, int]],
        answer: Callable[[dict[str, Any]], None],
        writable: Callable[[], bool],
    ) -> None:
        self._compile = compile
        self._apply = apply
        self._answer = answer
        self._writable = writable
        self._wanted: Wanted | None = None
        self._running = False
        self._room = asyncio.Event()
        self._tasks = TaskSet()

    def ask(self, wanted: Wanted) -> None:
        """Note what the client wants."""
        self._wanted = wanted
        if not self._running:
            self._running = True
            self._tasks.spawn(self._run(), name="packets:filter")

    def now_writable(self) -> None:
        """Note that the client takes an answer again."""
        self._room.set()

    def stop(self) -> None:
        """Change the filter no longer. Idempotent."""
        self._tasks.cancel()

    async def _run(self) -> None:
        try:
            while (wanted := self._wanted) is not None:
                self._wanted = None
                answer = await self._change(wanted)
                while not self._writable():
                    self._room.clear()
                    await self._room.wait()
                self._answer({"type": "filter", "filter": wanted.expression, **answer})
        finally:
            self._running = False

    async def _change(self, wanted: Wanted) -> dict[str, Any]:
        if wanted.fault:
            return _refused(wanted.fault, wanted.offset)
        try:
            chosen = await self._compile(wanted.expression)
        except InvalidFilter as error:
            return _refused(error.reason, error.offset)
        except (FilterUnavailable, FiltersBusy, OutOfThreads, ServiceStopping) as error:
            return _refused(str(error), 0)
        received, injected = self._apply(chosen)
        return {
            "valid": True,
            "next_sequence": {"received": received, "injected": injected},
            "error": None,
        }


def _refused(message: str, offset: int) -> dict[str, Any]:
    error = {"message": message, "offset": offset}
    return {"valid": False, "next_sequence": None, "error": error}
