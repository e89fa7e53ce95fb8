"""How long a stream waits before it connects again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """How a stream connects again after its connection has ended.

    Attributes:
        first: Seconds before the first attempt. Each wait is twice as long as the previous one.
        last: The longest wait, in seconds.
        attempts: How often a stream tries before it gives up; None for no limit.
    """

    first: float = 0.25
    last: float = 8.0
    attempts: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.last:
            raise ValueError("`first` must be more than 0, and `last` not less than `first`")
        if self.attempts is not None and self.attempts < 0:
            raise ValueError("`attempts` must be 0 or more")

    def delays(self) -> Iterator[float]:
        """Return the seconds to wait before each attempt."""
        delay, done = self.first, 0
        while self.attempts is None or done < self.attempts:
            yield delay
            delay, done = min(2 * delay, self.last), done + 1


def backoff_of(reconnect: Backoff | bool) -> Backoff | None:
    """Return how to connect again; None if not at all.

    Raises:
        TypeError: It is neither a `Backoff` nor true or false.
    """
    if isinstance(reconnect, Backoff):
        return reconnect
    if isinstance(reconnect, bool):
        return Backoff() if reconnect else None
    raise TypeError("`reconnect` must be True, False or a Backoff")
