"""Messages of a subscription on their way to the one who takes them.

A message is taken at once. While the subscription is paused, messages wait up to a bound; what does
not fit is dropped and counted, to the byte.
"""

from __future__ import annotations

import logging
from collections import deque

from wintun_api.fleet.bus.seam import Message, Take

logger = logging.getLogger(__name__)


class Intake:
    """What `seam.Subscription` promises, except for its end. Event loop only."""

    def __init__(self, take: Take, limit_bytes: int) -> None:
        self.dropped_messages = 0
        self.dropped_bytes = 0
        self.waiting_bytes = 0
        self._take = take
        self._limit = limit_bytes
        self._waiting: deque[Message] = deque()
        self._paused = False
        self._resuming = False
        self._closed = False

    def pause(self) -> None:
        """Let messages wait."""
        self._paused = True

    def resume(self) -> None:
        """Take what waits, then each message as it comes."""
        self._paused = False
        if self._resuming:
            return
        self._resuming = True
        try:
            while self._waiting and not self._paused:
                message = self._waiting.popleft()
                self.waiting_bytes -= len(message.data)
                self._give(message)
        finally:
            self._resuming = False

    def offer(self, message: Message) -> None:
        """Take a message that has come, let it wait, or drop it."""
        if self._closed:
            return
        if not (self._paused or self._waiting):
            self._give(message)
            return
        size = len(message.data)
        if self.waiting_bytes + size > self._limit:
            self.dropped_messages += 1
            self.dropped_bytes += size
        else:
            self.waiting_bytes += size
            self._waiting.append(message)

    def close(self) -> None:
        """Take nothing more; what waits is dropped, and counted."""
        self._closed = True
        self.dropped_messages += len(self._waiting)
        self.dropped_bytes += self.waiting_bytes
        self._waiting.clear()
        self.waiting_bytes = 0

    def _give(self, message: Message) -> None:
        try:
            self._take(message)
        except Exception:  # one who fails must not end the connection for all
            logger.exception("A message of %s could not be taken.", message.subject)
