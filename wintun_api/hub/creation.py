"""Create an adapter with its GUID, which a device that was just deleted may still have.

Windows removes a device some time after it confirmed the deletion, and refuses its GUID until then
(183). To Windows another GUID would be another network, so the same one is first tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from wintun_api.errors import AdapterExists

T = TypeVar("T")
logger = logging.getLogger(__name__)

PATIENCE: Final = 10.0  # seconds to wait for a device to be removed
SHARE: Final = 0.6  # of the request's time at most, so that another GUID can be tried afterwards
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0
LEAVING: Final = 30.0  # seconds after a deletion in which the GUID may still be in use


class Leaving:
    """Remember the GUIDs of devices that were removed a short while ago.

    Args:
        clock: Returns seconds since any fixed moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[UUID, float] = {}

    def add(self, guid: UUID) -> None:
        """Remember a GUID for a while."""
        now = self._clock()
        self._since = {one: at for one, at in self._since.items() if now - at < LEAVING}
        self._since[guid] = now

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, guid: object) -> bool:
        """Return whether a device with this GUID may still be in the process of removal."""
        since = self._since.get(guid) if isinstance(guid, UUID) else None
        return since is not None and self._clock() - since < LEAVING


async def retried(create: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Create an adapter, and retry with growing pauses while the GUID is in use.

    Args:
        create: Makes one attempt; it is not running during a pause.
        seconds: Time that the request has for all attempts.

    Raises:
        AdapterExists: The GUID is still in use, or the name is, which is not retried.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(PATIENCE, SHARE * seconds)
    pause = FIRST_PAUSE
    while True:
        try:
            return await create()
        except AdapterExists as error:
            if not error.guid_in_use or loop.time() + pause > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def by_stable_guid(
    create: Callable[[UUID | None], Awaitable[T]], guid: UUID, seconds: float
) -> T:
    """Create an adapter with this GUID, or with another one if it remains in use.

    Raises:
        AdapterExists: The name is in use.
    """
    try:
        return await retried(lambda: create(guid), seconds)
    except AdapterExists as error:
        if error.guid_in_use:
            logger.warning(
                "The GUID %s is still in use, so the adapter gets another one and Windows treats "
                "it as a new network.",
                guid,
            )
    return await create(None)  # this again refuses a name that is in use
