"""An event loop's clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Planned:
    """A call that is planned."""

    when: float
    callback: Callable[..., object]
    cancelled: bool = False

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True


@dataclass
class Clock:
    """An event loop whose time stands still until it is moved."""

    now: float = 100.0
    planned: list[Planned] = field(default_factory=list)

    def time(self) -> float:
        """Return the time."""
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], /, *_: Any) -> Planned:
        """Plan a call."""
        call = Planned(when, callback)
        self.planned.append(call)
        return call

    def move(self, seconds: float) -> None:
        """Move the time, and make the calls that are due on the way."""
        end = self.now + seconds
        while due := [one for one in self.planned if not one.cancelled and one.when <= end]:
            first = min(due, key=lambda one: one.when)
            self.planned.remove(first)
            self.now = max(self.now, first.when)
            first.callback()
        self.now = end
