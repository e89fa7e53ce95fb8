"""End open streams when the token or the sign-in that opened them ends.

A packet socket, an event stream or a capture holds a lease. It is told to end as soon as its token
is revoked or expires, or the browser's sign-in behind it ends. Nothing is looked up per packet.

Expiry times are Unix times, as everywhere. A timer waits for the earliest. Because it counts
seconds of the monotonic clock, it wakes after `STEP` at the latest and reads the wall clock again.
So a change of the wall clock, or a sleep of the machine, is noticed within a minute, and no wait
is longer than an event loop allows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wintun_api.api.tokens import Principal
from wintun_api.errors import TokenEnded

logger = logging.getLogger(__name__)

STEP = 60.0


class Lease:
    """Hold one holder's lease.

    Attributes:
        over: Set once the principal is no longer valid and `end` was called.
    """

    __slots__ = ("_end", "_leases", "over", "principal")

    def __init__(self, leases: Leases, principal: Principal, end: Callable[[], None]) -> None:
        self.principal = principal
        self.over = False
        self._leases = leases
        self._end = end

    def close(self) -> None:
        """Give the lease back; `end` is no longer called. Idempotent."""
        self._leases.drop(self)

    def expire(self) -> None:
        """Tell the holder to end."""
        self.over = True
        try:
            self._end()
        except Exception:
            # The other holders must still be told.
            logger.exception("A stream did not end with its token %s.", self.principal.id)


class Leases:
    """Hold the leases of one service. Event loop thread only.

    Args:
        current: Returns whether a principal is valid now: its token, and its sign-in if any.
    """

    def __init__(self, current: Callable[[Principal], bool]) -> None:
        self._current = current
        self._by_token: dict[str, set[Lease]] = {}
        self._by_sign_in: dict[str, set[Lease]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due = float("inf")  # Unix time that the timer waits for

    def __len__(self) -> int:
        return self._count

    def check(self, principal: Principal) -> None:
        """Refuse a principal that is no longer valid.

        Raises:
            TokenEnded: Its token was revoked or has expired, or its browser has signed out.
        """
        if not self._current(principal):
            raise TokenEnded

    def take(self, principal: Principal, end: Callable[[], None]) -> Lease:
        """Take a lease, which the caller must close.

        Args:
            principal: The principal of the connection.
            end: Called once, on the event loop, when the principal is no longer valid.

        Raises:
            TokenEnded: The principal is no longer valid.
        """
        self.check(principal)
        lease = Lease(self, principal, end)
        self._by_token.setdefault(principal.id, set()).add(lease)
        self._count += 1
        if principal.sign_in is not None:
            self._by_sign_in.setdefault(principal.sign_in, set()).add(lease)
        if principal.expires is not None and principal.expires < self._due:
            self._wait_for(principal.expires)
        return lease

    @contextmanager
    def hold(self, principal: Principal, end: Callable[[], None]) -> Iterator[Lease]:
        """Hold a lease for a block; see `take`."""
        lease = self.take(principal, end)
        try:
            yield lease
        finally:
            lease.close()

    def drop(self, lease: Lease) -> None:
        """Forget a lease. Idempotent."""
        if not _discard(self._by_token, lease.principal.id, lease):
            return
        self._count -= 1
        if lease.principal.sign_in is not None:
            _discard(self._by_sign_in, lease.principal.sign_in, lease)

    def end_token(self, token_id: str) -> None:
        """End everything that a token opened, because it was revoked or has expired."""
        self._end(self._by_token.get(token_id, ()))

    def end_sign_in(self, sign_in: str) -> None:
        """End everything that a browser's sign-in opened."""
        self._end(self._by_sign_in.get(sign_in, ()))

    def close(self) -> None:
        """Stop the timer; the service is shutting down and ends its streams itself."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, float("inf")

    def _end(self, leases: set[Lease] | tuple[()]) -> None:
        ended = list(leases)
        for lease in ended:
            self.drop(lease)
        for lease in ended:
            lease.expire()

    def _wait_for(self, expires: float) -> None:
        self.close()
        self._due = expires
        delay = min(max(expires - time.time(), 0.0), STEP)
        self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self._timer, self._due = None, float("inf")
        leases = [lease for group in self._by_token.values() for lease in group]
        self._end({lease for lease in leases if not lease.principal.valid})
        expiries = [
            lease.principal.expires
            for group in self._by_token.values()
            for lease in group
            if lease.principal.expires is not None
        ]
        if expiries:
            self._wait_for(min(expiries))


def _discard(groups: dict[str, set[Lease]], key: str, lease: Lease) -> bool:
    group = groups.get(key)
    if group is None or lease not in group:
        return False
    group.discard(lease)
    if not group:
        del groups[key]
    return True
