"""How a session ends for its clients: what they still get, and how long anybody waits for it.

    flush      what was received is delivered to clients that still read
    settle     what is left is counted: the session's counters are the last ones from here on
    farewell   the client is told, and its connection is closed behind what was sent
    gone       when the whole service stops: waits for that, and counts what must be cut off

All clients are waited for at the same time. The whole service has about three seconds to exit,
with clients that do not read, and a session is the longest part of that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from wintun_api.hub.tasks import TaskSet

logger = logging.getLogger(__name__)

# A client that reads empties a queue of the default 8 MiB in a tenth of this, over loopback. One
# that paused has to come back within it: a person presses Ctrl-C and does not want to wait longer.
FLUSH_PATIENCE: Final = 1.0
# What the ring holds when a client held it back (overflow=block) and was then given up: it is read
# as fast as it can be, and the other clients take it.
REST_PATIENCE: Final = 0.15
# The last messages are a few hundred bytes behind what the socket has not taken yet.
CLOSE_PATIENCE: Final = 0.5
# Where the service goes on, a client that has paused can come back for so long, to read what its
# socket was given, how much it lost, and why. Nobody waits for it.
LINGER_PATIENCE: Final = 10.0
# The driver's own call to end a session takes milliseconds. Clients are not kept waiting for one
# that hangs.
DRIVER_PATIENCE: Final = 0.5
# A cancelled client only counts what it has left.
CANCEL_PATIENCE: Final = 0.1

# The longest that the end of a session takes, except for a driver's call that hangs.
ENDING_PATIENCE: Final = FLUSH_PATIENCE + 3 * REST_PATIENCE + CLOSE_PATIENCE


@dataclass(frozen=True, slots=True)
class Ending:
    """What clients are told of the end.

    Attributes:
        state: What the session will be: "ended" or "failed".
        reason: Why, as a sentence.
        stopping: The service is shutting down.
    """

    state: str
    reason: str
    stopping: bool = False


class Client(Protocol):
    """One client of a session, as its end deals with it."""

    async def flush(self) -> None:
        """Return when everything that was queued is with the client's kernel, or it is gone."""

    def settle(self) -> None:
        """Count what is left, on both sides; nothing more is taken from the client. Idempotent."""

    def farewell(self, ending: Ending) -> None:
        """Tell the client what it lost and how the session ended, and close behind that."""

    async def gone(self) -> None:
        """Return when the kernel has all of it, or it was cut off after `CLOSE_PATIENCE`.

        Every packet is accounted for on return, also when this is cancelled.
        """


async def flush(clients: Iterable[Client], patience: float) -> None:
    """Let all clients take what is queued for them, for `patience` seconds at the most."""
    await _all([client.flush() for client in clients], patience)


def settle(clients: Iterable[Client]) -> None:
    """Count what is left for each client; one that fails harms none of the others."""
    for client in list(clients):
        try:
            client.settle()
        except Exception:
            logger.exception("What was left for a client could not be counted.")


def farewell(clients: Iterable[Client], ending: Ending) -> None:
    """Tell each client; one that fails harms none of the others."""
    for client in list(clients):
        try:
            client.farewell(ending)
        except Exception:
            logger.exception("A client could not be told of the end.")


async def gone(clients: Iterable[Client]) -> None:
    """Wait until no client can get anything more."""
    await _all([client.gone() for client in clients], 2 * CLOSE_PATIENCE)


async def _all(work: list[Coroutine[Any, Any, None]], patience: float) -> None:
    if not work:
        return
    tasks = TaskSet()  # which logs one that fails; the others go on
    running = [tasks.spawn(one, name="client:end") for one in work]
    try:
        await asyncio.wait(running, timeout=patience)
    finally:
        tasks.cancel()
    late = [task for task in running if not task.done()]
    if late:  # what they count on the way out belongs to the last counters
        await asyncio.wait(late, timeout=CANCEL_PATIENCE)
