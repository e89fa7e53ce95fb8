"""Give each burst of a session to the subscribers that want its direction and side.

Where the session is impaired, a subscriber watches either what the application and the host really
get, or what was sent before that (`choices.Tap`).

An error of one reader affects that reader alone. While a reader with `Overflow.BLOCK` is full, the
session must not drain its ring.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from wintun_api.choices import Overflow, Tap, Times
from wintun_api.hub.burst import Burst
from wintun_api.hub.losses import Loss
from wintun_api.hub.subscriber import Report, Subscriber, unreported

logger = logging.getLogger(__name__)


class Fanout:
    """Manage the subscribers of one session.

    Args:
        report: Called with every loss of a subscriber.
        resume: Called when no subscriber with `Overflow.BLOCK` is full any more.
    """

    def __init__(
        self, report: Report = unreported, resume: Callable[[], None] = lambda: None
    ) -> None:
        self._received: list[Subscriber] = []
        self._injected: list[Subscriber] = []
        self._before_received: list[Subscriber] = []
        self._before_injected: list[Subscriber] = []
        self._blocking: list[Subscriber] = []
        self._report = report
        self._resume = resume
        self._free = asyncio.Event()  # set at each moment at which no subscriber blocks

    def __len__(self) -> int:
        return len(self.subscribers)

    @property
    def subscribers(self) -> list[Subscriber]:
        """Return every subscriber that gets packets, once."""
        groups = (self._received, self._injected, self._before_received, self._before_injected)
        return list(dict.fromkeys(one for group in groups for one in group))

    @property
    def watched_before(self) -> bool:
        """Whether a subscriber watches what comes before an impairment."""
        return bool(self._before_received or self._before_injected)

    @property
    def timed(self) -> bool:
        """Whether a subscriber wants a time for each packet."""
        return any(one.times is Times.PACKET for one in self.subscribers)

    @property
    def marked(self) -> bool:
        """Whether a subscriber wants to know what happened to packets."""
        return any(one.marks for one in self.subscribers)

    def wants(self, *, injected: bool) -> bool:
        """Return whether there is a subscriber to packets of this direction."""
        return bool(self._injected if injected else self._received)

    def wants_before(self, *, injected: bool) -> bool:
        """Return whether one of them watches what comes before an impairment."""
        return bool(self._before_injected if injected else self._before_received)

    @property
    def blocked(self) -> bool:
        """Whether a subscriber with `Overflow.BLOCK` is full, so that the drain must wait."""
        return bool(self._blocking) and any(s.full for s in self._blocking)

    async def unblocked(self, deadline: float) -> bool:
        """Wait until no subscriber blocks, or the loop's time is `deadline`; return whether so."""
        loop = asyncio.get_running_loop()
        while self.blocked:
            self._free.clear()
            try:
                await asyncio.wait_for(self._free.wait(), max(0, deadline - loop.time()))
            except TimeoutError:
                return not self.blocked
        return True

    def add(self, subscriber: Subscriber) -> None:
        """Subscribe."""
        subscriber.report = self._report
        before = subscriber.tap is Tap.BEFORE
        for injected in (False, True):
            if subscriber.direction.takes(injected=injected):
                self._group(injected=injected, before=before).append(subscriber)
        if subscriber.overflow is Overflow.BLOCK and subscriber.direction.takes(injected=False):
            subscriber.unblocked = self._unblocked
            self._blocking.append(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """Offer no more to a subscriber; its queued packets can still be taken. Idempotent."""
        subscriber.unblocked = None
        for group in (
            self._received,
            self._injected,
            self._before_received,
            self._before_injected,
            self._blocking,
        ):
            if subscriber in group:
                group.remove(subscriber)
        self._unblocked()

    def publish(self, burst: Burst, *, before: bool = False) -> None:
        """Offer a burst to all subscribers that want it; an error affects only its reader."""
        # Copies: a reader that fails while it is woken removes itself from the list.
        if before:
            subscribers = tuple(self._before_injected if burst.injected else self._before_received)
        else:
            subscribers = tuple(self._injected if burst.injected else self._received)
        self._offer(burst, subscribers)

    def show(self, burst: Burst, *, before: bool = False) -> None:
        """Offer packets that are not delivered to those who want to know what happened to them.

        Args:
            burst: The packets, with comments.
            before: Whether those are among them who watch what comes before an impairment.
        """
        found = list(self._group(injected=burst.injected, before=False))
        if before:
            found += self._group(injected=burst.injected, before=True)
        self._offer(burst, [one for one in found if one.marks])

    def lose(self, loss: Loss, *, before: bool = False) -> None:
        """Report lost packets to the subscribers that would have received them."""
        for subscriber in tuple(self._group(injected=loss.injected, before=before)):
            try:
                subscriber.lose_before(loss)
            except Exception as error:  # noqa: BLE001 - likewise
                self._failed(subscriber, error)

    def _offer(self, burst: Burst, subscribers: Sequence[Subscriber]) -> None:
        burst.shared = len(subscribers) > 1 and sum(one.encodes for one in subscribers) > 1
        for subscriber in subscribers:
            try:
                subscriber.offer(burst)
            except Exception as error:  # noqa: BLE001 - logged; the drain and the others continue
                self._failed(subscriber, error, burst)

    def _group(self, *, injected: bool, before: bool) -> list[Subscriber]:
        if before:
            return self._before_injected if injected else self._before_received
        return self._injected if injected else self._received

    def _failed(self, subscriber: Subscriber, error: Exception, burst: Burst | None = None) -> None:
        logger.error("A reader of packets failed and was removed.", exc_info=error)
        self.discard(subscriber)
        subscriber.failed(error, burst)

    def _unblocked(self) -> None:
        if not self.blocked:
            self._free.set()
            self._resume()  # -> ManagedSession._resume
