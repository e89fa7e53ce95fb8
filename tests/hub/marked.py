"""A reader of a session that wants to know what happened to packets."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

from tests.hub.running import soon
from wintun_api.choices import Direction, Tap
from wintun_api.hub.burst import Burst
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.subscriber import Subscriber

Told = tuple[bytes, tuple[str, ...]]


class Marks:
    """A reader of a session that keeps packets with their marks."""

    def __init__(
        self, session: ManagedSession, *, marks: bool = True, tap: Tap = Tap.AFTER
    ) -> None:
        self.woken = asyncio.Event()
        self.queue = Subscriber(
            direction=Direction.BOTH,
            tap=tap,
            marks=marks,
            limit_packets=100_000,
            limit_bytes=1 << 26,
            wake=self.woken.set,
        )
        self.bursts: list[Burst] = []
        self._session = session
        session.subscribe(self.queue)

    def close(self) -> None:
        """Read no more."""
        self._session.unsubscribe(self.queue)

    @property
    def told(self) -> list[Told]:
        """All packets so far, each with its comments."""
        self.bursts += self.queue.take(1 << 30)
        return [
            (packet, (burst.comments or {}).get(index, ()))
            for burst in self.bursts
            for index, packet in enumerate(burst.packets)
        ]

    async def until(self, packets: int) -> list[Told]:
        """Wait until there are so many packets; return them."""
        while len(self.told) < packets:
            self.woken.clear()
            await soon(self.woken.wait())
        return self.told

    def words(self) -> Counter[str]:
        """How often each comment was made, without times."""
        texts = (text for _, comments in self.told for text in comments)
        return Counter(re.sub(r"delayed by [0-9]+\.[0-9]{3} ms", "delayed", text) for text in texts)
