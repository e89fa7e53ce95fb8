"""End a session for its clients: what is still delivered, and how long to wait for it.

    flush      deliver received packets to clients that still read
    settle     count what is left: from here on the session's counters are final
    farewell   tell the client, and close its connection after everything that was sent
    gone       when the whole service stops: wait for that, and count what must be cut off

The waits for all clients run at the same time. The whole service has about three seconds to exit,
even if clients do not read, and ending sessions is the longest part of that.
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
# that has paused must resume within it, because a person who presses Ctrl-C does not want to wait.
FLUSH_PATIENCE: Final = 1.0
# For the ring's content if a blocking client (overflow=block) had to be given up: it is read as
# fast as possible for the other clients.
REST_PATIENCE: Final = 0.15
# The last messages are a few hundred bytes, after what the socket has not taken yet.
CLOSE_PATIENCE: Final = 0.5
# If the service continues, a client that has paused can resume for so long and read what its socket
# was given, how much it lost, and why. Nothing waits for it.
LINGER_PATIENCE: Final = 10.0
# The driver's own call to end a session takes milliseconds. Clients do not wait if it hangs.
DRIVER_PATIENCE: Final = 0.5
# A cancelled client only has to count what is left.
CANCEL_PATIENCE: Final = 0.1

# The longest that the end of a session takes, except for a driver's call that hangs.
ENDING_PATIENCE: Final = FLUSH_PATIENCE + 3 * REST_PATIENCE + CLOSE_PATIENCE


@dataclass(frozen=True, slots=True)
class Ending:
    """Describe the end of a session to its clients.

    Attributes:
        state: The final state of the session: "ended" or "failed".
        reason: Why it ended, as a sentence.
        stopping: Whether the service is shutting down.
    """

    state: str
    reason: str
    stopping: bool = False


class Client(Protocol):
    """Describe a client of a session, as far as the end of the session needs it."""

    async def flush(self) -> None:
        """Return when the kernel has everything that was queued, or the client is gone."""

    def settle(self) -> None:
        """Count what is left in both directions; accept no more from the client. Idempotent."""

    def farewell(self, ending: Ending) -> None:
        """Tell the client what it lost and how the session ended, then close."""

    async def gone(self) -> None:
        """Return when the kernel has everything, or the client was cut off (`CLOSE_PATIENCE`).

        Every packet has been counted on return, even if this is cancelled.
        """


async def flush(clients: Iterable[Client], patience: float) -> None:
    """Deliver to all clients what is queued for them, for at most `patience` seconds."""
    await _all([client.flush() for client in clients], patience)


def settle(clients: Iterable[Client]) -> None:
    """Count what is left for each client; a failure does not affect the other clients."""
    for client in list(clients):
        try:
            client.settle()
        except Exception:
            logger.exception("The packets left for a client could not be counted.")


def farewell(clients: Iterable[Client], ending: Ending) -> None:
    """Tell each client; a failure does not affect the other clients."""
    for client in list(clients):
        try:
            client.farewell(ending)
        except Exception:
            logger.exception("A client could not be told that its session has ended.")


async def gone(clients: Iterable[Client]) -> None:
    """Wait until no client can receive anything more."""
    await _all([client.gone() for client in clients], 2 * CLOSE_PATIENCE)


async def _all(work: list[Coroutine[Any, Any, None]], patience: float) -> None:
    if not work:
        return
    tasks = TaskSet()  # it logs a task that fails, and the others continue
    running = [tasks.spawn(one, name="client:end") for one in work]
    try:
        await asyncio.wait(running, timeout=patience)
    finally:
        tasks.cancel()
    late = [task for task in running if not task.done()]
    if late:  # what they still count belongs in the final counters
        await asyncio.wait(late, timeout=CANCEL_PATIENCE)
