"""The queue of one session in a gathering, which is one of the session's clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wintun_api.hub.adapters import ManagedAdapter
from wintun_api.hub.capture.source import Source
from wintun_api.hub.ending import Ending
from wintun_api.hub.losses import Loss
from wintun_api.hub.session import ManagedSession

if TYPE_CHECKING:
    from wintun_api.hub.subscriber import Subscriber


class Whole(Protocol):
    """Describe the gathering that an intake belongs to, as far as its session's end needs it."""

    async def flush(self, intake: Intake) -> None:
        """Return when everything that waited was taken and dealt with."""

    def settle(self, intake: Intake) -> None:
        """Count what still waits as lost."""

    def ended(self, intake: Intake, ending: Ending) -> None:
        """Note that nothing more comes."""

    async def gone(self) -> None:
        """Return when nothing more can be delivered."""


class Intake:
    """Take the packets of one session for a gathering. Event loop thread only.

    Attributes:
        source: What the capture knows of the session.
        queue: The packets that wait.
        counted: The bytes of its queue that the gathering has counted.
        new: Whether the gathering has not told yet that it is there.
        over: Whether its session has ended.
    """

    def __init__(
        self, whole: Whole, session: ManagedSession, adapter: ManagedAdapter, queue: Subscriber
    ) -> None:
        self.source = Source(session.id, adapter.info.guid, adapter.info.name)
        self.queue = queue
        self.counted = 0
        self.new = True
        self.over = False
        self._whole = whole
        self._session = session
        self._adapter = adapter

    def join(self) -> None:
        """Subscribe.

        Raises:
            SessionNotFound: The session has ended or is ending.
        """
        self._session.subscribe(self.queue)
        self._session.clients.add(self)

    def stop(self) -> None:
        """Take no more packets. Idempotent."""
        self._session.unsubscribe(self.queue)

    def leave(self) -> None:
        """Be no client of the session any more. Idempotent."""
        self._session.clients.discard(self)

    def take_losses(self) -> list[Loss]:
        """Return what was lost before the oldest packet that waits."""
        self.source.name = self._adapter.info.name
        return self.queue.losses.take()

    async def flush(self) -> None:
        """Return when everything that waited was taken and dealt with."""
        await self._whole.flush(self)

    def settle(self) -> None:
        """Count what still waits as lost, except a last packet that carries the drop count."""
        self._whole.settle(self)

    def farewell(self, ending: Ending) -> None:
        """Note that nothing more comes."""
        self._whole.ended(self, ending)

    async def gone(self) -> None:
        """Return when nothing more can reach the reader."""
        await self._whole.gone()
