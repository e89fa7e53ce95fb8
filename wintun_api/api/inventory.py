"""Keep what agents report about their networks, in memory and for half a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from wintun_api.schemas.networks import Network

LIFETIME: Final = 30.0  # seconds; an agent reports every ten
MAX_NETWORKS: Final = 16


class Inventory:
    """The networks that were reported a short time ago. Event loop thread only.

    Attributes:
        displaced: How many were dropped because there were too many; the oldest report goes first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.displaced = 0
        self._clock = clock
        self._known: dict[str, tuple[Network, float]] = {}  # the oldest report is the first

    def put(self, network: Network) -> None:
        """Keep a report, in place of the previous one about the same network."""
        self._expire()
        self._known.pop(network.name, None)
        self._known[network.name] = network, self._clock() + LIFETIME
        if len(self._known) > MAX_NETWORKS:
            del self._known[next(iter(self._known))]
            self.displaced += 1

    def all(self) -> list[Network]:
        """Return the networks by their names."""
        self._expire()
        return [self._known[name][0] for name in sorted(self._known)]

    def _expire(self) -> None:
        now = self._clock()
        for name in [name for name, (_, until) in self._known.items() if until <= now]:
            del self._known[name]
