"""Limit wrong tokens and sign-ins for each client address.

A valid token is accepted however many wrong ones came from its address: all programs on this
machine share 127.0.0.1, so any of them could otherwise lock out the owner. A token of 256 random
bits cannot be guessed; the limit tells an honest client to stop and keeps the log short.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal
from wintun_api.api.tally import Tally

logger = logging.getLogger(__name__)

MAX_ADDRESSES = 4096
MINUTE = 60.0
OTHERS = "others"


class Guesses:
    """Keep a token bucket of wrong credentials per address. Event loop thread only.

    At `MAX_ADDRESSES`, addresses whose buckets are full again are forgotten; if there are none,
    further addresses share one bucket.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow this many wrong credentials per minute, and as many at once."""
        self._burst = float(per_minute)
        self._rate = per_minute / MINUTE
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._last = ""
        self.tally = Tally(self._tell)

    def __len__(self) -> int:
        return len(self._buckets)

    def wrong(self, address: str) -> float | None:
        """Count a wrong credential; return the seconds to wait if there were too many."""
        self._last = address
        self.tally.add()
        now, name = self._clock(), self._bucket(_network(address))
        left, then = self._buckets.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        allowed = left >= 1
        self._buckets[name] = (left - 1 if allowed else left, now)
        return None if allowed else (1 - left) / self._rate

    def _bucket(self, name: str) -> str:
        if name in self._buckets or len(self._buckets) < MAX_ADDRESSES:
            return name
        oldest, (_, then) = next(iter(self._buckets.items()))
        if self._clock() - then < MINUTE:
            return OTHERS
        del self._buckets[oldest]
        return name

    def _tell(self, count: int) -> None:
        if count == 1:
            logger.warning("A request from %s carried a wrong token or sign-in.", self._last)
        else:
            logger.warning(
                "%d requests carried a wrong token or sign-in, the last one from %s.",
                count,
                self._last,
            )


def too_many_guesses(seconds: int) -> Refusal:
    """Return the refusal of a wrong credential from an address that has sent too many."""
    return Refusal(
        Kind.TOO_MANY_GUESSES,
        "Too many requests from this address carried a wrong token.",
        f"Correct the token, or wait {seconds} s. A request with a valid token is always answered.",
        headers=(("Retry-After", str(seconds)),),
    )


def _network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 host's /64 network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
